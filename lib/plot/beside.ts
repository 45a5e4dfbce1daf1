import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { Chart, heading } from "./chart.ts";
import { el } from "./svg.ts";
import { caption, pixels } from "./words.ts";

/** Options of {@link beside}. */
export interface BesideOptions {
  title?: string;
  /** Charts in a row; all unless given. */
  columns?: number;
}
/**
 * Charts in one picture, in rows of `columns`; in a terminal one below the other. Throws ERR_NABLA_VALUE without charts.
 *
 * matplotlib: `subplots`.
 * @example
 * ```ts
 * import { bars, beside } from "nabla/plot";
 * console.log(beside([bars({ a: 1 }), bars({ b: 2 })]).drawing().width); // 1280
 * ```
 */
export function beside(charts: readonly Chart[], options: BesideOptions = {}): Chart {
  const { title, columns = charts.length } = only("beside", options, ["title", "columns"]);
  if (
    charts.length === 0 ||
    !charts.every((chart) => chart instanceof Chart) ||
    !Number.isSafeInteger(columns) ||
    columns < 1
  )
    fail("ERR_NABLA_VALUE", "beside", "needs charts, and columns from 1", {
      actual: { charts: charts.length, columns },
    });
  const name = caption(title);
  const draw = () => {
    const [head, top] = name === undefined ? ["", 0] : heading(name, 16);
    let [x, y, line, width] = [0, top, 0, 32 + pixels(name ?? "", 15)];
    const parts = charts.map((chart, i) => {
      if (i > 0 && i % columns === 0) [x, y, line] = [0, y + line, 0];
      const drawing = chart.drawing();
      const part = el("g", { transform: `translate(${x} ${y})` }, drawing.body);
      x += Math.ceil(drawing.width);
      line = Math.max(line, Math.ceil(drawing.height));
      width = Math.max(width, x);
      return part;
    });
    return { width, height: y + line, body: head + parts.join("") };
  };
  return new Chart(name ?? "", draw, (size) =>
    charts.flatMap((chart, i) => [...(i > 0 ? [""] : []), ...chart.text(size).split("\n")]),
  );
}
