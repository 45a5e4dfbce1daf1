// Activations. Each has a row for its gradient, an op of its own that differentiates again: where the forward rule gives
// gx = gy f'(v), that op's rules give gy's gradient by the same row and v's from the bend f''(v).
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkDim } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import { elementwise, type Op } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import { abs, alike, cast, gt, le, mul, pairSpec, real, where } from "./arithmetic.ts";
import { minus, over, plus, times } from "./formula.ts";
import { exp, floatOperand, sign, square } from "./math.ts";
import { reshape, slice } from "./view.ts";

type Attrs = Readonly<Record<string, number>>;
type Range = readonly [low: number, high: number];
interface Curve<A> {
  /** What the slope is a function of: x, or y where that is as good, so that x need not be kept. */
  readonly of: "x" | "y";
  /** f'' as a function of the same; absent where it is 0. */
  readonly bend?: (v: Value, attrs: A) => Value;
  /** Where to test: not at corners. */
  readonly ranges?: readonly Range[];
}
const sides: readonly Range[] = [
  [0.1, 2],
  [-2, -0.1],
];

function numbers(op: string, attrs: Attrs): void {
  for (const name in attrs)
    if (typeof attrs[name] !== "number") fail("ERR_NABLA_TYPE", op, `${name} is not a number`, { actual: attrs[name] });
}
function samples(ranges: readonly Range[]): { shape: number[]; low: number; high: number }[] {
  return ranges.map(([low, high], i) => ({ shape: i ? [7] : [3, 5], low, high }));
}

/** dx = dy f'(v) */
function gradient<A extends Attrs>(kernel: Kernel, attrs: A, { bend, ranges = sides }: Curve<A>) {
  const self: Op<"dy" | "v", "y", A, Operand> = elementwise<"dy" | "v", "dy" | "v", A>({
    name: kernel.name,
    kernel,
    scalars: (a) => Object.keys(attrs).map((name) => a[name] as number),
    inputs: ["dy", "v"],
    keep: ["dy", "v"],
    infer: ({ v }) => v as Value,
    grad: {
      dy: (gy, { v }, a): Value => self({ dy: gy, v }, a),
      v: (gy, { dy, v }, a): Value | undefined => bend && times(times(gy, dy), bend(v as Value, a)),
    },
    cases: samples(ranges).map((v) => ({ inputs: { dy: { ...v, low: -1, high: 1 }, v }, attrs })),
  });
  return self;
}

/** y = f(x) and its gradient's op. attrs: the numbers that both rows take, in their order, with values to test. */
function activation<A extends Attrs>(
  kernel: Kernel,
  slope: Kernel,
  attrs: A,
  curve: Curve<A>,
): Op<"x", "y", A, Operand> {
  const backward = gradient(slope, attrs, curve);
  return elementwise<"x", "x" | "y", A>({
    name: kernel.name,
    kernel,
    scalars: (a) => Object.keys(attrs).map((name) => a[name] as number),
    inputs: ["x"],
    keep: [curve.of],
    prepare: ({ x }) => floatOperand(kernel.name, x),
    infer({ x }, a) {
      numbers(kernel.name, a);
      return x as Value;
    },
    grad: { x: (gy, kept, a): Value => backward({ dy: gy, v: kept[curve.of] as Value }, a) },
    cases: samples(curve.ranges ?? sides).map((x) => ({ inputs: { x }, attrs })),
  });
}
type Plain = Op<"x", "y", Record<never, never>, Operand>;

/** 1 / (1 + e^-x) */
export const sigmoid: Plain = activation(
  K.sigmoid,
  K.sigmoid_grad,
  {},
  { of: "y", bend: (y) => minus(1, times(y, 2)) },
);
export const tanh: Plain = activation(K.tanh, K.tanh_grad, {}, { of: "y", bend: (y) => times(y, -2) });
/** max(0, x) */
export const relu: Plain = activation(K.relu, K.relu_grad, {}, { of: "y" });
/** min(max(0, x), 6) */
export const relu6: Plain = activation(K.relu6, K.relu6_grad, {}, { of: "x", ranges: [...sides, [6.1, 8]] });

/** x sigmoid(x); with s the sigmoid, f'' = s (1 - s) (2 + x (1 - 2s)) */
export const silu: Plain = activation(
  K.silu,
  K.silu_grad,
  {},
  {
    of: "x",
    bend(x) {
      const s = sigmoid({ x });
      return times(times(s, minus(1, s)), plus(times(x, minus(1, times(s, 2))), 2));
    },
  },
);

