// Other sizes for the last dimensions: each new element is a sum of few old ones with weights that depend on sizes alone.
import { fail, showShape } from "../core/errors.ts";
import { type Value, wrapArray } from "../core/value.ts";
import { plus, times } from "./formula.ts";
import { pickRows } from "./select.ts";
import { permute, reshape } from "./view.ts";

/** For each tap of a filter and each result the position of an element, and its weight; without weights all are 1. */
export interface Table {
  readonly index: readonly (readonly number[])[];
  readonly weight?: readonly (readonly number[])[];
}

/** y[..., i, ...] = sum over taps t of weight[t][i] x[..., index[t][i], ...] along one dimension */
export function resample(x: Value, dim: number, { index, weight }: Table): Value {
  const taps = index.map((positions, t) => {
    const picked = pickRows(x, dim, wrapArray(Int32Array.from(positions), [positions.length], "i32"));
    const w = weight?.[t];
    if (!w) return picked;
    const shape = x.shape.map((_, d) => (d === dim ? w.length : 1));
    const factors = x.dtype === "f64" ? Float64Array.from(w) : Float32Array.from(w);
    return times(picked, wrapArray(factors, shape, x.dtype));
  });
  return taps.reduce(plus);
}

export const interpolations = [
  "nearest",
  "nearestExact",
  "linear",
  "bilinear",
  "trilinear",
  "bicubic",
  "area",
] as const;
export type Interpolation = (typeof interpolations)[number];
export interface InterpolateOptions {
  /** New sizes; a single number stands for every dimension. */
  readonly size?: number | readonly number[] | undefined;
  /** Or how many times larger. */
  readonly scaleFactor?: number | readonly number[] | undefined;
  readonly mode?: Interpolation | undefined;
  /** Let the first and last elements keep their places (linear and cubic modes). */
  readonly alignCorners?: boolean | undefined;
}
export const interpolateNames = ["size", "scaleFactor", "mode", "alignCorners"] as const;

interface Line {
  readonly inputs: number;
  readonly outputs: number;
  /** Elements of x for one of y. */
  readonly scale: number;
  readonly align: boolean;
  readonly round: (x: number) => number;
}
/** Where result i lies between the elements of x. */
function source({ scale, align, round, inputs, outputs }: Line, i: number): number {
  if (align) return outputs > 1 ? round((i * (inputs - 1)) / (outputs - 1)) : 0;
  return round((i + 0.5) * scale - 0.5);
}
const clamp = (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1);
const places = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function nearest({ inputs, outputs, scale, round }: Line, half: number): Table {
  return { index: [places(outputs).map((i) => clamp(Math.floor(round((i + half) * scale)), inputs))] };
}
function linear(line: Line): Table {
  const at = places(line.outputs).map((i) => Math.max(source(line, i), 0));
  const from = at.map((s) => clamp(Math.floor(s), line.inputs));
  const share = at.map((s, i) => s - from[i]);
  return {
    index: [from, from.map((i) => clamp(i + 1, line.inputs))],
    weight: [share.map((s) => 1 - s), share],
  };
}
/** Keys' kernel with a = -3/4, of width 4. */
function cubic(line: Line): Table {
  const a = -0.75;
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  const at = places(line.outputs).map((i) => source(line, i));
  const shares = at.map((s) => s - Math.floor(s));
  return {
    index: [-1, 0, 1, 2].map((t) => at.map((s) => clamp(Math.floor(s) + t, line.inputs))),
    weight: [
      shares.map((s) => far(s + 1)),
      shares.map((s) => near(s)),
      shares.map((s) => near(1 - s)),
      shares.map((s) => far(2 - s)),
    ],
  };
}

/** The part of a dimension that result i of an adaptive pooling is taken from: [first, last). */
export const part = (i: number, inputs: number, outputs: number): [number, number] => [
  Math.floor((i * inputs) / outputs),
  Math.ceil(((i + 1) * inputs) / outputs),
];
/** Means over parts that divide a dimension as evenly as they can. */
export function averages(inputs: number, outputs: number): Table {
  const parts = places(outputs).map((i) => part(i, inputs, outputs));
  const taps = places(Math.max(...parts.map(([from, to]) => to - from)));
  return {
    index: taps.map((t) => parts.map(([from, to]) => Math.min(from + t, to - 1))),
    weight: taps.map((t) => parts.map(([from, to]) => (from + t < to ? 1 / (to - from) : 0))),
  };
}

