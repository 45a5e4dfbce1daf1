import { show } from "../core/errors.ts";
import { K } from "../native.gen.ts";
import type { Common, Rule } from "./group.ts";
import { type Grouping, Optimizer, type Trainable } from "./optimizer.ts";

const listed = (x: unknown): string => (Array.isArray(x) ? `[${x.join(", ")}]` : show(x));
const checkBetas = ({ betas }: { betas: readonly [number, number] }): string | undefined =>
  Array.isArray(betas) && betas.length === 2 && betas.every((b) => b >= 0 && b < 1)
    ? undefined
    : `betas must be two numbers from 0 to below 1, got ${listed(betas)}`;
const means = ({ betas, eps }: { betas: readonly [number, number]; eps: number }) => ({
  beta1: betas[0],
  beta2: betas[1],
  eps,
});

/** Options of {@link SGD}. */
export interface SGDOptions extends Common {
  momentum?: number;
  dampening?: number;
  nesterov?: boolean;
}
const sgd: Rule<SGDOptions> = {
  name: "SGD",
  kernel: K.sgd,
  defaults: { lr: 1e-3, weightDecay: 0, maximize: false, momentum: 0, dampening: 0, nesterov: false },
  state: ({ momentum }) => [momentum > 0 ? "momentum_buffer" : null],
  hyper: ({ momentum, dampening, nesterov }) => ({ beta1: momentum, extra: dampening, flag: +nesterov }),
  check: ({ momentum, dampening, nesterov }) =>
    nesterov && (momentum === 0 || dampening !== 0) ? "nesterov needs a momentum above 0 and no dampening" : undefined,
};
/**
 * Gradient descent: w -= lr (g + λ w), with momentum b = μ b + (1 - dampening) g and w -= lr b, or lr (g + μ b) with nesterov.
 *
 * PyTorch: `torch.optim.SGD`.
 * @example
 * ```ts
 * import { Linear, SGD } from "nabla";
 * const opt = new SGD(new Linear(2, 1), { lr: 0.1, momentum: 0.9, nesterov: true });
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(parameters: Trainable, options: SGDOptions & Grouping<SGDOptions> = {}) {
    super(sgd, parameters, options);
  }
}

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends Common {
  /** Decay of the means of the gradient and of its square. */
  betas?: readonly [number, number];
  eps?: number;
  /** Divide by the largest mean square so far. */
  amsgrad?: boolean;
}
const adam: Rule<AdamOptions> = {
  name: "Adam",
  kernel: K.adam,
  defaults: { lr: 1e-3, weightDecay: 0, maximize: false, betas: [0.9, 0.999], eps: 1e-8, amsgrad: false },
  state: ({ amsgrad }) => ["exp_avg", "exp_avg_sq", amsgrad ? "max_exp_avg_sq" : null],
  hyper: means,
  check: checkBetas,
};
/**
 * m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², w -= lr m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ); weight decay
 * is added to the gradient (Kingma and Ba, 2015).
 *
 * PyTorch: `torch.optim.Adam`.
 * @example
 * ```ts
 * import { Adam, Linear } from "nabla";
 * const opt = new Adam(new Linear(2, 1), { lr: 1e-3, betas: [0.9, 0.99] });
 * ```
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(parameters: Trainable, options: AdamOptions & Grouping<AdamOptions> = {}) {
    super(adam, parameters, options);
  }
}
/**
 * Adam whose weight decay shrinks the weights themselves, w *= 1 - lr λ; λ = 0.01 unless given (Loshchilov and Hutter, 2019).
 *
 * PyTorch: `torch.optim.AdamW`.
 * @example
 * ```ts
 * import { AdamW, Linear } from "nabla";
 * const opt = new AdamW(new Linear(2, 1), { lr: 3e-4, weightDecay: 0.1, decay: (p) => p.ndim >= 2 });
 * ```
 */
export class AdamW extends Optimizer<AdamOptions> {
  constructor(parameters: Trainable, options: AdamOptions & Grouping<AdamOptions> = {}) {
    super(adamw, parameters, options);
  }
}
const adamw: Rule<AdamOptions> = {
  ...adam,
  name: "AdamW",
  kernel: K.adamw,
  defaults: { ...adam.defaults, weightDecay: 0.01 },
};

