import type { Value } from "../core/value.ts";
import * as ops from "../ops/index.ts";
import type { CanCrossEntropy, DType, Floating, Promote, Reduce, SameShape, Shape } from "../types/shape.ts";
import { value } from "./check.ts";
import type { Tensor } from "./tensor.ts";

/** What becomes of the losses of all elements; "mean" unless given. */
export type Reduction = ops.Reduction;
interface Reduced<R extends Reduction> {
  readonly reduction?: R;
}
type Left<R extends Reduction, S extends Shape> = R extends "none" ? S : [];

type Compare = (x: Value, target: Value, options: never) => Value;
const compared = (op: string, f: Compare, x: unknown, target: unknown, options: unknown = {}): Value =>
  f(value(op, "x", x), value(op, "target", target), options as never);

/**
 * Mean squared error: the mean of (x - target)². `torch.nn.functional.mse_loss`. Shapes do not broadcast: throws
 * ERR_NABLA_SHAPE where they differ.
 * ```ts
 * import { mse, tensor } from "nabla";
 * console.log(mse(tensor([1, 2]), tensor([1, 4]))); // tensor(2.)
 * ```
 */
export function mse<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"mse", A, B>,
  options?: Reduced<R>,
): Tensor<Left<R, A>, Floating<Promote<E, F>>>;
export function mse(x: Value, target: Value, options?: Reduced<Reduction>): unknown {
  return compared("mse", ops.mse, x, target, options);
}

/**
 * Mean absolute error: the mean of |x - target|. `torch.nn.functional.l1_loss`. Throws ERR_NABLA_SHAPE where shapes
 * differ.
 * ```ts
 * import { l1, tensor } from "nabla";
 * console.log(l1(tensor([1, 2]), tensor([1, 5]), { reduction: "none" })); // tensor([0., 3.])
 * ```
 */
export function l1<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"l1", A, B>,
  options?: Reduced<R>,
): Tensor<Left<R, A>, Floating<Promote<E, F>>>;
export function l1(x: Value, target: Value, options?: Reduced<Reduction>): unknown {
  return compared("l1", ops.l1, x, target, options);
}

/**
 * Huber loss: with d = |x - target|, d² / 2 up to delta and delta · (d - delta / 2) beyond; delta is 1 unless given.
 * `torch.nn.functional.huber_loss`. Throws ERR_NABLA_SHAPE where shapes differ.
 * ```ts
 * import { huber, tensor } from "nabla";
 * console.log(huber(tensor([1, 2]), tensor([2, 5]), { reduction: "none" })); // tensor([0.5000, 2.5000])
 * ```
 */
export function huber<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"huber", A, B>,
  options?: Reduced<R> & { readonly delta?: number },
): Tensor<Left<R, A>, Floating<Promote<E, F>>>;
export function huber(x: Value, target: Value, options?: object): unknown {
  return compared("huber", ops.huber, x, target, options);
}

/**
 * huber() / beta: d² / (2 beta) up to beta and d - beta / 2 beyond; beta is 1 unless given.
 * `torch.nn.functional.smooth_l1_loss`. Throws ERR_NABLA_SHAPE where shapes differ.
 * ```ts
 * import { smoothL1, tensor } from "nabla";
 * console.log(smoothL1(tensor([1, 2]), tensor([2, 5]), { beta: 2 })); // tensor(1.1250)
 * ```
 */
export function smoothL1<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"smoothL1", A, B>,
  options?: Reduced<R> & { readonly beta?: number },
): Tensor<Left<R, A>, Floating<Promote<E, F>>>;
export function smoothL1(x: Value, target: Value, options?: object): unknown {
  return compared("smoothL1", ops.smoothL1, x, target, options);
}

/**
 * Binary cross-entropy of probabilities: the mean of -(t ln x + (1 - t) ln(1 - x)). `torch.nn.functional
 * .binary_cross_entropy`. Of logits, take bceWithLogits. Throws ERR_NABLA_SHAPE where shapes differ.
 * ```ts
 * import { bce, tensor } from "nabla";
 * console.log(bce(tensor([0.5, 0.9]), tensor([0, 1]))); // tensor(0.3993)
 * ```
 */
