// fit() compiles its step: the bits of the eager run, and what becomes of a step that cannot be compiled.
import {
  Adam,
  BatchNorm2d,
  batches,
  Conv2d,
  crossEntropy,
  Dropout,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  mse,
  ones,
  ReLU,
  randint,
  randn,
  Sequential,
  SGD,
  seed,
  setThreads,
  Tanh,
  type Tensor,
  TransformerEncoderLayer,
  tensor,
  threads,
  fit as train,
  zeros,
} from "nabla";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Watch } from "../../lib/train/watch.ts";

// biome-ignore format: a truth table
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = tensor([[0], [1], [1], [0]]);
const xor = () => {
  seed(7);
  return new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
};
const weights = (m: Module) => [...m.stateDict().values()].map((w) => w.toArray());
const chosen = (compile: boolean | undefined) => (compile === undefined ? {} : { compile });

describe("compiled and eager, one thread and two", () => {
  const many = threads();
  afterEach(() => setThreads(many));
  const pictures = randn(10, 1, 8, 8) as Tensor;
  const series = randn(10, 6, 4) as Tensor;
  const labels = randint(0, 3, [10]) as Tensor;
  class Sequence extends Module {
    readonly lstm = new LSTM(4, 8, { batchFirst: true });
    readonly head = new Linear(8, 3);
    forward(a: Tensor): Tensor {
      return this.head.forward(this.lstm.forward(a as never)[0].select(1, 5) as never) as Tensor;
    }
  }
  class Attending extends Module {
    readonly layer = new TransformerEncoderLayer(4, 2, { hidden: 8, dropout: 0.1 });
    readonly head = new Linear(4, 3);
    forward(a: Tensor): Tensor {
      return this.head.forward((this.layer.forward(a as never) as Tensor).mean(1) as never) as Tensor;
    }
  }
  const convolutions = () =>
    new Sequential(
      new Conv2d(1, 4, 3, { padding: 1 }),
      new BatchNorm2d(4),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Dropout(0.2),
      new Linear(64, 3),
    );
  const cases: [string, () => Module, Tensor][] = [
    ["convolutions", convolutions, pictures],
    ["a recurrent layer", () => new Sequence(), series],
    ["attention", () => new Attending(), series],
  ];
  test.each(cases)("%s", async (_, make, inputs) => {
    const trained = async (n: number, compile: boolean) => {
      setThreads(n);
      seed(3);
      const model = make();
      const losses = [];
      const data = batches(inputs, labels, { size: 4, shuffle: true, seed: 4 });
      const loss = crossEntropy as never;
      for await (const e of train(model as never, data, { loss, optimizer: new Adam(model), epochs: 3, compile }))
        losses.push((e as { loss: number }).loss);
      return [losses, weights(model)];
    };
    const expected = await trained(1, false);
    for (const [n, compile] of [[2, false], [1, true], [2, true]] as const) // biome-ignore format: a table
      expect(await trained(n, compile)).toEqual(expected);
  });
});

