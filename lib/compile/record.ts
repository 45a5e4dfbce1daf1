import type { DType } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { type Reading, setWatcher } from "../core/guard.ts";
import { type Storage, storagesMade } from "../core/storage.ts";
import { emptyValue, Value } from "../core/value.ts";
import { isRecording, type Operand as Launched, type Recorder, setRecorder } from "../engine/launch.ts";
import type { Kernel, KernelType } from "../native.gen.ts";
import { assign } from "../ops/arithmetic.ts";
import type { Graph, Role, Slot, Step } from "./graph.ts";

/** What a step returned: tensors replaced by their place among the outputs. */
export type Shape =
  | { readonly kind: "tensor"; readonly index: number; readonly shape: number[]; readonly dtype: DType }
  | { readonly kind: "list"; readonly items: readonly Shape[] }
  | { readonly kind: "record"; readonly items: Readonly<Record<string, Shape>> }
  | { readonly kind: "plain"; readonly value: unknown };

export interface Recording {
  readonly graph: Graph;
  readonly result: unknown;
  readonly returns: Shape;
  readonly guards: readonly { readonly name: string; readonly read: Reading; readonly value: unknown }[];
}

const here = new URL("..", import.meta.url).href;
/** The first frame of the stack outside the library. */
function userLine(): string {
  const lines = new Error().stack?.split("\n").slice(1) ?? [];
  const frame = lines.find(
    (l) => !l.includes(here) && !l.includes(here.replace("file://", "")) && !l.includes("node:internal"),
  );
  return frame?.trim().replace(/^at /, "").replace("file://", "") ?? "unknown line";
}

class Tape implements Recorder {
  readonly slots: Slot[] = [];
  readonly steps: Step[] = [];
  readonly bySlot = new Map<Storage, Slot>();
  readonly born = storagesMade();

  add(storage: Storage, role: Role, label?: string): Slot {
    const { dtype, array } = storage;
    const data = role === "constant" ? array.slice() : undefined;
    const slot: Slot = { id: this.slots.length, role, dtype, length: array.length, storage, label, data };
    this.slots.push(slot);
    this.bySlot.set(storage, slot);
    return slot;
  }

  call(kernel: Kernel, row: number, operands: readonly (Launched | null)[], words: Float64Array): void {
    const dtype = (Object.keys(kernel.id) as KernelType[]).find((d) => kernel.id[d] === row) ?? "f32";
    const slots = operands.map((x, i) => (x === null || typeof x === "number" ? x : this.slot(x, kernel.access[i])));
    this.steps.push({ kernel, row, dtype, operands: slots, words: words.slice(), where: userLine() });
  }

  /** Memory made before the step is state; made in it and first read, it was filled by JavaScript: a constant. */
  private slot(x: Value, access: string | undefined): Slot {
    const known = this.bySlot.get(x.storage);
    if (known) return known;
    const role = x.storage.serial < this.born ? "state" : access === "w" ? "temp" : "constant";
    return this.add(x.storage, role, role === "state" ? x.label : undefined);
  }
}

/** Runs f once, for real, and writes down every kernel call it makes. Arguments are private copies. */
export function record(f: (...args: Value[]) => unknown, args: readonly Value[]): Recording {
  if (isRecording())
    fail("ERR_NABLA_COMPILE", "compile", "a compiled step was called inside another", {
      hint: "call the plain function inside, and compile only the outer one",
    });
  const copies = args.map((x) => {
    const y = emptyValue([...x.shape], x.dtype);
    assign(y, x);
    return y;
  });
  const tape = new Tape();
  const inputs = copies.map((x) => tape.add(x.storage, "argument"));
  const guards: { name: string; read: Reading; value: unknown }[] = [];
  const before = setRecorder(tape);
  setWatcher((name, read) => guards.push({ name, read, value: read() }));
  try {
    const result = f(...copies);
    const outputs: Value[] = [];
    const returns = describe(result, outputs);
    const slots = outputs.map((y) => tape.bySlot.get(y.storage) as Slot);
    return {
      graph: { slots: tape.slots, steps: tape.steps, inputs, outputs: slots },
      result: rebuild(returns, outputs),
      returns,
      guards,
    };
  } finally {
    setRecorder(before);
    setWatcher(null);
  }
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
    fail("ERR_NABLA_COMPILE", "compile", "the step is an async function", {
      hint: "a step is recorded in one go: await before it and after it, not inside",
    });
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
