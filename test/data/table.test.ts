import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type Cell, Encoder, NablaError, readTable, Table } from "../../lib/index.ts";

const folder = mkdtempSync(join(tmpdir(), "table-"));
function csv(text: string | Uint8Array): string {
  const file = join(folder, "some.csv");
  writeFileSync(file, text);
  return file;
}
async function refused(f: () => unknown): Promise<string> {
  try {
    await f();
  } catch (e) {
    if (e instanceof NablaError) return `${e.code} ${e.message.replaceAll(folder, "").split("\n")[0]}`;
    throw e;
  }
  return "nothing was thrown";
}

describe("readTable", () => {
  it("reads quotes, gaps, numbers, line ends of every kind and a byte order mark", async () => {
    const table = await readTable(
      csv('\ufeffname, size ,note\r\n"A ""B"", C",1e-3,NA\r\n"two\r\nlines",-.5,\r\n\r\nD,,x\r\n'),
    );
    expect(table.columns).toEqual([
      { name: "name", kind: "text", cells: ['A "B", C', "two\nlines", "D"] },
      { name: "size", kind: "number", cells: [0.001, -0.5, null] },
      { name: "note", kind: "text", cells: [null, null, "x"] },
    ]);
    expect([0, 1, 2].map((i) => table.place(i).split(", ")[1])).toEqual(["line 2", "line 3", "line 6"]);
  });
  it("takes kinds, gaps and delimiter as told", async () => {
    const file = csv("code;size\n007;-\n008;2\n");
    const table = await readTable(file, { delimiter: ";", gaps: ["-"], kinds: { code: "text" } });
    expect(table.row(0)).toEqual({ code: "007", size: null });
  });
  it.each([
    ["a,b\n1,2\n3\n", "/some.csv, line 3: has 1 cells, column b is missing"],
    ["a,b\n1,2\n3,4,5\n", "/some.csv, line 3: has 3 cells, more than the 2 columns; the last is b"],
    ['a,b\n1,"2\n3,4\n', "line "],
    ["a,b,a\n1,2,3\n", '/some.csv, line 1, column 3: "a" is there twice'],
    ["", "/some.csv: is empty, a header was expected"],
    [Uint8Array.of(97, 10, 0xff, 10), "/some.csv: is not UTF-8"],
  ])("refuses %j", async (text, sentence) => {
    const told = await refused(() => readTable(csv(text)));
    expect(told).toMatch(/^ERR_NABLA_FILE readTable: /);
    expect(told).toContain(sentence);
  });
  it("names the cell that is no number where one is asked for", async () => {
    const file = csv("a,b\n1,2\n3,x\n");
    expect(await refused(() => readTable(file, { kinds: { b: "number" } }))).toContain(
      '/some.csv, line 3, column b: "x" is no number',
    );
    expect(await refused(() => readTable(file, { kinds: { c: "number" } }))).toContain('there is no column "c"');
    expect(await refused(() => readTable(join(folder, "none.csv")))).toContain("cannot be read: ENOENT");
  });
  it("says what to install", async () => {
    vi.doMock("csv-parse/sync", () => {
      throw new Error("Cannot find package");
    });
    expect(await refused(() => readTable(csv("a\n1\n")))).toBe(
      "ERR_NABLA_STATE readTable: reading CSV files needs the package csv-parse",
    );
    vi.doUnmock("csv-parse/sync");
  });
});

const kinds = [..."aaaaaaaabbbbc"];
const table = new Table(
  ["x", "kind"],
  Array.from({ length: 130 }, (_, i): Cell[] => [i, kinds[i % kinds.length]!]),
);
const count = (t: Table, kind: string): number => t.column("kind").cells.filter((c) => c === kind).length;

