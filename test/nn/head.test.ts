// The fused head against the linear map and the loss it is made of.
import {
  compile,
  crossEntropy,
  Embedding,
  GPT2,
  linearCrossEntropy,
  noGrad,
  Parameter,
  randint,
  randn,
  seed,
  type Tensor,
  tensor,
  zeros,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";
import { code } from "../code.ts";

beforeEach(() => seed(5));
const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
/** No element is off by more than a share of the largest. */
const near = (got: Tensor, ref: Tensor, share = 2e-6) => {
  const most = ref.abs().max().item();
  expect(got.shape).toEqual(ref.shape);
  expect(got.sub(ref).abs().max().item()).toBeLessThanOrEqual(share * most);
};

describe("linearCrossEntropy", () => {
  // 140,000 classes: 16 rows of logits at once, so 40 rows are three pieces. Sums that long round to about 1e-5.
  it.each([
    [6, 5, 11, 2e-6],
    [40, 3, 140_000, 4e-5],
  ])(
    "of %i rows of %i and %i classes is crossEntropy of a product, with its gradients",
    (rows, width, classes, share) => {
      const target = randint(0, classes, [rows]);
      const data = [...target.dataSync()].map((t, i) => (i % 5 === 2 ? -100 : t));
      const labels = tensor(data, { dtype: "i32" }) as Tensor;
      const run = (f: (x: Tensor, w: Tensor) => Tensor) => {
        seed(9);
        const [x, w] = [new Parameter(randn(rows, width)), new Parameter(randn(classes, width))];
        const loss = f(x, w).mul(3);
        (loss as Tensor<[]>).backward();
        return [loss, x.grad as Tensor, w.grad as Tensor];
      };
      const fused = run((x, w) => linearCrossEntropy(x, w, labels));
      const plain = run((x, w) =>
        crossEntropy(x.matmul(w.mT()) as Tensor<[number, number]>, labels as Tensor<[number]>),
      );
      fused.forEach((got, i) => {
        near(got, plain[i]!, share);
      });
    },
  );

  it("is the loss of a model, compiled with the same bits and without all logits", () => {
    const model = new GPT2({ vocabSize: 70_000, contextLength: 64, layers: 1, heads: 2, width: 8 });
    const ids = randint(0, 70_000, [2, 64]) as Tensor;
    const f = (x: Tensor) => {
      model.zeroGrad();
      const loss = model.loss(x, x);
      loss.backward();
      return [loss, model.transformer.wte.weight.grad as Tensor];
    };
    using step = compile(f);
    const runs = [step.sync(ids), step.sync(ids), step.sync(ids), f(ids)].map((r) => (r as Tensor[]).map(list));
    for (const other of runs.slice(1)) expect(other).toEqual(runs[0]);
    const logits = 4 * 2 * 64 * 70_000;
    expect(step.explain().plans[0]!.arenaBytes).toBeLessThan(logits);
    expect(noGrad(() => model.loss(ids, ids)).item()).toBe(runs[0]![0]![0]!);
  });

  it("adds the gradient of an embedding to that of the head it shares a weight with, compiled with the same bits", () => {
    const table = new Embedding(7, 4, { paddingIndex: 1 });
    const other = new Parameter(table.weight.detach().clone());
    const ids = tensor([3, 1, 3, 0], { dtype: "i32" }) as Tensor;
    const labels = tensor([1, 3, 0, 6], { dtype: "i32" }) as Tensor;
    const run = (weight: Tensor) => (x: Tensor, y: Tensor) => {
      table.weight.grad = other.grad = null;
      const loss = linearCrossEntropy(table.forward(x) as Tensor, weight, y);
      loss.backward();
      return [loss, table.weight.grad as unknown as Tensor];
    };
    const tied = run(table.weight as Tensor);
    const [, grad] = tied(ids, labels);
    const [, ofTable] = run(other as Tensor)(ids, labels);
    near(grad!, ofTable!.add(other.grad as unknown as Tensor) as Tensor);
    using step = compile(tied);
    for (let i = 0; i < 3; i++) expect(step.sync(ids, labels).map(list)).toEqual(tied(ids, labels).map(list));
    const { listing } = step.explain().plans[0]!;
    expect(listing).toMatch(/index_add/);
    expect(listing).not.toMatch(/= (copy|add)\(/);
  });

  it("refuses what does not fit", () => {
    const labels = (...x: number[]) => tensor(x, { dtype: "i32" });
    expect(code(() => linearCrossEntropy(zeros(2, 3), zeros(5, 4), labels(0, 1)))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => linearCrossEntropy(zeros(2, 3), zeros(5, 3), labels(0)))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => linearCrossEntropy(zeros(2, 3), zeros(5, 3), labels(0, 5)))).toBe("ERR_NABLA_INDEX");
    expect(code(() => linearCrossEntropy(zeros(2, 3), zeros(5, 3), zeros(2)))).toBe("ERR_NABLA_DTYPE");
  });
});
