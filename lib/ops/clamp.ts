import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { launchMap, type Operand } from "../engine/launch.ts";
import { elementwise, type Sample, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import {
  asOperand,
  commonDType,
  commonShape,
  ge,
  gt,
  integers,
  le,
  logicalAnd,
  logicalOr,
  lt,
  where,
} from "./arithmetic.ts";

const range = (shape: number[], low: number, high: number): Sample => ({ shape, low, high });
const limits = { f32: Number.POSITIVE_INFINITY, f64: Number.POSITIVE_INFINITY, i32: 2 ** 31 - 1 };
/** min <= y <= max, either may be absent; max where they cross. The gradient passes where x lies between, ends included. */
export const clamp = elementwise({
  name: "clamp",
  inputs: ["x", "min?", "max?"],
  keep: ["x", "min", "max"],
  prepare({ x, min, max }) {
    const given = [x, min, max].filter((v) => v !== undefined);
    const dtype = integers(commonDType("clamp", ...given));
    const bound = (v: Operand | undefined) => (v === undefined ? v : asOperand(v, dtype));
    return { x: asOperand(x, dtype), min: bound(min), max: bound(max) };
  },
  infer(x): Spec {
    const { min, max } = x;
    if (min === undefined && max === undefined) fail("ERR_NABLA_VALUE", "clamp", "needs min, max or both");
    const dtype = commonDType("clamp", ...[x.x, min, max].filter((v) => v !== undefined));
    return { shape: commonShape("clamp", { ...x }), dtype };
  },
  forward({ y }, { x, min, max }) {
    const most = limits[y.dtype as keyof typeof limits];
    launchMap(K.clamp, y.dtype, [y, x, min ?? (y.dtype === "i32" ? -most - 1 : -most), max ?? most]);
  },
  grad: {
    x(gy, { x, min, max }): Value {
      const low = min === undefined ? undefined : ge({ a: x, b: min });
      const high = max === undefined ? undefined : le({ a: x, b: max });
      const condition = low && high ? logicalAnd({ a: low, b: high }) : ((low ?? high) as Value);
      return where({ condition, a: gy, b: 0 });
    },
    min(gy, { x, min, max }): Value {
      const below = lt({ a: x, b: min as Operand });
      const condition = max === undefined ? below : logicalAnd({ a: below, b: lt({ a: min as Operand, b: max }) });
      return where({ condition, a: gy, b: 0 });
    },
    max(gy, { x, min, max }): Value {
      const beyond = gt({ a: x, b: max as Operand });
      const condition = min === undefined ? beyond : logicalOr({ a: beyond, b: gt({ a: min, b: max as Operand }) });
      return where({ condition, a: gy, b: 0 });
    },
  },
  cases: [
    { inputs: { x: [3, 5], min: -0.5, max: 0.4 } },
    { inputs: { x: [3, 5], min: 0.1 } },
    { inputs: { x: [3, 5], max: -0.1 } },
    { inputs: { x: [4, 1, 3], min: range([2, 1], -0.6, -0.2), max: range([3], 0.1, 0.5) } },
    { inputs: { x: [2, 3], min: range([3], 0.2, 0.6), max: range([2, 1], -0.4, 0) } },
  ],
});
