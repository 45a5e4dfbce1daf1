// State dicts across the border: nabla's files read by Python, Python's files read by nabla, outputs compared. Where Python has
// torch (NABLA_PYTHON names one), against PyTorch and transformers; anywhere, names, shapes and bytes against code of Python alone.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  BatchNorm2d,
  Bert,
  Conv2d,
  Flatten,
  GPT2,
  Linear,
  Llama,
  LSTM,
  loadPretrained,
  loadSafetensors,
  MaxPool2d,
  type Module,
  noGrad,
  ReLU,
  randint,
  randn,
  resnet20,
  Sequential,
  savePretrained,
  saveSafetensors,
  seed,
  type Tensor,
} from "nabla";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const pythons = [process.env.NABLA_PYTHON, "python3", "python"].filter((name) => name !== undefined);
const works = (python: string, code: string) => spawnSync(python, ["-c", code]).status === 0;
const python = pythons.find((name) => works(name, "import sys; assert sys.version_info >= (3, 10)"));
const torch = pythons.find((name) => works(name, "import torch"));

const small = { vocabSize: 29, contextLength: 10, layers: 2, heads: 4, width: 16, hidden: 24 };
interface Case {
  make(): Module;
  input(): Tensor;
  /** The output that is compared. */
  run(model: Module, x: Tensor): Tensor;
}
const forward = (model: Module, x: Tensor) => (model as Module & { forward(x: Tensor): Tensor }).forward(x);
const ids = () => randint(0, 29, [2, 7]) as Tensor;
const cases: Record<string, Case> = {
  mlp: {
    make: () => new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3)),
    input: () => randn(6, 4) as Tensor,
    run: forward,
  },
  cnn: {
    make: () =>
      new Sequential(
        new Conv2d(1, 4, 3, { padding: 1 }),
        new BatchNorm2d(4),
        new ReLU(),
        new MaxPool2d(2),
        new Flatten(),
        new Linear(64, 5),
      ),
    input: () => randn(3, 1, 8, 8) as Tensor,
    run: forward,
  },
  lstm: {
    make: () => new LSTM(3, 5, { numLayers: 2, bidirectional: true }),
    input: () => randn(7, 2, 3) as Tensor,
    run: (model, x) => (forward(model, x) as unknown as [Tensor])[0],
  },
  resnet20: { make: () => resnet20(), input: () => randn(2, 3, 16, 16) as Tensor, run: forward },
  gpt2: { make: () => new GPT2(small), input: ids, run: forward },
  llama: { make: () => new Llama({ ...small, keyValueHeads: 2 }), input: ids, run: forward },
  bert: {
    make: () => new Bert(small),
    input: ids,
    run: (model, x) => (forward(model, x) as unknown as { predictions: Tensor }).predictions,
  },
};
const isPretrained = (model: Module) => model instanceof GPT2 || model instanceof Llama || model instanceof Bert;
const values = (x: Tensor | undefined): number[] => Array.from(x!.contiguous().dataSync() as Float32Array);
const difference = (a: Tensor, b: Tensor): number => {
  expect(a.shape).toEqual(b.shape);
  const y = values(b);
  return Math.max(...values(a).map((x, i) => Math.abs(x - y[i]!)));
};

let folder: string;
/** Each model with its state and a sample of what it makes of an input. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nabla-interop-"));
  for (const [i, [name, { make, input, run }]] of Object.entries(cases).entries()) {
    seed(i);
    mkdirSync(join(folder, name));
    const model = make();
    // Batch norm learns its statistics.
    if (name === "cnn" || name === "resnet20") for (let k = 0; k < 3; k++) noGrad(() => run(model, input()));
    model.eval();
    const x = input();
    const y = noGrad(() => run(model, x));
    if (isPretrained(model)) await savePretrained(join(folder, name), model as GPT2);
    else await model.save(join(folder, name, "model.safetensors"));
    await saveSafetensors(join(folder, name, "sample.safetensors"), { x, y });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script; its last line is JSON. */
function script<T>(interpreter: string, file: string): T {
  const { status, stdout, stderr } = spawnSync(interpreter, ["-B", join(here, file), folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
}

describe("Python alone", () => {
  interface Found {
    readonly tensors: number;
    readonly wrong: string[];
    readonly error?: number;
  }
  let found: Record<string, Found>;
  /** What names.py writes, computed anew. */
  const pattern = (name: string, n: number) => {
    const start = Buffer.from(name).reduce((a, b) => a + b) % 97;
    return Array.from({ length: n }, (_, i) => ((start + 7 * i) % 101) / 64);
  };

  it("reads the files, finds PyTorch's names and shapes, and computes the same", ({ skip }) => {
    if (python === undefined) return skip("there is no Python 3.10 or newer here");
    found = script(python, "names.py");
    expect(Object.keys(found).sort()).toEqual(Object.keys(cases).sort());
    for (const [name, { wrong, tensors }] of Object.entries(found)) {
      expect(wrong, name).toEqual([]);
      expect(tensors).toBeGreaterThan(3);
    }
    expect(found.mlp?.error).toBeLessThan(1e-6);
  });
  it.for(Object.entries(cases))("writes a file that %s loads in full", async ([name, { make }], { skip }) => {
    if (!existsSync(join(folder, name, "pattern.safetensors"))) return skip("there is no Python 3.10 or newer here");
    const model = make();
    await model.load(join(folder, name, "pattern.safetensors"));
    for (const [key, x] of model.stateDict())
      expect(values(x), key).toEqual(key.endsWith("num_batches_tracked") ? [5] : pattern(key, x.size));
  });
  it("can read the scripts for PyTorch", ({ skip }) => {
    if (python === undefined) return skip("there is no Python 3.10 or newer here");
    const code = "import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]";
    const files = ["files.py", "names.py", "peer.py"].map((file) => join(here, file));
    expect(spawnSync(python, ["-c", code, ...files], { encoding: "utf8" }).stderr).toBe("");
  });
});

describe("PyTorch and transformers", () => {
  type Result = { readonly error: number } | { readonly skipped: string };
  const reason = "there is no Python with torch here: NABLA_PYTHON names one";
  let results: Record<string, Result> | undefined;
  beforeAll(() => {
    if (torch === undefined) console.log(`interop: skipped, ${reason}`);
    else results = script(torch, "peer.py");
  }, 300_000);

  it.for(Object.entries(cases))("%s: the same outputs, both ways", async ([name, { make, run }], { skip }) => {
    const result = results?.[name];
    if (!result || "skipped" in result) return skip(result ? result.skipped : reason);
    expect(result.error).toBeLessThan(1e-4);
    const place = join(folder, name);
    const theirs = await loadSafetensors(join(place, "their-sample.safetensors"));
    const model = isPretrained(make()) ? await loadPretrained(join(place, "theirs")) : make();
    if (!isPretrained(model)) await model.load(join(place, "theirs.safetensors"));
    const y = noGrad(() => run(model.eval(), theirs.get("x") as Tensor));
    expect(difference(y, theirs.get("y") as Tensor)).toBeLessThan(1e-4);
  });
});
