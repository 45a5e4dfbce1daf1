// The examples that learn from data of their own or from a file: better than what needs no network, the same in every run.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Encoder, openSafetensors } from "../../lib/index.ts";
import { example, json } from "./example.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-data-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  const at = join(folder, name);
  writeFileSync(at, text);
  return at;
}

interface Invented {
  readonly loss: number;
  readonly bigramLoss: number;
  readonly names: string[];
}
it("names knows more than pairs of letters, and invents names that are new", () => {
  const [first, second] = [1, 2].map(() => json<Invented>(example("names", "--epochs", "30", "--json")));
  expect(first!.loss).toBeLessThan(first!.bigramLoss);
  expect(new Set(first!.names).size).toBe(20);
  expect(first!.names).not.toContain("");
  expect(first!.names).not.toContain("emma");
  expect({ ...second, seconds: 0 }).toEqual({ ...first, seconds: 0 });
});
it("names reads a file, in GRU layers too", () => {
  const names = Array.from({ length: 40 }, (_, i) => `${"abcde"[i % 5]}${"xyz"[i % 3]}${"klmnopqr"[i % 8]}`);
  const data = file("names.txt", names.join("\r\n"));
  const run = example("names", "--data", data, "--cell", "gru", "--epochs", "5", "--invent", "3", "--json");
  expect(json<Invented>(run).names.length).toBe(3);
});

interface Answers {
  readonly answers: { target: string; score: string; network: number; linear: number; constant: number }[];
}
it("table sees what a linear model does not", () => {
  const { answers } = json<Answers>(example("table", "--epochs", "20", "--folds", "3", "--json"));
  const [kind, weight] = answers;
  expect([kind!.score, weight!.score]).toEqual(["accuracy", "rmse"]);
  expect(kind!.network).toBeGreaterThan(kind!.linear + 0.1);
  expect(kind!.linear).toBeGreaterThan(kind!.constant);
  expect(weight!.network).toBeLessThan(weight!.constant / 2);
});
it("table reads a file, and saves a model with its encoder", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${i % 2 ? "odd" : "even"},${i % 7 === 0 ? "" : i % 2},x`);
  const data = file("parity.csv", `kind,bit,same\n${rows.join("\n")}\n`);
  const save = join(folder, "parity.safetensors");
  const { answers } = json<Answers>(example("table", "--data", data, "--epochs", "20", "--save", save, "--json"));
  expect(answers[0]!.network).toBeGreaterThan(0.8);
  const stored = await openSafetensors(save);
  const encoder = Encoder.from(JSON.parse(stored.metadata.get("encoder")!));
  await stored.close();
  expect([encoder.features, encoder.classes]).toEqual([
    ["bit", "bit=?", "same=x"],
    ["even", "odd"],
  ]);
});

it.each([
  ["names", ["--help"], /--temperature X/, 0],
  ["names", ["--data", "/nowhere"], /cannot be read: ENOENT/, 1],
  ["table", ["--help"], /--target COLUMN/, 0],
  ["table", ["--data", "/nowhere.csv"], /\/nowhere.csv: cannot be read: ENOENT/, 1],
] as const)("%s %j", (name, args, said, status) => {
  const run = example(name, ...args);
  expect(`${run.stdout}${run.stderr}`).toMatch(said);
  expect(run.status).toBe(status);
});
it("table says which columns there are", () => {
  const run = example("table", "--data", file("two.csv", "a,b\n1,2\n3,4\n"), "--target", "c");
  expect(run.stderr).toMatch(/^--target must be one of a, b/);
});
