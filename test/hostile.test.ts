// What users get wrong with pictures, sequences, tables and files: one sentence each. Damaged files have more cases beside
// their readers: data/idx, data/table, data/folder, data/tokens, io/safetensors, io/checkpoint.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as nabla from "nabla";
import { zeros } from "nabla";
import { afterAll, beforeAll, expect, it } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-hostile-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, bytes: string | Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}
async function told(f: () => unknown): Promise<string> {
  try {
    await f();
  } catch (e) {
    if (e instanceof nabla.NablaError) return `${e.code} ${e.message.replaceAll(folder, "FOLDER").split("\n")[0]}`;
    throw e;
  }
  return "nothing was thrown";
}
const i32 = { dtype: "i32" } as const;
/** A layer made and called with what the types would refuse. */
const call = (make: () => { forward(...args: never[]): unknown }, ...args: unknown[]) =>
  (make().forward as (...all: unknown[]) => unknown).call(make(), ...args);

it.each<[string, () => unknown, string]>([
  [
    "a kernel larger than the picture",
    () => call(() => new nabla.Conv2d(3, 4, 9), zeros(2, 3, 8, 8)),
    "ERR_NABLA_SHAPE conv2d: a window of 9 is larger than the 8 elements it slides over",
  ],
  [
    "a pool larger than the picture",
    () => call(() => new nabla.MaxPool2d(5), zeros(2, 3, 4, 4)),
    "ERR_NABLA_SHAPE maxPool2d: a window of 5 is larger than the 4 elements it slides over",
  ],
  [
    "groups that do not divide the channels",
    () => new nabla.Conv2d(4, 6, 3, { groups: 3 }),
    "ERR_NABLA_VALUE Conv2d: 3 groups do not divide 4 channels and 6 outputs",
  ],
  [
    "batch norm of one element in training",
    () => call(() => new nabla.BatchNorm1d(3), zeros(1, 3)),
    "ERR_NABLA_VALUE batchNorm: training needs two values or more for each channel, got 1",
  ],
  [
    "batch norm of an empty batch in training",
    () => call(() => new nabla.BatchNorm2d(3), zeros(0, 3, 4, 4)),
    "ERR_NABLA_VALUE batchNorm: training needs two values or more for each channel, got 0",
  ],
  [
    "an empty sequence",
    () => call(() => new nabla.LSTM(3, 4), zeros(0, 2, 3)),
    "ERR_NABLA_SHAPE lstm: a sequence needs at least one step",
  ],
  [
    "a sequence of length 0 among others",
    () => call(() => new nabla.GRU(3, 4), zeros(5, 2, 3), undefined, { lengths: [5, 0] }),
    "ERR_NABLA_VALUE gru: a sequence of length 0 in a batch of 5 steps",
  ],
  ["no samples", () => nabla.batches(zeros(0, 3), zeros(0)), "ERR_NABLA_VALUE batches: 0 samples make no batch of 32"],
  [
    "no samples to load",
    () => new nabla.DataLoader({ length: 0, get: () => [1] }),
    "ERR_NABLA_VALUE DataLoader: 0 samples make no batch of 32",
  ],
  [
    "data that gives no batch",
    async () => {
      const model = new nabla.Linear(3, 2);
      const optimizer = new nabla.SGD(model, { lr: 0.1 });
      await nabla.fit(model as never, [] as never, { loss: nabla.mse as never, optimizer });
    },
    "ERR_NABLA_VALUE fit: the data gave no batch in epoch 0",
  ],
  [
    "a label that is no class",
    () => nabla.crossEntropy(zeros(2, 3), nabla.tensor([0, 3], i32)),
    "ERR_NABLA_INDEX crossEntropy: label 3 at position 1 is outside 0..2",
  ],
  [
    "an IDX file that ends too early",
    () => nabla.readIdx(file("a.idx", Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5))),
    "ERR_NABLA_FILE readIdx: FOLDER/a.idx: ends at byte 9: expected 11 bytes, got 9 bytes",
  ],
  [
    "a ragged CSV file",
    () => nabla.readTable(file("a.csv", "a,b\n1,2\n3\n")),
    "ERR_NABLA_FILE readTable: FOLDER/a.csv, line 3: has 1 cells, column b is missing",
  ],
  [
    "a folder that is no data set",
    () => nabla.imageFolder(folder, { size: [8, 8] }),
    "ERR_NABLA_FILE imageFolder: FOLDER: has no folders inside; each class is a folder of its own, as in root/cat/1.png",
  ],
  [
    "a header that promises a terabyte",
    () => {
      const header = JSON.stringify({ a: { dtype: "U8", shape: [2 ** 40], data_offsets: [0, 2 ** 40] } });
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      return nabla.loadSafetensors(file("huge", Buffer.concat([length, Buffer.from(header)])));
    },
    "ERR_NABLA_FILE safetensors: FOLDER/huge: MetadataIncompleteBuffer: the header describes 1099511627776 bytes of data, the file has 0",
  ],
  [
    "a pipe for a configuration",
    () => {
      execFileSync("mkfifo", [join(folder, "config.json")]);
      return nabla.loadPretrained(folder);
    },
    "ERR_NABLA_FILE json: FOLDER/config.json is not a regular file",
  ],
])("%s", async (_, f, sentence) => {
  expect(await told(f)).toBe(sentence);
});

it("an empty batch has an empty result", () => {
  const shape = (make: () => { forward(...args: never[]): unknown }, x: nabla.Tensor) =>
    (call(make, x) as nabla.Tensor).shape;
  expect(shape(() => new nabla.Linear(3, 2), zeros(0, 3))).toEqual([0, 2]);
  expect(shape(() => new nabla.Conv2d(3, 2, 3), zeros(0, 3, 5, 5))).toEqual([0, 2, 3, 3]);
  expect(shape(() => new nabla.BatchNorm1d(3).eval(), zeros(0, 3))).toEqual([0, 3]);
  const [y] = call(() => new nabla.LSTM(3, 4), zeros(5, 0, 3)) as [nabla.Tensor];
  expect(y.shape).toEqual([5, 0, 4]);
});
