// Steps in flight: what the caller may do meanwhile, and everything that can go wrong.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { Worker } from "node:worker_threads";
import { type Compiled, compile, crossEntropy, type NablaError, noGrad, ones, type Tensor, tensor, zeros } from "nabla";
import { afterEach, describe, expect, test } from "vitest";
import { lower } from "../../lib/compile/lower.ts";
import { planMemory } from "../../lib/compile/memory.ts";
import { optimize } from "../../lib/compile/passes/order.ts";
import { record } from "../../lib/compile/record.ts";
import { native, type PlanArrays } from "../../lib/core/native.ts";
import { wrapArray } from "../../lib/core/value.ts";
import * as ops from "../../lib/ops/index.ts";
import { classifier, compiled, numbersOf, stateOf, type Training, xor } from "./program.ts";

const threads = native.threads();
afterEach(() => native.setThreads(threads));

const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(bytes: number): void };

const code = (error: unknown): string => (error as NablaError).code;
const thrown = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    return code(error);
  }
  return "nothing";
};

/** A step of some milliseconds that counts in `w`: w += 1. */
function counting(): { w: Tensor; step: Compiled<[Tensor], Tensor> } {
  const w = zeros(4) as Tensor;
  const step = compile((x: Tensor) => {
    let y = x;
    for (let i = 0; i < 12; i++) y = y.matmul(x as never).mul(1e-3) as Tensor;
    ops.assign(w, w.add(1));
    return y.sum();
  });
  return { w, step: step as never };
}
const big = ones(256, 256) as Tensor;
async function ready() {
  const c = counting();
  for (let i = 0; i < 2; i++) c.step.sync(big);
  return c;
}

describe("in flight", () => {
  test("steps run in the order they were asked for, and give what they give one by one", async () => {
    const [a, b] = [xor(), xor()];
    const step = compiled(b);
    const expected = Array.from({ length: 40 }, () => numbersOf(a.step()));
    const got = await Promise.all(Array.from({ length: 40 }, () => step()));
    expect(got.map(numbersOf)).toEqual(expected);
    expect(stateOf(b)).toEqual(stateOf(a));
  });
  test("arguments are copied: they may be written, detached or shrunk at once", async () => {
    const buffer = new Resizable(64, { maxByteLength: 64 });
    const arrays = [new Float32Array(16), new Float32Array(16), new Float32Array(buffer)];
    const step = compile((x: Tensor) => x.mul(2));
    for (let i = 0; i < 2; i++) step.sync(ones(16) as Tensor);
    const [written, moved, shrunk] = arrays.map((array) => {
      array.fill(3);
      return step(wrapArray(array, [16], "f32") as Tensor);
    });
    arrays[0]!.fill(0);
    structuredClone(arrays[1]!.buffer, { transfer: [arrays[1]!.buffer as ArrayBuffer] });
    buffer.resize(0);
    for (const y of [written, moved, shrunk]) expect(numbersOf(await y)).toEqual([Array(16).fill(6)]);
    expect(thrown(() => step.sync(wrapArray(arrays[1]!, [16], "f32") as Tensor))).toBe("ERR_NABLA_DETACHED");
    expect(thrown(() => step.sync(wrapArray(arrays[2]!, [16], "f32") as Tensor))).toBe("ERR_NABLA_DETACHED");
  });
  test("state: reading waits for it, writing and giving back are refused until it has landed", async () => {
    const { w, step } = await ready();
    const running = step(big);
    expect(thrown(() => ops.assign(w, 0))).toBe("ERR_NABLA_STATE");
    expect(thrown(() => w[Symbol.dispose]())).toBe("ERR_NABLA_STATE");
    expect(w.toArray()).toEqual([3, 3, 3, 3]);
    ops.assign(w, 0);
    await running;
    await step(big);
    expect(w.toArray()).toEqual([1, 1, 1, 1]);
  });
  test("state that is only read may be read without waiting", async () => {
    const w = ones(256, 256) as Tensor;
    const step = compile((x: Tensor) =>
      Array.from({ length: 20 })
        .reduce<Tensor>((y) => y.matmul(w as never), x)
        .sum(),
    );
    for (let i = 0; i < 2; i++) step.sync(big);
    let landed = false;
    const running = step(big).then(() => {
      landed = true;
    });
    expect(w.storage.holds).toBe(1);
    expect(w.sum().item()).toBe(65536);
    expect(w.storage.holds).toBe(1);
    expect(thrown(() => ops.assign(w, 0))).toBe("ERR_NABLA_STATE");
    expect(landed).toBe(false);
    await running;
    expect(w.storage.holds).toBe(0);
  });
  test("a step on this thread, a recorded one and another compiled step wait for those before", async () => {
    const { w, step } = await ready();
    const other = compile(() => w.mul(10));
    const first = step(big);
    expect(numbersOf(other.sync())).toEqual([[30, 30, 30, 30]]);
    const [second, third] = [step(big), step(ones(8, 8) as Tensor)];
    expect(w.toArray()).toEqual([5, 5, 5, 5]);
    const fourth = step(big);
    step.sync(big);
    expect(w.toArray()).toEqual([7, 7, 7, 7]);
    await Promise.all([first, second, third, fourth]);
  });
  test("the process lives as long as a step is in flight", () => {
    const script = `
      const { native, plan } = setup();
      const program = new native.Program(plan);
      program.runAsync([], [new Float32Array(20000)], 20000, () => console.log("landed"));`;
    expect(child(script)).toEqual({ status: 0, out: "landed\n", err: "" });
  });
});

