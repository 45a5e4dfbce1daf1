// Elements chosen by position along a dimension, and written there. Kernels never trust an index: outside the dimension it
// reads a 0 and writes nothing.
import type { DType } from "../core/dtype.ts";
import { fail, showShape } from "../core/errors.ts";
import { broadcastShapes, checkDim, sameShape } from "../core/shape.ts";
import { emptyValue, type Value, viewValue } from "../core/value.ts";
import { launch, launchMap, type Operand, verify } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import { assign, cast, contiguous, eq, lt, where } from "./arithmetic.ts";
import { full, ones, zeros } from "./create.ts";
import { along, resized } from "./cube.ts";
import { plus, times } from "./formula.ts";
import { expand, flatten, reshape, slice } from "./view.ts";

interface Along {
  readonly dim: number;
}
/** A dimension, and the size it has in what was read: a gradient is as large. */
interface Sized extends Along {
  readonly size: number;
}

function coordinates(position: number, shape: readonly number[]): string {
  let rest = position;
  const at = shape.toReversed().map((size) => {
    const i = rest % size;
    rest = (rest - i) / size;
    return i;
  });
  return `[${at.reverse().join(", ")}]`;
}
/** Indices as i32, each in 0 .. size - 1 or ERR_NABLA_INDEX; in a compiled step, in every run. */
export function checkIndices(op: string, index: Value, size: number): Value {
  if (index.isFloat)
    fail("ERR_NABLA_DTYPE", op, `indices are whole numbers, these are ${index.dtype}`, {
      values: { index },
      hint: 'x.to("i32")',
    });
  const at = cast(index, "i32");
  if (at.size === 0) return at;
  const bad = emptyValue([1], "i32");
  const none = size > 0 ? 0 : -(2 ** 31);
  const flat = contiguous(at);
  launch(K.check_index, "f32", [1, at.size], [bad, flat], [0, size, none]);
  verify(bad, flat, (position, value) => {
    const found = value === undefined ? "" : ` ${value}`;
    return fail(
      "ERR_NABLA_INDEX",
      op,
      `index${found} at ${coordinates(position, at.shape)} is outside 0..${size - 1}`,
      {
        values: { index },
        expected: [0, size - 1],
        actual: value,
      },
    );
  });
  return at;
}

/** x cut to the sizes of another shape outside dim. */
function narrowed(x: Value, shape: readonly number[], dim: number): Value {
  return x.shape.reduce((y, size, i) => (i === dim || shape[i] === size ? y : slice(y, i, 0, shape[i])), x);
}
/** index has as many dimensions as x, and is nowhere larger outside dim. */
function checkFits(op: string, dim: number, index: Value, x: Readonly<Record<string, Value>>): void {
  for (const v of Object.values(x)) {
    if (v.ndim === index.ndim && index.shape.every((size, i) => i === dim || size <= v.shape[i])) continue;
    fail("ERR_NABLA_SHAPE", op, `an index ${showShape(index.shape)} does not fit ${showShape(v.shape)} along ${dim}`, {
      values: { ...x, index },
      expected: v.shape,
      actual: index.shape,
      hint: `the same number of dimensions, none larger except dim ${dim}`,
    });
  }
}

const places = { shape: [2, 3], dtype: "i32" as const, data: [2, 0, 1, 0, 3, 3] };
const apart = { shape: [2, 3], dtype: "i32" as const, data: [0, 3, 1, 2, 0, 3] };

/** y[i, j, l] = x[i, index[i, j, l], l], the middle one dim; x has the sizes of index elsewhere, and `size` there. */
const gatherOp = op({
  name: "gather",
  inputs: ["x", "index"],
  keep: ["index"],
  infer: ({ x, index }, _: Sized): Spec => ({ shape: index.shape, dtype: x.dtype }),
  forward({ y }, { x, index }, { dim }) {
    if (y.size === 0) return;
    const [from, at] = [along(x, dim), along(index, dim)];
    const [[a, k, b], n] = [at.extents, from.extents[1]];
    launch(K.gather, y.dtype, [a, k, b, n], [y, from.walk, at.walk]);
  },
  grad: { x: (gy, { index }, attrs): Value => gatherGrad({ src: gy, index }, attrs) },
  cases: [{ inputs: { x: [2, 4], index: { ...places, shape: [2, 3] } }, attrs: { dim: 1, size: 4 } }],
});
/** Zeros, with src[i, j, l] added at [i, index[i, j, l], l]. */
const gatherGrad = op({
  name: "gather_grad",
  inputs: ["src", "index"],
  keep: ["index"],
  infer: ({ src, index }, { dim, size }: Sized): Spec => ({ shape: resized(index.shape, dim, size), dtype: src.dtype }),
  forward({ y }, { src, index }, { dim }) {
    assign(y, 0);
    scatterInto(K.scatter_add, y, index, src, dim);
  },
  grad: { src: (gy, { index }, attrs): Value => gatherOp({ x: gy, index }, attrs) },
  cases: [{ inputs: { src: [2, 3], index: places }, attrs: { dim: 1, size: 4 } }],
});
/** The elements at positions that are known to lie inside. */
export function pick(x: Value, dim: number, index: Value): Value {
  return gatherOp({ x: narrowed(x, index.shape, dim), index }, { dim, size: x.shape[dim] ?? 1 });
}
/** The gradient of pick. */
export const place = (src: Value, dim: number, index: Value, size: number): Value =>
  gatherGrad({ src, index }, { dim, size });