function tableOf(mode: Interpolation, line: Line): Table {
  switch (mode) {
    case "nearest":
      return nearest(line, 0);
    case "nearestExact":
      return nearest(line, 0.5);
    case "bicubic":
      return cubic(line);
    case "area":
      return averages(line.inputs, line.outputs);
    default:
      return linear(line);
  }
}

const dimsOf: Partial<Record<Interpolation, number>> = { linear: 1, bilinear: 2, trilinear: 3, bicubic: 2 };
function checkMode(x: Value, mode: Interpolation): void {
  if (!interpolations.includes(mode))
    fail("ERR_NABLA_VALUE", "interpolate", `there is no mode ${String(mode)}`, {
      expected: interpolations,
      actual: mode,
    });
  const dims = x.ndim - 2;
  if (dims < 1 || dims > 3 || (dimsOf[mode] ?? dims) !== dims)
    fail("ERR_NABLA_SHAPE", "interpolate", `${mode} does not resize ${showShape(x.shape)}`, {
      values: { x },
      expected: `[batch, channels, ...] with ${dimsOf[mode] ?? "1 to 3"} further dimensions`,
      actual: x.shape,
    });
  if (!x.isFloat)
    fail("ERR_NABLA_DTYPE", "interpolate", `resizes floats, not ${x.dtype}`, { values: { x }, hint: 'x.to("f32")' });
}

/** x [batch, channels, ...] with other sizes behind the channels. `torch.nn.functional.interpolate`. */
export function interpolate(x: Value, options: InterpolateOptions): Value {
  const { size, scaleFactor, mode = "nearest", alignCorners = false } = options;
  checkMode(x, mode);
  const inputs = x.shape.slice(2);
  const given = size ?? scaleFactor;
  const list = typeof given === "number" ? inputs.map(() => given) : (given ?? []);
  const outputs = list.map((n, i) => (size === undefined ? Math.floor(inputs[i] * n) : n));
  const known = (size === undefined) !== (scaleFactor === undefined) && list.length === inputs.length;
  if (!known || !outputs.every((n) => Number.isInteger(n) && n >= 1) || inputs.includes(0))
    fail("ERR_NABLA_VALUE", "interpolate", "needs a size or a scaleFactor that leaves at least one element", {
      values: { x },
      actual: { size, scaleFactor },
    });
  const round = x.dtype === "f64" ? (v: number) => v : Math.fround;
  return inputs.reduce((y, n, i) => {
    const scale = round(size === undefined ? 1 / list[i] : n / outputs[i]);
    const line: Line = { inputs: n, outputs: outputs[i], scale, align: alignCorners, round };
    return n === outputs[i] && size !== undefined ? y : resample(y, i + 2, tableOf(mode, line));
  }, x);
}

/** [..., c r r, h, w] to [..., c, h r, w r]: channels become pixels. `torch.nn.functional.pixel_shuffle`. */
export function pixelShuffle(x: Value, factor: number): Value {
  const [c, h, w] = x.shape.slice(-3);
  if (x.ndim < 3 || !Number.isInteger(factor) || factor < 1 || c % (factor * factor) !== 0)
    fail("ERR_NABLA_SHAPE", "pixelShuffle", `${showShape(x.shape)} has no channels for a factor ${factor}`, {
      values: { x },
      expected: "[..., channels * factor^2, height, width]",
      actual: factor,
    });
  const lead = x.shape.slice(0, -3);
  const n = lead.length;
  const apart = reshape(x, [...lead, c / (factor * factor), factor, factor, h, w]);
  const order = [...places(n), n, n + 3, n + 1, n + 4, n + 2];
  return reshape(permute(apart, order), [...lead, c / (factor * factor), h * factor, w * factor]);
}
/** The inverse of pixelShuffle. `torch.nn.functional.pixel_unshuffle`. */
export function pixelUnshuffle(x: Value, factor: number): Value {
  const [c, h, w] = x.shape.slice(-3);
  if (x.ndim < 3 || !Number.isInteger(factor) || factor < 1 || h % factor !== 0 || w % factor !== 0)
    fail("ERR_NABLA_SHAPE", "pixelUnshuffle", `${showShape(x.shape)} is not divisible by ${factor}`, {
      values: { x },
      actual: factor,
    });
  const lead = x.shape.slice(0, -3);
  const n = lead.length;
  const apart = reshape(x, [...lead, c, h / factor, factor, w / factor, factor]);
  const order = [...places(n), n, n + 2, n + 4, n + 1, n + 3];
  return reshape(permute(apart, order), [...lead, c * factor * factor, h / factor, w / factor]);
}
