import type { DType, TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import type { FileType } from "./header.ts";

/** The element type nabla computes in for each of a file's. Half floats become f32 exactly, whole numbers i32 where they fit. */
export const readAs: Record<FileType, DType> = {
  F64: "f64",
  F32: "f32",
  F16: "f32",
  BF16: "f32",
  I64: "i32",
  U64: "i32",
  U32: "i32",
  I32: "i32",
  I16: "i32",
  U16: "i32",
  I8: "i32",
  U8: "u8",
  BOOL: "bool",
};
export const writeAs: Partial<Record<DType, FileType>> = {
  f64: "F64",
  f32: "F32",
  i32: "I32",
  u8: "U8",
  bool: "BOOL",
  bf16: "BF16",
};

let halves: Float32Array | undefined;
/** Every f16 as f32: sign, 5 bits of exponent, 10 of fraction. */
function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    if (exponent === 31) halves[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else halves[bits] = sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
  }
  return halves;
}

type Integers = Int8Array | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;
const integerArrays: Partial<Record<FileType, { new (buffer: ArrayBuffer): Integers }>> = {
  I8: Int8Array,
  I16: Int16Array,
  U16: Uint16Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

/** Whether elements of the file are stored as nabla stores them. */
export const isPlain = (dtype: FileType): boolean => writeAs[readAs[dtype]] === dtype && dtype !== "BOOL";

/** Fills `to` from the file's bytes of the same number of elements. */
export function convert(file: string, name: string, dtype: FileType, bytes: ArrayBuffer, to: TypedArray): void {
  if (dtype === "BF16") {
    const from = new Uint16Array(bytes);
    const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
    for (let i = 0; i < from.length; i++) bits[i] = from[i] << 16;
  } else if (dtype === "F16") {
    const from = new Uint16Array(bytes);
    const table = halfTable();
    for (let i = 0; i < from.length; i++) to[i] = table[from[i]];
  } else if (dtype === "BOOL") {
    const from = new Uint8Array(bytes);
    for (let i = 0; i < from.length; i++) to[i] = from[i] ? 1 : 0;
  } else {
    const from = new (integerArrays[dtype] as { new (buffer: ArrayBuffer): Integers })(bytes);
    for (let i = 0; i < from.length; i++) {
      const x = Number(from[i]);
      if (x > 2147483647 || x < -2147483648)
        fail("ERR_NABLA_VALUE", "safetensors", `${file}: ${name}: element ${i} is ${from[i]}, which i32 cannot hold`, {
          actual: x,
        });
      to[i] = x;
    }
  }
}
