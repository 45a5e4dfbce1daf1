import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Chart, type ChartOptions, heading } from "./chart.ts";
import { grid, type Shaped } from "./read.ts";
import type { Range } from "./scale.ts";
import { el, label, n } from "./svg.ts";
import { caption, cells, clean, padEnd, pixels, shorten } from "./words.ts";

/** What a number is drawn as: ink on the page's own ground, black to white, dark to bright in colours, or two colours for two signs. */
export type Colors = "ink" | "gray" | "heat" | "signed";

/** Options of {@link images}. */
export interface ImagesOptions extends Pick<ChartOptions, "title"> {
  /** Pictures in a row; as many as fit in 640 pixels unless given. */
  columns?: number;
  /** Words below each picture. */
  labels?: readonly string[];
  /** Screen pixels for each pixel, whole; chosen by size unless given. */
  scale?: number;
  /** "ink" unless given; pictures of three channels have colours of their own. */
  colors?: Colors;
  /** The numbers of no ink and full ink: 0 and 255 of u8, else the least and largest there are, unless given. */
  range?: Range;
  /** Each picture by its own least and largest. */
  each?: boolean;
}
const imagesNames = ["title", "columns", "labels", "scale", "colors", "range", "each"] as const;

interface Picture {
  readonly rows: number;
  readonly columns: number;
  /** 1, or 3 for red, green and blue. */
  readonly channels: number;
  /** 0 to 1 (signed: -1 to 1), channel by channel. */
  readonly values: Float64Array;
}

const steps = 32;
const heat = [
  [13, 18, 48],
  [72, 31, 112],
  [176, 50, 92],
  [240, 122, 54],
  [252, 236, 164],
] as const;
const byte = (share: number): number => Math.round(255 * share);
function heated(share: number): readonly [number, number, number] {
  const at = Math.min(share * (heat.length - 1), heat.length - 1.000001);
  const [low, high] = [heat[Math.floor(at)]!, heat[Math.floor(at) + 1]!];
  return [0, 1, 2].map((i) => Math.round(low[i]! + (high[i]! - low[i]!) * (at % 1))) as [number, number, number];
}
/** A colour as the attributes of a line, or null for none; equal colours are drawn as one path. */
function colorOf({ rows, columns, channels, values }: Picture, colors: Colors, at: number): string | null {
  const value = Math.round(values[at]! * steps) / steps;
  if (channels === 3) {
    const part = (channel: number): number => byte(Math.round(values[channel * rows * columns + at]! * 31) / 31);
    return `stroke="#${[0, 1, 2].map((c) => part(c).toString(16).padStart(2, "0")).join("")}"`;
  }
  if (Number.isNaN(value)) return null;
  if (colors === "gray") return `stroke="#${byte(value).toString(16).padStart(2, "0").repeat(3)}"`;
  if (colors === "heat")
    return `stroke="#${heated(value)
      .map((c) => c.toString(16).padStart(2, "0"))
      .join("")}"`;
  if (value === 0) return null;
  return `class="${colors === "ink" ? "pen" : value > 0 ? "l0" : "l1"}" stroke-opacity="${n(Math.abs(value))}"`;
}
/** Runs of equal colour along the rows, one path for each colour. */
function paint(picture: Picture, colors: Colors): string {
  const paths = new Map<string, string>();
  for (let y = 0; y < picture.rows; y++) {
    for (let x = 0; x < picture.columns; ) {
      const color = colorOf(picture, colors, y * picture.columns + x);
      let end = x + 1;
      while (end < picture.columns && colorOf(picture, colors, y * picture.columns + end) === color) end++;
      if (color !== null) paths.set(color, `${paths.get(color) ?? ""}M${x} ${y + 0.5}h${end - x}`);
      x = end;
    }
  }
  return [...paths].map(([color, d]) => `<path ${color} d="${d}"/>`).join("");
}

function least(values: Iterable<number>): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}
/** Numbers as shares of a range; with signs, of the largest size. */
function shares(values: Float64Array, [low, high]: Range, signed: boolean): Float64Array {
  if (signed) {
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    return values.map((value) => Math.min(1, Math.max(-1, value / most)));
  }
  const span = high - low || 1;
  return values.map((value) => Math.min(1, Math.max(0, (value - low) / span)));
}

const bytes = (from: Shaped): boolean =>
  from instanceof Tensor
    ? from.dtype === ("u8" as string)
    : from.data instanceof Uint8Array || from.data instanceof Uint8ClampedArray;

