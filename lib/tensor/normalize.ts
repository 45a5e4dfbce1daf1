import type { Dims } from "../core/shape.ts";
import { type Affine, layerNorm, logSoftmax, rmsNorm, softmax } from "../ops/index.ts";
import type { DType, Floating, HasDim, Shape } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

interface Scaling {
  readonly weight?: Tensor;
  readonly eps?: number;
}

/** Elements brought to a common scale, along dims. Integers are computed as f32. */
export interface Normalizations {
  /**
   * y = eˣ / Σ eˣ over dim, the last unless given. `torch.softmax`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 0]).softmax()); // tensor([0.5000, 0.5000])
   * ```
   */
  softmax<A extends Shape, E extends DType, const I extends number = -1>(
    this: Tensor<A, E> & HasDim<"softmax", A, I>,
    dim?: I,
  ): Tensor<A, Floating<E>>;
  /**
   * y = x - ln Σ eˣ over dim, the last unless given. `torch.log_softmax`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 0]).logSoftmax()); // tensor([-0.6931, -0.6931])
   * ```
   */
  logSoftmax<A extends Shape, E extends DType, const I extends number = -1>(
    this: Tensor<A, E> & HasDim<"logSoftmax", A, I>,
    dim?: I,
  ): Tensor<A, Floating<E>>;
  /**
   * y = (x - mean) / √(variance + eps) · weight + bias, over the last dims, whose sizes are given; eps is 1e-5 unless
   * given. `torch.nn.functional.layer_norm`. Throws ERR_NABLA_SHAPE where the last sizes are others.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 3]).layerNorm([2])); // tensor([-1.0000, 1.0000])
   * ```
   */
  layerNorm<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    shape: readonly number[],
    options?: Scaling & { readonly bias?: Tensor },
  ): Tensor<A, Floating<E>>;
  /**
   * y = x / √(mean of x² + eps) · weight, over the last dims, whose sizes are given; eps is the smallest step above 1
   * unless given. `torch.nn.functional.rms_norm`. Throws ERR_NABLA_SHAPE where the last sizes are others.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 4]).rmsNorm([2])); // tensor([0.8485, 1.1314])
   * ```
   */
  rmsNorm<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    shape: readonly number[],
    options?: Scaling,
  ): Tensor<A, Floating<E>>;
}

export const normalizations: Methods<Normalizations> = {
  softmax: (x, dim?: number) => softmax(x, dim),
  logSoftmax: (x, dim?: number) => logSoftmax(x, dim),
  layerNorm: (x, shape: Dims, affine?: Affine) => layerNorm(x, shape, affine),
  rmsNorm: (x, shape: Dims, affine?: Affine) => rmsNorm(x, shape, affine),
};
