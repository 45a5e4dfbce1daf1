// Pooling over the last two dimensions: largest and mean value of windows, sliding or adaptive.
import { fail, showShape } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { launch, walk } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { abs } from "./arithmetic.ts";
import { pow } from "./binary.ts";
import { times } from "./formula.ts";
import { sign } from "./math.ts";
import { mean } from "./reduce.ts";
import { averages, resample } from "./resample.ts";
import { gather } from "./select.ts";
import { reshape, squeeze, unsqueeze } from "./view.ts";
import { checkWindow, type Pair, pairOf, type Sizes } from "./window.ts";

const planes = (x: Value, [p, q]: Pair): number[] => [x.shape[0], p, q];

/** Windows over planes of `inputs`, which give `outputs`. */
interface Sliding {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly inputs: Pair;
  readonly outputs: Pair;
}
interface Dilated extends Sliding {
  readonly dilation: Pair;
}
const some: Dilated = {
  kernel: [2, 3],
  stride: [2, 1],
  padding: [1, 1],
  dilation: [1, 2],
  inputs: [5, 6],
  outputs: [3, 4],
};
/** Numbers far enough apart that a finite difference does not change which is the largest. */
const distinct = (shape: number[]) => {
  const n = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Array.from({ length: n }, (_, i) => ((i * 37) % n) / n - 0.5) };
};

/** y = the largest value of each window, index where it lies in its plane; x [a, h, w], y [a, p, q] */
const maxPoolOp = op({
  name: "max_pool",
  inputs: ["x"],
  outputs: ["y", "index"],
  keep: ["index"],
  infer: ({ x }, { outputs }: Dilated): Spec[] => [
    { shape: planes(x, outputs), dtype: x.dtype },
    { shape: planes(x, outputs), dtype: "i32" },
  ],
  forward({ y, index }, { x }, { kernel, stride, padding, dilation }) {
    if (y.size === 0) return;
    const scalars = [...kernel, ...stride, ...padding, ...dilation, 0];
    launch(K.max_pool, x.dtype, [...y.shape, ...x.shape.slice(1)], [walk(y), walk(index), walk(x)], scalars);
  },
  grad: { x: ({ y }, { index }, sliding) => y && maxPoolGrad({ dy: y, index }, gradOf(sliding)) },
  cases: [
    { inputs: { x: distinct([2, 5, 6]) }, attrs: some },
    {
      inputs: { x: distinct([1, 4, 70]) },
      attrs: {
        ...some,
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
        dilation: [1, 1],
        inputs: [4, 70],
        outputs: [2, 35],
      },
      order: 1,
    },
  ],
});
/** The same over windows from floor(i h / p) to ceil((i + 1) h / p). */
const adaptiveMaxPoolOp = op({
  name: "adaptive_max_pool",
  inputs: ["x"],
  outputs: ["y", "index"],
  keep: ["index"],
  infer: ({ x }, { outputs }: Pick<Sliding, "inputs" | "outputs">): Spec[] => [
    { shape: planes(x, outputs), dtype: x.dtype },
    { shape: planes(x, outputs), dtype: "i32" },
  ],
  forward({ y, index }, { x }) {
    if (y.size === 0) return;
    launch(K.adaptive_max_pool, x.dtype, [...y.shape, ...x.shape.slice(1)], [walk(y), walk(index), walk(x)]);
  },
  grad: { x: ({ y }, { index }, { inputs }) => y && maxPoolGrad({ dy: y, index }, { inputs, beside: [0, 0] }) },
  cases: [{ inputs: { x: distinct([2, 5, 7]) }, attrs: { inputs: [5, 7], outputs: [3, 2] } }],
});
interface Taken extends Pick<Sliding, "inputs"> {
  /** Sizes of windows that lie side by side; 0 for any other. */
  readonly beside: Pair;
}
function gradOf({ kernel, stride, padding, dilation, inputs }: Dilated): Taken {
  const beside = [0, 1].every((i) => kernel[i] === stride[i] && padding[i] === 0 && dilation[i] === 1);
  return { inputs, beside: beside ? kernel : [0, 0] };
}
/** dx[index] = sum of dy, zeros elsewhere */
const maxPoolGrad = op({
  name: "max_pool_grad",
  inputs: ["dy", "index"],
  keep: ["index"],
  infer: ({ dy }, { inputs }: Taken): Spec => ({ shape: planes(dy, inputs), dtype: dy.dtype }),
  forward({ y }, { dy, index }, { beside }) {
    if (y.size === 0) return;
    const operands = [walk(y), walk(dy), walk(index), null];
    launch(K.max_pool_grad, y.dtype, [...y.shape, ...dy.shape.slice(1)], operands, beside);
  },
  grad: {
    dy(gy, { index }): Value {
      const [a, p, q] = index.shape;
      const flat = reshape(gy, [a, gy.shape[1] * gy.shape[2]]);
      return reshape(gather(flat, 1, reshape(index, [a, p * q])), index.shape);
    },
  },
  cases: [
    {
      inputs: { dy: [2, 2, 2], index: { shape: [2, 2, 2], dtype: "i32", data: [0, 3, 3, 5, 1, 1, 4, 2] } },
      attrs: { inputs: [2, 3], beside: [0, 0] },
    },
    {
      inputs: { dy: [1, 1, 3], index: { shape: [1, 1, 3], dtype: "i32", data: [8, 2, 5] } },
      attrs: { inputs: [3, 7], beside: [2, 2] },
    },
  ],
});

