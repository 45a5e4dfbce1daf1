import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { Chart, type ChartOptions, heading, painted } from "./chart.ts";
import { grid, type Shaped } from "./read.ts";
import { el, label } from "./svg.ts";
import { caption, cells, clean, padStart, pixels, short, shorten } from "./words.ts";

/** Options of {@link heatmap}. */
export interface HeatmapOptions extends Pick<ChartOptions, "title"> {
  /** Names of the rows and columns; their numbers unless given. */
  rows?: readonly string[];
  columns?: readonly string[];
  /** Names of the axes. */
  x?: string;
  y?: string;
  /** Writes the numbers into the cells; true unless given and there are at most 20 columns. */
  numbers?: boolean;
}

interface Matrix {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly number[])[];
  /** How full the colour of each cell is, -1 to 1; a negative one has a colour of its own. */
  readonly shares: readonly (readonly number[])[];
  /** Words behind each row. */
  readonly notes?: readonly string[];
}

function names(op: string, side: string, given: readonly string[] | undefined, count: number): string[] {
  if (given === undefined) return Array.from({ length: count }, (_, i) => String(i));
  if (given.length !== count)
    fail("ERR_NABLA_SHAPE", op, `${given.length} names for ${count} ${side}`, {
      expected: count,
      actual: given.length,
    });
  return given.map(clean);
}

/** The table of numbers of a matrix of at most 200 x 200. */
function table(op: string, from: Shaped | readonly (readonly number[])[]): number[][] {
  const rows = Array.isArray(from) ? (from as number[][]) : undefined;
  const ragged = rows?.find((row) => row?.length !== rows[0]?.length);
  if (ragged !== undefined)
    fail("ERR_NABLA_SHAPE", op, "the rows are not equally long", {
      expected: rows![0]!.length,
      actual: ragged?.length,
    });
  const source = rows ? { shape: [rows.length, rows[0]?.length ?? 0], data: rows.flat() } : (from as Shaped);
  const { shape, data } = grid(op, "values", source, [2]);
  const [high, wide] = shape as [number, number];
  if (high > 200 || wide > 200)
    fail("ERR_NABLA_VALUE", op, `a matrix of ${high} x ${wide} is too large to be read, 200 x 200 is the most`, {
      actual: shape,
    });
  return Array.from({ length: high }, (_, i) => Array.from(data.subarray(i * wide, (i + 1) * wide)));
}

/**
 * A matrix as coloured cells: attention of tokens on tokens, weights, correlations. Positive and negative values have colours of
 * their own, full at the largest size; what is not finite stays empty. Throws ERR_NABLA_SHAPE for what is no matrix or for names
 * that do not fit, ERR_NABLA_VALUE beyond 200 x 200.
 *
 * matplotlib: `matshow`.
 * @example
 * ```ts
 * import { heatmap } from "nabla/plot";
 * console.log(heatmap([[1, 0], [0, 1]], { rows: ["a", "b"] }).svg().includes("a")); // true
 * ```
 */
export function heatmap(values: Shaped | readonly (readonly number[])[], options: HeatmapOptions = {}): Chart {
  only("heatmap", options, ["title", "rows", "columns", "x", "y", "numbers"]);
  const all = table("heatmap", values);
  const most = Math.max(...all.flat().filter(Number.isFinite).map(Math.abs), 1e-300);
  const shares = all.map((row) => row.map((value) => (Number.isFinite(value) ? value / most : 0)));
  const rows = names("heatmap", "rows", options.rows, all.length);
  const columns = names("heatmap", "columns", options.columns, all[0]!.length);
  return matrix({ rows, columns, values: all, shares }, options);
}

/** Options of {@link confusion}. */
export interface ConfusionOptions extends Pick<ChartOptions, "title"> {
  classes?: readonly string[];
}
/**
 * A confusion matrix: rows are what a thing is, columns what it was taken for; the colour is the share of the row, behind it
 * stands the share that was found. Throws as {@link heatmap} does, and ERR_NABLA_VALUE for counts that are none.
 *
 * scikit-learn: `ConfusionMatrixDisplay`.
 * @example
 * ```ts
 * import { confusion } from "nabla/plot";
 * console.log(confusion([[9, 1], [0, 10]], { classes: ["cat", "dog"] }).text().includes("90.0%")); // true
 * ```
 */
export function confusion(counts: Shaped | readonly (readonly number[])[], options: ConfusionOptions = {}): Chart {
  const { classes, title } = only("confusion", options, ["classes", "title"]);
  const values = table("confusion", counts);
  if (values.length !== values[0]!.length)
    fail("ERR_NABLA_SHAPE", "confusion", `the matrix is ${values.length} x ${values[0]!.length}, not square`, {
      actual: values[0]!.length,
    });
  const wrong = values.flat().find((count) => !(count >= 0 && count < Number.POSITIVE_INFINITY));
  if (wrong !== undefined) fail("ERR_NABLA_VALUE", "confusion", `a count is ${wrong}`, { actual: wrong });
  const totals = values.map((row) => row.reduce((sum, count) => sum + count, 0));
  const shares = values.map((row, i) => row.map((count) => (totals[i] === 0 ? 0 : count / totals[i]!)));
  const notes = shares.map((row, i) => (totals[i] === 0 ? "-" : `${(100 * row[i]!).toFixed(1)}%`));
  const rows = names("confusion", "classes", classes, values.length);
  return matrix(
    { rows, columns: rows, values, shares, notes },
    { ...(title !== undefined && { title }), x: "taken for", y: "is" },
  );
}

