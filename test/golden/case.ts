// One case of the ops folder: inputs, the call, every output, and every gradient from the cotangents given.
import type { DType } from "../../lib/core/dtype.ts";
import type { Value } from "../../lib/core/value.ts";
import { walk } from "../../lib/engine/tape.ts";
import { type Arg, Args, type Entry, type Result, type Table } from "./args.ts";
import { compare, compareSampled, type Sampled, type Tolerance } from "./comparison.ts";
import { Miss, Skip } from "./outcome.ts";
import { hashInts, hashTensor, type Stored, type Tensors } from "./reader.ts";
import { dtypeOf, fromStored, numbers, type ViewStep, viewed, zerosOf } from "./values.ts";

interface Input {
  readonly name: string;
  readonly tensor?: string | null;
  readonly dtype: string;
  readonly shape: number[];
  readonly base_shape?: number[];
  readonly view?: readonly ViewStep[];
  readonly hash?: { seed: number; scale: number };
  readonly hash_int?: { seed: number; lo: number; hi: number };
}
type Expected = { readonly tensor?: string; readonly shape: number[]; readonly cmp: Tolerance } & Partial<Sampled>;
interface Output extends Expected {
  readonly name: string;
  readonly dtype: string;
  readonly cotangent?: string;
  readonly cotangent_hash?: { seed: number; scale: number };
}
export interface Case {
  readonly id: string;
  readonly op: string;
  readonly torch: string;
  readonly attrs: Readonly<Record<string, Arg>>;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly grads?: readonly (Expected & { readonly of: string })[];
}

interface Opened {
  /** The leaf: the stored tensor, whose gradient is asked. */
  readonly leaf: Value;
  /** What the op is given: the leaf or a view of it. */
  readonly value: Value;
}

function find(tensors: Tensors, name: string | undefined): Stored {
  const found = tensors.get(name ?? "");
  if (!found) throw new Miss(`tensor ${name} is not in the file`);
  return found;
}
function stored(input: Input, tensors: Tensors): Stored {
  const shape = input.base_shape ?? input.shape;
  if (input.hash) return hashTensor(input.hash, shape);
  if (input.hash_int) return hashInts(input.hash_int, shape);
  return find(tensors, input.tensor ?? undefined);
}

/** Inputs by name; those whose gradient is asked are leaves that require it. Absent ones are left out. */
function open(c: Case, tensors: Tensors): Map<string, Opened> {
  const wanted = new Set(c.grads?.map((g) => g.of));
  const opened = new Map<string, Opened>();
  for (const input of c.inputs) {
    if (input.tensor === null) continue;
    const leaf = fromStored(stored(input, tensors));
    leaf.requiresGrad = wanted.has(input.name);
    opened.set(input.name, { leaf, value: input.view ? viewed(leaf, input.view) : leaf });
  }
  return opened;
}

function isValue(r: Result): r is Value {
  return "storage" in r;
}
/** Results in the order of the expected outputs; of results by name, those that are asked for. */
function ordered(result: Result, names: readonly string[]): Value[] {
  if (isValue(result)) return [result];
  if (Array.isArray(result)) return [...result];
  const by = result as Record<string, Value>;
  if (names.every((n) => n in by)) return names.map((n) => by[n]!);
  return Object.values(by).slice(0, names.length);
}

function check(what: string, got: Value, expected: Expected, dtype: DType, tensors: Tensors): void {
  const shape = `[${got.shape}]`;
  if (shape !== `[${expected.shape}]`) throw new Miss(`${what} has shape ${shape}, expected [${expected.shape}]`);
  if (got.dtype !== dtype) throw new Miss(`${what} is ${got.dtype}, expected ${dtype}`);
  const flat = numbers(got);
  const miss = expected.sample_index
    ? compareSampled(flat, expected as Sampled, tensors)
    : compare(flat, find(tensors, expected.tensor).data, expected.cmp);
  if (miss) throw new Miss(`${what}: ${miss}`);
}

function lookup(table: Table, name: string): Entry {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!found) throw new Skip("unknown op");
  return found;
}
/** Calls an entry and insists that it read every argument. */
export function invoke(e: Entry, given: Iterable<readonly [string, Arg]>): Result {
  const args = new Args(given);
  const result = e.run(args);
  args.finish();
  return result;
}
export function byName(table: Table, op: string, given: Iterable<readonly [string, Arg]>): Result {
  return invoke(lookup(table, op), given);
}
export function byPosition(table: Table, op: string, positional: readonly Arg[], named: Record<string, Arg>): Result {
  const e = lookup(table, op);
  return invoke(e, [
    ...positional.map((x, i) => [e.names[i] ?? `argument ${i}`, x] as const),
    ...Object.entries(named),
  ]);
}

export type Forward = (c: Case, inputs: ReadonlyMap<string, Value>) => Result;

function cotangent(output: Output, tensors: Tensors): Value | undefined {
  if (output.cotangent_hash) return fromStored(hashTensor(output.cotangent_hash, output.shape));
  return output.cotangent === undefined ? undefined : fromStored(find(tensors, output.cotangent));
}

/** Throws a Miss at the first difference, a Skip where the library lacks something. */
export function runCase(c: Case, tensors: Tensors, forward: Forward): void {
  const inputs = open(c, tensors);
  const values = new Map([...inputs].map(([name, { value }]) => [name, value]));
  const result = forward(c, values);
  const names = c.outputs.map((o) => o.name);
  const outputs = ordered(result, names);
  if (outputs.length !== names.length) throw new Miss(`${outputs.length} outputs, expected ${names.length}`);
  c.outputs.forEach((o, i) => {
    check(o.name, outputs[i]!, o, dtypeOf(o.dtype), tensors);
  });
  if (!c.grads?.length) return;
  const roots = c.outputs.flatMap((o, i) => {
    const grad = cotangent(o, tensors);
    return grad ? [{ value: outputs[i]!, grad }] : [];
  });
  const leaves = c.grads.map(({ of }) => inputs.get(of)?.leaf);
  const targets = leaves.map((leaf, i) => leaf ?? missing(c.grads![i]!.of));
  const got = walk(roots, targets);
  c.grads.forEach((g, i) => {
    const leaf = targets[i]!;
    check(`gradient of ${g.of}`, got[i] ?? zerosOf(leaf.shape, leaf.dtype), g, leaf.dtype, tensors);
  });
}
function missing(name: string): never {
  throw new Miss(`a gradient of ${name}, which is no input`);
}
