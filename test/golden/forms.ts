// The forms a case comes in: one op by name, a chain of ops, the gradient of a gradient, PyTorch's own samples.
import type { Value } from "../../lib/core/value.ts";
import { walk } from "../../lib/engine/tape.ts";
import type { Arg, Result, Table } from "./args.ts";
import { byName, byPosition, type Case, type Forward } from "./case.ts";
import { Miss } from "./outcome.ts";
import { zerosOf } from "./values.ts";

const single = (r: Result, op: string): Value => {
  if ("storage" in r) return r as Value;
  throw new Miss(`${op} gives more than one result`);
};

interface Step {
  readonly op: string;
  readonly out: string;
  readonly in: readonly string[];
  readonly attrs?: Record<string, Arg>;
}
/** Ops that take their tensors as one list. */
const listed = new Set(["cat", "stack"]);

function program(table: Table, c: Case, inputs: ReadonlyMap<string, Value>): Result {
  const env = new Map<string, Value>(inputs);
  const take = (name: string) => env.get(name) ?? missing(name);
  for (const { op, out, in: from, attrs = {} } of c.attrs.steps as unknown as Step[]) {
    const values = from.map(take);
    env.set(out, single(byPosition(table, op, listed.has(op) ? [values] : values, attrs), op));
  }
  return (c.attrs.outputs as string[]).map(take);
}
function missing(name: string): never {
  throw new Miss(`the program has no ${name}`);
}

/** d sum(cot op(inputs)) / d input for every input, itself on the tape. */
function doubleBackward(table: Table, c: Case, inputs: ReadonlyMap<string, Value>): Result {
  const { op, attrs } = c.attrs as { op: string; attrs: Record<string, Arg> };
  const given = [...inputs].filter(([name]) => name !== "cot");
  const value = single(byName(table, op, [...given, ...Object.entries(attrs)]), op);
  const asked = c.outputs.map((o) => inputs.get(o.name.replace("grad.", "")) ?? missing(o.name));
  const grads = walk([{ value, grad: inputs.get("cot") ?? missing("cot") }], asked, { createGraph: true });
  return grads.map((g, i) => g ?? zerosOf(asked[i]!.shape, asked[i]!.dtype));
}

/** An argument of PyTorch's samples: { t: name } an input, { tuple } a list, { float: "inf" }. */
function decoded(x: Arg, inputs: ReadonlyMap<string, Value>): Arg {
  if (Array.isArray(x)) return x.map((y) => decoded(y, inputs));
  if (typeof x !== "object" || x === null) return x;
  const { t, tuple, float } = x as Record<string, Arg>;
  if (typeof t === "string") return inputs.get(t) ?? missing(t);
  if (Array.isArray(tuple)) return tuple.map((y) => decoded(y, inputs));
  if (float !== undefined) return Number(String(float).replace("inf", "Infinity"));
  return x;
}
function opinfo(table: Table, c: Case, inputs: ReadonlyMap<string, Value>): Result {
  const { args, kwargs } = c.attrs.call as unknown as { args: Arg[]; kwargs: Record<string, Arg> };
  const path = c.torch.replace("torch.", "");
  const op = path in table ? path : path.split(".").at(-1)!;
  const named = Object.entries(kwargs).map(([name, x]) => [name, decoded(x, inputs)] as const);
  const positional = args.map((x) => decoded(x, inputs));
  return byPosition(table, op, positional, Object.fromEntries(named));
}

/** How the cases of a table are run. */
export function forward(table: Table): Forward {
  return (c, inputs) => {
    if (c.op === "program") return program(table, c, inputs);
    if (c.op === "double_backward") return doubleBackward(table, c, inputs);
    if (c.op.startsWith("opinfo:")) return opinfo(table, c, inputs);
    return byName(table, c.op, [...inputs, ...Object.entries(c.attrs)]);
  };
}
