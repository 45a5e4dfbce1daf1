import { keysIn, marks } from "./axes.ts";
import { painted, type TextOptions } from "./chart.ts";
import type { Scale } from "./scale.ts";
import { padEnd, padStart, shorten } from "./words.ts";

/** What is drawn into a frame of cells: points in order, joined by a line unless they are points. */
export interface Trace {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly points: boolean;
}

interface Cells {
  readonly width: number;
  readonly height: number;
  put(column: number, row: number, mark: string, series: number): void;
  dot(column: number, row: number, series: number): void;
  rows(color: boolean): string[];
}
/** A field of cells that hold a mark, or up to 2 x 4 dots of one colour. */
function field(width: number, height: number): Cells {
  const letters = new Array<string>(width * height).fill(" ");
  const dots = new Uint8Array(width * height);
  const owner = new Int16Array(width * height);
  const bit = [1, 8, 2, 16, 4, 32, 64, 128];
  const inside = (column: number, row: number, w: number, h: number): boolean =>
    column >= 0 && row >= 0 && column < w && row < h;
  return {
    width,
    height,
    put(column, row, mark, series) {
      if (!inside(column, row, width, height)) return;
      letters[row * width + column] = mark;
      owner[row * width + column] = series;
    },
    dot(column, row, series) {
      if (!inside(column, row, 2 * width, 4 * height)) return;
      const cell = (row >> 2) * width + (column >> 1);
      dots[cell]! |= bit[(row & 3) * 2 + (column & 1)]!;
      owner[cell] = series;
    },
    rows: (color) =>
      Array.from({ length: height }, (_, row) =>
        Array.from({ length: width }, (_, column) => {
          const cell = row * width + column;
          const mark = dots[cell] ? String.fromCharCode(0x2800 + dots[cell]) : letters[cell]!;
          return mark === " " ? mark : painted(mark, owner[cell]!, color);
        }).join(""),
      ),
  };
}

/** Fine dots from point to point; a value that cannot be shown leaves a gap. */
function stroke(cells: Cells, { x, y }: Trace, series: number, xs: Scale, ys: Scale): void {
  const [wide, high] = [2 * cells.width - 1, 4 * cells.height - 1];
  let last: [number, number] | undefined;
  for (let i = 0; i < y.length; i++) {
    if (!xs.shows(x[i]!) || !ys.shows(y[i]!)) {
      last = undefined;
      continue;
    }
    const limit = (share: number): number => Math.min(Math.max(share, -1), 2);
    const [a, b] = [limit(xs.at(x[i]!)) * wide, (1 - limit(ys.at(y[i]!))) * high];
    const [a0, b0] = last ?? [a, b];
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(a - a0), Math.abs(b - b0))));
    for (let step = 0; step <= steps; step++)
      cells.dot(Math.round(a0 + ((a - a0) * step) / steps), Math.round(b0 + ((b - b0) * step) / steps), series);
    last = [a, b];
  }
}
/** One mark at each point, or, of a line, in each column at the mean of what lies in it or is passed there. */
function sprinkle(cells: Cells, { x, y, points }: Trace, series: number, xs: Scale, ys: Scale): void {
  const mark = marks[series % marks.length]!;
  const row = (value: number): number => Math.round((1 - ys.at(value)) * (cells.height - 1));
  const sums = new Float64Array(cells.width);
  const counts = new Float64Array(cells.width);
  for (let i = 0; i < y.length; i++) {
    if (!xs.shows(x[i]!) || !ys.shows(y[i]!)) continue;
    const column = Math.round(xs.at(x[i]!) * (cells.width - 1));
    if (points) cells.put(column, row(y[i]!), mark, series);
    else if (column >= 0 && column < cells.width) {
      sums[column]! += ys.at(y[i]!);
      counts[column]! += 1;
    }
  }
  if (points) return;
  let last = -1;
  for (let column = 0; column < cells.width; column++) {
    if (counts[column] === 0) continue;
    const at = (c: number): number => sums[c]! / counts[c]!;
    for (let c = last < 0 ? column : last + 1; c <= column; c++) {
      const share = last < 0 ? at(column) : at(last) + ((at(column) - at(last)) * (c - last)) / (column - last);
      cells.put(c, Math.round((1 - share) * (cells.height - 1)), mark, series);
    }
    last = column;
  }
}

export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly xLabel?: string | undefined;
  readonly yLabel?: string | undefined;
  readonly traces: readonly Trace[];
}
/** A frame with axes. One line is drawn in fine dots; several without colour are told apart by their marks. */
export function frame(
  { x, y, xLabel, yLabel, traces }: Frame,
  { width, height, color }: Required<TextOptions>,
): string[] {
  const ticks = y.ticks(height / 4);
  const margin = Math.min(Math.max(...ticks.map(({ text }) => text.length)), 12);
  const cells = field(Math.max(4, width - margin - 2), height);
  const plain = traces.length > 1 && !color;
  for (const [i, trace] of traces.entries()) (plain || trace.points ? sprinkle : stroke)(cells, trace, i, x, y);
  const names = new Map(ticks.map(({ value, text }) => [Math.round((1 - y.at(value)) * (height - 1)), text]));
  const field_ = cells.rows(color);
  const rows = field_.map((row, i) => `${padStart(names.get(i) ?? "", margin)} ${names.has(i) ? "┤" : "│"}${row}`);
  const mark = (i: number): string => painted(plain || traces[i]!.points ? marks[i % marks.length]! : "─", i, color);
  const named = traces.some(({ name }) => name !== "") && (traces.length > 1 || traces[0]!.name !== "");
  const keys = named
    ? keysIn(
        traces.map(({ name }) => shorten(name, width - 4)),
        mark,
        width,
      )
    : [];
  const axis = `${" ".repeat(margin + 1)}└${"─".repeat(cells.width)}`;
  return [
    ...keys,
    ...(yLabel === undefined ? [] : [yLabel]),
    ...rows,
    axis,
    ...columnNames(x, xLabel, cells.width, margin + 2),
  ];
}
/** Numbers below the axis where they belong, as far as there is room, and its name. */
function columnNames(x: Scale, name: string | undefined, width: number, left: number): string[] {
  let line = "";
  for (const { value, text } of x.ticks(width / 14)) {
    const from = Math.round(x.at(value) * (width - 1)) - Math.floor(text.length / 2);
    const start = Math.min(Math.max(from, 0), width - text.length);
    if (line === "" || start > line.length + 1) line = padEnd(line, start) + text;
  }
  const numbers = " ".repeat(left) + line;
  if (name === undefined) return [numbers];
  return [numbers, " ".repeat(left + Math.max(0, Math.floor((width - name.length) / 2))) + name];
}