interface Averaging extends Sliding {
  /** Whether zeros of the border count. */
  readonly include: boolean;
  /** What sums are divided by, in place of how many there are; 0 for that. */
  readonly divisor: number;
}
const scalarsOf = ({ kernel, stride, padding, include, divisor }: Averaging): number[] => [
  ...kernel,
  ...stride,
  ...padding,
  Number(include),
  divisor,
];
const averaging: Averaging = { ...some, outputs: [3, 6], include: false, divisor: 0 };

/** y = the mean of each window of x [a, h, w]: [a, p, q] */
const avgPoolOp = op({
  name: "avg_pool",
  inputs: ["x"],
  infer: ({ x }, { outputs }: Averaging): Spec => ({ shape: planes(x, outputs), dtype: x.dtype }),
  forward({ y }, { x }, attrs) {
    if (y.size === 0) return;
    launch(K.avg_pool, y.dtype, [...y.shape, ...x.shape.slice(1)], [walk(y), walk(x)], scalarsOf(attrs));
  },
  grad: { x: (gy, _, attrs): Value => avgPoolGrad({ dy: gy }, attrs) },
  cases: [
    { inputs: { x: [2, 5, 6] }, attrs: averaging },
    { inputs: { x: [2, 5, 6] }, attrs: { ...averaging, include: true, divisor: 5 } },
  ],
});
/** so now: dx = sum over the windows that hold it of dy / divisor */
const avgPoolGrad = op({
  name: "avg_pool_grad",
  inputs: ["dy"],
  infer: ({ dy }, { inputs }: Averaging): Spec => ({ shape: planes(dy, inputs), dtype: dy.dtype }),
  forward({ y }, { dy }, attrs) {
    if (y.size === 0) return;
    launch(K.avg_pool_grad, y.dtype, [...y.shape, ...dy.shape.slice(1)], [walk(y), walk(dy)], scalarsOf(attrs));
  },
  grad: { dy: (gy, _, attrs): Value => avgPoolOp({ x: gy }, attrs) },
  cases: [{ inputs: { dy: [2, 3, 6] }, attrs: averaging }],
});

export interface PoolOptions {
  /** From window to window; the kernel unless given. */
  readonly stride?: Sizes | undefined;
  readonly padding?: Sizes | undefined;
  /** Let the last window reach over the end. */
  readonly ceilMode?: boolean | undefined;
}
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: Sizes | undefined;
}
export interface AvgPoolOptions extends PoolOptions {
  /** Whether the zeros of the border count; they do unless said. */
  readonly countIncludePad?: boolean | undefined;
  /** What sums are divided by. */
  readonly divisorOverride?: number | undefined;
}
const poolNames = ["stride", "padding", "ceilMode"] as const;
export const maxPoolNames = ["dilation", ...poolNames] as const;
export const avgPoolNames = ["countIncludePad", "divisorOverride", ...poolNames] as const;

