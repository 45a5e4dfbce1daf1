import { value } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkDim, type Dims } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import {
  chunk,
  diagonal,
  expand,
  movedim,
  type PadMode,
  pad,
  repeat,
  repeatInterleave,
  reshape,
  roll,
  slice,
  split,
  tile,
  transpose,
  unbind,
  unflatten,
} from "../ops/index.ts";
import type { DType, HasDim, Reduce, Repeat, ReplaceAt, Reshape, Shape, SizeAt, SwapLast } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** As many dims as S, of unknown size. */
type Sizes<S extends Shape> = { [K in keyof S]: number };

/** Tensors taken apart, moved around and repeated. A dim that does not exist throws ERR_NABLA_INDEX. */
export interface Layout {
  /**
   * A view of each element of a dim, which goes away; a tuple where the size is known. `torch.unbind`.
   * ```ts
   * import { tensor } from "nabla";
   * const [q, k] = tensor([[1, 2], [3, 4]]).unbind();
   * console.log(q, k); // tensor([1., 2.]) tensor([3., 4.])
   * ```
   */
  unbind<A extends Shape, E extends DType, const I extends number = 0>(
    this: Tensor<A, E> & HasDim<"unbind", A, I>,
    dim?: I,
  ): Repeat<Tensor<Reduce<A, I>, E>, SizeAt<A, I>>;
  /**
   * Views of consecutive parts of a dim: of one size (the last may be smaller), or of the sizes listed.
   * `torch.split`. Throws ERR_NABLA_SHAPE where the sizes do not add up.
   * ```ts
   * import { arange } from "nabla";
   * console.log(arange(5).split(2)); // [ tensor([0, 1], { dtype: "i32" }), tensor([2, 3], { dtype: "i32" }), tensor([4], { dtype: "i32" }) ]
   * ```
   */
  split<A extends Shape, E extends DType, const I extends number = 0>(
    this: Tensor<A, E> & HasDim<"split", A, I>,
    size: number | readonly number[],
    dim?: I,
  ): Tensor<ReplaceAt<A, I, number>, E>[];
  /**
   * At most so many views of equal parts of a dim; the last may be smaller. `torch.chunk`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(4, 6).chunk(3, 1).map((x) => x.shape)); // [ [ 4, 2 ], [ 4, 2 ], [ 4, 2 ] ]
   * ```
   */
  chunk<A extends Shape, E extends DType, const I extends number = 0>(
    this: Tensor<A, E> & HasDim<"chunk", A, I>,
    chunks: number,
    dim?: I,
  ): Tensor<ReplaceAt<A, I, number>, E>[];
  /**
   * `length` elements of a dim from start, as a view. `torch.narrow`. Throws ERR_NABLA_INDEX outside the dim.
   * ```ts
   * import { arange } from "nabla";
   * console.log(arange(5).narrow(0, 1, 3)); // tensor([1, 2, 3], { dtype: "i32" })
   * ```
   */
  narrow<A extends Shape, E extends DType, const I extends number, const N extends number>(
    this: Tensor<A, E> & HasDim<"narrow", A, I>,
    dim: I,
    start: number,
    length: N,
  ): Tensor<ReplaceAt<A, I, N>, E>;
  /**
   * The same memory in another shape; never a copy. `torch.Tensor.view`. Throws ERR_NABLA_SHAPE where the memory is
   * not in order: reshape copies it.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 3).view(6).shape); // [ 6 ]
   * ```
   */
  view<E extends DType, const N extends Shape>(this: Tensor<Shape, E>, ...shape: N): Tensor<Reshape<N>, E>;
  /**
   * view() in the shape of other. `torch.Tensor.view_as`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(6).viewAs(zeros(2, 3)).shape); // [ 2, 3 ]
   * ```
   */
  viewAs<B extends Shape, E extends DType>(this: Tensor<Shape, E>, other: Tensor<B>): Tensor<B, E>;
  /**
   * expand() to the shape of other. `torch.Tensor.expand_as`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(3).expandAs(zeros(2, 3)).shape); // [ 2, 3 ]
   * ```
   */
  expandAs<B extends Shape, E extends DType>(this: Tensor<Shape, E>, other: Tensor<B>): Tensor<B, E>;
  /**
   * A matrix transposed; a vector as it is. `torch.t`. Throws ERR_NABLA_SHAPE for more than two dims.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 3).t().shape); // [ 3, 2 ]
   * ```
   */
  t<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A extends [number] | [] ? A : SwapLast<A>, E>;
  /**
   * One dim as several; one of the sizes may be -1. `torch.unflatten`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 12).unflatten(1, [3, -1]).shape); // [ 2, 3, 4 ]
   * ```
   */
  unflatten<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"unflatten", A, I>,
    dim: I,
    sizes: readonly number[],
  ): Tensor<Shape, E>;
  /**
   * Dims moved to other places; the others keep their order. `torch.movedim`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 3, 4).movedim(0, -1).shape); // [ 3, 4, 2 ]
   * ```
   */
  movedim<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    source: number | readonly number[],
    destination: number | readonly number[],
  ): Tensor<Sizes<A>, E>;
  /**
   * The diagonal of the matrices in two dims, as a view: the other dims, then the diagonal, `offset` above the main
   * one. `torch.diagonal`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).diagonal()); // tensor([1., 4.])
   * ```
   */
  diagonal<E extends DType>(this: Tensor<Shape, E>, offset?: number, dim0?: number, dim1?: number): Tensor<Shape, E>;
  /**
   * Elements shifted along dims; what leaves at the end comes in at the start. Without dims, of the flattened tensor.
   * `torch.roll`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3, 4]).roll(1)); // tensor([4., 1., 2., 3.])
   * ```
   */
  roll<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    shifts: number | readonly number[],
    dims?: number | readonly number[],
  ): Tensor<A, E>;
  /**
   * Copies of the whole, so many along each dim; dims too many come first. `torch.Tensor.repeat`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).repeat(2, 2)); // tensor([[1., 2., 1., 2.], [1., 2., 1., 2.]])
   * ```
   */
  repeat<E extends DType, const N extends Shape>(this: Tensor<Shape, E>, ...sizes: N): Tensor<Sizes<N>, E>;
  /**
   * repeat(), where sizes too few leave the first dims as they are. `torch.tile`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2]]).tile(2)); // tensor([[1., 2., 1., 2.]])
   * ```
   */
  tile<E extends DType>(this: Tensor<Shape, E>, ...sizes: number[]): Tensor<Shape, E>;
  /**
   * Each element so many times; of the flattened tensor unless a dim is given. `torch.repeat_interleave`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).repeatInterleave(2)); // tensor([1., 1., 2., 2.])
   * ```
   */
  repeatInterleave<E extends DType>(this: Tensor<Shape, E>, repeats: number, dim?: number): Tensor<Shape, E>;
  /**
   * Borders of [before, after] elements around the last dim, then the one before it, ...: of a value, or made of the
   * tensor itself by reflect, replicate or circular. Negative sizes cut off. `torch.nn.functional.pad`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).pad([1, 2], { value: 9 })); // tensor([9., 1., 2., 9., 9.])
   * ```
   */
  pad<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    sizes: readonly number[],
    options?: { mode?: PadMode; value?: number },
  ): Tensor<Sizes<A>, E>;
}

