import { xml } from "./words.ts";

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** At most two digits behind the point: a hundredth of a pixel, the same text on every machine. */
export const n = (value: number): string => String(Math.round(value * 100) / 100 || 0);

/** An element; children are SVG already, attributes are escaped here. */
export function el(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? n(value) : xml(value)}"`);
  return children.length > 0
    ? `<${name}${written.join("")}>${children.join("")}</${name}>`
    : `<${name}${written.join("")}/>`;
}

/** Text at its baseline. */
export function label(text: string, x: number, y: number, attributes: Attributes = {}): string {
  return el("text", { x, y, ...attributes }, xml(text));
}

export type Theme = "auto" | "light" | "dark";

/** Ten colours that also those tell apart who see red and green alike; for light and for dark ground. */
const series = {
  light: ["#0067b1", "#c8500a", "#00825f", "#a8438a", "#8a6500", "#2b8cc4", "#5b5bd6", "#6e6e6e", "#c4162a", "#00969b"],
  dark: ["#5aaeff", "#ff9248", "#3ddc9f", "#f08bd0", "#e6c04a", "#8fd3ff", "#a9a8ff", "#b5b5b5", "#ff7b7b", "#54e3e3"],
};
export const seriesCount: number = series.light.length;
const ground = {
  light: { paper: "#ffffff", ink: "#1c2024", quiet: "#5a626b", grid: "#e3e6ea", on: "#ffffff" },
  dark: { paper: "#15181c", ink: "#e9ecef", quiet: "#a3abb4", grid: "#30363d", on: "#101214" },
};

/** The rules of one look, for elements below `scope`. */
function rules(look: "light" | "dark", scope: string): string {
  const { paper, ink, quiet, grid, on } = ground[look];
  const rule = (selector: string, body: string): string => `${scope} ${selector}{${body}}`;
  return [
    rule("text", `fill:${ink}`),
    rule(".quiet", `fill:${quiet}`),
    rule(".on", `fill:${on}`),
    rule(".paper", `fill:${paper}`),
    rule(".ink", `fill:${ink}`),
    rule(".pen", `stroke:${ink}`),
    rule(".grid", `stroke:${grid}`),
    rule(".axis", `stroke:${quiet}`),
    ...series[look].flatMap((color, i) => [rule(`.f${i}`, `fill:${color}`), rule(`.l${i}`, `stroke:${color}`)]),
  ].join("");
}

/** The whole document: its own ground is painted, so it can be read wherever it is shown; "auto" follows the reader's setting. */
export function page(width: number, height: number, title: string, theme: Theme, body: string): string {
  const scope = `.nabla-${theme}`;
  const media = `@media (prefers-color-scheme:dark){${rules("dark", scope)}}`;
  const style = theme === "auto" ? rules("light", scope) + media : rules(theme, scope);
  const root = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${n(width)} ${n(height)}`,
    class: `nabla-${theme}`,
    role: "img",
    "font-family": "system-ui, 'DejaVu Sans', 'Segoe UI', sans-serif",
    "font-size": 12,
  };
  const back = el("rect", { class: "paper", width, height });
  return `${el("svg", root, el("title", {}, xml(title)), el("style", {}, style), back, body)}\n`;
}
