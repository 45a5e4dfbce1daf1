import { fail } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import { emptyValue, type Value, wrapArray } from "../core/value.ts";
import { elementsOf, launch } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { randint } from "../ops/random.ts";
import { pickRows } from "../ops/select.ts";
import { slice } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, ReplaceAt, SameBatch, Shape } from "../types/shape.ts";

/** Inputs and targets of one step. */
export type Batch<X extends Tensor = Tensor, Y extends Tensor = Tensor> = [x: X, y: Y];

/** Options of {@link batches}. */
export interface BatchOptions {
  /** Samples in a batch; 32 unless given. */
  size?: number;
  /** A new order in each epoch. */
  shuffle?: boolean;
  /** What the orders follow from; drawn from the global generator unless given. */
  seed?: number;
  /** Leave out a last batch that is not full. */
  dropLast?: boolean;
}
/** Where a run stands: batches already taken in this epoch. */
export interface Position {
  readonly epoch: number;
  readonly position: number;
}

function checkCount(name: string, x: number, low: number): number {
  if (Number.isSafeInteger(x) && x >= low) return x;
  return fail("ERR_NABLA_VALUE", "batches", `${name} must be a whole number from ${low}, got ${x}`, {
    expected: `from ${low}`,
    actual: x,
  });
}

/**
 * Batches of tensors in memory. Each `for ... of` is an epoch. The order of an epoch follows from the seed and its number alone,
 * so a run can go on where another stopped: with the same seed, `resume({ epoch, position })`.
 */
export class Batches<X extends Tensor = Tensor, Y extends Tensor = Tensor> implements Iterable<Batch<X, Y>> {
  /** Batches of an epoch. */
  readonly length: number;
  /** Samples of an epoch. */
  readonly samples: number;
  readonly size: number;
  readonly seed: number;
  readonly #x: Value;
  readonly #y: Value;
  readonly #shuffle: boolean;
  #at: Position = { epoch: 0, position: 0 };
  #next: Position = { epoch: 0, position: 0 };

  constructor(x: X, y: Y, { size = 32, shuffle = false, seed, dropLast = false }: BatchOptions) {
    const count = x.shape[0] ?? 0;
    if (x.ndim === 0 || y.ndim === 0 || count !== y.shape[0])
      fail("ERR_NABLA_SHAPE", "batches", "inputs and targets differ in the first size, the number of samples", {
        values: { x, y },
        expected: x.shape[0],
        actual: y.shape[0],
      });
    this.size = checkCount("size", size, 1);
    this.length = dropLast ? Math.floor(count / size) : Math.ceil(count / size);
    if (this.length === 0)
      fail("ERR_NABLA_VALUE", "batches", `${count} samples make no batch of ${size}`, { values: { x, y } });
    this.samples = Math.min(count, this.length * size);
    this.seed = seed === undefined ? drawSeed(shuffle) : checkCount("seed", seed, 0);
    this.#x = x;
    this.#y = y;
    this.#shuffle = shuffle;
  }

  /** The epoch of the batch that was taken last, from 0. */
  get epoch(): number {
    return this.#at.epoch;
  }
  /** How many batches of that epoch were taken. */
  get position(): number {
    return this.#at.position;
  }
  /** The next `for ... of` goes on from here. */
  resume({ epoch, position }: Position): this {
    checkCount("epoch", epoch, 0);
    if (checkCount("position", position, 0) > this.length)
      fail("ERR_NABLA_VALUE", "batches", `position ${position} lies behind the ${this.length} batches of an epoch`, {
        expected: this.length,
        actual: position,
      });
    this.#next = this.#at = { epoch, position };
    return this;
  }

  *[Symbol.iterator](): Generator<Batch<X, Y>, void, undefined> {
    const { epoch, position } = this.#next;
    this.#next = { epoch: epoch + 1, position: 0 };
    const order = this.#shuffle ? permutation(this.#x.shape[0], this.seed, epoch) : null;
    for (let i = position; i < this.length; i++) {
      this.#at = { epoch, position: i + 1 };
      yield withGrad(false, () => [this.#x, this.#y].map((all) => part(all, order, i, this.size))) as Batch<X, Y>;
    }
  }
}

function part(all: Value, order: Value | null, i: number, size: number): Value {
  const [from, to] = [i * size, (i + 1) * size];
  return order ? pickRows(all, 0, slice(order, 0, from, to)) : slice(all, 0, from, to);
}
const drawSeed = (shuffle: boolean): number => (shuffle ? elementsOf("batches", randint([1], 0, 2 ** 31 - 1))[0] : 0);

/** 0 .. n - 1 in an order of its own for each seed and epoch: the generator's counter begins at epoch 2^32. */
export function permutation(n: number, seed: number, epoch: number): Value {
  const state = wrapArray(Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32), 0, epoch), [4], "i32");
  const y = emptyValue([n], "i32");
  if (numel(y.shape) > 0) launch(K.permutation, "f32", [n, 4], [y, state]);
  return y;
}

/**
 * Cuts inputs and targets that lie in memory into batches: pairs [x, y] of `size` samples, in a new order each epoch with
 * `shuffle`.
 *
 * PyTorch: `DataLoader(TensorDataset(x, y), batch_size, shuffle, drop_last)`.
 * @example
 * ```ts
 * import { batches, tensor } from "nabla";
 * const data = batches(tensor([[1], [2], [3]]), tensor([10, 20, 30]), { size: 2 });
 * console.log(data.length); // 2
 * for (const [x, y] of data) console.log(x.shape, y.toArray()); // [ 2, 1 ] [ 10, 20 ]
 * ```
 */
export function batches<A extends Shape, D extends DType, B extends Shape, E extends DType>(
  x: Tensor<A, D>,
  y: Tensor<B, E> & SameBatch<"batches", A, B>,
  options: BatchOptions = {},
): Batches<Tensor<ReplaceAt<A, 0, number>, D>, Tensor<ReplaceAt<B, 0, number>, E>> {
  return new Batches(x, y as unknown as Tensor, options) as never;
}
