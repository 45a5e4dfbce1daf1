// Golden tensors as values of the library, and back.
import { type DType, dtypes, type TypedArray, viewOf } from "../../lib/core/dtype.ts";
import { numel } from "../../lib/core/shape.ts";
import { type Value, wrapArray } from "../../lib/core/value.ts";
import { convert } from "../../lib/io/convert.ts";
import { cast, contiguous, expand, permute, slice, transpose } from "../../lib/ops/index.ts";
import type { Numbers } from "./comparison.ts";
import { Skip } from "./outcome.ts";
import { dtypeName, type Stored } from "./reader.ts";

/** The dtype that stands for a golden one: i64 is i32, everything else itself. */
export function dtypeOf(name: string): DType {
  const short = dtypeName(name);
  const dtype = short === "i64" ? "i32" : short;
  if ((dtypes as readonly string[]).includes(dtype)) return dtype as DType;
  throw new Skip(`no tensors of ${short}`);
}

function i32s(data: ArrayLike<bigint>): Int32Array {
  return Int32Array.from(data, (x) => {
    if (BigInt.asIntN(32, x) !== x) throw new Skip(`int64 value ${x}, and integers are i32`);
    return Number(x);
  });
}

/** f16 and bf16 as f32, which holds every one of them; by the library's reader of files. */
export function widened({ dtype, shape, data }: Stored): Stored {
  if (dtype !== "f16" && dtype !== "bf16") return { dtype, shape, data };
  const wide = new Float32Array(data.length);
  convert("golden", "tensor", dtype === "f16" ? "F16" : "BF16", data.buffer as ArrayBuffer, wide);
  return { dtype: "f32", shape, data: wide };
}
export function fromStored({ dtype, shape, data }: Stored): Value {
  const own = dtypeOf(dtype);
  const array = data instanceof BigInt64Array ? i32s(data) : data;
  return wrapArray(new (array.constructor as new (x: Numbers) => TypedArray)(array as never), [...shape], own);
}
export function scalar(x: number, dtype: DType = "f32"): Value {
  const y = wrapArray(viewOf(dtype, new ArrayBuffer(8), 0, 1), [], dtype);
  y.storage.array[0] = x;
  return y;
}
export function zerosOf(shape: readonly number[], dtype: DType): Value {
  const bytes = new ArrayBuffer(8 * numel(shape));
  return wrapArray(viewOf(dtype, bytes, 0, numel(shape)), [...shape], dtype);
}

/** A step of an input's `view`: ["transpose", 0, 1], ["permute", dims], ["expand", sizes], ["slice", dim, start, stop, step]. */
export type ViewStep = readonly [name: string, ...args: (number | number[])[]];
export function viewed(base: Value, steps: readonly ViewStep[]): Value {
  return steps.reduce((x, [name, ...args]) => {
    const [a, b, c, d] = args as number[];
    if (name === "transpose") return transpose(x, a, b);
    if (name === "permute") return permute(x, args[0] as number[]);
    if (name === "expand") return expand(x, args[0] as number[]);
    if (name === "slice") return slice(x, a!, b, c, d);
    throw new Skip(`no view ${name}`);
  }, base);
}

/** The elements in row-major order. */
export function numbers(x: Value): TypedArray {
  const flat = contiguous(x);
  return flat.storage.array.subarray(flat.offset, flat.offset + numel(flat.shape));
}
/** A whole value as JavaScript numbers. */
export const integers = (x: Value): number[] => Array.from(numbers(cast(x, "i32")));
