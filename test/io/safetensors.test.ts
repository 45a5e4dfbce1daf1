import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Linear,
  loadSafetensors,
  NablaError,
  openSafetensors,
  Sequential,
  saveSafetensors,
  seed,
  type Tensor,
  tensor,
} from "../../lib/index.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

/** A file of this header and data; `length` stands for the true length of the header. */
function file(header: string | Uint8Array, data: Uint8Array = new Uint8Array(), length?: bigint): string {
  const json = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(json.length));
  const name = path(`case-${readdirSync(folder).length}.safetensors`);
  writeFileSync(name, Buffer.concat([prefix, json, data]));
  return name;
}
function cut(name: string, bytes: number): string {
  writeFileSync(name, readFileSync(name).subarray(0, bytes));
  return name;
}
const entry = (dtype: string, shape: readonly number[], begin: number, end: number) =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
const bytesOf = (a: ArrayBufferView) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

describe("round trip", () => {
  const tensors = {
    "z.weight": tensor([
      [1.5, -0],
      [Number.NaN, Number.POSITIVE_INFINITY],
    ]),
    double: tensor(new Float64Array([Math.PI])),
    ints: tensor([1, -2], { dtype: "i32" }),
    bytes: tensor(new Uint8Array([0, 255])),
    flags: tensor([true, false, true]),
    scalar: tensor(3),
    empty: tensor(new Float32Array(0)),
    'q"uo\\te \u0001 é 🙂': tensor([1]),
  };

  test("every element type, odd names, scalars and nothing at all", async () => {
    await saveSafetensors(path("all"), tensors, { metadata: { epoch: "3", 'a"b': "ü" } });
    const back = await loadSafetensors(path("all"));
    expect(new Set(back.keys())).toEqual(new Set(Object.keys(tensors)));
    for (const [name, x] of Object.entries(tensors)) {
      const y = back.get(name) as Tensor;
      expect([y.dtype, y.shape]).toEqual([x.dtype, x.shape]);
      expect(bytesOf(y.dataSync())).toEqual(bytesOf((x as Tensor).dataSync()));
    }
    await using opened = await openSafetensors(path("all"));
    expect([...opened.metadata]).toEqual([
      ["epoch", "3"],
      ['a"b', "ü"],
    ]);
  });
  test("the same tensors give the same bytes, wide elements first, aligned", async () => {
    await saveSafetensors(path("one"), tensors);
    await saveSafetensors(path("two"), new Map(Object.entries(tensors).reverse()));
    const bytes = readFileSync(path("one"));
    expect(bytes.equals(readFileSync(path("two")))).toBe(true);
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    const types = Object.values(JSON.parse(bytes.toString("utf8", 8, 8 + length)) as object).map((t) => t.dtype);
    expect(types).toEqual(["F64", "F32", "F32", "F32", "F32", "I32", "U8", "BOOL"]);
  });
  test("turned and sliced tensors are written in their logical order", async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await saveSafetensors(path("views"), { t: x.mT(), s: x.slice(1, 1, 3) });
    const back = await loadSafetensors(path("views"));
    expect(back.get("t")?.toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(back.get("s")?.toArray()).toEqual([
      [2, 3],
      [5, 6],
    ]);
  });
  test("what is written is what the values were at the call", async () => {
    const layer = new Linear(200, 200);
    const before = layer.weight.toArray();
    const saving = layer.save(path("then"));
    layer.loadStateDict(new Linear(200, 200).stateDict());
    await saving;
    const other = new Linear(200, 200);
    await other.load(path("then"));
    expect(other.weight.toArray()).toEqual(before);
  });
  test("half floats and other integers are read as what nabla computes in", async () => {
    const data = Buffer.alloc(2 * 8 + 8 + 4 * 4 + 16);
    for (const [i, b] of [0x3f80, 0xc000, 0x7f80, 0x0001, 0x3c00, 0xc000, 0x7c00, 0x0001].entries())
      data.writeUInt16LE(b, 2 * i);
    data.writeBigInt64LE(-5n, 16);
    for (const i of [0, 1, 2, 3]) data.writeInt16LE(-1 - i, 24 + 2 * i);
    data.writeUInt32LE(7, 32);
    data.writeInt8(-1, 36);
    const json = `{"b":${entry("BF16", [4], 0, 8)},"h":${entry("F16", [4], 8, 16)},"l":${entry("I64", [1], 16, 24)},
      "s":${entry("I16", [4], 24, 32)},"u":${entry("U32", [1], 32, 36)},"c":${entry("I8", [1], 36, 37)}}`;
    const got = await loadSafetensors(file(json, data.subarray(0, 37)));
    const read = (name: string) => [got.get(name)?.dtype, ...(got.get(name) as Tensor).dataSync()];
    expect(read("b")).toEqual(["f32", 1, -2, Number.POSITIVE_INFINITY, 2 ** -133]);
    expect(read("h")).toEqual(["f32", 1, -2, Number.POSITIVE_INFINITY, 2 ** -24]);
    expect(read("l")).toEqual(["i32", -5]);
    expect(read("s")).toEqual(["i32", -1, -2, -3, -4]);
    expect(read("u")).toEqual(["i32", 7]);
    expect(read("c")).toEqual(["i32", -1]);
  });
  test("an i64 that i32 cannot hold is told, not cut", async () => {
    const data = Buffer.alloc(8);
    data.writeBigInt64LE(2n ** 31n);
    const name = file(`{"ids":${entry("I64", [1], 0, 8)}}`, data);
    await expect(loadSafetensors(name)).rejects.toThrow("ids: element 0 is 2147483648, which i32 cannot hold");
  });
  test("names like __proto__ are names", async () => {
    const map = new Map([
      ["__proto__", tensor([1])],
      ["constructor", tensor([2])],
    ]);
    await saveSafetensors(path("proto"), map);
    const back = await loadSafetensors(path("proto"));
    expect(back.get("__proto__")?.toArray()).toEqual([1]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe("a file that breaks a rule is refused before anything is allocated", () => {
  const two = new Uint8Array(8);
  test.each<[string, () => string]>([
    ["HeaderTooSmall", () => cut(file("{}"), 7)],
    ["HeaderTooLarge", () => file("{}", two, 100_000_001n)],
    ["HeaderTooLarge", () => file("{}", two, 2n ** 63n)],
    ["InvalidHeaderLength", () => file("{}", two, 100n)],
    ["InvalidHeaderStart", () => file(" {}")],
    ["InvalidHeaderStart", () => file("")],
    ["InvalidHeader", () => file(Buffer.from([0x7b, 0xff, 0x7d]))],
    ["InvalidHeaderDeserialization", () => file("{")],
    ["InvalidHeaderDeserialization", () => file("{} x")],
    ["InvalidHeaderDeserialization", () => file("{'a':1}")],
    ["InvalidHeaderDeserialization", () => file('{"a":[]}')],
    ["InvalidHeaderDeserialization", () => file(`{"a":${"[".repeat(1_000_000)}}`)],
    ["InvalidHeaderDeserialization", () => file(`{"a":${entry("U8", [8], 0, 8)},"a":${entry("U8", [8], 0, 8)}}`, two)],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[8]}}', two)],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[-8],"data_offsets":[0,8]}}', two)],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,8]}}', two)],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]}}', two)],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[08],"data_offsets":[0,8]}}', two)],
    [
      "InvalidHeaderDeserialization",
      () => file('{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,8]}}'),
    ],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1}}', two)],
    ["InvalidHeaderDeserialization", () => file('{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8,9]}}', two)],
    ["InvalidHeaderDeserialization", () => file('{"\\ud800":{}}')],
    ["InvalidHeaderDeserialization", () => file('{"__metadata__":{"a":1}}')],
    ["TensorInvalidInfo", () => file(`{"a":${entry("X9", [8], 0, 8)}}`, two)],
    ["TensorInvalidInfo", () => file(`{"a":${entry("toString", [8], 0, 8)}}`, two)],
    ["TensorInvalidInfo", () => file(`{"a":${entry("F32", [3], 0, 8)}}`, two)],
    ["ValidationOverflow", () => file(`{"a":${entry("F32", [2 ** 32, 2 ** 32], 0, 8)}}`, two)],
    ["InvalidOffset", () => file(`{"a":${entry("U8", [0], 8, 0)}}`, two)],
    ["InvalidOffset", () => file(`{"a":${entry("U8", [4], 4, 8)}}`, two)],
    ["InvalidOffset", () => file(`{"a":${entry("U8", [6], 0, 6)},"b":${entry("U8", [4], 4, 8)}}`, two)],
    ["InvalidOffset", () => file(`{"a":${entry("U8", [2], 0, 2)},"b":${entry("U8", [4], 4, 8)}}`, two)],
    ["MetadataIncompleteBuffer", () => file(`{"a":${entry("U8", [9], 0, 9)}}`, two)],
    ["MetadataIncompleteBuffer", () => file(`{"a":${entry("U8", [7], 0, 7)}}`, two)],
    ["MetadataIncompleteBuffer", () => file("{}", two)],
  ])("%s", async (rule, make) => {
    const got = await openSafetensors(make()).then(
      () => undefined,
      (e: unknown) => e as NablaError,
    );
    expect(got).toBeInstanceOf(NablaError);
    expect(got).toMatchObject({ code: "ERR_NABLA_FILE", expected: rule });
    expect(got?.message).toContain(`${rule}: `);
  });

  test("cut at every length", async () => {
    await saveSafetensors(path("whole"), { a: tensor([[1, 2]]), b: tensor([true]) }, { metadata: { k: "v" } });
    const whole = readFileSync(path("whole"));
    for (let n = 0; n < whole.length; n++) {
      writeFileSync(path("part"), whole.subarray(0, n));
      await expect(loadSafetensors(path("part")), `${n} bytes`).rejects.toMatchObject({ code: "ERR_NABLA_FILE" });
    }
  });
  test("with any bit turned: refused by a rule, or other names and numbers of the same size", async () => {
    await saveSafetensors(path("whole"), { a: tensor([[1, 2]]), b: tensor([true]) }, { metadata: { k: "v" } });
    const whole = readFileSync(path("whole"));
    let refused = 0;
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      writeFileSync(
        path("turned"),
        whole.map((b, i) => (i === bit >> 3 ? b ^ (1 << (bit & 7)) : b)),
      );
      const got = await loadSafetensors(path("turned")).catch((e: unknown) => e);
      if (got instanceof Map) expect([...got.values()].reduce((n, x: Tensor) => n + x.size, 0)).toBeLessThanOrEqual(5);
      else expect(got, `bit ${bit}`).toMatchObject({ code: "ERR_NABLA_FILE" });
      refused += got instanceof Map ? 0 : 1;
    }
    expect(refused).toBeGreaterThan(4 * whole.length);
  });
  test("a pipe does not hang, a folder is no file, a missing file is the system's error", async () => {
    execFileSync("mkfifo", [path("pipe")]);
    await expect(openSafetensors(path("pipe"))).rejects.toThrow("is not a regular file");
    await expect(openSafetensors(folder)).rejects.toThrow("is not a regular file");
    await expect(openSafetensors(path("missing"))).rejects.toMatchObject({ code: "ENOENT" });
  });
  test("a tensor that is not there is told", async () => {
    await saveSafetensors(path("lonely"), { a: tensor([1]) });
    await using opened = await openSafetensors(path("lonely"));
    await expect(opened.read("b")).rejects.toThrow('has no tensor "b"');
  });
});

