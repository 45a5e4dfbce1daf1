import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { deal } from "./split.ts";

/** One cell: a number, a text, or null where there is a gap. */
export type Cell = number | string | null;

/** A column: numbers, or texts, with gaps. */
export interface Column {
  readonly name: string;
  readonly kind: "number" | "text";
  readonly cells: readonly Cell[];
}
/** What else is known of rows. */
interface Known {
  /** The kind of each column, where it does not follow from the cells. */
  readonly kinds?: readonly (Column["kind"] | undefined)[];
  /** Where rows came from, for error messages: the file, and the line of each from 1. */
  readonly file?: string;
  readonly lines?: readonly number[];
}

/** Options of {@link Table.split} and {@link Table.folds}. */
export interface SplitOptions {
  /** What the order follows from: equal seeds, equal parts. */
  seed?: number;
  /** A column of few values, each of which every part gets its share of. */
  stratify?: string;
}
const splitNames = ["seed", "stratify"] as const;

/**
 * Rows of named columns, of numbers or texts, with gaps. Read from a file by {@link readTable}, or made of rows in memory; a column
 * is of numbers if all its cells are numbers or gaps. Tables do not change: what selects rows or columns gives a new one.
 *
 * Throws ERR_NABLA_VALUE for rows of other lengths than the header, cells of other types, names that repeat.
 * @example
 * ```ts
 * import { Table } from "nabla";
 * const table = new Table(["size", "kind"], [[1.5, "a"], [null, "b"], [2, "a"], [1, "b"]]);
 * console.log(table.length, table.column("size").kind); // 4 number
 * const [train, test] = table.split([0.5, 0.5], { seed: 1, stratify: "kind" });
 * console.log(train.length, test.column("kind").cells.length); // 2 2
 * ```
 */
export class Table {
  readonly columns: readonly Column[];
  /** How many rows. */
  readonly length: number;
  readonly #known: Known;

  constructor(names: readonly string[], rows: readonly (readonly Cell[])[], known: Known = {}) {
    checkNames(names);
    if (!Array.isArray(rows)) fail("ERR_NABLA_TYPE", "Table", "the rows are a list of lists", { actual: rows });
    rows.forEach((row, r) => {
      checkRow(row, r, names);
    });
    this.columns = names.map((name, c) =>
      columnOf(
        name,
        Array.from(rows, (row) => row[c] as Cell),
        known.kinds?.[c],
      ),
    );
    this.length = rows.length;
    this.#known = known;
  }

  /** The names of the columns. */
  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }
  /** A column by name. */
  column(name: string): Column {
    const found = this.columns.find((c) => c.name === name);
    return (
      found ??
      fail("ERR_NABLA_VALUE", "Table", `there is no column ${JSON.stringify(name)}`, {
        expected: this.names,
        actual: name,
      })
    );
  }
  /** A row as an object. */
  row(i: number): Record<string, Cell> {
    return Object.fromEntries(this.columns.map(({ name, cells }) => [name, cells[i] as Cell]));
  }
  /** Where a row came from: "penguins.csv, line 5", or "row 4". */
  place(i: number): string {
    const { file, lines } = this.#known;
    return file && lines ? `${file}, line ${lines[i]}` : `row ${i}`;
  }

  /** The rows at these positions; columns stay of their kind. */
  take(rows: readonly number[]): Table {
    const { file, lines } = this.#known;
    const cells = rows.map((i) => this.columns.map((c) => c.cells[i] as Cell));
    const kinds = this.columns.map(({ kind }) => kind);
    const origin = file && lines ? { file, lines: rows.map((i) => lines[i] as number) } : {};
    return new Table(this.names, cells, { kinds, ...origin });
  }
  /** The rows that a function is true of. */
  filter(keep: (row: Readonly<Record<string, Cell>>) => boolean): Table {
    return this.take(range(this.length).filter((i) => keep(this.row(i))));
  }

  /**
   * Parts of these shares of the rows, 0.8 and 0.2 say, in the order the rows have here. With `stratify` each value of
   * that column is shared out alike.
   *
   * scikit-learn: `train_test_split(..., stratify)`.
   */
  split(shares: readonly number[], options: SplitOptions = {}): Table[] {
    only("split", options, splitNames);
    return this.#deal(shares, options).map((rows) => this.take(rows));
  }
  /**
   * Cross-validation: k pairs of tables to train on and to test on; each row is tested on once.
   *
   * scikit-learn: `StratifiedKFold`.
   */
  folds(k: number, options: SplitOptions = {}): { train: Table; test: Table }[] {
    only("folds", options, splitNames);
    if (!(Number.isInteger(k) && k >= 2 && k <= this.length))
      fail("ERR_NABLA_VALUE", "folds", `${this.length} rows make no ${k} folds`, {
        expected: [2, this.length],
        actual: k,
      });
    const parts = this.#deal(new Array(k).fill(1 / k), options);
    return parts.map((test, i) => ({
      train: this.take(
        parts
          .filter((_, j) => j !== i)
          .flat()
          .sort((a, b) => a - b),
      ),
      test: this.take(test),
    }));
  }

  #deal(shares: readonly number[], { seed = 0, stratify }: SplitOptions): number[][] {
    const cells = stratify === undefined ? undefined : this.column(stratify).cells;
    return deal(this.length, shares, { seed, strata: cells && ((i) => cells[i]) });
  }

  /** The size and the columns with their kinds. */
  toString(): string {
    return `Table of ${this.length} rows: ${this.columns.map(({ name, kind }) => `${name} (${kind})`).join(", ")}`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function checkNames(names: readonly string[]): void {
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
    fail("ERR_NABLA_TYPE", "Table", "the names of the columns are a list of texts", { actual: names });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    fail("ERR_NABLA_VALUE", "Table", `two columns are called ${JSON.stringify(twice)}`, { actual: names });
}
function checkRow(row: readonly Cell[], r: number, names: readonly string[]): void {
  if (!Array.isArray(row) || row.length !== names.length)
    fail("ERR_NABLA_VALUE", "Table", `row ${r} has ${row?.length} cells, the header ${names.length}`, {
      expected: names.length,
      actual: row,
    });
  row.forEach((cell, c) => {
    if (cell === null || typeof cell === "string" || Number.isFinite(cell)) return;
    fail("ERR_NABLA_VALUE", "Table", `row ${r}, column ${names[c]}: ${String(cell)} is no cell`, {
      expected: "a finite number, a text, or null for a gap",
      actual: cell,
    });
  });
}
function columnOf(name: string, cells: readonly Cell[], given: Column["kind"] | undefined): Column {
  const kind = given ?? (cells.some((cell) => typeof cell === "string") ? "text" : "number");
  return { name, kind, cells: kind === "text" ? cells.map((cell) => (cell === null ? null : String(cell))) : cells };
}
