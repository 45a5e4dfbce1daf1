// Compositions of where and of arithmetic.
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import { add, mul, sub, where } from "./arithmetic.ts";

/** value where the mask is true, x elsewhere. */
export const maskedFill = (x: Value, mask: Value, value: Operand): Value => where({ condition: mask, a: value, b: x });

/** y = x + weight (end - x); from the end where the weight is a half or more, so that 1 gives end exactly. */
export function lerp(x: Value, end: Value, weight: Operand): Value {
  const way = sub({ a: end, b: x });
  if (typeof weight === "number" && weight >= 0.5) return sub({ a: end, b: mul({ a: way, b: 1 - weight }) });
  return add({ a: x, b: mul({ a: way, b: weight }) });
}
