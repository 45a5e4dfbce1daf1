import { describe, expect, test } from "vitest";
import {
  bce,
  bceWithLogits,
  compile,
  cosineSimilarity,
  crossEntropy,
  gaussianNll,
  hingeEmbedding,
  huber,
  klDiv,
  mse,
  NablaError,
  nll,
  randn,
  smoothL1,
  type Tensor,
  tensor,
  zeros,
} from "../lib/index.ts";

const logits = tensor([
  [2, 1, 0],
  [0, 3, 1],
]);
const labels = (...xs: number[]) => tensor(Int32Array.from(xs));
const logSoftmax = (row: number[]) => {
  const total = Math.log(row.reduce((s, x) => s + Math.exp(x), 0));
  return row.map((x) => x - total);
};
const rows = (logits.toArray() as number[][]).map(logSoftmax);

describe("crossEntropy", () => {
  test("of labels, reduced each way", () => {
    const single = [-rows[0]![0]!, -rows[1]![2]!];
    const at = labels(0, 2);
    const each = crossEntropy(logits, at, { reduction: "none" }).dataSync();
    for (const [i, v] of single.entries()) expect(each[i]).toBeCloseTo(v, 6);
    expect(crossEntropy(logits, at, { reduction: "sum" }).item()).toBeCloseTo(single[0]! + single[1]!, 6);
    expect(crossEntropy(logits, at).item()).toBeCloseTo((single[0]! + single[1]!) / 2, 6);
  });
  test("ignored rows count for nothing, also in the mean and the gradient", () => {
    const x = tensor(
      [
        [2, 1, 0],
        [0, 3, 1],
      ],
      { requiresGrad: true },
    );
    const loss = crossEntropy(x, labels(0, -100));
    expect(loss.item()).toBeCloseTo(-rows[0]![0]!, 6);
    loss.backward();
    expect((x.grad!.toArray() as number[][])[1]).toEqual([0, 0, 0]);
    expect(crossEntropy(logits, labels(1, 1), { ignoreIndex: 1 }).item()).toBeNaN();
  });
  test("class weights weigh the mean; smoothing spreads the target", () => {
    const weight = tensor([1, 2, 3]);
    const [a, b] = [-rows[0]![0]!, -rows[1]![2]! * 3];
    expect(crossEntropy(logits, labels(0, 2), { weight }).item()).toBeCloseTo((a + b) / 4, 6);
    const q = [
      [0.8, 0.1, 0.1],
      [0.1, 0.1, 0.8],
    ];
    const smooth = q.map((qs, i) => -qs.reduce((s, v, j) => s + v * rows[i]![j]!, 0));
    const options = { labelSmoothing: 0.3, reduction: "none" } as const;
    const got = crossEntropy(logits, labels(0, 2), options).dataSync();
    for (const [i, v] of smooth.entries()) expect(got[i]).toBeCloseTo(v, 5);
    expect(crossEntropy(logits, tensor(q)).item()).toBeCloseTo((smooth[0]! + smooth[1]!) / 2, 5);
  });
  test("classes in any dim: PyTorch's is 1", () => {
    const x = randn(2, 5, 3);
    const at = labels(0, 4, 2, 1, 1, 3).reshape(2, 3);
    const moved = x.permute(0, 2, 1);
    expect(crossEntropy(x, at, { classDim: 1, reduction: "none" }).toArray()).toEqual(
      crossEntropy(moved, at, { reduction: "none" }).toArray(),
    );
  });
  test("u8 labels, a single row, no rows", () => {
    expect(crossEntropy(logits, tensor(new Uint8Array([0, 2]))).item()).toBe(crossEntropy(logits, labels(0, 2)).item());
    expect(crossEntropy(tensor([2, 1, 0]), labels(0).reshape()).item()).toBeCloseTo(-rows[0]![0]!, 6);
    expect(crossEntropy(zeros(0, 3), tensor(new Int32Array(0)), { reduction: "sum" }).item()).toBe(0);
  });
  test("stays finite for logits of any size", () => {
    const huge = tensor([
      [1e38, 0],
      [-1e38, 1e38],
    ]);
    expect(crossEntropy(huge, labels(0, 1)).item()).toBe(0);
  });
  test("is nll of logSoftmax", () => {
    const weight = tensor([1, 2, 3]);
    const options = { weight, ignoreIndex: 1 };
    const x = tensor(rows);
    for (const reduction of ["mean", "sum"] as const)
      expect(nll(x, labels(0, 2), { ...options, reduction }).item()).toBeCloseTo(
        crossEntropy(logits, labels(0, 2), { ...options, reduction }).item(),
        6,
      );
    expect(nll(x, labels(1, 2), { ...options, reduction: "none" }).toArray()).toEqual([
      0,
      crossEntropy(logits, labels(1, 2), { ...options, reduction: "none" }).dataSync()[1],
    ]);
  });
});

