import { checkIterable, checkKind, only } from "../core/boundary.ts";
import { checkCount, fail, showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { emptyValue, Value, viewValue, wrapArray } from "../core/value.ts";
import { elementsOf } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { assign } from "../ops/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, Shape } from "../types/shape.ts";
import { type BatchOptions, batchNames, Epochs } from "./epochs.ts";

/** One example, inputs before targets: tensors, and whole numbers for classes. */
export type Sample = readonly (Tensor | number)[];

/** Samples that are read when they are asked for: pictures of a folder, windows of a file, rows of a data base. */
export interface Dataset<T = Sample> {
  /** How many. */
  readonly length: number;
  /** Sample i, from 0. */
  get(i: number): T | Promise<T>;
}

/** What becomes of samples put together: a new first size, and i32 for numbers. */
export type Collated<T> = {
  -readonly [K in keyof T]: T[K] extends number
    ? Tensor<[number], "i32">
    : T[K] extends Tensor<infer S extends Shape, infer D extends DType>
      ? Tensor<[number, ...S], D>
      : never;
};

function checkSamples(samples: readonly Sample[]): Sample {
  checkIterable("collate", "the argument", samples);
  const [first] = samples;
  for (const sample of [first, ...samples])
    if (!Array.isArray(sample) || sample.length !== first?.length || sample.length === 0)
      fail("ERR_NABLA_TYPE", "collate", "a sample is a list of tensors and numbers, in all samples as long", {
        actual: sample,
        hint: "return [x, y] from get(i), or give a collate function",
      });
  return first as Sample;
}
function stacked(parts: readonly unknown[]): Value {
  const [first] = parts;
  const whole = (x: unknown): x is number => Number.isInteger(x) && x === ((x as number) | 0);
  if (typeof first === "number") {
    const odd = parts.find((x) => !whole(x));
    if (odd !== undefined)
      fail("ERR_NABLA_TYPE", "collate", `numbers are classes, 32-bit integers, and ${String(odd)} is none`, {
        actual: odd,
        hint: "a number to be predicted goes as a tensor: tensor([1.5])",
      });
    return wrapArray(Int32Array.from(parts as number[]), [parts.length], "i32");
  }
  const odd = parts.find((x) => !(x instanceof Value && first instanceof Value && x.dtype === first.dtype));
  if (odd !== undefined || !(first instanceof Value))
    return fail("ERR_NABLA_TYPE", "collate", "needs tensors of one element type", { actual: odd ?? first });
  const y = emptyValue([parts.length, ...first.shape], first.dtype);
  const { size } = first;
  (parts as Value[]).forEach((x, i) => {
    if (!sameShape(x.shape, first.shape))
      fail("ERR_NABLA_SHAPE", "collate", `samples of shapes ${showShape(first.shape)} and ${showShape(x.shape)}`, {
        hint: "bring all to one shape in get(i), or give a collate function",
      });
    if (x.isContiguous) y.storage.array.set(elementsOf("collate", x), y.offset + i * size);
    else withGrad(false, () => assign(viewValue(y, first.shape, y.strides.slice(1), y.offset + i * size), x));
  });
  return y;
}
/**
 * A batch of samples: tensors of one shape are stacked along a new first dimension, whole numbers become i32. Throws
 * ERR_NABLA_SHAPE for tensors of different shapes, ERR_NABLA_TYPE for what is neither.
 *
 * PyTorch: `default_collate`.
 * @example
 * ```ts
 * import { collate, tensor } from "nabla";
 * const [x, y] = collate([[tensor([1, 2]), 0], [tensor([3, 4]), 1]]);
 * console.log(x.toArray(), y.toArray()); // [ [ 1, 2 ], [ 3, 4 ] ] [ 0, 1 ]
 * ```
 */
export function collate<const T extends Sample>(samples: readonly T[]): Collated<T> {
  const first = checkSamples(samples);
  return first.map((_, k) => stacked(samples.map((sample) => sample[k]))) as unknown as Collated<T>;
}

/** Options of {@link DataLoader}. */
export interface LoaderOptions<T = Sample, B = Collated<T>> extends BatchOptions {
  /** Puts samples together; {@link collate} unless given. */
  collate?: (samples: T[]) => B;
  /** Changes a batch, at random perhaps: see {@link transforms}. */
  transform?: (batch: B) => B;
  /** Batches that are made ready ahead of the one in use; 2 unless given. */
  prefetch?: number;
  /** Samples that are read at the same time; 4 unless given, as many as Node has threads for files. */
  concurrency?: number;
}

/** f of each, `most` at a time, in order. After the first failure no more are begun. */
async function pooled<A, B>(items: readonly A[], most: number, f: (item: A) => B | Promise<B>): Promise<B[]> {
  const out = new Array<B>(items.length);
  let [next, failed] = [0, false];
  const lane = async () => {
    while (next < items.length && !failed) {
      const i = next++;
      try {
        out[i] = await f(items[i] as A);
      } catch (e) {
        failed = true;
        throw e;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, lane));
  for (const end of lanes) if (end.status === "rejected") throw end.reason;
  return out;
}

/**
 * Batches of a {@link Dataset}, read ahead: while a step trains, the samples of the next batches are read and decoded by Node's
 * threads. Each `for await ... of` is an epoch; leaving it ends the reading. Order and random numbers follow from seed,
 * epoch and position alone: with `load(state)` a run that was stopped goes on with the same bits, whatever `prefetch` is. An error
 * of get(i) is thrown where its batch would come.
 *
 * PyTorch: `torch.utils.data.DataLoader`.
 * @example
 * ```ts
 * import { DataLoader, tensor } from "nabla";
 * const squares = { length: 10, get: async (i: number) => [tensor([i, i * i]), i % 2] as const };
 * const data = new DataLoader(squares, { size: 4, shuffle: true, seed: 1 });
 * const sizes: number[] = [];
 * for await (const [x, y] of data) sizes.push(x.shape[0], y.size);
 * console.log(sizes); // [ 4, 4, 4, 4, 2, 2 ]
 * const later = new DataLoader(squares, { size: 4, shuffle: true }).load(data.state());
 * console.log(later.epoch, later.position); // 0 3
 * ```
 */
export class DataLoader<T = Sample, B = Collated<T>> extends Epochs implements AsyncIterable<B> {
  readonly dataset: Dataset<T>;
  readonly #collate: (samples: T[]) => B;
  readonly #transform: ((batch: B) => B) | undefined;
  readonly #prefetch: number;
  readonly #concurrency: number;

  constructor(dataset: Dataset<T>, options: LoaderOptions<T, B> = {}) {
    only("DataLoader", options, [...batchNames, "collate", "prefetch", "concurrency"]);
    checkKind("DataLoader", "the data", dataset, "object");
    checkKind("DataLoader", "get of the data", dataset.get, "function");
    super("DataLoader", checkCount("DataLoader", "the length of the data", dataset.length, 0), options);
    const { collate: join = collate as unknown as (samples: T[]) => B, transform, prefetch = 2 } = options;
    checkKind("DataLoader", "collate", join, "function");
    this.dataset = dataset;
    this.#collate = join;
    this.#transform = transform;
    this.#prefetch = checkCount("DataLoader", "prefetch", prefetch, 0);
    this.#concurrency = checkCount("DataLoader", "concurrency", options.concurrency ?? 4, 1);
  }

  async #make(order: ArrayLike<number> | null, epoch: number, i: number): Promise<B> {
    const from = i * this.size;
    const places = Array.from({ length: Math.min(this.size, this.samples - from) }, (_, k) => from + k);
    const samples = await pooled(places, this.#concurrency, (p) => this.dataset.get(order ? (order[p] as number) : p));
    return this.transformed(this.#transform, this.#collate(samples), epoch, i);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const { epoch, position, order: shuffled } = this.begin();
    const order = shuffled && elementsOf("DataLoader", shuffled);
    const ahead: Promise<B>[] = [];
    let last: Promise<unknown> = Promise.resolve();
    let stopped = false;
    let next = position;
    // One after the other, so that batches come out in order and no more samples are read at once than was asked for.
    const prepare = (upTo: number) => {
      for (; next < Math.min(upTo, this.length); next++) {
        const i = next;
        const made = last.then(() => (stopped ? (undefined as never) : this.#make(order, epoch, i)));
        made.catch(() => {});
        last = made;
        ahead.push(made);
      }
    };
    try {
      for (let i = position; i < this.length; i++) {
        prepare(i + 1);
        const batch = await (ahead.shift() as Promise<B>);
        prepare(i + 1 + this.#prefetch);
        this.took(epoch, i);
        yield batch;
      }
    } finally {
      stopped = true;
      await last.catch(() => {});
    }
  }
}