describe("writing", () => {
  test.each(["__metadata__", "\ud800"])("refuses the name %j", async (name) => {
    await expect(saveSafetensors(path("x"), { [name]: tensor([1]) })).rejects.toThrow("cannot be the name of a tensor");
  });
  test("a write that fails leaves the old file, and nothing beside it", async () => {
    const place = path("place");
    mkdirSync(place);
    await saveSafetensors(join(place, "m"), { a: tensor([1]) });
    mkdirSync(join(place, "taken"));
    await expect(saveSafetensors(join(place, "taken"), { a: tensor([2]) })).rejects.toMatchObject({
      syscall: "rename",
    });
    chmodSync(place, 0o555);
    if (process.getuid?.() !== 0)
      await expect(saveSafetensors(join(place, "m"), { a: tensor([2]) })).rejects.toMatchObject({ code: "EACCES" });
    chmodSync(place, 0o755);
    expect(readdirSync(place).sort()).toEqual(["m", "taken"]);
    expect((await loadSafetensors(join(place, "m"))).get("a")?.toArray()).toEqual([1]);
  });
  test("a full disk is the system's error, and the old file stays whole", async () => {
    await saveSafetensors(path("full"), { a: tensor([1]) });
    const index = fileURLToPath(new URL("../../lib/index.ts", import.meta.url));
    const code = `
      import { saveSafetensors, zeros } from ${JSON.stringify(index)};
      process.on("SIGXFSZ", () => {});
      await saveSafetensors(${JSON.stringify(path("full"))}, { a: zeros(1 << 20) }).catch((e) => console.log(e.code));`;
    writeFileSync(path("full.mts"), code);
    const node = `ulimit -f 1024; exec '${process.execPath}' --import tsx '${path("full.mts")}'`;
    expect(execFileSync("bash", ["-c", node], { encoding: "utf8" }).trim()).toBe("EFBIG");
    expect((await loadSafetensors(path("full"))).get("a")?.toArray()).toEqual([1]);
    expect(readdirSync(folder).filter((f) => f.endsWith(".tmp"))).toEqual([]);
  });
});

test("a model comes back from its file with the same bits, its weights in the same order of memory", async () => {
  seed(4);
  const make = () => new Sequential(new Linear(5, 7), new Linear(7, 3, { bias: false }));
  const [a, b] = [make(), make()];
  await a.save(path("model"), { metadata: { note: "hi" } });
  const { strides } = b.layers[0].weight;
  expect(await b.load(path("model"))).toEqual({ missing: [], unexpected: [] });
  for (const [name, x] of a.stateDict()) expect(b.stateDict().get(name)?.toArray()).toEqual(x.toArray());
  expect(b.layers[0].weight.strides).toEqual(strides);
  const [first] = [await loadSafetensors(path("model"))];
  expect(first.get("0.weight")?.shape).toEqual([7, 5]);
});