export function gather(x: Value, dim: number, index: Value): Value {
  const d = checkDim("gather", dim, x.ndim);
  if (x.ndim === 0 || index.ndim === 0) return gatherLine(x, index);
  checkFits("gather", d, index, { x });
  return pick(x, d, checkIndices("gather", index, x.shape[d] ?? 1));
}
/** A scalar is a line of one element. */
const gatherLine = (x: Value, index: Value): Value =>
  reshape(gather(reshape(x, [-1]), 0, reshape(index, [-1])), index.shape);
/** Indices below 0 count from the end. */
export function fromEnd(index: Value, size: number): Value {
  return where({ condition: lt({ a: index, b: 0 }), a: plus(index, size), b: index });
}
/** gather, with the other dimensions broadcast and indices that may count from the end; without a dim, of all elements in order. */
export function takeAlongDim(x: Value, index: Value, dim?: number): Value {
  if (dim === undefined) return takeAlongDim(flatten(x), flatten(index), 0);
  const d = checkDim("takeAlongDim", dim, x.ndim);
  const shape = x.ndim === index.ndim ? broadcastShapes(resized(x.shape, d, 1), resized(index.shape, d, 1)) : undefined;
  if (!shape)
    return fail("ERR_NABLA_SHAPE", "takeAlongDim", "the other dimensions do not broadcast", { values: { x, index } });
  const wide = (v: Value) => expand(v, resized(shape, d, v.shape[d]));
  return gather(wide(x), d, fromEnd(wide(index), x.shape[d]));
}

/** Scatters into y, which may be larger than index outside dim: then its corner is worked on apart. */
function scatterInto(kernel: Kernel, y: Value, index: Value, src: Value, dim: number): void {
  if (index.size === 0 || y.size === 0) return;
  const corner = viewValue(y, resized(index.shape, dim, y.shape[dim] ?? 1), y.strides, y.offset);
  const to = contiguous(corner);
  const [from, at] = [along(src, dim), along(index, dim)];
  const [[a, k, b], n] = [at.extents, y.shape[dim] ?? 1];
  launch(kernel, y.dtype, [a, n, b, k], [to, from.walk, at.walk]);
  if (to !== corner) launchMap(K.copy, y.dtype, [corner, to]);
}

/** x with src[i, j, l] added at, or put in the place of, [i, index[i, j, l], l]; of two put in one place the last stays. */
function scattering(name: "scatter" | "scatter_add", passed: (gy: Value, index: Value, dim: number) => Value) {
  return op({
    name,
    inputs: ["x", "index", "src"],
    keep: ["index"],
    infer: ({ x }, _: Along): Spec => ({ shape: x.shape, dtype: x.dtype }),
    forward({ y }, { x, index, src }, { dim }) {
      assign(y, x);
      scatterInto(K[name], y, index, src, dim);
    },
    grad: {
      x: (gy, { index }, { dim }): Value => passed(gy, index, dim),
      src: (gy, { index }, { dim }): Value => pick(gy, dim, index),
    },
    cases: [
      { inputs: { x: [2, 4], index: apart, src: [2, 3] }, attrs: { dim: 1 } },
      { inputs: { x: [4, 5], index: apart, src: [2, 3] }, attrs: { dim: 0 } },
    ],
  });
}
const scatterOp = scattering("scatter", (gy, index, dim): Value => {
  const src = expand(zeros([], gy.dtype), index.shape);
  return scatterOp({ x: gy, index, src }, { dim });
});
const scatterAddOp = scattering("scatter_add", (gy) => gy);

/** A number as a tensor of that shape, without the memory. */
const filled = (shape: readonly number[], value: number, dtype: DType): Value => expand(full([], value, dtype), shape);