/** Where reshape would copy, view complains. */
function view(x: Value, shape: Dims): Value {
  if (!x.isContiguous)
    fail("ERR_NABLA_SHAPE", "view", "the memory is not in row-major order", { values: { x }, hint: "use reshape" });
  return reshape(x, shape);
}
function t(x: Value): Value {
  if (x.ndim > 2)
    fail("ERR_NABLA_SHAPE", "t", `takes at most two dimensions, got ${x.ndim}`, { values: { x }, hint: "use mT" });
  return x.ndim < 2 ? x : transpose(x, 0, 1);
}
function narrow(x: Value, dim: number, start: number, length: number): Value {
  const d = checkDim("narrow", dim, x.ndim);
  const n = x.shape[d] ?? 0;
  const from = start < 0 ? start + n : start;
  if (![from, length].every((i) => Number.isInteger(i) && i >= 0) || from + length > n)
    fail("ERR_NABLA_INDEX", "narrow", `${length} elements from ${start} are not within dim ${d} of ${n}`, {
      values: { x },
      expected: [0, n],
      actual: [start, length],
    });
  return slice(x, d, from, from + length);
}

export const layout: Methods<Layout> = {
  unbind: (x, dim?: number) => unbind(x, dim),
  split: (x, size: number | Dims, dim?: number) => split(x, size, dim),
  chunk: (x, chunks: number, dim?: number) => chunk(x, chunks, dim),
  narrow,
  view: (x, ...shape: number[]) => view(x, shape),
  viewAs: (x, other: Value) => view(x, value("viewAs", "other", other).shape),
  expandAs: (x, other: Value) => expand(x, value("expandAs", "other", other).shape),
  t,
  unflatten: (x, dim: number, sizes: Dims) => unflatten(x, dim, sizes),
  movedim: (x, source: number | Dims, destination: number | Dims) => movedim(x, source, destination),
  diagonal: (x, offset?: number, dim0?: number, dim1?: number) => diagonal(x, offset, dim0, dim1),
  roll: (x, shifts: number | Dims, dims?: number | Dims) => roll(x, shifts, dims),
  repeat: (x, ...sizes: number[]) => repeat(x, sizes),
  tile: (x, ...sizes: number[]) => tile(x, sizes),
  repeatInterleave: (x, repeats: number, dim?: number) => repeatInterleave(x, repeats, dim),
  pad: (x, sizes: Dims, options?: { mode?: PadMode; value?: number }) => pad(x, sizes, options),
};
