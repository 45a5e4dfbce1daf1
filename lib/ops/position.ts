// Elements named by their positions: those that are not 0, one-hot vectors, several indices at once.
import { only } from "../core/boundary.ts";
import type { DType } from "../core/dtype.ts";
import { fail, showShape } from "../core/errors.ts";
import { broadcastShapes, contiguousStrides, numel, sameShape } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { elementsOf, launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { add, cast, contiguous, maximum, mul, ne, sub, where } from "./arithmetic.ts";
import { full, ones } from "./create.ts";
import { cat, unbind } from "./join.ts";
import { cumsum } from "./scan.ts";
import { checkIndices, fromEnd, indexAdd, indexCopy, pickRows } from "./select.ts";
import { sort } from "./sort.ts";
import { expand, flatten, reshape, slice, unsqueeze } from "./view.ts";

const oneHotOp = op({
  name: "one_hot",
  inputs: ["index"],
  prepare: ({ index }) => ({ index: contiguous(index) }),
  infer: ({ index }, { classes, dtype }: { classes: number; dtype: DType }): Spec => ({
    shape: [...index.shape, classes],
    dtype,
  }),
  forward: ({ y }, { index }, { classes }) => {
    if (y.size > 0) launch(K.one_hot, y.dtype, [index.size, classes], [y, index]);
  },
  cases: [
    {
      inputs: { index: { shape: [2, 3], dtype: "i32", high: 5 } },
      attrs: { classes: 5, dtype: "i32" },
      order: 0,
    },
  ],
});
/** y[..., c] = 1 where c is the index, else 0: [..., classes]. */
export function oneHot(index: Value, classes: number, dtype: DType = "i32"): Value {
  if (!Number.isInteger(classes) || classes < 1)
    fail("ERR_NABLA_VALUE", "oneHot", `there are no ${classes} classes`, { actual: classes });
  return oneHotOp({ index: checkIndices("oneHot", index, classes) }, { classes, dtype });
}

/** Positions, counted in row-major order, of the elements that are not 0. How many there are is read, so no step can contain it. */
function positions(op: string, x: Value): Value {
  return withGrad(false, () => {
    const flat = contiguous(x);
    const count = emptyValue([1], "i32");
    launch(K.nonzero_count, x.dtype, [1, x.size], [count, flat]);
    const y = emptyValue([elementsOf(op, count)[0]], "i32");
    launch(K.nonzero, x.dtype, [y.size, x.size], [y, flat]);
    return y;
  });
}
/** Coordinates of the elements that are not 0, in row-major order: i32 [count, ndim]. */
export function nonzero(x: Value): Value {
  const at = elementsOf("nonzero", positions("nonzero", x));
  const y = emptyValue([at.length, x.ndim], "i32");
  const to = y.storage.array.subarray(y.offset);
  const strides = contiguousStrides(x.shape);
  for (let i = 0; i < at.length; i++)
    for (let d = 0; d < x.ndim; d++) to[i * x.ndim + d] = Math.floor(at[i] / strides[d]) % x.shape[d];
  return y;
}
/** The elements of x where mask is true, in row-major order; both broadcast. */
export function maskedSelect(x: Value, mask: Value): Value {
  const shape = broadcastShapes(x.shape, mask.shape);
  if (!shape)
    return fail(
      "ERR_NABLA_SHAPE",
      "maskedSelect",
      `${showShape(x.shape)} and ${showShape(mask.shape)} do not broadcast`,
      {
        values: { x, mask },
      },
    );
  return pickRows(flatten(expand(x, shape)), 0, positions("maskedSelect", expand(mask, shape)));
}

/** A mask over dims of x, from `dim` on, as one index for each of them: where it is true. */
function fromMask(op: string, x: Value, mask: Value, dim: number): Value[] {
  const expected = x.shape.slice(dim, dim + mask.ndim);
  if (mask.ndim === 0 || !sameShape(mask.shape, expected))
    fail("ERR_NABLA_SHAPE", op, `a mask ${showShape(mask.shape)} does not cover dims ${showShape(expected)}`, {
      values: { x, mask },
      expected,
      actual: mask.shape,
      hint: "a mask has the sizes of the dims it stands for",
    });
  return unbind(nonzero(mask), 1);
}
/** Positions in the leading dims of x for one index each, all broadcast: their shape, and the positions as a vector. */
function joint(op: string, x: Value, given: readonly Value[]): { shape: number[]; at: Value; rest: number[] } {
  const indices: Value[] = [];
  for (const index of given)
    indices.push(...(index.dtype === "bool" ? fromMask(op, x, index, indices.length) : [index]));
  if (indices.length === 0 || indices.length > x.ndim)
    fail("ERR_NABLA_SHAPE", op, `${indices.length} indices for ${x.ndim} dimensions`, { values: { x } });
  const lead = x.shape.slice(0, indices.length);
  const strides = contiguousStrides(lead);
  const parts = indices.map((index, d) =>
    mul({ a: checkIndices(op, fromEnd(index, lead[d]), lead[d]), b: strides[d] }),
  );
  const sum = parts.reduce((a, b) => add({ a, b }));
  return { shape: sum.shape, at: reshape(sum, [-1]), rest: x.shape.slice(indices.length) };
}
const leading = (x: Value, rest: readonly number[]): Value =>
  reshape(x, [numel(x.shape.slice(0, x.ndim - rest.length)), ...rest]);
/**
 * x[index0, index1, ...]: [...shape of the indices, ...the other dims]. Indices broadcast, and count from the end below 0; a
 * mask is the positions where it is true.
 */
export function index(x: Value, indices: readonly Value[]): Value {
  const { shape, at, rest } = joint("index", x, indices);
  return reshape(pickRows(leading(x, rest), 0, at), [...shape, ...rest]);
}
export interface Put {
  /** Values are added to what is there. */
  readonly accumulate?: boolean;
}
/** x with values in the place of x[index0, index1, ...]. */
export function indexPut(x: Value, indices: readonly Value[], values: Value, options: Put = {}): Value {
  const { accumulate = false } = only("indexPut", options, ["accumulate"]);
  const { shape, at, rest } = joint("indexPut", x, indices);
  const src = reshape(expand(values, [...shape, ...rest]), [at.size, ...rest]);
  return reshape((accumulate ? indexAdd : indexCopy)(leading(x, rest), 0, at, src), x.shape);
}
/** The elements of x at positions counted in row-major order, below 0 from the end. */
export const take = (x: Value, at: Value): Value => index(flatten(x), [at]);

/** x with values at those positions. */
export const put = (x: Value, at: Value, values: Value, options?: Put): Value =>
  reshape(indexPut(flatten(x), [flatten(at)], flatten(values), options), x.shape);
/** x with the elements of source, in order, where mask is true; mask broadcasts. */
export function maskedScatter(x: Value, mask: Value, source: Value): Value {
  const flags = expand(cast(mask, "bool"), x.shape);
  const at = maximum({ a: sub({ a: cumsum(flatten(flags), 0), b: 1 }), b: 0 });
  const from = reshape(pickRows(flatten(source), 0, cast(at, "i32")), x.shape);
  return where({ condition: flags, a: from, b: x });
}
/** x with src in the place of x.select(dim, at). */
export const selectScatter = (x: Value, src: Value, dim: number, at: number): Value =>
  indexCopy(x, dim, fromEnd(full([1], at, "i32"), x.shape.at(dim) ?? 1), unsqueeze(src, dim));

/** The different elements of x, sorted. How many there are is read. */
export function unique(x: Value): Value {
  const { values } = withGrad(false, () => sort(flatten(x)));
  if (values.size === 0) return values;
  const differs = ne({ a: slice(values, 0, 1), b: slice(values, 0, 0, -1) });
  return pickRows(values, 0, positions("unique", cat([ones([1], "bool"), differs])));
}