describe("splits", () => {
  it("have every row once, each stratum in its share, and follow from the seed", () => {
    const split = (seed: number) => table.split([0.7, 0.2, 0.1], { seed, stratify: "kind" });
    const parts = split(1);
    expect(parts.map((p) => p.length)).toEqual([91, 26, 13]);
    expect(parts.map((p) => count(p, "a"))).toEqual([56, 16, 8]);
    expect(count(parts[2]!, "c")).toBe(1);
    const rows = parts.flatMap((p) => p.column("x").cells as number[]);
    expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: 130 }, (_, i) => i));
    expect(split(1)[0]!.column("x").cells).toEqual(parts[0]!.column("x").cells);
    expect(split(2)[0]!.column("x").cells).not.toEqual(parts[0]!.column("x").cells);
  });
  it("make folds whose tests are apart", () => {
    const folds = table.folds(5, { seed: 3, stratify: "kind" });
    expect(folds.map(({ train, test }) => [train.length, test.length])).toEqual(new Array(5).fill([104, 26]));
    expect(folds.map(({ test }) => count(test, "c"))).toEqual([2, 2, 2, 2, 2]);
    expect(new Set(folds.flatMap(({ test }) => test.column("x").cells)).size).toBe(130);
  });
  it("refuse shares and folds that cannot be", async () => {
    expect(await refused(() => table.split([0.5, 0.6]))).toContain("add up to 1");
    expect(await refused(() => table.folds(1))).toContain("130 rows make no 1 folds");
    expect(await refused(() => table.split([1], { stratify: "y" }))).toContain('there is no column "y"');
    expect(await refused(() => table.split([1], { seed: 0.5 }))).toContain("seed must be a whole number");
  });
  it("refuse rows that are no rows", async () => {
    expect(await refused(() => new Table(["a", "a"], []))).toContain('two columns are called "a"');
    expect(await refused(() => new Table(["a", "b"], [[1, 2], [3]]))).toContain("row 1 has 1 cells, the header 2");
    expect(await refused(() => new Table(["a"], [[Number.NaN]]))).toContain("row 0, column a: NaN is no cell");
  });
});

describe("Encoder", () => {
  const train = new Table(
    ["size", "color", "age", "kind"],
    [
      [1, "red", 4, "a"],
      [3, null, null, "b"],
      [5, "blue", 8, "a"],
    ],
  );
  const other = new Table(["size", "color", "age", "kind"], [[9, "green", null, "b"]]);

  it("scales and encodes by what the training part has, and nothing else", () => {
    const encoder = Encoder.fit(train, { target: "kind" });
    expect(encoder.features).toEqual(["size", "color=blue", "color=red", "color=?", "age", "age=?"]);
    const { x, y } = encoder.encode(train);
    const s = Math.fround(Math.sqrt(1.5));
    expect(x.toArray()).toEqual([
      [-s, 0, 1, 0, -1, 0],
      [0, 0, 0, 1, 0, 1],
      [s, 1, 0, 0, 1, 0],
    ]);
    expect(y.toArray()).toEqual([0, 1, 0]);
    expect(encoder.inputs(other).toArray()).toEqual([[Math.fround(6 / Math.sqrt(8 / 3)), 0, 0, 0, 0, 1]]);
    expect(encoder.decode([1, 0])).toEqual(["b", "a"]);
  });
  it("predicts numbers in their unit, or takes them as classes", () => {
    const encoder = Encoder.fit(train, { target: "size", without: ["kind"] });
    const { y } = encoder.encode(train);
    expect([y.shape, encoder.classes]).toEqual([[3, 1], null]);
    encoder.decode(y.dataSync()).forEach((v, i) => {
      expect(v).toBeCloseTo([1, 3, 5][i]!, 6);
    });
    expect(Encoder.fit(train, { target: "size", classes: true }).classes).toEqual([1, 3, 5]);
  });
  it("goes to JSON and comes back", async () => {
    const encoder = Encoder.fit(train, { target: "kind" });
    const again = Encoder.from(JSON.parse(JSON.stringify(encoder)));
    expect(again.encode(other).x.toArray()).toEqual(encoder.encode(other).x.toArray());
    expect(await refused(() => Encoder.from({ inputs: [{ name: "a" }] }))).toMatch(/^ERR_NABLA_FILE/);
  });
  it("says what it cannot encode", async () => {
    const encoder = Encoder.fit(train, { target: "kind" });
    const row = (...cells: Cell[]) => new Table(train.names, [cells]);
    expect(await refused(() => encoder.encode(row(1, "red", 4, "z")))).toContain("row 0, column kind: the class z");
    expect(await refused(() => encoder.encode(row(1, "red", 4, null)))).toContain("column kind: the target is missing");
    expect(await refused(() => encoder.inputs(row("big", "red", 4, "a")))).toContain('column size: "big" is no number');
    expect(await refused(() => encoder.inputs(new Table(["size"], [])))).toContain('there is no column "color"');
    expect(await refused(() => Encoder.fit(train, { target: "none" }))).toContain('there is no column "none"');
    expect(await refused(() => Encoder.fit(row(1, "red", null, "a"), { target: "kind" }))).toContain(
      "column age has nothing but gaps",
    );
  });
});
