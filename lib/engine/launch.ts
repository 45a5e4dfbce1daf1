import type { TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { type Handed, native, rethrow } from "../core/native.ts";
import type { Value } from "../core/value.ts";
import type { Kernel, KernelType } from "../native.gen.ts";

export type Operand = Value | number;

/** Gets every kernel call while a step is being recorded; none of them runs. words are those of the call, valid until it returns. */
export interface Recorder {
  call(kernel: Kernel, row: number, operands: readonly (Operand | null)[], words: Float64Array): void;
  /** The step holds only while the one element of bad, an i32, is negative. */
  check(bad: Value, complain: Complaint): void;
}
/** Throws what is wrong: the position a kernel found, and the element there where it can still be read. */
export type Complaint = (at: number, found: number | undefined) => never;

let recorder: Recorder | null = null;
export function setRecorder(r: Recorder | null): Recorder | null {
  const before = recorder;
  recorder = r;
  return before;
}
export function isRecording(): boolean {
  return recorder !== null;
}
/** Refuses what a recorded step cannot contain: reading numbers out of tensors. */
export function refuseWhileRecording(op: string): void {
  if (recorder === null) return;
  fail("ERR_NABLA_COMPILE", op, "reads a tensor's numbers inside a compiled step", {
    hint: "return the tensor from the step and read it there; decide on data with where() instead of if",
  });
}
function checkThere(op: string, x: Value, article: string): void {
  const { gone } = x.storage;
  if (!gone) return;
  fail(gone.code, op, `the memory of ${article} tensor ${gone.why}`, { values: { tensor: x }, ...gone.details });
}
/** Waits for programs in flight that write it, then gives the elements of a contiguous value as they lie in memory: no copy. */
export function elementsOf(op: string, x: Value): TypedArray {
  refuseWhileRecording(op);
  checkThere(op, x, "this");
  if (x.storage.writers > 0) x.storage.wait?.();
  const { array } = x.storage;
  return x.offset === 0 && x.size === array.length ? array : array.subarray(x.offset, x.offset + x.size);
}
/**
 * Throws complain(at, x[at]) if the one element `at` of bad, an i32 that a kernel wrote after looking through x, is not
 * negative. A compiled step checks in every run, and a run that fails leaves its state as it was.
 */
export function verify(bad: Value, x: Value, complain: Complaint): void {
  if (recorder) {
    recorder.check(bad, complain);
    return;
  }
  const at = bad.storage.array[bad.offset];
  if (at >= 0) complain(at, x.storage.array[x.offset + at]);
}

const { words } = native;

function rowOf(kernel: Kernel, dtype: string): number {
  const row = kernel.id[dtype as KernelType];
  if (row !== undefined) return row;
  const known = Object.keys(kernel.id);
  return fail("ERR_NABLA_DTYPE", kernel.name, `is not defined for ${dtype}`, {
    expected: known,
    actual: dtype,
    hint: `cast first: x.to("${known[0]}")`,
  });
}

function handed(x: Operand | null): Handed {
  return x === null || typeof x === "number" ? x : x.storage.array;
}

/** Refuses memory that is gone. That which a program in flight uses: reading waits for one that writes it, writing is refused. */
function settle(kernel: Kernel, operands: readonly (Operand | null)[]): void {
  for (let i = 0; i < operands.length; i++) {
    const x = operands[i];
    if (x === null || typeof x === "number") continue;
    checkThere(kernel.name, x, "a");
    if (x.storage.holds === 0 || recorder) continue;
    if (kernel.access[i] !== "r") {
      fail("ERR_NABLA_STATE", kernel.name, "a compiled step in flight still uses a tensor this would change", {
        values: { target: x },
        hint: "await the step first",
      });
    }
    if (x.storage.writers > 0) x.storage.wait?.();
  }
}

/** Every kernel call of eager mode passes here, its words written. */
function call(kernel: Kernel, dtype: string, count: number, x: readonly (Operand | null)[]): void {
  const row = rowOf(kernel, dtype);
  settle(kernel, x);
  if (recorder) {
    recorder.call(kernel, row, x, words.subarray(0, count));
    return;
  }
  try {
    // Spreading an array costs as much as a small call: elementwise rows and products are called by position.
    if (x.length === 3) native.run(row, count, handed(x[0]!), handed(x[1]!), handed(x[2]!));
    else if (x.length === 2) native.run(row, count, handed(x[0]!), handed(x[1]!));
    else if (x.length === 6)
      native.run(row, count, handed(x[0]!), handed(x[1]!), handed(x[2]!), handed(x[3]!), handed(x[4]!), handed(x[5]!));
    else native.run(row, count, ...x.map(handed));
  } catch (e) {
    rethrow(e);
  }
}

// The iteration of a Map call being merged: extents, and for each operand its step in each of them.
const extents: number[] = [];
const steps: number[][] = Array.from({ length: 12 }, () => []);

/** The dimensions of y in the order in which they lie in memory, without sizes of 1: results are written in one go. */
function orderOf({ shape, strides }: Value): number[] {
  const order: number[] = [];
  let sorted = true;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 1) continue;
    sorted &&= order.length === 0 || strides[order.at(-1)!]! >= strides[i]!;
    order.push(i);
  }
  return sorted ? order : order.sort((a, b) => strides[b]! - strides[a]!);
}

