import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fail } from "../core/errors.ts";
import { checkShape, numel } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { withGrad } from "../engine/tape.ts";
import { assign } from "../ops/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType } from "../types/shape.ts";
import { convert, isPlain, readAs, writeAs } from "./convert.ts";
import { type Entry, fileOrder, formatHeader, headerLength, parseHeader, refuse } from "./header.ts";

// Reads and writes go in pieces, so that one tensor of gigabytes neither meets a limit of the system nor holds up other files.
const piece = 1 << 26;

/** A tensor of a file before it is read. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** The element type it is read as. */
  readonly dtype: DType;
  /** The element type in the file: "F32", "BF16", "I64", ... */
  readonly stored: string;
}

async function fill(handle: FileHandle, file: string, to: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < to.length; ) {
    const { bytesRead } = await handle.read(to, at, Math.min(piece, to.length - at), position + at);
    if (bytesRead === 0)
      refuse(file, "MetadataIncompleteBuffer", `the file ends at byte ${position + at}: it was cut while it was read`);
    at += bytesRead;
  }
}

/**
 * An open safetensors file, whose tensors are read one by one when asked for. Its header has been checked in full: every
 * offset, shape and length, before anything is allocated. A damaged file is an ERR_NABLA_FILE that names the rule.
 *
 * Python: `safetensors.safe_open`.
 * @example
 * ```ts
 * import { openSafetensors, saveSafetensors, tensor } from "nabla";
 * await saveSafetensors("two.safetensors", { a: tensor([1, 2]), b: tensor([[3]]) });
 * const file = await openSafetensors("two.safetensors");
 * console.log([...file.tensors.keys()]); // [ 'a', 'b' ]
 * console.log(await (await file.read("b")).data()); // Float32Array(1) [ 3 ]
 * await file.close();
 * ```
 */