type Write = typeof scatterAddOp;
function scattered(name: string, write: Write, x: Value, dim: number, index: Value, src: Operand): Value {
  const d = checkDim(name, dim, x.ndim);
  const given = typeof src === "number" ? filled(index.shape, src, x.dtype) : src;
  checkFits(name, d, index, { x });
  checkFits(name, -1, index, { src: given });
  checkAlike(name, x, given);
  const at = checkIndices(name, index, x.shape[d] ?? 1);
  return write({ x, index: at, src: narrowed(given, index.shape, -1) }, { dim: d });
}
function checkAlike(op: string, x: Value, src: Value): void {
  if (x.dtype !== src.dtype)
    fail("ERR_NABLA_DTYPE", op, `x is ${x.dtype}, what is written is ${src.dtype}`, {
      values: { x, src },
      hint: `cast it: src.to("${x.dtype}")`,
    });
}
export const scatter = (x: Value, dim: number, index: Value, src: Operand): Value =>
  scattered("scatter", scatterOp, x, dim, index, src);
export const scatterAdd = (x: Value, dim: number, index: Value, src: Operand): Value =>
  scattered("scatterAdd", scatterAddOp, x, dim, index, src);

/** Index of a row op, in order; `skip` is the position whose gradient is left out (-1: none). */
interface Skipping extends Sized {
  readonly skip: number;
}
const lines = { shape: [3], dtype: "i32" as const, data: [3, 0, 3] };

/** y[i, j, :] = x[i, index[j], :] */
const indexSelectOp = op({
  name: "index_select",
  inputs: ["x", "index"],
  keep: ["index"],
  prepare: ({ x, index }) => ({ x, index: contiguous(index) }),
  infer: ({ x, index }, { dim }: Skipping): Spec => ({ shape: resized(x.shape, dim, index.size), dtype: x.dtype }),
  forward({ y }, { x, index }, { dim }) {
    if (y.size === 0) return;
    const { extents, walk } = along(x, dim);
    launch(K.index_select, y.dtype, [extents[0], index.size, extents[2], extents[1]], [y, walk, index]);
  },
  grad: {
    x:
      (gy, { index }, attrs) =>
      (before) =>
        before ? indexAddOp({ x: before, index, src: gy }, attrs) : indexSelectGrad({ src: gy, index }, attrs),
  },
  cases: [
    { inputs: { x: [4, 2], index: lines }, attrs: { dim: 0, size: 4, skip: -1 } },
    { inputs: { x: [2, 4, 3], index: lines }, attrs: { dim: 1, size: 4, skip: -1 } },
  ],
});
/** Zeros, with src[i, j, :] added at [i, index[j], :], except where index is `skip`. */
const indexSelectGrad = op({
  name: "index_select_grad",
  inputs: ["src", "index"],
  keep: ["index"],
  prepare: ({ src, index }) => ({ src, index: contiguous(index) }),
  infer: ({ src }, { dim, size }: Skipping): Spec => ({ shape: resized(src.shape, dim, size), dtype: src.dtype }),
  forward({ y }, { src, index }, { dim, skip }) {
    assign(y, 0);
    rowsInto(K.index_add, y, index, src, dim, [skip]);
  },
  grad: { src: (gy, { index }, attrs): Value => pickedRows(gy, index, attrs) },
  cases: [{ inputs: { src: [3, 2], index: lines }, attrs: { dim: 0, size: 4, skip: 0 } }],
});
/** The gradient of what was added at index: nothing where that is `skip`. */
function pickedRows(gy: Value, index: Value, attrs: Skipping): Value {
  const outside = attrs.skip < 0 ? index : where({ condition: eq({ a: index, b: attrs.skip }), a: -1, b: index });
  return indexSelectOp({ x: gy, index: outside }, attrs);
}
function rowsInto(kernel: Kernel, y: Value, index: Value, src: Value, dim: number, scalars: number[]): void {
  if (src.size === 0 || y.size === 0) return;
  const { extents, walk } = along(src, dim);
  const [a, k, b] = extents;
  launch(kernel, y.dtype, [a, y.shape[dim] ?? 1, b, k], [y, walk, index], scalars);
}

function vector(op: string, index: Value): Value {
  if (index.ndim > 1) fail("ERR_NABLA_SHAPE", op, "the index is a vector", { values: { index } });
  return reshape(index, [-1]);
}
/** Slices at positions that are known to lie inside; `skip` gets no gradient. */
export const pickRows = (x: Value, dim: number, index: Value, skip = -1): Value =>
  indexSelectOp({ x, index }, { dim, size: x.shape[dim] ?? 1, skip });

