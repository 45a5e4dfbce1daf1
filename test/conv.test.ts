// Convolution and pooling beyond the small cases of the registry: shapes that are cut into bands, blocks and chunks, what is
// refused, and the layers.
import { afterEach, describe, expect, test } from "vitest";
import { native } from "../lib/core/native.ts";
import type { Value } from "../lib/core/value.ts";
import { walk } from "../lib/engine/tape.ts";
import {
  AdaptiveAvgPool2d,
  autocast,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  compile,
  crossEntropy,
  Dropout2d,
  Flatten,
  InstanceNorm2d,
  Linear,
  MaxPool2d,
  type NablaError,
  ones,
  ReLU,
  ResNet,
  randn,
  resnet18,
  resnet20,
  Sequential,
  SGD,
  seed,
  type Tensor,
  tensor,
  zeros,
} from "../lib/index.ts";
import * as ops from "../lib/ops/index.ts";
import { bits, elements } from "./sample.ts";

const best = native.isa();
const threads = native.threads();
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

interface Shape {
  readonly x: number[];
  readonly weight: number[];
  readonly options: ops.ConvOptions;
}
const shapes: Record<string, Shape> = {
  "bands of rows": { x: [1, 3, 150, 90], weight: [5, 3, 3, 3], options: { padding: 1 } },
  "blocks of outputs and channels": { x: [2, 520, 5, 4], weight: [46, 520, 3, 3], options: { padding: 1 } },
  "chunks of images": { x: [19, 6, 13, 11], weight: [10, 6, 5, 5], options: { padding: 2 } },
  "phases of a stride": { x: [3, 8, 29, 30], weight: [9, 8, 5, 4], options: { stride: [3, 2], padding: [2, 3] } },
  "a stride longer than the window": { x: [2, 4, 20, 21], weight: [6, 4, 2, 1], options: { stride: [3, 4] } },
  "groups, dilated": {
    x: [2, 12, 17, 19],
    weight: [18, 4, 3, 3],
    options: { groups: 3, dilation: [2, 3], padding: 4 },
  },
  "one channel a group": { x: [4, 20, 14, 15], weight: [20, 1, 3, 3], options: { groups: 20, padding: 1 } },
  "outputs across the vectors": { x: [3, 9, 7, 14], weight: [64, 9, 3, 3], options: { padding: 1 } },
  "one channel": { x: [17, 1, 28, 30], weight: [16, 1, 3, 3], options: { padding: 1 } },
  "one channel a group and bands of rows": { x: [1, 2, 150, 97], weight: [2, 1, 5, 5], options: { groups: 2 } },
  "few outputs a group, phases of a stride": {
    x: [5, 6, 21, 40],
    weight: [12, 2, 3, 3],
    options: { groups: 3, stride: [2, 2], padding: [1, 1] },
  },
  "one row": { x: [3, 4, 1, 700], weight: [5, 4, 1, 9], options: { padding: [0, 4], stride: [1, 2] } },
};

interface Results {
  readonly y: Value;
  readonly dx: Value;
  readonly dw: Value;
}
/** Forward and both gradients, for a cotangent that depends on the result alone. */
function run(x: Value, weight: Value, options: ops.ConvOptions): Results {
  const [a, b] = [ops.copy(x), ops.copy(weight)];
  a.requiresGrad = true;
  b.requiresGrad = true;
  const y = ops.conv2d(a, b, undefined, options);
  const cotangent = ops.cos({ x: ops.reshape(ops.cast(ops.arange(0, y.size), x.dtype), y.shape) });
  const [dx, dw] = walk([{ value: y, grad: cotangent }], [a, b]);
  return { y, dx: dx!, dw: dw! };
}
function inputs({ x, weight }: Shape): [Value, Value] {
  seed(7);
  return [randn(...x), randn(...weight)];
}

