// The losses as users call them: typed, the formula and the PyTorch name of each. What they compute is in ops/.
import { guards } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import * as losses from "../ops/loss.ts";
import * as margins from "../ops/margin.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { CanCrossEntropy, CanExpand, DType, Floating, Reduce, SameShape, Shape } from "../types/shape.ts";

const [loss, margin] = [guards({ ...losses }), guards({ ...margins })];

/** What becomes of the losses of the elements or rows: their mean unless given, their sum, or nothing. */
export type Reduction = losses.Reduction;
export interface LossOptions<R extends Reduction = Reduction> {
  reduction?: R;
}
type Reduced<S extends Shape, R extends Reduction> = R extends "none" ? S : [];

/** A loss of outputs and targets of one shape. */
type Pairwise<Name extends string, More = unknown> = <
  A extends Shape,
  D extends DType,
  B extends Shape,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, D>,
  target: Tensor<B> & SameShape<Name, A, B>,
  options?: LossOptions<R> & More,
) => Tensor<Reduced<A, R>, Floating<D>>;

/**
 * Mean squared error, (x - t)². Shapes must be equal: nothing broadcasts. PyTorch: `nn.functional.mse_loss`.
 * @example
 * ```ts
 * import { mse, tensor } from "nabla";
 * console.log(mse(tensor([1, 2]), tensor([1, 4]))); // tensor(2.)
 * ```
 */
export const mse: Pairwise<"mse"> = loss.mse as never;

/**
 * Mean absolute error, |x - t|. PyTorch: `nn.functional.l1_loss`.
 * @example
 * ```ts
 * import { l1, tensor } from "nabla";
 * console.log(l1(tensor([1, 2]), tensor([1, 4]))); // tensor(1.)
 * ```
 */
export const l1: Pairwise<"l1"> = loss.l1 as never;

/**
 * With d = |x - t|: d² / 2 up to delta, delta (d - delta / 2) beyond (Huber, 1964). PyTorch: `nn.functional.huber_loss`.
 * @example
 * ```ts
 * import { huber, tensor } from "nabla";
 * console.log(huber(tensor([0, 3]), tensor([1, 0]), { reduction: "none" })); // tensor([0.5000, 2.5000])
 * ```
 */
export const huber: Pairwise<"huber", { delta?: number }> = loss.huber as never;

/**
 * With d = |x - t|: d² / (2 beta) up to beta, d - beta / 2 beyond. PyTorch: `nn.functional.smooth_l1_loss`.
 * @example
 * ```ts
 * import { smoothL1, tensor } from "nabla";
 * console.log(smoothL1(tensor([0, 3]), tensor([1, 0]), { beta: 2, reduction: "none" })); // tensor([0.2500, 2.0000])
 * ```
 */
export const smoothL1: Pairwise<"smoothL1", { beta?: number }> = loss.smoothL1 as never;

/**
 * Binary cross-entropy of probabilities, -(t log x + (1 - t) log(1 - x)); the logarithms are cut off at -100. From logits,
 * {@link bceWithLogits} is exact. PyTorch: `nn.functional.binary_cross_entropy`.
 * @example
 * ```ts
 * import { bce, tensor } from "nabla";
 * console.log(bce(tensor([0.5, 0.5]), tensor([0, 1]))); // tensor(0.6931)
 * ```
 */
export const bce: Pairwise<"bce", { weight?: Tensor }> = loss.bce as never;

/**
 * Binary cross-entropy of sigmoid(x) without taking a sigmoid: (1 - t) log(1 + e^x) + w t log(1 + e^-x), w = posWeight the
 * weight of positives. PyTorch: `nn.functional.binary_cross_entropy_with_logits`.
 * @example
 * ```ts
 * import { bceWithLogits, tensor } from "nabla";
 * console.log(bceWithLogits(tensor([0, 100]), tensor([0, 1]))); // tensor(0.3466)
 * ```
 */
export const bceWithLogits: Pairwise<"bceWithLogits", { weight?: Tensor; posWeight?: Tensor }> =
  loss.bceWithLogits as never;

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** "batchmean", the sum over the first size, is the divergence of rows; "mean" unless given, as in PyTorch. */
  reduction?: Reduction | "batchmean";
  /** The target is given as logarithms too. */
  logTarget?: boolean;
}
/**
 * Kullback-Leibler divergence, t (log t - x), of a target t from log-probabilities x. PyTorch: `nn.functional.kl_div`.
 * @example
 * ```ts
 * import { klDiv, tensor } from "nabla";
 * const x = tensor([[0.5, 0.5]]).log();
 * console.log(klDiv(x, tensor([[1, 0]]), { reduction: "batchmean" })); // tensor(0.6931)
 * ```
 */