test("what does not fit is a sentence", () => {
  const said = (f: () => unknown) => {
    try {
      f();
    } catch (e) {
      if (e instanceof NablaError) return `${e.code} ${e.message}`;
    }
    return "nothing";
  };
  const x = logits as Tensor;
  expect(said(() => crossEntropy(x, labels(0, 3)))).toBe(
    "ERR_NABLA_INDEX crossEntropy: label 3 at position 1 is outside 0..2\n    target  [2] i32\n  hint: labels count from 0; { ignoreIndex: 3 } leaves such rows out",
  );
  expect(said(() => crossEntropy(x, labels(-1, 0)))).toContain("label -1 at position 0 is outside 0..2");
  expect(said(() => crossEntropy(x, tensor([0, 2]) as Tensor))).toContain(
    "crossEntropy: logits [2, 3] take integer labels [2] or probabilities [2, 3], got f32 [2]",
  );
  expect(said(() => crossEntropy(x, tensor([0, 2]) as Tensor))).toContain(
    'hint: labels are integers: target.to("i32")',
  );
  expect(said(() => crossEntropy(x, labels(0, 1, 2) as Tensor))).toContain("got i32 [3]");
  expect(said(() => crossEntropy(x, labels(0, 1), { weight: zeros(2) }))).toContain("one weight for each of 3 classes");
  expect(said(() => crossEntropy(x, labels(0, 1), { labelSmoothing: 2 }))).toContain("must be from 0 to 1, got 2");
  expect(said(() => mse(zeros(4, 1) as Tensor, zeros(4) as Tensor))).toBe(
    "ERR_NABLA_SHAPE mse: shapes [4, 1] and [4] differ\n    x       [4, 1]\n    target  [4]\n  hint: reshape the target: .reshape(4, 1)",
  );
  expect(said(() => huber(x, x, { delta: 0 }))).toContain("delta must be above 0, got 0");
  expect(said(() => mse(x, x, { reduction: "avg" as never }))).toContain("there is no reduction avg");
});

test("in a compiled step labels are checked in every run", async () => {
  const step = compile((y: Tensor<[number], "i32">) => crossEntropy(logits, y as never));
  for (let i = 0; i < 3; i++) expect((await step(labels(0, 2))).item()).toBeCloseTo(1.2887, 4);
  await expect(step(labels(0, 7))).rejects.toThrow("crossEntropy: label at position 1 is outside 0..2");
});

test("the ends of probabilities stay finite", () => {
  const p = tensor([0, 1, 0, 1], { requiresGrad: true });
  const loss = bce(p, tensor([0, 1, 1, 0]), { reduction: "none" });
  expect([...loss.dataSync()].map((v) => v + 0)).toEqual([0, 0, 100, 100]);
  loss.sum().backward();
  expect((p.grad!.toArray() as number[]).every(Number.isFinite)).toBe(true);
  expect(bceWithLogits(tensor([100, -100]), tensor([0, 1]), { reduction: "none" }).toArray()).toEqual([100, 100]);
  const x = tensor([1000, -1000], { requiresGrad: true });
  bceWithLogits(x, tensor([1, 0]), { posWeight: tensor([3, 3]) }).backward();
  expect(x.grad?.toArray()).toEqual([0, 0].map((v) => expect.closeTo(v, 10)));
  expect(klDiv(tensor([[-1, -2]]), tensor([[0, 1]]), { reduction: "sum" }).item()).toBe(2);
});

test("huber and smoothL1 meet at the corner", () => {
  const [x, t] = [tensor([0, 0.5, 3]), tensor([0, 0, 0])];
  expect(huber(x, t, { delta: 2, reduction: "none" }).toArray()).toEqual([0, 0.125, 4]);
  expect(smoothL1(x, t, { beta: 2, reduction: "none" }).toArray()).toEqual([0, 0.0625, 2]);
  expect(smoothL1(x, t, { beta: 0, reduction: "none" }).toArray()).toEqual([0, 0.5, 3]);
});

test("the gradients of bceWithLogits cancel nowhere", () => {
  const x = tensor([2e-5, -30, 30], { requiresGrad: true });
  const t = tensor([0.3, 0, 1], { requiresGrad: true });
  bceWithLogits(x, t, { reduction: "sum" }).backward();
  expect(t.grad?.toArray()).toEqual([-2e-5, 30, -30].map(Math.fround));
  const [, low, high] = x.grad!.dataSync();
  expect(low).toBeCloseTo(Math.exp(-30), 19);
  expect(high).toBe(-low!);
  const weight = tensor([3]);
  const y = bceWithLogits(tensor([0, 0]), tensor([1, 0]), { posWeight: weight, reduction: "none" });
  expect(y.toArray()).toEqual([3, 1].map((w) => expect.closeTo(w * Math.log(2), 6)));
});

test("hingeEmbedding adds both sides where the target is neither 1 nor -1", () => {
  const t = tensor([1, -1, 0]);
  expect(hingeEmbedding(tensor([2, 0.25, 0.25]), t, { reduction: "none" }).toArray()).toEqual([2, 0.75, 1]);
});

test("gaussianNll: a variance for each row, a target that expands to x and not beyond", () => {
  const x = tensor([
    [1, 1],
    [1, 1],
  ]);
  const rows = gaussianNll(x, tensor([3, 5]), tensor([1, 4]), { reduction: "none" }).toArray() as number[][];
  const at = (v: number, e: number) => expect.closeTo((Math.log(v) + (e * e) / v) / 2, 6);
  expect(rows).toEqual([
    [at(1, 2), at(1, 4)],
    [at(4, 2), at(4, 4)],
  ]);
  expect(() => gaussianNll(zeros(2, 1), zeros(2) as never, zeros(2))).toThrow(
    "gaussianNll: [2] does not expand to [2, 1]",
  );
});

test("the similarity of nothing is 0, and so is its gradient where that is defined", () => {
  const x = tensor([[0, 0, 0]], { requiresGrad: true });
  cosineSimilarity(x, zeros(1, 3)).sum().backward();
  expect(x.grad?.toArray()).toEqual([[0, 0, 0]]);
});
