import type { DType } from "./dtype.ts";
import { contiguousStrides, type Dims, numel } from "./shape.ts";
import { allocate } from "./storage.ts";
import { makeValue, type Value } from "./value.ts";

/** Whether the elements fill one stretch of memory, in any order of dimensions: a transposed matrix does, a slice does not. */
export function isDense(shape: Dims, strides: Dims): boolean {
  const order = shape.map((_, i) => i).filter((i) => shape[i] !== 1);
  if (shape.includes(0)) return true;
  order.sort((a, b) => strides[a] - strides[b]);
  let step = 1;
  for (const i of order) {
    if (strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

/** Whether both walk their memory alike, so that flat kernels see equal elements at equal places. */
export function sameLayout(a: Value, b: Value): boolean {
  return a.shape.every((size, i) => size === b.shape[i] && (size === 1 || a.strides[i] === b.strides[i]));
}

/** Uninitialised, of the same shape and, where x is dense, the same order in memory. */
export function emptyLike(x: Value, dtype: DType = x.dtype): Value {
  const strides = isDense(x.shape, x.strides) ? x.strides : contiguousStrides(x.shape);
  return makeValue(allocate(dtype, numel(x.shape)), 0, x.shape, strides, dtype);
}
