import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { label, page, type Theme } from "./svg.ts";
import { clean } from "./words.ts";

/** Elements of SVG in a box. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}
/** Options of {@link Chart.svg}. */
export interface SvgOptions {
  /** Colours for light or dark ground; "auto", which it is unless given, follows the reader's setting. */
  theme?: Theme;
}
/** Options of {@link Chart.text}. */
export interface TextOptions {
  /** Columns of the terminal; 80 unless given. */
  width?: number;
  /** Lines of a frame with axes; 16 unless given. */
  height?: number;
  /** Colours by ANSI codes; none unless given. */
  color?: boolean;
}
/** What all charts take. */
export interface ChartOptions {
  title?: string;
  /** In pixels. */
  width?: number;
  height?: number;
}

/** The size of a chart, checked. */
export function sizeOf(op: string, { width, height }: ChartOptions, wide: number, high: number): [number, number] {
  const sides = { width: width ?? wide, height: height ?? high };
  for (const [name, x] of Object.entries(sides))
    if (!(x >= 100 && x <= 10_000))
      fail("ERR_NABLA_VALUE", op, `${name} must be from 100 to 10,000 pixels, got ${x}`, { actual: x });
  return [sides.width, sides.height];
}

/** A title of 15 pixels, and where what is below it begins. */
export function heading(title: string | undefined, left: number): [svg: string, top: number] {
  if (title === undefined) return ["", 12];
  return [label(title, left, 24, { "font-size": 15, "font-weight": 600 }), 38];
}

/** A picture of numbers, as SVG or as lines of a terminal. The same input gives the same text. */
export class Chart {
  readonly title: string;
  readonly #draw: () => Drawing;
  readonly #write: (options: Required<TextOptions>) => string[];

  constructor(title: string, draw: () => Drawing, write: (options: Required<TextOptions>) => string[]) {
    this.title = title;
    this.#draw = draw;
    this.#write = write;
  }

  /** Without the document around it, to be put beside others. */
  drawing(): Drawing {
    return this.#draw();
  }

  /**
   * A whole SVG document. Its ground is painted, so it can be read on a light and on a dark page.
   * @example
   * ```ts
   * import { lines } from "nabla/plot";
   * console.log(lines({ loss: [3, 2, 1] }).svg().slice(0, 4)); // <svg
   * ```
   */
  svg(options: SvgOptions = {}): string {
    const { theme = "auto" } = only("svg", options, ["theme"]);
    if (theme !== "auto" && theme !== "light" && theme !== "dark")
      fail("ERR_NABLA_VALUE", "svg", `theme must be auto, light or dark, got ${clean(theme)}`, { actual: theme });
    const { width, height, body } = this.#draw();
    return page(width, height, this.title, theme, body);
  }

  /**
   * The chart for a terminal, lines ended by "\n" but the last.
   * @example
   * ```ts
   * import { bars } from "nabla/plot";
   * console.log(bars({ a: 2, b: 1 }).text({ width: 20 }).split("\n").length); // 2
   * ```
   */
  text(options: TextOptions = {}): string {
    const { width = 80, height = 16, color = false } = only("text", options, ["width", "height", "color"]);
    for (const [name, x, low] of [["width", width, 20] as const, ["height", height, 4] as const])
      if (!Number.isInteger(x) || x < low || x > 1000)
        fail("ERR_NABLA_VALUE", "text", `${name} must be a whole number from ${low} to 1000, got ${x}`, { actual: x });
    const lines = this.#write({ width, height, color });
    const trimmed = color ? lines : lines.map((line) => line.trimEnd());
    return (this.title === "" ? trimmed : [this.title, ...trimmed]).join("\n");
  }
}

const ansi = [33, 208, 36, 170, 178, 117, 105, 245, 203, 80];
/** A text in the colour of series i. */
export const painted = (text: string, i: number, color: boolean): string =>
  color ? `\x1b[38;5;${ansi[i % ansi.length]}m${text}\x1b[39m` : text;
