import { operand, value } from "../core/boundary.ts";
import { checkDType, type DType as Known } from "../core/dtype.ts";
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import {
  gather,
  index,
  indexAdd,
  indexCopy,
  indexFill,
  indexPut,
  indexSelect,
  maskedSelect,
  nonzero,
  oneHot,
  type Put,
  scatter,
  scatterAdd,
  take,
  takeAlongDim,
  tril,
  triu,
} from "../ops/index.ts";
import type { Append, DType, HasDim, IsDType, ReplaceAt, Shape } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Elements by position. Indices are i32, negative ones count from the end; one outside its dim throws ERR_NABLA_INDEX, a
 * dtype of no whole numbers ERR_NABLA_DTYPE.
 */
export interface Selections {
  /**
   * The slices of a dim at these positions, in their order. `torch.index_select`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1], [2], [3]]).indexSelect(0, tensor([0, 2], { dtype: "i32" }))); // tensor([[1.], [3.]])
   * ```
   */
  indexSelect<A extends Shape, E extends DType, const I extends number, B extends Shape, F extends DType>(
    this: Tensor<A, E> & HasDim<"indexSelect", A, I>,
    dim: I,
    index: Tensor<B, F> & IsDType<"indexSelect: index", F, "i32">,
  ): Tensor<ReplaceAt<A, I, B[0] & number>, E>;
  /**
   * Along dim, the element at each position: y[i][j] = x[index[i][j]][j] for dim 0. `torch.gather`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).gather(1, tensor([[1], [0]], { dtype: "i32" }))); // tensor([[2.], [3.]])
   * ```
   */
  gather<A extends Shape, E extends DType, const I extends number, B extends Shape, F extends DType>(
    this: Tensor<A, E> & HasDim<"gather", A, I>,
    dim: I,
    index: Tensor<B, F> & IsDType<"gather: index", F, "i32">,
  ): Tensor<B, E>;
  /**
   * gather() whose other sizes broadcast, as argsort() needs it; without a dim, of the flattened tensor.
   * `torch.take_along_dim`.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([[3, 1, 2]]);
   * console.log(x.takeAlongDim(x.argsort(), 1)); // tensor([[1., 2., 3.]])
   * ```
   */
  takeAlongDim<E extends DType>(this: Tensor<Shape, E>, index: Tensor, dim?: number): Tensor<Shape, E>;
  /**
   * The elements at these positions of the flattened tensor. `torch.take`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).take(tensor([0, 2], { dtype: "i32" }))); // tensor([1., 3.])
   * ```
   */
  take<E extends DType, B extends Shape>(this: Tensor<Shape, E>, index: Tensor<B>): Tensor<B, E>;
  /**
   * The elements at [index0, index1, ...], positions in the first dims, which broadcast. A mask stands for the positions
   * where it is true. x[index0, index1] of `torch`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4], [5, 6]]).at(tensor([0, 2], { dtype: "i32" }), tensor([1, 0], { dtype: "i32" }))); // tensor([2., 5.])
   * ```
   */
  at<E extends DType>(this: Tensor<Shape, E>, ...indices: Tensor[]): Tensor<Shape, E>;
  /**
   * x with values in the place of x.at(...indices), or added there with `{ accumulate: true }`. `torch.index_put`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).indexPut([tensor([0, 2], { dtype: "i32" })], tensor(9))); // tensor([9., 2., 9.])
   * ```
   */
  indexPut<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    indices: readonly Tensor[],
    values: Tensor,
    options?: Put,
  ): Tensor<A, E>;
  /**
   * x with src written along dim: y[index[i][j]][j] = src[i][j] for dim 0; of equal positions the last counts.
   * `torch.scatter`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).scatter(0, tensor([0, 2], { dtype: "i32" }), 9)); // tensor([9., 2., 9.])
   * ```
   */
  scatter<A extends Shape, E extends DType, const I extends number, F extends DType>(
    this: Tensor<A, E> & HasDim<"scatter", A, I>,
    dim: I,
    index: Tensor<Shape, F> & IsDType<"scatter: index", F, "i32">,
    src: number | Tensor,
  ): Tensor<A, E>;
  /**
   * x with src added along dim: y[index[i][j]][j] += src[i][j] for dim 0. `torch.scatter_add`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).scatterAdd(0, tensor([0, 2], { dtype: "i32" }), tensor([10, 20]))); // tensor([11., 2., 23.])
   * ```
   */
  scatterAdd<A extends Shape, E extends DType, const I extends number, F extends DType>(
    this: Tensor<A, E> & HasDim<"scatterAdd", A, I>,
    dim: I,
    index: Tensor<Shape, F> & IsDType<"scatterAdd: index", F, "i32">,
    src: number | Tensor,
  ): Tensor<A, E>;
  /**
   * x with alpha times the slices of src added to those at index. `torch.index_add`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).indexAdd(0, tensor([0, 2], { dtype: "i32" }), tensor([10, 20]))); // tensor([11., 2., 23.])
   * ```
   */
  indexAdd<A extends Shape, E extends DType, const I extends number, F extends DType>(
    this: Tensor<A, E> & HasDim<"indexAdd", A, I>,
    dim: I,
    index: Tensor<Shape, F> & IsDType<"indexAdd: index", F, "i32">,
    src: Tensor,
    alpha?: number,
  ): Tensor<A, E>;
  /**
   * x with the slices of src in the place of those at index. `torch.index_copy`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).indexCopy(0, tensor([0, 2], { dtype: "i32" }), tensor([10, 20]))); // tensor([10., 2., 20.])
   * ```
   */
  indexCopy<A extends Shape, E extends DType, const I extends number, F extends DType>(
    this: Tensor<A, E> & HasDim<"indexCopy", A, I>,
    dim: I,
    index: Tensor<Shape, F> & IsDType<"indexCopy: index", F, "i32">,
    src: Tensor,
  ): Tensor<A, E>;
  /**
   * x with one number in the place of the slices at index. `torch.index_fill`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).indexFill(0, tensor([0, 2], { dtype: "i32" }), -1)); // tensor([-1., 2., -1.])
   * ```
   */
  indexFill<A extends Shape, E extends DType, const I extends number, F extends DType>(
    this: Tensor<A, E> & HasDim<"indexFill", A, I>,
    dim: I,
    index: Tensor<Shape, F> & IsDType<"indexFill: index", F, "i32">,
    to: number,
  ): Tensor<A, E>;
  /**
   * The elements where the mask is true, as a vector. How many there are is read, so a compiled step cannot contain
   * it. `torch.masked_select`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).maskedSelect(tensor([true, false, true]))); // tensor([1., 3.])
   * ```
   */
  maskedSelect<E extends DType>(this: Tensor<Shape, E>, mask: Tensor): Tensor<[number], E>;
  /**
   * The positions of the elements that are not 0, one a row. How many there are is read, so a compiled step cannot
   * contain it. `torch.nonzero`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 0], [0, 1]]).nonzero()); // tensor([[0, 0], [1, 1]], { dtype: "i32" })
   * ```
   */
  nonzero<A extends Shape>(this: Tensor<A>): Tensor<[number, A["length"]], "i32">;
  /**
   * A row for each element, with 1 at its place and 0 elsewhere; i32 unless asked otherwise.
   * `torch.nn.functional.one_hot`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 2], { dtype: "i32" }).oneHot(3)); // tensor([[1, 0, 0], [0, 0, 1]], { dtype: "i32" })
   * ```
   */
  oneHot<A extends Shape, F extends DType, const C extends number, const E extends DType = "i32">(
    this: Tensor<A, F> & IsDType<"oneHot: index", F, "i32">,
    classes: C,
    dtype?: E,
  ): Tensor<Append<A, C>, E>;
  /**
   * x at and below a diagonal of its last two dims, 0 above it; `diagonal` counts upwards from the main one.
   * `torch.tril`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).tril()); // tensor([[1., 0.], [3., 4.]])
   * ```
   */
  tril<A extends Shape, E extends DType>(this: Tensor<A, E>, diagonal?: number): Tensor<A, E>;
  /**
   * x at and above a diagonal of its last two dims, 0 below it; `diagonal` counts upwards from the main one.
   * `torch.triu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).triu()); // tensor([[1., 2.], [0., 4.]])
   * ```
   */
  triu<A extends Shape, E extends DType>(this: Tensor<A, E>, diagonal?: number): Tensor<A, E>;
}

