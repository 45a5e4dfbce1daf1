import { readFileSync } from "node:fs";
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { type Cell, Table } from "./table.ts";

/** Options of {@link readTable}. */
export interface ReadTableOptions {
  /** What stands between two cells; a comma unless given. */
  delimiter?: string;
  /** Texts that mean that nothing is known: empty, NA, NaN, null and ? unless given. */
  gaps?: readonly string[];
  /** Columns that must be of numbers, or must be texts though all look like numbers. Others are of numbers if every cell is one. */
  kinds?: Readonly<Record<string, "number" | "text">>;
}

function refuse(place: string, what: string, cause?: unknown): never {
  return fail("ERR_NABLA_FILE", "readTable", `${place}: ${what}`, { cause });
}

/** A record with the line it ends on. */
interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}
type Parse = (text: string, options: object) => Parsed[];

async function parser(): Promise<Parse> {
  try {
    return (await import("csv-parse/sync")).parse as unknown as Parse;
  } catch (cause) {
    return fail("ERR_NABLA_STATE", "readTable", "reading CSV files needs the package csv-parse", {
      hint: "npm install csv-parse",
      cause,
    });
  }
}
/** The text with lines that end in \n, which is how they are counted. */
function load(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file)).replace(/\r\n?/g, "\n");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "is not UTF-8" : `cannot be read: ${code}`;
    return refuse(file, what, error);
  }
}

const number = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const numeric = (text: string): boolean => number.test(text) && Number.isFinite(Number(text));

/**
 * Reads a CSV file with a header: quoted cells, gaps, text columns. The parser is the package csv-parse, which is to be installed
 * beside nabla.
 *
 * Throws ERR_NABLA_FILE naming file, line and column for a row with more or fewer cells than the header, a cell that is
 * no number where `kinds` asks for one, a quote that is not closed, a header that is missing or names a column twice;
 * ERR_NABLA_STATE without csv-parse. pandas: `read_csv`.
 * @example
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readTable } from "nabla";
 * const file = join(mkdtempSync(join(tmpdir(), "csv-")), "two.csv");
 * writeFileSync(file, 'name,size\n"Anna, B.",1.5\nCarl,\n');
 * console.log(await readTable(file)); // Table of 2 rows: name (text), size (number)
 * ```
 */
export async function readTable(file: string, options: ReadTableOptions = {}): Promise<Table> {
  const {
    delimiter = ",",
    gaps = ["", "NA", "NaN", "nan", "null", "?"],
    kinds = {},
  } = only("readTable", options, ["delimiter", "gaps", "kinds"]);
  const parse = await parser();
  const records = parseAll(file, parse, load(file), delimiter);
  const [header, ...body] = records;
  if (!header) return refuse(file, "is empty, a header was expected");
  const names = header.record.map((name) => name.trim());
  checkHeader(file, names, kinds);
  const starts = linesOf(records);
  body.forEach(({ record }, r) => {
    if (record.length !== names.length) refuse(`${file}, line ${starts[r + 1]}`, uneven(record.length, names));
  });
  const missing = new Set(gaps);
  const texts = body.map(({ record }) => record.map((cell) => (missing.has(cell.trim()) ? null : cell.trim())));
  const columns = names.map((name, c) => {
    const cells = texts.map((row) => row[c] as string | null);
    return cellsOf(cells, name, kinds[name], (r) => `${file}, line ${starts[r + 1]}`);
  });
  const rows = texts.map((_, r) => columns.map((cells) => cells[r] as Cell));
  return new Table(names, rows, { kinds: names.map((name) => kinds[name]), file, lines: starts.slice(1) });
}

const uneven = (count: number, names: readonly string[]): string =>
  count < names.length
    ? `has ${count} cells, column ${names[count]} is missing`
    : `has ${count} cells, more than the ${names.length} columns; the last is ${names.at(-1)}`;

function parseAll(file: string, parse: Parse, text: string, delimiter: string): Parsed[] {
  try {
    return parse(text, { bom: true, delimiter, info: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    const { lines, column, message } = error as { lines?: number; column?: unknown; message: string };
    const place = [file, ...(lines ? [`line ${lines}`] : []), ...(column === undefined ? [] : [`column ${column}`])];
    return refuse(place.join(", "), message, error);
  }
}
/** The line each record begins on; the parser tells the one it ends on. */
const linesOf = (records: readonly Parsed[]): number[] =>
  records.map(({ record, info }) => info.lines - breaks(record));
const breaks = (record: readonly string[]): number => record.reduce((n, cell) => n + (cell.split("\n").length - 1), 0);

function checkHeader(file: string, names: readonly string[], kinds: object): void {
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) refuse(`${file}, line 1, column ${twice + 1}`, `${JSON.stringify(names[twice])} is there twice`);
  for (const name of Object.keys(kinds))
    if (!names.includes(name)) refuse(`${file}, line 1`, `there is no column ${JSON.stringify(name)}`);
}

function cellsOf(
  cells: readonly (string | null)[],
  name: string,
  kind: "number" | "text" | undefined,
  place: (row: number) => string,
): Cell[] {
  const odd = kind === "text" ? -1 : cells.findIndex((cell) => cell !== null && !numeric(cell));
  if (kind === "number" && odd >= 0)
    refuse(`${place(odd)}, column ${name}`, `${JSON.stringify(cells[odd])} is no number`);
  if (kind === "text" || odd >= 0) return [...cells];
  return cells.map((cell) => (cell === null ? null : Number(cell)));
}
