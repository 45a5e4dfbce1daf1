// The library as the tables see it: functions and classes by name, so that one that is missing is told and not a broken
// import. What a user imports comes first, then the ops behind it.
import type { Value } from "../../lib/core/value.ts";
import type { AnyOp } from "../../lib/engine/op.ts";
import * as nabla from "../../lib/index.ts";
import * as ops from "../../lib/ops/index.ts";
import { Skip } from "./outcome.ts";

type Surface = Readonly<Record<string, unknown>>;
type Given = Value | number | undefined;

function find(surface: Surface, name: string): (...args: unknown[]) => unknown {
  const f = name.split(".").reduce<unknown>((x, part) => (x as Surface | undefined)?.[part], surface);
  if (typeof f !== "function") throw new Skip(`no ${name}`);
  return f as (...args: unknown[]) => unknown;
}

/** A class or function of the package, "schedule.cosine" too. */
export function lookup<T>(name: string): T {
  return find(nabla as unknown as Surface, name) as T;
}
/** An instance of a class of the package. */
export function create<T>(name: string, ...args: unknown[]): T {
  return new (lookup<new (...args: unknown[]) => T>(name))(...args);
}

/**
 * Calls an op. A definition takes its inputs by name, in the order it lists them, and its attributes; any other function
 * takes everything as it comes.
 */
export function call<R = Value>(name: string, inputs: readonly Given[], ...rest: unknown[]): R {
  const f = find(ops as unknown as Surface, name);
  if (!("definition" in f)) return f(...inputs, ...rest) as R;
  const op = f as unknown as AnyOp;
  const named = Object.fromEntries(op.inputs.map((input, i) => [input, inputs[i]]).filter(([, x]) => x !== undefined));
  return op(named, ...(rest as [unknown?])) as R;
}

/** Calls a method of a tensor. */
export function method<R = Value>(x: Value, name: string, ...args: unknown[]): R {
  const f = (x as unknown as Surface)[name];
  if (typeof f !== "function") throw new Skip(`no method ${name}`);
  return f.apply(x, args) as R;
}