/** Steps of x for these dimensions of an iteration of this rank: right-aligned, 0 where x is broadcast. */
function alignSteps(x: Value, order: readonly number[], rank: number, to: number[]): void {
  const lead = rank - x.shape.length;
  for (let k = 0; k < order.length; k++) {
    const i = order[k]! - lead;
    to[k] = i < 0 || x.shape[i] === 1 ? 0 : x.strides[i]!;
  }
}

/** Merges neighbours that every operand walks as one. Returns the rank that is left. */
function merge(y: Value, order: readonly number[], operands: readonly (Operand | null)[]): number {
  let rank = 0;
  const n = operands.length;
  for (let i = 0; i < order.length; i++) {
    const extent = y.shape[order[i]!]!;
    let joins = rank > 0;
    for (let a = 0; joins && a < n; a++) {
      if (typeof operands[a] !== "number") joins = steps[a]![rank - 1] === steps[a]![i]! * extent;
    }
    const at = joins ? rank - 1 : rank++;
    extents[at] = joins ? extents[at]! * extent : extent;
    for (let a = 0; a < n; a++) steps[a]![at] = steps[a]![i]!;
  }
  return rank;
}

/**
 * Runs a Map row over the shape of its first operand; the others broadcast to it. Numbers stand for constant arrays.
 * scalars are the row's scalar parameters.
 */
export function launchMap(
  kernel: Kernel,
  dtype: string,
  operands: readonly Operand[],
  scalars: readonly number[] = [],
): void {
  const y = operands[0] as Value;
  let w = 0;
  if (y.size === 0 || straight(y, operands)) {
    words[w++] = 1;
    words[w++] = y.size;
    for (const x of operands) {
      if (typeof x === "number") continue;
      words[w++] = x.offset;
      words[w++] = 1;
    }
  } else {
    const order = orderOf(y);
    for (let a = 0; a < operands.length; a++) {
      const x = operands[a]!;
      if (typeof x !== "number") alignSteps(x, order, y.shape.length, steps[a]!);
    }
    const merged = merge(y, order, operands);
    words[w++] = merged;
    for (let i = 0; i < merged; i++) words[w++] = extents[i]!;
    for (let a = 0; a < operands.length; a++) {
      const x = operands[a]!;
      if (typeof x === "number") continue;
      words[w++] = x.offset;
      for (let i = 0; i < merged; i++) words[w++] = steps[a]![i]!;
    }
  }
  for (const s of scalars) words[w++] = s;
  call(kernel, dtype, w, operands);
}

function straight(y: Value, operands: readonly Operand[]): boolean {
  for (const x of operands) {
    if (typeof x === "number") continue;
    if (!x.isContiguous || x.shape.length !== y.shape.length) return false;
    for (let i = 0; i < x.shape.length; i++) if (x.shape[i] !== y.shape[i]) return false;
  }
  return true;
}

/** A strided operand of a Call row: the value with the steps the row is to walk it by. */
export interface Walk {
  readonly value: Value;
  readonly steps: readonly number[];
  readonly offset?: number;
}
/** The walk over every element where it lies. */
export const walk = (value: Value): Walk => ({ value, steps: value.strides });

/**
 * Runs a Rows or Call row. extents: one for each letter of the row's shapes, in order of first appearance. Plain values are
 * taken as contiguous from their offset; walks give their steps.
 */
export function launch(
  kernel: Kernel,
  dtype: string,
  extent: readonly number[],
  operands: readonly (Value | Walk | null)[],
  scalars: readonly number[] = [],
): void {
  let w = 0;
  for (const e of extent) words[w++] = e;
  const values: (Value | null)[] = [];
  for (const x of operands) {
    if (x === null) {
      values.push(null);
    } else if ("steps" in x) {
      words[w++] = x.offset ?? x.value.offset;
      for (const s of x.steps) words[w++] = s;
      values.push(x.value);
    } else {
      words[w++] = x.offset;
      values.push(x);
    }
  }
  for (const s of scalars) words[w++] = s;
  call(kernel, dtype, w, values);
}
