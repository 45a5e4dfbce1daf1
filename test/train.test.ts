import { afterEach, describe, expect, test } from "vitest";
import {
  Adam,
  accuracy,
  batches,
  crossEntropy,
  Dropout,
  evaluate,
  Linear,
  type Module,
  mse,
  NablaError,
  ReLU,
  Sequential,
  SGD,
  schedule,
  seed,
  Tanh,
  type Tensor,
  tensor,
  fit as train,
  zeros,
} from "../lib/index.ts";

// biome-ignore format: a truth table
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = tensor([[0], [1], [1], [0]]);
const xor = () => {
  seed(7);
  return new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
};
const weights = (m: Module) => [...m.stateDict().values()].map((w) => w.toArray());

describe("batches", () => {
  const n = 10;
  const all = tensor(Float32Array.from({ length: n }, (_, i) => i)).reshape(n, 1);
  const labels = tensor(Int32Array.from({ length: n }, (_, i) => 100 + i));
  const order = (data: Iterable<[Tensor, Tensor]>) => [...data].map(([a]) => [...(a as Tensor).dataSync()]);

  test("in order, the last one smaller", () => {
    const data = batches(all, labels, { size: 4 });
    expect(data.length).toBe(3);
    expect(order(data)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    const [a, b] = [...data][0]!;
    expect(a.shape).toEqual([4, 1]);
    expect(b.toArray()).toEqual([100, 101, 102, 103]);
  });
  test("dropLast leaves it out", () => {
    const data = batches(all, labels, { size: 4, dropLast: true });
    expect([data.length, data.samples]).toEqual([2, 8]);
    expect(order(data)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });
  test("shuffled: every sample once, inputs with their targets, another order in each epoch, the same for the same seed", () => {
    const data = batches(all, labels, { size: 3, shuffle: true, seed: 5 });
    const first = [...data];
    for (const [a, b] of first) expect(b.toArray()).toEqual([...a.dataSync()].map((v) => 100 + v));
    const one = order(first).flat();
    expect(one.toSorted((a, b) => a - b)).toEqual([...all.dataSync()]);
    const two = order(data).flat();
    expect(two).not.toEqual(one);
    const again = batches(all, labels, { size: 3, shuffle: true, seed: 5 });
    expect([order(again).flat(), order(again).flat()]).toEqual([one, two]);
    expect(order(batches(all, labels, { size: 3, shuffle: true, seed: 6 })).flat()).not.toEqual(one);
  });
  test("without a seed the order follows from the global one", () => {
    const draw = () => {
      seed(3);
      return order(batches(all, labels, { size: 10, shuffle: true }));
    };
    expect(draw()).toEqual(draw());
  });
  test("goes on from where another run stopped", () => {
    const whole = batches(all, labels, { size: 3, shuffle: true, seed: 1 });
    const expected = [...order(whole), ...order(whole)];
    const stopped = batches(all, labels, { size: 3, shuffle: true, seed: 1 });
    const seen = order(stopped);
    for (const [a] of stopped) {
      seen.push([...a.dataSync()]);
      if (stopped.position === 2) break;
    }
    const { epoch, position } = stopped;
    expect([epoch, position]).toEqual([1, 2]);
    const resumed = batches(all, labels, { size: 3, shuffle: true, seed: 1 }).resume({ epoch, position });
    expect([...seen, ...order(resumed)]).toEqual(expected);
  });
  test("a new loop is a new epoch, also after a break", () => {
    const data = batches(all, labels, { size: 5 });
    for (const _ of data) break;
    expect(order(data).length).toBe(2);
    expect(data.epoch).toBe(1);
  });
  test.each([
    [() => batches(all, zeros(9) as Tensor), "inputs and targets differ in the first size"],
    [() => batches(all, labels, { size: 0 }), "size must be a whole number from 1, got 0"],
    [() => batches(all, labels, { size: 11, dropLast: true }), "10 samples make no batch of 11"],
    [() => batches(all, labels, { seed: -1 }), "seed must be a whole number from 0, got -1"],
    [() => batches(all, labels).resume({ epoch: 0, position: 9 }), "position 9 lies behind the 1 batches"],
  ])("refuses %#", (f, sentence) => {
    expect(f).toThrow(NablaError);
    expect(f).toThrow(sentence);
  });
});

describe("fit", () => {
  test("learns XOR, and says what it did", async () => {
    const model = xor();
    const data = batches(x, y, { size: 2 });
    const events = [];
    for await (const e of train(model, data, { loss: mse, optimizer: new Adam(model, { lr: 0.05 }), epochs: 150 }))
      events.push(e);
    expect(events.filter((e) => e.done === "step").length).toBe(300);
    expect(events.slice(0, 3).map(({ done, epoch, step, samples }) => ({ done, epoch, step, samples }))).toEqual([
      { done: "step", epoch: 0, step: 1, samples: 2 },
      { done: "step", epoch: 0, step: 2, samples: 4 },
      { done: "epoch", epoch: 0, step: 2, samples: 4 },
    ]);
    const [a, b, both] = events;
    expect(both?.loss).toBeCloseTo((a!.loss + b!.loss) / 2, 12);
    expect(events.at(-1)?.loss).toBeLessThan(1e-3);
    expect(model.forward(x).gt(0.5).toArray()).toEqual([[false], [true], [true], [false]]);
  });

  test("is the loop a user would write, bit for bit", async () => {
    const [one, two] = [xor(), xor()];
    const data = () => batches(x, y, { size: 3, shuffle: true, seed: 2 });
    await train(one, data(), { loss: mse, optimizer: new SGD(one, { lr: 0.1, momentum: 0.9 }), epochs: 5 });
    const opt = new SGD(two, { lr: 0.1, momentum: 0.9 });
    const again = data();
    for (let epoch = 0; epoch < 5; epoch++)
      for (const [a, b] of again) {
        const loss = mse(two.forward(a), b);
        opt.zeroGrad();
        loss.backward();
        opt.step();
      }
    expect(weights(one)).toEqual(weights(two));
  });

  test("compiled unless told otherwise, with the same bits: dropout, schedule, clipping, accumulation, a smaller last batch", async () => {
    const trained = async (compile: boolean | undefined) => {
      seed(9);
      const model = new Sequential(new Linear(2, 8), new Tanh(), new Dropout(0.2), new Linear(8, 1));
      const losses = [];
      for await (const e of train(model, batches(x, y, { size: 3, shuffle: true, seed: 4 }), {
        loss: mse,
        optimizer: new Adam(model),
        epochs: 6,
        schedule: schedule.cosine({ from: 0.1, steps: 12 }),
        clip: 0.5,
        accumulate: 2,
        validation: batches(x, y),
        ...(compile !== undefined && { compile }),
      }))
        losses.push(e.loss);
      return [losses, weights(model)];
    };
    const eager = await trained(false);
    expect(await trained(undefined)).toEqual(eager);
    expect(await trained(true)).toEqual(eager);
  });

  test("awaited, it gives the last event", async () => {
    const model = xor();
    const optimizer = new SGD(model, { lr: 0.1 });
    const last = await train(model, batches(x, y, { size: 2 }), { loss: mse, optimizer, epochs: 3 });
    expect(last).toMatchObject({ done: "epoch", epoch: 2, step: 6 });
  });

  test("a break ends it; modes are as before", async () => {
    const model = new Sequential(new Linear(2, 4), new Dropout(0.5), new Linear(4, 1));
    model.layers[1].training = false;
    const optimizer = new SGD(model, { lr: 0.1 });
    for await (const e of train(model, batches(x, y), { loss: mse, optimizer, epochs: 100 })) {
      expect(model.layers[1].training).toBe(true);
      if (e.step === 3) break;
    }
    expect(model.training).toBe(true);
    expect(model.layers[1].training).toBe(false);
  });

  test("accumulated gradients of equal batches are those of the whole batch", async () => {
    const [one, two] = [xor(), xor()];
    await train(one, batches(x, y, { size: 2 }), { loss: mse, optimizer: new SGD(one, { lr: 0.1 }), accumulate: 2 });
    await train(two, batches(x, y, { size: 4 }), { loss: mse, optimizer: new SGD(two, { lr: 0.1 }) });
    const [a, b] = [one, two].map((m) => weights(m).flat(3) as number[]);
    for (const [i, w] of a!.entries()) expect(w).toBeCloseTo(b![i]!, 6);
  });

  test("the last group may be smaller", async () => {
    const model = xor();
    const steps = [];
    const optimizer = new SGD(model, { lr: 0.1 });
    for await (const e of train(model, batches(x, y, { size: 1 }), { loss: mse, optimizer, accumulate: 3 }))
      steps.push([e.done, e.samples]);
    expect(steps).toEqual([
      ["step", 3],
      ["step", 4],
      ["epoch", 4],
    ]);
  });

  test("schedule, clip, metrics and validation", async () => {
    seed(1);
    const points = tensor([
      [0, 1],
      [1, 0],
      [0, 2],
      [2, 0],
    ]);
    const labels = tensor([1, 0, 1, 0], { dtype: "i32" });
    const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 2));
    const events = [];
    for await (const e of train(model, batches(points, labels, { size: 2 }), {
      loss: crossEntropy,
      optimizer: new Adam(model),
      epochs: 20,
      schedule: schedule.step({ from: 0.1, size: 10, gamma: 0.5 }),
      clip: 1e-3,
      metrics: { accuracy },
      validation: batches(points, labels),
    }))
      events.push(e);
    expect(events.filter((e) => e.done === "step").map((e) => e.lr)).toEqual(
      Array.from({ length: 40 }, (_, i) => 0.1 * 0.5 ** Math.floor(i / 10)),
    );
    const last = events.at(-1);
    expect(last).toMatchObject({ metrics: { accuracy: 1 }, validation: { metrics: { accuracy: 1 } } });
    expect(events[0]).toHaveProperty("norm");
    const scores = await evaluate(model, batches(points, labels, { size: 3 }), { loss: crossEntropy });
    expect(scores.loss).toBeCloseTo((last as { validation: { loss: number } }).validation.loss, 6);
  });

  test("other work gets its turn", async () => {
    const model = xor();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await train(model, batches(x, y), { loss: mse, optimizer: new SGD(model, { lr: 0.01 }), epochs: 1500 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  test("a signal ends it after a step", async () => {
    const model = xor();
    const stop = new AbortController();
    const run = async () => {
      const optimizer = new SGD(model, { lr: 0.1 });
      for await (const e of train(model, batches(x, y), { loss: mse, optimizer, epochs: 9, signal: stop.signal }))
        if (e.step === 2) stop.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: "ERR_NABLA_ABORTED", message: "fit: aborted after 2 steps" });
  });

  test.each([
    [{ epochs: 0 }, "epochs must be a whole number from 1, got 0"],
    [{ accumulate: 1.5 }, "accumulate must be a whole number from 1, got 1.5"],
  ])("refuses %o", async (options, sentence) => {
    const model = xor();
    const run = async () => train(model, batches(x, y), { loss: mse, optimizer: new SGD(model), ...options });
    await expect(run()).rejects.toThrow(sentence);
  });
  test("a loss that is no number is told with the step", async () => {
    const model = xor();
    const run = async () =>
      train(model, batches(x, y), { loss: mse, optimizer: new SGD(model, { lr: 1e30 }), epochs: 9 });
    await expect(run()).rejects.toThrow(/the loss is (NaN|Infinity) at step \d/);
  });
  test("data that is no pair is told", async () => {
    const model = xor();
    const run = async () =>
      train(model, [x] as never as Iterable<[Tensor, Tensor]>, { loss: mse, optimizer: new SGD(model) });
    await expect(run()).rejects.toThrow("the data does not give pairs [x, y]");
  });
});

describe("accuracy", () => {
  afterEach(() => seed(0));
  test("of labels and of probabilities", () => {
    const logits = tensor([
      [3, 1, 0],
      [0, 1, 2],
    ]);
    expect(accuracy(logits, tensor([0, 1], { dtype: "i32" })).item()).toBe(0.5);
    expect(
      accuracy(
        logits,
        tensor([
          [0.8, 0.2, 0],
          [0, 0, 1],
        ]),
      ).item(),
    ).toBe(1);
    expect(() => accuracy(logits, zeros(3))).toThrow("needs one label for each row, [2]");
  });
});
