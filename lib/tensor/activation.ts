import { value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import {
  type Approximate,
  celu,
  elu,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu,
  relu6,
  rrelu,
  selu,
  sigmoid,
  silu,
  softplus,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  threshold,
} from "../ops/index.ts";
import type { DType, Floating, HasDim, ReplaceAt, Shape } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** Activations, by element. Integers are computed as f32. */
export interface Activations {
  /**
   * y = max(0, x). `torch.nn.functional.relu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).relu()); // tensor([0., 0., 3.])
   * ```
   */
  relu<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = min(max(0, x), 6). `torch.nn.functional.relu6`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).relu6()); // tensor([0., 0., 3.])
   * ```
   */
  relu6<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x, or slope · x below 0; slope is 0.01 unless given. `torch.nn.functional.leaky_relu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).leakyRelu(0.1)); // tensor([-0.2000, 0.0000, 3.0000])
   * ```
   */
  leakyRelu<A extends Shape, E extends DType>(this: Tensor<A, E>, slope?: number): Tensor<A, Floating<E>>;
  /**
   * y = x, or weight · x below 0; the weight broadcasts and learns. `torch.nn.functional.prelu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).prelu(tensor([0.5]))); // tensor([-1., 0., 3.])
   * ```
   */
  prelu<A extends Shape, E extends DType>(this: Tensor<A, E>, weight: Tensor): Tensor<A, Floating<E>>;
  /**
   * y = x, or alpha · (eˣ - 1) below 0; alpha is 1 unless given. `torch.nn.functional.elu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).elu()); // tensor([-0.8647, 0.0000, 3.0000])
   * ```
   */
  elu<A extends Shape, E extends DType>(this: Tensor<A, E>, alpha?: number): Tensor<A, Floating<E>>;
  /**
   * y = 1.0507 · elu(x, 1.6733), which keeps mean 0 and variance 1. `torch.nn.functional.selu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).selu()); // tensor([-1.5202, 0.0000, 3.1521])
   * ```
   */
  selu<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x, or alpha · (e^(x / alpha) - 1) below 0; alpha is 1 unless given. `torch.nn.functional.celu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).celu(2)); // tensor([-1.2642, 0.0000, 3.0000])
   * ```
   */
  celu<A extends Shape, E extends DType>(this: Tensor<A, E>, alpha?: number): Tensor<A, Floating<E>>;
  /**
   * y = x · Φ(x), Φ the normal distribution; approximate "tanh" computes it as GPT-2 does.
   * `torch.nn.functional.gelu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).gelu()); // tensor([-0.0455, 0.0000, 2.9960])
   * ```
   */
  gelu<A extends Shape, E extends DType>(this: Tensor<A, E>, options?: Approximate): Tensor<A, Floating<E>>;
  /**
   * y = x · sigmoid(x). `torch.nn.functional.silu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).silu()); // tensor([-0.2384, 0.0000, 2.8577])
   * ```
   */
  silu<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x · tanh(softplus(x)). `torch.nn.functional.mish`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).mish()); // tensor([-0.2525, 0.0000, 2.9865])
   * ```
   */
  mish<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = 1 / (1 + e⁻ˣ). `torch.sigmoid`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).sigmoid()); // tensor([0.1192, 0.5000, 0.9526])
   * ```
   */
  sigmoid<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ln sigmoid(x). `torch.nn.functional.logsigmoid`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).logSigmoid()); // tensor([-2.1269, -0.6931, -0.0486])
   * ```
   */
  logSigmoid<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ). `torch.tanh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).tanh()); // tensor([-0.9640, 0.0000, 0.9951])
   * ```
   */
  tanh<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ln(1 + e^(beta · x)) / beta, x itself where beta · x > threshold; beta is 1 and threshold 20 unless given.
   * `torch.nn.functional.softplus`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).softplus()); // tensor([0.1269, 0.6931, 3.0486])
   * ```
   */
  softplus<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    beta?: number,
    threshold?: number,
  ): Tensor<A, Floating<E>>;
  /**
   * y = x / (1 + |x|). `torch.nn.functional.softsign`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).softsign()); // tensor([-0.6667, 0.0000, 0.7500])
   * ```
   */
  softsign<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * x kept within [low, high]; -1 and 1 unless given. `torch.nn.functional.hardtanh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).hardtanh()); // tensor([-1., 0., 1.])
   * ```
   */
  hardtanh<A extends Shape, E extends DType>(this: Tensor<A, E>, low?: number, high?: number): Tensor<A, Floating<E>>;
  /**
   * y = min(max(0, x / 6 + 1/2), 1). `torch.nn.functional.hardsigmoid`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).hardsigmoid()); // tensor([0.1667, 0.5000, 1.0000])
   * ```
   */
  hardsigmoid<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x · hardsigmoid(x). `torch.nn.functional.hardswish`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).hardswish()); // tensor([-0.3333, 0.0000, 3.0000])
   * ```
   */
  hardswish<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x - tanh(x). `torch.nn.functional.tanhshrink`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).tanhshrink()); // tensor([-1.0360, 0.0000, 2.0049])
   * ```
   */
  tanhshrink<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x, or 0 where |x| ≤ lambda; lambda is 0.5 unless given. `torch.nn.functional.hardshrink`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).hardshrink(2)); // tensor([0., 0., 3.])
   * ```
   */
  hardshrink<A extends Shape, E extends DType>(this: Tensor<A, E>, lambda?: number): Tensor<A, Floating<E>>;
  /**
   * x moved towards 0 by lambda, and no further; lambda is 0.5 unless given. `torch.nn.functional.softshrink`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).softshrink(1)); // tensor([-1., 0., 2.])
   * ```
   */
  softshrink<A extends Shape, E extends DType>(this: Tensor<A, E>, lambda?: number): Tensor<A, Floating<E>>;
  /**
   * y = x, or value where x ≤ limit. `torch.nn.functional.threshold`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).threshold(1, 9)); // tensor([9., 9., 3.])
   * ```
   */
  threshold<A extends Shape, E extends DType>(this: Tensor<A, E>, limit: number, value: number): Tensor<A, Floating<E>>;
  /**
   * leakyRelu with the mean of two slopes, 1/8 and 1/3 unless given: in evaluation, what training with random ones
   * becomes. `torch.nn.functional.rrelu`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0, 3]).rrelu(0.2, 0.3)); // tensor([-0.5000,  0.0000,  3.0000])
   * ```
   */
  rrelu<A extends Shape, E extends DType>(this: Tensor<A, E>, lower?: number, upper?: number): Tensor<A, Floating<E>>;
  /**
   * y = a · sigmoid(b), a and b the halves of x along dim, the last unless given. `torch.nn.functional.glu`. Throws
   * ERR_NABLA_SHAPE for an odd size.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([6, 8, 0, 0]).glu()); // tensor([3., 4.])
   * ```
   */
  glu<A extends Shape, E extends DType, const I extends number = -1>(
    this: Tensor<A, E> & HasDim<"glu", A, I>,
    dim?: I,
  ): Tensor<ReplaceAt<A, I, number>, Floating<E>>;
}

