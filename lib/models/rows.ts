import { type Compiled, type CompileOptions, compile } from "../compile/compile.ts";
import { noGrad } from "../grad.ts";
import type { KVCache } from "../nn/cache.ts";
import { reshape } from "../ops/view.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { CausalModel } from "./causal.ts";

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
const integers = (x: Int32Array, columns: number): Tensor =>
  reshape(tensor(x) as Tensor, [x.length / columns, columns]) as Tensor;

/** Tokens read at once. Few sizes, so that few plans serve prompts of every length; more at once would keep other texts waiting. */
const pieces = [16, 64];

/** What one row of a step gets: the token that goes into a slot. */
export interface Added {
  readonly token: number;
  readonly slot: number;
}

/**
 * A model and the keys and values of several texts, one a row. Two compiled steps do all work: one reads a piece of a prompt
 * into a row, the other adds a token to each of the rows 0 .. n - 1. Both are recorded without computing anything, and run off
 * the main thread. A token's position is its slot, and it looks at the slots up to its own: what fills up a piece behind the
 * prompt's end is overwritten before any token looks at it. So a row's bits are those of the text alone in one whole pass.
 */
export class Rows {
  readonly count: number;
  readonly capacity: number;
  readonly #model: CausalModel;
  readonly #known = new Set<string>();
  readonly #read: Compiled<[ids: Tensor, slots: Tensor, rows: Tensor], undefined>;
  readonly #add: Compiled<[ids: Tensor, slots: Tensor], Tensor>;

  constructor(model: CausalModel, count: number, capacity: number, options: CompileOptions = {}) {
    this.count = count;
    this.capacity = capacity;
    this.#model = model;
    const cache: KVCache = model.cache(count, capacity);
    const forward = (ids: Tensor, slots: Tensor, row?: Tensor) =>
      evaluating(model, () => noGrad(() => model.forward(ids, { cache, slots, rows: row, last: true })));
    // Returns nothing: of the last layer only the keys and values are computed, and no logits.
    this.#read = compile((ids: Tensor, slots: Tensor, row: Tensor) => {
      forward(ids, slots, row);
    }, options) as Compiled<[Tensor, Tensor, Tensor], undefined>;
    this.#add = compile(
      (ids: Tensor, slots: Tensor) => reshape(forward(ids, slots), [-1, model.vocabSize]) as Tensor,
      options,
    );
  }

  /** The first step of a size is recorded in slices: a server has others to answer meanwhile. */
  async #run<A extends readonly Tensor[], R>(step: Compiled<A, R>, args: A): Promise<R> {
    const size = `${args.length} ${args[0]?.shape.join()}`;
    if (!this.#known.has(size)) await evaluating(this.#model, () => step.prepare(...args));
    this.#known.add(size);
    return evaluating(this.#model, () => step(...args));
  }

  /** Reads tokens from place `from` of a text into a row, as many as fit a piece; gives the place behind the last one read. */
  async read(row: number, text: readonly number[], from: number, end: number): Promise<number> {
    const size = Math.min(this.capacity, pieces.find((n) => n >= end - from) ?? (pieces.at(-1) as number));
    // Near the end of the memory a piece begins earlier, and what it reads again comes out the same.
    const begin = Math.min(from, this.capacity - size);
    const ids = Int32Array.from({ length: size }, (_, i) => (begin + i < end ? (text[begin + i] as number) : 0));
    const slots = Int32Array.from({ length: size }, (_, i) => begin + i);
    const at = tensor(Int32Array.of(row)) as Tensor;
    await this.#run(this.#read, [integers(ids, size), integers(slots, size), at]);
    return Math.min(end, begin + size);
  }

  /** Adds a token to the rows 0 .. n - 1; logits [n, vocabSize] of what follows each. */
  async add(tokens: readonly Added[]): Promise<Float32Array> {
    const ids = Int32Array.from(tokens, (t) => t.token);
    const slots = Int32Array.from(tokens, (t) => t.slot);
    const y = await this.#run(this.#add, [integers(ids, 1), integers(slots, 1)]);
    return (await y.data()) as Float32Array;
  }

  [Symbol.dispose](): void {
    this.#read[Symbol.dispose]();
    this.#add[Symbol.dispose]();
  }
}
