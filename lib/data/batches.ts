import { only, value } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { withGrad } from "../engine/tape.ts";
import { pickRows } from "../ops/select.ts";
import { slice } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, ReplaceAt, SameBatch, Shape } from "../types/shape.ts";
import { type BatchOptions, batchNames, Epochs } from "./epochs.ts";

/** Inputs and targets of one step. */
export type Batch<X extends Tensor = Tensor, Y extends Tensor = Tensor> = [x: X, y: Y];

/** Options of {@link batches}. */
export interface BatchesOptions<X extends Tensor = Tensor> extends BatchOptions {
  /** Changes the inputs of each batch, at random perhaps: see {@link transforms}. */
  transform?: (x: X) => X;
}

/** Batches of tensors in memory. Each `for ... of` is an epoch. */
export class Batches<X extends Tensor = Tensor, Y extends Tensor = Tensor>
  extends Epochs
  implements Iterable<Batch<X, Y>>
{
  readonly #x: Value;
  readonly #y: Value;
  readonly #transform: ((x: X) => X) | undefined;

  constructor(x: X, y: Y, options: BatchesOptions<X>) {
    only("batches", options, batchNames);
    value("batches", "x", x);
    value("batches", "y", y);
    const count = x.shape[0] ?? 0;
    if (x.ndim === 0 || y.ndim === 0 || count !== y.shape[0])
      fail("ERR_NABLA_SHAPE", "batches", "inputs and targets differ in the first size, the number of samples", {
        values: { x, y },
        expected: x.shape[0],
        actual: y.shape[0],
      });
    super("batches", count, options);
    this.#x = x;
    this.#y = y;
    this.#transform = options.transform;
  }

  *[Symbol.iterator](): Generator<Batch<X, Y>, void, undefined> {
    const { epoch, position, order } = this.begin();
    for (let i = position; i < this.length; i++) {
      this.took(epoch, i);
      const [x, y] = withGrad(false, () => [this.#x, this.#y].map((all) => part(all, order, i, this.size)));
      yield [this.transformed(this.#transform, x as X, epoch, i), y as Y];
    }
  }
}

function part(all: Value, order: Value | null, i: number, size: number): Value {
  const [from, to] = [i * size, (i + 1) * size];
  return order ? pickRows(all, 0, slice(order, 0, from, to)) : slice(all, 0, from, to);
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
  options: BatchesOptions<Tensor<ReplaceAt<A, 0, number>, D>> = {},
): Batches<Tensor<ReplaceAt<A, 0, number>, D>, Tensor<ReplaceAt<B, 0, number>, E>> {
  return new Batches(x, y as unknown as Tensor, options as never) as never;
}