describe("refused or ended early", () => {
  test("too many at once", async () => {
    const step = compile((x: Tensor) => x.mul(2));
    const one = ones(1) as Tensor;
    for (let i = 0; i < 2; i++) step.sync(one);
    const all = Array.from({ length: 1030 }, () => step(one).then(numbersOf, code));
    const results = await Promise.all(all);
    expect(results.slice(0, 1024)).toEqual(Array(1024).fill([[2]]));
    expect(results.slice(1024)).toEqual(Array(6).fill("ERR_NABLA_STATE"));
    await step(one);
  });
  test("aborted: those that have not begun, and later ones; state is that of those that ran", async () => {
    const controller = new AbortController();
    const w = zeros(1) as Tensor;
    const f = (x: Tensor) => {
      let y = x;
      for (let i = 0; i < 12; i++) y = y.matmul(x as never).mul(1e-3) as Tensor;
      ops.assign(w, w.add(1));
      return y.sum();
    };
    const step = compile(f, { signal: controller.signal });
    for (let i = 0; i < 2; i++) step.sync(big);
    const all = Array.from({ length: 10 }, () => step(big));
    const reason = new Error("enough");
    controller.abort(reason);
    const settled = await Promise.allSettled(all);
    const ran = settled.filter((s) => s.status === "fulfilled").length;
    expect(ran).toBeLessThan(all.length); // how many had begun is up to the scheduler
    expect(w.item()).toBe(2 + ran);
    for (const s of settled.slice(ran)) {
      const error = (s as PromiseRejectedResult).reason as NablaError;
      expect([error.code, error.cause]).toEqual(["ERR_NABLA_ABORTED", reason]);
    }
    await expect(step(big)).rejects.toThrow("compile: the step was aborted before it began");
  });
  test("disposed: those in flight land, later ones are refused", async () => {
    const { w, step } = await ready();
    const running = [step(big), step(big)];
    step[Symbol.dispose]();
    await expect(step(big)).rejects.toThrow("compile: the compiled step was disposed");
    await Promise.all(running);
    expect(w.toArray()).toEqual([4, 4, 4, 4]);
  });
  test("a bad label: the promise is rejected and state is as before, also what changed before the check", async () => {
    const t = classifier();
    const step = compiled(t);
    const [x, y] = t.args as [Tensor, Tensor];
    for (let i = 0; i < 3; i++) await step(x, y);
    const before = stateOf(t);
    const bad = tensor([0, 1, 2, 3, 9, 0, 1, 2, 3]);
    const labels = tensor(Int32Array.from(bad.dataSync())) as Tensor;
    await expect(step(x, labels)).rejects.toThrow("crossEntropy: label at position 4 is outside 0..4");
    expect(thrown(() => step.sync(x, labels))).toBe("ERR_NABLA_INDEX");
    expect(stateOf(t)).toEqual(before);

    const [count, end] = [zeros(1) as Tensor, zeros(1) as Tensor];
    const late = compile((a: Tensor) => {
      ops.assign(count, count.add(1));
      const loss = noGrad(() => crossEntropy(ones(1, 3), count.to("i32").mul(a as never) as never));
      ops.assign(end, end.add(1));
      return loss;
    });
    const one = tensor(Int32Array.of(1)) as Tensor;
    for (let i = 0; i < 2; i++) late.sync(one);
    for (let i = 0; i < 3; i++) await expect(late(one)).rejects.toThrow("outside 0..2");
    expect([count.item(), end.item()]).toEqual([2, 2]);
    late.sync(tensor(Int32Array.of(0)) as Tensor);
    expect([count.item(), end.item()]).toEqual([3, 3]);
  });
  test("state whose memory was transferred away", async () => {
    const array = new Float32Array(4);
    const w = wrapArray(array, [4], "f32") as Tensor;
    const step = compile((x: Tensor) => x.add(w));
    for (let i = 0; i < 3; i++) step.sync(ones(4) as Tensor);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    expect(thrown(() => step.sync(ones(4) as Tensor))).toBe("ERR_NABLA_DETACHED");
    await expect(step(ones(4) as Tensor)).rejects.toThrow("has lost its memory");
  });
});

/** XOR's step as arrays of numbers, its state copied: what another thread or process needs to run it. */
function planOf(t: Training): PlanArrays {
  t.step();
  const g = optimize(record(t.step as never, []).graph, {});
  const { plan } = lower(g, planMemory(g));
  return { ...plan, states: plan.states.map((s) => s.slice()) };
}
const root = fileURLToPath(new URL("../..", import.meta.url));
const setup = `
  function setup() {
    const native = require("node-gyp-build")(${JSON.stringify(process.env.NABLA_PREBUILD ?? root)});
    const plan = require("node:v8").deserialize(Buffer.from(process.env.NABLA_PLAN, "base64"));
    return { native, plan };
  }`;
