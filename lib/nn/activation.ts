import { only } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import * as ops from "../ops/activation.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, Floating, Shape } from "../types/shape.ts";
import { Module } from "./module.ts";

/** y = f(x), of the shape of x; what the constructor was given are its only properties. */
abstract class Activation extends Module {
  declare readonly gives: "same";
  protected abstract of(x: Value): Value;
  override describe(): string {
    return Object.values(this).join(", ");
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, Floating<D>> {
    return this.of(x) as never;
  }
}

/**
 * y = max(0, x). PyTorch: `torch.nn.ReLU`.
 * @example
 * ```ts
 * import { ReLU, tensor } from "nabla";
 * console.log(new ReLU().forward(tensor([-1, 0, 2]))); // tensor([0., 0., 2.])
 * ```
 */
export class ReLU extends Activation {
  protected of(x: Value): Value {
    return ops.relu({ x });
  }
}

/**
 * y = min(max(0, x), 6). PyTorch: `torch.nn.ReLU6`.
 * @example
 * ```ts
 * import { ReLU6, tensor } from "nabla";
 * console.log(new ReLU6().forward(tensor([-1, 0, 2]))); // tensor([0., 0., 2.])
 * ```
 */
export class ReLU6 extends Activation {
  protected of(x: Value): Value {
    return ops.relu6({ x });
  }
}

/**
 * y = 1 / (1 + e^-x). PyTorch: `torch.nn.Sigmoid`.
 * @example
 * ```ts
 * import { Sigmoid, tensor } from "nabla";
 * console.log(new Sigmoid().forward(tensor([-1, 0, 2]))); // tensor([0.2689, 0.5000, 0.8808])
 * ```
 */
export class Sigmoid extends Activation {
  protected of(x: Value): Value {
    return ops.sigmoid({ x });
  }
}

/**
 * y = tanh x. PyTorch: `torch.nn.Tanh`.
 * @example
 * ```ts
 * import { Tanh, tensor } from "nabla";
 * console.log(new Tanh().forward(tensor([-1, 0, 2]))); // tensor([-0.7616,  0.0000,  0.9640])
 * ```
 */
export class Tanh extends Activation {
  protected of(x: Value): Value {
    return ops.tanh({ x });
  }
}

/**
 * y = x Φ(x), Φ the normal distribution; with `approximate: "tanh"` by tanh(√(2/π) (x + 0.044715 x³)) in its place, as GPT-2
 * was trained. PyTorch: `torch.nn.GELU`.
 * @example
 * ```ts
 * import { GELU, tensor } from "nabla";
 * console.log(new GELU().forward(tensor([-1, 0, 2]))); // tensor([-0.1587,  0.0000,  1.9545])
 * console.log(new GELU({ approximate: "tanh" }).forward(tensor([-1, 0, 2]))); // tensor([-0.1588,  0.0000,  1.9546])
 * ```
 */
export class GELU extends Activation {
  readonly approximate: "none" | "tanh";

  constructor(options: { approximate?: "none" | "tanh" } = {}) {
    const { approximate = "none" } = only("GELU", options, ["approximate"]);
    super();
    this.approximate = approximate;
  }
  override describe(): string {
    return this.approximate === "none" ? "" : '{ approximate: "tanh" }';
  }
  protected of(x: Value): Value {
    return ops.gelu(x, { approximate: this.approximate });
  }
}

/**
 * y = x sigmoid(x), also called swish. PyTorch: `torch.nn.SiLU`.
 * @example
 * ```ts
 * import { SiLU, tensor } from "nabla";
 * console.log(new SiLU().forward(tensor([-1, 0, 2]))); // tensor([-0.2689,  0.0000,  1.7616])
 * ```
 */
export class SiLU extends Activation {
  protected of(x: Value): Value {
    return ops.silu({ x });
  }
}

/**
 * y = x tanh(softplus(x)). PyTorch: `torch.nn.Mish`.
 * @example
 * ```ts
 * import { Mish, tensor } from "nabla";
 * console.log(new Mish().forward(tensor([-1, 0, 2]))); // tensor([-0.3034,  0.0000,  1.9440])
 * ```
 */
export class Mish extends Activation {
  protected of(x: Value): Value {
    return ops.mish({ x });
  }
}

/**
 * y = x min(max(0, x + 3), 6) / 6. PyTorch: `torch.nn.Hardswish`.
 * @example
 * ```ts
 * import { Hardswish, tensor } from "nabla";
 * console.log(new Hardswish().forward(tensor([-1, 0, 2]))); // tensor([-0.3333,  0.0000,  1.6667])
 * ```
 */
export class Hardswish extends Activation {
  protected of(x: Value): Value {
    return ops.hardswish({ x });
  }
}

/**
 * y = min(max(0, x + 3), 6) / 6. PyTorch: `torch.nn.Hardsigmoid`.
 * @example
 * ```ts
 * import { Hardsigmoid, tensor } from "nabla";
 * console.log(new Hardsigmoid().forward(tensor([-1, 0, 2]))); // tensor([0.3333, 0.5000, 0.8333])
 * ```
 */
export class Hardsigmoid extends Activation {
  protected of(x: Value): Value {
    return ops.hardsigmoid({ x });
  }
}

/**
 * y = 1.0507 x, or 1.0507 · 1.6733 (e^x - 1) below 0: keeps mean 0 and variance 1. PyTorch: `torch.nn.SELU`.
 * @example
 * ```ts
 * import { SELU, tensor } from "nabla";
 * console.log(new SELU().forward(tensor([-1, 0, 2]))); // tensor([-1.1113,  0.0000,  2.1014])
 * ```
 */
export class SELU extends Activation {
  protected of(x: Value): Value {
    return ops.selu({ x });
  }
}

/**
 * y = x / (1 + |x|). PyTorch: `torch.nn.Softsign`.
 * @example
 * ```ts
 * import { Softsign, tensor } from "nabla";
 * console.log(new Softsign().forward(tensor([-1, 0, 2]))); // tensor([-0.5000,  0.0000,  0.6667])
 * ```
 */
export class Softsign extends Activation {
  protected of(x: Value): Value {
    return ops.softsign({ x });
  }
}

/**
 * y = log sigmoid(x). PyTorch: `torch.nn.LogSigmoid`.
 * @example
 * ```ts
 * import { LogSigmoid, tensor } from "nabla";
 * console.log(new LogSigmoid().forward(tensor([-1, 0, 2]))); // tensor([-1.3133, -0.6931, -0.1269])
 * ```
 */
export class LogSigmoid extends Activation {
  protected of(x: Value): Value {
    return ops.logSigmoid({ x });
  }
}

/**
 * y = x - tanh x. PyTorch: `torch.nn.Tanhshrink`.
 * @example
 * ```ts
 * import { Tanhshrink, tensor } from "nabla";
 * console.log(new Tanhshrink().forward(tensor([-1, 0, 2]))); // tensor([-0.2384,  0.0000,  1.0360])
 * ```
 */
export class Tanhshrink extends Activation {
  protected of(x: Value): Value {
    return ops.tanhshrink({ x });
  }
}

/**
 * y = x, or slope · x below 0. PyTorch: `torch.nn.LeakyReLU`.
 * @example
 * ```ts
 * import { LeakyReLU, tensor } from "nabla";
 * console.log(new LeakyReLU(0.1).forward(tensor([-1, 0, 2]))); // tensor([-0.1000,  0.0000,  2.0000])
 * ```
 */
export class LeakyReLU extends Activation {
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
    this.slope = slope;
  }
  protected of(x: Value): Value {
    return ops.leakyRelu(x, this.slope);
  }
}

