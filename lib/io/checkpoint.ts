import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { checkKind, only } from "../core/boundary.ts";
import { checkCount, fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { elementsOf } from "../engine/launch.ts";
import { getRngState, setRngState } from "../ops/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { writeAs } from "./convert.ts";
import { replaceFile, sweep } from "./file.ts";
import { encode, openSafetensors, type Safetensors } from "./safetensors.ts";

/** A part with tensors: a module, an optimizer. */
export interface Stateful {
  stateDict(): ReadonlyMap<string, Value>;
  loadStateDict(dict: ReadonlyMap<string, Tensor>): unknown;
}
/** A part whose state is JSON: a loader, batches. */
export interface Placed {
  state(): unknown;
  load(state: unknown): unknown;
}
/** What a checkpoint is made of, by names of your own: { model, optimizer, data }. */
export type Parts = Readonly<Record<string, Stateful | Placed>>;

/** Options of {@link saveCheckpoint}. */
export interface CheckpointOptions {
  /** Steps taken so far. */
  step: number;
  /** Numbers and texts of your own, for JSON. */
  values?: Readonly<Record<string, unknown>>;
  /** How many checkpoints stay in the folder; 3 unless given. */
  keep?: number;
}
/** What {@link loadCheckpoint} found, besides what it put into the parts. */
export interface Checkpoint {
  readonly step: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly path: string;
}

const format = "nabla-checkpoint/1";
const isStateful = (part: Stateful | Placed): part is Stateful => "stateDict" in part;

function checkParts(op: string, folder: string, parts: Parts): void {
  checkKind(op, "the folder", folder, "string");
  checkKind(op, "the parts", parts, "object");
  for (const [name, part] of Object.entries(parts)) {
    if (!/^[A-Za-z]\w*$/.test(name) || name === "random")
      fail("ERR_NABLA_VALUE", op, `${JSON.stringify(name)} cannot be the name of a part`, { actual: name });
    const methods = part as Partial<Stateful & Placed> | null;
    const known = methods?.stateDict && methods.loadStateDict ? true : methods?.state && methods.load;
    if (!known)
      fail("ERR_NABLA_TYPE", op, `${name} has neither stateDict() and loadStateDict() nor state() and load()`, {
        actual: part,
        hint: "numbers and texts go into values",
      });
  }
}

/** Checkpoints of a folder by their steps, latest first; none where there is no folder. */
async function found(folder: string): Promise<{ step: number; path: string }[]> {
  const names = await readdir(folder).catch((e: NodeJS.ErrnoException) => {
    if (e.code === "ENOENT") return [];
    throw e;
  });
  const steps = names.flatMap((name) => {
    const step = /^step-(\d{9,})\.safetensors$/.exec(name)?.[1];
    return step === undefined ? [] : [{ step: Number(step), path: join(folder, name) }];
  });
  return steps.sort((a, b) => b.step - a.step);
}

/** The step of the latest checkpoint of a folder. */
export async function lastStep(folder: string): Promise<number | undefined> {
  return (await found(folder))[0]?.step;
}

/** What a tensor is, in the words of the file. */
type Facts = readonly [name: string, dtype: string, shape: readonly number[]];
/** The sum over all that the header says, in one order. */
function headerSum(state: string, sums: string, facts: readonly Facts[]): string {
  const sorted = [...facts].sort(([a], [b]) => (a < b ? -1 : 1));
  return String(crc32(JSON.stringify([format, state, sums, sorted])));
}

/** The bytes of a checkpoint, as everything is now. */
function encoded(parts: Parts, { step, values = {} }: CheckpointOptions): Uint8Array[] {
  const tensors = new Map<string, Value>([["random", getRngState()]]);
  const states: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(parts)) {
    if (isStateful(part)) for (const [key, x] of part.stateDict()) tensors.set(`${name}.${key}`, x);
    else states[name] = part.state();
  }
  const state = JSON.stringify({ step, values, states, parts: Object.keys(parts) });
  return encode(tensors, (bytes) => {
    const sums = JSON.stringify(Object.fromEntries([...bytes].map(([name, b]) => [name, crc32(b)])));
    const facts = [...tensors].map(([name, x]): Facts => [name, writeAs[x.dtype] as string, x.shape]);
    return { format, state, sums, header: headerSum(state, sums, facts) };
  });
}

/**
 * Saves everything a run needs to go on with the same bits, in one file of the folder: the parts you name, the state of the random
 * generator, the step, values of your own. The learning rate follows from the step: see {@link schedule}. Everything is
 * taken as it is at the call, training may go on while it is written. The file appears whole or not at all, and on the disk
 * before older ones are removed: after a crash at any moment {@link loadCheckpoint} finds the last that was finished.
 *
 * Returns the path. Throws ERR_NABLA_STATE where the folder has a checkpoint of a later step, which is another run's. The file is
 * safetensors, with a checksum of each tensor.
 * @example
 * ```ts
 * import { AdamW, batches, Linear, loadCheckpoint, mse, rand, saveCheckpoint } from "nabla";
 * const model = new Linear(4, 1);
 * const optimizer = new AdamW(model, { lr: 1e-3 });
 * const data = batches(rand(64, 4), rand(64, 1), { size: 8, shuffle: true, seed: 1 });
 * const parts = { model, optimizer, data };
 * let step = (await loadCheckpoint("run", parts))?.step ?? 0;
 * for (const [x, y] of data) {
 *   const loss = mse(model.forward(x), y);
 *   optimizer.zeroGrad();
 *   loss.backward();
 *   optimizer.step();
 *   if (++step % 4 === 0) await saveCheckpoint("run", parts, { step, values: { loss: loss.item() } });
 * }
 * console.log((await loadCheckpoint("run", parts))?.step); // 8
 * ```
 */
