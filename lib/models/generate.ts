import { setImmediate } from "node:timers/promises";
import { type Compiled, compile } from "../compile/compile.ts";
import { fail } from "../core/errors.ts";
import { noGrad } from "../grad.ts";
import type { KVCache } from "../nn/cache.ts";
import { randint } from "../ops/random.ts";
import { reshape } from "../ops/view.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { CausalModel } from "./causal.ts";
import { type SampleOptions, sampler, uniforms } from "./sample.ts";

/** Options of {@link generate}. */
export interface GenerateOptions extends SampleOptions {
  /** The most tokens to add; 100 unless given. */
  readonly maxTokens?: number | undefined;
  /** Tokens, or sequences of them, that end the text. They are given out too. */
  readonly stop?: readonly (number | readonly number[])[] | undefined;
  /** Fixes what is drawn; otherwise the global generator does, and seed() fixes that. */
  readonly seed?: number | undefined;
  /** Ends it with ERR_NABLA_ABORTED before the next token. */
  readonly signal?: AbortSignal | undefined;
}

/** Evaluation mode while f runs. */
function evaluating<R>(model: CausalModel, f: () => R): R {
  if (!model.training) return f();
  model.eval();
  try {
    return f();
  } finally {
    model.train();
  }
}
const integers = (rows: readonly (readonly number[])[]): Tensor =>
  tensor(rows as number[][], { dtype: "i32" }) as Tensor;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

type Step = Compiled<[ids: Tensor, slots: Tensor, positions: Tensor], Tensor>;

/** Texts that grow together, token by token: a whole pass over what they begin with, then one compiled step a token. */
class Decoder {
  readonly texts: readonly number[][];
  readonly #model: CausalModel;
  readonly #capacity: number;
  #cache: KVCache | undefined;
  #step: Step | undefined;
  /** Slots in use, and the tokens of each text in them. */
  #used = 0;
  #lengths: number[] = [];

  constructor(model: CausalModel, texts: readonly number[][], capacity: number) {
    this.texts = texts;
    this.#model = model;
    this.#capacity = capacity;
  }

