// What the installed compiler says and costs: the sentence a user reads for each mistake, and the work to check a GPT.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const layers = join(root, "test/types/sketch.ts");
const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-types-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** One thread, so that counts do not depend on how files fall to checkers. */
function tsc(file: string, options: object, ...flags: string[]): string {
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    paths: { nabla: [join(root, "lib/index.ts")] },
    ...options,
  };
  writeFileSync(
    config,
    JSON.stringify({ extends: join(root, "tsconfig.test.json"), compilerOptions, include: [], files: [file] }),
  );
  return spawnSync(process.execPath, [compiler, "-p", config, "--singleThreaded", "--pretty", "false", ...flags], {
    encoding: "utf8",
  }).stdout;
}

/** The sentence that ends the diagnostic of each source, a statement of one line; without one, the whole last line. */
function messages(sources: string[]): string[] {
  const names =
    "arange, batches, cat, crossEntropy, Flatten, LayerNorm, Linear, mse, ReLU, Sequential, stack, tensor, zeros";
  const file = join(folder, "mistakes.ts");
  const head = [`import { ${names} } from "nabla";`, `import { Embedding } from "${layers}";`];
  writeFileSync(file, [...head, ...sources].join("\n"));
  const last = new Map<number, string>();
  let line = 0;
  for (const text of tsc(file, { rootDir: "/", noUnusedLocals: false }).trimEnd().split("\n")) {
    const start = /^\S*mistakes\.ts\((\d+),\d+\): error TS\d+: /.exec(text);
    if (start) line = Number(start[1]);
    last.set(line, /is not assignable to type '"(.+)"'\.$/.exec(text)?.[1] ?? text);
  }
  return sources.map((_, i) => last.get(i + head.length + 1) ?? "accepted");
}

describe("messages", () => {
  test("every mistake ends in one sentence", () => {
    const mistakes = [
      "zeros(32, 784).matmul(zeros(10, 784));",
      "zeros(2, 4, 5).matmul(zeros(3, 5, 4));",
      "zeros().matmul(zeros(3, 3));",
      "zeros(32, 784).add(zeros(32, 10));",
      "zeros(32, 784).add(zeros(32, 784).sum(1));",
      "zeros(2, 3).sum(2);",
      "zeros(2, 3).mean([0, -3], true);",
      "zeros(2, 3).permute(1, 0, 2);",
      "zeros(2, 3).permute(0, 2);",
      "zeros(3, 1).expand(2, 4);",
      "cat([zeros(2, 3), zeros(2, 4)]);",
      "stack([zeros(2), zeros(3)]);",
      "tensor([[0, 0], [0]]);",
      "mse(zeros(4, 1), zeros(4));",
      "crossEntropy(zeros(32, 10), arange(16));",
      "crossEntropy(zeros(32, 10), zeros(32));",
      "batches(zeros(60000, 784), arange(10000));",
      "new Linear(784, 10).forward(zeros(32, 100));",
      "new Linear(784, 10).forward(zeros());",
      "new LayerNorm(8).forward(zeros(2, 9));",
      "new Embedding(1000, 64).forward(zeros(16));",
      "zeros(4, 10).indexSelect(0, zeros(2));",
      "new Sequential(new Linear(784, 128), new ReLU(), new Linear(100, 10));",
      "new Sequential(new Flatten(), new Linear(784, 10), new ReLU()).forward(zeros(32, 784)).matmul(zeros(11, 2));",
    ];
    expect(messages(mistakes)).toMatchInlineSnapshot(`
      [
        "matmul: [32, 784] x [10, 784]: inner sizes differ",
        "matmul: [2, 4, 5] x [3, 5, 4]: batch sizes do not broadcast",
        "matmul: [] x [3, 3]: a scalar has no inner size",
        "add: shapes [32, 784] and [32, 10] do not broadcast",
        "add: shapes [32, 784] and [32] do not broadcast",
        "sum: [2, 3] has no dim 2",
        "mean: [2, 3] has no dim -3",
        "permute: [2, 3] needs every dim once, got [1, 0, 2]",
        "permute: [2, 3] has no dim 2",
        "expand: [3, 1] does not expand to [2, 4]",
        "cat: shapes [2, 3], [2, 4] differ outside dim 0",
        "stack: shapes [2], [3] differ",
        "tensor: rows differ in length, depth or element type",
        "mse: shapes [4, 1] and [4] differ",
        "crossEntropy: logits [32, 10] take labels [32], got [16]",
        "crossEntropy: logits [32, 10] take i32 labels [32] or probabilities [32, 10], got f32 [32]",
        "batches: inputs [60000, 784] and targets [10000] differ in the first size",
        "Linear(784, 10): last size must be 784, got [32, 100]",
        "Linear(784, 10): needs at least one dimension, got []",
        "LayerNorm(8): last size must be 8, got [2, 9]",
        "Embedding(1000, 64): ids must be i32, got f32",
        "indexSelect: index must be i32, got f32",
        "layer 2 takes 100 features but layer 0 gives 128",
        "matmul: [32, 10] x [11, 2]: inner sizes differ",
      ]
    `);
  });
  test("a right line is accepted", () => {
    expect(messages(["zeros(32, 784).matmul(zeros(784, 10));"])).toEqual(["accepted"]);
  });
});

describe("cost", () => {
  test("a GPT is checked within 10,000 instantiations", () => {
    tsc(layers, { noEmit: false, declaration: true, rootDir: root, outDir: folder, emitDeclarationOnly: true });
    const program = join(folder, "test/types/gpt.ts");
    writeFileSync(program, readFileSync(join(root, "test/types/gpt.ts"), "utf8").replace("./sketch.ts", "./sketch.js"));
    const paths = { nabla: [join(folder, "lib/index.d.ts")] };
    const report = tsc(program, { rootDir: folder, paths }, "--extendedDiagnostics");
    expect(report).not.toContain("error TS");
    const count = Number(/^Instantiations:\s+(\d+)$/m.exec(report)?.[1]);
    expect(count).toBeGreaterThan(1000);
    expect(count).toBeLessThan(10_000);
  });
});
