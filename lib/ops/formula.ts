// The four operations as gradient rules write them.
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import { add, div, mul, sub } from "./arithmetic.ts";

export const plus = (a: Operand, b: Operand): Value => add({ a, b });
export const minus = (a: Operand, b: Operand): Value => sub({ a, b });
export const times = (a: Operand, b: Operand): Value => mul({ a, b });
export const over = (a: Operand, b: Operand): Value => div({ a, b });
