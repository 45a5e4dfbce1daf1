import type { DType, TypedArrayOf } from "../types/shape.ts";
import { fail } from "./errors.ts";

export type { DType, TypedArrayOf };
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array | Int8Array;

interface Kind {
  readonly bytes: number;
  readonly array: { new (buffer: ArrayBufferLike, offset: number, length: number): TypedArray };
  /** Order of promotion: the higher category of two operands wins; bool 0, integers 1, floats 2. */
  readonly category: 0 | 1 | 2;
  /** Within a category the wider wins. */
  readonly rank: number;
}

const kinds: Record<DType, Kind> = {
  bool: { bytes: 1, array: Uint8Array, category: 0, rank: 0 },
  u8: { bytes: 1, array: Uint8Array, category: 1, rank: 1 },
  i8: { bytes: 1, array: Int8Array, category: 1, rank: 2 },
  i32: { bytes: 4, array: Int32Array, category: 1, rank: 3 },
  bf16: { bytes: 2, array: Uint16Array, category: 2, rank: 4 },
  f16: { bytes: 2, array: Uint16Array, category: 2, rank: 5 },
  f32: { bytes: 4, array: Float32Array, category: 2, rank: 6 },
  f64: { bytes: 8, array: Float64Array, category: 2, rank: 7 },
};

export const dtypes: readonly DType[] = ["f32", "f64", "i32", "u8", "bool"];
/** What a tensor may be of; there is arithmetic in `dtypes` alone. */
const stored: readonly DType[] = [...dtypes, "bf16"];
export const bytesOf = (d: DType): number => kinds[d].bytes;
export const isFloat = (d: DType): boolean => kinds[d].category === 2;

export function viewOf(d: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  return new kinds[d].array(buffer, byteOffset, length);
}

/** The dtype of an operation on both, PyTorch's table for the dtypes there are: f32 with i32 is f32, bool with u8 is u8. */
export function promote(a: DType, b: DType): DType {
  return kinds[a].rank >= kinds[b].rank ? a : b;
}

/** A JavaScript number takes the tensor's dtype unless it is of a higher category: an i32 tensor plus 0.5 is f32. */
export function promoteNumber(a: DType, x: number): DType {
  if (kinds[a].category === 2) return a;
  if (!Number.isInteger(x)) return "f32";
  return a === "bool" ? "i32" : a;
}

export function checkDType(op: string, d: unknown): DType {
  if (dtypes.includes(d as DType)) return d as DType;
  const known = typeof d === "string" && Object.hasOwn(kinds, d);
  return fail("ERR_NABLA_DTYPE", op, known ? `there is no arithmetic in ${d}` : `there is no dtype ${String(d)}`, {
    expected: dtypes,
    actual: d,
    hint: `one of ${dtypes.join(", ")}`,
  });
}

/** A dtype that tensors can have, with or without arithmetic. */
export function checkStored(op: string, d: unknown): DType {
  return stored.includes(d as DType) ? (d as DType) : checkDType(op, d);
}

/** The dtype a typed array stands for; undefined for arrays nabla does not take. */
export function dtypeOf(array: unknown): DType | undefined {
  if (array instanceof Float32Array) return "f32";
  if (array instanceof Float64Array) return "f64";
  if (array instanceof Int32Array) return "i32";
  if (array instanceof Uint8Array) return "u8";
  return undefined;
}
