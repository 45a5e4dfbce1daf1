// Teaches an encoder-decoder transformer to read dates however people write them, and to write them as 2014-03-09.
import {
  AdamW,
  beamSearch,
  CharTokenizer,
  clipGradNorm,
  compile,
  cosine,
  generateBatch,
  isa,
  rand,
  Seq2Seq,
  seed,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "nabla";
import { integer, real, run } from "./options.ts";
import { duration, machine, Progress } from "./terminal.ts";

const program = {
  call: "node --import tsx examples/dates.ts",
  about: "Trains a transformer that reads a date in one of many formats and writes it as 2014-03-09, and tests it.",
  options: {
    steps: integer(700, "steps of training", { max: 1_000_000 }),
    batch: integer(64, "dates per step", { max: 65536 }),
    layers: integer(2, "layers of the encoder, and of the decoder", { max: 64 }),
    heads: integer(4, "heads of attention", { max: 64 }),
    width: integer(64, "numbers per character, a multiple of the heads", { max: 4096 }),
    lr: real(0.003, "highest learning rate, after a warm-up and before a cosine", { max: 10 }),
    beams: integer(4, "beams of the search that is compared with the greedy answers", { max: 64 }),
    test: integer(500, "unseen days to ask", { max: 20_000 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights and the dates", { min: 0, max: 2 ** 31 - 1 }),
  },
} as const;

const months = "January February March April May June July August September October November December".split(" ");
const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const first = Date.UTC(1950, 0, 1);
const days = (Date.UTC(2050, 0, 1) - first) / 86_400_000;

/** One day in ten is never trained on. */
const unseen = (day: number): boolean => (Math.imul(day + 1, 2654435761) >>> 0) % 10 === 0;

/** 1st, 2nd, 3rd, 4th, 11th */
function ordinal(n: number): string {
  const last = Math.floor(n / 10) === 1 ? 0 : n % 10;
  return `${n}${["th", "st", "nd", "rd"][last] ?? "th"}`;
}
/** A day as somebody might write it, and as it is to be written. */
function written(day: number, format: number): [string, string] {
  const date = new Date(first + day * 86_400_000);
  const [year, month, d] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const [name, weekday] = [months[month]!, weekdays[date.getUTCDay()]!];
  const two = (n: number) => `${n}`.padStart(2, "0");
  // Two digits are of 1950 to 2049, as they are to most people.
  const short = two(year % 100);
  const formats = [
    `${d} ${name} ${year}`,
    `${name} ${ordinal(d)}, ${year}`,
    `${weekday}, ${d} ${name.slice(0, 3)} ${short}`,
    `${d}.${month + 1}.${year}`,
    `${two(month + 1)}/${two(d)}/${year}`,
    `the ${ordinal(d)} of ${name.toLowerCase()} '${short}`,
    `${weekday.slice(0, 3)} ${name.slice(0, 3).toUpperCase()} ${d} ${year}`,
    `${year}${two(month + 1)}${two(d)}`,
  ];
  return [formats[Math.floor(format * formats.length)]!, `${year}-${two(month + 1)}-${two(d)}`];
}
/** Days drawn at random, of those that are kept, each in a format of its own. */
function draw(count: number, keep: (day: number) => boolean): [string, string][] {
  const drawn: [string, string][] = [];
  while (drawn.length < count) {
    const random = rand(2 * count).dataSync();
    for (let i = 0; i < 2 * count && drawn.length < count; i += 2) {
      const day = Math.floor(random[i]! * days);
      if (keep(day)) drawn.push(written(day, random[i + 1]!));
    }
  }
  return drawn;
}

const names = [...weekdays, ...months].join("");
const letters = CharTokenizer.from(`${names}${names.toUpperCase()}${names.toLowerCase()} ,./'-0123456789`);
const [padding, start, end] = [0, 1, 2].map((i) => letters.vocabSize + i) as [number, number, number];
const longest = 32;
const filled = (row: readonly number[], length: number) => [...row, ...Array(length - row.length).fill(padding)];

/** Rows of tokens of one length, filled up. */
function sources(texts: readonly string[]): Tensor {
  const rows = texts.map((text) => [...letters.encode(text)]);
  return tensor(
    rows.map((row) => filled(row, longest)),
    { dtype: "i32" },
  ) as Tensor;
}
function targets(answers: readonly string[], before: readonly number[], behind: readonly number[]): Tensor {
  return tensor(
    answers.map((a) => [...before, ...letters.encode(a), ...behind]),
    { dtype: "i32" },
  ) as Tensor;
}

async function greedy(model: Seq2Seq, texts: readonly string[]): Promise<string[]> {
  const answers = texts.map((): number[] => []);
  const prompts = texts.map(() => [start]);
  const options = { temperature: 0, maxTokens: 12, stop: [end] };
  for await (const tokens of generateBatch(model.given(sources(texts)), prompts, options))
    for (const [i, token] of tokens.entries()) if (token !== undefined && token !== end) answers[i]!.push(token);
  return answers.map(read);
}
async function searched(model: Seq2Seq, texts: readonly string[], width: number): Promise<string[]> {
  const prompts = texts.map(() => [start]);
  const found = await beamSearch(model.given(sources(texts)), prompts, { width, maxTokens: 12, stop: [end] });
  return found.map(([best]) => read(best!.tokens.filter((t) => t !== end)));
}
/** Text of tokens; what is no letter is shown as "?". */
const read = (tokens: readonly number[]): string =>
  tokens.map((t) => (t < letters.vocabSize ? letters.decode([t]) : "?")).join("");

await run(program, async (options) => {
  const { steps, batch, layers, heads, width, lr, beams, test, threads: wanted, seed: from } = options;
  if (wanted !== undefined) setThreads(wanted);
  seed(from);
  const begin = performance.now();
  const config = { vocabSize: end + 1, contextLength: longest, layers, heads, width, paddingIndex: padding };
  const { parameters } = Seq2Seq.summary(config);
  console.log(`model   ${layers} + ${layers} layers, ${heads} heads, width ${width}: ${parameters} parameters`);
  console.log(`on      ${machine()}\n`);
  const model = new Seq2Seq(config);
  const opt = new AdamW(model, { lr, betas: [0.9, 0.98], weightDecay: 0.01, decay: (p) => p.ndim >= 2 });
  const rate = cosine({ from: lr, to: lr / 20, steps, warmup: Math.min(100, steps / 10) });
  using step = compile((source: Tensor, target: Tensor, labels: Tensor) => {
    const loss = model.loss(source, target, labels);
    opt.zeroGrad();
    loss.backward();
    clipGradNorm(model, 1);
    opt.step();
    return loss;
  });

  const progress = new Progress(steps);
  let loss = 0;
  for (let i = 0; i < steps; i++) {
    const pairs = draw(batch, (day) => !unseen(day));
    const answers = pairs.map(([, answer]) => answer);
    opt.lr = rate(i);
    const found = await step(
      sources(pairs.map(([text]) => text)),
      targets(answers, [start], []),
      targets(answers, [], [end]),
    );
    loss = found.item();
    progress.update(i + 1, () => `loss ${loss.toFixed(4)}`);
  }
  const trained = (performance.now() - begin) / 1000;

  const pairs = draw(test, unseen);
  const texts = pairs.map(([text]) => text);
  const right = (answers: readonly string[]) => answers.filter((a, i) => a === pairs[i]?.[1]).length / test;
  const [first, best] = [await greedy(model, texts), await searched(model, texts, beams)];
  const [accuracy, beamAccuracy] = [right(first), right(best)];
  console.log();
  for (const i of pairs.slice(0, 6).keys()) console.log(`  ${texts[i]!.padEnd(longest)}${first[i]}`);
  const percent = (x: number) => `${(100 * x).toFixed(1)}%`;
  console.log(`\n${percent(accuracy)} of ${test} unseen days are right, ${percent(beamAccuracy)} with ${beams} beams`);
  const seconds = (performance.now() - begin) / 1000;
  console.log(`${duration(seconds)}, ${duration(trained)} of it training`);
  return { accuracy, beamAccuracy, loss, parameters, seconds, isa: isa(), threads: threads() };
});