function matrix({ rows, columns, values, shares, notes }: Matrix, options: HeatmapOptions): Chart {
  const { numbers = columns.length <= 20 } = options;
  const [title, x, y] = [options.title, options.x, options.y].map((text) => caption(text));
  const written = values.map((row) => row.map((value) => (value === 0 ? "" : short(value, 2))));
  const draw = () => {
    const [head, top] = heading(title, 16);
    const widest = numbers ? Math.max(...written.flat().map((text) => pixels(text, 11))) + 8 : 0;
    const side = Math.max(Math.ceil(widest), columns.length <= 20 ? 30 : columns.length <= 60 ? 14 : 7);
    const high = Math.min(side, 34);
    const kept = columns.map((name) => shorten(name, 14));
    const longest = Math.max(...kept.map((name) => pixels(name, 12)));
    // Names of columns stand upright where they are wider than a column.
    const upright = longest > side - 4;
    const room = (x === undefined ? 6 : 24) + (upright ? longest + 6 : 18);
    const left = (y === undefined ? 12 : 32) + Math.max(...rows.map((name) => pixels(shorten(name, 20), 12))) + 8;
    const [from, to] = [top + room, top + room + rows.length * high];
    const every = Math.max(1, Math.ceil(16 / Math.min(side, high)));
    const parts: string[] = [];
    if (x !== undefined)
      parts.push(label(x, left + (columns.length * side) / 2, top + 10, { "text-anchor": "middle" }));
    if (y !== undefined)
      parts.push(
        label(y, 16, (from + to) / 2, { "text-anchor": "middle", transform: `rotate(-90 16 ${(from + to) / 2})` }),
      );
    for (const [j, name] of kept.entries()) {
      const at = left + (j + 0.5) * side;
      if (j % every !== 0) continue;
      if (upright)
        parts.push(label(name, at + 4, from - 6, { class: "quiet", transform: `rotate(-90 ${at + 4} ${from - 6})` }));
      else parts.push(label(name, at, from - 6, { class: "quiet", "text-anchor": "middle" }));
    }
    for (const [i, name] of rows.entries()) {
      const at = from + (i + 0.5) * high;
      if (i % every === 0)
        parts.push(label(shorten(name, 20), left - 8, at + 4, { class: "quiet", "text-anchor": "end" }));
      for (const [j, share] of shares[i]!.entries())
        parts.push(cell(left + j * side, from + i * high, side, high, share));
      for (const [j, text] of written[i]!.entries()) {
        if (!numbers || text === "") continue;
        const full = Math.abs(shares[i]![j]!) > 0.62;
        parts.push(
          label(text, left + (j + 0.5) * side, at + 4, {
            "text-anchor": "middle",
            "font-size": 11,
            class: full ? "on" : undefined,
          }),
        );
      }
      if (notes) parts.push(label(notes[i]!, left + columns.length * side + 10, at + 4, { class: "quiet" }));
    }
    const frame = el("rect", {
      class: "grid",
      fill: "none",
      x: left,
      y: from,
      width: columns.length * side,
      height: to - from,
    });
    const right = left + columns.length * side + (notes ? 66 : 16);
    return {
      width: Math.max(right, 32 + pixels(title ?? "", 15)),
      height: to + 14,
      body: head + frame + parts.join(""),
    };
  };
  return new Chart(title ?? "", draw, ({ color }) =>
    lines({ rows, columns, values: values, shares, ...(notes && { notes }) }, x, y, numbers, color),
  );
}
function cell(x: number, y: number, width: number, height: number, share: number): string {
  if (Math.abs(share) < 0.005) return "";
  return el("rect", {
    class: share > 0 ? "f0" : "f1",
    "fill-opacity": 0.1 + 0.9 * Math.min(1, Math.abs(share)),
    x,
    y,
    width,
    height,
  });
}

const shades = " ░▒▓█";
function lines(
  { rows, columns, values, shares, notes }: Matrix,
  x: string | undefined,
  y: string | undefined,
  numbers: boolean,
  color: boolean,
): string[] {
  const text = values.map((row, i) =>
    row.map((value, j) =>
      numbers ? (value === 0 ? "·" : short(value, 2)) : shades[Math.round(Math.abs(shares[i]![j]!) * 4)]!.repeat(2),
    ),
  );
  const kept = columns.map((name) => shorten(name, 8));
  const wide = numbers ? Math.max(...text.flat().map(cells), ...kept.map(cells)) + 1 : 2;
  const left = Math.max(...rows.map((name) => cells(shorten(name, 20))), 2);
  const head = numbers ? [`${" ".repeat(left)} │${kept.map((name) => padStart(name, wide)).join("")}`] : [];
  const rule = `${"─".repeat(left)}─┼${"─".repeat(wide * columns.length)}`;
  const body = rows.map((name, i) => {
    const row = text[i]!.map((one, j) =>
      painted(padStart(one, wide), shares[i]![j]! < 0 ? 1 : 0, color && shares[i]![j] !== 0),
    ).join("");
    return `${padStart(shorten(name, 20), left)} │${row}${notes ? ` │ ${padStart(notes[i]!, 6)}` : ""}`;
  });
  const axes = [
    y === undefined ? "" : `rows: ${shorten(y, 24)}`,
    x === undefined ? "" : `columns: ${shorten(x, 24)}`,
  ].filter((part) => part !== "");
  return [...(axes.length > 0 ? [axes.join(", ")] : []), ...head, rule, ...body];
}
