import { fail, show } from "../core/errors.ts";
import { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";

const hint = (x: unknown): { hint?: string } =>
  Array.isArray(x) || ArrayBuffer.isView(x) ? { hint: "make a tensor of it: tensor([1, 2, 3])" } : {};

/** What a caller without types gave where a tensor belongs. */
export function value(op: string, name: string, x: unknown): Value {
  if (x instanceof Value) return x;
  return fail("ERR_NABLA_TYPE", op, `${name} is ${show(x)}, not a tensor`, { actual: x, ...hint(x) });
}
/** The same where a number may stand for a tensor. */
export function operand(op: string, x: unknown, name = "other"): Operand {
  if (typeof x === "number" || x instanceof Value) return x;
  return fail("ERR_NABLA_TYPE", op, `${name} is ${show(x)}, not a tensor or a number`, { actual: x, ...hint(x) });
}