test("an optimizer of some parameters only; no gradient is left at the end", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const trained = async (compile: boolean | undefined) => {
    const model = xor();
    const optimizer = new Adam(model.layers[2]);
    const last = await train(model, batches(x, y, { size: 2 }), {
      loss: mse,
      optimizer,
      clip: 1,
      epochs: 3,
      ...chosen(compile),
    });
    for (const p of model.parameters()) expect(p.grad).toBeNull();
    return [last.loss, weights(model)];
  };
  expect(await trained(undefined)).toEqual(await trained(false));
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

describe("a step that cannot be compiled", () => {
  afterEach(() => vi.restoreAllMocks());
  /** Forgets small outputs, looking at them: reads numbers inside the step. */
  class Gate extends Module {
    readonly drop = new Dropout(0.3);
    readonly linear = new Linear(2, 1);
    forward(a: Tensor): Tensor {
      const z = this.linear.forward(this.drop.forward(a as never) as never) as Tensor;
      return z.abs().max().item() > 0.1 ? z : z.mul(0.5);
    }
  }
  const trained = async (compile?: boolean) => {
    seed(5);
    const model = new Gate();
    await train(model as never, batches(x, y, { size: 3 }), {
      loss: mse as never,
      optimizer: new SGD(model, { lr: 0.1, momentum: 0.9 }),
      epochs: 3,
      ...chosen(compile),
    });
    return weights(model);
  };
  test("runs eagerly after one warning, bit for bit, and is an error where compile: true was asked for", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const eager = await trained(false);
    expect(warn).not.toHaveBeenCalled();
    expect(await trained()).toEqual(eager);
    expect(warn).toHaveBeenCalledTimes(1);
    const [text, options] = warn.mock.calls[0] as unknown as [string, { code: string; detail: string }];
    expect(text).toMatch("fit: the step runs eagerly, because it cannot be compiled. item: reads a tensor's numbers");
    expect([options.code, options.detail]).toEqual([
      "NABLA_EAGER",
      "{ compile: false } says that this is wanted; { compile: true } makes it an error.",
    ]);
    await expect(trained(true)).rejects.toThrow("item: reads a tensor's numbers inside a compiled step");
  });
  test("one that changes between epochs goes on eagerly from there", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const run = async (compile?: boolean) => {
      const model = xor();
      let epoch = 0;
      const loss = (a: Tensor, b: Tensor) => mse(a as never, b as never).mul(epoch > 0 ? 2 : 1) as Tensor;
      const optimizer = new Adam(model);
      const data = batches(x, y, { size: 1 });
      const options = { loss: loss as never, optimizer, epochs: 4, ...chosen(compile) };
      for await (const e of train(model, data, options)) if (e.done === "epoch") epoch = e.epoch + 1;
      return weights(model);
    };
    expect(await run()).toEqual(await run(false));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch("a number of mul was 1 in one run and 2 in the next");
  });
  test("a tensor kept for the next step: an error that says what to do", async () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    class Carrying extends Module {
      readonly linear = new Linear(2, 1);
      last: Tensor | undefined;
      forward(a: Tensor): Tensor {
        const out = this.linear.forward(a as never).add((this.last ?? 0) as never) as Tensor;
        this.last = out.detach() as Tensor;
        return out;
      }
    }
    const run = (compile: boolean | undefined) => {
      const model = new Carrying();
      const options = { loss: mse as never, optimizer: new SGD(model, { lr: 0.1 }), ...chosen(compile) };
      return train(model as never, batches(x, y, { size: 2 }), options);
    };
    await expect(Promise.resolve(run(undefined))).rejects.toThrow(
      "fit: the step uses a tensor that an earlier step made\n  hint: fit(model, data, { ..., compile: false })",
    );
    expect((await run(false)).step).toBe(2);
  });
  test("a number that changes in the middle of an epoch is found, if late", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const model = xor();
    let steps = 0;
    const loss = (a: Tensor, b: Tensor) => mse(a as never, b as never).mul(steps > 5 ? 2 : 1) as Tensor;
    const data = Array.from({ length: 12 }, () => [x, y] as const);
    const found: number[] = [];
    for await (const e of train(model, data as never, { loss: loss as never, optimizer: new Adam(model) } as never)) {
      steps = e.step;
      if (warn.mock.calls.length > 0) found.push(steps);
    }
    expect(found[0]).toBe(9);
  });
  test("a number that changes in a module in the middle of an epoch is found at that step", async () => {
    const run = async (compile?: boolean) => {
      const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      warn.mockClear();
      const model = xor();
      class Scaled extends Module {
        factor = 1;
        forward(a: Tensor): Tensor {
          return model.forward(a as never).mul(this.factor) as Tensor;
        }
        override children() {
          return Object.entries({ model });
        }
      }
      const scaled = new Scaled();
      const data = Array.from({ length: 300 }, () => [x, y] as const);
      const found: number[] = [];
      const options = { loss: mse, optimizer: new Adam(scaled), ...chosen(compile) };
      for await (const e of train(scaled, data as never, options as never)) {
        if (e.step === 77) scaled.factor = 2;
        if (warn.mock.calls.length > 0) found.push(e.step);
      }
      return { weights: weights(model), first: found[0] };
    };
    const eager = await run(false);
    expect(eager.first).toBeUndefined();
    expect(await run()).toEqual({ weights: eager.weights, first: 78 });
  });
  test("other numbers are looked for behind steps 1, 2, 4, ..., 2048 and every 2048 from there", () => {
    const watch = new Watch(xor());
    const due = Array.from({ length: 6200 }, (_, i) => i).filter((steps) => watch.due(steps));
    expect(due).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 6144]);
  });
  test("batches that all differ in size: eight are compiled, the others run eagerly", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const run = async (compile?: boolean) => {
      const model = xor();
      const data = Array.from({ length: 12 }, (_, i) => [ones(i + 1, 2), zeros(i + 1, 1)] as const);
      const options = { loss: mse, optimizer: new Adam(model), epochs: 2 };
      await train(model, data as never, { ...options, ...chosen(compile) } as never);
      return weights(model);
    };
    expect(await run()).toEqual(await run(false));
    expect(warn).not.toHaveBeenCalled();
  });
});
