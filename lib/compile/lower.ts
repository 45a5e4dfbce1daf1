import { bytesOf, type DType, viewOf } from "../core/dtype.ts";
import type { PlanArrays } from "../core/native.ts";
import type { Storage } from "../core/storage.ts";
import type { Complaint } from "../engine/launch.ts";
import { type Graph, isHeld, isSlot, type Slot, touched } from "./graph.ts";
import type { Layout } from "./memory.ts";

const typeNumber: Partial<Record<DType, number>> = { f32: 0, f64: 1, i32: 2, u8: 3, bool: 4, bf16: 5, i8: 6 };
const home = { arena: 0, state: 1, tile: 2 } as const;

export interface Lowered {
  readonly plan: PlanArrays;
  /** Memory of others that the program reads and writes in place. */
  readonly state: readonly Storage[];
  /** Of those, the ones it writes. */
  readonly written: readonly Storage[];
  /** What to say when a check fails, by its number. */
  readonly complaints: readonly Complaint[];
}

/** The graph as arrays of numbers: slots numbered, steps one after another, groups as run lengths. */
export function lower(g: Graph, layout: Layout): Lowered {
  const used = new Set<Slot>([...g.inputs, ...g.outputs]);
  for (const s of g.steps) for (const { slot } of touched(s)) used.add(slot);
  const slots = [...used];
  const number = new Map(slots.map((slot, i) => [slot, i]));
  const held = slots.filter(isHeld);
  const operands: number[] = [];
  const numbers: number[] = [];
  for (const s of g.steps) {
    for (const x of s.operands) {
      if (x === null) operands.push(-1);
      else if (isSlot(x)) operands.push(number.get(x) as number);
      else operands.push(-2 - (numbers.push(x) - 1));
    }
  }
  const group = g.group ?? g.steps.map((_, i) => i);
  const checks = g.steps.flatMap((s, i) =>
    s.complain ? [[number.get(s.operands[0] as Slot) as number, group[i]]] : [],
  );
  const state = slots.filter((s) => s.role === "state").map((s) => s.storage);
  const written = new Set<Storage>();
  for (const s of g.steps)
    for (const u of touched(s)) if (u.writes && u.slot.role === "state") written.add(u.slot.storage);
  return {
    state,
    written: [...written],
    complaints: g.steps.flatMap((s) => s.complain ?? []),
    plan: {
      homes: Uint32Array.from(slots, (s) =>
        layout.tiles.has(s) ? home.tile : layout.offsets.has(s) ? home.arena : home.state,
      ),
      types: Uint32Array.from(slots, (s) => typeNumber[s.dtype] as number),
      offsets: Float64Array.from(slots, (s) => layout.tiles.get(s) ?? layout.offsets.get(s) ?? 0),
      lengths: Float64Array.from(slots, (s) => s.length),
      states: held.map((s) => (s.role === "constant" ? copyOf(s) : s.storage.array)),
      arenaBytes: layout.arenaBytes,
      rows: Uint32Array.from(g.steps, (s) => s.row),
      wordCounts: Uint32Array.from(g.steps, (s) => s.words.length),
      words: Float64Array.from(g.steps.flatMap((s) => [...s.words])),
      operands: Int32Array.from(operands),
      numbers: Float64Array.from(numbers),
      groups: Uint32Array.from(runLengths(group)),
      checks: Uint32Array.from(checks.flat()),
      saved: Uint32Array.from(savedBefore(g), (s) => number.get(s) as number),
      inputs: Uint32Array.from(g.inputs, (s) => number.get(s) as number),
      outputs: Uint32Array.from(g.outputs, (s) => number.get(s) as number),
    },
  };
}

/** State that changes before the last check: a run that fails there gives it back. */
function savedBefore(g: Graph): Set<Slot> {
  const last = g.steps.findLastIndex((s) => s.complain);
  const end = g.steps.findLastIndex((_, i) => g.group?.[i] === g.group?.[last]);
  const early = g.steps.slice(0, last < 0 ? 0 : Math.max(last, end) + 1);
  return new Set(
    early.flatMap((s) => touched(s).flatMap((u) => (u.writes && u.slot.role === "state" ? [u.slot] : []))),
  );
}

/** A constant's data as it was when first read. */
function copyOf(s: Slot) {
  const array = viewOf(s.dtype, new ArrayBuffer(s.length * bytesOf(s.dtype)), 0, s.length);
  array.set(s.data ?? []);
  return array;
}

function runLengths(group: readonly number[]): number[] {
  const out: number[] = [];
  group.forEach((x, i) => {
    if (i > 0 && group[i - 1] === x) out[out.length - 1]++;
    else out.push(1);
  });
  return out;
}
