// Beam search: of each prompt several continuations are kept side by side, those with the greatest probability.

import { compile } from "../compile/compile.ts";
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { noGrad } from "../grad.ts";
import type { KVCache } from "../nn/cache.ts";
import { plus } from "../ops/formula.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { topk } from "../ops/sort.ts";
import { reshape } from "../ops/view.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type CausalModel, checkPrompts, endingOf, type Prompts } from "./causal.ts";

/** Options of {@link beamSearch}. */
export interface BeamOptions {
  /** Continuations that are kept of each prompt; 4 unless given. */
  readonly width?: number | undefined;
  /** The most tokens to add; 100 unless given. Where the context is full, texts end. */
  readonly maxTokens?: number | undefined;
  /** Tokens, or sequences of them, that end a text. They belong to it. */
  readonly stop?: readonly (number | readonly number[])[] | undefined;
  /** Scores are log-probabilities divided by (tokens added)^lengthPenalty: above 0 long texts gain. 1 unless given. */
  readonly lengthPenalty?: number | undefined;
  /** Ends once `width` texts have ended. Otherwise it goes on until no text could still become better than those. */
  readonly earlyStopping?: boolean | undefined;
  /** Ends it with ERR_NABLA_ABORTED before the next token. */
  readonly signal?: AbortSignal | undefined;
}
/** A continuation that {@link beamSearch} found. */
export interface Hypothesis {
  /** The tokens added. */
  readonly tokens: readonly number[];
  /** The logarithm of their probability. */
  readonly logProbability: number;
  /** What it is ranked by. */
  readonly score: number;
}
interface Rules {
  readonly width: number;
  readonly maxTokens: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean;
  readonly ended: (tokens: readonly number[]) => boolean;
}

/** A text that may go on, and the row of the batch that has it. */
interface Beam {
  readonly tokens: readonly number[];
  readonly sum: number;
  readonly row: number;
}
/** The search for one prompt. */
class Search {
  live: readonly Beam[] = [{ tokens: [], sum: 0, row: 0 }];
  /** Best first, at most `width`. */
  readonly found: Hypothesis[] = [];
  readonly #rules: Rules;

  constructor(rules: Rules) {
    this.#rules = rules;
  }
  #score(sum: number, length: number): number {
    return sum / length ** this.#rules.lengthPenalty;
  }
  #finish(tokens: readonly number[], logProbability: number): void {
    const score = this.#score(logProbability, tokens.length);
    const at = this.found.findIndex((h) => h.score < score);
    this.found.splice(at < 0 ? this.found.length : at, 0, { tokens, logProbability, score });
    this.found.length = Math.min(this.found.length, this.#rules.width);
  }
  /** No text that goes on can end better than all that are kept. */
  #settled(length: number): boolean {
    const { width, earlyStopping, maxTokens, lengthPenalty } = this.#rules;
    const best = this.live[0];
    if (!best) return true;
    if (this.found.length < width) return false;
    // A sum only falls; divided by a power of the length it is best at the greatest length, or at the least.
    const attainable = this.#score(best.sum, lengthPenalty > 0 ? maxTokens : length);
    return earlyStopping || (this.found[width - 1] as Hypothesis).score >= attainable;
  }
  /** One token more: `sums` are the greatest of all continuations, `at` where they are, row x vocabSize + token. */
  advance(sums: ArrayLike<number>, at: ArrayLike<number>, vocabSize: number): void {
    const { width, ended } = this.#rules;
    const next: Beam[] = [];
    for (let rank = 0; rank < sums.length && next.length < width; rank++) {
      const sum = sums[rank] as number;
      if (sum === Number.NEGATIVE_INFINITY) break;
      const row = Math.floor((at[rank] as number) / vocabSize);
      const tokens = [...(this.live[row] as Beam).tokens, (at[rank] as number) % vocabSize];
      if (!ended(tokens)) next.push({ tokens, sum, row });
      else if (rank < width) this.#finish(tokens, sum);
    }
    this.live = next;
    if (this.#settled((next[0]?.tokens.length ?? 0) + 1)) this.live = [];
  }
  end(): readonly Hypothesis[] {
    for (const { tokens, sum } of this.live) this.#finish(tokens, sum);
    return this.found;
  }
}

