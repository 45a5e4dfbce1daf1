// Losses: a value for each element or row, then reduced. Shapes must be equal: a target [n] against outputs [n, 1] would broadcast
// to [n, n] and train on nonsense.
import { only } from "../core/boundary.ts";
import { fail, show, showShape } from "../core/errors.ts";
import { broadcastShapes, checkDim, numel, sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { op } from "../engine/op.ts";
import { withGrad } from "../engine/tape.ts";
import { logSigmoid, sigmoid } from "./activation.ts";
import { abs, assign, cast, contiguous, le, maximum, ne, real, where } from "./arithmetic.ts";
import { xlogy } from "./binary.ts";
import { ones } from "./create.ts";
import { checkLabels, crossEntropyRows, softCrossEntropyRows } from "./entropy.ts";
import { minus, over, times } from "./formula.ts";
import { exp, log, square } from "./math.ts";
import { mean, sum } from "./reduce.ts";
import { gather, indexSelect } from "./select.ts";
import { expand, permute, reshape } from "./view.ts";

/** What becomes of the single losses. */
export type Reduction = "none" | "mean" | "sum";
export interface LossOptions {
  readonly reduction?: Reduction | undefined;
}

export function reduced(name: string, loss: Value, reduction: Reduction = "mean"): Value {
  if (reduction === "mean") return mean(loss);
  if (reduction === "sum") return sum(loss);
  if (reduction === "none") return loss;
  return fail("ERR_NABLA_VALUE", name, `there is no reduction ${String(reduction)}`, {
    expected: ["none", "mean", "sum"],
    actual: reduction,
  });
}
export function checkAlike(name: string, x: Value, target: Value): void {
  if (sameShape(x.shape, target.shape)) return;
  const hint =
    numel(x.shape) === numel(target.shape) ? `reshape the target: .reshape(${x.shape.join(", ")})` : undefined;
  fail("ERR_NABLA_SHAPE", name, `shapes ${showShape(x.shape)} and ${showShape(target.shape)} differ`, {
    values: { x, target },
    expected: x.shape,
    actual: target.shape,
    ...(hint ? { hint } : {}),
  });
}
/** v in the shape of x, to which it may broadcast, not beyond. */
export function spread(name: string, x: Value, v: Value): Value {
  const both = broadcastShapes(x.shape, v.shape);
  if (both && sameShape(both, x.shape)) return expand(v, x.shape);
  return fail("ERR_NABLA_SHAPE", name, `${showShape(v.shape)} does not expand to ${showShape(x.shape)}`, {
    values: { x, given: v },
    expected: x.shape,
    actual: v.shape,
  });
}
function checkAbove0(name: string, what: string, x: number): void {
  if (!(x > 0)) fail("ERR_NABLA_VALUE", name, `${what} must be above 0, got ${x}`, { expected: "above 0", actual: x });
}

/** (x - t)^2 */
export function mse(x: Value, target: Value, options: LossOptions = {}): Value {
  const { reduction } = only("mse", options, ["reduction"]);
  checkAlike("mse", x, target);
  return reduced("mse", square({ x: minus(x, target) }), reduction);
}
/** |x - t| */
export function l1(x: Value, target: Value, options: LossOptions = {}): Value {
  const { reduction } = only("l1", options, ["reduction"]);
  checkAlike("l1", x, target);
  return reduced("l1", abs({ x: minus(x, target) }), reduction);
}
/** With d = |x - t|: d^2 / 2 up to delta, delta (d - delta / 2) beyond */
export function huber(
  x: Value,
  target: Value,
  options: LossOptions & { readonly delta?: number | undefined } = {},
): Value {
  const { delta = 1, reduction } = only("huber", options, ["delta", "reduction"]);
  checkAlike("huber", x, target);
  checkAbove0("huber", "delta", delta);
  return reduced("huber", bowl(x, target, delta), reduction);
}
/** huber / beta: d^2 / (2 beta) up to beta, d - beta / 2 beyond */
export function smoothL1(
  x: Value,
  target: Value,
  options: LossOptions & { readonly beta?: number | undefined } = {},
): Value {
  const { beta = 1, reduction } = only("smoothL1", options, ["beta", "reduction"]);
  checkAlike("smoothL1", x, target);
  if (beta === 0) return l1(x, target, { reduction });
  checkAbove0("smoothL1", "beta", beta);
  return reduced("smoothL1", over(bowl(x, target, beta), beta), reduction);
}
function bowl(x: Value, target: Value, delta: number): Value {
  const e = minus(x, target);
  const d = abs({ x: e });
  const line = times(minus(d, delta / 2), delta);
  return where({ condition: le({ a: d, b: delta }), a: times(square({ x: e }), 0.5), b: line });
}

// The logarithms are cut off at -100 and the slope's denominator at 1e-12, as in PyTorch: at x = 0 and 1 both stay finite.
const bceOp = op({
  name: "bce",
  inputs: ["x", "target"],
  keep: ["x", "target"],
  infer: ({ x }) => x,
  forward({ y }, { x, target }) {
    const cut = (p: Value) => maximum({ a: log({ x: p }), b: -100 });
    withGrad(false, () => assign(y, minus(times(minus(target, 1), cut(minus(1, x))), times(target, cut(x)))));
  },
  grad: {
    x: (gy, { x, target }): Value => times(gy, over(minus(x, target), maximum({ a: times(x, minus(1, x)), b: 1e-12 }))),
    target: (gy, { x }): Value => times(gy, minus(log({ x: minus(1, x) }), log({ x }))),
  },
  cases: [{ inputs: { x: { shape: [3, 4], low: 0.1, high: 0.9 }, target: { shape: [3, 4], low: 0, high: 1 } } }],
});
export interface BceOptions extends LossOptions {
  /** Multiplies each loss; broadcasts. */
  readonly weight?: Value | undefined;
}
/** -(t log x + (1 - t) log(1 - x)), x in [0, 1] */
export function bce(x: Value, target: Value, options: BceOptions = {}): Value {
  const { weight, reduction } = only("bce", options, ["weight", "reduction"]);
  checkAlike("bce", x, target);
  const p = cast(x, real(x.dtype));
  const loss = bceOp({ x: p, target: cast(target, p.dtype) });
  return reduced("bce", weight ? times(loss, weight) : loss, reduction);
}
// y = (t - 1) log s(-x) - w t log s(x) with s = sigmoid. s'/s = s(-x) makes dx = (1 - t) s(x) - w t s(-x), and
// dt = log s(-x) - w log s(x), which is exactly -x without a weight: taken term by term, small x would cancel.
const bceLogits = op({
  name: "bce_with_logits",
  inputs: ["x", "target", "weight?"],
  keep: ["x", "target", "weight"],
  infer: ({ x }) => x,
  forward({ y }, { x, target, weight }) {
    withGrad(false, () => {
      const no = times(minus(target, 1), logSigmoid({ x: times(x, -1) }));
      assign(y, minus(no, times(weight ? times(target, weight) : target, logSigmoid({ x }))));
    });
  },
  grad: {
    x(gy, { x, target, weight }): Value {
      const yes = times(weight ? times(target, weight) : target, sigmoid({ x: times(x, -1) }));
      return times(gy, minus(times(minus(1, target), sigmoid({ x })), yes));
    },
    target(gy, { x, weight }): Value {
      const slope = weight && minus(logSigmoid({ x: times(x, -1) }), times(weight, logSigmoid({ x })));
      return times(gy, slope ?? times(x, -1));
    },
    weight: (gy, { x, target }): Value => times(gy, times(times(target, -1), logSigmoid({ x }))),
  },
  cases: [
    { inputs: { x: [3, 4], target: { shape: [3, 4], low: 0, high: 1 } } },
    { inputs: { x: [3, 4], target: { shape: [3, 4], low: 0, high: 1 }, weight: { shape: [4], low: 0.5, high: 2 } } },
  ],
});
/** bce of sigmoid(x): (1 - t) log(1 + e^x) + w t log(1 + e^-x), w the weight of positives. No term cancels another. */
export function bceWithLogits(
  x: Value,
  target: Value,
  options: BceOptions & { readonly posWeight?: Value | undefined } = {},
): Value {
  const { weight, posWeight, reduction } = only("bceWithLogits", options, ["weight", "posWeight", "reduction"]);
  checkAlike("bceWithLogits", x, target);
  const logits = cast(x, real(x.dtype));
  const positives = posWeight && spread("bceWithLogits", x, cast(posWeight, logits.dtype));
  const loss = bceLogits({ x: logits, target: cast(target, logits.dtype), weight: positives });
  return reduced("bceWithLogits", weight ? times(loss, weight) : loss, reduction);
}

export interface KlOptions {
  /** "batchmean" divides the sum by the first size, which is the mathematical definition for rows. */
  readonly reduction?: Reduction | "batchmean" | undefined;
  /** The target is given as logarithms too. */
  readonly logTarget?: boolean | undefined;
}
/** t (log t - x), x being logarithms of probabilities */
export function klDiv(x: Value, target: Value, options: KlOptions = {}): Value {
  const { reduction = "mean", logTarget = false } = only("klDiv", options, ["reduction", "logTarget"]);
  checkAlike("klDiv", x, target);
  const loss = logTarget
    ? times(exp({ x: target }), minus(target, x))
    : minus(xlogy({ a: target, b: target }), times(target, x));
  return reduction === "batchmean" ? over(sum(loss), x.shape[0] ?? 1) : reduced("klDiv", loss, reduction);
}

export interface NllOptions extends LossOptions {
  /** A weight for each class. */
  readonly weight?: Value | undefined;
  /** Rows with this label count for nothing; -100 unless given. */
  readonly ignoreIndex?: number | undefined;
  /** The dimension of the classes: the last unless given; PyTorch's is 1. */
  readonly classDim?: number | undefined;
}
export interface CrossEntropyOptions extends NllOptions {
  /** This share of each target is spread over all classes. */
  readonly labelSmoothing?: number | undefined;
}

/** The classes brought to the end, everything else as rows; `back` is the shape of one loss for each row. */
function rowsOf(name: string, x: Value, classDim: number): { rows: Value; back: number[] } {
  if (x.ndim === 0) fail("ERR_NABLA_SHAPE", name, "a scalar has no classes", { values: { logits: x } });
  const d = checkDim(name, classDim, x.ndim);
  const others = x.shape.map((_, i) => i).filter((i) => i !== d);
  const back = others.map((i) => x.shape[i]);
  const last = d === x.ndim - 1 ? x : permute(x, [...others, d]);
  return { rows: reshape(last, [numel(back), x.shape[d]]), back };
}
function checkWeight(name: string, logits: Value, classes: number, weight: Value | undefined): void {
  if (weight && !(weight.ndim === 1 && weight.shape[0] === classes))
    fail("ERR_NABLA_SHAPE", name, `needs one weight for each of ${classes} classes`, { values: { logits, weight } });
}

/** -sum q log softmax(x): q is 1 at the label, or the given probabilities */
export function crossEntropy(logits: Value, target: Value, options: CrossEntropyOptions = {}): Value {
  const {
    weight,
    ignoreIndex: ignore = -100,
    labelSmoothing: smoothing = 0,
    classDim = -1,
    reduction,
  } = only("crossEntropy", options, ["weight", "ignoreIndex", "labelSmoothing", "classDim", "reduction"]);
  const name = "crossEntropy";
  if (!logits.isFloat)
    fail("ERR_NABLA_DTYPE", name, `logits are ${logits.dtype ?? show(logits)}`, { values: { logits } });
  if (!(smoothing >= 0 && smoothing <= 1))
    fail("ERR_NABLA_VALUE", name, `labelSmoothing must be from 0 to 1, got ${smoothing}`, { actual: smoothing });
  const { rows, back } = rowsOf(name, logits, classDim);
  const classes = rows.shape[1];
  checkWeight(name, logits, classes, weight);
  const typed = weight && cast(weight, logits.dtype);
  if (target.isFloat) {
    if (!sameShape(target.shape, logits.shape)) mismatch(name, logits, target, back);
    const soft = cast(rowsOf(name, target, classDim).rows, logits.dtype);
    const { y } = softCrossEntropyRows({ logits: rows, target: soft, weight: typed }, { smoothing });
    return reduced(name, reshape(y, back), reduction);
  }
  const labels = labelsOf(name, logits, target, { back, classes, ignore });
  const { y, scale } = crossEntropyRows({ logits: rows, target: labels, weight: typed }, { ignore, smoothing });
  return weighted(name, y, scale, back, reduction);
}
/** The mean divides by the weights of the rows that count. */
function weighted(name: string, y: Value, scale: Value, back: number[], reduction: Reduction = "mean"): Value {
  return reduction === "mean" ? over(sum(y), sum(scale)) : reduced(name, reshape(y, back), reduction);
}
interface Rows {
  readonly back: number[];
  readonly classes: number;
  readonly ignore: number;
}
function labelsOf(name: string, x: Value, target: Value, { back, classes, ignore }: Rows): Value {
  if (target.isFloat || !sameShape(target.shape, back)) mismatch(name, x, target, back);
  const labels = contiguous(reshape(cast(target, "i32"), [numel(back)]));
  checkLabels(name, labels, classes, ignore);
  return labels;
}
/** -w x at the label, x being logarithms of probabilities */
export function nll(x: Value, target: Value, options: NllOptions = {}): Value {
  const {
    weight,
    ignoreIndex: ignore = -100,
    classDim = -1,
    reduction,
  } = only("nll", options, ["weight", "ignoreIndex", "classDim", "reduction"]);
  const { rows, back } = rowsOf("nll", x, classDim);
  const classes = rows.shape[1];
  checkWeight("nll", x, classes, weight);
  const labels = labelsOf("nll", x, target, { back, classes, ignore });
  const counts = ne({ a: labels, b: ignore });
  const at = where({ condition: counts, a: labels, b: 0 });
  const share = weight ? indexSelect(cast(weight, x.dtype), 0, at) : ones([labels.size], x.dtype);
  const scale = where({ condition: counts, a: share, b: 0 });
  const picked = reshape(gather(rows, 1, reshape(at, [labels.size, 1])), [labels.size]);
  const loss = where({ condition: counts, a: times(times(picked, share), -1), b: 0 });
  return weighted("nll", loss, scale, back, reduction);
}
function mismatch(name: string, logits: Value, target: Value, back: readonly number[]): never {
  return fail(
    "ERR_NABLA_SHAPE",
    name,
    `logits ${showShape(logits.shape)} take integer labels ${showShape(back)} or probabilities ${showShape(logits.shape)}, got ${target.dtype} ${showShape(target.shape)}`,
    {
      values: { logits, target },
      expected: back,
      actual: target.shape,
      hint: target.isFloat && sameShape(target.shape, back) ? 'labels are integers: target.to("i32")' : "",
    },
  );
}
