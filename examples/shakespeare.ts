// Trains a small GPT on a text, letter by letter or in byte pairs, and lets it write.
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import {
  AdamW,
  BPETokenizer,
  CharTokenizer,
  clipGradNorm,
  compile,
  cosine,
  crossEntropy,
  GPT2,
  generate,
  isa,
  loadCheckpoint,
  noGrad,
  type Parts,
  quantizeDynamic,
  randint,
  saveCheckpoint,
  seed,
  setThreads,
  type Tensor,
  type Tokenizer,
  threads,
} from "nabla";
import { choice, flag, integer, path, Refusal, real, run } from "./options.ts";
import { duration, fingerprint, machine, Progress, thousands } from "./terminal.ts";
import { pieces } from "./writer.ts";

const program = {
  call: "node --import tsx examples/shakespeare.ts",
  about: "Trains a GPT on a text, tells its loss on the last tenth, which it has not seen, and prints what it writes.",
  options: {
    data: path("FILE", undefined, "a text, as tinyshakespeare.txt; without it sentences are made up here"),
    tokens: choice(["char", "bpe"], "letters, or byte pairs learned from the text"),
    vocab: integer(512, "tokens of bpe", { min: 256, max: 100_000 }),
    steps: integer(2000, "steps of training", { max: 10_000_000 }),
    layers: integer(4, "blocks", { max: 128 }),
    heads: integer(4, "heads of attention", { max: 128 }),
    width: integer(128, "numbers per token, a multiple of the heads", { max: 16384 }),
    context: integer(64, "tokens it looks at", { max: 65536 }),
    batch: integer(12, "pieces of text per step", { max: 65536 }),
    lr: real(0.002, "highest learning rate, after a warm-up and before a cosine", { max: 10 }),
    dropout: real(0, "probability of dropout", { max: 1 }),
    write: integer(300, "tokens to write", { min: 0, max: 1_000_000 }),
    temperature: real(0.8, "how freely it writes", { max: 100 }),
    precision: choice(["f32", "bf16"], "what matrix products multiply while it trains"),
    weights: choice(["f32", "bf16", "i8"], "what it writes with: trained weights, or smaller ones made of them"),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights, the pieces and the writing", { min: 0, max: 2 ** 31 - 1 }),
    save: path("FILE", undefined, "where the model goes"),
    checkpoint: path("DIR", undefined, "folder for what is needed to go on after a crash, with the same bits"),
    every: integer(100, "steps from one checkpoint to the next", { max: 10_000_000 }),
    resume: flag("go on from the last checkpoint, if there is one"),
  },
} as const;

/** Sentences of a small grammar, drawn at random. */
function sentences(count: number): string {
  const parts = [
    ["The old", "A young", "The quiet", "Every", "No"],
    ["king", "sailor", "gardener", "queen", "fool", "owl"],
    ["sings of", "looks for", "forgets", "paints", "remembers", "mends"],
    ["the", "a", "another", "that last"],
    ["red", "silver", "broken", "distant", "hidden"],
    ["ship", "garden", "crown", "winter", "song", "door"],
    [".", ", and sleeps.", " at night.", "; nobody knows why.", "!"],
  ];
  const drawn = randint(0, 2 ** 30, [count * parts.length]).dataSync();
  const lines = Array.from({ length: count }, (_, i) => {
    const words = parts.map((list, k) => list[drawn[i * parts.length + k]! % list.length]!);
    return `${words.slice(0, -1).join(" ")}${words.at(-1)}`;
  });
  return `${lines.join("\n")}\n`;
}

/** The mean loss of a text, piece by piece, in batches; at most so many, spread over the text. */
function evaluator(model: GPT2, tokens: Int32Array, { batch, context }: { batch: number; context: number }) {
  const score = compile((x: Tensor, y: Tensor) => noGrad(() => crossEntropy(model.forward(x), y)));
  const count = Math.floor((tokens.length - 1) / context / batch);
  return async (most: number): Promise<number> => {
    model.eval();
    const batches = Math.min(most, count);
    let sum = 0;
    for (let i = 0; i < batches; i++) {
      const first = Math.floor((i * count) / batches) * batch;
      const from = Array.from({ length: batch }, (_, k) => (first + k) * context);
      sum += (await score(...pieces(tokens, from, context))).item();
    }
    model.train();
    return sum / batches;
  };
}

/** Checkpoints of a run. SIGINT and SIGTERM ask it to stop after a step; a second one ends the program at once. */
class Keeper {
  stopped: "SIGINT" | "SIGTERM" | null = null;
  readonly #folder: string | undefined;
  readonly #every: number;
  readonly #parts: Parts;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ checkpoint, every }: { checkpoint: string | undefined; every: number }, parts: Parts) {
    this.#folder = checkpoint;
    this.#every = every;
    this.#parts = parts;
    for (const signal of checkpoint === undefined ? [] : (["SIGINT", "SIGTERM"] as const))
      process.once(signal, () => {
        this.stopped = signal;
      });
  }
  /** The step to go on from. */
  async begin(resume: boolean): Promise<number> {
    const last = this.#folder !== undefined && resume ? await loadCheckpoint(this.#folder, this.#parts) : null;
    if (last) console.log(`resumed at step ${last.step} from ${last.path}`);
    return last?.step ?? 0;
  }
  /** Saves while training goes on, one checkpoint at a time. */
  async after(step: number): Promise<void> {
    if (this.#folder === undefined || (step % this.#every !== 0 && !this.stopped)) return;
    await this.#last;
    this.#last = saveCheckpoint(this.#folder, this.#parts, { step });
    this.#last.catch(() => {}); // told where it is awaited
  }
  async end(): Promise<void> {
    await this.#last;
  }
}

