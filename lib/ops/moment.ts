// Variances, norms and log-sums over dimensions.
import { only } from "../core/boundary.ts";
import { checkDims, type Dims } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { launch, launchMap } from "../engine/launch.ts";
import { op } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { abs, cast, contiguous, eq, floating, maximum, ne, where } from "./arithmetic.ts";
import { pow } from "./binary.ts";
import { type Reduced, spread } from "./cube.ts";
import { amax, amin } from "./extreme.ts";
import { minus, over, times } from "./formula.ts";
import { exp } from "./math.ts";
import { countOf, mean, reducedSpec, reduceInto, reductionCases, sum } from "./reduce.ts";
import { permute } from "./view.ts";

const real = (op: string, x: Value): Value => cast(x, floating(op, x));
const negInf = Number.NEGATIVE_INFINITY;

interface Corrected extends Reduced {
  readonly correction: number;
}
const freedom = (x: Value, { dims, correction }: Corrected): number => Math.max(0, countOf(x, dims) - correction);
const correctedCases = reductionCases.map(({ inputs, attrs }, i) => ({
  inputs,
  attrs: { ...attrs, correction: i === 1 ? 0 : 1 },
}));
/** y = sum (x - mean)^2 / (n - correction), the mean first: no cancellation. */
function varianceInto(y: Value, x: Value, attrs: Corrected): void {
  const centre = emptyValue(y.shape, y.dtype);
  reduceInto(K.sum, centre, x, attrs.dims, [countOf(x, attrs.dims)]);
  reduceInto(K.sum_squares, y, x, attrs.dims, [freedom(x, attrs)], centre);
}
/** dx = gy 2 (x - mean) / (n - correction) */
function varianceGrad(gy: Value, x: Value, attrs: Corrected): Value {
  const off = minus(x, mean(x, attrs.dims, true));
  return times(spread(times(gy, 2 / freedom(x, attrs)), x.shape, attrs), off);
}
const varianceOp = op({
  name: "variance",
  inputs: ["x"],
  keep: ["x"],
  infer: ({ x }, attrs: Corrected) => reducedSpec(x, attrs),
  forward: ({ y }, { x }, attrs) => varianceInto(y, x, attrs),
  grad: { x: (gy, { x }, attrs): Value => varianceGrad(gy, x, attrs) },
  cases: correctedCases,
});
/** gy f(y), and 0 where y is 0: there the slope of a root is infinite */
const unlessZero = (y: Value, g: Value): Value => where({ condition: eq({ a: y, b: 0 }), a: 0, b: g });
const stdOp = op({
  name: "std",
  inputs: ["x"],
  keep: ["x", "y"],
  infer: ({ x }, attrs: Corrected) => reducedSpec(x, attrs),
  forward({ y }, { x }, attrs) {
    varianceInto(y, x, attrs);
    launchMap(K.sqrt, y.dtype, [y, y]);
  },
  grad: {
    x: (gy, { x, y }, attrs): Value => varianceGrad(unlessZero(y, over(gy, times(y, 2))), x, attrs),
  },
  cases: correctedCases,
});
export interface Spread {
  /** What is taken from the count of elements: 1 for the variance of a population estimated from a sample. */
  readonly correction?: number;
  readonly keepdim?: boolean;
}
/** torch.var: `correction` 1 unless given */
export function variance(x: Value, dim?: number | Dims, options: Spread = {}): Value {
  const { correction = 1, keepdim = false } = only("var", options, ["correction", "keepdim"]);
  return varianceOp({ x: real("variance", x) }, { dims: checkDims("variance", dim, x.ndim), keepdim, correction });
}
/** y = sqrt(variance) */
export function std(x: Value, dim?: number | Dims, options: Spread = {}): Value {
  const { correction = 1, keepdim = false } = only("std", options, ["correction", "keepdim"]);
  return stdOp({ x: real("std", x) }, { dims: checkDims("std", dim, x.ndim), keepdim, correction });
}

/** Averaged in f64: the mean of numbers that cancel is as exact as their variance. */
const exactMean = (x: Value, dim: number | Dims | undefined, keepdim: boolean): Value =>
  cast(mean(cast(x, "f64"), dim, keepdim), x.dtype);
