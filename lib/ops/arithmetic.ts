import { type DType, promote, promoteNumber } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { broadcastShapes, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launchMap, type Operand } from "../engine/launch.ts";
import { elementwise, op, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";

const castRows: Partial<Record<DType, Kernel>> = {
  f32: K.cast_f32,
  f64: K.cast_f64,
  i32: K.cast_i32,
  u8: K.cast_u8,
  bool: K.cast_bool,
};

/** y = x in another dtype. Floats go to integers towards zero; to bool, anything but 0 is true. */
const castOp = op({
  name: "cast",
  inputs: ["x"],
  infer: ({ x }, { dtype }: { dtype: DType }): Spec => ({ shape: x.shape, dtype }),
  forward({ y }, { x }) {
    if (y.dtype === "bf16" || x.dtype === "bf16")
      launchMap(y.dtype === "bf16" ? K.to_bf16 : K.from_bf16, "f32", [y, x]);
    else launchMap(castRows[y.dtype] as Kernel, x.dtype, [y, x]);
  },
  grad: { x: (gy): Value => gy },
  cases: [{ inputs: { x: [3, 5] }, attrs: { dtype: "f64" }, order: 2 }],
});
export function cast(x: Value, dtype: DType): Value {
  if (x.dtype === dtype) return x;
  // bf16 meets every other dtype by way of f32.
  if (dtype === "bf16" && x.dtype !== "f32") return cast(cast(x, "f32"), dtype);
  if (x.dtype === "bf16" && dtype !== "f32") return cast(cast(x, "f32"), dtype);
  return castOp({ x }, { dtype });
}

export const asOperand = (x: Operand, dtype: DType): Operand => (typeof x === "number" ? x : cast(x, dtype));

/** The dtype two operands meet in; numbers are weak. */
export function commonDType(op: string, ...xs: readonly Operand[]): DType {
  let dtype: DType | undefined;
  for (const x of xs) if (typeof x !== "number") dtype = dtype === undefined ? x.dtype : promote(dtype, x.dtype);
  if (dtype === undefined) return fail("ERR_NABLA_TYPE", op, "needs at least one tensor", { actual: xs });
  for (const x of xs) if (typeof x === "number") dtype = promoteNumber(dtype, x);
  return dtype;
}

/** Integers and booleans become f32 where a function has no integer values. */
export function floating(op: string, ...xs: readonly Operand[]): DType {
  const d = commonDType(op, ...xs);
  return d === "f64" ? "f64" : "f32";
}

/** The shape operands broadcast to. */
export function commonShape(op: string, x: Readonly<Record<string, Operand | undefined>>): number[] {
  let shape: number[] | undefined;
  for (const name in x) {
    const v = x[name];
    if (typeof v !== "object") continue;
    if (shape === undefined) shape = v.shape;
    else if (shape !== v.shape) {
      const both = broadcastShapes(shape, v.shape);
      if (!both)
        fail("ERR_NABLA_SHAPE", op, `shapes [${shape.join(", ")}] and [${v.shape.join(", ")}] do not broadcast`, {
          values: x,
          expected: shape,
          actual: v.shape,
          hint: "sizes must be equal or 1, counted from the last dimension",
        });
      shape = both as number[];
    }
  }
  return shape ?? [];
}

type Pair = { readonly a: Operand; readonly b: Operand };
export const integers = (d: DType): DType => (d === "bool" || d === "u8" ? "i32" : d);

/** Two operands in their common dtype; bool and u8 are computed as i32. */
export function alike(op: string, { a, b }: Pair, least: (d: DType) => DType = integers): { a: Operand; b: Operand } {
  const dtype = least(commonDType(op, a, b));
  return { a: asOperand(a, dtype), b: asOperand(b, dtype) };
}
export const real = (d: DType): DType => (d === "f64" ? "f64" : "f32");

export function pairSpec(op: string, x: Pair): Spec {
  return { shape: commonShape(op, x), dtype: commonDType(op, x.a, x.b) };
}

const pairCases = [
  { inputs: { a: [2, 3], b: [2, 3] } },
  { inputs: { a: [4, 1, 3], b: [2, 1] } },
  { inputs: { a: [3, 2], b: 1.5 } },
  { inputs: { a: 2.5, b: [5] } },
];
const truth = (name: string, x: Pair): Spec => ({ shape: commonShape(name, x), dtype: "bool" });

/** y = a + b */
export const add = elementwise({
  name: "add",
  kernel: K.add,
  inputs: ["a", "b"],
  prepare: (x) => alike("add", x),
  infer: (x) => pairSpec("add", x),
  grad: { a: (gy): Value => gy, b: (gy): Value => gy },
  cases: pairCases,
});
/** y = a - b */
export const sub = elementwise({
  name: "sub",
  kernel: K.sub,
  inputs: ["a", "b"],
  prepare: (x) => alike("sub", x),
  infer: (x) => pairSpec("sub", x),
  grad: { a: (gy): Value => gy, b: (gy): Value => neg({ x: gy }) },
  cases: pairCases,
});
/** y = a b */
export const mul = elementwise({
  name: "mul",
  kernel: K.mul,
  inputs: ["a", "b"],
  keep: ["a", "b"],
  prepare: (x) => alike("mul", x),
  infer: (x) => pairSpec("mul", x),
  grad: { a: (gy, { b }): Value => mul({ a: gy, b }), b: (gy, { a }): Value => mul({ a: gy, b: a }) },
  cases: pairCases,
});
/** y = a / b; integers are divided as f32 */
export const div = elementwise({
  name: "div",
  kernel: K.div,
  inputs: ["a", "b"],
  keep: ["a", "b"],
  prepare: (x) => alike("div", x, real),
  infer: (x) => pairSpec("div", x),
  grad: {
    a: (gy, { b }): Value => div({ a: gy, b }),
    b: (gy, { a, b }): Value => neg({ x: div({ a: mul({ a: gy, b: div({ a, b }) }), b }) }),
  },
  cases: [
    { inputs: { a: [2, 3], b: { shape: [2, 3], low: 0.5, high: 2 } } },
    { inputs: { a: [4, 1], b: { shape: [3], low: -2, high: -0.5 } } },
    { inputs: { a: [5], b: 3 } },
    { inputs: { a: 3, b: { shape: [5], low: 0.5, high: 2 } } },
  ],
});
/** y = -x */
export const neg = elementwise({
  name: "neg",
  kernel: K.neg,
  inputs: ["x"],
  prepare: ({ x }) => ({ x: asOperand(x, integers(commonDType("neg", x))) }),
  infer: ({ x }) => x as Value,
  grad: { x: (gy): Value => neg({ x: gy }) },
  cases: [{ inputs: { x: [3, 4] } }],
});
/** y = |x|; the gradient at 0 is 0 */
export const abs = elementwise({
  name: "abs",
  kernel: K.abs,
  inputs: ["x"],
  keep: ["x"],
  prepare: ({ x }) => ({ x: asOperand(x, integers(commonDType("abs", x))) }),
  infer: ({ x }) => x as Value,
  grad: {
    x: (gy, { x }): Value =>
      where({
        condition: lt({ a: x, b: 0 }),
        a: neg({ x: gy }),
        b: where({ condition: eq({ a: x, b: 0 }), a: 0, b: gy }),
      }),
  },
  cases: [
    { inputs: { x: { shape: [3, 4], low: 0.1, high: 2 } } },
    { inputs: { x: { shape: [7], low: -2, high: -0.1 } } },
  ],
});

/** Share of the gradient for the operand that won; ties share it equally. */
function won(gy: Value, wins: Value, ties: Value): Value {
  return where({ condition: wins, a: gy, b: where({ condition: ties, a: mul({ a: gy, b: 0.5 }), b: 0 }) });
}
/** y = max(a, b); NaN wins */
export const maximum = elementwise({
  name: "maximum",
  kernel: K.maximum,
  inputs: ["a", "b"],
  keep: ["a", "b"],
  prepare: (x) => alike("maximum", x),
  infer: (x) => pairSpec("maximum", x),
  grad: {
    a: (gy, { a, b }): Value => won(gy, gt({ a, b }), eq({ a, b })),
    b: (gy, { a, b }): Value => won(gy, lt({ a, b }), eq({ a, b })),
  },
  cases: pairCases,
});
/** y = min(a, b); NaN wins */
export const minimum = elementwise({
  name: "minimum",
  kernel: K.minimum,
  inputs: ["a", "b"],
  keep: ["a", "b"],
  prepare: (x) => alike("minimum", x),
  infer: (x) => pairSpec("minimum", x),
  grad: {
    a: (gy, { a, b }): Value => won(gy, lt({ a, b }), eq({ a, b })),
    b: (gy, { a, b }): Value => won(gy, gt({ a, b }), eq({ a, b })),
  },
  cases: pairCases,
});

/** A comparison: bool of the broadcast shape. */
function comparison(name: "eq" | "ne" | "lt" | "le" | "gt" | "ge") {
  return elementwise({
    name,
    kernel: K[name],
    inputs: ["a", "b"],
    prepare: (x: Pair) => alike(name, x),
    infer: (x: Pair) => truth(name, x),
    cases: pairCases.map((c) => ({ ...c, order: 0 as const })),
  });
}
export const eq = comparison("eq");
export const ne = comparison("ne");
export const lt = comparison("lt");
export const le = comparison("le");
export const gt = comparison("gt");
export const ge = comparison("ge");

const bools = (op: string, { a, b }: Pair) => alike(op, { a, b }, () => "bool");
const flags = { shape: [2, 3], dtype: "bool" as const };
function logical(name: "logical_and" | "logical_or" | "logical_xor") {
  return elementwise({
    name,
    kernel: K[name],
    inputs: ["a", "b"],
    prepare: (x: Pair) => bools(name, x),
    infer: (x: Pair) => truth(name, x),
    cases: [{ inputs: { a: flags, b: flags }, order: 0 as const }],
  });
}
export const logicalAnd = logical("logical_and");
export const logicalOr = logical("logical_or");
export const logicalXor = logical("logical_xor");
export const logicalNot = elementwise({
  name: "logical_not",
  kernel: K.logical_not,
  inputs: ["x"],
  prepare: ({ x }) => ({ x: asOperand(x, "bool") }),
  infer: ({ x }) => x as Value,
  cases: [{ inputs: { x: flags }, order: 0 }],
});

function choiceDType(a: Operand, b: Operand): DType {
  if (typeof a !== "number" || typeof b !== "number") return commonDType("where", a, b);
  return Number.isInteger(a) && Number.isInteger(b) ? "i32" : "f32";
}
/** y = condition ? a : b, elementwise; all three broadcast */
export const where = elementwise({
  name: "where",
  inputs: ["condition", "a", "b"],
  keep: ["condition"],
  prepare: ({ condition, a, b }) => {
    const dtype = choiceDType(a, b);
    return { condition: asOperand(condition, "bool"), a: asOperand(a, dtype), b: asOperand(b, dtype) };
  },
  infer: ({ condition, a, b }): Spec => ({
    shape: commonShape("where", { condition, a, b }),
    dtype: choiceDType(a, b),
  }),
  forward: ({ y }, { condition, a, b }) => launchMap(K.where, y.dtype, [y, condition, a, b]),
  grad: {
    a: (gy, { condition }): Value => where({ condition, a: gy, b: 0 }),
    b: (gy, { condition }): Value => where({ condition, a: 0, b: gy }),
  },
  cases: [{ inputs: { condition: flags, a: [2, 3], b: [2, 3] } }, { inputs: { condition: flags, a: [3], b: 0.5 } }],
});

/** y = x, contiguous */
const copyOp = op({
  name: "copy",
  inputs: ["x"],
  infer: ({ x }): Spec => ({ shape: x.shape, dtype: x.dtype }),
  forward: ({ y }, { x }) => launchMap(K.copy, x.dtype, [y, x]),
  grad: { x: (gy): Value => gy },
  cases: [{ inputs: { x: [3, 4] } }],
});
export const copy = (x: Value): Value => copyOp({ x });
export const contiguous = (x: Value): Value => (x.isContiguous ? x : copyOp({ x }));

/** Writes src, broadcast, into the memory of y. Not on the tape: for creation and for state that gradients do not flow through. */
export function assign(y: Value, src: Operand): void {
  if (numel(y.shape) > 0) launchMap(K.copy, y.dtype, [y, src]);
  y.storage.version++;
}
