import { guards, only, operand, value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import * as all from "../ops/index.ts";
import type {
  Broadcast,
  CanBroadcast,
  CanCat,
  CanStack,
  Cat,
  DType,
  Promote,
  Shape,
  Shapes,
  Stack,
} from "../types/shape.ts";
import type { Tensor } from "./tensor.ts";

const ops = guards({
  cat: all.cat,
  stack: all.stack,
  where: all.where,
  einsum: all.einsum,
  tensordot: all.tensordot,
  meshgrid: all.meshgrid,
  diag: all.diag,
});

/**
 * Tensors one after the other along a dim; the other sizes must be equal. `torch.cat`. Throws ERR_NABLA_SHAPE where they
 * are not, ERR_NABLA_TYPE for an empty list.
 * ```ts
 * import { cat, tensor } from "nabla";
 * console.log(cat([tensor([[1, 2]]), tensor([[3, 4], [5, 6]])])); // tensor([[1., 2.], [3., 4.], [5., 6.]])
 * ```
 */
export function cat<T extends Tensor[], const I extends number = 0>(
  tensors: [...T] & CanCat<Shapes<T>, I>,
  dim?: I,
): Tensor<Cat<Shapes<T>, I>, T[number]["dtype"]>;
export function cat(tensors: readonly Value[], dim?: number): unknown {
  return ops.cat(tensors, dim);
}

/**
 * Tensors of one shape along a new dim. `torch.stack`. Throws ERR_NABLA_SHAPE where shapes differ, ERR_NABLA_TYPE for an
 * empty list.
 * ```ts
 * import { stack, tensor } from "nabla";
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], 1)); // tensor([[1., 3.], [2., 4.]])
 * ```
 */
export function stack<T extends Tensor[], const I extends number = 0>(
  tensors: [...T] & CanStack<Shapes<T>>,
  dim?: I,
): Tensor<Stack<Shapes<T>, I>, T[number]["dtype"]>;
export function stack(tensors: readonly Value[], dim?: number): unknown {
  return ops.stack(tensors, dim);
}

/**
 * y = condition ? a : b, by element; all three broadcast. `torch.where`. Throws ERR_NABLA_SHAPE where they do not.
 * ```ts
 * import { tensor, where } from "nabla";
 * const x = tensor([-1, 2]);
 * console.log(where(x.gt(0), x, 0)); // tensor([0., 2.])
 * ```
 */
export function where<C extends Shape>(condition: Tensor<C>, a: number, b: number): Tensor<C>;
export function where<C extends Shape, A extends Shape, E extends DType>(
  condition: Tensor<C>,
  a: Tensor<A, E> & CanBroadcast<"where", C, A>,
  b: number,
): Tensor<Broadcast<C, A>, E>;
export function where<C extends Shape, B extends Shape, E extends DType>(
  condition: Tensor<C>,
  a: number,
  b: Tensor<B, E> & CanBroadcast<"where", C, B>,
): Tensor<Broadcast<C, B>, E>;
export function where<C extends Shape, A extends Shape, E extends DType, B extends Shape, F extends DType>(
  condition: Tensor<C>,
  a: Tensor<A, E> & CanBroadcast<"where", C, A>,
  b: Tensor<B, F> & CanBroadcast<"where", Broadcast<C, A>, B>,
): Tensor<Broadcast<Broadcast<C, A>, B>, Promote<E, F>>;
export function where(condition: Value, a: Operand, b: Operand): unknown {
  return ops.where({
    condition: value("where", "condition", condition),
    a: operand("where", a, "a"),
    b: operand("where", b, "b"),
  });
}

/**
 * Sums of products over named dims: each letter is a dim, those missing after the arrow are summed over, `...` stands for
 * any number of batch dims. Without an arrow, the letters that stand once, in order. `torch.einsum`. Throws
 * ERR_NABLA_VALUE for an equation that does not fit the tensors, ERR_NABLA_SHAPE for sizes that differ.
 * ```ts
 * import { einsum, ones } from "nabla";
 * console.log(einsum("bik,bjk->bij", ones(2, 3, 4), ones(2, 5, 4)).shape); // [ 2, 3, 5 ]
 * ```
 */
export function einsum(equation: string, ...tensors: Tensor[]): Tensor {
  return ops.einsum(equation, ...tensors.map((x, i) => value("einsum", `tensor ${i}`, x))) as Tensor;
}

/**
 * The product of a and b summed over dims: the last n of a with the first n of b, or the dims listed for each.
 * `torch.tensordot`. Throws ERR_NABLA_SHAPE where their sizes differ.
 * ```ts
 * import { ones, tensordot } from "nabla";
 * console.log(tensordot(ones(2, 3, 4), ones(3, 4, 5), 2).shape); // [ 2, 5 ]
 * ```
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  return ops.tensordot(value("tensordot", "a", a), value("tensordot", "b", b), dims) as Tensor;
}

/**
 * Vectors spread over their grid: result i has vector i along dim i; with "xy" the first two dims change places.
 * `torch.meshgrid`. Throws ERR_NABLA_SHAPE for anything but vectors.
 * ```ts
 * import { meshgrid, tensor } from "nabla";
 * const [x] = meshgrid([tensor([1, 2]), tensor([3, 4, 5])]);
 * console.log(x); // tensor([[1., 1., 1.], [2., 2., 2.]])
 * ```
 */
export function meshgrid(tensors: readonly Tensor[], options: { indexing?: "ij" | "xy" } = {}): Tensor[] {
  const { indexing = "ij" } = only("meshgrid", options, ["indexing"]);
  return ops.meshgrid(tensors, indexing) as Tensor[];
}

/**
 * A vector as the diagonal of a square matrix, or the diagonal of a matrix, `offset` above the main one. `torch.diag`.
 * Throws ERR_NABLA_SHAPE for other ranks.
 * ```ts
 * import { diag, tensor } from "nabla";
 * console.log(diag(tensor([1, 2]))); // tensor([[1., 0.], [0., 2.]])
 * ```
 */
export function diag<E extends DType>(x: Tensor<Shape, E>, offset = 0): Tensor<Shape, E> {
  return ops.diag(value("diag", "x", x), offset) as Tensor<Shape, E>;
}
