// The head of a language model: a linear map to a large vocabulary and the loss of it, some rows at a time. Logits of all tokens
// are not stored: while those of some rows are at hand, their gradients take their place and are used up.
import { only } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { emptyValue, type Value, viewValue } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { gradEnabled, withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { assign, cast, contiguous, ne } from "./arithmetic.ts";
import { checkLabels, crossEntropyRows } from "./entropy.ts";
import { added, minus, over, plus, times } from "./formula.ts";
import { activations, matmul, products } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { softmax } from "./softmax.ts";
import { reshape, transpose, unsqueeze } from "./view.ts";

interface Head {
  readonly ignore: number;
  /** Whether gradients are wanted: they cost two products more, and need no logits again. */
  readonly slopes: boolean;
}
/**
 * Rows of logits held at once, in whole tiles of the product: 16 MB of them, or as many as the weight and its gradient take. Fewer
 * rows read the weight and add to its gradient more often: 80 of GPT-2's 512 at a time took 1.27 times as long.
 */
const rowsAtOnce = (classes: number, width: number): number =>
  Math.max(16, Math.floor(Math.max(2 ** 22 / Math.max(classes, 1), width) / 16) * 16);

/** c = a b, or c += a b, of matrices with the steps of rows and columns. */
function product(c: Value, a: [Value, number, number], b: [Value, number, number], k: number, add = false): void {
  const [m, n] = c.shape;
  const [x, y] = [a, b].map(([value, row, column]) => ({ value, steps: [0, 0, row, column] }));
  const operands = [{ value: c, steps: [0, 0, ...c.strides] }, x, y, null, null, null];
  const extents = [1, 1, m, n, k];
  const rows = products(c.dtype);
  if (add) launch(rows.gemm, c.dtype, extents, operands, [activations.none, 1]);
  else launch(rows.matmul, c.dtype, extents, operands, [activations.none]);
}

/**
 * How dx = D W and dw = Dᵀ x turn, D = share (p - q) the slope of the loss by the logits, with all logits at hand. Of u dx + U dw:
 * G = u Wᵀ + x Uᵀ by D, and by the logits E = share p (G - Σ G p); x: E W + D U, W: Eᵀ x + Dᵀ u.
 */
function turn(
  { dx: u, dw: big }: { readonly dx?: Value; readonly dw?: Value },
  { x, weight, target, share }: Readonly<Record<"x" | "weight" | "target" | "share", Value>>,
  ignore: number,
): { x: Value; weight: Value } {
  const mT = (v: Value) => transpose(v, 0, 1);
  const logits = matmul(x, mT(weight));
  const ofRow = unsqueeze(share, 1);
  const d = times(crossEntropyRows({ logits, target }, { ignore, smoothing: 0 }).slope, ofRow);
  const parts = [u && matmul(u, mT(weight)), big && matmul(x, mT(big))].filter((v) => v !== undefined);
  const g = parts.reduce((a, b) => plus(a, b));
  const p = softmax(logits);
  const e = times(times(p, minus(g, sum(times(g, p), 1, true))), ofRow);
  const [ofX, ofWeight] = [matmul(e, weight), matmul(mT(e), x)];
  return {
    x: big ? plus(ofX, matmul(d, big)) : ofX,
    weight: u ? plus(ofWeight, matmul(mT(d), u)) : ofWeight,
  };
}

/** y = - Σ over rows of share log softmax(x Wᵀ)[target]: x [r, c], W [v, c], share [r], 0 where ignored; dx and dw are its slopes. */
const linearCrossEntropyOp = op({
  name: "linear_cross_entropy",
  inputs: ["x", "weight", "target", "share"],
  outputs: ["y", "dx", "dw"],
  keep: ["x", "weight", "target", "dx", "dw", "share"],
  prepare: ({ x, weight, target, share }) => ({
    x: contiguous(x),
    weight,
    target: contiguous(target),
    share: contiguous(share),
  }),
  infer: ({ x, weight }, { slopes }: Head): Spec[] => [
    { shape: [], dtype: x.dtype },
    { shape: slopes ? [...x.shape] : [0], dtype: x.dtype },
    { shape: slopes ? [...weight.shape] : [0], dtype: x.dtype },
  ],
  forward({ y, dx, dw }, { x, weight, target, share }, { ignore, slopes }) {
    const [[r, c], [v]] = [x.shape, weight.shape];
    const [row, column] = weight.strides;
    const losses = emptyValue([r], x.dtype);
    const part = (of: Value, from: number, to: number) =>
      viewValue(of, [to - from, ...of.shape.slice(1)], of.strides, of.offset + from * of.strides[0]);
    const most = Math.min(rowsAtOnce(v, c), r);
    const held = emptyValue([most, v], x.dtype);
    for (let from = 0, to = 0; from < r; from = to) {
      to = Math.min(from + most, r);
      const n = to - from;
      const [given, logits] = [part(x, from, to), part(held, 0, n)];
      product(logits, [given, c, 1], [weight, column, row], c);
      const [loss, label, ofRow] = [losses, target, share].map((of) => part(of, from, to));
      const operands = [loss, slopes ? logits : null, null, logits, label, null, ofRow];
      launch(K.cross_entropy, x.dtype, [n, v], operands, [ignore, 0]);
      if (!slopes) continue;
      product(part(dx, from, to), [logits, v, 1], [weight, row, column], v);
      product(dw, [logits, 1, v], [given, c, 1], n, from > 0);
    }
    withGrad(false, () => assign(y, sum(times(losses, share))));
  },
  grad(gy, { x, weight, target, dx, dw, share }, { ignore }) {
    const first = { x: gy.y && times(dx, gy.y), weight: gy.y && times(dw, gy.y) };
    if (!gy.dx && !gy.dw) return first;
    const second = turn(gy, { x, weight, target, share }, ignore);
    return { x: added(first.x, second.x), weight: added(first.weight, second.weight) };
  },
  cases: [
    {
      inputs: {
        x: [5, 3],
        weight: [7, 3],
        target: { shape: [5], dtype: "i32", data: [0, 6, -100, 2, 2] },
        share: { shape: [5], data: [0.25, 0.5, 0, 0.125, 0.125], grad: false },
      },
      attrs: { ignore: -100, slopes: true },
    },
  ],
});

/** The mean cross-entropy of x Wᵀ: x [..., c], W [v, c], target [...] of labels; `ignoreIndex` is left out. */
export function linearCrossEntropy(
  x: Value,
  weight: Value,
  target: Value,
  options: { readonly ignoreIndex?: number | undefined } = {},
): Value {
  const { ignoreIndex: ignore = -100 } = only("linearCrossEntropy", options, ["ignoreIndex"]);
  const name = "linearCrossEntropy";
  const values = { x, weight, target };
  const [classes, width] = weight.shape;
  if (weight.ndim !== 2 || x.ndim === 0 || x.shape.at(-1) !== width)
    fail("ERR_NABLA_SHAPE", name, `the last size of x must be ${width}`, {
      values,
      expected: width,
      actual: x.shape.at(-1),
    });
  if (!sameShape(x.shape.slice(0, -1), target.shape))
    fail(
      "ERR_NABLA_SHAPE",
      name,
      `there are labels ${showShape(target.shape)} for rows ${showShape(x.shape.slice(0, -1))}`,
      {
        values,
        expected: x.shape.slice(0, -1),
        actual: target.shape,
      },
    );
  if (!x.isFloat || x.dtype !== weight.dtype || target.isFloat)
    fail("ERR_NABLA_DTYPE", name, `x is ${x.dtype}, weight ${weight.dtype}, labels ${target.dtype}`, { values });
  const labels = contiguous(cast(reshape(target, [-1]), "i32"));
  checkLabels(name, labels, classes, ignore);
  const counted = cast(ne({ a: labels, b: ignore }), x.dtype);
  const share = over(counted, sum(counted));
  const slopes = gradEnabled() && (x.requiresGrad || weight.requiresGrad);
  return linearCrossEntropyOp({ x: reshape(x, [-1, width]), weight, target: labels, share }, { ignore, slopes }).y;
}
