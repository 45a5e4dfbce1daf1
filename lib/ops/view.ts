import { fail } from "../core/errors.ts";
import {
  broadcastShapes,
  checkDim,
  checkShape,
  contiguousStrides,
  type Dims,
  maxRank,
  numel,
  sameShape,
} from "../core/shape.ts";
import { type Value, viewValue } from "../core/value.ts";
import { launchMap } from "../engine/launch.ts";
import { op, type Spec, type Window } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { assign, contiguous } from "./arithmetic.ts";

const window = (x: Value, shape: number[], strides: Dims, offset = x.offset): Window => ({
  shape,
  strides,
  offset,
  dtype: x.dtype,
});

/**
 * Steps of x in another shape, where its memory can be walked so: dimensions that lie as one are cut anew, others stay.
 * undefined where only a copy has that shape.
 */
function stepsIn(x: Value, shape: Dims): number[] | undefined {
  if (x.isContiguous || x.size === 0) return contiguousStrides(shape);
  const from = x.shape.map((size, i) => ({ size, step: x.strides[i] })).filter(({ size }) => size !== 1);
  const steps = shape.map(() => 1);
  for (let at = shape.length - 1; from.length > 0; ) {
    const run = from.pop() as { size: number; step: number };
    let { size } = run;
    while (from.length > 0 && from.at(-1)?.step === run.step * size) size *= from.pop()?.size as number;
    for (let step = run.step; size > 1; at--) {
      if (at < 0 || size % shape[at] !== 0) return undefined;
      steps[at] = step;
      step *= shape[at];
      size /= shape[at];
    }
  }
  return steps;
}

/** The same elements, counted in row-major order, in another shape that their memory has. */
const viewOp = op({
  name: "reshape",
  inputs: ["x"],
  keep: ["x"],
  view: true,
  infer: ({ x }, { shape }: { shape: number[] }) => window(x, shape, stepsIn(x, shape) as number[]),
  grad: { x: (gy, { x }): Value => reshape(gy, x.shape) },
  cases: [
    { inputs: { x: [2, 6] }, attrs: { shape: [3, 4] } },
    { inputs: { x: [2, 1, 3] }, attrs: { shape: [6] } },
  ],
});

/** Replaces one -1 by the size that keeps the number of elements. */
function solve(x: Value, shape: Dims): number[] {
  const holes = shape.filter((d) => d === -1).length;
  if (holes > 1) fail("ERR_NABLA_SHAPE", "reshape", "only one size can be -1", { actual: shape });
  const known = checkShape(
    "reshape",
    shape.map((d) => (d === -1 ? 1 : d)),
  );
  const count = numel(known);
  const total = numel(x.shape);
  const size = total / count;
  if (holes ? !Number.isInteger(size) || count === 0 : count !== total) {
    fail("ERR_NABLA_SHAPE", "reshape", `${total} elements do not fit the shape [${shape.join(", ")}]`, {
      values: { x },
      expected: total,
      actual: count,
    });
  }
  return holes ? shape.map((d) => (d === -1 ? size : d)) : known;
}
/** In row-major order in memory: x itself if it lies so, else a copy. */
export function reshape(x: Value, shape: Dims): Value {
  const to = solve(x, shape);
  if (sameShape(x.shape, to)) return x;
  return viewOp({ x: contiguous(x) }, { shape: to });
}
/** The same, without a copy wherever the memory of x can be walked in the other shape: a part of each row, cut into heads. */
export function regroup(x: Value, shape: Dims): Value {
  const to = solve(x, shape);
  if (x.isContiguous || sameShape(x.shape, to) || !stepsIn(x, to)) return reshape(x, to);
  return viewOp({ x }, { shape: to });
}