describe.each(Object.entries(shapes))("convolution with %s", (_, shape) => {
  test("agrees with its definition in f64", () => {
    const [x, weight] = inputs(shape);
    const got = run(x, weight, shape.options);
    const exact = run(ops.cast(x, "f64"), ops.cast(weight, "f64"), shape.options);
    for (const name of ["y", "dx", "dw"] as const) {
      const ref = elements(exact[name]);
      const scale = Math.sqrt(ref.reduce((s, v) => s + v * v, 0) / ref.length);
      const worst = elements(got[name]).reduce((w, v, i) => Math.max(w, Math.abs(v - ref[i]!)), 0);
      expect(worst / scale, name).toBeLessThan(2e-5);
    }
  });
  test("has the same bits on every instruction set and number of threads", () => {
    const [x, weight] = inputs(shape);
    native.setThreads(1);
    native.use("scalar");
    const expected = run(x, weight, shape.options);
    for (const isa of native.isas) {
      for (const count of [1, 3]) {
        native.use(isa);
        native.setThreads(count);
        const got = run(x, weight, shape.options);
        for (const name of ["y", "dx", "dw"] as const)
          expect(Buffer.compare(bits(got[name]), bits(expected[name])), `${name}, ${isa}, ${count} threads`).toBe(0);
      }
    }
  });
  test("in bf16 has the same bits, and those of f32 where there are no pairs", () => {
    const [x, weight] = inputs(shape);
    const { groups = 1 } = shape.options;
    const [images, outs, ins] = [x.shape[0]!, weight.shape[0]!, weight.shape[1]!];
    const exact = run(x, weight, shape.options);
    const many = weight.size > 16 * outs || exact.y.shape[3]! <= 8;
    const paired = { y: ins > 1, dx: outs > groups, dw: images > 1 && outs > 4 * groups && many };
    const half = () => autocast("bf16", () => run(x, weight, shape.options));
    native.setThreads(1);
    native.use("scalar");
    const expected = half();
    for (const name of ["y", "dx", "dw"] as const) {
      const [got, ref] = [elements(expected[name]), elements(exact[name])];
      const scale = Math.sqrt(ref.reduce((s, v) => s + v * v, 0) / ref.length);
      const worst = got.reduce((w, v, i) => Math.max(w, Math.abs(v - ref[i]!)), 0) / scale;
      expect(worst, name).toBeLessThan(0.05);
      if (paired[name]) expect(worst, name).toBeGreaterThan(1e-4);
      else expect(worst, name).toBeLessThan(1e-6);
    }
    for (const isa of native.isas) {
      for (const count of [1, 3]) {
        native.use(isa);
        native.setThreads(count);
        const got = half();
        for (const name of ["y", "dx", "dw"] as const)
          expect(Buffer.compare(bits(got[name]), bits(expected[name])), `${name}, ${isa}, ${count} threads`).toBe(0);
      }
    }
  });
});

/** The sentence of an error. */
function refusal(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    return `${(error as NablaError).code}: ${(error as Error).message.split("\n")[0]}`;
  }
  return "no error";
}