// x Phi(x): f'' = phi(x) (2 - x^2)
const geluErf = activation(
  K.gelu,
  K.gelu_grad,
  {},
  {
    of: "x",
    bend(x) {
      const s = square({ x });
      return times(times(exp({ x: times(s, -0.5) }), 1 / Math.sqrt(2 * Math.PI)), minus(2, s));
    },
  },
);
// x s with s = sigmoid(u), u = c (x + 0.044715 x^3), p = s (1 - s): f'' = 2 p u' + x (p (1 - 2s) u'^2 + p u'')
const geluTanh = activation(
  K.gelu_tanh,
  K.gelu_tanh_grad,
  {},
  {
    of: "x",
    bend(x) {
      const c = 2 * Math.sqrt(2 / Math.PI);
      const q = square({ x });
      const s = sigmoid({ x: times(x, plus(times(q, 0.044715 * c), c)) });
      const [du, ddu] = [plus(times(q, 3 * 0.044715 * c), c), times(x, 6 * 0.044715 * c)];
      const inner = plus(times(minus(1, times(s, 2)), square({ x: du })), ddu);
      return times(times(s, minus(1, s)), plus(times(du, 2), times(x, inner)));
    },
  },
);
/** How gelu is computed: with the normal distribution itself, or with tanh in its place. */
export interface Approximate {
  readonly approximate?: "none" | "tanh" | undefined;
}
/** x Phi(x), Phi the normal distribution */
export function gelu(x: Operand, options: Approximate = {}): Value {
  const { approximate = "none" } = only("gelu", options, ["approximate"]);
  if (approximate === "none") return geluErf({ x });
  if (approximate === "tanh") return geluTanh({ x });
  return fail("ERR_NABLA_VALUE", "gelu", "approximate names no formula", {
    expected: ["none", "tanh"],
    actual: approximate,
  });
}

const elu1 = activation(
  K.elu,
  K.elu_grad,
  { alpha: 0.8 },
  {
    of: "x",
    bend: (x, { alpha }) => below(x, times(exp({ x }), alpha)),
  },
);
/** v where x < 0, else 0 */
const below = (x: Value, v: Value): Value => where({ condition: gt({ a: x, b: 0 }), a: 0, b: v });
/** x, or alpha (e^x - 1) below 0 */
export const elu = (x: Operand, alpha = 1): Value => elu1({ x }, { alpha });
/** 1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 */
export const selu: Plain = activation(
  K.selu,
  K.selu_grad,
  {},
  {
    of: "x",
    bend: (x) => below(x, times(exp({ x }), 1.0507009873554805 * 1.6732632423543772)),
  },
);
const celu1 = activation(
  K.celu,
  K.celu_grad,
  { alpha: 0.7 },
  {
    of: "x",
    bend: (x, { alpha }) => below(x, over(exp({ x: over(x, alpha) }), alpha)),
  },
);
/** x, or alpha (e^(x / alpha) - 1) below 0 */
export const celu = (x: Operand, alpha = 1): Value => celu1({ x }, { alpha });
const leaky = activation(K.leaky_relu, K.leaky_relu_grad, { slope: 0.2 }, { of: "x" });
/** x, or slope x below 0 */
export const leakyRelu = (x: Operand, slope = 0.01): Value => leaky({ x }, { slope });
/** leakyRelu with the mean of two slopes: what training with random ones becomes in evaluation */
export const rrelu = (x: Operand, lower = 1 / 8, upper = 1 / 3): Value => leakyRelu(x, (lower + upper) / 2);

const softplus1 = activation(
  K.softplus,
  K.softplus_grad,
  { beta: 2, threshold: 3 },
  {
    of: "x",
    ranges: [
      [-2, 1.4],
      [1.6, 3],
    ],
    bend(x, { beta, threshold }) {
      const z = times(x, beta);
      const s = sigmoid({ x: z });
      const bend = times(times(s, minus(1, s)), beta);
      return where({ condition: gt({ a: z, b: threshold }), a: 0, b: bend });
    },
  },
);
/** log(1 + e^(beta x)) / beta, x itself where beta x > threshold */
export const softplus = (x: Operand, beta = 1, threshold = 20): Value => softplus1({ x }, { beta, threshold });
/** log sigmoid(x) */
export const logSigmoid: Plain = activation(
  K.log_sigmoid,
  K.log_sigmoid_grad,
  {},
  {
    of: "x",
    bend(x) {
      const s = sigmoid({ x });
      return times(s, minus(s, 1));
    },
  },
);
// x t with t = tanh(softplus(x)), s = sigmoid(x), t' = s (1 - t^2): f'' = t' (2 + x (1 - s - 2 t s))
/** x tanh(softplus(x)) */
export const mish: Plain = activation(
  K.mish,
  K.mish_grad,
  {},
  {
    of: "x",
    bend(x) {
      const [s, t] = [sigmoid({ x }), tanh({ x: softplus(x) })];
      const dt = times(s, minus(1, square({ x: t })));
      return times(dt, plus(times(x, minus(minus(1, s), times(times(t, s), 2))), 2));
    },
  },
);

