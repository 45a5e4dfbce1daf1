import { only } from "../core/boundary.ts";
import { Chart, type ChartOptions, heading, painted, sizeOf } from "./chart.ts";
import { entries, type Named, read } from "./read.ts";
import { type Scale, scaleOf } from "./scale.ts";
import { el, label, n } from "./svg.ts";
import { caption, cells, padEnd, padStart, pixels, short, shorten } from "./words.ts";

/** Options of {@link bars}. */
export interface BarsOptions extends Omit<ChartOptions, "height"> {
  /** Bars as long as the power of ten of their values above the smallest, so that 1e-12 and 1 share a picture. */
  log?: boolean;
  /** Where a bar of a log chart begins; a tenth of the smallest value unless given. */
  floor?: number;
  /** The name of the values. */
  x?: string;
}

const eighths = " ▏▎▍▌▋▊▉█";
/** A bar of `share` (0 to 1) of `width` cells, in steps of an eighth of a cell. */
function bar(share: number, width: number): string {
  const parts = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return "█".repeat(parts >> 3) + (parts & 7 ? eighths[parts & 7]! : "");
}

function scaleFor(values: Float64Array, { log = false, floor }: BarsOptions): Scale {
  if (!log) return scaleOf("bars", [0, ...values], {});
  const shown = scaleOf("bars", values, { log });
  return scaleOf("bars", [floor ?? shown.low / 10, shown.high], { log });
}

/**
 * A bar for each number, with its name before and its value behind it; none for NaN and, with `log`, for 0 and less. Throws
 * ERR_NABLA_TYPE for what are no numbers, ERR_NABLA_VALUE if there are none.
 *
 * matplotlib: `barh`.
 * @example
 * ```ts
 * import { bars } from "nabla/plot";
 * console.log(bars({ a: 4, b: 1 }).text({ width: 20 }).split("\n")[1]); // b ████ 1
 * ```
 */
export function bars(rows: Named<number>, options: BarsOptions = {}): Chart {
  only("bars", options, ["title", "width", "log", "floor", "x"]);
  const pairs = entries("bars", "bars", rows);
  const values = read(
    "bars",
    "values",
    pairs.map(([, value]) => value),
  );
  const [width] = sizeOf("bars", { ...options, height: 100 }, 640, 100);
  const [title, xLabel] = [options.title, options.x].map((text) => caption(text, width));
  const scale = scaleFor(values, options);
  const zero = options.log ? 0 : scale.at(0);
  const share = (value: number): number => (scale.shows(value) ? scale.at(value) : zero);
  const names = pairs.map(([name]) => name);
  const draw = () => {
    const [head, top] = heading(title, 16);
    const left = 16 + Math.min(Math.max(...names.map((name) => pixels(name, 12))), width / 3) + 10;
    const right = width - 24 - Math.max(...Array.from(values, (value) => pixels(short(value), 12)));
    const [line, size] = names.length > 12 ? [19, 13] : [26, 18];
    const parts = names.map((name, i) => {
      const y = top + i * line;
      const [from, to] = [zero, share(values[i]!)]
        .map((s) => left + Math.min(Math.max(s, 0), 1) * (right - left))
        .sort((a, b) => a - b);
      return [
        label(shorten(name, Math.floor(width / 3 / 7.5)), left - 8, y + size / 2 + 4, { "text-anchor": "end" }),
        el("rect", { class: "f0", x: from, y, width: to! - from!, height: size, rx: 1.5 }),
        label(short(values[i]!), Math.max(to!, left) + 6, y + size / 2 + 4, { class: "quiet" }),
      ].join("");
    });
    const bottom = top + names.length * line;
    const axis = el("path", { class: "axis", d: `M${n(left + zero * (right - left))} ${n(top - 4)}V${n(bottom)}` });
    const name =
      xLabel === undefined
        ? ""
        : label(shorten(xLabel, Math.floor((width - left - 16) / 7.5)), left, bottom + 16, { class: "quiet" });
    return { width, height: bottom + (name === "" ? 12 : 28), body: head + parts.join("") + axis + name };
  };
  return new Chart(title ?? "", draw, ({ width: wide, color }) => {
    const kept = names.map((name) => shorten(name, Math.floor(wide / 3)));
    const left = Math.max(...kept.map(cells));
    const written = Array.from(values, (value) => short(value));
    const room = Math.max(1, wide - left - 2 - Math.max(...written.map((text) => text.length)));
    const at = Math.round(zero * room);
    const rowsOf = kept.map((name, i) => {
      const own = share(values[i]!);
      const drawn =
        own >= zero
          ? " ".repeat(at) + bar(own - zero, room)
          : padStart("█".repeat(Math.max(0, at - Math.round(own * room))), at);
      return `${padStart(name, left)} ${painted(zero > 0 ? padEnd(drawn, room) : drawn, 0, color)} ${written[i]}`;
    });
    return xLabel === undefined ? rowsOf : [...rowsOf, `${" ".repeat(left + 1)}${shorten(xLabel, wide - left - 1)}`];
  });
}
