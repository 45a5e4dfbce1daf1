// How language models are trained: decay by kind of parameter, warm-up and cosine, accumulation, clipping, masks, perplexity.
import {
  AdamW,
  Bert,
  clipGradNorm,
  compile,
  cosine,
  crossEntropy,
  decayed,
  dpo,
  GPT2,
  Llama,
  linearCrossEntropy,
  noGrad,
  perplexity,
  randint,
  seed,
  sequenceLogProb,
  type Tensor,
  tensor,
  fit as train,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => seed(6));

const sizes = { vocabSize: 20, contextLength: 12, layers: 2, heads: 2, width: 16 };
const ids = (rows: number[][]) => tensor(rows, { dtype: "i32" }) as Tensor;
const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
const weights = (model: GPT2): number[] => model.parameters().flatMap((p) => list(p));

describe("decayed", () => {
  it("leaves biases, norms and embeddings alone, and a head that is an embedding", () => {
    const kept = (model: GPT2 | Llama | Bert) => {
      const [first, rest] = new AdamW(model, { weightDecay: 0.1, decay: decayed(model) }).groups;
      expect([first!.weightDecay, rest!.weightDecay]).toEqual([0.1, 0]);
      return [...rest!.parameters.keys()];
    };
    const quiet = /(bias|ln_[12f]\.weight|norm\.weight|LayerNorm\.weight|wte|wpe|embed\w*)(\.weight)?$/;
    for (const model of [new GPT2(sizes), new Bert(sizes)])
      expect(kept(model)).toEqual([...model.namedParameters().keys()].filter((n) => quiet.test(n)));
    const tied = kept(new Llama({ ...sizes, hidden: 24, tied: true }));
    expect(tied).toContain("model.embed_tokens.weight");
    const untied = kept(new Llama({ ...sizes, hidden: 24 }));
    expect(untied).not.toContain("lm_head.weight");
  });
});

describe("a step of training", () => {
  const options = { lr: 3e-3, weightDecay: 0.1 };
  const rate = cosine({ from: 3e-3, to: 3e-4, steps: 8, warmup: 2 });
  const data = () => {
    seed(1);
    return Array.from({ length: 16 }, () => {
      const rows = randint(0, 20, [2, 9]) as Tensor;
      return [rows.slice(1, 0, 8).contiguous(), rows.slice(1, 1).contiguous()] as [Tensor, Tensor];
    });
  };
  const make = () => {
    seed(2);
    const model = new GPT2(sizes);
    return { model, opt: new AdamW(model, { ...options, decay: decayed(model) }) };
  };

  it("is the same by fit() and by hand, bit for bit: accumulation, clipping, schedule", async () => {
    const [one, two] = [make(), make()];
    const loss = (y: Tensor, target: Tensor) => crossEntropy(y, target) as Tensor;
    await train(one.model, data(), { loss, optimizer: one.opt, accumulate: 2, clip: 0.5, schedule: rate });
    const batches = data();
    for (let i = 0; i < 8; i++) {
      two.opt.lr = rate(i);
      two.opt.zeroGrad();
      for (const [x, y] of batches.slice(2 * i, 2 * i + 2)) loss(two.model.forward(x), y).div(2).backward();
      clipGradNorm(two.model, 0.5);
      two.opt.step();
    }
    expect(weights(one.model)).toEqual(weights(two.model));
    const [a, b] = [one.opt.stateDict(), two.opt.stateDict()];
    expect([...a.keys()]).toEqual([...b.keys()]);
    for (const [name, x] of a) expect(list(x)).toEqual(list(b.get(name)!));
  });
  it("accumulated over equal batches is that of the whole, to rounding", () => {
    const { model } = make();
    const [[x1, y1], [x2, y2]] = data() as [[Tensor, Tensor], [Tensor, Tensor]];
    const gradients = (f: () => void) => {
      model.zeroGrad();
      f();
      return model.parameters().flatMap((p) => list(p.grad as Tensor));
    };
    const parts = gradients(() => {
      for (const [x, y] of [
        [x1, y1],
        [x2, y2],
      ] as const)
        model.loss(x, y).div(2).backward();
    });
    const both = (a: Tensor, b: Tensor) => ids([...(a.toArray() as number[][]), ...(b.toArray() as number[][])]);
    const whole = gradients(() => model.loss(both(x1, x2), both(y1, y2)).backward());
    for (const [i, g] of parts.entries()) expect(g).toBeCloseTo(whole[i]!, 6);
  });
  it("learns nothing from masked labels", () => {
    const { model } = make();
    const [x, y] = data()[0]!;
    const masked = ids((y.toArray() as number[][]).map((row) => row.map((t, i) => (i < 5 ? -100 : t))));
    const whole = model.loss(x, masked);
    const hidden = noGrad(() => model.hidden(x));
    const rest = linearCrossEntropy(
      hidden.slice(1, 5).contiguous() as Tensor,
      model.lm_head.weight,
      y.slice(1, 5).contiguous() as Tensor,
    );
    expect(whole.item()).toBeCloseTo(rest.item(), 6);
    expect(
      crossEntropy(
        noGrad(() => model.forward(x)),
        masked,
      ).item(),
    ).toBeCloseTo(rest.item(), 5);
  });
});

