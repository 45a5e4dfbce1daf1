// Functions of one number: a row of the table each. Integers are computed as f32.
import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { launchMap, type Operand } from "../engine/launch.ts";
import { elementwise, type Op, type Sample, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import { abs, asOperand, cast, commonDType, copy, eq, floating, integers, lt, ne, neg, where } from "./arithmetic.ts";
import { clamp } from "./clamp.ts";
import { zeros } from "./create.ts";
import { minus, over, plus, times } from "./formula.ts";

export type Unary = Op<"x", "y", Record<never, never>, Operand>;

/** The one input of a function, in floats */
export const floatOperand = (op: string, x: Operand): { x: Operand } => ({ x: asOperand(x, floating(op, x)) });

type Range = readonly [low: number, high: number];
const wide: Range = [-2, 2];
const above: Range = [0.1, 3];
const within: Range = [-0.9, 0.9];
const samples = (ranges: readonly Range[], order: 0 | 1 | 2 = 2) =>
  ranges.map(([low, high], i) => ({ inputs: { x: { shape: i ? [7] : [3, 5], low, high } as Sample }, order }));

/** y = f(x). gx = slope(gy, v) with v = x or y, whichever the gradient is to keep. */
function unary(kernel: Kernel, range: Range, keep: "x" | "y", slope: (gy: Value, v: Value) => Value): Unary {
  return elementwise({
    name: kernel.name,
    kernel,
    inputs: ["x"],
    keep: [keep],
    prepare: ({ x }) => floatOperand(kernel.name, x),
    infer: ({ x }) => x as Value,
    grad: { x: (gy, kept): Value => slope(gy, kept[keep] as Value) },
    cases: samples([range]),
  });
}

const { LN2, LN10, PI } = Math;
const twoOverRootPi = 2 / Math.sqrt(PI);
const bell = (x: Value): Value => exp({ x: neg({ x: square({ x }) }) });
/** 1 - x^2, without the cancellation near 1 */
const gap = (x: Value): Value => times(minus(1, x), plus(1, x));

/** y = x^2, in integers too */
export const square: Unary = elementwise({
  name: "square",
  inputs: ["x"],
  keep: ["x"],
  prepare: ({ x }) => ({ x: asOperand(x, integers(commonDType("square", x))) }),
  infer: ({ x }) => x as Value,
  forward: ({ y }, { x }) => launchMap(K.mul, y.dtype, [y, x, x]),
  grad: { x: (gy, { x }): Value => times(gy, times(x, 2)) },
  cases: samples([wide]),
});
export const exp: Unary = unary(K.exp, wide, "y", times);
export const exp2: Unary = unary(K.exp2, wide, "y", (gy, y) => times(gy, times(y, LN2)));
export const expm1: Unary = unary(K.expm1, wide, "y", (gy, y) => times(gy, plus(y, 1)));
export const log: Unary = unary(K.log, above, "x", over);
export const log2: Unary = unary(K.log2, above, "x", (gy, x) => over(gy, times(x, LN2)));
export const log10: Unary = unary(K.log10, above, "x", (gy, x) => over(gy, times(x, LN10)));
export const log1p: Unary = unary(K.log1p, [-0.5, 3], "x", (gy, x) => over(gy, plus(x, 1)));
export const sqrt: Unary = unary(K.sqrt, above, "y", (gy, y) => over(gy, times(y, 2)));
export const rsqrt: Unary = unary(K.rsqrt, above, "y", (gy, y) => times(times(gy, -0.5), times(y, square({ x: y }))));
export const reciprocal: Unary = unary(K.reciprocal, above, "y", (gy, y) => neg({ x: times(gy, square({ x: y })) }));
export const sin: Unary = unary(K.sin, wide, "x", (gy, x) => times(gy, cos({ x })));
export const cos: Unary = unary(K.cos, wide, "x", (gy, x) => neg({ x: times(gy, sin({ x })) }));
export const tan: Unary = unary(K.tan, [-1, 1], "y", (gy, y) => times(gy, plus(square({ x: y }), 1)));
export const asin: Unary = unary(K.asin, within, "x", (gy, x) => times(gy, rsqrt({ x: gap(x) })));
export const acos: Unary = unary(K.acos, within, "x", (gy, x) => neg({ x: times(gy, rsqrt({ x: gap(x) })) }));
export const atan: Unary = unary(K.atan, wide, "x", (gy, x) => over(gy, plus(square({ x }), 1)));
export const sinh: Unary = unary(K.sinh, wide, "x", (gy, x) => times(gy, cosh({ x })));
export const cosh: Unary = unary(K.cosh, wide, "x", (gy, x) => times(gy, sinh({ x })));
export const asinh: Unary = unary(K.asinh, wide, "x", (gy, x) => times(gy, rsqrt({ x: plus(square({ x }), 1) })));
export const acosh: Unary = unary(K.acosh, [1.5, 4], "x", (gy, x) =>
  times(gy, times(rsqrt({ x: minus(x, 1) }), rsqrt({ x: plus(x, 1) }))),
);
export const atanh: Unary = unary(K.atanh, within, "x", (gy, x) => over(gy, gap(x)));
export const erf: Unary = unary(K.erf, wide, "x", (gy, x) => times(gy, times(bell(x), twoOverRootPi)));
export const erfc: Unary = unary(K.erfc, wide, "x", (gy, x) => times(gy, times(bell(x), -twoOverRootPi)));
export const erfinv: Unary = unary(K.erfinv, within, "y", (gy, y) =>
  times(gy, times(exp({ x: square({ x: y }) }), 1 / twoOverRootPi)),
);
/** y = sin(pi x) / (pi x); its gradient at 0 is 0 */
export const sinc: Unary = unary(K.sinc, [0.1, 2.4], "x", (gy, x) => {
  const slope = over(minus(cos({ x: times(x, PI) }), sinc({ x })), x);
  return times(gy, where({ condition: eq({ a: x, b: 0 }), a: 0, b: slope }));
});
export const frac: Unary = unary(K.frac, [0.1, 0.9], "x", (gy) => gy);

const logitOp: Unary = unary(K.logit, [0.1, 0.9], "x", (gy, x) => over(gy, times(x, minus(1, x))));

/** y = log(x / (1 - x)), of x within [eps, 1 - eps] where eps is given */
export function logit(x: Value, eps?: number): Value {
  return logitOp({ x: eps === undefined ? x : clamp({ x, min: eps, max: 1 - eps }) });
}

/** y = f(x) that is flat wherever it is smooth; of integers y = x */
function steps(kernel: Kernel): Unary {
  return elementwise({
    name: kernel.name,
    inputs: ["x"],
    prepare: ({ x }) => ({ x: asOperand(x, integers(commonDType(kernel.name, x))) }),
    infer: ({ x }) => x as Value,
    forward: ({ y }, { x }) => launchMap(y.dtype in kernel.id ? kernel : K.copy, y.dtype, [y, x]),
    grad: { x: (gy): Value => zeros(gy.shape, gy.dtype) },
    cases: samples([
      [0.1, 0.4],
      [-0.9, -0.6],
    ]),
  });
}
export const floor: Unary = steps(K.floor);
export const ceil: Unary = steps(K.ceil);
export const trunc: Unary = steps(K.trunc);
/** To the nearest whole number, halves to the even one */
export const round: Unary = steps(K.round);
/** To a number of decimals; below 0 to tens, hundreds, ... */
export function roundTo(x: Value, decimals = 0): Value {
  if (!Number.isInteger(decimals))
    fail("ERR_NABLA_VALUE", "round", "decimals is not a whole number", { actual: decimals });
  if (decimals === 0 || (decimals > 0 && !x.isFloat)) return round({ x });
  const unit = 10 ** Math.abs(decimals);
  if (decimals > 0) return over(round({ x: times(x, unit) }), unit);
  return cast(times(round({ x: over(x, unit) }), unit), integers(x.dtype));
}
/** -1, 0 or 1 */
export const sign: Unary = steps(K.sign);

/** Whether the sign is set; -0 has it. */
export const signbit: Unary = elementwise({
  name: "signbit",
  kernel: K.signbit,
  inputs: ["x"],
  prepare: ({ x }) => floatOperand("signbit", x),
  infer: ({ x }): Spec => ({ shape: (x as Value).shape, dtype: "bool" }),
  cases: samples([wide], 0),
});

export const isnan = (x: Value): Value => ne({ a: x, b: x });
export const isinf = (x: Value): Value => eq({ a: abs({ x }), b: Number.POSITIVE_INFINITY });
export const isfinite = (x: Value): Value => lt({ a: abs({ x }), b: Number.POSITIVE_INFINITY });

/** What stands for what is not a finite number; the largest numbers of the dtype unless given. */
export interface Finite {
  readonly nan?: number | undefined;
  readonly posinf?: number | undefined;
  readonly neginf?: number | undefined;
}
const largest = { f32: 2 ** 127 * (2 - 2 ** -23), f64: Number.MAX_VALUE };
const nanToNumOp = elementwise({
  name: "nan_to_num",
  inputs: ["x"],
  keep: ["x"],
  infer: ({ x }) => x as Value,
  forward({ y }, { x }, { nan = 0, posinf, neginf }: Finite) {
    const most = largest[y.dtype as "f32" | "f64"];
    launchMap(K.nan_to_num, y.dtype, [y, x], [nan, posinf ?? most, neginf ?? -most]);
  },
  grad: { x: (gy, { x }): Value => where({ condition: isfinite(x as Value), a: gy, b: 0 }) },
  cases: [{ inputs: { x: [3, 5] } }],
});
export const nanToNum = (x: Value, finite: Finite = {}): Value => (x.isFloat ? nanToNumOp({ x }, finite) : copy(x));

export const deg2rad = (x: Value): Value => times(x, PI / 180);
export const rad2deg = (x: Value): Value => times(x, 180 / PI);