/**
 * y = x, or alpha (e^x - 1) below 0. PyTorch: `torch.nn.ELU`.
 * @example
 * ```ts
 * import { ELU, tensor } from "nabla";
 * console.log(new ELU().forward(tensor([-1, 0, 2]))); // tensor([-0.6321,  0.0000,  2.0000])
 * ```
 */
export class ELU extends Activation {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }
  protected of(x: Value): Value {
    return ops.elu(x, this.alpha);
  }
}

/**
 * y = x, or alpha (e^(x / alpha) - 1) below 0. PyTorch: `torch.nn.CELU`.
 * @example
 * ```ts
 * import { CELU, tensor } from "nabla";
 * console.log(new CELU().forward(tensor([-1, 0, 2]))); // tensor([-0.6321,  0.0000,  2.0000])
 * ```
 */
export class CELU extends Activation {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }
  protected of(x: Value): Value {
    return ops.celu(x, this.alpha);
  }
}

/**
 * y = log(1 + e^(beta x)) / beta, and x itself where beta x > threshold. PyTorch: `torch.nn.Softplus`.
 * @example
 * ```ts
 * import { Softplus, tensor } from "nabla";
 * console.log(new Softplus().forward(tensor([-1, 0, 2]))); // tensor([0.3133, 0.6931, 2.1269])
 * ```
 */
export class Softplus extends Activation {
  readonly beta: number;
  readonly threshold: number;

  constructor(beta = 1, threshold = 20) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }
  protected of(x: Value): Value {
    return ops.softplus(x, this.beta, this.threshold);
  }
}

/**
 * y = min(max(low, x), high). PyTorch: `torch.nn.Hardtanh`.
 * @example
 * ```ts
 * import { Hardtanh, tensor } from "nabla";
 * console.log(new Hardtanh().forward(tensor([-1, 0, 2]))); // tensor([-1.,  0.,  1.])
 * ```
 */
export class Hardtanh extends Activation {
  readonly low: number;
  readonly high: number;

  constructor(low = -1, high = 1) {
    super();
    this.low = low;
    this.high = high;
  }
  protected of(x: Value): Value {
    return ops.hardtanh(x, this.low, this.high);
  }
}

/**
 * y = e^x / Σ e^x over a dim, the last unless given. PyTorch: `torch.nn.Softmax`.
 * @example
 * ```ts
 * import { Softmax, tensor } from "nabla";
 * console.log(new Softmax().forward(tensor([-1, 0, 2]))); // tensor([0.0420, 0.1142, 0.8438])
 * ```
 */
export class Softmax extends Activation {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }
  protected of(x: Value): Value {
    return softmax(x, this.dim);
  }
}

/**
 * y = x - log Σ e^x over a dim, the last unless given. PyTorch: `torch.nn.LogSoftmax`.
 * @example
 * ```ts
 * import { LogSoftmax, tensor } from "nabla";
 * console.log(new LogSoftmax().forward(tensor([-1, 0, 2]))); // tensor([-3.1698, -2.1698, -0.1698])
 * ```
 */
export class LogSoftmax extends Activation {
  readonly dim: number;

  constructor(dim = -1) {
    super();
    this.dim = dim;
  }
  protected of(x: Value): Value {
    return logSoftmax(x, this.dim);
  }
}