describe("what is refused", () => {
  const x = zeros(2, 4, 8, 8);
  const weight = zeros(6, 4, 3, 3);
  const refused = (options: ops.ConvOptions, w: Value = weight, from: Value = x) =>
    refusal(() => ops.conv2d(from, w, undefined, options));

  test("windows that do not fit", () => {
    expect(refused({}, zeros(6, 4, 9, 3))).toBe(
      "ERR_NABLA_SHAPE: conv2d: a window of 9 is larger than the 8 elements it slides over",
    );
    expect(refused({ dilation: 5 })).toContain("a window of 11 is larger than the 8 elements");
    expect(refusal(() => ops.maxPool2d(x, 9))).toContain("a window of 9 is larger");
    expect(
      refusal(() => ops.convTranspose2d(zeros(1, 4, 1, 1), zeros(4, 2, 2, 2), undefined, { padding: 2 })),
    ).toContain("padding 2 leaves an output of size -2");
  });
  test("numbers that are no sizes", () => {
    expect(refused({ stride: 0 })).toBe("ERR_NABLA_VALUE: conv2d: stride must be whole numbers from 1 to 2^24, got 0");
    expect(refused({ dilation: 0 })).toContain("dilation must be");
    expect(refused({ padding: -1 })).toContain("padding must be");
    expect(refused({ padding: 2 ** 20 })).toContain("padding 1048576 is more than 65536");
    expect(refused({ padding: "same", stride: 2 })).toContain('padding "same" needs stride 1');
    expect(refusal(() => ops.avgPool2d(x, 2, { divisorOverride: 0 }))).toContain("cannot divide by 0");
    expect(refusal(() => ops.maxPool2d(x, 2, { padding: 2 }))).toContain("padding 2 is more than half of the window");
    expect(refusal(() => ops.adaptiveAvgPool2d(x, 0))).toContain("must be whole numbers from 1");
  });
  test("channels and groups that do not divide", () => {
    expect(refused({ groups: 3 })).toBe("ERR_NABLA_VALUE: conv2d: 3 groups do not divide 4 channels");
    expect(refused({ groups: 4 }, zeros(6, 1, 3, 3))).toContain("4 groups do not divide 6 outputs");
    expect(refused({ groups: 0 })).toContain("groups must be a whole number from 1");
    expect(refused({}, zeros(6, 5, 3, 3))).toContain("the weight is for 5 channels, the input has 4");
    expect(refused({}, weight, ops.cast(x, "f64"))).toContain("input is f64, weight or bias f32");
    expect(refusal(() => new Conv2d(4, 6, 3, { groups: 4 }))).toContain(
      "4 groups do not divide 4 channels and 6 outputs",
    );
    expect(refusal(() => new Conv2d(4, 6, 0))).toContain("the kernel must be");
  });
  test("batch and instance norm of one value, or of none", () => {
    expect(refusal(() => new BatchNorm2d(3).forward(zeros(1, 3, 1, 1)))).toBe(
      "ERR_NABLA_VALUE: batchNorm: training needs two values or more for each channel, got 1",
    );
    expect(refusal(() => new BatchNorm2d(3).forward(zeros(0, 3, 4, 4)))).toContain("got 0");
    expect(refusal(() => new InstanceNorm2d(3).forward(zeros(2, 3, 1, 1)))).toContain("needs two positions or more");
    const norm = new BatchNorm2d(3);
    refusal(() => norm.forward(zeros(1, 3, 1, 1)));
    expect(norm.num_batches_tracked!.item()).toBe(0);
  });
  test("an empty batch has an empty result, and no gradient for the weight", () => {
    const layer = new Conv2d(4, 6, 3);
    const y = layer.forward(zeros(0, 4, 8, 8)) as Tensor;
    expect(y.shape).toEqual([0, 6, 6, 6]);
    y.sum().backward();
    expect(elements(layer.weight.grad!).every((v) => v === 0)).toBe(true);
    expect(ops.maxPool2d(zeros(0, 4, 8, 8), 2).shape).toEqual([0, 4, 4, 4]);
  });
});

describe("pooling", () => {
  test("takes NaN for the largest, and the first of equals", () => {
    const x = tensor([
      [
        [1, Number.NaN, 3, 3],
        [2, 0, 3, 3],
      ],
    ]);
    const { y, index } = ops.maxPool2dWithIndices(x, 2);
    expect(elements(y)).toEqual([Number.NaN, 3]);
    expect(elements(index)).toEqual([1, 2]);
  });
  test("finds a window of minus infinities", () => {
    const { y, index } = ops.maxPool2dWithIndices(ops.full([1, 2, 2], -Infinity), 2);
    expect([elements(y), elements(index)]).toEqual([[-Infinity], [0]]);
  });
});

