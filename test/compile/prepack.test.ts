// Weights that a compiled step packs: when, the same bits with and without, never a stale copy, memory that is counted.
import {
  AdamW,
  type Compiled,
  type CompileOptions,
  ContinuousBatch,
  compile,
  crossEntropy,
  GPT2,
  Linear,
  noGrad,
  ReLU,
  randint,
  randn,
  Sequential,
  seed,
  type Tensor,
} from "nabla";
import { afterEach, describe, expect, test } from "vitest";
import { native } from "../../lib/core/native.ts";
import * as ops from "../../lib/ops/index.ts";

const threads = native.threads();
afterEach(() => native.setThreads(threads));

type Net = Sequential & { forward(x: Tensor): Tensor };
type Step = Compiled<[Tensor], Tensor>;
/** 150 x 200 and 200 x 100: two weights worth it, and one too small. */
function network(first = 1): Net {
  seed(first);
  return new Sequential(new Linear(150, 200), new ReLU(), new Linear(200, 100), new Linear(100, 7)) as never;
}
const weightOf = (net: Net, rows: number) =>
  net.parameters().find((p) => p.shape[0] === rows && p.ndim === 2) as Tensor;
const inference = (net: Net, options: CompileOptions = { prepack: true }): Step =>
  compile((x: Tensor) => noGrad(() => net.forward(x)), options) as never;
function training(net: Net): Compiled<[Tensor, Tensor], Tensor> {
  const opt = new AdamW(net as never, { lr: 0.05 });
  return compile((x: Tensor, y: Tensor) => {
    const loss = crossEntropy(net.forward(x) as never, y as never);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  }) as never;
}
const input = (rows: number) => randn(rows, 150) as unknown as Tensor;
const numbers = (x: Tensor): number[] => [...(x.dataSync() as Float32Array)];
const eager = (net: Net, x: Tensor): number[] => numbers(noGrad(() => net.forward(x)));
const packedBytes = 4 * (150 * 240 + 200 * 144);

describe("packed weights", () => {
  test.each([1, 3, 16, 64])("give the bits of eager products with %i rows, run after run", async (rows) => {
    const net = network();
    const step = inference(net);
    for (let i = 0; i < 4; i++) {
      const x = input(rows);
      expect(numbers(i % 2 ? await step(x) : step.sync(x))).toEqual(eager(net, x));
    }
    expect(step.explain().plans[0].listing.match(/matmul_packed/g)).toHaveLength(2);
  });
  test("are those of no step that writes them, of more rows, or that wants none", () => {
    const net = network();
    const [wide, none] = [inference(net), inference(net, { prepack: false })];
    wide.sync(input(65));
    none.sync(input(1));
    const train = training(net);
    train.sync(input(4), randint(0, 7, [4]) as never);
    for (const step of [wide, none, train]) {
      expect(step.explain().plans[0].listing).not.toMatch("packed");
      expect(step.explain().plans[0].packedBytes).toBe(0);
    }
  });
  test("are counted", () => {
    const net = network();
    const [step, none] = [inference(net), inference(net, { prepack: false })];
    const [x] = [input(2)];
    step.sync(x);
    none.sync(x);
    const [with_, without] = [step.explain().plans[0], none.explain().plans[0]];
    expect(with_.packedBytes).toBe(packedBytes);
    // Beside them one word for each says how a run reads it.
    expect(with_.peakBytes - without.peakBytes).toBeGreaterThanOrEqual(packedBytes);
    expect(with_.peakBytes - without.peakBytes).toBeLessThan(packedBytes + 256);
    expect(with_.stateBytes).toBe(without.stateBytes);
    expect(with_.flops).toBe(without.flops);
  });
  test("go where a limit leaves no room for them", () => {
    const net = network();
    const x = input(2);
    const none = inference(net, { prepack: false });
    none.sync(x);
    const memoryLimit = none.explain().plans[0].peakBytes + packedBytes / 2;
    const step = inference(net, { memoryLimit });
    expect(numbers(step.sync(x))).toEqual(eager(net, x));
    expect(step.explain().plans[0].packedBytes).toBe(0);
  });
});