const integers = (values: readonly number[], shape: readonly number[]): Tensor =>
  reshape(tensor(Int32Array.from(values)) as Tensor, shape) as Tensor;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

interface Candidates {
  readonly values: Tensor;
  readonly indices: Tensor;
}
/** The k greatest sums of each of `count` prompts, given those before the tokens that logits [rows, 1, vocabSize] are of. */
function greatest(logits: Tensor, sums: Tensor, count: number, k: number): Candidates {
  const vocabSize = logits.shape[2] as number;
  const all = reshape(plus(logSoftmax(reshape(logits, [-1, vocabSize])), sums), [count, -1]);
  return topk(all, Math.min(k, all.shape[1] as number)) as unknown as Candidates;
}

/** The model with the prompts: first all tokens of them, then one token of every beam at a time. */
class Reader {
  readonly #model: CausalModel;
  readonly #prompts: Prompts;
  readonly #longest: number;
  readonly #capacity: number;
  readonly #kept: number;

  constructor(model: CausalModel, prompts: Prompts, capacity: number, kept: number) {
    this.#model = model;
    this.#prompts = prompts;
    this.#longest = Math.max(...prompts.map((p) => p.length));
    this.#capacity = capacity;
    this.#kept = kept;
  }
  /** Booleans [rows, capacity], each prompt `times` over, false left of shorter ones. */
  #mask(times: number): Tensor | undefined {
    const gaps = this.#prompts.map((p) => this.#longest - p.length);
    if (gaps.every((gap) => gap === 0)) return undefined;
    const rows = gaps.flatMap((gap) => range(times).map(() => range(this.#capacity).map((i) => i >= gap)));
    return tensor(rows) as Tensor;
  }
  /** Reads the prompts: the candidates, and a cache of them. */
  begin(): Candidates & { readonly cache: KVCache } {
    const [count, time] = [this.#prompts.length, this.#longest];
    const filled = this.#prompts.flatMap((p) => [...range(time - p.length).map(() => 0), ...p]);
    const at = this.#prompts.flatMap((p) => range(time).map((i) => Math.max(0, i - (time - p.length))));
    const cache = this.#model.cache(count, this.#capacity, this.#mask(1));
    return noGrad(() => {
      const place = { cache, positions: integers(at, [count, time]), last: true };
      const logits = this.#model.forward(integers(filled, [count, time]), place);
      return { cache, ...greatest(logits, tensor([[0]]) as Tensor, count, this.#kept) };
    });
  }
  /** A compiled step for `width` beams a prompt: puts the caches of `rows` in order, then adds a token to each. */
  step(from: KVCache, width: number) {
    const count = this.#prompts.length;
    const cache = this.#model.cache(count * width, this.#capacity, this.#mask(width));
    const every = range(count).flatMap((i) => range(width).map(() => i));
    cache.copy(from, integers(every, [every.length]));
    return compile((rows: Tensor, ids: Tensor, sums: Tensor, slots: Tensor, positions: Tensor) =>
      noGrad(() => {
        cache.copy(cache, rows);
        const logits = this.#model.forward(ids, { cache, slots, positions, last: true });
        return greatest(logits, sums, count, this.#kept);
      }),
    );
  }
  /** What the step takes for the n-th token added, from 1. */
  inputs(searches: readonly Search[], width: number, n: number) {
    const rows = searches.flatMap(({ live }, i) => range(width).map((b) => i * width + (live[b]?.row ?? 0)));
    const last = searches.flatMap(({ live }) => range(width).map((b) => live[b]?.tokens.at(-1) ?? 0));
    const sums = searches.flatMap(({ live }) => range(width).map((b) => live[b]?.sum ?? Number.NEGATIVE_INFINITY));
    const at = this.#prompts.flatMap((p) => range(width).map(() => p.length + n - 1));
    const count = rows.length;
    return [
      integers(rows, [count]),
      integers(last, [count, 1]),
      reshape(tensor(Float32Array.from(sums)) as Tensor, [count, 1]) as Tensor,
      integers([this.#longest + n - 1], [1]),
      integers(at, [count, 1]),
    ] as const;
  }
}

async function advance(searches: readonly Search[], found: Candidates, vocabSize: number): Promise<void> {
  const [sums, at] = [await found.values.data(), await found.indices.data()] as [Float32Array, Int32Array];
  const k = found.values.shape[1] as number;
  for (const [i, search] of searches.entries()) {
    const [from, to] = [i * k, (i + 1) * k];
    if (search.live.length > 0) search.advance(sums.subarray(from, to), at.subarray(from, to), vocabSize);
  }
}

function rulesOf(model: CausalModel, prompts: Prompts, options: BeamOptions): Rules {
  const {
    width = 4,
    maxTokens = 100,
    lengthPenalty = 1,
    earlyStopping = false,
  } = only("beamSearch", options, ["width", "maxTokens", "stop", "lengthPenalty", "earlyStopping", "signal"]);
  for (const [name, x] of Object.entries({ width, maxTokens }))
    if (!(Number.isInteger(x) && x > 0))
      fail("ERR_NABLA_VALUE", "beamSearch", `${name} is ${x}`, { expected: "a whole number from 1", actual: x });
  if (!Number.isFinite(lengthPenalty))
    fail("ERR_NABLA_VALUE", "beamSearch", `lengthPenalty is ${lengthPenalty}`, { actual: lengthPenalty });
  checkPrompts("beamSearch", model, prompts);
  // The last token added is never read.
  const room = model.contextLength - Math.max(...prompts.map((p) => p.length)) + 1;
  const ended = endingOf(options.stop);
  return { width, maxTokens: Math.min(maxTokens, room), lengthPenalty, earlyStopping, ended };
}

/**
 * The likeliest continuations of several prompts, of each up to `width`, best first. At every token the `width` texts that are
 * likeliest so far are kept; each is one row of a compiled step, and the cache of keys and values follows them. With a width of
 * 1 it is greedy; with one as large as there are texts it is exact. Works for {@link Seq2Seq} through {@link Seq2Seq.given}.
 *
 * Hugging Face: `generate` with `num_beams`, `length_penalty`, `early_stopping` true or "never". Bad options and prompts are an
 * ERR_NABLA_VALUE.
 * @example
 * ```ts
 * import { beamSearch, GPT2 } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const [found] = await beamSearch(model, [[1, 2, 3]], { width: 3, maxTokens: 4, lengthPenalty: 0 });
 * console.log(found.length, found[0].tokens.length, found[0].score >= found[1].score); // 3 4 true
 * ```
 */
export async function beamSearch(
  model: CausalModel,
  prompts: Prompts,
  options: BeamOptions = {},
): Promise<Hypothesis[][]> {
  const rules = rulesOf(model, prompts, options);
  const { width, maxTokens } = rules;
  const { vocabSize } = model;
  const abort = (n: number) => {
    if (options.signal?.aborted)
      fail("ERR_NABLA_ABORTED", "beamSearch", `aborted after ${n} tokens`, { cause: options.signal.reason });
  };
  abort(0);
  const searches = prompts.map(() => new Search(rules));
  // Of each beam every ending may be among the best, so that `width` that go on are left.
  const kept = width * (1 + Math.max(1, options.stop?.length ?? 0));
  const longest = Math.max(...prompts.map((p) => p.length));
  const reader = new Reader(model, prompts, longest + maxTokens - 1, kept);
  const { training } = model;
  if (training) model.eval();
  try {
    const first = reader.begin();
    await advance(searches, first, vocabSize);
    using step = reader.step(first.cache, width);
    for (let n = 1; n < maxTokens && searches.some((s) => s.live.length > 0); n++) {
      abort(n);
      await advance(searches, await step(...reader.inputs(searches, width, n)), vocabSize);
    }
  } finally {
    if (training) model.train();
  }
  return searches.map((s) => [...s.end()]);
}