export function bce<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"bce", A, B>,
  options?: Reduced<R> & { readonly weight?: Tensor },
): Tensor<Left<R, A>, Floating<E>>;
export function bce(x: Value, target: Value, options?: object): unknown {
  return compared("bce", ops.bce, x, target, options);
}

/**
 * bce of sigmoid(x), without taking a sigmoid, so that large x lose nothing; posWeight multiplies the loss of positives.
 * `torch.nn.functional.binary_cross_entropy_with_logits`. Throws ERR_NABLA_SHAPE where shapes differ.
 * ```ts
 * import { bceWithLogits, tensor } from "nabla";
 * console.log(bceWithLogits(tensor([0, 100]), tensor([0, 1]))); // tensor(0.3466)
 * ```
 */
export function bceWithLogits<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"bceWithLogits", A, B>,
  options?: Reduced<R> & { readonly weight?: Tensor; readonly posWeight?: Tensor },
): Tensor<Left<R, A>, Floating<Promote<E, F>>>;
export function bceWithLogits(x: Value, target: Value, options?: object): unknown {
  return compared("bceWithLogits", ops.bceWithLogits, x, target, options);
}

/**
 * Kullback-Leibler divergence: the mean of t · (ln t - x), x being logarithms of probabilities; "batchmean" divides the
 * sum by the first size, which is the divergence of rows. `torch.nn.functional.kl_div`. Throws ERR_NABLA_SHAPE where
 * shapes differ.
 * ```ts
 * import { klDiv, tensor } from "nabla";
 * const x = tensor([[0.5, 0.5]]).log();
 * console.log(klDiv(x, tensor([[0.9, 0.1]]), { reduction: "batchmean" })); // tensor(0.3681)
 * ```
 */
export function klDiv<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction | "batchmean" = "mean",
>(
  x: Tensor<A, E>,
  target: Tensor<B, F> & SameShape<"klDiv", A, B>,
  options?: { readonly reduction?: R; readonly logTarget?: boolean },
): Tensor<R extends "none" ? A : [], Floating<Promote<E, F>>>;
export function klDiv(x: Value, target: Value, options?: object): unknown {
  return compared("klDiv", ops.klDiv, x, target, options);
}

export interface CrossEntropyOptions<R extends Reduction = Reduction, I extends number = number> extends Reduced<R> {
  /** A weight for each class. */
  readonly weight?: Tensor;
  /** Rows with this label count for nothing; -100 unless given. */
  readonly ignoreIndex?: number;
  /** This share of each target is spread over all classes. */
  readonly labelSmoothing?: number;
  /** The dim of the classes: the last unless given; PyTorch's is 1. */
  readonly classDim?: I;
}

/**
 * Cross-entropy of logits: the mean of -ln softmax(logits)[target]. Targets are i32 labels, of the shape of the logits
 * without the class dim, or probabilities of the shape of the logits. `torch.nn.functional.cross_entropy`. Throws
 * ERR_NABLA_SHAPE where shapes do not go together, ERR_NABLA_INDEX for a label that is no class.
 * ```ts
 * import { crossEntropy, tensor } from "nabla";
 * const logits = tensor([[2, 0, 0], [0, 3, 0]]);
 * console.log(crossEntropy(logits, tensor([0, 1], { dtype: "i32" }))); // tensor(0.1672)
 * ```
 */
export function crossEntropy<
  A extends Shape,
  E extends DType,
  B extends Shape,
  F extends DType,
  const R extends Reduction = "mean",
  const I extends number = -1,
>(
  logits: Tensor<A, E>,
  target: Tensor<B, F> & CanCrossEntropy<A, B, F, I>,
  options?: CrossEntropyOptions<R, I>,
): Tensor<Left<R, Reduce<A, I>>, Floating<E>>;
export function crossEntropy(logits: Value, target: Value, options?: object): unknown {
  return compared("crossEntropy", ops.crossEntropy, logits, target, options);
}
