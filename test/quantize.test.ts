// Weights of 8 bits against their definition in whole numbers, the same on every instruction set, and what they cost.
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import {
  Adam,
  batches,
  compile,
  crossEntropy,
  digits,
  GPT2,
  Linear,
  fit as learn,
  Module,
  MultiheadAttention,
  noGrad,
  ones,
  QuantizedLinear,
  quantizeDynamic,
  ReLU,
  randn,
  Sequential,
  seed,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "../lib/index.ts";
import { code } from "./code.ts";
import { difference } from "./signature.ts";

const [count, best] = [threads(), native.isa()];
afterEach(() => {
  setThreads(count);
  native.use(best);
});

const f = Math.fround;
/** To the nearest whole number, ties to even. */
function nearest(x: number): number {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(x);
}
const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));

/** y = x Wᵀ + bias by the definition; x [m, k], w [n, k]. */
function defined(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array | null,
  [m, n, k]: readonly number[],
): Float32Array {
  const y = new Float32Array(m! * n!);
  const weights = Array.from({ length: n! }, (_, j) => {
    const row = w.subarray(j * k!, (j + 1) * k!);
    const top = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const scale = top > 0 ? f(top / 127) : 1;
    return { scale, q: Array.from(row, (e) => clamp(nearest(f(e / scale)), -127, 127)) };
  });
  for (let i = 0; i < m!; i++) {
    const row = x.subarray(i * k!, (i + 1) * k!);
    const [low, high] = [Math.min(0, ...row), Math.max(0, ...row)];
    const step = f(f(high - low) / 255);
    const scale = step > 0 ? step : 1;
    const zero = clamp(nearest(f(-low / scale)), 0, 255);
    const q = Array.from(row, (e) => clamp(nearest(f(e / scale)) + zero, 0, 255));
    weights.forEach((weight, j) => {
      const whole = q.reduce((sum, e, l) => sum + (e - zero) * weight.q[l]!, 0);
      const value = f(f(whole) * f(scale * weight.scale));
      y[i * n! + j] = bias ? f(value + bias[j]!) : value;
    });
  }
  return y;
}
const run = (layer: Module, x: Tensor): Tensor =>
  noGrad(() => (layer as unknown as { forward(x: Tensor): Tensor }).forward(x));
const shapes = [
  [1, 1, 1],
  [1, 40, 64],
  [2, 16, 3],
  [5, 17, 33],
  [14, 33, 100],
  [15, 31, 16],
  [70, 66, 130],
] as const;

