// What explain() says of a step: operations and bytes that can be counted by hand, predicted and measured times.
import {
  AdamW,
  Conv2d,
  compile,
  crossEntropy,
  Embedding,
  Linear,
  ones,
  randint,
  randn,
  scaledDotProductAttention,
  type Tensor,
} from "nabla";
import { expect, test } from "vitest";
import { elementsOf, flopsOf } from "../../lib/compile/cost.ts";
import { graphOf } from "./listing.ts";

const [batch, width, classes] = [32, 500, 300];
const weights = width * classes;
function training() {
  const model = new Linear(width, classes);
  const optimizer = new AdamW(model, { lr: 0.01 });
  const step = compile((x: Tensor<[number, number]>, y: Tensor<[number], "i32">) => {
    const loss = crossEntropy(model.forward(x as never) as never, y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const run = () => step.sync(randn(batch, width) as never, randint(0, classes, [batch]) as never);
  run();
  return { step, run };
}

test("an update that is cut in pieces touches each element once: parameter and two moments read and written, gradient read", () => {
  const { step } = training();
  const [plan] = step.explain().plans;
  const update = plan!.groups.find((g) => g.kernel.endsWith("adamw"))!;
  expect(plan!.listing.match(/= adamw/g)).toHaveLength(Math.ceil(weights / 65536) + 1);
  const hyper = 16 * 8 * (Math.ceil(weights / 65536) + 1);
  expect(update.bytes).toBeGreaterThanOrEqual(7 * 4 * (weights + classes));
  expect(update.bytes).toBeLessThanOrEqual(7 * 4 * (weights + classes) + hyper);
});

test("products: two operations for each multiply-add; each operand once", () => {
  const { step } = training();
  const products = step.explain().plans[0]!.kernels.find((k) => k.kernel === "matmul")!;
  expect(products.calls).toBe(2);
  expect(products.flops).toBe(2 * 2 * batch * weights);
  expect(products.bytes).toBe(4 * (2 * (batch * width + weights + batch * classes) + classes));
});

test("convolutions sum over a filter for each result; a lookup touches the rows it reads", () => {
  const conv = new Conv2d(3, 8, 3, { padding: 1 });
  const [convolution] = graphOf((x) => conv.forward(x as never), ones(2, 3, 10, 10) as Tensor).steps;
  expect(flopsOf(convolution!)).toBe(2 * (2 * 8 * 10 * 10) * (3 * 3 * 3));
  const table = new Embedding(10_000, 16);
  const lookup = graphOf((x) => table.forward(x as never), randint(0, 10_000, [5]) as Tensor).steps.find(
    (s) => s.kernel.name === "index_select",
  )!;
  expect([0, 1, 2].map((i) => elementsOf(lookup, i))).toEqual([5 * 16, 5 * 16, 5]);
});

test("attention: a score and a result for each query and key, half of them where it is causal", () => {
  const flops = (causal: boolean) =>
    graphOf(
      (q) => scaledDotProductAttention(q as never, q as never, q as never, { causal }),
      ones(2, 3, 64, 16) as Tensor,
    )
      .steps.filter((s) => s.kernel.name === "attention")
      .map(flopsOf);
  const products = 2 * (2 * 3 * 64 * 64) * (16 + 16);
  expect([flops(false), flops(true)]).toEqual([[products], [products / 2]]);
});

test("steps that run as one: a slot that several touch counts once, one that needs a tile not at all", () => {
  const step = compile((x: Tensor) => x.exp().mul(x).add(1));
  step.sync(ones(1000) as Tensor);
  const { groups } = step.explain().plans[0]!;
  expect(groups.map(({ kernel, flops, bytes }) => ({ kernel, flops, bytes }))).toEqual([
    { kernel: "fused exp+mul+add", flops: 3000, bytes: 8000 },
  ]);
});

test("times: predicted at once, measured once profile is on, for each group, each kind and all", () => {
  const { step, run } = training();
  const before = step.explain().plans[0]!;
  expect(before.nanoseconds).toBeUndefined();
  expect(before.predicted).toBeGreaterThan(0);
  step.profile(true);
  for (let i = 0; i < 5; i++) run();
  const { groups, kernels, nanoseconds, predicted } = step.explain().plans[0]!;
  for (const g of groups) {
    expect(g.nanoseconds).toBeGreaterThan(0);
    expect(g.predicted).toBeGreaterThan(0);
    expect(g.where).toMatch(/explain\.test\.ts:\d+:\d+/);
  }
  const sum = (costs: readonly { nanoseconds: number | undefined; predicted: number }[]) =>
    costs.reduce((n, c) => [n[0]! + c.nanoseconds!, n[1]! + c.predicted], [0, 0]);
  for (const costs of [groups, kernels]) {
    expect(sum(costs)[0]).toBeCloseTo(nanoseconds!, 3);
    expect(sum(costs)[1]).toBeCloseTo(predicted, 3);
  }
});

test("as text: kinds and the longest groups, with units and the lines that asked for them", () => {
  const { step } = training();
  const text = String(step.explain());
  expect(text).toMatch(/steps, \d+ fused groups, arena [\d.]+ KiB, state [\d.]+ MiB, at most [\d.]+ MiB/);
  expect(text).toMatch(/kernel +calls +MFLOP +KiB +predicted µs +measured µs/);
  expect(text).toMatch(/matmul +2 +19\.200 /);
  expect(text).toMatch(/longest +MFLOP +KiB +predicted µs +measured µs +at/);
  expect(String(compile(() => ones(1)).explain())).toBe("not called yet");
});
