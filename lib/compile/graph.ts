import type { DType } from "../core/dtype.ts";
import type { Storage } from "../core/storage.ts";
import type { Complaint } from "../engine/launch.ts";
import { K, type Kernel } from "../native.gen.ts";
import type { Packed } from "./packed.ts";

/**
 * argument: given at each call; state: found by the step and held by reference; constant: made in the step from JavaScript data;
 * temp: made by kernels; packed: a copy of state that stays from call to call.
 */
export type Role = "argument" | "state" | "constant" | "temp" | "packed";
/** Roles of memory outside the arena. */
export const isHeld = ({ role }: Slot): boolean => role === "state" || role === "constant" || role === "packed";

/** One memory block of a recorded step. */
export interface Slot {
  readonly id: number;
  readonly role: Role;
  readonly dtype: DType;
  /** Elements. */
  readonly length: number;
  /** What held it in the run that was recorded. */
  readonly storage: Storage;
  readonly label: string | undefined;
  /** A constant's data when it was first read. */
  readonly data: ArrayLike<number> | undefined;
}
export type Operand = Slot | number | null;

/** One kernel call. */
export interface Step {
  readonly kernel: Kernel;
  readonly row: number;
  readonly dtype: string;
  readonly operands: readonly Operand[];
  readonly words: Float64Array;
  /** Finds where the user's code asked for it: "train.ts:20:113". */
  readonly where: () => string;
  /** The checkpointed segments it belongs to. */
  readonly within: readonly number[];
  /** The segment that it computes again for backward; undefined for what is computed once. */
  readonly again: number | undefined;
  /** What is wrong if its first result is not negative: the run ends there. */
  readonly complain?: Complaint | undefined;
}

/** A recorded step: kernel calls in order, and the slots that its results are read from. */
export interface Graph {
  readonly slots: readonly Slot[];
  readonly steps: readonly Step[];
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
  /** Steps that run as one, tile by tile or side by side: neighbours with the same number. Undefined before fusion. */
  readonly group?: readonly number[];
  /** Weights that products may read from a packed copy; the last input says which of them do. */
  readonly packed?: readonly Packed[];
}

export const isSlot = (x: Operand): x is Slot => typeof x === "object" && x !== null;
export const writes = (s: Step, i: number): boolean => s.kernel.access[i] !== "r";
export const reads = (s: Step, i: number): boolean => s.kernel.access[i] !== "w";

/** How a step uses a slot. */
export interface Use {
  readonly slot: Slot;
  readonly index: number;
  readonly writes: boolean;
  readonly reads: boolean;
}
const uses = new WeakMap<Step, readonly Use[]>();
/** The slots a step touches, with how. */
export function touched(s: Step): readonly Use[] {
  let list = uses.get(s);
  if (!list) {
    list = s.operands.flatMap((slot, index) =>
      isSlot(slot) ? [{ slot, index, writes: writes(s, index), reads: reads(s, index) }] : [],
    );
    uses.set(s, list);
  }
  return list;
}

/** What makes a step a copy of all of x to all of y. */
export function copyOf(y: Slot, x: Slot): Pick<Step, "kernel" | "row" | "dtype" | "operands" | "words"> {
  const words = Float64Array.of(1, y.length, 0, 1, 0, 1);
  return { kernel: K.copy, row: K.copy.id[y.dtype as "f32"], dtype: y.dtype, operands: [y, x], words };
}
/** How often each slot is written in the whole graph. */
export function countWrites(g: Graph): Map<Slot, number> {
  const count = new Map<Slot, number>();
  for (const s of g.steps) for (const u of touched(s)) if (u.writes) count.set(u.slot, (count.get(u.slot) ?? 0) + 1);
  return count;
}
/** The steps that touch each slot, in order. */
export function usersOf(steps: readonly Step[]): Map<Slot, number[]> {
  const users = new Map<Slot, number[]>();
  steps.forEach((s, i) => {
    for (const slot of new Set(touched(s).map((u) => u.slot))) {
      const list = users.get(slot);
      if (list) list.push(i);
      else users.set(slot, [i]);
    }
  });
  return users;
}

/** How a Map step walks operand i: its words without rank and extents, or undefined for a number. */
export interface Walk {
  readonly extents: readonly number[];
  readonly offset: number;
  readonly steps: readonly number[];
}
export function walkOf(s: Step, index: number): Walk | undefined {
  if (!isSlot(s.operands[index])) return undefined;
  const rank = s.words[0];
  const extents = Array.from(s.words.subarray(1, 1 + rank));
  let at = 1 + rank;
  for (let i = 0; i < index; i++) if (isSlot(s.operands[i])) at += 1 + rank;
  return { extents, offset: s.words[at], steps: Array.from(s.words.subarray(at + 1, at + 1 + rank)) };
}

/** A matrix product: c [p, q, m, n], a, b, bias, z, at, whose words begin with p, q, m, n, k. */
export const isProduct = (s: Step): boolean => /^(matmul|gemm)(_bf16|_packed)?$/.test(s.kernel.name);

/** Elements of a Map step's iteration. */
export function totalOf(s: Step): number {
  let n = 1;
  for (let i = 0; i < s.words[0]; i++) n *= s.words[1 + i];
  return n;
}

/** Does a Map step walk this operand element by element in memory order, from element `offset`? */
export function isStraight(s: Step, index: number): boolean {
  const w = walkOf(s, index);
  if (!w) return false;
  let expected = 1;
  for (let i = w.extents.length - 1; i >= 0; i--) {
    if (w.extents[i] !== 1 && w.steps[i] !== expected) return false;
    expected *= w.extents[i];
  }
  return true;
}
/** Does it walk all of its slot so? */
export function isWhole(s: Step, index: number): boolean {
  const slot = s.operands[index];
  return isSlot(slot) && slot.length === totalOf(s) && walkOf(s, index)?.offset === 0 && isStraight(s, index);
}

const mark: Record<Role, string> = { argument: "a", state: "s", constant: "c", temp: "t", packed: "p" };
export const nameOf = (slot: Slot): string => slot.label ?? `${mark[slot.role]}${slot.id}`;
const show = (x: Operand): string => (x === null ? "-" : typeof x === "number" ? String(x) : nameOf(x));

/** One line a step: `t3 = matmul(a0, s1, s2)`; steps that run as one stand beside a bar from / to \\. */
export function print(g: Graph): string {
  return g.steps
    .map((s, i) => {
      const out = s.operands.filter((_, k) => writes(s, k)).map(show);
      const args = s.operands.filter((_, k) => reads(s, k)).map(show);
      const [before, group, after] = [g.group?.[i - 1], g.group?.[i], g.group?.[i + 1]];
      const [first, last] = [group === undefined || group !== before, group === undefined || group !== after];
      return `${first && last ? "" : first ? "/ " : last ? "\\ " : "| "}${out.join(", ")} = ${s.kernel.name}(${args.join(", ")})`;
    })
    .join("\n");
}
