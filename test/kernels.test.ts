// Every row of the kernel table on every instruction set: the bits of the scalar table, and not one element outside.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TypedArray } from "../lib/core/dtype.ts";
import { native } from "../lib/core/native.ts";
import { random } from "./sample.ts";
import {
  type ArrayParam,
  canaries,
  canary,
  clone,
  difference,
  differs,
  fresh,
  lettersOf,
  makeCall,
  outcome,
  type Row,
  rows,
  scalarsOf,
  wild,
  write,
} from "./signature.ts";

const best = native.isa();
beforeEach(() => native.setThreads(1));
afterEach(() => native.use(best));

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const lengths = [...range(0, 50), 255, 256, 257, 8191, 8192, 8193];
const offsets = [0, 1, 3];

/** Runs a Map row over n elements at an offset of its arrays. */
function runMap(row: Row, arrays: readonly TypedArray[], n: number, offset: number): void {
  const words = [1, n, ...row.arrays.flatMap(() => [offset, 1]), ...scalarsOf(row)];
  native.run(row.id, write(words), ...arrays);
}
/** Outputs of this length: canaries around the place of the result. */
function outputs(row: Row, room: number): Map<ArrayParam, TypedArray> {
  const made = row.arrays.filter((p) => p.writes).map((p) => [p, fresh(p.dtype, room).fill(canary(p.dtype))] as const);
  return new Map(made);
}
function around(x: TypedArray, offset: number, n: number, p: ArrayParam): void {
  const outside = [...x.subarray(0, offset), ...x.subarray(offset + n)];
  const touched = outside.findIndex((e) => !Object.is(e, canary(p.dtype)));
  expect(touched, `${p.name} was written outside of its ${n} elements`).toBe(-1);
}

/** The results of a Map row: a copy of each output. */
function mapped(row: Row, inputs: readonly TypedArray[], n: number, offset: number): TypedArray[] {
  const room = offset + n + canaries;
  const out = outputs(row, room);
  const arrays = row.arrays.map((p, i) => {
    const to = out.get(p);
    if (to && p.reads) to.set(inputs[i]!.subarray(0, n), offset);
    return to ?? inputs[i]!.subarray(0, offset + n);
  });
  runMap(row, arrays, n, offset);
  for (const [p, x] of out) around(x, offset, n, p);
  return [...out.values()];
}
/** The same with the first output in the place of an input. */
function inplace(row: Row, inputs: readonly TypedArray[], input: number, n: number, offset: number): TypedArray {
  const shared = clone(inputs[input]!.subarray(0, offset + n));
  const rest = outputs(row, offset + n);
  const first = row.arrays.findIndex((p) => p.writes);
  const arrays = row.arrays.map((p, i) =>
    i === input || i === first ? shared : (rest.get(p) ?? inputs[i]!.subarray(0, offset + n)),
  );
  runMap(row, arrays, n, offset);
  return shared.subarray(offset);
}

const label = (row: Row) => ({ row, title: `${row.name} ${row.dtype}` });
const maps = rows.filter((r) => r.driver === "Map").map(label);

describe("Map rows", () => {
  it.each(maps)("$title", ({ row }) => {
    const inputs = row.arrays.map((p, i) => wild(p.dtype, 8193 + 3, 1 + i));
    const first = row.arrays.find((p) => p.writes)!;
    const replaceable = range(0, row.arrays.length).filter(
      (i) => !row.arrays[i]!.writes && row.arrays[i]!.dtype === first.dtype && !first.reads,
    );
    for (const n of lengths) {
      for (const offset of offsets) {
        native.use("scalar");
        const expected = mapped(row, inputs, n, offset);
        for (const isa of native.isas) {
          native.use(isa);
          const got = mapped(row, inputs, n, offset);
          const miss = got.map((x, i) => difference(x, expected[i]!)).find((d) => d);
          expect(miss, `${isa}, ${n} elements at ${offset}`).toBeUndefined();
          for (const input of replaceable) {
            const place = inplace(row, inputs, input, n, offset);
            const apart = expected[0]!.subarray(offset, offset + n);
            expect(difference(place, apart), `${isa}, ${n} elements in place of ${input}`).toBeUndefined();
          }
        }
      }
    }
  });
});

const sizes = [0, 1, 2, 3, 5, 8, 16, 17, 33];
/** Random extents for the letters of a row. */
function extents(row: Row, next: () => number): Map<string, number> {
  return new Map(lettersOf(row).map((l) => [l, sizes[Math.floor(next() * sizes.length)]!]));
}

describe("Rows and Call rows", () => {
  it.each(rows.filter((r) => r.driver !== "Map").map(label))("$title", ({ row }) => {
    let ran = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const call = makeCall(row, extents(row, random(seed)), seed);
      native.use("scalar");
      const expected = outcome(row, call);
      if (typeof expected !== "string") ran++;
      for (const isa of native.isas) {
        native.use(isa);
        expect(differs(outcome(row, call), expected), `${isa}, words ${call.words}`).toBeUndefined();
      }
    }
    expect(ran).toBeGreaterThan(30);
  });
});

describe("the comparison itself", () => {
  it("sees one bit, the sign of zero, and takes every NaN for the same", () => {
    const x = Float32Array.of(1, 0, Number.NaN);
    const bits = new Int32Array(x.buffer);
    expect(difference(x, clone(x))).toBeUndefined();
    const other = clone(x);
    new Int32Array(other.buffer)[2] = 0x7fc00001;
    expect(difference(x, other)).toBeUndefined();
    bits[0]!++;
    expect(difference(x, other)).toBe("element 0 of 3: 1.0000001192092896, expected 1");
    expect(difference(Float32Array.of(-0), Float32Array.of(0))).toContain("element 0");
  });
});