const permuteOp = op({
  name: "permute",
  inputs: ["x"],
  view: true,
  infer: ({ x }, { dims }: { dims: number[] }) =>
    window(
      x,
      dims.map((d) => x.shape[d]),
      dims.map((d) => x.strides[d]),
    ),
  grad: { x: (gy, _, { dims }): Value => permuteOp({ x: gy }, { dims: dims.map((_, i) => dims.indexOf(i)) }) },
  cases: [{ inputs: { x: [2, 3, 4] }, attrs: { dims: [2, 0, 1] } }],
});
export function permute(x: Value, dims: Dims): Value {
  const order = dims.map((d) => checkDim("permute", d, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== order.length) {
    fail("ERR_NABLA_SHAPE", "permute", `dims [${dims.join(", ")}] are not an order of ${x.ndim} dimensions`, {
      values: { x },
      actual: dims,
    });
  }
  return permuteOp({ x }, { dims: order });
}
export function transpose(x: Value, a = -2, b = -1): Value {
  const [i, j] = [checkDim("transpose", a, x.ndim), checkDim("transpose", b, x.ndim)];
  if (i === j) return x;
  const dims = x.shape.map((_, d) => (d === i ? j : d === j ? i : d));
  return permuteOp({ x }, { dims });
}

/** Sizes of 1 repeated without a copy; the engine sums the gradient back. */
const expandOp = op({
  name: "expand",
  inputs: ["x"],
  view: true,
  infer: ({ x }, { shape }: { shape: number[] }) => {
    const lead = shape.length - x.ndim;
    return window(
      x,
      shape,
      shape.map((d, i) => (i < lead || (x.shape[i - lead] === 1 && d !== 1) ? 0 : x.strides[i - lead])),
    );
  },
  grad: { x: (gy): Value => gy },
  cases: [{ inputs: { x: [3, 1] }, attrs: { shape: [2, 3, 4] } }],
});
export function expand(x: Value, shape: Dims): Value {
  const lead = shape.length - x.ndim;
  const to = checkShape(
    "expand",
    shape.map((d, i) => (d === -1 && i >= lead ? x.shape[i - lead] : d)),
  );
  const both = broadcastShapes(x.shape, to);
  if (!both || !sameShape(both, to)) {
    fail("ERR_NABLA_SHAPE", "expand", `[${x.shape.join(", ")}] does not expand to [${to.join(", ")}]`, {
      values: { x },
      expected: to,
      hint: "only sizes of 1 grow, and new sizes come first",
    });
  }
  return sameShape(x.shape, to) ? x : expandOp({ x }, { shape: to });
}

interface Range {
  dim: number;
  start: number;
  length: number;
  step: number;
}
const narrowed = (shape: Dims, { dim, length }: Range) => shape.map((d, i) => (i === dim ? length : d));
const strideBy = (strides: Dims, { dim, step }: Range) => strides.map((s, i) => (i === dim ? s * step : s));

/** Elements start, start + step, ... of one dimension. A negative step walks backwards. */
const sliceOp = op({
  name: "slice",
  inputs: ["x"],
  keep: ["x"],
  view: true,
  infer: ({ x }, range: Range) =>
    window(
      x,
      narrowed(x.shape, range),
      strideBy(x.strides, range),
      x.offset + (range.length ? range.start * x.strides[range.dim] : 0),
    ),
  grad: { x: (gy, { x }, range): Value => sliceGrad({ x: gy }, { ...range, size: x.shape[range.dim] }) },
  cases: [
    { inputs: { x: [4, 5] }, attrs: { dim: 1, start: 1, length: 2, step: 2 } },
    { inputs: { x: [4, 2] }, attrs: { dim: 0, start: 3, length: 4, step: -1 } },
  ],
});
/** The gradient of slice: zeros, with gy where the slice was. */
const sliceGrad = op({
  name: "slice_grad",
  inputs: ["x"],
  infer: ({ x }, { dim, size }: Range & { size: number }): Spec => ({
    shape: x.shape.map((d, i) => (i === dim ? size : d)),
    dtype: x.dtype,
  }),
  forward: ({ y }, { x }, range) => {
    if (range.length < range.size) assign(y, 0);
    if (numel(x.shape) === 0) return;
    const strides = strideBy(y.strides, range);
    launchMap(K.copy, y.dtype, [viewValue(y, x.shape, strides, range.start * y.strides[range.dim]), x]);
  },
  grad: { x: (gy, _, { size: _size, ...range }): Value => sliceOp({ x: gy }, range) },
  cases: [{ inputs: { x: [2, 3] }, attrs: { dim: 1, start: 1, length: 3, step: 2, size: 7 } }],
});

/** Python's rule for a range over size elements: negative positions count from the end, what lies outside is cut off. */
export function slice(x: Value, dim: number, start = 0, end: number | undefined = undefined, step = 1): Value {
  const d = checkDim("slice", dim, x.ndim);
  if (x.ndim === 0) fail("ERR_NABLA_SHAPE", "slice", "a scalar has nothing to slice", { values: { x } });
  if (!Number.isInteger(step) || step === 0)
    fail("ERR_NABLA_VALUE", "slice", `step ${step} is not a whole number other than 0`, { actual: step });
  const n = x.shape[d];
  const clamp = (i: number) => {
    if (!Number.isInteger(i) && Math.abs(i) !== Number.POSITIVE_INFINITY)
      fail("ERR_NABLA_INDEX", "slice", `${i} is not a whole number`, { actual: i });
    return Math.min(Math.max(i < 0 ? i + n : i, step > 0 ? 0 : -1), step > 0 ? n : n - 1);
  };
  const from = clamp(step < 0 && start === 0 && end === undefined ? n - 1 : start);
  const to = end === undefined ? (step > 0 ? n : -1) : clamp(end);
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (length === n && from === 0 && step === 1) return x;
  return sliceOp({ x }, { dim: d, start: from, length, step });
}
/** One element of a dimension, which goes away. */
export function select(x: Value, dim: number, index: number): Value {
  const d = checkDim("select", dim, x.ndim);
  const n = x.shape[d] ?? 0;
  if (!Number.isInteger(index) || index < -n || index >= n) {
    fail("ERR_NABLA_INDEX", "select", `index ${index} is outside ${-n}..${n - 1} of dimension ${d}`, {
      values: { x },
      expected: [-n, n - 1],
      actual: index,
    });
  }
  return squeeze(sliceOp({ x }, { dim: d, start: index < 0 ? index + n : index, length: 1, step: 1 }), d);
}
export function flip(x: Value, dims: Dims): Value {
  let y = x;
  for (const dim of dims) {
    const d = checkDim("flip", dim, x.ndim);
    if (x.shape[d] > 1) y = sliceOp({ x: y }, { dim: d, start: x.shape[d] - 1, length: x.shape[d], step: -1 });
  }
  return y;
}

/** Sizes of 1 that come and go: strides change, memory does not. */
const resizeOp = op({
  name: "resize",
  inputs: ["x"],
  keep: ["x"],
  view: true,
  infer: ({ x }, { shape, strides }: { shape: number[]; strides: Dims }) => window(x, shape, strides),
  grad: { x: (gy, { x }): Value => reshape(gy, x.shape) },
  cases: [{ inputs: { x: [2, 1, 3] }, attrs: { shape: [2, 3], strides: [3, 1] } }],
});
export function squeeze(x: Value, dim?: number | Dims): Value {
  const dims =
    dim === undefined
      ? x.shape.map((_, i) => i)
      : (typeof dim === "number" ? [dim] : dim).map((d) => checkDim("squeeze", d, x.ndim));
  const keeps = (_: number, i: number) => x.shape[i] !== 1 || !dims.includes(i);
  if (x.shape.every(keeps)) return x;
  return resizeOp({ x }, { shape: x.shape.filter(keeps), strides: x.strides.filter(keeps) });
}
export function unsqueeze(x: Value, dim: number): Value {
  const d = checkDim("unsqueeze", dim, x.ndim + 1);
  if (x.ndim === maxRank)
    fail("ERR_NABLA_SHAPE", "unsqueeze", `at most ${maxRank} dimensions are supported`, { values: { x } });
  return resizeOp({ x }, { shape: x.shape.toSpliced(d, 0, 1), strides: x.strides.toSpliced(d, 0, 1) });
}
/** The dimensions from start to end as one. */
export function flatten(x: Value, start = 0, end = -1): Value {
  if (x.ndim === 0) return reshape(x, [1]);
  const [a, b] = [checkDim("flatten", start, x.ndim), checkDim("flatten", end, x.ndim)];
  if (a > b) fail("ERR_NABLA_VALUE", "flatten", `start ${start} comes after end ${end}`, { values: { x } });
  return reshape(x, [...x.shape.slice(0, a), numel(x.shape.slice(a, b + 1)), ...x.shape.slice(b + 1)]);
}