/** Options of {@link RMSprop}. */
export interface RMSpropOptions extends Common {
  /** Decay of the mean square. */
  alpha?: number;
  eps?: number;
  momentum?: number;
  /** Divide by the standard deviation instead of the root mean square. */
  centered?: boolean;
}
const rmsprop: Rule<RMSpropOptions> = {
  name: "RMSprop",
  kernel: K.rmsprop,
  defaults: { lr: 1e-2, weightDecay: 0, maximize: false, alpha: 0.99, eps: 1e-8, momentum: 0, centered: false },
  state: ({ momentum, centered }) => [
    "square_avg",
    centered ? "grad_avg" : null,
    momentum > 0 ? "momentum_buffer" : null,
  ],
  hyper: ({ momentum, alpha, eps }) => ({ beta1: momentum, beta2: alpha, eps }),
  check: ({ alpha }) => (alpha < 1 ? undefined : `alpha must be below 1, got ${alpha}`),
};
/**
 * v = α v + (1 - α) g², w -= lr g / (√v + ε) (Hinton, 2012).
 *
 * PyTorch: `torch.optim.RMSprop`.
 * @example
 * ```ts
 * import { Linear, RMSprop } from "nabla";
 * const opt = new RMSprop(new Linear(2, 1), { lr: 1e-3, momentum: 0.9, centered: true });
 * ```
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(parameters: Trainable, options: RMSpropOptions & Grouping<RMSpropOptions> = {}) {
    super(rmsprop, parameters, options);
  }
}

/** Options of {@link Adagrad}. */
export interface AdagradOptions extends Common {
  lrDecay?: number;
  initialAccumulatorValue?: number;
  eps?: number;
}
const adagrad: Rule<AdagradOptions> = {
  name: "Adagrad",
  kernel: K.adagrad,
  defaults: { lr: 1e-2, weightDecay: 0, maximize: false, lrDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
  state: () => ["sum"],
  hyper: ({ lrDecay, eps }) => ({ extra: lrDecay, eps }),
  initial: ({ initialAccumulatorValue }) => initialAccumulatorValue,
};
/**
 * v += g², w -= lr / (1 + (t - 1) decay) g / (√v + ε) (Duchi, Hazan and Singer, 2011).
 *
 * PyTorch: `torch.optim.Adagrad`.
 * @example
 * ```ts
 * import { Adagrad, Linear } from "nabla";
 * const opt = new Adagrad(new Linear(2, 1), { lr: 0.1 });
 * ```
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(parameters: Trainable, options: AdagradOptions & Grouping<AdagradOptions> = {}) {
    super(adagrad, parameters, options);
  }
}

/** Options of {@link Adadelta}. */
export interface AdadeltaOptions extends Common {
  /** Decay of the mean squares. */
  rho?: number;
  eps?: number;
}
const adadelta: Rule<AdadeltaOptions> = {
  name: "Adadelta",
  kernel: K.adadelta,
  defaults: { lr: 1, weightDecay: 0, maximize: false, rho: 0.9, eps: 1e-6 },
  state: () => ["square_avg", "acc_delta"],
  hyper: ({ rho, eps }) => ({ beta2: rho, eps }),
  check: ({ rho }) => (rho < 1 ? undefined : `rho must be below 1, got ${rho}`),
};
/**
 * v = ρ v + (1 - ρ) g², d = g √(u + ε) / √(v + ε), u = ρ u + (1 - ρ) d², w -= lr d (Zeiler, 2012).
 *
 * PyTorch: `torch.optim.Adadelta`.
 * @example
 * ```ts
 * import { Adadelta, Linear } from "nabla";
 * const opt = new Adadelta(new Linear(2, 1));
 * ```
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(parameters: Trainable, options: AdadeltaOptions & Grouping<AdadeltaOptions> = {}) {
    super(adadelta, parameters, options);
  }
}

/** Options of {@link Adamax}. */
export interface AdamaxOptions extends Common {
  betas?: readonly [number, number];
  eps?: number;
}
const adamax: Rule<AdamaxOptions> = {
  name: "Adamax",
  kernel: K.adamax,
  defaults: { lr: 2e-3, weightDecay: 0, maximize: false, betas: [0.9, 0.999], eps: 1e-8 },
  state: () => ["exp_avg", "exp_inf"],
  hyper: means,
  check: checkBetas,
};
/**
 * m = β₁ m + (1 - β₁) g, u = max(β₂ u, |g| + ε), w -= lr / (1 - β₁ᵗ) m / u (Kingma and Ba, 2015).
 *
 * PyTorch: `torch.optim.Adamax`.
 * @example
 * ```ts
 * import { Adamax, Linear } from "nabla";
 * const opt = new Adamax(new Linear(2, 1));
 * ```
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  constructor(parameters: Trainable, options: AdamaxOptions & Grouping<AdamaxOptions> = {}) {
    super(adamax, parameters, options);
  }
}

/** Options of {@link NAdam}. */
export interface NAdamOptions extends AdamaxOptions {
  momentumDecay?: number;
  /** Shrink the weights themselves instead of adding the decay to the gradient. */
  decoupledWeightDecay?: boolean;
}
const nadam: Rule<NAdamOptions> = {
  name: "NAdam",
  kernel: K.nadam,
  defaults: { ...adamax.defaults, momentumDecay: 4e-3, decoupledWeightDecay: false },
  state: () => ["exp_avg", "exp_avg_sq"],
  hyper: (o) => ({ ...means(o), extra: o.momentumDecay, flag: +o.decoupledWeightDecay }),
  counts: { mu_product: "product" },
  check: checkBetas,
};
/**
 * Adam with Nesterov's momentum, whose weight μₜ = β₁ (1 - 0.96^(t ψ) / 2) grows with the step (Dozat, 2016).
 *
 * PyTorch: `torch.optim.NAdam`.
 * @example
 * ```ts
 * import { Linear, NAdam } from "nabla";
 * const opt = new NAdam(new Linear(2, 1), { lr: 2e-3 });
 * ```
 */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(parameters: Trainable, options: NAdamOptions & Grouping<NAdamOptions> = {}) {
    super(nadam, parameters, options);
  }
}