  /** Logits [texts, vocabSize] of what follows. */
  async logits(): Promise<Float32Array> {
    if (this.#used === 0) return this.#begin(this.texts);
    // The context is full: its later half stays, and positions begin anew.
    if (this.#used === this.#capacity)
      return this.#begin(this.texts.map((t) => t.slice(-Math.ceil(this.#capacity / 2))));
    const ids = integers(this.texts.map((t) => t.slice(-1)));
    const slots = tensor([this.#used], { dtype: "i32" }) as Tensor;
    const positions = integers(this.#lengths.map((n) => [n]));
    this.#used++;
    this.#lengths = this.#lengths.map((n) => n + 1);
    const y = await evaluating(this.#model, () => (this.#step as Step)(ids, slots, positions));
    return (await y.data()) as Float32Array;
  }

  /** Reads whole texts, shorter ones filled up at the left. */
  async #begin(texts: readonly number[][]): Promise<Float32Array> {
    this.#lengths = texts.map((t) => t.length);
    this.#used = Math.max(...this.#lengths);
    const time = this.#used;
    const uneven = this.#lengths.some((n) => n < time);
    if (uneven || !this.#cache || this.#cache.keyMask) this.#prepare(uneven);
    const cache = this.#cache as KVCache;
    const filled = texts.map((t) => [...range(time - t.length).map(() => 0), ...t]);
    const positions = uneven
      ? integers(this.#lengths.map((n) => range(time).map((i) => Math.max(0, i - (time - n)))))
      : undefined;
    const y = evaluating(this.#model, () =>
      noGrad(() => this.#model.forward(integers(filled), { cache, positions, last: true })),
    );
    return (await y.contiguous().data()) as Float32Array;
  }
  /** A cache, and the step that adds a token to it. */
  #prepare(uneven: boolean): void {
    const [count, capacity] = [this.texts.length, this.#capacity];
    const seen = this.#lengths.map((n) => range(capacity).map((i) => i >= this.#used - n));
    const cache = this.#model.cache(count, capacity, uneven ? (tensor(seen) as Tensor) : undefined);
    this.#cache = cache;
    this.dispose();
    this.#step = compile((ids: Tensor, slots: Tensor, positions: Tensor) => {
      const y = noGrad(() => this.#model.forward(ids, { cache, slots, positions, last: true }));
      return reshape(y, [count, this.#model.vocabSize]) as Tensor;
    });
  }
  dispose(): void {
    this.#step?.[Symbol.dispose]();
    this.#step = undefined;
  }
}

function check(model: CausalModel, prompts: readonly (readonly number[])[], maxTokens: number): void {
  const refuse = (sentence: string, expected: unknown, actual: unknown): never =>
    fail("ERR_NABLA_VALUE", "generate", sentence, { expected, actual });
  if (!(Number.isInteger(maxTokens) && maxTokens >= 0))
    refuse(`maxTokens is ${maxTokens}`, "a whole number", maxTokens);
  if (prompts.length === 0) refuse("there are no prompts", "at least one", 0);
  for (const [i, prompt] of prompts.entries()) {
    const { length } = prompt;
    if (length === 0) refuse(`prompt ${i} has no tokens`, "at least one", 0);
    if (length > model.contextLength)
      refuse(`prompt ${i} has ${length} tokens, the context ${model.contextLength}`, model.contextLength, length);
    const bad = prompt.find((t) => !(Number.isInteger(t) && t >= 0 && t < model.vocabSize));
    if (bad !== undefined) refuse(`prompt ${i} has the token ${bad}`, [0, model.vocabSize - 1], bad);
  }
}

/**
 * Continues several texts at once, each with its own random numbers: gives one list a step, with the next token of each text,
 * or undefined where the text has ended. Options as {@link generate}; the k-th text is drawn with seed + k.
 * @example
 * ```ts
 * import { GPT2, generateBatch } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * for await (const tokens of generateBatch(model, [[1, 2, 3], [4]], { maxTokens: 3 })) console.log(tokens.length); // 2
 * ```
 */
export async function* generateBatch(
  model: CausalModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions = {},
): AsyncGenerator<(number | undefined)[], void, undefined> {
  const { maxTokens = 100, stop = [], signal } = options;
  check(model, prompts, maxTokens);
  const choose = sampler(options);
  const seed = options.seed ?? (randint([1], 0, 2 ** 31 - 1) as Tensor).item();
  const random = prompts.map((_, i) => uniforms(seed + i));
  const endings = stop.map((s) => (typeof s === "number" ? [s] : s)).filter((s) => s.length > 0);
  const ended = prompts.map(() => false);
  const longest = Math.max(...prompts.map((p) => p.length)) + maxTokens;
  const decoder = new Decoder(
    model,
    prompts.map((p) => [...p]),
    Math.min(model.contextLength, longest),
  );
  try {
    for (let n = 0; n < maxTokens && ended.includes(false); n++) {
      if (signal?.aborted) fail("ERR_NABLA_ABORTED", "generate", `aborted after ${n} tokens`, { cause: signal.reason });
      const logits = await decoder.logits();
      // A small model's results can follow each other without the loop ever turning: let the server have its turn (2 us).
      await setImmediate();
      yield decoder.texts.map((text, i) => {
        const row = logits.subarray(i * model.vocabSize, (i + 1) * model.vocabSize);
        const token = ended[i] ? 0 : choose(row, text, random[i] as () => number);
        text.push(token);
        if (ended[i]) return undefined;
        const added = text.length - prompts[i].length;
        ended[i] = endings.some((e) => e.length <= added && e.every((t, k) => t === text.at(k - e.length)));
        return token;
      });
    }
  } finally {
    decoder.dispose();
  }
}

/**
 * Continues a text token by token, as they come. Keys and values of earlier tokens are kept, so that a token costs one compiled
 * step, which runs off the main thread. Where the context is full, its later half is read again and the text goes on.
 *
 * Hugging Face: `generate` with a streamer. Bad options and prompts are an ERR_NABLA_VALUE.
 * @example
 * ```ts
 * import { GPT2, generate } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const tokens = [];
 * for await (const token of generate(model, [1, 2, 3], { maxTokens: 5, temperature: 0.8, topK: 10 })) tokens.push(token);
 * console.log(tokens.length); // 5
 * ```
 */
export async function* generate(
  model: CausalModel,
  prompt: readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<number, void, undefined> {
  for await (const [token] of generateBatch(model, [prompt], options)) if (token !== undefined) yield token;
}
