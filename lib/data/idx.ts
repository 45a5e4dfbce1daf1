import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { checkKind, checkPlain } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";

type Numbers =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** The contents of an IDX file: `data` holds the product of `shape` numbers, the last index fastest. */
export interface Idx<T extends Numbers = Numbers> {
  shape: number[];
  data: T;
}

/** Pictures and what they show, in the two parts the standard files come in. */
export interface Mnist {
  train: { images: Idx<Uint8Array<ArrayBuffer>>; labels: Idx<Uint8Array<ArrayBuffer>> };
  test: { images: Idx<Uint8Array<ArrayBuffer>>; labels: Idx<Uint8Array<ArrayBuffer>> };
}

// The third byte of a file names the type; numbers of more than one byte are stored with the highest byte first.
const types: Record<number, { size: number; make: (bytes: ArrayBuffer) => Numbers }> = {
  8: { size: 1, make: (bytes) => new Uint8Array(bytes) },
  9: { size: 1, make: (bytes) => new Int8Array(bytes) },
  11: { size: 2, make: (bytes) => new Int16Array(bytes) },
  12: { size: 4, make: (bytes) => new Int32Array(bytes) },
  13: { size: 4, make: (bytes) => new Float32Array(bytes) },
  14: { size: 8, make: (bytes) => new Float64Array(bytes) },
};

const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

function refuse(file: string, what: string, expected: string, actual: string, cause?: unknown): never {
  return fail("ERR_NABLA_FILE", "readIdx", `${file}: ${what}: expected ${expected}, got ${actual}`, {
    expected,
    actual,
    cause,
  });
}

/** The bytes of a file, unpacked if it begins as gzip does, whatever its name. */
function load(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return refuse(file, "cannot be read", "a readable file", (error as NodeJS.ErrnoException).code ?? "nothing", error);
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    return refuse(file, "cannot be unpacked", "a whole gzip stream", (error as Error).message, error);
  }
}

/**
 * Reads an IDX file, the format of the MNIST digits, plain or packed with gzip.
 *
 * The file is two zero bytes, one byte for the type (8 u8, 9 i8, 11 i16, 12 i32, 13 f32, 14 f64), one for the rank,
 * each extent as a big-endian u32, then the numbers. Throws `ERR_NABLA_FILE`, naming the file and the byte, when it
 * is anything else, shorter, or longer.
 *
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readIdx } from "nabla";
 * const file = join(mkdtempSync(join(tmpdir(), "idx-")), "three.idx");
 * writeFileSync(file, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7));
 * console.log(readIdx(file)); // { shape: [ 3 ], data: Uint8Array(3) [ 5, 6, 7 ] }
 * ```
 */
export function readIdx(file: string): Idx {
  checkPlain("readIdx", { file });
  const bytes = load(file);
  const cut = (need: number): never =>
    refuse(file, `ends at byte ${bytes.length}`, `${need} bytes`, `${bytes.length} bytes`);
  if (bytes.length < 4) cut(4);
  for (const at of [0, 1]) if (bytes[at] !== 0) refuse(file, `byte ${at} is no IDX magic`, "0x00", hex(bytes[at]!));
  const type = types[bytes[2]!];
  if (!type) return refuse(file, "byte 2 names no IDX type", "8, 9, 11, 12, 13 or 14", hex(bytes[2]!));
  const rank = bytes[3]!;
  if (rank === 0) refuse(file, "byte 3, the rank, is 0", "1 or more", "0");
  const head = 4 + 4 * rank;
  if (bytes.length < head) cut(head);
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const count = shape.reduce((product, extent) => product * extent, 1);
  const end = head + count * type.size;
  if (!Number.isSafeInteger(end)) refuse(file, `extents from byte 4 overflow`, "at most 2^53 bytes", `[${shape}]`);
  if (bytes.length < end) cut(end);
  if (bytes.length > end) refuse(file, `goes on after byte ${end}`, `${end} bytes`, `${bytes.length} bytes`);
  const body = Buffer.from(new ArrayBuffer(count * type.size));
  bytes.copy(body, 0, head);
  if (type.size === 2) body.swap16();
  if (type.size === 4) body.swap32();
  if (type.size === 8) body.swap64();
  return { shape, data: type.make(body.buffer as ArrayBuffer) };
}

/** One of the standard files, under its name with or without .gz, as u8 of the given rank. */
function part(dir: string, name: string, rank: number): Idx<Uint8Array<ArrayBuffer>> {
  checkKind("mnist", "the folder", dir, "string");
  const file = [join(dir, name), join(dir, `${name}.gz`)].find((path) => existsSync(path));
  if (!file) return refuse(join(dir, name), "does not exist, nor with .gz", "the four standard files", "not there");
  const { shape, data } = readIdx(file);
  if (!(data instanceof Uint8Array)) return refuse(file, "byte 2 names another type", "u8", data.constructor.name);
  if (shape.length !== rank) refuse(file, "byte 3 gives another rank", `${rank}`, `${shape.length}`);
  return { shape, data };
}

function half(dir: string, prefix: string): Mnist["train"] {
  const images = part(dir, `${prefix}-images-idx3-ubyte`, 3);
  const labels = part(dir, `${prefix}-labels-idx1-ubyte`, 1);
  if (images.shape[0] !== labels.shape[0]) {
    const expected = `${images.shape[0]} labels, one per image`;
    refuse(join(dir, `${prefix}-labels-idx1-ubyte`), "does not fit its images", expected, `${labels.shape[0]} labels`);
  }
  return { images, labels };
}

/**
 * Reads the four standard files of MNIST and the data sets in its form (Fashion-MNIST, EMNIST digits) from a folder:
 * `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each with
 * or without `.gz`.
 *
 * images: u8 [count, rows, columns]; labels: u8 [count]. Throws `ERR_NABLA_FILE` as {@link readIdx} does, and when a
 * file is missing or the counts differ.
 *
 * ```ts
 * import { existsSync } from "node:fs";
 * import { mnist } from "nabla";
 * if (existsSync("mnist")) console.log(mnist("mnist").train.images.shape); // [ 60000, 28, 28 ]
 * ```
 */
export function mnist(dir: string): Mnist {
  return { train: half(dir, "train"), test: half(dir, "t10k") };
}