export const activations: Methods<Activations> = {
  relu: (x) => relu({ x }),
  relu6: (x) => relu6({ x }),
  leakyRelu: (x, slope?: number) => leakyRelu(x, slope),
  prelu: (x, weight: Value) => prelu(x, value("prelu", "weight", weight)),
  elu: (x, alpha?: number) => elu(x, alpha),
  selu: (x) => selu({ x }),
  celu: (x, alpha?: number) => celu(x, alpha),
  gelu: (x, options?: Approximate) => gelu(x, options),
  silu: (x) => silu({ x }),
  mish: (x) => mish({ x }),
  sigmoid: (x) => sigmoid({ x }),
  logSigmoid: (x) => logSigmoid({ x }),
  tanh: (x) => tanh({ x }),
  softplus: (x, beta?: number, threshold?: number) => softplus(x, beta, threshold),
  softsign: (x) => softsign({ x }),
  hardtanh: (x, low?: number, high?: number) => hardtanh(x, low, high),
  hardsigmoid: (x) => hardsigmoid({ x }),
  hardswish: (x) => hardswish({ x }),
  tanhshrink: (x) => tanhshrink({ x }),
  hardshrink: (x, lambda?: number) => hardshrink(x, lambda),
  softshrink: (x, lambda?: number) => softshrink(x, lambda),
  threshold: (x, limit: number, other: number) => threshold(x, limit, other),
  rrelu: (x, lower?: number, upper?: number) => rrelu(x, lower, upper),
  glu: (x, dim?: number) => glu(x, dim),
};
