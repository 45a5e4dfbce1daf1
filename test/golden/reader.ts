// The files of a golden folder: safetensors, JSON, JSON lines, and the inputs that are made from a hash.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Data =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** A tensor as a file has it. f16 and bf16 are their raw bits. */
export interface Stored {
  readonly dtype: string;
  readonly shape: number[];
  readonly data: Data;
}
export type Tensors = ReadonlyMap<string, Stored>;

type Kind = { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer): Data };
const kinds: Record<string, Kind> = {
  f32: Float32Array,
  f64: Float64Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
  u16: Uint16Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
};

/** One spelling for the names of safetensors, NumPy and nabla: F32, float32 and f32 are f32. */
export function dtypeName(name: string): string {
  const short = name.toLowerCase().replace("bfloat", "bf").replace("float", "f").replace("uint", "u");
  return short.replace("int", "i");
}

function typed(dtype: string, bytes: Uint8Array): Data {
  const kind = kinds[dtype];
  if (!kind) throw new Error(`unknown dtype ${dtype}`);
  return new kind(new Uint8Array(bytes).buffer);
}

export function readSafetensors(file: string): Map<string, Stored> {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, Stored>();
  for (const [name, { dtype: spelled, shape, data_offsets: at }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const dtype = dtypeName(spelled);
    const data = typed(dtype, bytes.subarray(start + at[0], start + at[1]));
    const count = shape.reduce((n, d) => n * d, 1);
    if (data.length !== count) throw new Error(`${file}: ${name} has ${data.length} elements for [${shape}]`);
    tensors.set(name, { dtype, shape, data });
  }
  return tensors;
}

export function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(...path), "utf8")) as T;
}

export interface Encoded {
  readonly name?: string;
  readonly dtype: string;
  readonly shape: number[];
  /** base64, little endian */
  readonly data: string;
}
export function decode({ dtype, shape, data }: Encoded): Stored {
  const name = dtypeName(dtype);
  return { dtype: name, shape, data: typed(name, Buffer.from(data, "base64")) };
}
export function* readLines<T>(file: string): Generator<T> {
  for (const line of readFileSync(file, "utf8").split("\n")) if (line) yield JSON.parse(line) as T;
}

/** 24 random bits of (seed, i): the same in any language. */
function hash(seed: number, i: number): number {
  let h = (i + Math.imul(seed, 0x9e3779b9)) >>> 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 8;
}
/** In [-1, 1). */
export const hashUnit = (seed: number, i: number): number => hash(seed, i) * 2 ** -23 - 1;

export function hashTensor({ seed, scale }: { seed: number; scale: number }, shape: number[]): Stored {
  const data = new Float32Array(shape.reduce((n, d) => n * d, 1));
  for (let i = 0; i < data.length; i++) data[i] = hashUnit(seed, i) * scale;
  return { dtype: "f32", shape, data };
}
export function hashInts({ seed, lo, hi }: { seed: number; lo: number; hi: number }, shape: number[]): Stored {
  const data = new Int32Array(shape.reduce((n, d) => n * d, 1));
  for (let i = 0; i < data.length; i++) data[i] = lo + (hash(seed, i) % (hi - lo));
  return { dtype: "i32", shape, data };
}