function picturesOf(op: string, from: Shaped, { range, each = false, colors = "ink" }: ImagesOptions): Picture[] {
  const { shape, data } = grid(op, "pictures", from, [2, 3, 4]);
  const [count, channels] = shape.length === 4 ? [shape[0]!, shape[1]!] : [shape.length === 3 ? shape[0]! : 1, 1];
  const [rows, columns] = shape.slice(-2) as [number, number];
  if (channels !== 1 && channels !== 3)
    fail("ERR_NABLA_SHAPE", op, `pictures [count, channels, rows, columns] have 1 or 3 channels, got ${channels}`, {
      expected: [1, 3],
      actual: shape,
    });
  if (data.length > 2e6 || count > 2000)
    fail("ERR_NABLA_VALUE", op, `${count} pictures of ${rows} x ${columns} are too much for one chart`, {
      actual: shape,
      hint: "take some of them: x.slice(0, 0, 100)",
    });
  if (range !== undefined && !(range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]))
    fail("ERR_NABLA_VALUE", op, `a range must be two finite numbers, low first, got ${range.join(", ")}`, {
      actual: range,
    });
  const size = rows * columns * channels;
  const all = range ?? (bytes(from) ? [0, 255] : least(data));
  return Array.from({ length: count }, (_, i) => {
    const own = data.subarray(i * size, (i + 1) * size);
    const [low, high] = each ? least(own) : all;
    // What is 0 stays dark: activations begin there.
    const from = each && colors === "heat" ? Math.min(0, low) : low;
    return { rows, columns, channels, values: shares(own, [from, high], colors === "signed") };
  });
}

/**
 * Pictures in a grid. `pictures` is [rows, columns], [count, rows, columns] or [count, channels, rows, columns] with 1 or 3 channels;
 * a tensor, or { shape, data } as {@link digits} gives. In a terminal each cell has two pixels, above each other. Throws
 * ERR_NABLA_SHAPE for other shapes or labels that do not fit, ERR_NABLA_VALUE for more than 2,000 pictures or 2 million numbers.
 *
 * torchvision: `make_grid`.
 * @example
 * ```ts
 * import { digits } from "nabla";
 * import { images } from "nabla/plot";
 * console.log(images(digits(20).images, { columns: 10 }).svg().length > 1000); // true
 * ```
 */
export function images(pictures: Shaped, options: ImagesOptions = {}): Chart {
  only("images", options, imagesNames);
  return gallery("images", picturesOf("images", pictures, options), options);
}

/**
 * What the filters of a layer look for: weights [out, in, rows, columns], one picture for each `out` (with three `in` in colours, else
 * with one row of pictures for each `out`). Positive and negative weights have a colour each, full at the filter's largest. A linear
 * layer's weight is shown as pictures by reshape(out, 1, rows, columns). Throws as {@link images} does.
 * @example
 * ```ts
 * import { Conv2d } from "nabla";
 * import { filters } from "nabla/plot";
 * console.log(filters(new Conv2d(1, 8, 3).weight).text().split("\n").length); // 2
 * ```
 */
export function filters(weights: Shaped, options: ImagesOptions = {}): Chart {
  only("filters", options, imagesNames);
  const { shape, data } = grid("filters", "weights", weights, [4]);
  const [out, ins, rows, columns] = shape as [number, number, number, number];
  const rgb = ins === 3;
  const flat = { shape: rgb ? shape : [out * ins, 1, rows, columns], data };
  const look: ImagesOptions = { colors: "signed", each: true, ...(ins > 1 && !rgb && { columns: ins }), ...options };
  return gallery("filters", picturesOf("filters", flat, look), look);
}

/**
 * What each channel of a layer sees in one picture: activations [channels, rows, columns], dark to bright, each by its own largest.
 * Throws as {@link images} does.
 * @example
 * ```ts
 * import { Conv2d, rand } from "nabla";
 * import { featureMaps } from "nabla/plot";
 * const maps = new Conv2d(1, 8, 3).forward(rand(1, 1, 28, 28)).relu().select(0, 0);
 * console.log(featureMaps(maps).svg().includes("path")); // true
 * ```
 */
export function featureMaps(activations: Shaped, options: ImagesOptions = {}): Chart {
  only("featureMaps", options, imagesNames);
  const look: ImagesOptions = { colors: "heat", each: true, ...options };
  return gallery("featureMaps", picturesOf("featureMaps", activations, look), look);
}

