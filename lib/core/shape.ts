import { fail, showShape } from "./errors.ts";

export type Dims = readonly number[];
export const maxRank = 8;
/** The largest array V8 hands out is 2^33 elements; beyond it a shape is refused before anything is allocated. */
const maxElements = 2 ** 33;

export function numel(shape: Dims): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

/** A shape given by a user: whole numbers from 0, at most maxRank of them, together at most 2^33 elements. */
export function checkShape(op: string, shape: unknown): number[] {
  if (!Array.isArray(shape)) fail("ERR_NABLA_SHAPE", op, "a shape is a list of sizes", { actual: shape });
  // A loop: Array.from with a function takes ten times as long, and every result has a shape.
  const dims = new Array<number>(shape.length);
  for (let i = 0; i < shape.length; i++) dims[i] = checkSize(op, shape[i], shape);
  if (dims.length > maxRank)
    fail("ERR_NABLA_SHAPE", op, `${dims.length} dimensions, at most ${maxRank} are supported`, { actual: dims });
  const n = numel(dims);
  if (!(n <= maxElements)) {
    fail(
      "ERR_NABLA_SHAPE",
      op,
      `shape ${showShape(dims)} has ${n} elements (${n * 4} bytes in f32), more than an array can hold`,
      {
        expected: maxElements,
        actual: n,
      },
    );
  }
  return dims;
}

function checkSize(op: string, d: unknown, shape: unknown[]): number {
  if (typeof d === "number" && Number.isInteger(d) && d >= 0) return d + 0;
  return fail(
    "ERR_NABLA_SHAPE",
    op,
    `size ${typeof d === "string" ? JSON.stringify(d) : String(d)} in shape [${shape.map(String).join(", ")}] is not a whole number from 0`,
    {
      expected: "whole numbers from 0",
      actual: d,
    },
  );
}

/** Row-major steps: the last dimension has step 1. */
export function contiguousStrides(shape: Dims): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

export function isContiguous(shape: Dims, strides: Dims): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true;
    if (shape[i] !== 1) {
      if (strides[i] !== step) return false;
      step *= shape[i]!;
    }
  }
  return true;
}

export function sameShape(a: Dims, b: Dims): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The common shape of two, NumPy's rule: sizes are equal or one of them is 1. Undefined where they do not broadcast. */
export function broadcastShapes(a: Dims, b: Dims): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = i <= a.length ? a[a.length - i]! : 1;
    const y = i <= b.length ? b[b.length - i]! : 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    out[rank - i] = x === 1 ? y : x;
  }
  return out;
}

/** -1 counts from the end. */
export function checkDim(op: string, dim: unknown, rank: number): number {
  const limit = Math.max(rank, 1);
  if (typeof dim !== "number" || !Number.isInteger(dim) || dim < -limit || dim >= limit) {
    fail(
      "ERR_NABLA_INDEX",
      op,
      `dim ${String(dim)} is outside ${-limit}..${limit - 1} for a tensor of ${rank} dimensions`,
      {
        expected: [-limit, limit - 1],
        actual: dim,
      },
    );
  }
  return dim < 0 ? dim + limit : dim + 0;
}

/** A list of dims: undefined means all; a repeated one is an error. Ascending. */
export function checkDims(op: string, dims: number | Dims | undefined, rank: number): number[] {
  if (dims === undefined) {
    const all = new Array<number>(rank);
    for (let i = 0; i < rank; i++) all[i] = i;
    return all;
  }
  const list = (typeof dims === "number" ? [dims] : [...dims]).map((d) => checkDim(op, d, rank));
  const sorted = list.sort((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) fail("ERR_NABLA_INDEX", op, `dim ${sorted[i]} is named twice`, { actual: dims });
  }
  return rank === 0 ? [] : sorted;
}
