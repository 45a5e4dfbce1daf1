import type { DType } from "../core/dtype.ts";
import { callSite, fail } from "../core/errors.ts";
import { type Reading, setWatcher } from "../core/guard.ts";
import { type Storage, storagesMade, withoutMemory } from "../core/storage.ts";
import { emptyValue, Value } from "../core/value.ts";
import { type Complaint, isRecording, type Operand as Launched, type Recorder, setRecorder } from "../engine/launch.ts";
import { openSegments, recomputing } from "../engine/recompute.ts";
import { withGrad } from "../engine/tape.ts";
import type { Kernel, KernelType } from "../native.gen.ts";
import { assign } from "../ops/arithmetic.ts";
import type { Graph, Operand, Role, Slot, Step } from "./graph.ts";

/** What a step returned: tensors replaced by their place among the outputs. */
export type Shape =
  | { readonly kind: "tensor"; readonly index: number; readonly shape: number[]; readonly dtype: DType }
  | { readonly kind: "list"; readonly items: readonly Shape[] }
  | { readonly kind: "record"; readonly items: Readonly<Record<string, Shape>> }
  | { readonly kind: "plain"; readonly value: unknown };

export interface Guard {
  readonly name: string;
  readonly read: Reading;
  readonly value: unknown;
}
export interface Recording {
  readonly graph: Graph;
  readonly returns: Shape;
  readonly guards: readonly Guard[];
  /** Storages with lower numbers were there before the step. */
  readonly born: number;
}

class Tape implements Recorder {
  readonly slots: Slot[] = [];
  readonly steps: Step[] = [];
  readonly guards: Guard[] = [];
  readonly bySlot = new Map<Storage, Slot>();
  readonly born = storagesMade();

  add(storage: Storage, role: Role, label?: string): Slot {
    const { dtype, length } = storage;
    const data = role === "constant" ? storage.array.slice() : undefined;
    const slot: Slot = { id: this.slots.length, role, dtype, length, storage, label, data };
    this.slots.push(slot);
    this.bySlot.set(storage, slot);
    return slot;
  }

  call(kernel: Kernel, row: number, operands: readonly (Launched | null)[], words: Float64Array): void {
    const dtype = (Object.keys(kernel.id) as KernelType[]).find((d) => kernel.id[d] === row) ?? "f32";
    const slots = operands.map((x, i) => (x === null || typeof x === "number" ? x : this.slot(x, kernel.access[i])));
    const segment = { within: openSegments(), again: recomputing() };
    this.steps.push({ kernel, row, dtype, operands: slots, words: words.slice(), where: callSite(), ...segment });
  }
  check(bad: Value, complain: Complaint): void {
    const slot = this.bySlot.get(bad.storage);
    const at = this.steps.findLastIndex((s) => s.operands[0] === slot);
    this.steps[at] = { ...this.steps[at], complain };
  }

  /** Memory made before the step is state; made in it and first read, it was filled by JavaScript: a constant. */
  slot(x: Value, access: string | undefined): Slot {
    const { storage } = x;
    const known = this.bySlot.get(storage);
    if (known) return known;
    const role = storage.serial < this.born ? "state" : access === "w" ? "temp" : "constant";
    // Who holds the tensor may give it other memory: model.to(dtype) does.
    if (role === "state" && !x.isView)
      this.guards.push({ name: x.label ?? "a tensor", read: () => x.storage, value: storage });
    return this.add(storage, role, role === "state" ? x.label : undefined);
  }
}

/** What f gets instead of an argument. */
function standIn(x: Value): Value {
  const y = emptyValue([...x.shape], x.dtype);
  y.label = x.label;
  if (x.requiresGrad) y.requiresGrad = true;
  return y;
}

function refuseAsync(): never {
  return fail("ERR_NABLA_COMPILE", "compile", "the step is an async function", {
    hint: "a step is recorded in one go: await before it and after it, not inside",
  });
}
export function checkFunction(f: unknown): void {
  if (typeof f !== "function") fail("ERR_NABLA_TYPE", "compile", "takes a function", { actual: typeof f });
  if (f.constructor.name === "AsyncFunction") refuseAsync();
}

