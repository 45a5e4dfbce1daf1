import type { Dims } from "../core/shape.ts";
import {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  countNonzero,
  logsumexp,
  max,
  mean,
  min,
  type Norm,
  nanmean,
  nansum,
  norm,
  normalize,
  prod,
  type Spread,
  std,
  sum,
  variance,
} from "../ops/index.ts";
import type { DType, Floating, HasDim, Reduce, Shape, Summed } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** One dim, a list of them, or (undefined) all; negative dims count from the end. */
export type Axes = number | readonly number[] | undefined;
/** Elements along a dim, and where in it they are. */
export interface Found<S extends Shape = Shape, E extends DType = DType> {
  readonly values: Tensor<S, E>;
  readonly indices: Tensor<S, "i32">;
}

/** Reductions over dims, all unless given, that add up: integers and bool in i32. */
export type Adding<Op extends string> = <
  A extends Shape,
  E extends DType,
  const I extends Axes = undefined,
  const K extends boolean = false,
>(
  this: Tensor<A, E> & HasDim<Op, A, I>,
  dim?: I,
  keepdim?: K,
) => Tensor<Reduce<A, I, K>, Summed<E>>;
/** Reductions in floats. */
export type Averaging<Op extends string> = <
  A extends Shape,
  E extends DType,
  const I extends Axes = undefined,
  const K extends boolean = false,
>(
  this: Tensor<A, E> & HasDim<Op, A, I>,
  dim?: I,
  keepdim?: K,
) => Tensor<Reduce<A, I, K>, Floating<E>>;
/** One element of all, or along a dim one of each row and where it is. */
export interface Finding<Op extends string> {
  <E extends DType>(this: Tensor<Shape, E>): Tensor<[], E>;
  <A extends Shape, E extends DType, const I extends number, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<Op, A, I>,
    dim: I,
    keepdim?: K,
  ): Found<Reduce<A, I, K>, E>;
}
interface Kept<K extends boolean> {
  readonly keepdim?: K;
}

/**
 * Reductions over dims, which go away, or stay as 1 with `keepdim`. A dim that does not exist throws ERR_NABLA_INDEX.
 */