function child(script: string): { status: number | null; out: string; err: string } {
  const env = { ...process.env, NABLA_PLAN: serialize(planOf(xor())).toString("base64") };
  const r = spawnSync(process.execPath, ["-e", `${setup}\n${script}`], {
    env,
    cwd: root,
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status: r.status, out: r.stdout, err: r.stderr };
}

describe("threads and processes that end", () => {
  const work = `
    const { workerData, parentPort } = require("node:worker_threads");
    const native = require(workerData.loader)(workerData.root);
    const program = new native.Program(workerData.plan);
    const loss = [new Float32Array(1)];
    const bytes = () => workerData.plan.states.map((s) => Buffer.from(s.buffer, s.byteOffset, s.byteLength).toString("base64")).join();
    const step = () => new Promise((done) => program.runAsync([], loss, 1, done));`;
  const loader = fileURLToPath(import.meta.resolve("node-gyp-build"));
  const start = (code: string, plan: PlanArrays) =>
    new Worker(work + code, { eval: true, workerData: { loader, root: process.env.NABLA_PREBUILD ?? root, plan } });
  const heard = (worker: Worker): Promise<string> =>
    new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));

  test("64 workers, each with a program, compute the same", async () => {
    const plan = planOf(xor());
    const code = `(async () => {
      for (let i = 0; i < 30; i++) { await step(); program.run([], loss, 1); }
      parentPort.postMessage(bytes());
    })();`;
    const workers = Array.from({ length: 64 }, () => start(code, plan));
    const ended = workers.map((w) => new Promise((resolve) => w.once("exit", resolve)));
    const answers = await Promise.all(workers.map(heard));
    const mine = { ...plan, states: plan.states.map((x) => x.slice()) };
    new native.Program(mine).run([], [new Float32Array(60)], 60);
    const expected = mine.states.map((x) => Buffer.from(x.buffer).toString("base64")).join();
    expect(new Set(answers)).toEqual(new Set([expected]));
    expect(await Promise.all(ended)).toEqual(Array(64).fill(0));
  }, 60_000);
  test("worker.terminate() with steps running and queued", async () => {
    const plan = planOf(xor());
    const code = `
      for (let i = 0; i < 5; i++) program.runAsync([], [new Float32Array(3e6)], 3e6, () => {});
      parentPort.postMessage("runs");`;
    for (let i = 0; i < 5; i++) {
      const worker = start(code, plan);
      await heard(worker);
      const begun = performance.now();
      expect(await worker.terminate()).toBe(1);
      expect(performance.now() - begun).toBeLessThan(2000);
    }
    const t = xor();
    const step = compiled(t);
    for (let i = 0; i < 3; i++) await step();
  }, 60_000);
  test("process.exit() in the middle of a run of millions of steps", () => {
    const script = `
      const { native, plan } = setup();
      const program = new native.Program(plan);
      for (let i = 0; i < 3; i++) program.runAsync([], [new Float32Array(2e7)], 2e7, () => {});
      setTimeout(() => process.exit(7), 50);`;
    for (let i = 0; i < 3; i++) expect(child(script)).toEqual({ status: 7, out: "", err: "" });
  });
  test("an error that nobody catches, meanwhile", () => {
    const script = `
      const { native, plan } = setup();
      const program = new native.Program(plan);
      program.runAsync([], [new Float32Array(2e7)], 2e7, () => {});
      setTimeout(() => { throw new Error("mine"); }, 20);`;
    const { status, err } = child(script);
    expect(status).toBe(1);
    expect(err).toMatch("Error: mine");
  });
});

describe("prepare()", () => {
  test("records twice and plans, turn by turn; the call behind it has nothing left to do but to run", async () => {
    let [runs, turns, over] = [0, 0, false];
    const step = compile((x: Tensor) => {
      runs++;
      return x.mul(2).sum();
    });
    const spin = () => {
      turns++;
      if (!over) setImmediate(spin);
    };
    setImmediate(spin);
    await step.prepare(ones(3));
    over = true;
    expect([runs, turns >= 4]).toEqual([2, true]);
    expect((await step(ones(3))).item()).toBe(6);
    await step.prepare(ones(3));
    expect(runs).toBe(2);
  });
  test("two at once make one plan, and none where the step is disposed meanwhile", async () => {
    const step = compile((x: Tensor) => x.mul(2));
    await Promise.all([step.prepare(ones(3)), step.prepare(ones(3))]);
    expect(step.explain().plans.length).toBe(1);
    const ended = step.prepare(ones(4));
    step[Symbol.dispose]();
    await ended;
    expect(step.explain().plans.length).toBe(0);
  });
  test("says what a call would", async () => {
    let n = 0;
    await expect(compile((x: Tensor) => x.mul(n++)).prepare(ones(2))).rejects.toThrow("would be baked in");
    await expect(compile((x: Tensor) => x).prepare(1 as never)).rejects.toThrow("argument 0 of the step is a number");
  });
});