describe("QuantizedLinear", () => {
  it.each([...native.isas])("%s, by its definition", (isa) => {
    native.use(isa);
    for (const [m, n, k] of shapes) {
      seed(m + n + k);
      const [x, w, b] = [randn([m, k]), randn([n, k]), randn([n])];
      for (const bias of [b, null]) {
        const expected = defined(x.dataSync(), w.dataSync(), bias?.dataSync() ?? null, [m, n, k]);
        const got = run(new QuantizedLinear(w, bias), x).dataSync() as Float32Array;
        expect(difference(got, expected), `${m} x ${n} x ${k}`).toBeUndefined();
        const turned = new QuantizedLinear(w.mT().contiguous().mT(), bias);
        expect(difference(run(turned, x).dataSync() as Float32Array, expected)).toBeUndefined();
      }
    }
  });
  it("sums the largest bytes without saturating", () => {
    const k = 4001;
    const [x, w] = [
      ones(1, k),
      tensor([...ones(k).dataSync()])
        .neg()
        .reshape(1, k),
    ];
    for (const isa of native.isas) {
      native.use(isa);
      const y = run(new QuantizedLinear(w as Tensor), x).item();
      expect(Math.abs(y + k), isa).toBeLessThan(0.01);
    }
  });
  it("has the same bits for 1, 2, 3 and 5 threads and on every instruction set, where blocks are cut", () => {
    seed(1);
    const [x, w] = [randn([600, 300]), randn([700, 300])];
    const layer = new QuantizedLinear(w);
    setThreads(1);
    const expected = run(layer, x).dataSync() as Float32Array;
    for (const n of [2, 3, 5]) {
      setThreads(n);
      expect(difference(run(layer, x).dataSync() as Float32Array, expected), `${n} threads`).toBeUndefined();
    }
    for (const isa of native.isas) {
      native.use(isa);
      expect(difference(run(layer, x).dataSync() as Float32Array, expected), isa).toBeUndefined();
    }
  });
  it("errs by half a step of each operand", () => {
    seed(2);
    const [x, w] = [randn([20, 500]), randn([30, 500])];
    const exact = x.double().matmul(w.mT().double());
    const error = run(new QuantizedLinear(w), x).double().sub(exact).abs().max().item();
    expect(error).toBeGreaterThan(0.01);
    expect(error).toBeLessThan(2);
  });
  it("takes zeros, NaN, infinities and nothing at all", () => {
    const layer = new QuantizedLinear(new Linear(4, 3).weight);
    expect(run(layer, tensor([[0, 0, 0, 0]])).toArray()).toEqual([[0, 0, 0]]);
    expect(run(layer, tensor([[Number.NaN, 0, 0, Number.NEGATIVE_INFINITY]])).shape).toEqual([1, 3]);
    expect(run(layer, ones(0, 4) as Tensor).shape).toEqual([0, 3]);
    expect(run(new QuantizedLinear(ones(3, 0)), ones(2, 0) as Tensor).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
  it("refuses gradients, other sizes and dtypes, and has no weight to read", () => {
    const layer = new QuantizedLinear(new Linear(4, 3).weight);
    expect(code(() => layer.forward(ones([1, 4], { requiresGrad: true }) as Tensor))).toBe("ERR_NABLA_GRAD");
    expect(code(() => run(layer, ones(1, 5)))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => run(layer, ones(1, 4).double()))).toBe("ERR_NABLA_DTYPE");
    expect(code(() => layer.weight)).toBe("ERR_NABLA_STATE");
    expect(code(() => new QuantizedLinear(ones(3)))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => new QuantizedLinear(ones(3, 3).double()))).toBe("ERR_NABLA_DTYPE");
    expect(code(() => quantizeDynamic({} as Module))).toBe("ERR_NABLA_TYPE");
    expect(code(() => quantizeDynamic(new Linear(1, 1), { dtype: "i4" as never }))).toBe("ERR_NABLA_VALUE");
  });
});

describe("quantizeDynamic", () => {
  it("puts small layers in place, wherever they stand, one for one", () => {
    class Net extends Module {
      shared = new Linear(4, 4);
      inside = { list: [new Sequential(new Linear(4, 8), new ReLU()), this.shared] as const };
      attention = new MultiheadAttention(4, 2);
    }
    const net = quantizeDynamic(new Net());
    const kinds = [...net.namedModules()].map(([name, m]) => `${name}: ${m.constructor.name}`);
    expect(kinds).toEqual([
      ": Net",
      "shared: QuantizedLinear",
      "inside.list.0: Sequential",
      "inside.list.0.0: QuantizedLinear",
      "inside.list.0.1: ReLU",
      "attention: MultiheadAttention",
      "attention.out_proj: Linear",
    ]);
    expect(net.inside.list[1]).toBe(net.shared);
  });
  it("keeps the digits that a network reads", async () => {
    seed(3);
    const [train, test] = [digits(1500, { seed: 1 }), digits(500, { seed: 2 })];
    const pixels = (d: typeof train) => tensor(Float32Array.from(d.images.data, (p) => p / 255)).reshape(-1, 784);
    const labels = (d: typeof train) => tensor(Int32Array.from(d.labels.data));
    const make = () => new Sequential(new Linear(784, 64), new ReLU(), new Linear(64, 10));
    const net = make();
    const optimizer = new Adam(net, { lr: 0.002 });
    const data = batches(pixels(train), labels(train) as never, { size: 50 });
    await learn(net as never, data as never, { loss: crossEntropy as never, optimizer, epochs: 4 });
    const right = (model: Module) => {
      const found = run(model, pixels(test)).argmax(1).toArray() as number[];
      return found.filter((e, i) => e === test.labels.data[i]).length / 500;
    };
    const exact = right(net);
    expect(exact).toBeGreaterThan(0.9);
    for (const dtype of ["bf16", "i8"] as const) {
      const small = make();
      small.loadStateDict(net.stateDict());
      expect(Math.abs(right(quantizeDynamic(small, { dtype })) - exact), dtype).toBeLessThan(0.01);
      expect(small.layers[0]).toBeInstanceOf(dtype === "i8" ? QuantizedLinear : Linear);
    }
  }, 60_000);
  it("compiles, with the same bits, in a GPT with either head", async () => {
    for (const tied of [true, false]) {
      seed(4);
      const model = new GPT2({ vocabSize: 40, contextLength: 16, layers: 2, heads: 2, width: 32, tied }).eval();
      const ids = tensor(Int32Array.from({ length: 16 }, (_, i) => (7 * i) % 40)).reshape(1, 16);
      const forward = (x: Tensor) => noGrad(() => model.forward(x));
      const before = forward(ids as Tensor);
      quantizeDynamic(model);
      const after = forward(ids as Tensor);
      const step = compile(forward);
      for (let i = 0; i < 3; i++)
        expect(
          difference((await step(ids as Tensor)).dataSync() as Float32Array, after.dataSync() as Float32Array),
        ).toBeUndefined();
      const error = after.sub(before).abs().max().item();
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(0.1);
    }
  });
});