describe("a copy is never stale", () => {
  /** Four runs, so that copies are made and read. */
  function warm(step: Step, net: Net): void {
    for (let i = 0; i < 4; i++) {
      const x = input(2);
      expect(numbers(step.sync(x))).toEqual(eager(net, x));
    }
  }
  const changes: [string, (net: Net) => void][] = [
    ["one assigned weight", (net) => ops.assign(weightOf(net, 100), randn(100, 200))],
    ["a loaded state", (net) => net.loadStateDict(network(9).stateDict())],
    [
      "an eager training step",
      (net) => {
        const opt = new AdamW(net as never, { lr: 0.1 });
        crossEntropy(net.forward(input(4)) as never, randint(0, 7, [4]) as never).backward();
        opt.step();
      },
    ],
    ["a compiled training step", (net) => void training(net).sync(input(4), randint(0, 7, [4]) as never)],
  ];
  test.each(changes)("after %s", (_, change) => {
    const net = network();
    const step = inference(net);
    for (let round = 0; round < 3; round++) {
      warm(step, net);
      change(net);
    }
    warm(step, net);
  });
  test("between training steps in flight", async () => {
    const [net, twin] = [network(), network()];
    const [step, plain] = [inference(net), inference(twin, { prepack: false })];
    const [train, same] = [training(net), training(twin)];
    const runs: [Promise<Tensor>, number[]][] = [];
    for (let i = 0; i < 48; i++) {
      const [x, batch, y] = [input(2), input(4), randint(0, 7, [4]) as never];
      // Behind runs that have landed, and copies that are read.
      if (i % 6 === 4) {
        void train(batch, y);
        same.sync(batch, y);
      }
      runs.push([step(x), numbers(plain.sync(x))]);
      if (i % 6 < 4) await runs[i][0];
    }
    for (const [got, expected] of runs) expect(numbers(await got)).toEqual(expected);
  });
  test("where the run that was to make it is cancelled", async () => {
    const net = network();
    const abort = new AbortController();
    const cancelled = inference(net, { prepack: true, signal: abort.signal });
    const step = inference(net);
    for (const s of [cancelled, step]) s.sync(input(2));
    ops.assign(weightOf(net, 200), randn(200, 150));
    const x = input(2);
    step.sync(x);
    const slow = compile((y: Tensor) =>
      Array.from({ length: 30 }).reduce<Tensor>((z) => z.matmul(y as never) as Tensor, y),
    );
    const wait = Promise.all(Array.from({ length: 4 }, () => slow(randn(256, 256) as unknown as Tensor)));
    const run = cancelled(x);
    abort.abort();
    await expect(run).rejects.toMatchObject({ code: "ERR_NABLA_ABORTED" });
    await wait;
    warm(step, net);
  });
  test("in several runs of one call, with several threads", async () => {
    const net = network();
    const step = inference(net);
    for (const count of [1, 2, 3]) {
      native.setThreads(count);
      const x = randn(5, 2, 150) as unknown as Tensor;
      for (let i = 0; i < 2; i++) {
        const got = numbers(await step.repeat(5, x));
        expect(got).toEqual(eager(net, x));
      }
    }
  });
});

test("steps share copies, and a copy goes with the last of them", () => {
  const net = network();
  const [one, two] = [inference(net), inference(net)];
  const x = input(2);
  for (let i = 0; i < 3; i++) expect(numbers(one.sync(x))).toEqual(eager(net, x));
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 3; i++) expect(numbers(two.sync(x))).toEqual(eager(net, x));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(packedBytes / 2);
});

test("texts before and after a training step are those of unpacked weights", async () => {
  const texts: number[][] = [];
  for (const prepack of [true, false]) {
    seed(2);
    const model = new GPT2({ vocabSize: 300, contextLength: 32, layers: 2, heads: 2, width: 128, std: 0.3 }).eval();
    const opt = new AdamW(model, { lr: 0.01 });
    using batch = new ContinuousBatch(model, { streams: 2, prepack });
    for (let round = 0; round < 3; round++) {
      const text: number[] = [];
      for await (const token of batch.generate([1, 2, round], { maxTokens: 12, seed: 1 })) text.push(token);
      texts.push(text);
      const ids = randint(0, 300, [2, 16]) as unknown as Tensor;
      crossEntropy(ops.reshape(model.forward(ids), [32, 300]) as never, ops.reshape(ids, [32]) as never).backward();
      opt.step();
      opt.zeroGrad();
    }
  }
  expect(texts.slice(0, 3)).toEqual(texts.slice(3));
  expect(new Set(texts.slice(0, 3).map(String)).size).toBe(3);
});