/** Results along one dimension; a last window that would begin in the border is left out. */
function results(inputs: number, k: number, stride: number, padding: number, dilation: number, ceil: boolean): number {
  const span = inputs + 2 * padding - dilation * (k - 1) - 1;
  const n = (ceil ? Math.ceil(span / stride) : Math.floor(span / stride)) + 1;
  return ceil && (n - 1) * stride >= inputs + padding ? n - 1 : n;
}
function sliding(op: string, x: Value, kernel: Sizes, options: MaxPoolOptions): Dilated {
  const window = pairOf(op, "kernel", kernel, 1);
  const stride = pairOf(op, "stride", options.stride ?? window, 1);
  const padding = pairOf(op, "padding", options.padding, 0, 0);
  const dilation = pairOf(op, "dilation", options.dilation, 1);
  const inputs: Pair = [x.shape[x.ndim - 2], x.shape[x.ndim - 1]];
  const outputs = ([0, 1] as const).map((i) => {
    if (2 * padding[i] > dilation[i] * (window[i] - 1) + 1)
      fail("ERR_NABLA_VALUE", op, `padding ${padding[i]} is more than half of the window`, {
        values: { x },
        actual: padding[i],
      });
    checkWindow(op, {
      room: inputs[i] + 2 * padding[i],
      taps: window[i],
      dilation: dilation[i],
      padding: padding[i],
      x,
    });
    return results(inputs[i], window[i], stride[i], padding[i], dilation[i], options.ceilMode ?? false);
  }) as unknown as Pair;
  return { kernel: window, stride, padding, dilation, inputs, outputs };
}

/** All leading dimensions as one, and back. */
function checkPlanes(op: string, x: Value, rank: number): void {
  const form = rank === 1 ? "[batch, channels, length]" : "[batch, channels, height, width]";
  if (x.ndim !== rank + 1 && x.ndim !== rank + 2)
    fail("ERR_NABLA_SHAPE", op, `needs ${form}, with or without the batch, got ${showShape(x.shape)}`, {
      values: { x },
    });
  if (!x.isFloat)
    fail("ERR_NABLA_DTYPE", op, `pools floats, not ${x.dtype}`, { values: { x }, hint: 'cast first: x.to("f32")' });
}
const asPlanes = (x: Value): Value =>
  reshape(x, [x.shape.slice(0, -2).reduce((a, b) => a * b, 1), ...x.shape.slice(-2)]);
const likeBefore = (y: Value, x: Value): Value => reshape(y, [...x.shape.slice(0, -2), ...y.shape.slice(1)]);

interface Found {
  readonly y: Value;
  /** Where it lies in its plane, counted in row-major order, i32. */
  readonly index: Value;
}
/** Options of pictures of one row, for what has no height. */
const lead = (option: Sizes | undefined, value: number): Sizes | undefined =>
  option === undefined ? undefined : [value, ...(typeof option === "number" ? [option] : option)];
const flatOptions = <O extends MaxPoolOptions>(o: O): O => ({
  ...o,
  stride: lead(o.stride, 1),
  padding: lead(o.padding, 0),
  dilation: lead(o.dilation, 1),
});

function maxPool(op: string, x: Value, kernel: Sizes, options: MaxPoolOptions): Found {
  const { y, index } = maxPoolOp({ x: asPlanes(x) }, sliding(op, x, kernel, options));
  return { y: likeBefore(y, x), index: likeBefore(index, x) };
}
/** The largest value of each window, and where it lies in its plane. */
export function maxPool2dWithIndices(x: Value, kernel: Sizes, options: MaxPoolOptions = {}): Found {
  checkPlanes("maxPool2d", x, 2);
  return maxPool("maxPool2d", x, kernel, options);
}
export const maxPool2d = (x: Value, kernel: Sizes, options: MaxPoolOptions = {}): Value =>
  maxPool2dWithIndices(x, kernel, options).y;
const rowOf = (f: (row: Value) => Found, x: Value): Found => {
  const { y, index } = f(unsqueeze(x, x.ndim - 1));
  return { y: squeeze(y, x.ndim - 1), index: squeeze(index, x.ndim - 1) };
};
export function maxPool1dWithIndices(x: Value, kernel: Sizes, options: MaxPoolOptions = {}): Found {
  checkPlanes("maxPool1d", x, 1);
  return rowOf((row) => maxPool("maxPool1d", row, lead(kernel, 1) as Sizes, flatOptions(options)), x);
}
export const maxPool1d = (x: Value, kernel: Sizes, options: MaxPoolOptions = {}): Value =>
  maxPool1dWithIndices(x, kernel, options).y;

function avgPool(op: string, x: Value, kernel: Sizes, options: AvgPoolOptions): Value {
  const { countIncludePad: include = true, divisorOverride: divisor = 0 } = options;
  if (options.divisorOverride === 0 || !Number.isFinite(divisor))
    fail("ERR_NABLA_VALUE", op, `cannot divide by ${options.divisorOverride}`, { actual: options.divisorOverride });
  return likeBefore(avgPoolOp({ x: asPlanes(x) }, { ...sliding(op, x, kernel, options), include, divisor }), x);
}
/** The mean of each window. */
export function avgPool2d(x: Value, kernel: Sizes, options: AvgPoolOptions = {}): Value {
  checkPlanes("avgPool2d", x, 2);
  return avgPool("avgPool2d", x, kernel, options);
}
export function avgPool1d(x: Value, kernel: Sizes, options: AvgPoolOptions = {}): Value {
  checkPlanes("avgPool1d", x, 1);
  const row = unsqueeze(x, x.ndim - 1);
  return squeeze(avgPool("avgPool1d", row, lead(kernel, 1) as Sizes, flatOptions(options)), x.ndim - 1);
}

