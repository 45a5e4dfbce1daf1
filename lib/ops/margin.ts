// Losses of pairs and margins, and those of distributions over real numbers.
import { only } from "../core/boundary.ts";
import { checkDim, sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { logSigmoid, relu } from "./activation.ts";
import { abs, commonShape, eq, gt, maximum, where } from "./arithmetic.ts";
import { pow } from "./binary.ts";
import { minus, over, plus, times } from "./formula.ts";
import { checkAlike, type LossOptions, reduced, spread } from "./loss.ts";
import { exp, log, sqrt, square } from "./math.ts";
import { sum } from "./reduce.ts";
import { unsqueeze } from "./view.ts";

interface Margin extends LossOptions {
  readonly margin?: number | undefined;
}
const above0 = (x: Value): Value => relu({ x });

/** log(1 + e^(-t x)), t = 1 or -1 */
export function softMargin(x: Value, target: Value, options: LossOptions = {}): Value {
  const { reduction } = only("softMargin", options, ["reduction"]);
  checkAlike("softMargin", x, target);
  return reduced("softMargin", times(logSigmoid({ x: times(x, target) }), -1), reduction);
}
/** x where t = 1, max(0, margin - x) where t = -1; their sum where t is neither */
export function hingeEmbedding(x: Value, target: Value, options: Margin = {}): Value {
  const { margin = 1, reduction } = only("hingeEmbedding", options, ["margin", "reduction"]);
  checkAlike("hingeEmbedding", x, target);
  const near = where({ condition: eq({ a: target, b: -1 }), a: 0, b: x });
  const far = where({ condition: eq({ a: target, b: 1 }), a: 0, b: above0(minus(margin, x)) });
  return reduced("hingeEmbedding", plus(near, far), reduction);
}
/** max(0, -t (x1 - x2) + margin): t = 1 where x1 is to be the larger, -1 where x2 is */
export function marginRanking(x1: Value, x2: Value, target: Value, options: Margin = {}): Value {
  const { margin = 0, reduction } = only("marginRanking", options, ["margin", "reduction"]);
  checkAlike("marginRanking", x1, x2);
  return reduced("marginRanking", above0(plus(times(minus(x2, x1), target), margin)), reduction);
}

export interface SimilarityOptions {
  readonly dim?: number | undefined;
  readonly eps?: number | undefined;
}
/** a b / max(|a| |b|, eps) over a dimension: 1 unless given, as in PyTorch */
export function cosineSimilarity(a: Value, b: Value, options: SimilarityOptions = {}): Value {
  const { dim = 1, eps = 1e-8 } = only("cosineSimilarity", options, ["dim", "eps"]);
  const rank = commonShape("cosineSimilarity", { a, b }).length;
  const d = checkDim("cosineSimilarity", dim, rank);
  const norm = (x: Value) => sqrt({ x: maximum({ a: sum(square({ x }), d - rank), b: eps * eps }) });
  return over(sum(times(a, b), d), times(norm(a), norm(b)));
}
/** 1 - cos(a, b) where t = 1, max(0, cos(a, b) - margin) where t = -1; rows [n, features] */
export function cosineEmbedding(a: Value, b: Value, target: Value, options: Margin = {}): Value {
  const { margin = 0, reduction } = only("cosineEmbedding", options, ["margin", "reduction"]);
  checkAlike("cosineEmbedding", a, b);
  const similarity = cosineSimilarity(a, b, { dim: -1 });
  checkAlike("cosineEmbedding", similarity, target);
  const [near, far] = [minus(1, similarity), above0(minus(similarity, margin))];
  return reduced("cosineEmbedding", where({ condition: gt({ a: target, b: 0 }), a: near, b: far }), reduction);
}

interface TripletOptions extends Margin {
  readonly p?: number | undefined;
  readonly eps?: number | undefined;
}
/** max(0, |a - p| - |a - n| + margin) with p-norms over the last dimension */
export function tripletMargin(anchor: Value, positive: Value, negative: Value, options: TripletOptions = {}): Value {
  const {
    margin = 1,
    p = 2,
    eps = 1e-6,
    reduction,
  } = only("tripletMargin", options, ["margin", "p", "eps", "reduction"]);
  checkAlike("tripletMargin", anchor, positive);
  checkAlike("tripletMargin", anchor, negative);
  const distance = (x: Value) => {
    const d = plus(minus(anchor, x), eps);
    if (p === 2) return sqrt({ x: sum(square({ x: d }), -1) });
    const total = sum(p === 1 ? abs({ x: d }) : pow({ a: abs({ x: d }), b: p }), -1);
    return p === 1 ? total : pow({ a: total, b: 1 / p });
  };
  const loss = above0(plus(minus(distance(positive), distance(negative)), margin));
  return reduced("tripletMargin", loss, reduction);
}

interface PoissonOptions extends LossOptions {
  /** x is the logarithm of the rate. */
  readonly logInput?: boolean | undefined;
  /** Add Stirling's estimate of log t!. */
  readonly full?: boolean | undefined;
  readonly eps?: number | undefined;
}
/** e^x - t x, or x - t log(x + eps) where x is the rate itself */
export function poissonNll(x: Value, target: Value, options: PoissonOptions = {}): Value {
  const {
    logInput = true,
    full = false,
    eps = 1e-8,
    reduction,
  } = only("poissonNll", options, ["logInput", "full", "eps", "reduction"]);
  checkAlike("poissonNll", x, target);
  const loss = logInput ? minus(exp({ x }), times(target, x)) : minus(x, times(target, log({ x: plus(x, eps) })));
  return reduced("poissonNll", full ? plus(loss, stirling(target)) : loss, reduction);
}
/** t log t - t + log(2 pi t) / 2 where t > 1, else 0 */
function stirling(t: Value): Value {
  const many = gt({ a: t, b: 1 });
  const x = where({ condition: many, a: t, b: 1 });
  const estimate = plus(minus(times(x, log({ x })), x), times(log({ x: times(x, 2 * Math.PI) }), 0.5));
  return where({ condition: many, a: estimate, b: 0 });
}

interface GaussianOptions extends LossOptions {
  /** Add the constant log(2 pi) / 2. */
  readonly full?: boolean | undefined;
  readonly eps?: number | undefined;
}
/**
 * (log v + (x - t)^2 / v) / 2, v = max(variance, eps). The target expands to the shape of x; the variance too, or has that
 * shape without the last dim: one for each row.
 */
export function gaussianNll(x: Value, target: Value, variance: Value, options: GaussianOptions = {}): Value {
  const { full = false, eps = 1e-6, reduction } = only("gaussianNll", options, ["full", "eps", "reduction"]);
  const perRow = x.ndim > 0 && sameShape(variance.shape, x.shape.slice(0, -1));
  const wide = (v: Value) => spread("gaussianNll", x, v);
  const v = maximum({ a: wide(perRow ? unsqueeze(variance, -1) : variance), b: eps });
  const loss = times(plus(log({ x: v }), over(square({ x: minus(x, wide(target)) }), v)), 0.5);
  return reduced("gaussianNll", full ? plus(loss, Math.log(2 * Math.PI) / 2) : loss, reduction);
}
