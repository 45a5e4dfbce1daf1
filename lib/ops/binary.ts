// Functions of two and three operands; tensors broadcast, plain numbers may stand for them.
import type { DType } from "../core/dtype.ts";
import type { Value } from "../core/value.ts";
import { launchMap, type Operand } from "../engine/launch.ts";
import { type Case, elementwise, type Op, type Sample, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import {
  alike,
  asOperand,
  cast,
  commonDType,
  commonShape,
  eq,
  ge,
  gt,
  integers,
  le,
  logicalAnd,
  logicalOr,
  neg,
  pairSpec,
  real,
  where,
} from "./arithmetic.ts";
import { zeros } from "./create.ts";
import { minus, over, plus, times } from "./formula.ts";
import { exp, isnan, log, signbit, square } from "./math.ts";

export type Binary = Op<"a" | "b", "y", Record<never, never>, Operand>;
type Kept = { readonly a: Operand; readonly b: Operand; readonly y: Operand };
type Slope = (gy: Value, kept: Kept) => Value;
type Cases = readonly Case<"a" | "b", Record<never, never>>[];

const range = (shape: number[], low: number, high: number): Sample => ({ shape, low, high });
/** Two tensors of one shape, two that broadcast, and a number on either side, all between low and high. */
const between = (low: number, high: number): Cases => [
  { inputs: { a: range([2, 3], low, high), b: range([2, 3], low, high) } },
  { inputs: { a: range([4, 1, 3], low, high), b: range([2, 1], low, high) } },
  { inputs: { a: range([7], low, high), b: (low + 3 * high) / 4 } },
  { inputs: { a: (low + 3 * high) / 4, b: range([7], low, high) } },
];

/** The gradients of a and b, from what they keep. */
interface Rules {
  readonly keep: readonly (keyof Kept)[];
  readonly a: Slope;
  readonly b: Slope;
}
function binary(kernel: Kernel, least: (d: DType) => DType, cases: Cases, { keep, a, b }: Rules): Binary {
  return elementwise({
    name: kernel.name,
    kernel,
    inputs: ["a", "b"],
    keep,
    prepare: (x) => alike(kernel.name, x, least),
    infer: (x) => pairSpec(kernel.name, x),
    grad: { a, b },
    cases,
  });
}
/** c where the condition holds, else x */
const masked = (condition: Value, c: number, x: Operand): Value => where({ condition, a: c, b: x });
const isZero = (x: Value): Value => eq({ a: x, b: 0 });
const logOf = (x: Operand): Operand => (typeof x === "number" ? Math.log(x) : log({ x }));
const squareOf = (x: Operand): Operand => (typeof x === "number" ? x * x : square({ x }));

// Exponents with a row of their own, with PyTorch's answers: (-inf)^0.5 is NaN
const powers: Readonly<Record<number, (y: Value, x: Operand) => void>> = {
  2: (y, x) => launchMap(K.mul, y.dtype, [y, x, x]),
  0.5: (y, x) => launchMap(K.sqrt, y.dtype, [y, x]),
  [-0.5]: (y, x) => launchMap(K.rsqrt, y.dtype, [y, x]),
  [-1]: (y, x) => launchMap(K.reciprocal, y.dtype, [y, x]),
};
/** y = a^b; 0^0 = 1. The gradient of x^0 is 0, that of 0^b for b is 0. */
export const pow: Binary = elementwise({
  name: "pow",
  inputs: ["a", "b"],
  keep: ["a", "b", "y"],
  prepare: (x) => alike("pow", x, real),
  infer: (x) => pairSpec("pow", x),
  forward({ y }, { a, b }) {
    const row = typeof b === "number" ? powers[b] : undefined;
    if (row) row(y, a);
    else launchMap(K.pow, y.dtype, [y, a, b]);
  },
  grad: {
    a(gy, { a, b }): Value {
      if (typeof b !== "number") return times(gy, masked(isZero(b), 0, times(b, pow({ a, b: minus(b, 1) }))));
      if (b === 0) return zeros(gy.shape, gy.dtype);
      return times(gy, times(b === 2 ? a : pow({ a, b: b - 1 }), b));
    },
    b(gy, { a, b, y }): Value {
      const slope = times(y, logOf(a));
      const positive = ge({ a: b, b: 0 });
      if (typeof a === "number") return times(gy, a === 0 ? masked(positive, 0, slope) : slope);
      return times(gy, masked(logicalAnd({ a: isZero(a), b: positive }), 0, slope));
    },
  },
  cases: [
    ...between(0.2, 2),
    ...[3, 2, 1, 0, 0.5, -0.5, -1, -2].map((b) => ({ inputs: { a: range([5], 0.3, 2), b } })),
    { inputs: { a: range([5], -2, -0.3), b: 3 } },
  ],
});

const radius2 = ({ a, b }: Kept): Value => plus(squareOf(a), squareOf(b));
/** The angle of the point (b, a), in [-pi, pi] */
export const atan2: Binary = binary(K.atan2, real, between(0.3, 2), {
  keep: ["a", "b"],
  a: (gy, kept) => times(gy, over(kept.b, radius2(kept))),
  b: (gy, kept) => neg({ x: times(gy, over(kept.a, radius2(kept))) }),
});
/** y = sqrt(a^2 + b^2) */
export const hypot: Binary = binary(K.hypot, real, between(0.3, 2), {
  keep: ["a", "b", "y"],
  a: (gy, { a, y }) => times(gy, over(a, y)),
  b: (gy, { b, y }) => times(gy, over(b, y)),
});
/** y = log(e^a + e^b) */
export const logaddexp: Binary = binary(K.logaddexp, real, between(-2, 2), {
  keep: ["a", "b"],
  a: (gy, { a, b }) => over(gy, plus(1, exp({ x: minus(b, a) }))),
  b: (gy, { a, b }) => over(gy, plus(1, exp({ x: minus(a, b) }))),
});
/** y = a log b, 0 for a = 0 */
export const xlogy: Binary = binary(K.xlogy, real, between(0.3, 2), {
  keep: ["a", "b"],
  a(gy, { a, b }) {
    const slope = times(gy, logOf(b));
    if (typeof a === "number" || typeof b === "number") return slope;
    return masked(logicalAnd({ a: isZero(a), b: le({ a: b, b: 0 }) }), 0, slope);
  },
  b: (gy, { a, b }) => times(gy, over(a, b)),
});

const divided: Cases = [
  { inputs: { a: range([2, 3], 2.1, 2.4), b: range([2, 3], 0.9, 1) } },
  { inputs: { a: range([4, 1], -2.4, -2.1), b: range([3], 0.9, 1) } },
  { inputs: { a: range([5], 4.2, 4.8), b: -2 } },
];
/** y = a - b whole(a / b) */
const rest = (kernel: Kernel, whole: Binary): Binary =>
  binary(kernel, integers, divided, {
    keep: ["a", "b"],
    a: (gy) => gy,
    b: (gy, { a, b }) => neg({ x: times(gy, whole({ a, b })) }),
  });
const quotient = (kernel: Kernel): Binary => {
  const flat = (gy: Value) => zeros(gy.shape, gy.dtype);
  return binary(kernel, integers, divided, { keep: [], a: flat, b: flat });
};
/** a / b rounded down, to integers of integers, where x by 0 is 0 */
export const floorDivide: Binary = quotient(K.floor_divide);
/** a / b rounded towards 0, to integers of integers, where x by 0 is 0 */
export const truncDivide: Binary = quotient(K.trunc_divide);
/** The rest of a / b, with the sign of a. Integers: x by 0 is x. */
export const fmod: Binary = rest(K.fmod, truncDivide);
/** The rest of a / b, with the sign of b. Integers: x by 0 is x. */
export const remainder: Binary = rest(K.remainder, floorDivide);

/** y = a + w (b - a), exactly b at w = 1 */
export const lerp = elementwise({
  name: "lerp",
  kernel: K.lerp,
  inputs: ["a", "b", "w"],
  keep: ["a", "b", "w"],
  prepare({ a, b, w }) {
    const dtype = real(commonDType("lerp", a, b, w));
    return { a: asOperand(a, dtype), b: asOperand(b, dtype), w: asOperand(w, dtype) };
  },
  infer: (x): Spec => ({ shape: commonShape("lerp", x), dtype: commonDType("lerp", x.a, x.b, x.w) }),
  grad: {
    a: (gy, { w }): Value => times(gy, typeof w === "number" ? 1 - w : minus(1, w)),
    b: (gy, { w }): Value => times(gy, w),
    w: (gy, { a, b }): Value => times(gy, typeof a === "number" && typeof b === "number" ? b - a : minus(b, a)),
  },
  cases: [
    { inputs: { a: [2, 3], b: [2, 3], w: 0.3 } },
    { inputs: { a: [4, 1, 3], b: [2, 1], w: range([3], 0, 1) } },
    { inputs: { a: 0, b: 2, w: [3] } },
  ],
});

/** The larger of the two; of a number and NaN the number */
export const fmax = (a: Value, b: Value): Value =>
  where({ condition: logicalOr({ a: ge({ a, b }), b: isnan(b) }), a, b });
/** The smaller of the two; of a number and NaN the number */
export const fmin = (a: Value, b: Value): Value =>
  where({ condition: logicalOr({ a: le({ a, b }), b: isnan(b) }), a, b });
/** The size of a with the sign of b */
export const copysign = (a: Value, b: Value): Value =>
  where({ condition: eq({ a: signbit({ x: a }), b: signbit({ x: b }) }), a, b: neg({ x: a }) });
/** 0 left of 0, 1 right of it, and b there */
export const heaviside = (a: Value, b: Value): Value =>
  where({ condition: isZero(a), a: b, b: cast(gt({ a, b: 0 }), a.dtype) });
/** log2(2^a + 2^b) */
export const logaddexp2 = (a: Value, b: Value): Value =>
  over(logaddexp({ a: times(a, Math.LN2), b: times(b, Math.LN2) }), Math.LN2);
/** a^b in f64 */
export const floatPower = (a: Operand, b: Operand): Value => pow({ a: asOperand(a, "f64"), b: asOperand(b, "f64") });