export const selections: Methods<Selections> = {
  indexSelect: (x, dim: number, at: Value) => indexSelect(x, dim, value("indexSelect", "index", at)),
  gather: (x, dim: number, at: Value) => gather(x, dim, value("gather", "index", at)),
  takeAlongDim: (x, at: Value, dim?: number) => takeAlongDim(x, value("takeAlongDim", "index", at), dim),
  take: (x, at: Value) => take(x, value("take", "index", at)),
  at: (x, ...at: Value[]) =>
    index(
      x,
      at.map((v, i) => value("at", `index ${i}`, v)),
    ),
  indexPut: (x, at: Value[], values: Value, options?: Put) =>
    indexPut(
      x,
      at.map((v, i) => value("indexPut", `index ${i}`, v)),
      value("indexPut", "values", values),
      options,
    ),
  scatter: (x, dim: number, at: Value, src: Operand) =>
    scatter(x, dim, value("scatter", "index", at), operand("scatter", src, "src")),
  scatterAdd: (x, dim: number, at: Value, src: Operand) =>
    scatterAdd(x, dim, value("scatterAdd", "index", at), operand("scatterAdd", src, "src")),
  indexAdd: (x, dim: number, at: Value, src: Value, alpha?: number) =>
    indexAdd(x, dim, value("indexAdd", "index", at), value("indexAdd", "src", src), alpha),
  indexCopy: (x, dim: number, at: Value, src: Value) =>
    indexCopy(x, dim, value("indexCopy", "index", at), value("indexCopy", "src", src)),
  indexFill: (x, dim: number, at: Value, to: Operand) =>
    indexFill(x, dim, value("indexFill", "index", at), operand("indexFill", to, "to")),
  maskedSelect: (x, mask: Value) => maskedSelect(x, value("maskedSelect", "mask", mask)),
  nonzero: (x) => nonzero(x),
  oneHot: (x, classes: number, dtype: Known = "i32") => oneHot(x, classes, checkDType("oneHot", dtype)),
  tril: (x, diagonal?: number) => tril(x, diagonal),
  triu: (x, diagonal?: number) => triu(x, diagonal),
};