/** A size for each of the last dimensions; null keeps what there is. */
function adaptiveSizes(op: string, x: Value, size: number | readonly (number | null)[], rank: number): number[] {
  const given = typeof size === "number" || size === null ? Array.from({ length: rank }, () => size) : size;
  const sizes = x.shape.slice(-rank).map((n, i) => given[i] ?? n);
  if (given.length !== rank || !sizes.every((n) => Number.isInteger(n) && n >= 1))
    fail("ERR_NABLA_VALUE", op, `the size of the result must be whole numbers from 1, got ${String(size)}`, {
      actual: size,
    });
  if (x.shape.slice(-rank).includes(0)) fail("ERR_NABLA_SHAPE", op, "there is nothing to pool", { values: { x } });
  return sizes;
}
function adaptiveAverage(op: string, x: Value, sizes: readonly number[]): Value {
  const dims = sizes.map((_, i) => x.ndim - sizes.length + i);
  if (sizes.every((n) => n === 1)) return mean(x, dims, true);
  if (sizes.length === 2 && dims.every((d, i) => x.shape[d] % sizes[i] === 0))
    return avgPool(
      op,
      x,
      dims.map((d, i) => x.shape[d] / sizes[i]),
      {},
    );
  return dims.reduce((y, d, i) => (x.shape[d] === sizes[i] ? y : resample(y, d, averages(x.shape[d], sizes[i]))), x);
}
export function adaptiveAvgPool2d(x: Value, size: number | readonly (number | null)[]): Value {
  checkPlanes("adaptiveAvgPool2d", x, 2);
  return adaptiveAverage("adaptiveAvgPool2d", x, adaptiveSizes("adaptiveAvgPool2d", x, size, 2));
}
export function adaptiveAvgPool1d(x: Value, size: number | readonly number[]): Value {
  checkPlanes("adaptiveAvgPool1d", x, 1);
  return adaptiveAverage("adaptiveAvgPool1d", x, adaptiveSizes("adaptiveAvgPool1d", x, size, 1));
}

function adaptiveMax(op: string, x: Value, size: number | readonly (number | null)[]): Found {
  const [p, q] = adaptiveSizes(op, x, size, 2);
  const inputs: Pair = [x.shape[x.ndim - 2], x.shape[x.ndim - 1]];
  const { y, index } = adaptiveMaxPoolOp({ x: asPlanes(x) }, { inputs, outputs: [p, q] });
  return { y: likeBefore(y, x), index: likeBefore(index, x) };
}
export function adaptiveMaxPool2dWithIndices(x: Value, size: number | readonly (number | null)[]): Found {
  checkPlanes("adaptiveMaxPool2d", x, 2);
  return adaptiveMax("adaptiveMaxPool2d", x, size);
}
export const adaptiveMaxPool2d = (x: Value, size: number | readonly (number | null)[]): Value =>
  adaptiveMaxPool2dWithIndices(x, size).y;
export function adaptiveMaxPool1dWithIndices(x: Value, size: number | readonly number[]): Found {
  checkPlanes("adaptiveMaxPool1d", x, 1);
  const [length] = adaptiveSizes("adaptiveMaxPool1d", x, size, 1);
  return rowOf((row) => adaptiveMax("adaptiveMaxPool1d", row, [1, length]), x);
}
export const adaptiveMaxPool1d = (x: Value, size: number | readonly number[]): Value =>
  adaptiveMaxPool1dWithIndices(x, size).y;

/** (sum of |x|^p over each window)^(1/p), with the sign of the sum of x^p */
export function lpPool2d(x: Value, norm: number, kernel: Sizes, options: Omit<PoolOptions, "padding"> = {}): Value {
  const [k, l] = pairOf("lpPool2d", "kernel", kernel, 1);
  const sum = times(avgPool2d(pow({ a: x, b: norm }), [k, l], options), k * l);
  return times(sign({ x: sum }), pow({ a: abs({ x: sum }), b: 1 / norm }));
}
