// The weights of a folder: one safetensors file, or several with an index that says what stands where.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { openFile } from "./file.ts";
import { openSafetensors, type Safetensors, type StoredTensor } from "./safetensors.ts";

/** Tensors by name, each read when asked for. */
export interface TensorSource {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  read(name: string): Promise<Tensor>;
}

// A configuration has kilobytes; an index of 100,000 tensors 15 MB.
const longest = 1 << 26;

/** A JSON object from a file of a reasonable size. */
export async function readObject(path: string): Promise<Map<string, unknown>> {
  const { handle, size } = await openFile("json", path);
  try {
    if (size > longest) fail("ERR_NABLA_FILE", "json", `${path} has ${size} bytes, more than ${longest}`);
    return objectOf(path, await handle.readFile("utf8"));
  } finally {
    await handle.close();
  }
}
function objectOf(path: string, text: string): Map<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    return fail("ERR_NABLA_FILE", "json", `${path} is not JSON`, { cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    return fail("ERR_NABLA_FILE", "json", `${path} is not a JSON object`);
  return new Map(Object.entries(parsed));
}

/** Files of the index by tensor. Only names of files in the same folder are taken: no path leads elsewhere. */
function shardsOf(path: string, index: Map<string, unknown>): Map<string, string> {
  const map = index.get("weight_map");
  if (typeof map !== "object" || map === null || Array.isArray(map))
    return fail("ERR_NABLA_FILE", "shards", `${path} has no weight_map`);
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !/^[A-Za-z0-9][\w.-]*\.safetensors$/.test(file))
      fail("ERR_NABLA_FILE", "shards", `${path} puts ${JSON.stringify(name)} into ${JSON.stringify(file)}`, {
        expected: "the name of a .safetensors file beside it",
        actual: file,
      });
    files.set(name, file as string);
  }
  return files;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** An open folder of weights. */
export class Shards implements TensorSource {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly #files: readonly Safetensors[];
  readonly #homes: ReadonlyMap<string, Safetensors>;

  constructor(files: readonly Safetensors[], homes: ReadonlyMap<string, Safetensors>) {
    this.#files = files;
    this.#homes = homes;
    this.tensors = new Map([...homes].map(([name, file]) => [name, file.tensors.get(name) as StoredTensor]));
  }
  async read(name: string): Promise<Tensor> {
    const home = this.#homes.get(name);
    if (!home) return fail("ERR_NABLA_VALUE", "shards", `there is no tensor ${JSON.stringify(name)}`, { actual: name });
    return home.read(name);
  }
  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

/**
 * The weights of a folder as Hugging Face lays them out: model.safetensors, or model.safetensors.index.json and the files it
 * names. What index and files say must agree, tensor by tensor: else ERR_NABLA_FILE.
 */
export async function openShards(folder: string): Promise<Shards> {
  const single = join(folder, "model.safetensors");
  const indexPath = `${single}.index.json`;
  const opened = new Map<string, Safetensors>();
  try {
    const homes = new Map<string, Safetensors>();
    if (!(await exists(indexPath))) {
      const file = await openSafetensors(single);
      opened.set(single, file);
      for (const name of file.tensors.keys()) homes.set(name, file);
      return new Shards([file], homes);
    }
    for (const [name, file] of shardsOf(indexPath, await readObject(indexPath))) {
      const shard = opened.get(file) ?? (await openSafetensors(join(folder, file)));
      opened.set(file, shard);
      if (!shard.tensors.has(name))
        fail("ERR_NABLA_FILE", "shards", `${file} lacks ${name}, which the index puts there`);
      homes.set(name, shard);
    }
    for (const [file, shard] of opened)
      for (const name of shard.tensors.keys())
        if (homes.get(name) !== shard)
          fail("ERR_NABLA_FILE", "shards", `${file} has ${name}, which the index puts elsewhere`);
    return new Shards([...opened.values()], homes);
  } catch (e) {
    for (const file of opened.values()) await file.close();
    throw e;
  }
}