export interface VarMean {
  readonly variance: Value;
  readonly mean: Value;
}
export interface StdMean {
  readonly std: Value;
  readonly mean: Value;
}
export const varMean = (x: Value, dim?: number | Dims, options: Spread = {}): VarMean => ({
  variance: variance(x, dim, options),
  mean: exactMean(real("varMean", x), dim, options.keepdim ?? false),
});
export const stdMean = (x: Value, dim?: number | Dims, options: Spread = {}): StdMean => ({
  std: std(x, dim, options),
  mean: exactMean(real("stdMean", x), dim, options.keepdim ?? false),
});

/** y = sqrt(sum x^2) */
const lengthOp = op({
  name: "norm",
  inputs: ["x"],
  keep: ["x", "y"],
  infer: ({ x }, reduced: Reduced) => reducedSpec(x, reduced),
  forward({ y }, { x }, { dims }) {
    reduceInto(K.sum_squares, y, x, dims, [1], null);
    launchMap(K.sqrt, y.dtype, [y, y]);
  },
  grad: {
    x: (gy, { x, y }, reduced): Value => times(x, spread(unlessZero(y, over(gy, y)), x.shape, reduced)),
  },
  cases: reductionCases,
});
export interface Norm {
  readonly p?: number;
  readonly keepdim?: boolean;
}
/** y = (sum |x|^p)^(1/p); p = Infinity: the largest |x|, -Infinity: the smallest, 0: how many are not 0 */
export function norm(x: Value, dim?: number | Dims, options: Norm = {}): Value {
  const { p = 2, keepdim = false } = only("norm", options, ["p", "keepdim"]);
  const v = real("norm", x);
  if (p === 2) return lengthOp({ x: v }, { dims: checkDims("norm", dim, x.ndim), keepdim });
  if (p === 0) return cast(sum(ne({ a: v, b: 0 }), dim, keepdim), v.dtype);
  const size = abs({ x: v });
  if (p === 1) return sum(size, dim, keepdim);
  if (p === Number.POSITIVE_INFINITY) return amax(size, dim, keepdim);
  if (p === negInf) return amin(size, dim, keepdim);
  const total = sum(pow({ a: size, b: p }), dim, keepdim);
  const zero = eq({ a: total, b: 0 });
  return where({ condition: zero, a: 0, b: pow({ a: where({ condition: zero, a: 1, b: total }), b: 1 / p }) });
}
/** y = x / max(norm, eps) along dim */
export function normalize(x: Value, dim = 1, options: { p?: number; eps?: number } = {}): Value {
  const { p = 2, eps = 1e-12 } = only("normalize", options, ["p", "eps"]);
  return over(x, maximum({ a: norm(x, dim, { p, keepdim: true }), b: eps }));
}

const logsumexpOp = op({
  name: "logsumexp",
  inputs: ["x"],
  keep: ["x", "y"],
  infer: ({ x }, reduced: Reduced) => reducedSpec(x, reduced),
  forward({ y }, { x }, { dims }) {
    if (y.size === 0) return;
    const order = [...x.shape.keys()].filter((d) => !dims.includes(d)).concat(dims);
    launch(K.logsumexp, y.dtype, [y.size, countOf(x, dims)], [y, contiguous(permute(x, order))]);
  },
  grad: {
    /** gy exp(x - y); where all are -inf, y is no number to subtract */
    x(gy, { x, y }, reduced): Value {
      const level = where({ condition: eq({ a: y, b: negInf }), a: 0, b: y });
      return times(spread(gy, x.shape, reduced), exp({ x: minus(x, spread(level, x.shape, reduced)) }));
    },
  },
  cases: reductionCases,
});
/** y = log(sum exp x), with the largest taken out first; integers become f32 */
export function logsumexp(x: Value, dim?: number | Dims, keepdim = false): Value {
  return logsumexpOp({ x: real("logsumexp", x) }, { dims: checkDims("logsumexp", dim, x.ndim), keepdim });
}
