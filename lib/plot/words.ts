// Words in pictures: what may stand in SVG and in a terminal, and how wide it is.

/** Control characters (a terminal would obey them), marks that turn the direction of a line, halves of surrogate pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]/gu;
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;

/** One line that neither XML nor a terminal takes for more than text. */
export const clean = (text: unknown): string =>
  String(text)
    .replace(/[\t\r\n]+/g, " ")
    .replace(unsafe, "\ufffd");

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const xml = (text: unknown): string => clean(text).replace(/[&<>"']/g, (mark) => entities[mark]!);

/** Cells of a terminal: two for an ideograph or an emoji. */
export function cells(text: string): number {
  let count = 0;
  for (const letter of text) count += wide.test(letter) ? 2 : 1;
  return count;
}
export const padEnd = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - cells(text)));
export const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - cells(text))) + text;

/** The text, or its beginning with an ellipsis. */
export function shorten(text: string, width: number): string {
  if (cells(text) <= width) return text;
  let kept = "";
  for (const letter of text) {
    if (cells(kept + letter) >= width) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** A title or the name of an axis, as far as it fits into a picture of so many pixels. */
export const caption = (text: string | undefined, width = 640): string | undefined =>
  text === undefined ? undefined : shorten(clean(text), Math.floor((width - 32) / 9.3));

/** Letters of the sans-serif fonts in use are 0.62 of their size wide, seldom more. */
export const pixels = (text: string, size: number): number => cells(text) * size * 0.62;

/** 1,234,567 or 0.00123 or 1.2e-9: `digits` that count, and all in front of the point. */
export function short(value: number, digits = 3): string {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "∞");
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7)
    return value
      .toExponential(Math.max(0, digits - 2))
      .replace(/\.0+e/, "e")
      .replace("e+", "e");
  return group(String(size >= 10 ** digits ? Math.round(value) : Number(value.toPrecision(digits))));
}

/** Commas between thousands. */
export function group(number: string): string {
  const [whole = "", fraction] = number.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
