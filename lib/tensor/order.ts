import { value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import {
  argsort,
  bucketize,
  cummax,
  cummin,
  cumprod,
  cumsum,
  kthvalue,
  logcumsumexp,
  median,
  type Side,
  searchsorted,
  sort,
  topk,
  unique,
} from "../ops/index.ts";
import type { DType, Floating, HasDim, Reduce, ReplaceAt, Shape, Summed } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Finding, Found } from "./reduce.ts";
import type { Tensor } from "./tensor.ts";

/** Running results and order along one dim. A dim that does not exist throws ERR_NABLA_INDEX. */
export interface Orders {
  /**
   * y[i] = x[0] + ... + x[i] along dim. `torch.cumsum`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).cumsum(0)); // tensor([1., 3., 6.])
   * ```
   */
  cumsum<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"cumsum", A, I>,
    dim: I,
  ): Tensor<A, Summed<E>>;
  /**
   * y[i] = x[0] · ... · x[i] along dim. `torch.cumprod`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).cumprod(0)); // tensor([1., 2., 6.])
   * ```
   */
  cumprod<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"cumprod", A, I>,
    dim: I,
  ): Tensor<A, Summed<E>>;
  /**
   * y[i] = ln(e^x[0] + ... + e^x[i]) along dim. `torch.logcumsumexp`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 0, 0]).logcumsumexp(0)); // tensor([0.0000, 0.6931, 1.0986])
   * ```
   */
  logcumsumexp<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"logcumsumexp", A, I>,
    dim: I,
  ): Tensor<A, Floating<E>>;
  /**
   * The largest element so far along dim, and where it is. `torch.cummax`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([2, 1, 3]).cummax(0).values); // tensor([2., 2., 3.])
   * ```
   */
  cummax<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"cummax", A, I>,
    dim: I,
  ): Found<A, E>;
  /**
   * The smallest element so far along dim, and where it is. `torch.cummin`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([2, 1, 3]).cummin(0).values); // tensor([2., 1., 1.])
   * ```
   */
  cummin<A extends Shape, E extends DType, const I extends number>(
    this: Tensor<A, E> & HasDim<"cummin", A, I>,
    dim: I,
  ): Found<A, E>;
  /**
   * The elements along dim in order, and where they were; equal ones keep their order. `torch.sort`.
   * ```ts
   * import { tensor } from "nabla";
   * const { values, indices } = tensor([3, 1, 2]).sort();
   * console.log(values, indices); // tensor([1., 2., 3.]) tensor([1, 2, 0], { dtype: "i32" })
   * ```
   */
  sort<A extends Shape, E extends DType, const I extends number = -1>(
    this: Tensor<A, E> & HasDim<"sort", A, I>,
    dim?: I,
    descending?: boolean,
  ): Found<A, E>;
  /**
   * The indices that sort() gives. `torch.argsort`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 1, 2]).argsort()); // tensor([1, 2, 0], { dtype: "i32" })
   * ```
   */
  argsort<A extends Shape, const I extends number = -1>(
    this: Tensor<A> & HasDim<"argsort", A, I>,
    dim?: I,
    descending?: boolean,
  ): Tensor<A, "i32">;
  /**
   * The k largest elements along dim, or the smallest, in order, and where they are. `torch.topk`. Throws
   * ERR_NABLA_VALUE for more than there are.
   * ```ts
   * import { tensor } from "nabla";
   * const { values, indices } = tensor([3, 1, 2]).topk(2);
   * console.log(values, indices); // tensor([3., 2.]) tensor([0, 2], { dtype: "i32" })
   * ```
   */
  topk<A extends Shape, E extends DType, const N extends number, const I extends number = -1>(
    this: Tensor<A, E> & HasDim<"topk", A, I>,
    k: N,
    dim?: I,
    largest?: boolean,
  ): Found<ReplaceAt<A, I, N>, E>;
  /**
   * The k-th smallest element along dim, from 1, and where it is. `torch.kthvalue`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 1, 2]).kthvalue(2).values); // tensor(2.)
   * ```
   */
  kthvalue<A extends Shape, E extends DType, const I extends number = -1, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"kthvalue", A, I>,
    k: number,
    dim?: I,
    keepdim?: K,
  ): Found<Reduce<A, I, K>, E>;
  /**
   * The middle element, the lower of two; along a dim, also where it is. `torch.median`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 1, 2, 9]).median()); // tensor(2.)
   * ```
   */
  readonly median: Finding<"median">;
  /**
   * Where each of the values would go in this sorted row, before equal ones, or with `{ right: true }` behind them.
   * `torch.searchsorted`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 3, 5]).searchsorted(tensor([3, 4]))); // tensor([1, 2], { dtype: "i32" })
   * ```
   */
  searchsorted<B extends Shape>(this: Tensor, values: Tensor<B>, options?: Side): Tensor<B, "i32">;
  /**
   * Into which of the intervals between sorted boundaries each element falls. `torch.bucketize`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 2, 9]).bucketize(tensor([1, 3, 5]))); // tensor([0, 1, 3], { dtype: "i32" })
   * ```
   */
  bucketize<A extends Shape>(this: Tensor<A>, boundaries: Tensor, options?: Side): Tensor<A, "i32">;
  /**
   * The different elements, sorted. How many there are is read, so a compiled step cannot contain it. `torch.unique`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 1, 3]).unique()); // tensor([1., 3.])
   * ```
   */
  unique<E extends DType>(this: Tensor<Shape, E>): Tensor<[number], E>;
}

export const orders: Methods<Orders> = {
  cumsum: (x, dim: number) => cumsum(x, dim),
  cumprod: (x, dim: number) => cumprod(x, dim),
  logcumsumexp: (x, dim: number) => logcumsumexp(x, dim),
  cummax: (x, dim: number) => cummax(x, dim),
  cummin: (x, dim: number) => cummin(x, dim),
  sort: (x, dim?: number, descending?: boolean) => sort(x, dim, descending),
  argsort: (x, dim?: number, descending?: boolean) => argsort(x, dim, descending),
  topk: (x, k: number, dim?: number, largest?: boolean) => topk(x, k, dim, largest),
  kthvalue: (x, k: number, dim?: number, keepdim?: boolean) => kthvalue(x, k, dim, keepdim),
  median: (x, dim?: number, keepdim?: boolean) => (dim === undefined ? median(x) : median(x, dim, keepdim)),
  searchsorted: (x, values: Value, options?: Side) => searchsorted(x, value("searchsorted", "values", values), options),
  bucketize: (x, boundaries: Value, options?: Side) =>
    bucketize(x, value("bucketize", "boundaries", boundaries), options),
  unique: (x) => unique(x),
};