export interface Reductions {
  /**
   * y = Σ x over dim; integers and bool add up in i32. `torch.sum`.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([[1, 2], [3, 4]]);
   * console.log(x.sum(), x.sum(0), x.sum(1, true)); // tensor(10.) tensor([4., 6.]) tensor([[3.], [7.]])
   * ```
   */
  readonly sum: Adding<"sum">;
  /**
   * y = Σ x / n over dim; integers are averaged as f32. `torch.mean`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).mean(0)); // tensor([2., 3.])
   * ```
   */
  readonly mean: Averaging<"mean">;
  /**
   * y = Π x over dim; integers and bool multiply in i32. `torch.prod`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([2, 3, 4]).prod()); // tensor(24.)
   * ```
   */
  readonly prod: Adding<"prod">;
  /**
   * sum() of what is not NaN. `torch.nansum`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, NaN, 2]).nansum()); // tensor(3.)
   * ```
   */
  readonly nansum: Adding<"nansum">;
  /**
   * mean() of what is not NaN. `torch.nanmean`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, NaN, 2]).nanmean()); // tensor(1.5000)
   * ```
   */
  readonly nanmean: Averaging<"nanmean">;
  /**
   * How many elements are not 0. `torch.count_nonzero`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 0, 2]).countNonzero()); // tensor(2, { dtype: "i32" })
   * ```
   */
  countNonzero<A extends Shape, const I extends Axes = undefined>(
    this: Tensor<A> & HasDim<"countNonzero", A, I>,
    dim?: I,
  ): Tensor<Reduce<A, I>, "i32">;
  /**
   * The largest element over dims; equal ones share the gradient. NaN wins. `torch.amax`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 5], [7, 2]]).amax(1)); // tensor([5., 7.])
   * ```
   */
  amax<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"amax", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, E>;
  /**
   * The smallest element over dims; equal ones share the gradient. NaN wins. `torch.amin`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 5], [7, 2]]).amin(1)); // tensor([1., 2.])
   * ```
   */
  amin<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"amin", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, E>;
  /**
   * The largest element; along a dim, also where the first of them is, which gets the gradient. `torch.max`.
   * ```ts
   * import { tensor } from "nabla";
   * const { values, indices } = tensor([[1, 5], [7, 2]]).max(1);
   * console.log(values, indices); // tensor([5., 7.]) tensor([1, 0], { dtype: "i32" })
   * ```
   */
  readonly max: Finding<"max">;
  /**
   * The smallest element; along a dim, also where the first of them is, which gets the gradient. `torch.min`.
   * ```ts
   * import { tensor } from "nabla";
   * const { values, indices } = tensor([[1, 5], [7, 2]]).min(1);
   * console.log(values, indices); // tensor([1., 2.]) tensor([0, 1], { dtype: "i32" })
   * ```
   */
  readonly min: Finding<"min">;
  /**
   * Where the first of the largest elements is: along a dim, or in the flattened tensor. `torch.argmax`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 5], [7, 2]]).argmax(1)); // tensor([1, 0], { dtype: "i32" })
   * ```
   */
  argmax<A extends Shape, const I extends number | undefined = undefined, const K extends boolean = false>(
    this: Tensor<A> & HasDim<"argmax", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, "i32">;
  /**
   * Where the first of the smallest elements is: along a dim, or in the flattened tensor. `torch.argmin`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 5], [7, 2]]).argmin(1)); // tensor([0, 1], { dtype: "i32" })
   * ```
   */
  argmin<A extends Shape, const I extends number | undefined = undefined, const K extends boolean = false>(
    this: Tensor<A> & HasDim<"argmin", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, "i32">;
  /**
   * Whether any element is not 0; of none, false. `torch.any`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 0], [1, 1]]).any(1)); // tensor([true, true])
   * ```
   */
  any<A extends Shape, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A> & HasDim<"any", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, "bool">;
  /**
   * Whether no element is 0; of none, true. `torch.all`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 0], [1, 1]]).all(1)); // tensor([false, true])
   * ```
   */
  all<A extends Shape, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A> & HasDim<"all", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, "bool">;
  /**
   * y = Σ (x - mean)² / (n - correction) over dim; correction is 1 unless given. `torch.var`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3, 4]).var()); // tensor(1.6667)
   * ```
   */
  var<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"var", A, I>,
    dim?: I,
    options?: Kept<K> & { readonly correction?: number },
  ): Tensor<Reduce<A, I, K>, Floating<E>>;
  /**
   * y = √var. `torch.std`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3, 4]).std()); // tensor(1.2910)
   * ```
   */
  std<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"std", A, I>,
    dim?: I,
    options?: Kept<K> & { readonly correction?: number },
  ): Tensor<Reduce<A, I, K>, Floating<E>>;
  /**
   * y = (Σ |x|ᵖ)^(1/p) over dim; p is 2 unless given, Infinity for the largest |x|, 0 for how many are not 0.
   * `torch.linalg.vector_norm`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 4]).norm()); // tensor(5.)
   * ```
   */
  norm<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"norm", A, I>,
    dim?: I,
    options?: Kept<K> & { readonly p?: number },
  ): Tensor<Reduce<A, I, K>, Floating<E>>;
  /**
   * y = x / max(norm, eps) along dim, 1 unless given. `torch.nn.functional.normalize`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[3, 4]]).normalize()); // tensor([[0.6000, 0.8000]])
   * ```
   */
  normalize<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    dim?: number,
    options?: { readonly p?: number; readonly eps?: number },
  ): Tensor<A, Floating<E>>;
  /**
   * y = ln Σ eˣ over dim, without overflow between. `torch.logsumexp`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1000]).logsumexp()); // tensor(1000.)
   * ```
   */
  readonly logsumexp: Averaging<"logsumexp">;
}

type Dim = number | Dims;
export const reductions: Methods<Reductions> = {
  sum: (x, dim?: Dim, keepdim?: boolean) => sum(x, dim, keepdim),
  mean: (x, dim?: Dim, keepdim?: boolean) => mean(x, dim, keepdim),
  prod: (x, dim?: Dim, keepdim?: boolean) => prod(x, dim, keepdim),
  nansum: (x, dim?: Dim, keepdim?: boolean) => nansum(x, dim, keepdim),
  nanmean: (x, dim?: Dim, keepdim?: boolean) => nanmean(x, dim, keepdim),
  amax: (x, dim?: Dim, keepdim?: boolean) => amax(x, dim, keepdim),
  amin: (x, dim?: Dim, keepdim?: boolean) => amin(x, dim, keepdim),
  any: (x, dim?: Dim, keepdim?: boolean) => any(x, dim, keepdim),
  all: (x, dim?: Dim, keepdim?: boolean) => all(x, dim, keepdim),
  logsumexp: (x, dim?: Dim, keepdim?: boolean) => logsumexp(x, dim, keepdim),
  countNonzero: (x, dim?: Dim) => countNonzero(x, dim),
  max: (x, dim?: number, keepdim?: boolean) => (dim === undefined ? max(x) : max(x, dim, keepdim)),
  min: (x, dim?: number, keepdim?: boolean) => (dim === undefined ? min(x) : min(x, dim, keepdim)),
  argmax: (x, dim?: number, keepdim?: boolean) => argmax(x, dim, keepdim),
  argmin: (x, dim?: number, keepdim?: boolean) => argmin(x, dim, keepdim),
  var: (x, dim?: Dim, options?: Spread) => variance(x, dim, options),
  std: (x, dim?: Dim, options?: Spread) => std(x, dim, options),
  norm: (x, dim?: Dim, options?: Norm) => norm(x, dim, options),
  normalize: (x, dim?: number, options?: { p?: number; eps?: number }) => normalize(x, dim, options),
};
