// Cross-entropy over rows of logits. One kernel gives each row's loss and the slope of it, so that backward is one product.

import { fail } from "../core/errors.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { launch, verify } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { cast, contiguous, ne } from "./arithmetic.ts";
import { added, minus, plus, times } from "./formula.ts";
import { sum } from "./reduce.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { reshape } from "./view.ts";

const like = (x: Value): Spec => ({ shape: x.shape, dtype: x.dtype });
const perRow = (x: Value): Spec => ({ shape: [x.shape[0]], dtype: x.dtype });
const column = (x: Value): Value => reshape(x, [x.shape[0], 1]);
const alongRow = (x: Value): Value => sum(x, 1, true);
/** How the slope Q p - q turns with the logits: Q p (g - sum g p), p their softmax. */
function turn(g: Value, logits: Value, total: Value): Value {
  const p = softmax(logits);
  return times(times(p, minus(g, alongRow(times(g, p)))), total);
}

interface Hard {
  readonly ignore: number;
  readonly smoothing: number;
}
/** Class labels [r] for logits [r, c]. scale [r] is the weight of each row, 0 where it is ignored. */
export const crossEntropyRows = op({
  name: "cross_entropy",
  inputs: ["logits", "target", "weight?"],
  outputs: ["y", "slope", "scale"],
  keep: ["logits", "target", "weight", "slope", "scale"],
  prepare: ({ logits, target, weight }) => ({
    logits: contiguous(logits),
    target: contiguous(target),
    weight: weight && contiguous(weight),
  }),
  infer: ({ logits }, _: Hard) => [perRow(logits), like(logits), perRow(logits)],
  forward({ y, slope, scale }, { logits, target, weight }, { ignore, smoothing }) {
    const [r, c] = logits.shape;
    const operands = [y, slope, scale, logits, target, weight ?? null, null];
    launch(K.cross_entropy, logits.dtype, [r, c], operands, [ignore, smoothing]);
  },
  grad(gy, { logits, target, weight, slope, scale }, { ignore, smoothing }) {
    const first = gy.y && times(slope, column(gy.y));
    if (!gy.slope) return { logits: first };
    const spread = weight ? times(sum(weight), smoothing / weight.size) : smoothing;
    const counted = cast(ne({ a: target, b: ignore }), logits.dtype);
    const total = plus(times(scale, 1 - smoothing), times(counted, spread));
    return { logits: added(first, turn(gy.slope, logits, column(total))) };
  },
  cases: [
    {
      inputs: { logits: [4, 5], target: { shape: [4], dtype: "i32", data: [0, 4, 2, 2] } },
      attrs: { ignore: -100, smoothing: 0 },
    },
    {
      inputs: {
        logits: { shape: [3, 17], low: -4, high: 4 },
        target: { shape: [3], dtype: "i32", data: [16, 1, 0] },
        weight: { shape: [17], low: 0.5, high: 2, grad: false },
      },
      attrs: { ignore: 1, smoothing: 0.2 },
    },
  ],
});

/** Class probabilities, the target, for logits of the same shape. */
export const softCrossEntropyRows = op({
  name: "cross_entropy_soft",
  inputs: ["logits", "target", "weight?"],
  outputs: ["y", "slope"],
  keep: ["logits", "target", "weight", "slope"],
  prepare: ({ logits, target, weight }) => ({
    logits: contiguous(logits),
    target: contiguous(target),
    weight: weight && contiguous(weight),
  }),
  infer: ({ logits }, _: { smoothing: number }) => [perRow(logits), like(logits)],
  forward({ y, slope }, { logits, target, weight }, { smoothing }) {
    const [r, c] = logits.shape;
    launch(K.cross_entropy_soft, logits.dtype, [r, c], [y, slope, logits, target, weight ?? null], [smoothing]);
  },
  grad(gy, { logits, target, weight, slope }, { smoothing }, needs) {
    const c = logits.shape[1];
    const weighed = (x: Value) => (weight ? times(x, weight) : x);
    const kept = (x: Value) => weighed(times(x, 1 - smoothing));
    const rate = gy.y && column(gy.y);
    const first = rate && times(slope, rate);
    // y = - sum q log p and slope = Q p - q with q = w ((1 - a) t + a / c), Q = sum q
    const total = () => alongRow(weighed(plus(times(target, 1 - smoothing), smoothing / c)));
    const g = gy.slope;
    const share = () => g && minus(alongRow(times(g, softmax(logits))), g);
    return {
      logits: added(first, g && turn(g, logits, total())),
      target: needs("target")
        ? added(rate && kept(times(times(logSoftmax(logits), rate), -1)), g && kept(share() as Value))
        : undefined,
    };
  },
  cases: [
    { inputs: { logits: [4, 5], target: { shape: [4, 5], low: 0, high: 0.4 } }, attrs: { smoothing: 0 } },
    {
      inputs: {
        logits: { shape: [3, 17], low: -4, high: 4 },
        target: { shape: [3, 17], low: 0, high: 0.1 },
        weight: { shape: [17], low: 0.5, high: 2, grad: false },
      },
      attrs: { smoothing: 0.2 },
    },
  ],
});

/** Labels are checked before they are used; in a compiled step, in every run. */
export function checkLabels(name: string, target: Value, classes: number, ignore: number): void {
  if (target.size === 0) return;
  const bad = emptyValue([1], "i32");
  launch(K.check_index, "f32", [1, target.size], [bad, target], [0, classes, ignore]);
  verify(bad, target, (at, label) =>
    fail(
      "ERR_NABLA_INDEX",
      name,
      `label${label === undefined ? "" : ` ${label}`} at position ${at} is outside 0..${classes - 1}`,
      {
        values: { target },
        expected: [0, classes - 1],
        actual: label,
        hint: `labels count from 0; { ignoreIndex: ${label ?? -100} } leaves such rows out`,
      },
    ),
  );
}