/**
 * Calls f once and writes down every kernel call it makes. None of them runs and no memory is taken: what the step found is as
 * it was, and what it made is empty.
 */
export function record(f: (...args: Value[]) => unknown, args: readonly Value[]): Recording {
  if (isRecording())
    fail("ERR_NABLA_COMPILE", "compile", "a compiled step was called inside another", {
      hint: "call the plain function inside, and compile only the outer one",
    });
  return withoutMemory(() => listen(f, args, new Tape()));
}

function listen(f: (...args: Value[]) => unknown, args: readonly Value[], tape: Tape): Recording {
  const given = args.map(standIn);
  const inputs = given.map((x) => tape.add(x.storage, "argument"));
  const before = setRecorder(tape);
  setWatcher((name, read) => tape.guards.push({ name, read, value: read() }));
  try {
    const result = f(...given);
    const outputs: Value[] = [];
    const returns = withGrad(false, () => describe(result, outputs));
    const slots = outputs.map((y) => tape.slot(y, "w"));
    return {
      graph: { slots: tape.slots, steps: tape.steps, inputs, outputs: slots },
      returns,
      guards: tape.guards,
      born: tape.born,
    };
  } catch (error) {
    seal(tape.slots);
    throw error;
  } finally {
    setRecorder(before);
    setWatcher(null);
  }
}

/** State that begins in the step: made in it, and found by the next. */
export function promote(g: Graph, begun: ReadonlySet<Storage>): Graph {
  const states = new Map<Slot, Slot>();
  for (const x of g.slots) if (begun.has(x.storage)) states.set(x, { ...x, role: "state", data: undefined });
  const instead = (x: Operand) => states.get(x as Slot) ?? x;
  const steps = g.steps.map((s) => ({ ...s, operands: s.operands.map(instead) }));
  return {
    ...g,
    slots: g.slots.map((x) => instead(x) as Slot),
    steps,
    outputs: g.outputs.map((x) => instead(x) as Slot),
  };
}

const inside = {
  code: "ERR_NABLA_COMPILE",
  why: "stayed inside a compiled step",
  details: { hint: "return the tensor from the step; a gradient too: return { loss, grad: w.grad }" },
} as const;
/** What a recorded step was given and what it made is empty; whoever kept some of it is told when he reads it. */
export function seal(slots: readonly Slot[], kept?: ReadonlySet<Storage>): void {
  for (const { role, storage } of slots)
    if ((role === "temp" || role === "argument") && !kept?.has(storage)) storage.seal(inside);
}

/** Takes the tensors out of a result; each is copied so that it has a slot of its own. */
function describe(x: unknown, outputs: Value[]): Shape {
  if (x instanceof Value) {
    const y = emptyValue([...x.shape], x.dtype);
    assign(y, x);
    outputs.push(y);
    return { kind: "tensor", index: outputs.length - 1, shape: [...x.shape], dtype: x.dtype };
  }
  if (x instanceof Promise) {
    x.catch(() => undefined);
    refuseAsync();
  }
  if (Array.isArray(x)) return { kind: "list", items: x.map((y) => describe(y, outputs)) };
  if (x !== null && typeof x === "object" && Object.getPrototypeOf(x) === Object.prototype) {
    return { kind: "record", items: Object.fromEntries(Object.entries(x).map(([k, y]) => [k, describe(y, outputs)])) };
  }
  return { kind: "plain", value: x };
}

/** The step's result again, from its outputs. */
export function rebuild(returns: Shape, outputs: readonly Value[]): unknown {
  switch (returns.kind) {
    case "tensor":
      return outputs[returns.index];
    case "list":
      return returns.items.map((r) => rebuild(r, outputs));
    case "record":
      return Object.fromEntries(Object.entries(returns.items).map(([k, r]) => [k, rebuild(r, outputs)]));
    default:
      return returns.value;
  }
}
