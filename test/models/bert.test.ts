// BERT's training and its heads: words hidden, words guessed, texts and words in classes.
import {
  AdamW,
  Bert,
  BertForSequenceClassification,
  BertForTokenClassification,
  compile,
  crossEntropy,
  maskTokens,
  type NablaError,
  noGrad,
  randint,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => seed(4));

const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Int32Array)];
const small = { vocabSize: 24, contextLength: 12, layers: 2, heads: 2, width: 32 };

describe("maskTokens", () => {
  const options = { maskToken: 3, vocabSize: 1000, probability: 0.2, special: [1, 2] };
  it("hides 8 of 10 chosen tokens, changes 1, leaves 1, and asks for all of them", () => {
    const text = randint(10, 1000, [100, 200]) as Tensor;
    const [before, hidden] = [list(text), maskTokens(text, options)];
    const [ids, labels] = [list(hidden.ids), list(hidden.labels)];
    const chosen = [...before.keys()].filter((i) => labels[i] !== -100);
    expect(chosen.length / before.length).toBeCloseTo(0.2, 1.5);
    expect(chosen.every((i) => labels[i] === before[i])).toBe(true);
    const share = (f: (i: number) => boolean) => chosen.filter(f).length / chosen.length;
    expect(share((i) => ids[i] === 3)).toBeCloseTo(0.8, 1.5);
    expect(share((i) => ids[i] === before[i])).toBeCloseTo(0.1, 1.5);
    expect(before.every((token, i) => labels[i] !== -100 || ids[i] === token)).toBe(true);
  });
  it("leaves special tokens alone, and hides others in every run of a compiled step", () => {
    const text = tensor([[1, 5, 6, 7, 8, 9, 10, 11, 12, 2]], { dtype: "i32" }) as Tensor;
    using step = compile((x: Tensor) => maskTokens(x, { ...options, probability: 0.5 }));
    const runs = Array.from({ length: 20 }, () => list(step.sync(text).labels));
    expect(new Set(runs.map(String)).size).toBeGreaterThan(10);
    expect(runs.every((labels) => labels[0] === -100 && labels[9] === -100)).toBe(true);
    expect(list(maskTokens(text, { ...options, probability: 1 }).labels)).toEqual([
      -100, 5, 6, 7, 8, 9, 10, 11, 12, -100,
    ]);
  });
  it("refuses a probability that is none", () => {
    expect(() => maskTokens(tensor([[1]], { dtype: "i32" }) as Tensor, { ...options, probability: 2 })).toThrow(
      expect.objectContaining({ code: "ERR_NABLA_VALUE" } satisfies Partial<NablaError>),
    );
  });
});

it("learns to guess hidden words from both sides", async () => {
  const model = new Bert(small);
  const opt = new AdamW(model, { lr: 3e-3, decay: (p) => p.ndim >= 2 });
  // Texts count up from anywhere, round a circle of 20 words: each hidden word follows from any other.
  const text = (): Tensor => {
    const starts = list(randint(0, 20, [32]) as Tensor);
    const rows = starts.map((s) => Array.from({ length: 10 }, (_, i) => 4 + ((s + i) % 20)));
    return tensor(rows, { dtype: "i32" }) as Tensor;
  };
  using step = compile((x: Tensor) => {
    const { ids, labels } = maskTokens(x, { maskToken: 3, vocabSize: 24, probability: 0.3 });
    const loss = crossEntropy(model.forward(ids).predictions, labels);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  });
  const losses: number[] = [];
  for (let i = 0; i < 400; i++) losses.push((await step(text())).item());
  const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
  expect(mean(losses.slice(0, 10))).toBeGreaterThan(2.5);
  expect(mean(losses.slice(-20))).toBeLessThan(0.5);
  const ids = tensor([[9, 10, 3, 12, 13, 14, 3, 16, 17, 18]], { dtype: "i32" }) as Tensor;
  const guesses = list(noGrad(() => model.eval().forward(ids)).predictions.argmax(-1));
  expect([guesses[2], guesses[6]]).toEqual([11, 15]);
});

describe("heads", () => {
  it("have Hugging Face's names", () => {
    const names = (m: { stateDict(): Map<string, Tensor> }) => [...m.stateDict().keys()];
    const body = names(new Bert(small)).filter((n) => n.startsWith("bert."));
    const head = ["classifier.weight", "classifier.bias"];
    expect(names(new BertForSequenceClassification(small, 3))).toEqual([...body, ...head]);
    const unpooled = body.filter((n) => !n.startsWith("bert.pooler."));
    expect(names(new BertForTokenClassification(small, 3))).toEqual([...unpooled, ...head]);
  });
  it("are the body, pooled or not, and a linear map; a body that was trained goes in", () => {
    const trained = new Bert(small).eval();
    const ids = tensor(
      [
        [5, 6, 7],
        [8, 9, 0],
      ],
      { dtype: "i32" },
    ) as Tensor;
    const keyMask = tensor([
      [true, true, true],
      [true, true, false],
    ]) as Tensor;
    const { hidden, pooled } = noGrad(() => trained.forward(ids, { keyMask }));
    for (const [model, x] of [
      [new BertForSequenceClassification({ ...small, dropout: 0.5 }, 3), pooled],
      [new BertForTokenClassification(small, 3), hidden],
    ] as const) {
      const { missing } = model.eval().loadStateDict(trained.stateDict(), { strict: false });
      expect(missing).toEqual(["classifier.weight", "classifier.bias"]);
      const expected = noGrad(() => model.classifier.forward(x)) as Tensor;
      expect(list(noGrad(() => model.forward(ids, { keyMask })))).toEqual(list(expected));
      expect(expected.shape.at(-1)).toBe(3);
    }
  });
});
