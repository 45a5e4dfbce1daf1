// Checkpoints: runs that go on with the same bits, files that are whole, damage that is told.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  AdamW,
  BatchNorm1d,
  compile,
  cosine,
  DataLoader,
  Dropout,
  forkRng,
  Linear,
  loadCheckpoint,
  mse,
  NablaError,
  type Optimizer,
  type Parts,
  ReLU,
  RMSprop,
  rand,
  Sequential,
  SGD,
  saveCheckpoint,
  seed,
  setThreads,
  type Tensor,
  threads,
} from "nabla";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { crash } from "./crash.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-checkpoint-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
async function refused(f: () => unknown): Promise<string> {
  try {
    await f();
  } catch (e) {
    if (e instanceof NablaError) return `${e.code} ${e.message.replaceAll(folder, "FOLDER")}`;
    throw e;
  }
  return "nothing was thrown";
}

/** A run with everything that has a state: dropout, running statistics, moments, a schedule, order and noise of the data. */
function training(make: (model: Sequential<never>) => Optimizer, compiled: boolean, prefetch = 2) {
  seed(3);
  const model = new Sequential(new Linear(6, 8), new BatchNorm1d(8), new ReLU(), new Dropout(0.3), new Linear(8, 1));
  const optimizer = make(model as never);
  const [x, y] = forkRng(1, () => [rand(22, 6), rand(22, 1)]);
  const samples = { length: 22, get: (i: number) => [x!.select(0, i), y!.select(0, i)] as [Tensor, Tensor] };
  type B = [Tensor, Tensor];
  const transform = ([a, b]: B): B => [a.add(rand(...a.shape).mul(0.1)) as Tensor, b];
  const data = new DataLoader<B, B>(samples, { size: 4, shuffle: true, seed: 5, prefetch, transform });
  const rate = cosine({ from: 0.05, steps: 20, warmup: 3 });
  const eager = (a: Tensor, b: Tensor) => {
    const loss = mse(model.forward(a as never) as Tensor, b);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = compiled ? compile(eager) : eager;
  const parts = { model, optimizer, data };
  /** Trains from one step to another, saving at the end. */
  const go = async (from: number, to: number) => {
    let i = from;
    while (i < to)
      for await (const [a, b] of data) {
        optimizer.lr = rate(i);
        await step(a, b);
        if (++i === to) break;
      }
    await saveCheckpoint(folder, parts, { step: i, values: { note: "ü", from } });
    return [...model.stateDict().values()].map(list);
  };
  return { parts, go };
}

describe.each<[string, (model: Sequential<never>) => Optimizer]>([
  ["AdamW", (m) => new AdamW(m, { lr: 0.05, weightDecay: 0.1, decay: (p) => p.ndim >= 2 })],
  ["SGD", (m) => new SGD(m, { lr: 0.05, momentum: 0.9 })],
  ["RMSprop", (m) => new RMSprop(m, { lr: 0.01, momentum: 0.5 })],
])("a run with %s", (_, make) => {
  it.each([
    ["eager", false],
    ["compiled", true],
  ])("goes on with the same bits, %s, in the middle of an epoch", async (_name, compiled) => {
    const whole = await training(make, compiled).go(0, 15);
    rmSync(folder, { recursive: true });
    await training(make, compiled).go(0, 8);
    // Neither threads nor how much is read ahead are part of a run.
    const before = threads();
    setThreads(before === 1 ? 2 : 1);
    const later = training(make, compiled, 5);
    seed(77);
    expect(await loadCheckpoint(folder, later.parts)).toMatchObject({ step: 8, values: { note: "ü" } });
    expect(await later.go(8, 15)).toEqual(whole);
    setThreads(before);
  });
});

const small = () => {
  seed(1);
  return { model: new Linear(2, 1) };
};
const names = () => readdirSync(folder).sort();

describe("a folder", () => {
  it("keeps the last few, and gives the latest", async () => {
    const parts = small();
    for (const step of [1, 2, 5, 9, 10]) await saveCheckpoint(folder, parts, { step, keep: 2 });
    expect(names()).toEqual(["step-000000009.safetensors", "step-000000010.safetensors"]);
    expect((await loadCheckpoint(folder, parts))?.step).toBe(10);
    await saveCheckpoint(folder, parts, { step: 2_000_000_000, keep: 2 });
    expect((await loadCheckpoint(folder, parts))?.step).toBe(2_000_000_000);
  });
  it("may not be there yet, or hold other things", async () => {
    const parts = small();
    const inner = join(folder, "a", "b");
    expect(await loadCheckpoint(inner, parts)).toBeNull();
    await saveCheckpoint(inner, parts, { step: 0 });
    expect((await loadCheckpoint(inner, parts))?.step).toBe(0);
    writeFileSync(join(folder, "notes.txt"), "mine");
    writeFileSync(join(folder, "step-1.safetensors"), "not a checkpoint");
    expect(await loadCheckpoint(folder, parts)).toBeNull();
    await saveCheckpoint(folder, parts, { step: 4, keep: 1 });
    expect(names()).toEqual(["a", "notes.txt", "step-000000004.safetensors", "step-1.safetensors"]);
  });
  it("of a later run is refused, the same step is replaced", async () => {
    const parts = small();
    await saveCheckpoint(folder, parts, { step: 5, values: { which: 1 } });
    expect(await refused(() => saveCheckpoint(folder, parts, { step: 4 }))).toMatch(
      /ERR_NABLA_STATE saveCheckpoint: FOLDER has a checkpoint of step 5, this is step 4/,
    );
    await saveCheckpoint(folder, parts, { step: 5, values: { which: 2 } });
    expect((await loadCheckpoint(folder, parts))?.values).toEqual({ which: 2 });
  });
  it("that is a file, or is gone, is the system's error", async () => {
    const parts = small();
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(saveCheckpoint(file, parts, { step: 1 })).rejects.toMatchObject({ code: "EEXIST" });
    await expect(loadCheckpoint(file, parts)).rejects.toMatchObject({ code: "ENOTDIR" });
  });
  it("is swept of what killed processes left, and of nothing else", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((end) => dead.on("close", end));
    const left = [`step-000000001.safetensors.${dead.pid}.0123abcd.tmp`, `x.${process.pid}.0123abcd.tmp`, "my.tmp"];
    for (const name of left) writeFileSync(join(folder, name), "half");
    await saveCheckpoint(folder, small(), { step: 1 });
    expect(names()).toEqual(["my.tmp", "step-000000001.safetensors", left[1]]);
  });
});

