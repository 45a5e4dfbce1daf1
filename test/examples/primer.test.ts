// The examples behind the primer: each shows what it says, in figures, and draws its pictures.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { example, json } from "./example.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-primer-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
/** The pictures of a run, which must be whole. */
function pictures(name: string): string[] {
  const files = readdirSync(join(folder, name)).sort();
  for (const file of files) expect(readFileSync(join(folder, name, file), "utf8")).toMatch(/^<svg .*<\/svg>\n$/s);
  return files;
}

interface Reached {
  readonly loss: number;
  readonly norms: number[];
}
it("vanishing: gradients die in sigmoid layers and in an RNN, and live on with a way around and with open gates", () => {
  const small = ["--layers", "12", "--width", "32", "--steps", "100", "--length", "30", "--memory", "250"];
  const found = json<Record<string, Reached>>(example("vanishing", ...small, "--svg", join(folder, "v"), "--json"));
  const ratio = (kind: string) => found[kind]!.norms[0]! / found[kind]!.norms.at(-1)!;
  expect(ratio("sigmoid")).toBeLessThan(1e-7);
  expect(ratio("relu")).toBeGreaterThan(1e3 * ratio("sigmoid"));
  expect(ratio("residual")).toBeGreaterThan(0.1);
  expect(found.residual!.loss).toBeLessThan(found.sigmoid!.loss / 2);
  expect(ratio("rnn")).toBeLessThan(1e-6);
  expect(ratio("open")).toBeGreaterThan(0.01);
  expect(found.open!.loss).toBeLessThan(found.rnn!.loss / 4);
  expect(found.open!.norms.length).toBe(30);
  expect(pictures("v")).toEqual(
    ["histograms", "layers", "loss", "memory", "sequence"].map((name) => `vanishing-${name}.svg`),
  );
});

interface Courses {
  readonly rates: { rate: number; end: number | null }[];
  readonly sizes: { size: number; steps: number; end: number; roughness: number }[];
  readonly rules: { rule: string; end: number }[];
}
it("descent: one rate learns, mini-batches are rough and fast, Adam is ahead", () => {
  const small = ["--digits", "1000", "--steps", "250"];
  const run = example("descent", ...small, "--svg", join(folder, "d"), "--json");
  const { rates, sizes, rules } = json<Courses>(run);
  const [slow, right, wild] = rates.map(({ end }) => end ?? Number.POSITIVE_INFINITY);
  expect(slow).toBeGreaterThan(2);
  expect(right).toBeLessThan(1.2);
  expect(wild).toBeGreaterThan(2);
  const [mini, all] = sizes;
  expect(mini!.steps).toBeGreaterThan(20 * all!.steps);
  expect(mini!.roughness).toBeGreaterThan(20 * all!.roughness);
  expect(mini!.end).toBeLessThan(all!.end / 2);
  const end = Object.fromEntries(rules.map((one) => [one.rule, one.end]));
  expect(end.Adam).toBeLessThan(end.SGD!);
  expect(pictures("d")).toEqual(["batch", "rate", "rules", "valley"].map((name) => `descent-${name}.svg`));
});

it("depth: two layers do what one of as many parameters does not", () => {
  const run = example("depth", "--steps", "500", "--runs", "1", "--svg", join(folder, "w"), "--json");
  const { results } = json<{ results: { parameters: number; accuracy: number; silent: number }[] }>(run);
  for (const { parameters } of results) expect(parameters).toBeLessThanOrEqual(600);
  expect(results[0]!.accuracy).toBeLessThan(0.8);
  expect(results[2]!.accuracy).toBeGreaterThan(results[0]!.accuracy + 0.15);
  for (const { silent } of results) expect(silent >= 0 && silent <= 1).toBe(true);
  expect(pictures("w").length).toBe(3);
});

it("filters: training makes edges, and each layer knows more of the digit", () => {
  const run = example("filters", "--digits", "1500", "--epochs", "4", "--svg", join(folder, "f"), "--json");
  const { accuracy, edge, edgeBefore, classes } = json<{
    accuracy: number;
    edge: number;
    edgeBefore: number;
    classes: number[];
  }>(run);
  expect(accuracy).toBeGreaterThan(0.85);
  expect(edge).toBeGreaterThan(edgeBefore + 0.1);
  expect([...classes].sort((a, b) => a - b)).toEqual(classes);
  expect(pictures("f").length).toBe(6);
});

it("activations: ten layers of sigmoids make all samples alike, Kaiming's weights do not", () => {
  const found = json<Record<string, number[]>>(example("activations", "--svg", join(folder, "a"), "--json"));
  const last = (way: string) => found[way]!.at(-1)!;
  expect(last("sigmoid")).toBeLessThan(1e-6);
  expect(last("relu")).toBeLessThan(1e-3);
  expect(last("kaiming")).toBeGreaterThan(0.1);
  expect(pictures("a").length).toBe(3);
});
it("attention: it learns to look where the answer is", () => {
  const found = json<{ right: number; onTarget: number }>(example("attention", "--svg", join(folder, "l"), "--json"));
  expect(found.right).toBeGreaterThan(0.99);
  expect(found.onTarget).toBeGreaterThan(0.9);
  expect(pictures("l")).toEqual(["attention-looks.svg"]);
});

it.each(["activations", "attention", "vanishing", "descent", "depth", "filters"])(
  "%s says how it is called, and what cannot be written",
  (name) => {
    const { stdout, status } = example(name, "--help");
    expect([status, stdout]).toEqual([0, expect.stringMatching(/--svg DIR .*--json/s)]);
  },
);
it("a folder that cannot be made is a sentence", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const { stderr, status } = example("depth", "--steps", "1", "--runs", "1", "--svg", join(file, "x"));
  expect([status, stderr]).toEqual([1, expect.stringMatching(/cannot be written: ENOTDIR/)]);
});
