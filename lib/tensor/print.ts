// Tensors as console.log shows them, PyTorch's layout: aligned, four digits, the ends of what is long.
import type { TypedArray } from "../core/dtype.ts";
import { contiguousStrides, type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";

const lineWidth = 80;
/** Longer tensors show so many elements at each end of a dim. */
const longest = 1000;
const edge = 3;
const head = "tensor(";

type Format = (x: number) => string;

/** One format for all shown elements: whole numbers as "2.", others with four digits, exponents where sizes differ widely. */
function floatFormat(shown: readonly number[]): Format {
  const sizes = shown.filter((x) => Number.isFinite(x) && x !== 0).map(Math.abs);
  const [min, max] = [Math.min(...sizes), Math.max(...sizes)];
  const whole = sizes.every(Number.isInteger);
  const wide = sizes.length > 0 && (max / min > 1000 || max > 1e8 || (!whole && min < 1e-4));
  const format =
    wide && (!whole || max > 1e8) ? (x: number) => x.toExponential(4) : (x: number) => x.toFixed(whole ? 0 : 4);
  return (x) =>
    Number.isFinite(x) ? `${Object.is(x, -0) ? "-" : ""}${format(x)}${whole && !wide ? "." : ""}` : String(x);
}

/** The positions of a dim that are shown; undefined stands for the dots. */
function positions(size: number, short: boolean): (number | undefined)[] {
  if (!short || size <= 2 * edge) return Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: 2 * edge + 1 }, (_, i) =>
    i < edge ? i : i === edge ? undefined : size - 2 * edge - 1 + i,
  );
}

interface Page {
  readonly from: TypedArray;
  readonly shape: Dims;
  readonly strides: Dims;
  readonly short: boolean;
}

/** The elements that will be shown, in order. */
function shownIn(page: Page, depth: number, at: number): number[] {
  if (depth === page.shape.length) return [page.from[at]];
  return positions(page.shape[depth], page.short).flatMap((i) =>
    i === undefined ? [] : shownIn(page, depth + 1, at + i * page.strides[depth]),
  );
}

function row(cells: readonly string[], indent: number): string {
  const width = Math.max(...cells.map((c) => c.length)) + 2;
  const perLine = Math.max(1, Math.floor((lineWidth - indent) / width));
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(", "));
  return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`;
}

function block(page: Page, depth: number, at: number, indent: number, cell: Format): string {
  const parts = positions(page.shape[depth], page.short).map((i) => {
    if (i === undefined) return "...";
    const next = at + i * page.strides[depth];
    return depth === page.shape.length - 1 ? cell(page.from[next]) : block(page, depth + 1, next, indent + 1, cell);
  });
  if (depth === page.shape.length - 1) return row(parts, indent);
  const gap = "\n".repeat(page.shape.length - depth - 1);
  return `[${parts.join(`,${gap}${" ".repeat(indent + 1)}`)}]`;
}

function trailer(x: Value): string {
  const options = [
    x.size === 0 && x.ndim > 1 ? `shape: [${x.shape.join(", ")}]` : "",
    x.dtype === "f32" || x.dtype === "bool" ? "" : `dtype: "${x.dtype}"`,
    x.requiresGrad ? "requiresGrad: true" : "",
  ].filter(Boolean);
  return options.length ? `, { ${options.join(", ")} })` : ")";
}

/** x, whose elements in order are given. */
export function print(x: Value, from: TypedArray): string {
  const page = { from, shape: x.shape, strides: contiguousStrides(x.shape), short: numel(x.shape) > longest };
  if (from.length === 0) return `${head}[]${trailer(x)}`;
  const shown = shownIn(page, 0, 0);
  const format: Format = x.dtype === "bool" ? (v) => String(v !== 0) : x.isFloat ? floatFormat(shown) : String;
  if (x.ndim === 0) return `${head}${format(from[0])}${trailer(x)}`;
  const width = Math.max(...shown.map((v) => format(v).length));
  return `${head}${block(page, 0, 0, head.length, (v) => format(v).padStart(width))}${trailer(x)}`;
}
