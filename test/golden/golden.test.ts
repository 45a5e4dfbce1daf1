import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compare } from "./comparison.ts";
import { folder, golden } from "./main.ts";

/** A safetensors file of float32 vectors. */
function safetensors(tensors: Record<string, number[]>): Buffer {
  const header: Record<string, object> = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (const [name, numbers] of Object.entries(tensors)) {
    const bytes = Buffer.from(Float32Array.from(numbers).buffer);
    header[name] = { dtype: "F32", shape: [numbers.length], data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

const tensor = (name: string) => ({ name, tensor: name, dtype: "F32", shape: [3], cmp: { mode: "exact" } });
const product = (id: string, tensors: { y: string; grad: string }, extra: object = {}) => ({
  id,
  op: "mul",
  torch: "torch.mul",
  attrs: {},
  inputs: [
    { ...tensor("input"), tensor: "a" },
    { ...tensor("other"), tensor: "b" },
  ],
  outputs: [{ ...tensor("out"), tensor: tensors.y, cotangent: "gy" }],
  grads: [{ ...tensor("x"), of: "input", tensor: tensors.grad }],
  ...extra,
});

let at = "";
beforeAll(() => {
  at = mkdtempSync(join(tmpdir(), "nabla-golden-"));
  mkdirSync(join(at, "ops"));
  const tensors = {
    a: [1, 2, 3],
    b: [4, 5, 6],
    gy: [1, 1, 2],
    y: [4, 10, 18],
    wrong: [4, 10, 18.000002],
    grad: [4, 5, 12],
    wrongGrad: [4, 5, 12.000001],
  };
  const right = { y: "y", grad: "grad" };
  const cases = [
    product("made/right", right),
    product("made/output", { ...right, y: "wrong" }),
    product("made/gradient", { ...right, grad: "wrongGrad" }),
    product("made/unknown", right, { op: "frobnicate" }),
    product("made/attribute", right, { attrs: { rounding: "up" } }),
  ];
  writeFileSync(join(at, "ops", "made.safetensors"), safetensors(tensors));
  writeFileSync(join(at, "ops", "made.json"), JSON.stringify({ family: "made", tensors: "made.safetensors", cases }));
});
afterAll(() => rmSync(at, { recursive: true }));

it("passes what is right and fails a case with one changed value", async () => {
  const report = await golden(at);
  expect(report.families.get("ops/made")).toEqual({ passed: 1, failed: 2, skipped: 2 });
  expect(report.failures.map((f) => f.id)).toEqual(["made/output", "made/gradient"]);
  expect(report.failures[0]!.text).toContain("1 of 3 differ, worst at 2: got 18, expected 18.000001");
  expect(report.failures[1]!.text).toContain("gradient of input");
});

it("skips what the library does not have, with the reason", async () => {
  const lines: string[] = [];
  const report = await golden(at);
  report.print((line) => lines.push(line));
  expect(report.skipsByOp()).toEqual([
    { op: "frobnicate", text: "unknown op", families: "ops/made", count: 1 },
    { op: "mul", text: "no rounding here", families: "ops/made", count: 1 },
  ]);
  expect(lines.at(-1)).toBe("1 passed, 2 failed, 2 skipped");
});

it("runs one family or one case", async () => {
  expect((await golden(at, "ops", "right")).total).toEqual({ passed: 1, failed: 0, skipped: 0 });
  await expect(golden(at, "nothing")).rejects.toThrow('--family must be one of ops/made, got "nothing"');
});

it("says where it looked when there is no folder", () => {
  expect(folder(join(at, "none"))).toEqual({ reason: expect.stringContaining("NABLA_GOLDEN names the folder") });
});

it("compares by mode", () => {
  expect(compare([-0], [0], { mode: "exact" })).toBeUndefined();
  expect(compare([-0], [0], { mode: "bits" })).toContain("1 of 1 differ");
  expect(compare([Number.NaN, 1], [Number.NaN, Number.NaN], { mode: "exact" })).toContain("worst at 1");
  expect(compare([1.0625, 9], [1, 2], { mode: "close", atol: 0.03125, rtol: 0.03125, skip: [1] })).toBeUndefined();
  expect(compare([1.063], [1], { mode: "close", atol: 0.03125, rtol: 0.03125 })).toContain("within");
  expect(compare([1], [1, 2], { mode: "bits" })).toBe("1 elements, expected 2");
});