describe("what is saved", () => {
  it("is what everything was at the call", async () => {
    const parts = small();
    const before = list(parts.model.weight);
    const saving = saveCheckpoint(folder, parts, { step: 1 });
    parts.model.loadStateDict(new Linear(2, 1).stateDict());
    await saving;
    const other = small();
    seed(9);
    other.model.loadStateDict(new Linear(2, 1).stateDict());
    await loadCheckpoint(folder, other);
    expect(list(other.model.weight)).toEqual(before);
  });
  it("may be taken in part: a model without its optimizer", async () => {
    const { model } = small();
    await saveCheckpoint(folder, { model, optimizer: new SGD(model, { lr: 0.1 }) }, { step: 1 });
    const other = { model: new Linear(2, 1) };
    await loadCheckpoint(folder, other);
    expect(list(other.model.weight)).toEqual(list(model.weight));
  });
  it("must have what is asked for, in the same shapes", async () => {
    const { model } = small();
    const data = new DataLoader({ length: 4, get: (i) => [i] }, { size: 2 });
    await saveCheckpoint(folder, { model, data }, { step: 1 });
    const load = (parts: Parts) => refused(() => loadCheckpoint(folder, parts));
    expect(await load({ model, optimizer: new SGD(model, { lr: 1 }), ema: model })).toMatch(
      /^ERR_NABLA_STATE loadCheckpoint: FOLDER\/step-000000001.safetensors has no optimizer, ema/,
    );
    expect(await load({ model: new Linear(3, 1) })).toMatch(
      /1 of another shape[\s\S]*weight is \[1, 3\], given \[1, 2\]/,
    );
    expect(await load({ model: new Sequential(new Linear(2, 1)) })).toMatch(/2 missing, 2 unexpected/);
    const longer = new DataLoader({ length: 5, get: (i) => [i] }, { size: 2 });
    expect(await load({ data: longer })).toContain("count was 4 in the saved state and is 5");
  });
  it.each<[object, object, string]>([
    [{ model: 5 }, {}, "model has neither stateDict() and loadStateDict() nor state() and load()"],
    [{ model: null }, {}, "model has neither"],
    [{ "a.b": new Linear(1, 1) }, {}, '"a.b" cannot be the name of a part'],
    [{ __proto__x: new Linear(1, 1) }, {}, "cannot be the name of a part"],
    [{ random: new Linear(1, 1) }, {}, "cannot be the name of a part"],
    [{}, { step: -1 }, "step must be a whole number from 0"],
    [{}, { step: Number.NaN }, "step must be a whole number from 0"],
    [{}, { keep: 0 }, "keep must be a whole number from 1"],
  ])("refuses %#", async (parts, options, sentence) => {
    expect(await refused(() => saveCheckpoint(folder, parts as Parts, { step: 1, ...options }))).toContain(sentence);
    expect(names()).toEqual([]);
  });
});

