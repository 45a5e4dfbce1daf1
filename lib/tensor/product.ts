import type { Value } from "../core/value.ts";
import { matmul } from "../ops/index.ts";
import type { CanMatmul, DType, Floating, Matmul, Promote, Shape } from "../types/shape.ts";
import { value } from "./check.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** Products of matrices and vectors, in f32 or f64; integers are multiplied as f32. */
export interface Products {
  /**
   * y[..., m, n] = Σₖ x[..., m, k] · other[..., k, n]. Batch dims broadcast; a vector is a row on the left and a column
   * on the right, and that dim goes away. `torch.matmul`. Throws ERR_NABLA_SHAPE where inner or batch sizes differ.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).matmul(tensor([[1], [1]]))); // tensor([[3.], [7.]])
   * ```
   */
  matmul<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanMatmul<A, B>,
  ): Tensor<Matmul<A, B>, Floating<Promote<E, F>>>;
}

export const products: Methods<Products> = {
  matmul: (a, b: Value) => matmul(a, value("matmul", "other", b)),
};
