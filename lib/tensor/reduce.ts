import type { Dims } from "../core/shape.ts";
import { mean, sum } from "../ops/index.ts";
import type { DType, Floating, HasDim, Reduce, Shape, Summed } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** One dim, a list of them, or (undefined) all; negative dims count from the end. */
export type Axes = number | readonly number[] | undefined;

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
  sum<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"sum", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, Summed<E>>;
  /**
   * y = Σ x / n over dim; integers are averaged as f32. `torch.mean`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).mean(0)); // tensor([2., 3.])
   * ```
   */
  mean<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"mean", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, Floating<E>>;
}

export const reductions: Methods<Reductions> = {
  sum: (x, dim?: number | Dims, keepdim?: boolean) => sum(x, dim, keepdim),
  mean: (x, dim?: number | Dims, keepdim?: boolean) => mean(x, dim, keepdim),
};