describe("damage", () => {
  const path = () => join(folder, "step-000000001.safetensors");
  const tell = () => {
    const { model } = small();
    const optimizer = new SGD(model, { lr: 0.1 });
    return refused(() => loadCheckpoint(folder, { model, optimizer }));
  };
  it("is seen wherever a bit is turned, and names the tensor", async () => {
    const { model } = small();
    await saveCheckpoint(folder, { model, optimizer: new SGD(model, { lr: 0.1 }) }, { step: 1, values: { best: 1.5 } });
    expect(await tell()).toBe("nothing was thrown");
    const whole = readFileSync(path());
    for (let i = 0; i < whole.length; i++) {
      writeFileSync(
        path(),
        whole.map((b, at) => (at === i ? b ^ (1 << (i % 8)) : b)),
      );
      expect(await tell(), `byte ${i}`).toMatch(/^ERR_NABLA_FILE /);
    }
    const bytes = new Uint8Array(whole);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path(), bytes);
    expect(await tell()).toMatch(/the data of random does not fit its checksum\n {2}hint: remove the file to go on/);
  });
  it("is seen wherever a file is cut", async () => {
    const { model } = small();
    await saveCheckpoint(folder, { model, optimizer: new SGD(model, { lr: 0.1 }) }, { step: 1 });
    const whole = readFileSync(path());
    for (let n = 0; n < whole.length; n++) {
      writeFileSync(path(), whole.subarray(0, n));
      expect(await tell(), `${n} bytes`).toMatch(/^ERR_NABLA_FILE /);
    }
  });
  it("is a file that is no checkpoint", async () => {
    await small().model.save(path());
    expect(await tell()).toContain("is not of the format nabla-checkpoint/1");
  });
  it("of a full disk leaves the old checkpoint, and nothing beside it", async () => {
    await saveCheckpoint(folder, small(), { step: 1 });
    const index = fileURLToPath(new URL("../../lib/index.ts", import.meta.url));
    const code = `
      import { Linear, saveCheckpoint } from ${JSON.stringify(index)};
      process.on("SIGXFSZ", () => {});
      const model = new Linear(1024, 1024);
      await saveCheckpoint(${JSON.stringify(folder)}, { model }, { step: 2 }).catch((e) => console.log(e.code));`;
    const place = join(tmpdir(), `nabla-full-${process.pid}.mts`);
    writeFileSync(place, code);
    const node = `ulimit -f 1024; exec '${process.execPath}' --import tsx '${place}'`;
    expect(execFileSync("bash", ["-c", node], { encoding: "utf8" }).trim()).toBe("EFBIG");
    rmSync(place);
    expect(names()).toEqual(["step-000000001.safetensors"]);
    expect((await loadCheckpoint(folder, small()))?.step).toBe(1);
  });
});

it("a process that is killed while it saves, again and again, leaves a checkpoint that loads", async () => {
  const index = fileURLToPath(new URL("../../lib/index.ts", import.meta.url));
  const place = join(folder, "writer.mts");
  const run = join(folder, "run");
  mkdirSync(run);
  writeFileSync(
    place,
    `import { Linear, loadCheckpoint, saveCheckpoint } from ${JSON.stringify(index)};
    const parts = { model: new Linear(300, 300) };
    let step = (await loadCheckpoint(${JSON.stringify(run)}, parts))?.step ?? 0;
    console.log(step);
    await saveCheckpoint(${JSON.stringify(run)}, parts, { step: ++step });
    console.log("saved");
    for (;;) await saveCheckpoint(${JSON.stringify(run)}, parts, { step: ++step });`,
  );
  let last = 0;
  for (let i = 0; i < 4; i++) {
    const child = spawn(process.execPath, ["--import", "tsx", place]);
    let text = "";
    await new Promise<void>((saved) => {
      child.stdout.on("data", (part: Buffer) => {
        text += part;
        if (text.includes("saved")) saved();
      });
    });
    const begun = Number.parseInt(text, 10);
    expect(begun).toBeGreaterThanOrEqual(last);
    await sleep(37 * i);
    child.kill("SIGKILL");
    await new Promise((end) => child.on("close", end));
    last = (await loadCheckpoint(run, { model: new Linear(300, 300) }))!.step;
    expect(last).toBeGreaterThan(begun);
  }
}, 60_000);

it("a language model that is killed and resumed ends with the weights of one that was not", async () => {
  const moments = [0.9, 0, 0.4];
  const { expected, actual, kills, resumed } = await crash({
    kills: 3,
    steps: 250,
    within: 600,
    random: () => moments.pop()!,
  });
  expect(kills).toBeGreaterThan(0);
  expect(Math.max(...resumed)).toBeGreaterThan(0);
  expect(actual).toBe(expected);
}, 90_000);

it("a language model that is asked to stop saves its last step, tells so, and goes on from there", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.test.json") };
  const sizes = ["--layers", "1", "--width", "16", "--batch", "4", "--context", "16", "--steps", "1000000"];
  const args = ["--import", "tsx", "examples/shakespeare.ts", ...sizes, "--checkpoint", folder, "--every", "50"];
  const child = spawn(process.execPath, args, { cwd: root, env });
  let text = "";
  child.stdout.on("data", (part: Buffer) => {
    text += part;
  });
  const ended = new Promise((end) => child.on("close", end));
  while (!names().some((name) => name.endsWith(".safetensors"))) await sleep(20);
  child.kill("SIGTERM");
  expect(await ended).toBe(128 + 15);
  const step = Number(/stopped by SIGTERM after step (\d+); --resume goes on/.exec(text)?.[1]);
  expect(names().at(-1)).toBe(`step-${String(step).padStart(9, "0")}.safetensors`);
}, 30_000);