export function indexSelect(x: Value, dim: number, index: Value): Value {
  const d = checkDim("indexSelect", dim, x.ndim);
  return pickRows(x, d, checkIndices("indexSelect", vector("indexSelect", index), x.shape[d] ?? 1));
}
/** Rows of weight [n, d] for ids of any shape: [..., d]. The row paddingIdx gets no gradient. */
export function embedding(weight: Value, ids: Value, paddingIdx?: number): Value {
  if (weight.ndim !== 2)
    fail("ERR_NABLA_SHAPE", "embedding", "the weight is a matrix of one row an id", { values: { weight } });
  const [n, width] = weight.shape;
  const skip = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + n : (paddingIdx ?? -1);
  if (paddingIdx !== undefined && !(Number.isInteger(skip) && skip >= 0 && skip < n))
    fail("ERR_NABLA_INDEX", "embedding", `paddingIdx ${paddingIdx} is outside ${-n}..${n - 1}`, { values: { weight } });
  const rows = pickRows(weight, 0, reshape(checkIndices("embedding", ids, n), [-1]), skip);
  return reshape(rows, [...ids.shape, width]);
}

/** Nothing is added where the index is `skip`. */
interface Adding extends Along {
  readonly skip?: number;
}
/** x with src[i, j, :] added at, or put in the place of, [i, index[j], :]; of two put in one place the last stays. */
function writing(name: "index_add" | "index_copy", passed: (gy: Value, index: Value, dim: number) => Value) {
  return op({
    name,
    inputs: ["x", "index", "src"],
    keep: ["index"],
    prepare: ({ x, index, src }) => ({ x, index: contiguous(index), src }),
    infer: ({ x }, _: Adding): Spec => ({ shape: x.shape, dtype: x.dtype }),
    forward({ y }, { x, index, src }, { dim, skip = -1 }) {
      assign(y, x);
      rowsInto(K[name], y, index, src, dim, name === "index_add" ? [skip] : []);
    },
    grad: {
      x: (gy, { index }, { dim }): Value => passed(gy, index, dim),
      src: (gy, { index }, { dim, skip = -1 }): Value => pickedRows(gy, index, { dim, size: gy.shape[dim] ?? 1, skip }),
    },
    cases: [
      { inputs: { x: [2, 4], index: { ...lines, data: [3, 0, 1] }, src: [2, 3] }, attrs: { dim: 1 } },
      { inputs: { x: [5, 2], index: { ...lines, data: [3, 0, 1] }, src: [3, 2] }, attrs: { dim: 0 } },
    ],
  });
}
const indexAddOp = writing("index_add", (gy) => gy);
const indexCopyOp = writing("index_copy", (gy, index, dim): Value => {
  const src = expand(zeros([], gy.dtype), resized(gy.shape, dim, index.size));
  return indexCopyOp({ x: gy, index, src }, { dim });
});

function written(name: string, write: Write, x: Value, dim: number, index: Value, src: Value): Value {
  const d = checkDim(name, dim, x.ndim);
  const flat = vector(name, index);
  const expected = resized(x.shape, d, flat.size);
  if (!sameShape(src.shape, expected))
    fail("ERR_NABLA_SHAPE", name, `what is written has shape ${showShape(src.shape)}`, {
      values: { x, index, src },
      expected,
      actual: src.shape,
    });
  checkAlike(name, x, src);
  return write({ x, index: checkIndices(name, flat, x.shape[d] ?? 1), src }, { dim: d });
}
/** x with alpha src added to the slices at index. */
export const indexAdd = (x: Value, dim: number, index: Value, src: Value, alpha = 1): Value =>
  written("indexAdd", indexAddOp, x, dim, index, alpha === 1 ? src : times(src, alpha));
/** x with src in the place of the slices at index. */
export const indexCopy = (x: Value, dim: number, index: Value, src: Value): Value =>
  written("indexCopy", indexCopyOp, x, dim, index, src);
/** x with one number in the place of the slices at index. */
export function indexFill(x: Value, dim: number, index: Value, value: Operand): Value {
  const d = checkDim("indexFill", dim, x.ndim);
  const n = x.shape[d] ?? 1;
  const flags = indexCopy(zeros([n], "bool"), 0, vector("indexFill", index), expand(ones([], "bool"), [index.size]));
  const condition = reshape(
    flags,
    x.shape.map((_, i) => (i === d ? n : 1)),
  );
  return where({ condition, a: typeof value === "number" ? value : cast(value, x.dtype), b: x });
}
