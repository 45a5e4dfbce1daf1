import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { axes, type Box, below, cap, clipped, dashes, leftOf, legend } from "./axes.ts";
import { Chart, type ChartOptions, heading, sizeOf } from "./chart.ts";
import { type Point, pathOf } from "./path.ts";
import { entries, type Named, type Numbers, read } from "./read.ts";
import { type Range, type Scale, scaleOf } from "./scale.ts";
import { el, n, seriesCount } from "./svg.ts";
import { frame, type Trace } from "./terminal.ts";
import { caption } from "./words.ts";

/** One line of {@link lines}: heights, and where they stand; 0, 1, 2, ... unless given. */
export interface Line {
  readonly y: Numbers;
  readonly x?: Numbers;
  /** Only the points. */
  readonly points?: boolean;
  readonly dashed?: boolean;
}
/** Options of {@link lines}. */
export interface LinesOptions extends ChartOptions {
  /** Names of the axes. */
  x?: string;
  y?: string;
  /** Axes in powers of ten; what is not above 0 leaves a gap. */
  log?: "x" | "y" | "both";
  /** Each point becomes the mean of so many before it, itself included; what was measured stays behind it, faint. */
  smooth?: number;
  /** What of an axis is shown; all unless given. */
  xRange?: Range;
  yRange?: Range;
}

interface Curve extends Trace {
  readonly dashed: boolean;
  /** The means, if they are asked for. */
  readonly means: Float64Array | undefined;
}

function curveOf(name: string, from: Line | Numbers, smooth: number): Curve {
  const line = isLine(from) ? from : { y: from };
  const y = read("lines", `"${name}"`, line.y);
  const x = line.x === undefined ? Float64Array.from(y, (_, i) => i) : read("lines", `x of "${name}"`, line.x);
  if (x.length !== y.length)
    fail("ERR_NABLA_SHAPE", "lines", `"${name}" has ${x.length} places for ${y.length} heights`, {
      expected: y.length,
      actual: x.length,
    });
  const means = smooth > 1 && line.points !== true ? running(y, smooth) : undefined;
  return { name, x, y, points: line.points === true, dashed: line.dashed === true, means };
}
const isLine = (from: Line | Numbers): from is Line => typeof from === "object" && from !== null && "y" in from;

/** Means of the last `size` values that are finite. */
function running(y: Float64Array, size: number): Float64Array {
  return y.map((value, i) => {
    if (!Number.isFinite(value)) return value;
    const some = y.subarray(Math.max(0, i - size + 1), i + 1).filter(Number.isFinite);
    return some.reduce((sum, v) => sum + v / some.length, 0);
  });
}

type Place = (x: number, y: number) => Point;
/** A line, its means, its points; a cross where it goes on to what cannot be shown, such as NaN. */
function curve({ x, y, means, points, dashed }: Curve, i: number, place: Place, xs: Scale, ys: Scale): string {
  const color = i % seriesCount;
  const shown = (list: ArrayLike<number>) => (k: number) => xs.shows(x[k]!) && ys.shows(list[k]!);
  if (points) {
    const dots = Array.from(x, (_, k) => k)
      .filter(shown(y))
      .map((k) => place(x[k]!, y[k]!));
    const d = dots.map(([a, b]) => `M${n(a)} ${n(b)}h0`).join("");
    return el("path", {
      class: `l${color}`,
      d,
      fill: "none",
      "stroke-width": 5,
      "stroke-linecap": cap(i),
      "stroke-opacity": 0.75,
    });
  }
  const drawn = (list: ArrayLike<number>, width: number, opacity?: number): string =>
    el("path", {
      class: `l${color}`,
      d: pathOf(Array.from(x, (at, k) => (shown(list)(k) ? place(at, list[k]!) : null))),
      fill: "none",
      "stroke-width": width,
      "stroke-linejoin": "round",
      "stroke-linecap": "round",
      "stroke-dasharray": dashes(i, dashed),
      "stroke-opacity": opacity,
    });
  const parts = means ? [drawn(y, 1, 0.3), drawn(means, 2.2)] : [drawn(y, 2)];
  for (let k = 1; k < y.length; k++) {
    if (Number.isFinite(y[k]) || !shown(y)(k - 1)) continue;
    const [a, b] = place(x[k - 1]!, y[k - 1]!);
    parts.push(
      el("path", { class: `l${color}`, d: `M${n(a - 5)} ${n(b - 5)}l10 10m-10 0l10 -10`, "stroke-width": 2.2 }),
    );
  }
  return parts.join("");
}

