// Ops that work element by element.

import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Table } from "../args.ts";
import { call, method } from "../library.ts";

/** log_softmax -> logSoftmax */
export const camel = (name: string): string => name.replace(/_(.)/g, (_, c: string) => c.toUpperCase());

const unary = (...names: string[]): Table =>
  Object.fromEntries(names.map((name) => [name, entry("input", (a) => call(camel(name), [a.tensor("input")]))]));
const binary = (...names: string[]): Table =>
  Object.fromEntries(
    names.map((name) => [
      name,
      entry("input other", (a) => call(camel(name), [a.operand("input"), a.operand("other")])),
    ]),
  );

const times = (x: Value | number, factor: number): Value | number =>
  factor === 1 ? x : typeof x === "number" ? x * factor : call("mul", [x, factor]);
const scaled = (op: "add" | "sub") => (a: Args) =>
  call(op, [a.operand("input"), times(a.operand("other"), a.number("alpha", 1))]);
/** The number of a scalar op goes by several names. */
const number = (a: Args, ...names: string[]): number => a.number(names.find((n) => a.has(n)) ?? names[0]!, Number.NaN);
const reversed = (op: string, ...names: string[]): Entry =>
  entry("input other", (a) => call(op, [number(a, ...names), a.tensor("input")]));
const withNumber = (op: string): Entry =>
  entry("input other", (a) => call(op, [a.tensor("input"), number(a, "other", "value", "exponent")]));

const rounded = (a: Args): string => {
  const mode = a.word("rounding_mode", "");
  return mode === "" ? "div" : mode === "floor" ? "floorDivide" : "truncDivide";
};

export const elementwise: Table = {
  ...unary("neg", "abs", "sign", "square", "sqrt", "floor", "ceil", "trunc", "reciprocal", "rsqrt", "frac"),
  ...unary("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "erf", "erfc", "erfinv", "sinc"),
  ...unary("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "deg2rad"),
  ...unary("isnan", "isinf", "isfinite", "signbit", "logical_not"),
  ...binary(
    "mul",
    "maximum",
    "minimum",
    "pow",
    "fmod",
    "remainder",
    "atan2",
    "logaddexp",
    "logaddexp2",
    "hypot",
    "copysign",
  ),
  ...binary("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "floor_divide"),
  ...binary("fmax", "fmin", "xlogy", "heaviside"),
  round: entry("input decimals", (a) => {
    const decimals = a.number("decimals", 0);
    return decimals === 0 ? call("round", [a.tensor("input")]) : call("roundTo", [a.tensor("input"), decimals]);
  }),
  // torch computes it in f64; the expected values are f32
  float_power: entry("input other", (a) => {
    const x = a.tensor("input");
    return call("cast", [call("floatPower", [x, a.operand("other")])], x.dtype);
  }),
  detach: entry("input", (a) => method(a.tensor("input"), "detach")),
  sgn: entry("input", (a) => call("sign", [a.tensor("input")])),
  add: entry("input other", scaled("add")),
  sub: entry("input other", scaled("sub")),
  rsub: entry("input other", (a) => call("sub", [a.operand("other"), times(a.operand("input"), a.number("alpha", 1))])),
  div: entry("input other", (a) => call(rounded(a), [a.operand("input"), a.operand("other")])),
  true_divide: entry("input other", (a) => call("div", [a.operand("input"), a.operand("other")])),
  add_scalar: withNumber("add"),
  mul_scalar: withNumber("mul"),
  div_scalar: withNumber("div"),
  pow_scalar: withNumber("pow"),
  rsub_scalar: reversed("sub", "other"),
  rdiv_scalar: reversed("div", "numerator", "other"),
  int_add: entry("input other", (a) => call("add", [a.tensor("input"), a.tensor("other")])),
  int_sub: entry("input other", (a) => call("sub", [a.tensor("input"), a.tensor("other")])),
  int_mul: entry("input other", (a) => call("mul", [a.tensor("input"), a.tensor("other")])),
  int_remainder: entry("input other", (a) => call("remainder", [a.tensor("input"), a.tensor("other")])),
  int_fmod: entry("input other", (a) => call("fmod", [a.tensor("input"), a.tensor("other")])),
  promote_add: entry("input other", (a) => call("add", [a.tensor("input"), a.tensor("other")])),
  f64_exp: entry("input", (a) => call("exp", [a.tensor("input")])),
  addcmul: entry("input tensor1 tensor2", (a) =>
    call("add", [
      a.tensor("input"),
      times(call("mul", [a.tensor("tensor1"), a.tensor("tensor2")]), a.number("value", 1)),
    ]),
  ),
  addcdiv: entry("input tensor1 tensor2", (a) =>
    call("add", [
      a.tensor("input"),
      times(call("div", [a.tensor("tensor1"), a.tensor("tensor2")]), a.number("value", 1)),
    ]),
  ),
  lerp: entry("input end weight", (a) => call("lerp", [a.tensor("input"), a.tensor("end"), a.operand("weight")])),
  where: entry("condition input other", (a) => {
    // torch.where(c, x, y), and x.where(c, y) whose tensors stand in this order
    const [first, second, other] = [a.operand("condition"), a.operand("input"), a.operand("other")];
    const method = typeof second === "object" && second.dtype === "bool";
    return call("where", method ? [second, first, other] : [first, second, other]);
  }),
  clamp: entry("input min max", (a) => {
    const bound = (name: string) => (a.has(name) ? a.operand(name) : undefined);
    return call("clamp", [a.tensor("input"), bound("min"), bound("max")]);
  }),
  clamp_min: entry("input min", (a) => call("clamp", [a.tensor("input"), a.operand("min"), undefined])),
  clamp_max: entry("input max", (a) => call("clamp", [a.tensor("input"), undefined, a.operand("max")])),
  nan_to_num: entry("input nan posinf neginf", (a) =>
    call("nanToNum", [a.tensor("input")], {
      nan: a.number("nan"),
      posinf: a.number("posinf"),
      neginf: a.number("neginf"),
    }),
  ),
  logit: entry("input eps", (a) => call("logit", [a.tensor("input")], a.number("eps"))),
  isclose: entry("input other rtol atol equal_nan", (a) =>
    call("isclose", [a.tensor("input"), a.operand("other")], {
      rtol: a.number("rtol", 1e-5),
      atol: a.number("atol", 1e-8),
      equalNan: a.flag("equal_nan"),
    }),
  ),
};