/** x / (1 + |x|) */
export const softsign: Plain = activation(
  K.softsign,
  K.softsign_grad,
  {},
  {
    of: "x",
    bend(x) {
      const d = plus(abs({ x }), 1);
      return over(times(sign({ x }), -2), times(d, square({ x: d })));
    },
  },
);
/** x - tanh(x) */
export const tanhshrink: Plain = activation(
  K.tanhshrink,
  K.tanhshrink_grad,
  {},
  {
    of: "x",
    bend(x) {
      const t = tanh({ x });
      return times(times(t, 2), minus(1, square({ x: t })));
    },
  },
);
/** clamp(x / 6 + 1/2, 0, 1) */
export const hardsigmoid: Plain = activation(
  K.hardsigmoid,
  K.hardsigmoid_grad,
  {},
  {
    of: "x",
    ranges: [
      [-2.9, 2.9],
      [-5, -3.1],
      [3.1, 5],
    ],
  },
);
/** x hardsigmoid(x) */
export const hardswish: Plain = activation(
  K.hardswish,
  K.hardswish_grad,
  {},
  {
    of: "x",
    ranges: [
      [-2.9, 2.9],
      [-5, -3.1],
      [3.1, 5],
    ],
    bend: (x) => over(cast(le({ a: abs({ x }), b: 3 }), x.dtype), 3),
  },
);
const shrunk: readonly Range[] = [
  [0.6, 2],
  [-0.4, 0.4],
];
const hardtanh1 = activation(K.hardtanh, K.hardtanh_grad, { low: -0.5, high: 0.5 }, { of: "x", ranges: shrunk });
/** min(max(low, x), high) */
export const hardtanh = (x: Operand, low = -1, high = 1): Value => hardtanh1({ x }, { low, high });
const hardshrink1 = activation(K.hardshrink, K.hardshrink_grad, { lambda: 0.5 }, { of: "x", ranges: shrunk });
/** x, or 0 from -lambda to lambda */
export const hardshrink = (x: Operand, lambda = 0.5): Value => hardshrink1({ x }, { lambda });
const softshrink1 = activation(K.softshrink, K.softshrink_grad, { lambda: 0.5 }, { of: "x", ranges: shrunk });
/** lambda nearer to 0, 0 from -lambda to lambda */
export const softshrink = (x: Operand, lambda = 0.5): Value => softshrink1({ x }, { lambda });
const threshold1 = activation(K.threshold, K.threshold_grad, { limit: 0.5, value: 3 }, { of: "x", ranges: shrunk });
/** x above the limit, else value */
export const threshold = (x: Operand, limit: number, value: number): Value => threshold1({ x }, { limit, value });

const preluOp = elementwise({
  name: "prelu",
  kernel: K.prelu,
  inputs: ["a", "b"],
  keep: ["a", "b"],
  prepare: (x) => alike("prelu", x, real),
  infer: (x) => pairSpec("prelu", x),
  grad: {
    a: (gy, { a, b }): Value => where({ condition: gt({ a, b: 0 }), a: gy, b: mul({ a: gy, b }) }),
    b: (gy, { a }): Value => where({ condition: gt({ a, b: 0 }), a: 0, b: mul({ a: gy, b: a }) }),
  },
  cases: [
    { inputs: { a: { shape: [2, 3, 2], low: 0.1, high: 1 }, b: [3, 1] } },
    { inputs: { a: { shape: [7], low: -1, high: -0.1 }, b: [1] } },
  ],
});
/** x, or weight x below 0: one weight, or one for each channel, dim 1 of x */
export function prelu(x: Value, weight: Value): Value {
  const channels = x.ndim < 2 ? 1 : x.shape[1];
  if (weight.ndim > 1 || (weight.size !== 1 && weight.size !== channels))
    fail("ERR_NABLA_SHAPE", "prelu", `takes one weight or ${channels}, one for each channel`, {
      values: { x, weight },
      expected: [channels],
      actual: weight.shape,
    });
  const lone = weight.size === 1;
  return preluOp({ a: x, b: reshape(weight, lone ? [] : [channels as number, ...x.shape.slice(2).map(() => 1)]) });
}

/** a sigmoid(b) with a and b the halves of x along dim */
export function glu(x: Value, dim = -1): Value {
  const d = checkDim("glu", dim, x.ndim);
  const half = x.shape[d]! / 2;
  if (!Number.isInteger(half))
    fail("ERR_NABLA_SHAPE", "glu", `cannot halve dim ${d} of ${x.shape[d]} elements`, { values: { x } });
  return times(slice(x, d, 0, half), sigmoid({ x: slice(x, d, half) }));
}
