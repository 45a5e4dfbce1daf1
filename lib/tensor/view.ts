import { checkDims, type Dims } from "../core/shape.ts";
import { expand, flatten, flip, permute, regroup, select, slice, squeeze, transpose, unsqueeze } from "../ops/index.ts";
import type {
  CanExpand,
  CanPermute,
  DType,
  Expand,
  Flatten,
  HasDim,
  Permute,
  Reduce,
  ReplaceAt,
  Reshape,
  Shape,
  Squeeze,
  SwapLast,
  Transpose,
  Unsqueeze,
} from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Axes } from "./reduce.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Views: the same memory read with another shape, so what is written to one is seen in the other. Negative dims count
 * from the end; a dim that does not exist throws ERR_NABLA_INDEX.
 */
export interface Views {
  /**
   * The same elements in another shape; one size may be -1. Copies where the memory cannot be walked so. `torch.reshape`.
   * Throws ERR_NABLA_SHAPE where the number of elements differs.
   * ```ts
   * import { arange } from "nabla";
   * console.log(arange(6).reshape(2, -1).shape); // [ 2, 3 ]
   * ```
   */
  reshape<E extends DType, const N extends Shape>(this: Tensor<Shape, E>, ...shape: N): Tensor<Reshape<N>, E>;
  /**
   * Dims in another order: y.shape[i] = x.shape[dims[i]]. `torch.permute`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 3, 4).permute(2, 0, 1).shape); // [ 4, 2, 3 ]
   * ```
   */
  permute<A extends Shape, E extends DType, const P extends Shape>(
    this: Tensor<A, E> & CanPermute<A, P>,
    ...dims: P
  ): Tensor<Permute<A, P>, E>;
  /**
   * Two dims exchanged. `torch.transpose`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 3, 4).transpose(0, 2).shape); // [ 4, 3, 2 ]
   * ```
   */
  transpose<A extends Shape, E extends DType, const I extends number, const J extends number>(
    this: Tensor<A, E> & HasDim<"transpose", A, readonly [I, J]>,
    dim0: I,
    dim1: J,
  ): Tensor<Transpose<A, I, J>, E>;
  /**
   * The last two dims exchanged: each matrix transposed. `torch.Tensor.mT`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).mT()); // tensor([[1., 3.], [2., 4.]])
   * ```
   */
  mT<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<SwapLast<A>, E>;
  /**
   * Sizes of 1 repeated, without a copy; -1 keeps a size. `torch.Tensor.expand`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1], [2]]).expand(2, 3)); // tensor([[1., 1., 1.], [2., 2., 2.]])
   * ```
   */
  expand<A extends Shape, E extends DType, const N extends Shape>(
    this: Tensor<A, E> & CanExpand<A, N>,
    ...shape: N
  ): Tensor<Expand<A, N>, E>;
  /**
   * A new dim of size 1 at this place. `torch.unsqueeze`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(2, 3).unsqueeze(1).shape); // [ 2, 1, 3 ]
   * ```
   */
  unsqueeze<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"unsqueeze", [...A, 1], I>,
    dim: I,
  ): Tensor<Unsqueeze<A, I>, E>;
  /**
   * Without the dims of size 1: all, or those named (another size stays). `torch.squeeze`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(1, 3, 1).squeeze(0).shape); // [ 3, 1 ]
   * ```
   */
  squeeze<A extends Shape, E extends DType, const I extends number | undefined = undefined>(
    this: Tensor<A, E> & HasDim<"squeeze", A, I>,
    dim?: I,
  ): Tensor<Squeeze<A, I>, E>;
  /**
   * The dims from start to end as one. `torch.flatten`.
   * ```ts
   * import { zeros } from "nabla";
   * console.log(zeros(32, 1, 28, 28).flatten(1).shape); // [ 32, 784 ]
   * ```
   */
  flatten<A extends Shape, E extends DType, const I extends number = 0, const J extends number = -1>(
    this: Tensor<A, E> & HasDim<"flatten", A, readonly [I, J]>,
    start?: I,
    end?: J,
  ): Tensor<Flatten<A, I, J>, E>;
  /**
   * Elements start, start + step, ... before end of one dim, by Python's rule: negative positions count from the end,
   * what lies outside is cut off, and a negative step walks backwards. `x[:, start:end:step]`.
   * ```ts
   * import { arange } from "nabla";
   * console.log(arange(10).slice(0, 2, -1, 3)); // tensor([2, 5, 8], { dtype: "i32" })
   * ```
   */
  slice<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"slice", A, I>,
    dim: I,
    start: number,
    end?: number,
    step?: number,
  ): Tensor<ReplaceAt<A, I, number>, E>;
  /**
   * One element of a dim, which goes away. `torch.select`. Throws ERR_NABLA_INDEX outside the dim.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).select(0, -1)); // tensor([3., 4.])
   * ```
   */
  select<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"select", A, I>,
    dim: I,
    index: number,
  ): Tensor<Reduce<A, I>, E>;
  /**
   * The order of these dims reversed. `torch.flip`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).flip(0)); // tensor([3., 2., 1.])
   * ```
   */
  flip<A extends Shape, E extends DType, const I extends Axes = undefined>(
    this: Tensor<A, E> & HasDim<"flip", A, I>,
    dim?: I,
  ): Tensor<A, E>;
}

export const views: Methods<Views> = {
  reshape: (x, ...shape: number[]) => regroup(x, shape),
  permute: (x, ...dims: number[]) => permute(x, dims),
  transpose: (x, dim0: number, dim1: number) => transpose(x, dim0, dim1),
  mT: (x) => transpose(x, -2, -1),
  expand: (x, ...shape: number[]) => expand(x, shape),
  unsqueeze: (x, dim: number) => unsqueeze(x, dim),
  squeeze: (x, dim?: number) => squeeze(x, dim),
  flatten: (x, start?: number, end?: number) => flatten(x, start, end),
  slice: (x, dim: number, start: number, end?: number, step?: number) => slice(x, dim, start, end, step),
  select: (x, dim: number, index: number) => select(x, dim, index),
  flip: (x, dim?: number | Dims) => flip(x, checkDims("flip", dim, x.ndim)),
};
