// The library as the table sees it: functions by name, so that one that is missing is told and not a broken import.
import type { Value } from "../../lib/core/value.ts";
import type { AnyOp } from "../../lib/engine/op.ts";
import * as ops from "../../lib/ops/index.ts";
import { Skip } from "./outcome.ts";

const surface = ops as unknown as Record<string, unknown>;
type Given = Value | number | undefined;

export const has = (name: string): boolean => typeof surface[name] === "function";

/**
 * Calls what the library exports under a name. An op takes its inputs by name, in the order it lists them, and its
 * attributes; any other function takes everything as it comes.
 */
export function call<R = Value>(name: string, inputs: readonly Given[], ...rest: unknown[]): R {
  const f = surface[name];
  if (typeof f !== "function") throw new Skip(`no ${name}`);
  if (!("definition" in f)) return (f as (...args: unknown[]) => R)(...inputs, ...rest);
  const op = f as unknown as AnyOp;
  const named = Object.fromEntries(op.inputs.map((input, i) => [input, inputs[i]]).filter(([, x]) => x !== undefined));
  return op(named, ...(rest as [unknown?])) as R;
}
