// The bits of a row do not depend on the number of threads, nor on who else uses them.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { clone, differs, lettersOf, makeCall, outcome, type Row, rows, scalarsOf, wild, write } from "./signature.ts";

const threads = native.threads();
beforeEach(() => native.setThreads(1));
afterEach(() => native.setThreads(threads));
const counts = [2, 3, 5, 8];
const label = (row: Row) => ({ row, title: `${row.name} ${row.dtype}` });

/** Enough for several tasks, and no multiple of anything. */
const many = 200_003;

describe("Map rows", () => {
  it.each(rows.filter((r) => r.driver === "Map").map(label))("$title", ({ row }) => {
    const arrays = row.arrays.map((p, i) => wild(p.dtype, many, 1 + i));
    const run = () => {
      const own = arrays.map((x, i) => (row.arrays[i]!.writes ? clone(x) : x));
      const words = [1, many, ...arrays.flatMap(() => [0, 1]), ...scalarsOf(row)];
      native.run(row.id, write(words), ...own);
      return own;
    };
    const expected = run();
    for (const n of counts) {
      native.setThreads(n);
      expect(differs(run(), expected), `${n} threads`).toBeUndefined();
    }
  });
});

describe("Rows and Call rows", () => {
  // Each letter in turn is the long one: work may be cut along any of them.
  const cases = rows.filter((r) => r.driver !== "Map").flatMap((row) => lettersOf(row).map((long) => ({ row, long })));
  it.each(cases.map(({ row, long }) => ({ ...label(row), long })))("$title along $long", ({ row, long }) => {
    const extents = new Map(lettersOf(row).map((l, i) => [l, l === long ? 40_009 : 2 + (i % 2)]));
    const call = makeCall(row, extents, 5);
    const expected = outcome(row, call);
    expect(expected).toBeInstanceOf(Array);
    for (const n of counts) {
      native.setThreads(n);
      expect(differs(outcome(row, call), expected), `${n} threads`).toBeUndefined();
    }
  });

  it.each(rows.filter((r) => r.driver !== "Map" && lettersOf(r).length === 2).map(label))(
    "$title, square",
    ({ row }) => {
      const call = makeCall(row, new Map(lettersOf(row).map((l, i) => [l, 517 + i])), 9);
      const expected = outcome(row, call);
      for (const n of counts) {
        native.setThreads(n);
        expect(differs(outcome(row, call), expected), `${n} threads`).toBeUndefined();
      }
    },
  );
});
