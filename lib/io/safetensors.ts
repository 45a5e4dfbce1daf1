import type { FileHandle } from "node:fs/promises";
import { checkKind, only, value } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape, numel } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { withGrad } from "../engine/tape.ts";
import { assign } from "../ops/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType } from "../types/shape.ts";
import { convert, isPlain, readAs, writeAs } from "./convert.ts";
import { fill, openFile, replaceFile } from "./file.ts";
import { type Entry, fileOrder, formatHeader, headerLength, parseHeader, refuse } from "./header.ts";

/** A tensor of a file before it is read. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** The element type it is read as. */
  readonly dtype: DType;
  /** The element type in the file: "F32", "BF16", "I64", ... */
  readonly stored: string;
}

async function read(handle: FileHandle, file: string, to: Uint8Array, position: number): Promise<void> {
  await fill(handle, to, position, (end) =>
    refuse(file, "MetadataIncompleteBuffer", `the file ends at byte ${end}: it was cut while it was read`),
  );
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

  /** One tensor: half floats become f32 (with `stored`, bf16 stays what it is), whole numbers of other widths i32. A name that is not there is an ERR_NABLA_VALUE. */
  async read(name: string, options: { stored?: boolean } = {}): Promise<Tensor> {
    const { stored = false } = only("read", options, ["stored"]);
    const entry = this.#entries.get(name);
    if (!entry)
      return fail("ERR_NABLA_VALUE", "safetensors", `${this.path} has no tensor ${JSON.stringify(name)}`, {
        expected: [...this.#entries.keys()],
        actual: name,
      });
    const { dtype, shape, begin, end } = entry;
    const kept = stored && dtype === "BF16";
    const y = emptyValue(checkShape(name, [...shape]), kept ? "bf16" : readAs[dtype]);
    const { array } = y.storage;
    if (kept || isPlain(dtype)) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      await read(this.#handle, this.path, bytes, this.#start + begin);
    } else {
      const bytes = new ArrayBuffer(end - begin);
      await read(this.#handle, this.path, new Uint8Array(bytes), this.#start + begin);
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
  const { handle, size } = await openFile("safetensors", path);
  try {
    const prefix = new Uint8Array(8);
    if (size >= 8) await read(handle, path, prefix, 0);
    const length = headerLength(path, prefix, size);
    const header = new Uint8Array(length);
    await read(handle, path, header, 8);
    return new Safetensors(path, handle, 8 + length, parseHeader(path, header, size - 8 - length));
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
  checkKind("safetensors", "what to save", tensors, "object");
  const list: [string, Value][] = tensors instanceof Map ? [...tensors] : Object.entries(tensors);
  return list.map(([name, x]) => {
    const dtype = writeAs[value("safetensors", name, x).dtype];
    if (dtype === undefined) return fail("ERR_NABLA_DTYPE", "safetensors", `${name} is ${x.dtype}`, { values: { x } });
    if (name === "__metadata__" || /\p{Surrogate}/u.test(name))
      return fail("ERR_NABLA_VALUE", "safetensors", `${JSON.stringify(name)} cannot be the name of a tensor`);
    return { name, dtype, shape: x.shape, bytes: numel(x.shape) * x.storage.array.BYTES_PER_ELEMENT, x };
  });
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
  only("saveSafetensors", options, ["metadata"]);
  await replaceFile(
    path,
    encode(tensors, () => options.metadata ?? {}),
  );
}

/** The bytes of a file, as the tensors are now; metadata may tell of the bytes of each. */
export function encode(
  tensors: NamedTensors,
  metadata: (parts: ReadonlyMap<string, Uint8Array>) => Readonly<Record<string, string>>,
): Uint8Array[] {
  const list = described(tensors).sort(fileOrder);
  const parts = new Map(list.map(({ name, x }) => [name, snapshot(x)]));
  return [formatHeader(list, metadata(parts)), ...parts.values()];
}