export async function saveCheckpoint(folder: string, parts: Parts, options: CheckpointOptions): Promise<string> {
  const { step, keep = 3 } = only("saveCheckpoint", options, ["step", "values", "keep"]);
  checkCount("saveCheckpoint", "step", step, 0);
  checkCount("saveCheckpoint", "keep", keep, 1);
  checkParts("saveCheckpoint", folder, parts);
  const bytes = encoded(parts, options);
  const path = join(folder, `step-${String(step).padStart(9, "0")}.safetensors`);
  await mkdir(folder, { recursive: true });
  const [last] = await found(folder);
  if (last && last.step > step)
    fail("ERR_NABLA_STATE", "saveCheckpoint", `${folder} has a checkpoint of step ${last.step}, this is step ${step}`, {
      expected: `a step from ${last.step}`,
      actual: step,
      hint: "go on with loadCheckpoint, or give each run a folder of its own",
    });
  await replaceFile(path, bytes);
  for (const old of (await found(folder)).slice(keep)) await rm(old.path, { force: true });
  await sweep(folder);
  return path;
}

interface State {
  readonly step: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly states: Readonly<Record<string, unknown>>;
  readonly parts: readonly string[];
}
function damaged(path: string, what: string): never {
  return fail("ERR_NABLA_FILE", "loadCheckpoint", `${path}: ${what}`, {
    hint: "remove the file to go on from the checkpoint before it",
  });
}
/** The metadata, after its checksum was found right. */
function stateOf({ path, metadata, tensors }: Safetensors): { state: State; sums: Readonly<Record<string, number>> } {
  if (metadata.get("format") !== format)
    damaged(path, `is not of the format ${format} but ${JSON.stringify(metadata.get("format") ?? "of another")}`);
  const [state = "", sums = ""] = [metadata.get("state"), metadata.get("sums")];
  const facts = [...tensors].map(([name, { stored, shape }]): Facts => [name, stored, shape]);
  if (metadata.get("header") !== headerSum(state, sums, facts)) damaged(path, "the header does not fit its checksum");
  return { state: JSON.parse(state) as State, sums: JSON.parse(sums) as Record<string, number> };
}
async function readAll(file: Safetensors, sums: Readonly<Record<string, number>>): Promise<Map<string, Tensor>> {
  const all = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) {
    const x = await file.read(name);
    const { buffer, byteOffset, byteLength } = elementsOf("loadCheckpoint", x);
    if (crc32(new Uint8Array(buffer, byteOffset, byteLength)) !== sums[name])
      damaged(file.path, `the data of ${name} does not fit its checksum`);
    all.set(name, x);
  }
  return all;
}
/** The tensors of a part by their own names. */
function inside(all: ReadonlyMap<string, Tensor>, part: string): Map<string, Tensor> {
  const mine = [...all].filter(([name]) => name.startsWith(`${part}.`));
  return new Map(mine.map(([name, x]) => [name.slice(part.length + 1), x]));
}

/**
 * Puts the latest checkpoint of a folder into the parts and the random generator; null where there is none, or no folder. Parts
 * of the checkpoint that are not asked for are left out.
 *
 * Throws ERR_NABLA_FILE for a damaged file, naming the tensor, and ERR_NABLA_STATE for a part that the checkpoint lacks, before
 * anything is changed; ERR_NABLA_STATE for a part that does not fit, when those named before it have been loaded.
 * @example
 * ```ts
 * import { Linear, loadCheckpoint, saveCheckpoint } from "nabla";
 * const [a, b] = [new Linear(2, 2), new Linear(2, 2)];
 * await saveCheckpoint("linear-run", { model: a }, { step: 10, values: { best: 0.5 } });
 * const { step, values } = (await loadCheckpoint("linear-run", { model: b }))!;
 * console.log(step, values.best, a.weight.equal(b.weight)); // 10 0.5 true
 * ```
 */
export async function loadCheckpoint(folder: string, parts: Parts): Promise<Checkpoint | null> {
  checkParts("loadCheckpoint", folder, parts);
  const [last] = await found(folder);
  if (!last) return null;
  const { path } = last;
  await using file = await openSafetensors(path);
  const { state, sums } = stateOf(file);
  const missing = Object.keys(parts).filter((name) => !state.parts.includes(name));
  if (missing.length > 0)
    fail("ERR_NABLA_STATE", "loadCheckpoint", `${path} has no ${missing.join(", ")}`, {
      expected: Object.keys(parts),
      actual: state.parts,
    });
  const all = await readAll(file, sums);
  for (const [name, part] of Object.entries(parts)) {
    if (isStateful(part)) part.loadStateDict(inside(all, name));
    else part.load(state.states[name]);
  }
  setRngState(all.get("random") as Value);
  return { step: state.step, values: state.values, path };
}