export function klDiv<A extends Shape, D extends DType, B extends Shape, const O extends KlDivOptions>(
  x: Tensor<A, D>,
  target: Tensor<B> & SameShape<"klDiv", A, B>,
  options?: O,
): Tensor<O extends { reduction: "none" } ? A : [], Floating<D>> {
  return loss.klDiv(x, target as unknown as Value, options) as never;
}

/** Options of {@link crossEntropy} and {@link nll}. */
export interface NllOptions<R extends Reduction, I extends number> extends LossOptions<R> {
  /** A weight for each class; the mean is then weighted too. */
  weight?: Tensor;
  /** Rows with this label count for nothing; -100 unless given. */
  ignoreIndex?: number;
  /** The dim of the classes: the last unless given. PyTorch's is 1. */
  classDim?: I;
}
export interface CrossEntropyOptions<R extends Reduction, I extends number> extends NllOptions<R, I> {
  /** This share of each target is spread evenly over all classes. */
  labelSmoothing?: number;
}
/**
 * -Σ q log softmax(x) over the classes of logits x: q is 1 at the label, for integer targets of the shape without the class
 * dim; or the target itself, for probabilities of the shape of x. One kernel gives loss and gradient.
 *
 * PyTorch: `nn.functional.cross_entropy`, whose class dim is 1; here it is the last. A label out of range is an
 * ERR_NABLA_INDEX, in a compiled step NaN.
 * @example
 * ```ts
 * import { crossEntropy, tensor } from "nabla";
 * const logits = tensor([[2, 0], [0, 2]]);
 * console.log(crossEntropy(logits, tensor([0, 1], { dtype: "i32" }))); // tensor(0.1269)
 * console.log(crossEntropy(logits, tensor([[1, 0], [0.5, 0.5]]), { reduction: "none" })); // tensor([0.1269, 1.1269])
 * ```
 */
export function crossEntropy<
  A extends Shape,
  D extends DType,
  B extends Shape,
  E extends DType,
  const R extends Reduction = "mean",
  const I extends number = -1,
>(
  logits: Tensor<A, D>,
  target: Tensor<B, E> & CanCrossEntropy<A, B, E, I>,
  options?: CrossEntropyOptions<R, I>,
): Tensor<Reduced<Reduce<A, I>, R>, D> {
  return loss.crossEntropy(logits, target as unknown as Value, options) as never;
}

/**
 * -x at the label, for log-probabilities x: with logSoftmax before it, cross-entropy in two steps. PyTorch:
 * `nn.functional.nll_loss`, whose class dim is 1; here it is the last.
 * @example
 * ```ts
 * import { nll, tensor } from "nabla";
 * const x = tensor([[0.25, 0.75]]).log();
 * console.log(nll(x, tensor([1], { dtype: "i32" }))); // tensor(0.2877)
 * ```
 */
export function nll<
  A extends Shape,
  D extends DType,
  B extends Shape,
  E extends DType,
  const R extends Reduction = "mean",
  const I extends number = -1,
>(
  x: Tensor<A, D>,
  target: Tensor<B, E> & CanCrossEntropy<A, B, E, I>,
  options?: NllOptions<R, I>,
): Tensor<Reduced<Reduce<A, I>, R>, D> {
  return loss.nll(x, target as unknown as Value, options) as never;
}

/**
 * log(1 + e^(-t x)), t = 1 or -1. PyTorch: `nn.functional.soft_margin_loss`.
 * @example
 * ```ts
 * import { softMargin, tensor } from "nabla";
 * console.log(softMargin(tensor([0]), tensor([1]))); // tensor(0.6931)
 * ```
 */
export const softMargin: Pairwise<"softMargin"> = margin.softMargin as never;

/**
 * x where t = 1, max(0, margin - x) where t = -1, their sum where t is neither. PyTorch:
 * `nn.functional.hinge_embedding_loss`.
 * @example
 * ```ts
 * import { hingeEmbedding, tensor } from "nabla";
 * console.log(hingeEmbedding(tensor([2, 0.25]), tensor([1, -1]), { reduction: "none" })); // tensor([2.0000, 0.7500])
 * ```
 */
export const hingeEmbedding: Pairwise<"hingeEmbedding", { margin?: number }> = margin.hingeEmbedding as never;