/**
 * Curves in one frame with axes of round numbers: losses over steps, an accuracy, points and a function through them. Values that
 * cannot be shown (NaN, infinities; on a log axis also 0 and less) leave a gap, with a cross where a line breaks off. Throws
 * ERR_NABLA_TYPE for what are no numbers, ERR_NABLA_SHAPE for x and y of different lengths, ERR_NABLA_VALUE without a series or for
 * a range that is none.
 *
 * matplotlib: `plot`, `semilogy`.
 * @example
 * ```ts
 * import { lines } from "nabla/plot";
 * const chart = lines({ SGD: [2, 1, 0.5], Adam: [2, 0.4, 0.1] }, { title: "loss", x: "step", log: "y" });
 * console.log(chart.svg().includes("Adam"), chart.text().includes("Adam")); // true true
 * ```
 */
export function lines(series: Named<Line | Numbers>, options: LinesOptions = {}): Chart {
  const {
    smooth = 1,
    log,
    xRange,
    yRange,
  } = only("lines", options, ["title", "width", "height", "x", "y", "log", "smooth", "xRange", "yRange"]);
  if (!Number.isSafeInteger(smooth) || smooth < 1)
    fail("ERR_NABLA_VALUE", "lines", `smooth must be a whole number from 1, got ${smooth}`, { actual: smooth });
  const curves = entries("lines", "series", series).map(([name, from]) => curveOf(name, from, smooth));
  const both = (axis: "x" | "y"): boolean => log === axis || log === "both";
  function* values(axis: "x" | "y"): Generator<number> {
    for (const one of curves) yield* one[axis] as Float64Array;
  }
  const x = scaleOf("lines", values("x"), {
    log: both("x"),
    range: xRange,
    pad: curves.every((c) => c.points) ? 0.03 : 0,
  });
  const y = scaleOf("lines", values("y"), { log: both("y"), range: yRange, pad: 0.04 });
  return framed("lines", { x, y, curves }, options);
}

interface Framed {
  readonly x: Scale;
  readonly y: Scale;
  readonly curves: readonly Curve[];
}
/** The chart of curves in a frame. */
function framed(op: string, { x, y, curves }: Framed, options: LinesOptions): Chart {
  const [width, height] = sizeOf(op, options, 640, 360);
  const [title, xLabel, yLabel] = [options.title, options.x, options.y].map((text) => caption(text, width));
  const draw = () => {
    const left = leftOf({ x, y, yLabel }, height);
    const [head, top] = heading(title, 16);
    const keys = curves.length > 1 || curves[0]!.name !== "" ? curves : [];
    const [names, bottom] = legend(keys, 16, width - 16, top);
    const box: Box = {
      left,
      top: bottom + 6,
      right: width - 20,
      bottom: Math.max(height - below(xLabel), bottom + 60),
    };
    const place: Place = (a, b) => [
      limit(box.left + x.at(a) * (box.right - box.left)),
      limit(box.bottom - y.at(b) * (box.bottom - box.top)),
    ];
    const drawn = curves.map((one, i) => curve(one, i, place, x, y)).join("");
    const body = head + names + axes({ x, y, xLabel, yLabel }, box) + clipped(box, drawn);
    return { width, height: box.bottom + below(xLabel), body };
  };
  const traces = curves.map((one) => ({ ...one, y: one.means ?? one.y }));
  return new Chart(title ?? "", draw, (size) => frame({ x, y, xLabel, yLabel, traces }, size));
}
/** Far outside of the picture is near enough. */
const limit = (pixel: number): number => Math.min(Math.max(pixel, -1e4), 2e4);

/** Options of {@link scatter}. */
export interface ScatterOptions extends ChartOptions {
  x?: string;
  y?: string;
}
/**
 * Points in the plane, one colour for each name. Throws as {@link lines} does.
 *
 * matplotlib: `scatter`.
 * @example
 * ```ts
 * import { scatter } from "nabla/plot";
 * console.log(scatter({ here: { x: [0, 1], y: [1, 0] } }).text({ width: 20, height: 4 }).includes("here")); // true
 * ```
 */
export function scatter(
  groups: Named<{ readonly x: Numbers; readonly y: Numbers }>,
  options: ScatterOptions = {},
): Chart {
  only("scatter", options, ["title", "width", "height", "x", "y"]);
  const pairs = entries("scatter", "groups", groups).map(([name, { x, y }]) => [name, { x, y, points: true }] as const);
  return lines(pairs, { height: 480, width: 560, ...options });
}