function gallery(op: string, pictures: readonly Picture[], options: ImagesOptions): Chart {
  const { rows, columns: wide } = pictures[0]!;
  const { colors = "ink" } = options;
  const scale = options.scale ?? Math.max(1, Math.min(10, Math.floor(56 / Math.max(rows, wide))));
  const across = options.columns ?? Math.max(1, Math.min(pictures.length, Math.floor(616 / (wide * scale + 8))));
  for (const [name, x] of Object.entries({ scale, columns: across }))
    if (!Number.isSafeInteger(x) || x < 1 || x > 2000)
      fail("ERR_NABLA_VALUE", op, `${name} must be a whole number from 1 to 2000, got ${x}`, { actual: x });
  const labels = options.labels?.map(clean);
  if (labels && labels.length !== pictures.length)
    fail("ERR_NABLA_SHAPE", op, `${labels.length} labels for ${pictures.length} pictures`, {
      expected: pictures.length,
      actual: labels.length,
    });
  const title = caption(options.title);
  const draw = () => {
    const [head, top] = heading(title, 12);
    // Words may be wider than their picture, up to 90 pixels.
    const words = Math.max(0, ...(labels ?? []).map((text) => pixels(text, 11)));
    const cell = Math.ceil(Math.max(wide * scale, Math.min(words, 90))) + 8;
    const line = rows * scale + (labels ? 24 : 8);
    const parts = pictures.map((picture, i) => {
      const [x, y] = [12 + (i % across) * cell, top + Math.floor(i / across) * line];
      const name = labels
        ? label(shorten(labels[i]!, Math.floor((cell - 4) / 6.8)), x, y + rows * scale + 13, {
            "font-size": 11,
            class: "quiet",
          })
        : "";
      const frame = el("rect", {
        class: "grid",
        fill: "none",
        x: x - 0.5,
        y: y - 0.5,
        width: wide * scale + 1,
        height: rows * scale + 1,
      });
      return frame + el("g", { transform: `translate(${x} ${y}) scale(${scale})` }, paint(picture, colors)) + name;
    });
    const width = Math.max(16 + across * cell, 32 + pixels(title ?? "", 15));
    const body = el("g", { "shape-rendering": "crispEdges" }, ...parts);
    return { width, height: top + Math.ceil(pictures.length / across) * line + 6, body: head + body };
  };
  return new Chart(title ?? "", draw, ({ width, color }) => {
    const fit = Math.max(1, Math.min(options.columns ?? across, Math.floor((width + 2) / (wide + 2))));
    return written(pictures, labels, fit, colors, color);
  });
}

/** Half blocks: without colour, ink where a value is above 0.4; with it, two shades of grey in a cell. */
function halves({ rows, columns, values }: Picture, colors: Colors, color: boolean): string[] {
  const value = (y: number, x: number): number => (y < rows ? values[y * columns + x]! || 0 : 0);
  const gray = (share: number): number => 232 + Math.round(Math.min(1, Math.max(0, share)) * 23);
  const of = (share: number): number => (colors === "signed" ? (share + 1) / 2 : share);
  return Array.from({ length: Math.ceil(rows / 2) }, (_, y) =>
    Array.from({ length: columns }, (_, x) => {
      const [upper, lower] = [value(2 * y, x), value(2 * y + 1, x)];
      if (color) return `\x1b[38;5;${gray(of(upper))};48;5;${gray(of(lower))}m▀\x1b[0m`;
      return " ▀▄█"[(upper > 0.4 ? 1 : 0) + (lower > 0.4 ? 2 : 0)]!;
    }).join(""),
  );
}
function written(
  pictures: readonly Picture[],
  labels: readonly string[] | undefined,
  across: number,
  colors: Colors,
  color: boolean,
): string[] {
  const wide = pictures[0]!.columns;
  const lines: string[] = [];
  for (let from = 0; from < pictures.length; from += across) {
    const some = pictures.slice(from, from + across).map((picture) => halves(picture, colors, color));
    if (labels) {
      const names = labels.slice(from, from + across).map((text) => shorten(text, wide));
      lines.push(names.map((text) => padEnd(text, Math.max(wide, cells(text)))).join("  "));
    }
    for (let y = 0; y < some[0]!.length; y++) lines.push(some.map((picture) => picture[y]!).join("  "));
    if (from + across < pictures.length && !labels) lines.push("");
  }
  return lines;
}
