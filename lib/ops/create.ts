import { checkKind, checkPlain } from "../core/boundary.ts";
import type { DType, TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { checkShape, type Dims, numel } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { assign } from "./arithmetic.ts";

export function empty(shape: Dims, dtype: DType = "f32"): Value {
  return emptyValue(checkShape("empty", shape), dtype);
}
export function full(shape: Dims, value: number, dtype: DType = "f32", op = "full"): Value {
  checkKind(op, "the value", value, "number");
  const y = emptyValue(checkShape(op, shape), dtype);
  assign(y, value);
  return y;
}
export const zeros = (shape: Dims, dtype: DType = "f32"): Value => full(shape, 0, dtype);
export const ones = (shape: Dims, dtype: DType = "f32"): Value => full(shape, 1, dtype);

/** The elements of a fresh value, for filling it from JavaScript. */
function elements(y: Value): TypedArray {
  return y.storage.array.subarray(y.offset, y.offset + numel(y.shape));
}

/** start, start + step, ... up to but without end. */
export function arange(start: number, end: number, step = 1, dtype: DType = "i32"): Value {
  checkPlain("arange", { start, end, step });
  if (!Number.isFinite(start) || !Number.isFinite(end) || !Number.isFinite(step) || step === 0) {
    fail("ERR_NABLA_VALUE", "arange", `cannot count from ${start} to ${end} by ${step}`, {
      actual: [start, end, step],
    });
  }
  const y = emptyValue(checkShape("arange", [Math.max(0, Math.ceil((end - start) / step))]), dtype);
  const to = elements(y);
  for (let i = 0; i < to.length; i++) to[i] = start + i * step;
  return y;
}
/** steps numbers from start to end, both included. */
export function linspace(start: number, end: number, steps: number, dtype: DType = "f32"): Value {
  checkPlain("linspace", { start, end, steps });
  const y = emptyValue(checkShape("linspace", [steps]), dtype);
  const to = elements(y);
  for (let i = 0; i < to.length; i++)
    to[i] =
      steps === 1
        ? start
        : i < steps / 2
          ? start + ((end - start) * i) / (steps - 1)
          : end - ((end - start) * (steps - 1 - i)) / (steps - 1);
  return y;
}
export function eye(n: number, m: number = n, dtype: DType = "f32"): Value {
  // Filled from here alone: half by a kernel, a recorded step would replay the zeros and lose the ones.
  const y = emptyValue(checkShape("eye", [n, m]), dtype);
  const to = elements(y).fill(0);
  for (let i = 0; i < Math.min(n, m); i++) to[i * m + i] = 1;
  return y;
}
