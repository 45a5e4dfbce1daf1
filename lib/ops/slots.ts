// The memory of keys and values that generation keeps: which place a token has, writing there, and reading whole rows.
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { K } from "../native.gen.ts";
import { add, contiguous } from "./arithmetic.ts";
import { checkIndices, pickRows } from "./select.ts";
import { reshape, slice, unsqueeze } from "./view.ts";

/** Where the tokens of a call go in memory [batch, heads, capacity, width]. */
export interface Slots {
  /** i32 [time], the same in every row, or [batch, time]. */
  readonly slots: Value;
  /** i32 [batch]: rows of the memory; undefined for 0, 1, ... */
  readonly rows: Value | undefined;
}

/** Slots and rows that are there. Checked before anything is written: a compiled run that fails has no memory to give back. */
export function checkSlots(slots: Value, rows: Value | undefined, batch: number, capacity: number): Slots {
  return {
    slots: checkIndices("KVCache", slots, capacity),
    rows: rows && checkIndices("KVCache", rows, batch),
  };
}

/** `first` [batch, heads, 1], where each head of each row begins, and slots as places [batch, heads, time] of memory seen as one list of vectors. */
export function placesOf(first: Value, { slots, rows }: Slots): Value {
  if (slots.ndim === 1) return add({ a: first, b: slots });
  const own = rows ? pickRows(first, 0, contiguous(rows)) : slice(first, 0, 0, slots.shape[0]);
  return add({ a: own, b: unsqueeze(slots, 1) });
}

/** Writes x [batch, heads, time, width] to places of memory [batch, heads, capacity, width]. State: no gradient flows through. */
export function writePlaces(memory: Value, places: Value, x: Value): void {
  const width = memory.shape[3];
  launch(
    K.index_copy,
    memory.dtype,
    [1, memory.size / width, width, places.size],
    [memory, { value: contiguous(x), steps: [0, width, 1] }, contiguous(places)],
  );
  memory.storage.version++;
}

/** The rows of memory a call works on: a view, or a copy where they are chosen by number. */
export function rowsOf(memory: Value, { slots, rows }: Slots): Value {
  if (slots.ndim === 1) return memory;
  if (!rows) return slice(memory, 0, 0, slots.shape[0]);
  const [batch, ...shape] = memory.shape;
  return reshape(pickRows(reshape(memory, [batch, -1]), 0, contiguous(rows)), [slots.shape[0], ...shape]);
}