export class Safetensors {
  readonly path: string;
  /** Names, shapes and element types, in the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The texts that were saved beside the tensors. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #handle: FileHandle;
  readonly #start: number;

  constructor(path: string, handle: FileHandle, start: number, header: ReturnType<typeof parseHeader>) {
    this.path = path;
    this.metadata = header.metadata;
    this.tensors = new Map(
      [...header.entries].map(([name, { shape, dtype }]) => [name, { shape, dtype: readAs[dtype], stored: dtype }]),
    );
    this.#entries = header.entries;
    this.#handle = handle;
    this.#start = start;
  }

  /** One tensor: half floats become f32, whole numbers of other widths i32. A name that is not there is an ERR_NABLA_VALUE. */
  async read(name: string): Promise<Tensor> {
    const entry = this.#entries.get(name);
    if (!entry)
      return fail("ERR_NABLA_VALUE", "safetensors", `${this.path} has no tensor ${JSON.stringify(name)}`, {
        expected: [...this.#entries.keys()],
        actual: name,
      });
    const { dtype, shape, begin, end } = entry;
    const y = emptyValue(checkShape(name, [...shape]), readAs[dtype]);
    const { array } = y.storage;
    if (isPlain(dtype)) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      await fill(this.#handle, this.path, bytes, this.#start + begin);
    } else {
      const bytes = new ArrayBuffer(end - begin);
      await fill(this.#handle, this.path, new Uint8Array(bytes), this.#start + begin);
      convert(this.path, name, dtype, bytes, array);
    }
    return y as Tensor;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a safetensors file and checks its header. {@link Safetensors.read} reads a tensor, {@link Safetensors.close} ends it.
 *
 * Python: `safetensors.safe_open`.
 * @example
 * ```ts
 * import { openSafetensors, saveSafetensors, tensor } from "nabla";
 * await saveSafetensors("one.safetensors", { a: tensor([1, 2]) }, { metadata: { made: "today" } });
 * const file = await openSafetensors("one.safetensors");
 * console.log(file.metadata.get("made"), file.tensors.get("a")?.shape); // today [ 2 ]
 * await file.close();
 * ```
 */
export async function openSafetensors(path: string): Promise<Safetensors> {
  // A pipe or a device would wait for ever, or never end: without O_NONBLOCK the open itself would.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) fail("ERR_NABLA_FILE", "safetensors", `${path} is not a regular file`);
    const prefix = new Uint8Array(8);
    if (stat.size >= 8) await fill(handle, path, prefix, 0);
    const length = headerLength(path, prefix, stat.size);
    const header = new Uint8Array(length);
    await fill(handle, path, header, 8);
    return new Safetensors(path, handle, 8 + length, parseHeader(path, header, stat.size - 8 - length));
  } catch (e) {
    await handle.close();
    throw e;
  }
}

/**
 * All tensors of a safetensors file by name.
 *
 * Python: `safetensors.torch.load_file`.
 * @example
 * ```ts
 * import { loadSafetensors, saveSafetensors, tensor } from "nabla";
 * await saveSafetensors("pair.safetensors", { a: tensor([1, 2]), b: tensor([3]) });
 * const tensors = await loadSafetensors("pair.safetensors");
 * console.log(tensors.get("a")?.shape); // [ 2 ]
 * ```
 */
export async function loadSafetensors(path: string): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(path);
  try {
    const out = new Map<string, Tensor>();
    for (const name of file.tensors.keys()) out.set(name, await file.read(name));
    return out;
  } finally {
    await file.close();
  }
}

/** What to write besides the tensors. */
export interface SaveOptions {
  /** Texts to keep in the file's header. */
  metadata?: Readonly<Record<string, string>>;
}
/** Tensors by name, as a Map or an object. */
export type NamedTensors = ReadonlyMap<string, Value> | Readonly<Record<string, Value>>;

/** The values as they are now: a later step does not change what is being written. */
function snapshot(x: Value): Uint8Array {
  const y = emptyValue(x.shape, x.dtype);
  withGrad(false, () => assign(y, x));
  const { array } = y.storage;
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function described(tensors: NamedTensors) {
  const list: [string, Value][] = tensors instanceof Map ? [...tensors] : Object.entries(tensors);
  return list.map(([name, x]) => {
    const dtype = writeAs[x.dtype];
    if (dtype === undefined) return fail("ERR_NABLA_DTYPE", "safetensors", `${name} is ${x.dtype}`, { values: { x } });
    if (name === "__metadata__" || /\p{Surrogate}/u.test(name))
      return fail("ERR_NABLA_VALUE", "safetensors", `${JSON.stringify(name)} cannot be the name of a tensor`);
    return { name, dtype, shape: x.shape, bytes: numel(x.shape) * x.storage.array.BYTES_PER_ELEMENT, x };
  });
}

async function write(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await handle.write(bytes, at, Math.min(piece, bytes.length - at))).bytesWritten;
}

/**
 * Replaces the file at `path` in one step: the bytes go to a file beside it, reach the disk, and then take its name. Whatever
 * happens before, a kill, a full disk, leaves the old file whole.
 */
async function replace(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const beside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  const handle = await open(beside, "wx");
  try {
    try {
      for (const part of parts) await write(handle, part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (e) {
    await rm(beside, { force: true });
    throw e;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Writes tensors to a safetensors file, as they are at the time of the call. The file is replaced as a whole: a crash leaves
 * the old one or the new one, never a part. The same tensors give the same bytes.
 *
 * Python: `safetensors.torch.save_file`.
 * @example
 * ```ts
 * import { loadSafetensors, saveSafetensors, tensor } from "nabla";
 * await saveSafetensors("scores.safetensors", { scores: tensor([[1, 2], [3, 4]]) });
 * console.log((await loadSafetensors("scores.safetensors")).get("scores")?.shape); // [ 2, 2 ]
 * ```
 */
export async function saveSafetensors(path: string, tensors: NamedTensors, options: SaveOptions = {}): Promise<void> {
  const list = described(tensors).sort(fileOrder);
  await replace(path, [formatHeader(list, options.metadata ?? {}), ...list.map(({ x }) => snapshot(x))]);
}
