// Teaches a small GPT to add numbers of three digits, and asks it sums it has never seen.
import {
  AdamW,
  clipGradNorm,
  compile,
  cosine,
  crossEntropy,
  GPT2,
  generateBatch,
  isa,
  randint,
  seed,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "nabla";
import { integer, real, run } from "./options.ts";
import { duration, machine, Progress, thousands } from "./terminal.ts";

const program = {
  call: "node --import tsx examples/addition.ts",
  about: "Trains a GPT on sums of two numbers of three digits, answers written backwards, and tests it on unseen sums.",
  options: {
    steps: integer(2500, "steps of training", { max: 1_000_000 }),
    batch: integer(128, "sums per step", { max: 65536 }),
    layers: integer(2, "blocks", { max: 64 }),
    heads: integer(4, "heads of attention", { max: 64 }),
    width: integer(64, "numbers per token, a multiple of the heads", { max: 4096 }),
    lr: real(0.003, "highest learning rate, after a warm-up and before a cosine", { max: 10 }),
    test: integer(2000, "unseen sums to ask", { max: 100_000 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights and the sums", { min: 0, max: 2 ** 31 - 1 }),
  },
} as const;

/** One in ten of all pairs is never trained on, whichever were drawn. */
const unseen = (a: number, b: number): boolean => (Math.imul(1000 * a + b + 1, 2654435761) >>> 0) % 10 === 0;

/** 12 + 345 = 357 as 0 1 2 3 4 5 7 5 3 0: the answer backwards, so that a digit depends on what is there already. */
function digits(a: number, b: number): number[] {
  const three = (x: number) => [Math.floor(x / 100), Math.floor(x / 10) % 10, x % 10];
  const sum = a + b;
  return [...three(a), ...three(b), sum % 10, ...three(Math.floor(sum / 10)).reverse()];
}

/** Pairs drawn at random, of those that are kept. */
function* pairs(keep: (a: number, b: number) => boolean): Generator<[number, number]> {
  for (;;) {
    const drawn = randint(0, 1000, [2048]).dataSync();
    for (let i = 0; i < drawn.length; i += 2) {
      const [a, b] = [drawn[i]!, drawn[i + 1]!];
      if (keep(a, b)) yield [a, b];
    }
  }
}
function take<T>(from: Iterator<T>, n: number): T[] {
  return Array.from({ length: n }, () => from.next().value as T);
}

/** Nine digits to read and the nine that follow them; those of the question are given, not learned. */
function batchOf(from: Iterator<[number, number]>, size: number): [Tensor, Tensor] {
  const rows = take(from, size).map(([a, b]) => digits(a, b));
  const x = tensor(
    rows.map((row) => row.slice(0, 9)),
    { dtype: "i32" },
  );
  const y = tensor(
    rows.map((row) => row.slice(1).map((d, i) => (i < 5 ? -100 : d))),
    { dtype: "i32" },
  );
  return [x, y];
}

interface Asked {
  right: number;
  wrong: string[];
}
async function ask(model: GPT2, sums: readonly [number, number][]): Promise<Asked> {
  const asked: Asked = { right: 0, wrong: [] };
  for (let from = 0; from < sums.length; from += 500) {
    const some = sums.slice(from, from + 500);
    const answers = some.map((): number[] => []);
    const prompts = some.map(([a, b]) => digits(a, b).slice(0, 6));
    for await (const tokens of generateBatch(model, prompts, { temperature: 0, maxTokens: 4 }))
      tokens.forEach((t, i) => {
        answers[i]!.push(t!);
      });
    some.forEach(([a, b], i) => {
      const answer = Number(answers[i]!.toReversed().join(""));
      if (answer === a + b) asked.right++;
      else asked.wrong.push(`${a} + ${b} = ${a + b}, not ${answer}`);
    });
  }
  return asked;
}

await run(program, async ({ steps, batch, layers, heads, width, lr, test, threads: wanted, seed: from }) => {
  if (wanted !== undefined) setThreads(wanted);
  seed(from);
  const begin = performance.now();
  const config = { vocabSize: 10, contextLength: 10, layers, heads, width };
  const { parameters } = GPT2.summary(config);
  console.log(`model   GPT, ${layers} layers, ${heads} heads, width ${width}: ${thousands(parameters)} parameters`);
  console.log(`on      ${machine()}\n`);
  const model = new GPT2(config);
  const opt = new AdamW(model, { lr, weightDecay: 0.1, betas: [0.9, 0.95], decay: (p) => p.ndim >= 2 });
  const rate = cosine({ from: lr, to: lr / 20, steps, warmup: Math.min(100, steps / 10) });
  using step = compile((x: Tensor, y: Tensor) => {
    const loss = crossEntropy(model.forward(x), y);
    opt.zeroGrad();
    loss.backward();
    clipGradNorm(model, 1);
    opt.step();
    return loss;
  });

  const seen = pairs((a, b) => !unseen(a, b));
  const progress = new Progress(steps);
  let loss = 0;
  for (let i = 0; i < steps; i++) {
    opt.lr = rate(i);
    loss = (await step(...batchOf(seen, batch))).item();
    progress.update(i + 1, () => `loss ${loss.toFixed(4)}`);
  }
  const trained = (performance.now() - begin) / 1000;
  const { right, wrong } = await ask(model.eval(), take(pairs(unseen), test));
  const seconds = (performance.now() - begin) / 1000;
  const accuracy = right / test;
  console.log(`\n${(100 * accuracy).toFixed(2)}% of ${thousands(test)} unseen sums are right`);
  for (const line of wrong.slice(0, 5)) console.log(`  ${line}`);
  const speed = Math.round((steps * batch * 9) / trained);
  console.log(`${duration(seconds)}, ${duration(trained)} of it training: ${thousands(speed)} tokens/s`);
  return { accuracy, loss, parameters, seconds, tokensPerSecond: speed, isa: isa(), threads: threads() };
});