/**
 * Poisson negative log-likelihood, e^x - t x for log-rates x; with `logInput: false`, x - t log x for rates. PyTorch:
 * `nn.functional.poisson_nll_loss`.
 * @example
 * ```ts
 * import { poissonNll, tensor } from "nabla";
 * console.log(poissonNll(tensor([0]), tensor([2]))); // tensor(1.)
 * ```
 */
export const poissonNll: Pairwise<"poissonNll", { logInput?: boolean; full?: boolean; eps?: number }> =
  margin.poissonNll as never;

/**
 * Gaussian negative log-likelihood, (log v + (x - t)² / v) / 2 for means x and variances v. The target expands to the shape
 * of x; variances do too, or have it without its last dim: one for each row. PyTorch: `nn.functional.gaussian_nll_loss`.
 * @example
 * ```ts
 * import { gaussianNll, tensor } from "nabla";
 * console.log(gaussianNll(tensor([1]), tensor([3]), tensor([1]))); // tensor(2.)
 * ```
 */
export function gaussianNll<
  A extends Shape,
  D extends DType,
  B extends Shape,
  C extends Shape,
  const R extends Reduction = "mean",
>(
  x: Tensor<A, D>,
  target: Tensor<B> & CanExpand<B, A>,
  variance: Tensor<C>,
  options?: LossOptions<R> & { full?: boolean; eps?: number },
): Tensor<Reduced<A, R>, Floating<D>> {
  return margin.gaussianNll(x, target as unknown as Value, variance, options) as never;
}

/**
 * max(0, -t (x1 - x2) + margin): t = 1 where x1 is to be the larger, -1 where x2 is. PyTorch:
 * `nn.functional.margin_ranking_loss`.
 * @example
 * ```ts
 * import { marginRanking, tensor } from "nabla";
 * console.log(marginRanking(tensor([1]), tensor([3]), tensor([1]))); // tensor(2.)
 * ```
 */
export function marginRanking<A extends Shape, D extends DType, B extends Shape, const R extends Reduction = "mean">(
  x1: Tensor<A, D>,
  x2: Tensor<B> & SameShape<"marginRanking", A, B>,
  target: Tensor,
  options?: LossOptions<R> & { margin?: number },
): Tensor<Reduced<A, R>, Floating<D>> {
  return margin.marginRanking(x1, x2 as unknown as Value, target, options) as never;
}

/**
 * max(0, ‖a - p‖ - ‖a - n‖ + margin) for rows of an anchor, a positive and a negative. PyTorch:
 * `nn.functional.triplet_margin_loss`.
 * @example
 * ```ts
 * import { tensor, tripletMargin } from "nabla";
 * console.log(tripletMargin(tensor([[0]]), tensor([[1]]), tensor([[1.5]])).item().toFixed(2)); // 0.50
 * ```
 */
export function tripletMargin<A extends Shape, D extends DType, const R extends Reduction = "mean">(
  anchor: Tensor<A, D>,
  positive: Tensor,
  negative: Tensor,
  options?: LossOptions<R> & { margin?: number; p?: number; eps?: number },
): Tensor<Reduced<Reduce<A, -1>, R>, Floating<D>> {
  return margin.tripletMargin(anchor, positive, negative, options) as never;
}

/**
 * a · b / (‖a‖ ‖b‖) over a dim, 1 unless given. PyTorch: `nn.functional.cosine_similarity`.
 * @example
 * ```ts
 * import { cosineSimilarity, tensor } from "nabla";
 * console.log(cosineSimilarity(tensor([[1, 0]]), tensor([[3, 4]]))); // tensor([0.6000])
 * ```
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options?: { dim?: number; eps?: number }): Tensor<Shape, "f32"> {
  return margin.cosineSimilarity(a, b, options) as never;
}

/**
 * 1 - cos(a, b) where t = 1, max(0, cos(a, b) - margin) where t = -1, for rows. PyTorch:
 * `nn.functional.cosine_embedding_loss`.
 * @example
 * ```ts
 * import { cosineEmbedding, tensor } from "nabla";
 * console.log(cosineEmbedding(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1]))); // tensor(1.)
 * ```
 */
export function cosineEmbedding<A extends Shape, D extends DType, const R extends Reduction = "mean">(
  a: Tensor<A, D>,
  b: Tensor,
  target: Tensor,
  options?: LossOptions<R> & { margin?: number },
): Tensor<Reduced<Reduce<A, -1>, R>, Floating<D>> {
  return margin.cosineEmbedding(a, b, target, options) as never;
}
