import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import {
  Adam,
  compile,
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  mse,
  noGrad,
  RNN,
  RNNCell,
  randn,
  seed,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "../lib/index.ts";
import { code } from "./code.ts";

const numbers = (x: Tensor): number[] => Array.from(x.contiguous().dataSync());
const same = (a: Tensor, b: Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  expect(numbers(a)).toEqual(numbers(b));
};

describe("a layer is its cell, step by step, bit for bit", () => {
  const load = (
    cell: { loadStateDict(d: Map<string, Tensor>): unknown },
    layer: { stateDict(): Map<string, Tensor> },
  ) => cell.loadStateDict(new Map([...layer.stateDict()].map(([name, x]) => [name.replace("_l0", ""), x])));
  it.each(["tanh", "relu"] as const)("RNN %s", (nonlinearity) => {
    const [layer, cell] = [new RNN(3, 7, { nonlinearity }), new RNNCell(3, 7, { nonlinearity })];
    load(cell, layer);
    const x = randn(5, 2, 3);
    const [y, hn] = layer.forward(x);
    let h: Tensor = zeros(2, 7);
    const all = numbers(stack(x.unbind(0).map((step) => (h = cell.forward(step, h)))));
    expect(numbers(y)).toEqual(all);
    same(hn.select(0, 0), h);
  });
  it("GRU", () => {
    const [layer, cell] = [new GRU(3, 7), new GRUCell(3, 7)];
    load(cell, layer);
    const x = randn(5, 2, 3);
    const [, hn] = layer.forward(x);
    same(
      hn.select(0, 0),
      x.unbind(0).reduce<Tensor>((h, step) => cell.forward(step, h), zeros(2, 7)),
    );
  });
  it("LSTM", () => {
    const [layer, cell] = [new LSTM(3, 7), new LSTMCell(3, 7)];
    load(cell, layer);
    const x = randn(5, 2, 3);
    const [, [hn, cn]] = layer.forward(x);
    let state: readonly [Tensor, Tensor] = [zeros(2, 7), zeros(2, 7)];
    for (const step of x.unbind(0)) state = cell.forward(step, state);
    same(hn.select(0, 0), state[0]);
    same(cn.select(0, 0), state[1]);
  });
});

describe("sequences of different lengths", () => {
  const lengths = [4, 1, 3];
  it.each([
    ["RNN", () => new RNN(2, 5, { bidirectional: true, numLayers: 2 })],
    ["GRU", () => new GRU(2, 5, { bidirectional: true, numLayers: 2 })],
  ] as const)("%s: each as if it were alone", (_, make) => {
    const layer = make();
    const x = randn(4, 3, 2);
    const [y, hn] = layer.forward(x, undefined, { lengths });
    lengths.forEach((n, b) => {
      const [alone, last] = layer.forward(x.slice(0, 0, n).slice(1, b, b + 1));
      same(y.slice(0, 0, n).slice(1, b, b + 1), alone);
      same(hn.slice(1, b, b + 1), last);
      expect(numbers(y.slice(0, n).slice(1, b, b + 1)).every((v) => v === 0)).toBe(true);
    });
  });
  it("LSTM: batch first, lengths as a tensor, and what is padded gets no gradient", () => {
    const layer = new LSTM(2, 5, { batchFirst: true, bidirectional: true });
    const x = randn(3, 4, 2);
    x.requiresGrad = true;
    const [y, [, cn]] = layer.forward(x, undefined, { lengths: tensor(lengths, { dtype: "i32" }) });
    y.sum().add(cn.sum()).backward();
    lengths.forEach((n, b) => {
      const [, [, last]] = layer.forward(
        x
          .detach()
          .slice(0, b, b + 1)
          .slice(1, 0, n),
      );
      same(cn.slice(1, b, b + 1), last);
      const g = x.grad!.select(0, b);
      expect(numbers(g.slice(0, n)).every((v) => v === 0)).toBe(true);
      expect(numbers(g.slice(0, 0, n)).some((v) => v !== 0)).toBe(true);
    });
  });
});

describe("compiled", () => {
  const threads = native.threads();
  afterEach(() => native.setThreads(threads));
  const kinds = { RNN, LSTM, GRU };

  /** Losses of five steps. */
  function losses(kind: keyof typeof kinds, compiled: boolean): number[] {
    seed(3);
    const layer = new kinds[kind](3, 16, { numLayers: 2, bidirectional: true, dropout: 0.25 });
    const opt = new Adam(layer, { lr: 0.01 });
    const [x, target] = [randn(6, 4, 3), randn(6, 4, 32)];
    const step = () => {
      const [y] = layer.forward(x, undefined, { lengths: [6, 2, 5, 1] });
      const loss = mse(y, target as never);
      opt.zeroGrad();
      loss.backward();
      opt.step();
      return loss;
    };
    const run = compiled ? compile(step).sync : step;
    return Array.from({ length: 5 }, () => run().item());
  }
  it.each(["RNN", "LSTM", "GRU"] as const)("%s: the bits of the eager step, with 1 and 2 threads", (kind) => {
    const expected = losses(kind, false);
    expect(expected[4]).toBeLessThan(expected[0]!);
    for (const n of [1, 2]) {
      native.setThreads(n);
      expect(losses(kind, true)).toEqual(expected);
    }
  });
});

describe("layers", () => {
  it("have PyTorch's names and shapes", () => {
    const layer = new LSTM(3, 4, { numLayers: 2, bidirectional: true });
    const shapes = Object.fromEntries([...layer.stateDict()].map(([name, x]) => [name, x.shape]));
    const one = (suffix: string, width: number) => ({
      [`weight_ih_${suffix}`]: [16, width],
      [`weight_hh_${suffix}`]: [16, 4],
      [`bias_ih_${suffix}`]: [16],
      [`bias_hh_${suffix}`]: [16],
    });
    expect(shapes).toEqual({ ...one("l0", 3), ...one("l0_reverse", 3), ...one("l1", 8), ...one("l1_reverse", 8) });
    expect([...new GRU(3, 4, { bias: false }).stateDict().keys()]).toEqual(["weight_ih_l0", "weight_hh_l0"]);
    expect(String(layer)).toContain("LSTM(3, 4, numLayers: 2, bidirectional)");
  });
  it("drop out between layers, in training only", () => {
    const layer = new GRU(3, 8, { numLayers: 2, dropout: 0.5 });
    const x = randn(3, 2, 3);
    expect(numbers(layer.forward(x)[0])).not.toEqual(numbers(layer.forward(x)[0]));
    layer.eval();
    same(layer.forward(x)[0], layer.forward(x)[0]);
  });
  it("go on from a state", () => {
    const layer = new LSTM(3, 4);
    const x = randn(6, 2, 3);
    const [whole] = layer.forward(x);
    const [first, state] = layer.forward(x.slice(0, 0, 2));
    const [second] = layer.forward(x.slice(0, 2), state);
    expect([...numbers(first), ...numbers(second)]).toEqual(numbers(whole));
  });
  it("compute in f64", () => {
    const layer = new GRU(3, 4).to("f64");
    const y = noGrad(() => layer.forward(randn(2, 1, 3).to("f64"))[0]);
    expect(y.dtype).toBe("f64");
  });
  it("say what does not fit", () => {
    const layer = new LSTM(3, 4);
    const call = (x: Tensor, ...rest: unknown[]) =>
      code(() => (layer.forward as (...a: unknown[]) => void)(x, ...rest));
    layer.forward = layer.forward.bind(layer);
    expect(call(zeros(5, 2, 7))).toBe("ERR_NABLA_SHAPE");
    expect(call(zeros(2, 3))).toBe("ERR_NABLA_SHAPE");
    expect(call(zeros(0, 2, 3))).toBe("ERR_NABLA_SHAPE");
    expect(call(zeros(5, 2, 3), [zeros(1, 2, 5), zeros(1, 2, 4)])).toBe("ERR_NABLA_SHAPE");
    expect(call(zeros(5, 2, 3), undefined, { lengths: [5, 0] })).toBe("ERR_NABLA_VALUE");
    expect(call(zeros(5, 2, 3), undefined, { lengths: [6, 1] })).toBe("ERR_NABLA_VALUE");
    expect(call(zeros(5, 2, 3), undefined, { lengths: [2.5, 1] })).toBe("ERR_NABLA_VALUE");
    expect(call(zeros(5, 2, 3), undefined, { lengths: [5] })).toBe("ERR_NABLA_SHAPE");
    expect(call(zeros(5, 2, 3).to("f64"))).toBe("ERR_NABLA_DTYPE");
    expect(code(() => new GRU(3, 4, { dropout: 2 }))).toBe("ERR_NABLA_VALUE");
    expect(code(() => new GRU(3, 0))).toBe("ERR_NABLA_VALUE");
    expect(code(() => new LSTMCell(3, 4).forward(zeros(3)))).toBe("ERR_NABLA_SHAPE");
    expect(layer.forward(zeros(5, 0, 3))[0].shape).toEqual([5, 0, 4]);
  });
});
