import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { mnist, readIdx } from "../../lib/data/idx.ts";

const dir = mkdtempSync(join(tmpdir(), "nabla-idx-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, ...bytes: number[]): string {
  writeFileSync(join(dir, name), Uint8Array.from(bytes));
  return join(dir, name);
}

test("reads every type, plain or packed, whatever the name says", () => {
  expect(readIdx(file("u8", 0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 255))).toEqual({
    shape: [1, 2],
    data: Uint8Array.of(7, 255),
  });
  const head = (type: number): number[] => [0, 0, type, 1, 0, 0, 0, 2];
  expect(readIdx(file("i8", ...head(9), 1, 255)).data).toEqual(Int8Array.of(1, -1));
  expect(readIdx(file("i16", ...head(11), 1, 2, 255, 254)).data).toEqual(Int16Array.of(258, -2));
  expect(readIdx(file("i32", ...head(12), 0, 1, 0, 0, 255, 255, 255, 255)).data).toEqual(Int32Array.of(65536, -1));
  expect(readIdx(file("f32", ...head(13), 63, 128, 0, 0, 192, 0, 0, 0)).data).toEqual(Float32Array.of(1, -2));
  const f64 = [63, 240, 0, 0, 0, 0, 0, 0, 192, 0, 0, 0, 0, 0, 0, 0];
  expect(readIdx(file("f64", ...head(14), ...f64)).data).toEqual(Float64Array.of(1, -2));
  const packed = join(dir, "packed");
  writeFileSync(packed, gzipSync(Uint8Array.from([...head(8), 3, 4])));
  expect(readIdx(packed)).toEqual({ shape: [2], data: Uint8Array.of(3, 4) });
  expect(readIdx(file("none", 0, 0, 8, 1, 0, 0, 0, 0))).toEqual({ shape: [0], data: new Uint8Array(0) });
});

test.each<[string, number[], string]>([
  ["empty", [], "ends at byte 0: expected 4 bytes, got 0 bytes"],
  ["magic", [0, 1, 8, 1], "byte 1 is no IDX magic: expected 0x00, got 0x01"],
  ["type", [0, 0, 10, 1], "byte 2 names no IDX type: expected 8, 9, 11, 12, 13 or 14, got 0x0a"],
  ["rank", [0, 0, 8, 0], "byte 3, the rank, is 0: expected 1 or more, got 0"],
  ["head", [0, 0, 8, 2, 0, 0, 0, 1], "ends at byte 8: expected 12 bytes, got 8 bytes"],
  ["body", [0, 0, 12, 1, 0, 0, 0, 2, 1], "ends at byte 9: expected 16 bytes, got 9 bytes"],
  ["tail", [0, 0, 8, 1, 0, 0, 0, 1, 1, 2], "goes on after byte 9: expected 9 bytes, got 10 bytes"],
  ["huge", [0, 0, 8, 2, ...Array<number>(8).fill(255)], "extents from byte 4 overflow: expected at most 2^53 bytes"],
  ["gzip", [31, 139, 8, 0], "cannot be unpacked: expected a whole gzip stream, got unexpected end of file"],
])("refuses a file with a wrong %s, naming file and byte", (name, bytes, message) => {
  const path = file(`bad-${name}`, ...bytes);
  expect(() => readIdx(path)).toThrow(expect.objectContaining({ code: "ERR_NABLA_FILE", op: "readIdx" }));
  expect(() => readIdx(path)).toThrow(`readIdx: ${path}: ${message}`);
});

test("a missing file and a folder are refused with what the system said", () => {
  expect(() => readIdx(join(dir, "nowhere"))).toThrow("cannot be read: expected a readable file, got ENOENT");
  expect(() => readIdx(dir)).toThrow("cannot be read: expected a readable file, got EISDIR");
});

test("mnist finds the four files and refuses parts that do not fit", () => {
  const images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8];
  file("train-images-idx3-ubyte", ...images);
  file("train-labels-idx1-ubyte", 0, 0, 8, 1, 0, 0, 0, 1, 5);
  writeFileSync(join(dir, "t10k-images-idx3-ubyte.gz"), gzipSync(Uint8Array.from(images)));
  expect(() => mnist(dir)).toThrow("t10k-labels-idx1-ubyte: does not exist, nor with .gz");
  file("t10k-labels-idx1-ubyte", 0, 0, 8, 1, 0, 0, 0, 2, 5, 6);
  expect(() => mnist(dir)).toThrow("t10k-labels-idx1-ubyte: does not fit its images: expected 1 labels");
  file("t10k-labels-idx1-ubyte", 0, 0, 9, 1, 0, 0, 0, 1, 5);
  expect(() => mnist(dir)).toThrow("byte 2 names another type: expected u8, got Int8Array");
  file("t10k-labels-idx1-ubyte", ...images);
  expect(() => mnist(dir)).toThrow("byte 3 gives another rank: expected 1, got 3");
  file("t10k-labels-idx1-ubyte", 0, 0, 8, 1, 0, 0, 0, 1, 6);
  const { train, test } = mnist(dir);
  expect(train.images).toEqual({ shape: [1, 1, 2], data: Uint8Array.of(9, 8) });
  expect([train.labels.data[0], test.labels.data[0]]).toEqual([5, 6]);
});
