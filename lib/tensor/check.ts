import { fail } from "../core/errors.ts";
import { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";

/** A value of any kind in a few words, for a sentence. Never calls the value's own code. */
export function show(x: unknown): string {
  if (x === null || x === undefined || typeof x === "boolean" || typeof x === "number") return String(x);
  if (typeof x === "string") return `the string ${JSON.stringify(x.length > 20 ? `${x.slice(0, 20)}...` : x)}`;
  if (typeof x === "bigint") return `the BigInt ${x}n`;
  if (Array.isArray(x)) return "a list";
  if (ArrayBuffer.isView(x)) return "an array of bytes or numbers";
  return typeof x === "object" ? "an object" : `a ${typeof x}`;
}

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
