import type { DType } from "../core/dtype.ts";
import { callSite, fail } from "../core/errors.ts";
import { type Reading, setWatcher } from "../core/guard.ts";
import { native } from "../core/native.ts";
import { type Storage, storagesMade, withoutMemory } from "../core/storage.ts";
import { emptyValue, Value } from "../core/value.ts";
import { type Complaint, isRecording, type Operand as Launched, type Recorder, setRecorder } from "../engine/launch.ts";
import { openSegments, recomputing } from "../engine/recompute.ts";
import { withGrad } from "../engine/tape.ts";
import { K, type Kernel, type KernelType } from "../native.gen.ts";
import { assign } from "../ops/arithmetic.ts";
import { type Graph, type Operand, type Role, type Slot, type Step, touched } from "./graph.ts";

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
  readonly result: unknown;
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
  /** Whether kernels run. */
  readonly runs: boolean;

  constructor(runs: boolean) {
    this.runs = runs;
  }
  add(storage: Storage, role: Role, label?: string): Slot {
    const { dtype, length } = storage;
    const data = role === "constant" ? storage.array.slice() : undefined;
    const slot: Slot = { id: this.slots.length, role, dtype, length, storage, label, data };
    this.slots.push(slot);
    this.bySlot.set(storage, slot);
    return slot;
  }

  call(kernel: Kernel, row: number, operands: readonly (Launched | null)[], words: Float64Array): boolean {
    const dtype = (Object.keys(kernel.id) as KernelType[]).find((d) => kernel.id[d] === row) ?? "f32";
    const slots = operands.map((x, i) => (x === null || typeof x === "number" ? x : this.slot(x, kernel.access[i])));
    const segment = { within: openSegments(), again: recomputing() };
    this.steps.push({ kernel, row, dtype, operands: slots, words: words.slice(), where: callSite(), ...segment });
    return this.runs;
  }
  drop(): void {
    this.steps.pop();
  }
  check(bad: Value, complain: Complaint): boolean {
    const slot = this.bySlot.get(bad.storage);
    const at = this.steps.findLastIndex((s) => s.operands[0] === slot);
    this.steps[at] = { ...this.steps[at], complain };
    return this.runs;
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

/** What f gets instead of its arguments, so that what it keeps of them does not change with the caller's arrays. */
function copyOf(x: Value, runs: boolean): Value {
  const y = emptyValue([...x.shape], x.dtype);
  if (runs) withGrad(false, () => assign(y, x));
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
 * Runs f once and writes down every kernel call it makes. Arguments are private copies. `dry`: no kernel runs and no memory
 * is taken, so there is no result.
 */
export function record(f: (...args: Value[]) => unknown, args: readonly Value[], dry = false): Recording {
  if (isRecording())
    fail("ERR_NABLA_COMPILE", "compile", "a compiled step was called inside another", {
      hint: "call the plain function inside, and compile only the outer one",
    });
  native.drain();
  return dry ? withoutMemory(() => listen(f, args, new Tape(false))) : listen(f, args, new Tape(true));
}

function listen(f: (...args: Value[]) => unknown, args: readonly Value[], tape: Tape): Recording {
  const copies = args.map((x) => copyOf(x, tape.runs));
  const inputs = copies.map((x) => tape.add(x.storage, "argument"));
  const before = setRecorder(tape);
  setWatcher((name, read) => tape.guards.push({ name, read, value: read() }));
  try {
    const result = f(...copies);
    const outputs: Value[] = [];
    const returns = withGrad(false, () => describe(result, outputs));
    const slots = outputs.map((y) => tape.slot(y, "w"));
    return {
      graph: copyConstants({ slots: tape.slots, steps: tape.steps, inputs, outputs: slots }),
      result: rebuild(returns, outputs),
      returns,
      guards: tape.guards,
      born: tape.born,
    };
  } finally {
    setRecorder(before);
    setWatcher(null);
  }
}

/** A constant that a step writes in begins each run anew: the step gets a copy made at its start. */
function copyConstants(g: Graph): Graph {
  const slots = [...g.slots];
  const copies = new Map<Slot, Slot>();
  const first: Step[] = [];
  for (const s of g.steps) {
    for (const { slot, writes } of touched(s)) {
      if (!writes || slot.role !== "constant" || copies.has(slot)) continue;
      const copy: Slot = { ...slot, id: slots.length, role: "temp", data: undefined };
      const words = Float64Array.of(1, slot.length, 0, 1, 0, 1);
      const row = K.copy.id[slot.dtype as "f32"];
      slots.push(copy);
      copies.set(slot, copy);
      first.push({
        kernel: K.copy,
        row,
        dtype: slot.dtype,
        operands: [copy, slot],
        words,
        where: s.where,
        within: [],
        again: undefined,
      });
    }
  }
  if (first.length === 0) return g;
  const instead = (x: Operand) => copies.get(x as Slot) ?? x;
  const steps = g.steps.map((s) => ({ ...s, operands: s.operands.map(instead) }));
  return { ...g, slots, steps: [...first, ...steps], outputs: g.outputs.map((x) => instead(x) as Slot) };
}

const inside = {
  code: "ERR_NABLA_COMPILE",
  why: "stayed inside a compiled step",
  details: { hint: "return the tensor from the step; a gradient too: return { loss, grad: w.grad }" },
} as const;
/** Once a plan replaces the function, what kernels made in the recorded runs and nothing found again is out of date. */
export function seal({ graph }: Recording, kept: ReadonlySet<Storage>): void {
  const results = new Set(graph.outputs);
  for (const slot of graph.slots)
    if ((slot.role === "temp" || slot.role === "argument") && !results.has(slot) && !kept.has(slot.storage))
      slot.storage.seal(inside);
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
