// Sums, differences, products and quotients as gradient rules write them.
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import { add, div, mul, sub } from "./arithmetic.ts";

export const plus = (a: Operand, b: Operand): Value => add({ a, b });
export const minus = (a: Operand, b: Operand): Value => sub({ a, b });
export const times = (a: Operand, b: Operand): Value => mul({ a, b });
export const over = (a: Operand, b: Operand): Value => div({ a, b });
/** The sum of those that are there. */
export function added(first: Value, ...more: readonly (Value | undefined)[]): Value;
export function added(...terms: readonly (Value | undefined)[]): Value | undefined;
export function added(...terms: readonly (Value | undefined)[]): Value | undefined {
  return terms.reduce((sum, term) => (sum && term ? plus(sum, term) : (sum ?? term)), undefined);
}
