import type { Scale } from "./scale.ts";
import { el, label, n, seriesCount } from "./svg.ts";
import { cells, pixels, shorten } from "./words.ts";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
export interface Axes {
  readonly x: Scale;
  readonly y: Scale;
  readonly xLabel?: string | undefined;
  readonly yLabel?: string | undefined;
}

const small = 12;
/** Room at the left for the numbers of the y axis and its name. */
export function leftOf({ y, yLabel }: Axes, height: number): number {
  const widest = Math.max(...y.ticks(height / 50).map(({ text }) => pixels(text, small)));
  return Math.ceil(widest + (yLabel === undefined ? 20 : 40));
}

/** Grid, numbers and names of both axes around a box. */
export function axes({ x, y, xLabel, yLabel }: Axes, { left, top, right, bottom }: Box): string {
  const [wide, high] = [right - left, bottom - top];
  const column = (value: number): number => left + x.at(value) * wide;
  const row = (value: number): number => bottom - y.at(value) * high;
  const down = { "text-anchor": "middle", class: "quiet" };
  const parts: string[] = [];
  const rows = y.ticks(high / 50);
  parts.push(
    el("path", { class: "grid", d: rows.map(({ value }) => `M${n(left)} ${n(row(value))}H${n(right)}`).join("") }),
  );
  for (const { value, text } of rows)
    parts.push(label(text, left - 8, row(value) + 4, { ...down, "text-anchor": "end" }));
  const columns = x.ticks(wide / 90);
  parts.push(
    el("path", {
      class: "axis",
      d: `M${n(left)} ${n(bottom)}H${n(right)}${columns.map(({ value }) => `M${n(column(value))} ${n(bottom)}v5`).join("")}`,
    }),
  );
  for (const { value, text } of columns) {
    // A number at the very end stays within the picture.
    const half = pixels(text, small) / 2;
    parts.push(label(text, Math.min(column(value), right + 14 - half), bottom + 19, down));
  }
  if (xLabel !== undefined) parts.push(label(xLabel, (left + right) / 2, bottom + 39, { "text-anchor": "middle" }));
  if (yLabel !== undefined) {
    const [cx, cy] = [16, (top + bottom) / 2];
    parts.push(label(yLabel, cx, cy, { "text-anchor": "middle", transform: `rotate(-90 ${n(cx)} ${n(cy)})` }));
  }
  return parts.join("");
}
/** Pixels below the box. */
export const below = (xLabel: string | undefined): number => (xLabel === undefined ? 32 : 52);

/** What is drawn in a box, cut off at its edges (with half a line's width of room). */
export function clipped({ left, top, right, bottom }: Box, body: string): string {
  const room = 4;
  const [x, y, width, height] = [left - room, top - room, right - left + 2 * room, bottom - top + 2 * room];
  return el("svg", { x, y, width, height, viewBox: [x, y, width, height].map(n).join(" "), overflow: "hidden" }, body);
}

/** Dashes tell the series apart that share a colour. */
export const dashes = (i: number, dashed = false): string | undefined =>
  dashed ? "2 4" : ([undefined, "7 3", "2 3", "9 3 2 3"] as const)[Math.floor(i / seriesCount) % 4];

/** Points of one colour are round, then square. */
export const cap = (i: number): string => (i % (2 * seriesCount) < seriesCount ? "round" : "square");

export interface Key {
  readonly name: string;
  readonly dashed?: boolean;
  readonly points?: boolean;
}
/** Names with their colours, in as many rows as they need, from `top` on; and where they end. */
export function legend(keys: readonly Key[], left: number, right: number, top: number): [svg: string, bottom: number] {
  if (keys.length === 0) return ["", top];
  let [x, y] = [left, top + 10];
  const parts = keys.map(({ name: whole, dashed, points }, i) => {
    const name = shorten(whole, Math.floor((right - left - 40) / (small * 0.62)));
    const room = 24 + pixels(name, small) + 16;
    if (x > left && x + room > right) [x, y] = [left, y + 18];
    const color = i % seriesCount;
    const mark = points
      ? el("path", { class: `l${color}`, d: `M${n(x + 9)} ${n(y - 4)}h0`, "stroke-width": 8, "stroke-linecap": cap(i) })
      : el("path", {
          class: `l${color}`,
          d: `M${n(x)} ${n(y - 4)}h18`,
          "stroke-width": 2.5,
          "stroke-dasharray": dashes(i, dashed),
        });
    const part = mark + label(name, x + 24, y);
    x += room;
    return part;
  });
  return [parts.join(""), y + 12];
}

export const marks = "*+ox#%@&s=";
/** Names with their marks, as lines of at most `width` cells. */
export function keysIn(names: readonly string[], mark: (i: number) => string, width: number): string[] {
  const lines: string[] = [];
  let [line, used] = ["", 0];
  for (const [i, name] of names.entries()) {
    const room = 2 + cells(name) + 3;
    if (used > 0 && used + room > width) {
      lines.push(line);
      [line, used] = ["", 0];
    }
    line += `${mark(i)} ${name}   `;
    used += room;
  }
  return used > 0 ? [...lines, line] : lines;
}