describe("perplexity", () => {
  it("weighs tokens, not batches, and does not drop", async () => {
    const model = new GPT2({ ...sizes, dropout: 0.5 });
    const rows = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
    ];
    const targets = [
      [2, 3, 4, -100],
      [6, -100, -100, -100],
      [10, 11, 12, 13],
    ];
    const apart = await perplexity(
      model,
      rows.map((row, i) => [ids([row]), ids([targets[i]!])]),
    );
    const together = await perplexity(model, [
      [ids(rows), ids(targets)],
      [ids([[1]]), ids([[-100]])],
    ]);
    expect(apart.tokens).toBe(8);
    expect(together.tokens).toBe(8);
    expect(apart.loss).toBeCloseTo(together.loss, 6);
    expect(apart.perplexity).toBe(Math.exp(apart.loss));
    expect(apart.perplexity).toBeCloseTo(20, -1);
    expect(model.training).toBe(true);
    await expect(perplexity(model, [[ids([[1]]), ids([[-100]])]])).rejects.toThrow("no token that counts");
  });
});

describe("dpo", () => {
  it("is -log σ of the margin, smoothed", () => {
    const [policy, reference] = [
      { chosen: tensor([-3, -5]), rejected: tensor([-4, -2]) },
      { chosen: tensor([-3.5, -5]), rejected: tensor([-3.5, -4]) },
    ];
    const margins = [0.5 * (0.5 + 0.5), 0.5 * (0 - 2)];
    const minusLog = (x: number) => Math.log(1 + Math.exp(-x));
    const mean = (f: (h: number) => number) => margins.reduce((s, h) => s + f(h), 0) / 2;
    expect(dpo(policy, reference, { beta: 0.5 }).item()).toBeCloseTo(mean(minusLog), 6);
    const smooth = mean((h) => 0.9 * minusLog(h) + 0.1 * minusLog(-h));
    expect(dpo(policy, reference, { beta: 0.5, labelSmoothing: 0.1 }).item()).toBeCloseTo(smooth, 6);
    expect(() => dpo(policy, reference, { beta: 0 })).toThrow("beta 0");
  });
  it("teaches a preference, and leaves the reference as it was", () => {
    // Answers of three tokens to any prompt; those of even tokens are preferred.
    const [model, reference] = [new GPT2(sizes), new GPT2(sizes)];
    reference.loadStateDict(model.stateDict());
    reference.eval().freeze();
    const before = weights(reference);
    const opt = new AdamW(model, { lr: 1e-3 });
    const answers = (odd: 0 | 1) => {
      const prompts = randint(0, 20, [16, 2]).toArray() as number[][];
      const replies = randint(0, 10, [16, 3]).toArray() as number[][];
      return { prompts, replies: replies.map((row) => row.map((t) => 2 * t + odd)) };
    };
    const pair = () => {
      const { prompts, replies } = answers(0);
      const [chosen, rejected] = [replies, answers(1).replies];
      const text = (reply: number[][]) => prompts.map((p, i) => [...p, ...reply[i]!]);
      return [text(chosen), text(rejected)] as const;
    };
    const inputs = (rows: number[][]) => ids(rows.map((row) => row.slice(0, -1)));
    const labels = (rows: number[][]) => ids(rows.map((row) => row.slice(1).map((t, i) => (i < 1 ? -100 : t))));
    const given = ([chosen, rejected]: readonly [number[][], number[][]]) =>
      [inputs(chosen), labels(chosen), inputs(rejected), labels(rejected)] as const;
    const both = (m: GPT2, [chosen, right, rejected, wrong]: readonly Tensor[]) => ({
      chosen: sequenceLogProb(m.forward(chosen!), right!),
      rejected: sequenceLogProb(m.forward(rejected!), wrong!),
    });
    const step = (...texts: readonly Tensor[]) => {
      const l = dpo(
        both(model, texts),
        noGrad(() => both(reference, texts)),
        { beta: 0.5 },
      );
      opt.zeroGrad();
      l.backward();
      opt.step();
      return l;
    };
    using compiled = compile(step);
    const losses = Array.from({ length: 60 }, () => compiled.sync(...given(pair())).item());
    expect(losses[0]).toBeCloseTo(Math.LN2, 5);
    expect(losses.at(-1)).toBeLessThan(0.1);
    const { chosen, rejected } = noGrad(() => both(model, given(pair())));
    expect(chosen.gt(rejected).toArray()).toEqual(Array(16).fill(true));
    expect(weights(reference)).toEqual(before);
  });
});
