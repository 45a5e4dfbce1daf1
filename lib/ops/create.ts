import { bytesOf, type DType, dtypeOf, isFloat, type TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { checkShape, type Dims, numel } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { assign } from "./arithmetic.ts";

export function full(shape: Dims, value: number, dtype: DType = "f32"): Value {
  const y = emptyValue(checkShape("full", shape), dtype);
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
  const y = zeros([n, m], dtype);
  const to = elements(y);
  for (let i = 0; i < Math.min(n, m); i++) to[i * m + i] = 1;
  return y;
}

/** A copy of a typed array. Element types nabla does not compute in are converted: Float16, (u)int 8 to 32 exactly, BigInt64 where it fits. */
export function fromArray(array: ArrayLike<number | bigint>, shape?: Dims, dtype?: DType): Value {
  const own =
    dtypeOf(array) ??
    (dtype && !isFloat(dtype) ? dtype : array instanceof BigInt64Array || isInteger(array) ? "i32" : "f32");
  const target = dtype ?? own;
  const dims = checkShape("tensor", shape ?? [array.length]);
  if (numel(dims) !== array.length) {
    fail("ERR_NABLA_SHAPE", "tensor", `${array.length} elements do not fit the shape [${dims.join(", ")}]`, {
      expected: numel(dims),
      actual: array.length,
    });
  }
  const y = emptyValue(dims, target);
  fill(elements(y), array, target);
  return y;
}
const isInteger = (a: unknown): boolean =>
  a instanceof Int8Array ||
  a instanceof Int16Array ||
  a instanceof Uint16Array ||
  a instanceof Uint8ClampedArray ||
  a instanceof Uint32Array;

function fill(to: TypedArray, from: ArrayLike<number | bigint>, dtype: DType): void {
  if (dtypeOf(from) === dtype && bytesOf(dtype) === (from as TypedArray).BYTES_PER_ELEMENT) {
    to.set(from as TypedArray);
    return;
  }
  for (let i = 0; i < to.length; i++) {
    const x = Number(from[i]);
    if (dtype === "i32" && (x > 2147483647 || x < -2147483648))
      fail("ERR_NABLA_VALUE", "tensor", `element ${i} is ${x}, which i32 cannot hold`, { actual: x });
    to[i] = dtype === "bool" ? (x === 0 ? 0 : 1) : x;
  }
}

export type NestedData = number | boolean | readonly NestedData[];

/** The shape of nested lists, every row as long as the first. */
function shapeOf(data: NestedData): number[] {
  const shape: number[] = [];
  for (let level: NestedData = data; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > 64) fail("ERR_NABLA_SHAPE", "tensor", "the data is nested more than 64 deep");
    if (level.length === 0) break;
  }
  return shape;
}

function copyNested(data: NestedData, shape: Dims, depth: number, path: number[], out: (number | boolean)[]): void {
  if (depth === shape.length) {
    if (typeof data !== "number" && typeof data !== "boolean") {
      fail(
        "ERR_NABLA_TYPE",
        "tensor",
        `element [${path.join("][")}] is ${Array.isArray(data) ? "a list" : String(data)}, not a number`,
        { actual: data },
      );
    }
    out.push(data as number | boolean);
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[depth]) {
    const what = Array.isArray(data) ? `has ${data.length} elements` : "is not a list";
    fail("ERR_NABLA_SHAPE", "tensor", `ragged data: row [${path.join("][")}] ${what}, the first has ${shape[depth]}`, {
      expected: shape[depth],
      actual: Array.isArray(data) ? data.length : data,
    });
  }
  const rows = data as readonly NestedData[];
  for (let i = 0; i < rows.length; i++) copyNested(rows[i], shape, depth + 1, [...path, i], out);
}

/** From nested lists: f32, or bool where every element is true or false. */
export function fromNested(data: NestedData, dtype?: DType): Value {
  const shape = checkShape("tensor", shapeOf(data));
  const flat: (number | boolean)[] = [];
  copyNested(data, shape, 0, [], flat);
  const bools = flat.length > 0 && flat.every((x) => typeof x === "boolean");
  return fromArray(flat.map(Number), shape, dtype ?? (bools ? "bool" : "f32"));
}
