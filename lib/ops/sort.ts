// Order along a dimension. NaN is the greatest; equal elements keep their order. Rows find positions, values are picked there,
// so gradients go where the values came from.
import { only } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { checkDim, sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { alike, contiguous, ne, where } from "./arithmetic.ts";
import { along, resized } from "./cube.ts";
import { argmax } from "./extreme.ts";
import type { Found } from "./scan.ts";
import { pick } from "./select.ts";
import { flatten, slice, squeeze } from "./view.ts";

interface Order {
  readonly dim: number;
  readonly descending: boolean;
}
interface First {
  readonly dim: number;
  readonly k: number;
  readonly largest: boolean;
}

const argsortOp = op({
  name: "argsort",
  inputs: ["x"],
  infer: ({ x }, _: Order): Spec => ({ shape: x.shape, dtype: "i32" }),
  forward({ y }, { x }, { dim, descending }) {
    if (y.size === 0) return;
    const { extents, walk } = along(x, dim);
    launch(K.sort, x.dtype, extents, [null, y, walk], [descending ? 1 : 0]);
  },
  cases: [
    { inputs: { x: [2, 70] }, attrs: { dim: 1, descending: false }, order: 0 },
    { inputs: { x: [3, 4, 2] }, attrs: { dim: 1, descending: true }, order: 0 },
  ],
});
/** Positions of the k first along dim. */
const firstOp = op({
  name: "topk",
  inputs: ["x"],
  infer: ({ x }, { dim, k }: First): Spec => ({ shape: resized(x.shape, dim, k), dtype: "i32" }),
  forward({ y }, { x }, { dim, k, largest }) {
    if (y.size === 0) return;
    const { extents, walk } = along(x, dim);
    const [a, n, b] = extents;
    launch(K.topk, x.dtype, [a, k, b, n], [null, y, walk], [largest ? 1 : 0]);
  },
  cases: [{ inputs: { x: [3, 7, 2] }, attrs: { dim: 1, k: 3, largest: true }, order: 0 }],
});

/** Positions that would sort x. */
export const argsort = (x: Value, dim = -1, descending = false): Value =>
  argsortOp({ x }, { dim: checkDim("argsort", dim, x.ndim), descending });
/** Sorted values and where they came from. Always stable. */
export function sort(x: Value, dim = -1, descending = false): Found {
  const d = checkDim("sort", dim, x.ndim);
  const indices = argsortOp({ x }, { dim: d, descending });
  return { values: pick(x, d, indices), indices };
}

function checkCount(op: string, k: number, least: number, x: Value, dim: number): void {
  const n = x.shape[dim] ?? 1;
  if (!Number.isInteger(k) || k < least || k > n)
    fail("ERR_NABLA_VALUE", op, `k = ${k} is not a whole number from ${least} to ${n}, the size of dim ${dim}`, {
      values: { x },
      expected: [least, n],
      actual: k,
    });
}
/** The k largest (or smallest) along dim, sorted, and where they are. */
export function topk(x: Value, k: number, dim = -1, largest = true): Found {
  const d = checkDim("topk", dim, x.ndim);
  checkCount("topk", k, 0, x, d);
  const indices = firstOp({ x }, { dim: d, k, largest });
  return { values: pick(x, d, indices), indices };
}

function single(x: Value, dim: number, indices: Value, keepdim: boolean): Found {
  const values = pick(x, dim, indices);
  return keepdim || x.ndim === 0
    ? { values, indices }
    : { values: squeeze(values, dim), indices: squeeze(indices, dim) };
}
const kth = (x: Value, k: number, dim: number): Value =>
  x.ndim === 0 ? argsort(x) : slice(firstOp({ x }, { dim, k, largest: false }), dim, k - 1);
/** The k-th smallest along dim, counted from 1, and where it is. */
export function kthvalue(x: Value, k: number, dim = -1, keepdim = false): Found {
  const d = checkDim("kthvalue", dim, x.ndim);
  checkCount("kthvalue", k, 1, x, d);
  return single(x, d, kth(x, k, d), keepdim);
}

const half = (n: number): number => Math.ceil(n / 2);
/** The middle one along dim, of two the lower, and where it is; NaN where there is one. */
function medianAlong(x: Value, dim: number, keepdim: boolean): Found {
  const d = checkDim("median", dim, x.ndim);
  checkCount("median", half(x.shape[d] ?? 1), 1, x, d);
  const middle = kth(x, half(x.shape[d] ?? 1), d);
  if (!x.isFloat || x.ndim === 0) return single(x, d, middle, keepdim);
  const greatest = argmax(x, d, true);
  const last = pick(x, d, greatest);
  return single(x, d, where({ condition: ne({ a: last, b: last }), a: greatest, b: middle }), keepdim);
}
/** The median along dim and where it is; without a dim, of all elements. */
export function median(x: Value): Value;
export function median(x: Value, dim: number, keepdim?: boolean): Found;
export function median(x: Value, dim?: number, keepdim = false): Value | Found {
  return dim === undefined ? medianAlong(flatten(x), 0, false).values : medianAlong(x, dim, keepdim);
}

const searchOp = op({
  name: "searchsorted",
  inputs: ["sorted", "x"],
  prepare: ({ sorted, x }) => {
    const { a, b } = alike("searchsorted", { a: sorted, b: x }) as { a: Value; b: Value };
    return { sorted: contiguous(a), x: contiguous(b) };
  },
  infer: ({ x }, _: { right: boolean }): Spec => ({ shape: x.shape, dtype: "i32" }),
  forward({ y }, { sorted, x }, { right }) {
    if (y.size === 0) return;
    const n = sorted.shape.at(-1) as number;
    const rows = sorted.ndim === 1 ? 1 : x.size / (x.shape.at(-1) as number);
    launch(K.searchsorted, x.dtype, [rows, x.size / rows, n], [y, sorted, x], [right ? 1 : 0]);
  },
  cases: [
    {
      inputs: { sorted: { shape: [5], data: [-0.5, -0.2, 0, 0.3, 0.8] }, x: [3, 4] },
      attrs: { right: false },
      order: 0,
    },
    {
      inputs: { sorted: { shape: [2, 3], data: [-0.5, 0, 0.4, 0.1, 0.2, 0.3] }, x: [2, 6] },
      attrs: { right: true },
      order: 0,
    },
  ],
});
export interface Side {
  /** Behind equal elements instead of before them. */
  readonly right?: boolean;
}
/** Where each x would be put in to keep `sorted` in order: before its equals, or behind them with `right`. */
export function searchsorted(sorted: Value, x: Value, options: Side = {}): Value {
  const { right = false } = only("searchsorted", options, ["right"]);
  const rows = sorted.shape.slice(0, -1);
  const fits = sorted.ndim === 1 || (sorted.ndim > 1 && sameShape(rows, x.shape.slice(0, -1)));
  if (!fits)
    fail("ERR_NABLA_SHAPE", "searchsorted", `rows of ${showShape(sorted.shape)} for ${showShape(x.shape)}`, {
      values: { sorted, x },
      hint: "sorted is a vector, or has the sizes of x except the last",
    });
  return searchOp({ sorted, x }, { right });
}
/** The number of the bucket of each x between boundaries: boundaries[y - 1] < x <= boundaries[y], or <= and < with `right`. */
export function bucketize(x: Value, boundaries: Value, side: Side = {}): Value {
  if (boundaries.ndim !== 1)
    fail("ERR_NABLA_SHAPE", "bucketize", "boundaries are a vector", { values: { x, boundaries } });
  return searchsorted(boundaries, x, side);
}
