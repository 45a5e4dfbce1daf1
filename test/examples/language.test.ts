// The examples of language models learn, end with a line of JSON, and refuse what they cannot use.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { example, json } from "./example.ts";

const small = ["--layers", "1", "--heads", "2", "--width", "16", "--batch", "8", "--threads", "1", "--json"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-language-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("addition learns more than chance, the same in every run", () => {
  const args = [...small, "--steps", "120", "--test", "20"];
  const [first, second] = [json(example("addition", ...args)), json(example("addition", ...args))];
  expect(first.loss).toBeLessThan(Math.log(10));
  expect(second.loss).toBe(first.loss);
  expect(first.accuracy).toBeGreaterThanOrEqual(0);
});

it("dates learns to write what it reads, greedily and with beams, the same in every run", () => {
  const args = [...small, "--width", "32", "--steps", "60", "--test", "10", "--beams", "2"];
  const [first, second] = [json(example("dates", ...args)), json(example("dates", ...args))];
  // Half of ln 72: the first figures and the dashes are soon known.
  expect(first.loss).toBeLessThan(2.1);
  expect([second.loss, second.beamAccuracy]).toEqual([first.loss, first.beamAccuracy]);
});

it.each([
  ["char", []],
  ["bpe", ["--vocab", "300"]],
])("shakespeare learns in %s tokens, from its own sentences", (tokens, more) => {
  const args = [...small, "--tokens", tokens, ...more, "--context", "16", "--steps", "60", "--write", "40"];
  const run = example("shakespeare", ...args);
  const { validationLoss, perplexity } = json(run);
  // Even with letters alike: ln 38 = 3.6; the sentences have more frequent ones.
  expect(validationLoss).toBeLessThan(tokens === "char" ? 3.3 : Math.log(300));
  expect(perplexity).toBeCloseTo(Math.exp(validationLoss!), 6);
  expect(run.stdout).toMatch(/tokens\/s written/);
});

it("shakespeare learns in bf16 and writes with weights of 8 bits", () => {
  const args = [
    ...small,
    "--context",
    "16",
    "--steps",
    "60",
    "--write",
    "10",
    "--precision",
    "bf16",
    "--weights",
    "i8",
  ];
  const { validationLoss, smaller } = json(example("shakespeare", ...args));
  expect(validationLoss).toBeLessThan(3.3);
  expect(smaller).not.toBe(validationLoss);
  expect(Math.abs(smaller! - validationLoss!)).toBeLessThan(0.05);
});

it.each(["addition", "dates", "shakespeare"])("%s says how it is called, and what is wrong", (name) => {
  const { stdout, status } = example(name, "--help");
  expect([status, stdout]).toEqual([0, expect.stringContaining("--steps N")]);
  expect(example(name, "--width", "10", "--heads", "3", "--steps", "1")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("width 10 does not divide into 3 heads"),
  });
});

it("shakespeare refuses a text that is too short", () => {
  const path = join(folder, "short.txt");
  writeFileSync(path, "too short");
  const { status, stderr } = example("shakespeare", "--data", path);
  expect([status, stderr]).toEqual([1, expect.stringContaining("the last tenth of the text has 1 tokens")]);
});