function tokenizerOf(kind: "char" | "bpe", text: string, vocabSize: number): Tokenizer {
  return kind === "char" ? CharTokenizer.from(text) : BPETokenizer.train(text, { vocabSize });
}

await run(program, async (options) => {
  const { steps, layers, heads, width, context, batch, lr, dropout } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  seed(options.seed);
  const text = options.data === undefined ? sentences(4000) : readFileSync(options.data, "utf8");
  const begin = performance.now();
  const tokenizer = tokenizerOf(options.tokens, text, options.vocab);
  const all = Int32Array.from(tokenizer.encode(text));
  const cut = Math.floor(0.9 * all.length);
  const [train, valid] = [all.subarray(0, cut), all.subarray(cut)];
  if (valid.length < context * batch + 1)
    throw new Refusal(`the last tenth of the text has ${valid.length} tokens, a batch needs ${context * batch + 1}`);
  const config = { vocabSize: tokenizer.vocabSize, contextLength: context, layers, heads, width, dropout };
  const { parameters, training } = GPT2.summary(config, { batch, time: context });
  const took = duration((performance.now() - begin) / 1000);
  console.log(
    `text    ${thousands(text.length)} characters, ${thousands(all.length)} tokens of ${tokenizer.vocabSize}, ${took}`,
  );
  console.log(`model   GPT, ${layers} layers, ${heads} heads, width ${width}: ${thousands(parameters)} parameters`);
  console.log(`memory  about ${(training / 2 ** 20).toFixed(0)} MB to train`);
  console.log(`on      ${machine()}\n`);

  const model = new GPT2(config);
  const opt = new AdamW(model, { lr, weightDecay: 0.1, betas: [0.9, 0.99], decay: (p) => p.ndim >= 2 });
  const rate = cosine({ from: lr, to: lr / 10, steps, warmup: Math.min(100, steps / 10) });
  using step = compile(
    (x: Tensor, y: Tensor) => {
      const loss = crossEntropy(model.forward(x), y);
      opt.zeroGrad();
      loss.backward();
      clipGradNorm(model, 1);
      opt.step();
      return loss;
    },
    { precision: options.precision },
  );
  const evaluate = evaluator(model, valid, { batch, context });
  const progress = new Progress(steps);
  let [milliseconds, loss] = [0, Number.NaN];
  const keeper = new Keeper(options, { model, optimizer: opt });
  const first = await keeper.begin(options.resume);
  for (let i = first; i < steps; i++) {
    const start = performance.now();
    opt.lr = rate(i);
    const from = randint(0, train.length - context, [batch]).dataSync();
    loss = (await step(...pieces(train, from, context))).item();
    milliseconds += performance.now() - start;
    await keeper.after(i + 1);
    const speed = ((i + 1 - first) * batch * context * 1000) / milliseconds;
    progress.update(i + 1, () => `loss ${loss.toFixed(3)}  ${thousands(Math.round(speed))} tokens/s`);
    if (keeper.stopped) {
      await keeper.end();
      console.log(`\nstopped by ${keeper.stopped} after step ${i + 1}; --resume goes on`);
      process.exitCode = 128 + constants.signals[keeper.stopped];
      return { stopped: keeper.stopped, step: i + 1 };
    }
  }
  await keeper.end();
  const tokensPerSecond = Math.round(((steps - first) * batch * context * 1000) / milliseconds);
  const validationLoss = await evaluate(Number.POSITIVE_INFINITY);
  const perplexity = Math.exp(validationLoss);
  console.log(`\nvalidation loss ${validationLoss.toFixed(4)}, perplexity ${perplexity.toFixed(2)}`);
  console.log(`${thousands(tokensPerSecond)} tokens/s, ${duration(milliseconds / 1000)} of training\n`);

  const sha256 = fingerprint(model.stateDict());
  if (options.save !== undefined) await model.save(options.save);
  let smaller = validationLoss;
  if (options.weights !== "f32") {
    quantizeDynamic(model, { dtype: options.weights });
    smaller = await evaluator(model, valid, { batch, context })(Number.POSITIVE_INFINITY);
    console.log(`validation loss ${smaller.toFixed(4)} with linear layers of ${options.weights}\n`);
  }
  const prompt = tokenizer.encode("\n");
  const written: number[] = [];
  const start = performance.now();
  const how = { maxTokens: options.write, temperature: options.temperature, seed: options.seed };
  for await (const token of generate(model.eval(), prompt, how)) written.push(token);
  const writing = Math.round((written.length * 1000) / (performance.now() - start));
  console.log(tokenizer.decode(written));
  console.log(`\n${thousands(writing)} tokens/s written`);
  const speeds = { tokensPerSecond, writtenPerSecond: writing };
  return {
    validationLoss,
    smaller,
    perplexity,
    loss,
    sha256,
    parameters,
    ...speeds,
    steps,
    isa: isa(),
    threads: threads(),
  };
});
