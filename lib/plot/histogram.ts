import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { below } from "./axes.ts";
import { Chart, type ChartOptions, heading, painted, sizeOf } from "./chart.ts";
import { entries, type Named, type Numbers, read } from "./read.ts";
import { type Range, type Scale, scaleOf } from "./scale.ts";
import { el, label, n } from "./svg.ts";
import { caption, cells, padStart, pixels, short, shorten } from "./words.ts";

/** Options of {@link histogram}. */
export interface HistogramOptions extends Omit<ChartOptions, "height"> {
  /** Intervals; 48 unless given. */
  bins?: number;
  /** Sizes |x| in powers of ten: gradients from 1e-12 to 1 in one picture. Zeros are counted beside it. */
  log?: boolean;
  range?: Range;
  /** The name of the axis. */
  x?: string;
}

interface Row {
  readonly name: string;
  readonly counts: Float64Array;
  /** What is said of it at the right. */
  readonly note: string;
}

function rowOf(name: string, values: Float64Array, scale: Scale, bins: number): Row {
  const counts = new Float64Array(bins);
  let [shown, sum, squares, zeros, lost] = [0, 0, 0, 0, 0];
  for (const signed of values) {
    const value = scale.log ? Math.abs(signed) : signed;
    if (scale.log && value === 0) zeros++;
    else if (!scale.shows(value)) lost++;
    else {
      const bin = Math.floor(scale.at(value) * bins);
      if (bin >= 0 && bin <= bins) counts[Math.min(bin, bins - 1)]! += 1;
      shown++;
      sum += signed;
      squares += signed * signed;
    }
  }
  const mean = sum / shown;
  const deviation = Math.sqrt(Math.max(0, squares / shown - mean * mean));
  const size = scale.log ? `rms ${short(Math.sqrt(squares / shown), 2)}` : `${short(mean, 2)} ± ${short(deviation, 2)}`;
  const notes = [shown > 0 ? size : "no value", zeros > 0 ? `${zeros} zero` : "", lost > 0 ? `${lost} not finite` : ""];
  return { name, counts, note: notes.filter((text) => text !== "").join(", ") };
}

/**
 * One histogram below the other on a shared axis, each with its own height: activations or gradients, layer by layer, with mean ±
 * deviation (with `log`, the root mean square). NaN and infinities are counted beside it. Throws ERR_NABLA_TYPE for what are
 * no numbers, ERR_NABLA_VALUE without any, for bins not from 2 to 1000, for a range that is none.
 *
 * matplotlib: `hist`, one for each layer.
 * @example
 * ```ts
 * import { randn } from "nabla";
 * import { histogram } from "nabla/plot";
 * console.log(histogram({ weights: randn(1000) }).svg().includes("weights")); // true
 * ```
 */
export function histogram(sets: Named<Numbers>, options: HistogramOptions = {}): Chart {
  const { bins = 48, log = false, range } = only("histogram", options, ["title", "width", "bins", "log", "range", "x"]);
  if (!Number.isInteger(bins) || bins < 2 || bins > 1000)
    fail("ERR_NABLA_VALUE", "histogram", `bins must be a whole number from 2 to 1000, got ${bins}`, { actual: bins });
  const pairs = entries("histogram", "sets", sets).map(
    ([name, from]) => [name, read("histogram", `"${name}"`, from)] as const,
  );
  function* all(): Generator<number> {
    for (const [, values] of pairs) for (const value of values) yield log ? Math.abs(value) : value;
  }
  const scale = scaleOf("histogram", all(), { log, range });
  const rows = pairs.map(([name, values]) => rowOf(name, values, scale, bins));
  const [width] = sizeOf("histogram", { ...options, height: 100 }, 640, 100);
  const [title, xLabel] = [options.title, options.x].map((text) => caption(text, width));
  const draw = () => {
    const [head, top] = heading(title, 16);
    const left = 16 + Math.min(Math.max(...rows.map(({ name }) => pixels(name, 12))), width / 4) + 10;
    const right = width - 20 - Math.max(...rows.map(({ note }) => pixels(note, 11)));
    const line = rows.length > 8 ? 30 : 48;
    const bottom = top + rows.length * line;
    const parts = rows.map(({ name, counts, note }, i) => {
      const base = top + (i + 1) * line;
      const most = Math.max(1, ...counts);
      const step = (right - left) / bins;
      const steps = Array.from(counts, (count) => `V${n(base - (count / most) * (line - 8))}h${n(step)}`).join("");
      return [
        label(shorten(name, Math.floor(width / 4 / 7.5)), left - 8, base - 3, { "text-anchor": "end" }),
        el("path", { class: "f0", d: `M${n(left)} ${n(base)}${steps}V${n(base)}Z`, "fill-opacity": 0.85 }),
        el("path", { class: "grid", d: `M${n(left)} ${n(base)}H${n(right)}` }),
        label(note, right + 8, base - 3, { class: "quiet", "font-size": 11 }),
      ].join("");
    });
    const ticks = scale.ticks((right - left) / 80).map(({ value, text }) => {
      const x = left + scale.at(value) * (right - left);
      return (
        el("path", { class: "axis", d: `M${n(x)} ${n(bottom)}v5` }) +
        label(text, x, bottom + 19, { "text-anchor": "middle", class: "quiet" })
      );
    });
    if (xLabel !== undefined) ticks.push(label(xLabel, (left + right) / 2, bottom + 39, { "text-anchor": "middle" }));
    return { width, height: bottom + below(xLabel), body: head + parts.join("") + ticks.join("") };
  };
  return new Chart(title ?? "", draw, ({ width: wide, color }) => written(rows, scale, xLabel, wide, color));
}

const levels = " ▁▂▃▄▅▆▇█";
function written(
  rows: readonly Row[],
  scale: Scale,
  xLabel: string | undefined,
  width: number,
  color: boolean,
): string[] {
  const names = rows.map(({ name }) => shorten(name, Math.floor(width / 4)));
  const left = Math.max(...names.map(cells));
  const room = Math.max(4, width - left - 2 - Math.max(...rows.map(({ note }) => cells(note))));
  const lines = rows.map(({ counts, note }, i) => {
    const columns = new Float64Array(Math.min(room, counts.length));
    for (const [bin, count] of counts.entries()) columns[Math.floor((bin * columns.length) / counts.length)]! += count;
    const most = Math.max(1, ...columns);
    const drawn = Array.from(
      columns,
      (count) => levels[count === 0 ? 0 : Math.max(1, Math.round((count / most) * 8))],
    ).join("");
    return `${padStart(names[i]!, left)} ${painted(drawn, 0, color)} ${note}`;
  });
  const span = Math.min(room, rows[0]!.counts.length);
  const [low, high] = [short(scale.low, 2), short(scale.high, 2)];
  const axis = `${" ".repeat(left + 1)}${low}${padStart(high, Math.max(high.length + 1, span - low.length))}`;
  return [...lines, xLabel === undefined ? axis : `${axis}  ${xLabel}`];
}