describe("layers", () => {
  test("have PyTorch's names and layouts", () => {
    const net = new Sequential(
      new Conv2d(3, 8, [3, 5], { groups: 1 }),
      new BatchNorm2d(8),
      new Conv2d(8, 8, 3, { groups: 8 }),
    );
    const shapesOf = [...net.stateDict()].map(([name, x]) => [name, x.shape]);
    expect(Object.fromEntries(shapesOf)).toEqual({
      "0.weight": [8, 3, 3, 5],
      "0.bias": [8],
      "1.weight": [8],
      "1.bias": [8],
      "1.running_mean": [8],
      "1.running_var": [8],
      "1.num_batches_tracked": [],
      "2.weight": [8, 1, 3, 3],
      "2.bias": [8],
    });
    expect(new ConvTranspose2d(4, 6, 3, { groups: 2 }).weight.shape).toEqual([4, 3, 3, 3]);
    expect(new Conv1d(4, 6, 3).weight.shape).toEqual([6, 4, 3]);
    expect(String(new Conv2d(3, 8, 3, { padding: 1, bias: false }))).toContain(
      "Conv2d(3, 8, [3, 3], { padding: 1, bias: false })",
    );
  });
  test("weights begin within 1 / sqrt of what they sum over", () => {
    const { weight, bias } = new Conv2d(16, 8, 3, { groups: 2 });
    const bound = 1 / Math.sqrt(8 * 9);
    for (const p of [weight, bias!])
      expect(Math.max(...elements(p).map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.max(...elements(weight))).toBeGreaterThan(0.9 * bound);
  });
  test("Dropout2d drops whole channels", () => {
    seed(1);
    const y = elements(new Dropout2d(0.5).forward(ones(2, 16, 3, 3)));
    const channels = Array.from({ length: 32 }, (_, c) => new Set(y.slice(9 * c, 9 * c + 9)));
    expect(channels.every((c) => c.size === 1)).toBe(true);
    expect(new Set(y)).toEqual(new Set([0, 2]));
  });
  test("ResNets have the parameters of the papers", () => {
    const count = (net: ResNet) => net.parameters().reduce((n, p) => n + p.size, 0);
    expect(count(resnet20())).toBe(269_722);
    expect(count(resnet18())).toBe(11_689_512);
  });
  test("a compiled step has the bits of an eager one", async () => {
    const steps = async (compiled: boolean) => {
      seed(3);
      const net = new Sequential(
        new Conv2d(1, 4, 3, { padding: "same" }),
        new BatchNorm2d(4),
        new ReLU(),
        new MaxPool2d(2),
        new Dropout2d(0.2),
        new Conv2d(4, 6, 3, { stride: 2, groups: 2 }),
        new AdaptiveAvgPool2d(2),
        new Flatten(),
        new Linear(24, 3),
      );
      const optimizer = new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
      const step = (x: Tensor, y: Tensor) => {
        const loss = crossEntropy(net.forward(x) as never, y as never);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      };
      const f = compiled ? compile(step) : step;
      const x = randn(8, 1, 12, 12);
      const y = tensor([0, 1, 2, 0, 1, 2, 0, 1], { dtype: "i32" });
      const losses: number[] = [];
      for (let i = 0; i < 6; i++) losses.push((await f(x, y)).item());
      return [losses, ...[...net.stateDict().values()].map((v) => elements(v))];
    };
    expect(await steps(true)).toEqual(await steps(false));
  });
  test("a small residual network learns", () => {
    seed(5);
    const net = new ResNet({ blocks: [1, 1], channels: 4, classes: 2, inputs: 1 });
    const optimizer = new SGD(net.parameters(), { lr: 0.1 });
    const x = randn(8, 1, 8, 8);
    const y = tensor([0, 1, 0, 1, 0, 1, 0, 1], { dtype: "i32" });
    const losses = Array.from({ length: 40 }, () => {
      const loss = crossEntropy(net.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 4);
  });
});
