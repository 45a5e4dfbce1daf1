// Softmax and its logarithm along a dimension. The rows want that dimension last; another one is brought there.
import { checkDim, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import { cast, contiguous, floating, neg } from "./arithmetic.ts";
import { minus, times } from "./formula.ts";
import { exp } from "./math.ts";
import { sum } from "./reduce.ts";
import { reshape, transpose } from "./view.ts";

const like = (x: Value): Spec => ({ shape: x.shape, dtype: x.dtype });
const total = (x: Value): Value => sum(x, -1, true);

/** Runs a row over the last dimension of contiguous operands of y's shape. */
function overRows(kernel: Kernel, y: Value, ...x: readonly Value[]): void {
  const width = y.shape[y.ndim - 1];
  const n = numel(y.shape);
  if (n > 0) launch(kernel, y.dtype, [n / width, width], [y, ...x]);
}

/** dx = p (dy - sum dy p), p what softmax gave */
const softmaxGrad = op({
  name: "softmax_grad",
  inputs: ["dy", "p"],
  keep: ["dy", "p"],
  prepare: ({ dy, p }) => ({ dy: contiguous(dy), p: contiguous(p) }),
  infer: ({ p }) => like(p),
  forward: ({ y }, { dy, p }) => overRows(K.softmax_grad, y, dy, p),
  grad: {
    dy: (g, { p }): Value => softmaxGrad({ dy: g, p }),
    p: (g, { dy, p }): Value => minus(times(g, minus(dy, total(times(dy, p)))), times(dy, total(times(g, p)))),
  },
  cases: [{ inputs: { dy: [4, 5], p: { shape: [4, 5], low: 0, high: 1 } } }],
});
const softmaxOp = op({
  name: "softmax",
  inputs: ["x"],
  keep: ["y"],
  prepare: ({ x }) => ({ x: contiguous(x) }),
  infer: ({ x }) => like(x),
  forward: ({ y }, { x }) => overRows(K.softmax, y, x),
  grad: { x: (gy, { y }): Value => softmaxGrad({ dy: gy, p: y }) },
  cases: [{ inputs: { x: [4, 5] } }, { inputs: { x: { shape: [2, 3, 17], low: -8, high: 8 } } }],
});

/** dx = dy - exp(l) sum dy, l what logSoftmax gave */
const logSoftmaxGrad = op({
  name: "log_softmax_grad",
  inputs: ["dy", "l"],
  keep: ["dy", "l"],
  prepare: ({ dy, l }) => ({ dy: contiguous(dy), l: contiguous(l) }),
  infer: ({ l }) => like(l),
  forward: ({ y }, { dy, l }) => overRows(K.log_softmax_grad, y, dy, l),
  grad: {
    dy: (g, { l }): Value => minus(g, total(times(g, exp({ x: l })))),
    l: (g, { dy, l }): Value => neg({ x: times(times(g, exp({ x: l })), total(dy)) }),
  },
  cases: [{ inputs: { dy: [4, 5], l: { shape: [4, 5], low: -3, high: 0 } } }],
});
const logSoftmaxOp = op({
  name: "log_softmax",
  inputs: ["x"],
  keep: ["y"],
  prepare: ({ x }) => ({ x: contiguous(x) }),
  infer: ({ x }) => like(x),
  forward: ({ y }, { x }) => overRows(K.log_softmax, y, x),
  grad: { x: (gy, { y }): Value => logSoftmaxGrad({ dy: gy, l: y }) },
  cases: [{ inputs: { x: [4, 5] } }, { inputs: { x: { shape: [2, 3, 17], low: -8, high: 8 } } }],
});

function along(name: string, f: (x: { x: Value }) => Value, x: Value, dim: number): Value {
  const d = checkDim(name, dim, x.ndim);
  const real = cast(x, floating(name, x));
  if (x.ndim === 0) return reshape(f({ x: reshape(real, [1]) }), []);
  return transpose(f({ x: transpose(real, d, -1) }), d, -1);
}
/** y = exp x / sum exp x over dim, with the largest x taken off first; integers become f32 */
export const softmax = (x: Value, dim = -1): Value => along("softmax", softmaxOp, x, dim);
/** y = x - log sum exp x over dim */
export const logSoftmax = (x: Value, dim = -1): Value => along("logSoftmax", logSoftmaxOp, x, dim);