/** Options of {@link RAdam}. */
export interface RAdamOptions extends AdamaxOptions {
  /** Shrink the weights themselves instead of adding the decay to the gradient. */
  decoupledWeightDecay?: boolean;
}
const radam: Rule<RAdamOptions> = {
  name: "RAdam",
  kernel: K.radam,
  defaults: { ...adamax.defaults, lr: 1e-3, decoupledWeightDecay: false },
  state: () => ["exp_avg", "exp_avg_sq"],
  hyper: (o) => ({ ...means(o), flag: +o.decoupledWeightDecay }),
  check: checkBetas,
};
/**
 * Adam that waits with dividing until the variance of its mean square is known, from about the sixth step on (Liu et al., 2020).
 *
 * PyTorch: `torch.optim.RAdam`.
 * @example
 * ```ts
 * import { Linear, RAdam } from "nabla";
 * const opt = new RAdam(new Linear(2, 1), { lr: 1e-3 });
 * ```
 */
export class RAdam extends Optimizer<RAdamOptions> {
  constructor(parameters: Trainable, options: RAdamOptions & Grouping<RAdamOptions> = {}) {
    super(radam, parameters, options);
  }
}

/** Options of {@link Lion}. */
export interface LionOptions extends Common {
  betas?: readonly [number, number];
}
const lion: Rule<LionOptions> = {
  name: "Lion",
  kernel: K.lion,
  defaults: { lr: 1e-4, weightDecay: 0, maximize: false, betas: [0.9, 0.99] },
  state: () => ["exp_avg"],
  hyper: ({ betas }) => ({ beta1: betas[0], beta2: betas[1] }),
  check: checkBetas,
};
/**
 * w = (1 - lr λ) w - lr sign(β₁ m + (1 - β₁) g), m = β₂ m + (1 - β₂) g: one state tensor (Chen et al., 2023). Its learning rate is
 * a third to a tenth of AdamW's.
 * @example
 * ```ts
 * import { Linear, Lion } from "nabla";
 * const opt = new Lion(new Linear(2, 1), { lr: 1e-4, weightDecay: 1 });
 * ```
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(parameters: Trainable, options: LionOptions & Grouping<LionOptions> = {}) {
    super(lion, parameters, options);
  }
}

/** Options of {@link Rprop}. */
export interface RpropOptions extends Omit<Common, "weightDecay"> {
  /** Factors of the step where the sign of the gradient turned and where it stayed. */
  etas?: readonly [number, number];
  /** The smallest and the largest step. */
  stepSizes?: readonly [number, number];
}
const rprop: Rule<RpropOptions & Common> = {
  name: "Rprop",
  kernel: K.rprop,
  defaults: { lr: 1e-2, weightDecay: 0, maximize: false, etas: [0.5, 1.2], stepSizes: [1e-6, 50] },
  state: () => ["prev", "step_size"],
  hyper: ({ etas, stepSizes }) => ({ beta1: etas[0], beta2: etas[1], extra: stepSizes[0], flag: stepSizes[1] }),
  check: ({ etas, stepSizes }) =>
    Array.isArray(stepSizes) && Array.isArray(etas) && 0 < etas[0] && etas[0] < 1 && etas[1] > 1
      ? undefined
      : `etas must be two numbers around 1, stepSizes two numbers; got ${listed(etas)} and ${listed(stepSizes)}`,
};
/**
 * Only the sign of the gradient counts: each weight has a step of its own, which grows while the sign stays and shrinks when it
 * turns (Riedmiller and Braun, 1993). For full batches.
 *
 * PyTorch: `torch.optim.Rprop`.
 * @example
 * ```ts
 * import { Linear, Rprop } from "nabla";
 * const opt = new Rprop(new Linear(2, 1), { lr: 0.01 });
 * ```
 */
export class Rprop extends Optimizer<RpropOptions & Common> {
  constructor(parameters: Trainable, options: RpropOptions & Grouping<RpropOptions & Common> = {}) {
    super(rprop, parameters, options);
  }
}
