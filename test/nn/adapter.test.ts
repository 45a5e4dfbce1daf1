// Adapters of low rank: they alone learn and are saved, and go into the weights.
import {
  AdamW,
  adapterState,
  addAdapters,
  compile,
  GPT2,
  Linear,
  Llama,
  LoRA,
  mergeAdapters,
  noGrad,
  ReLU,
  randn,
  Sequential,
  seed,
  type Tensor,
  TransformerEncoderLayer,
  tensor,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";
import { code } from "../code.ts";

beforeEach(() => seed(9));

const sizes = { vocabSize: 20, contextLength: 12, layers: 2, heads: 2, width: 16, std: 0.2 };
const ids = tensor([[1, 2, 3, 4, 5, 6]], { dtype: "i32" }) as Tensor;
const targets = tensor([[2, 3, 4, 5, 6, 7]], { dtype: "i32" }) as Tensor;
const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
const makers = {
  GPT2: () => ({ model: new GPT2(sizes), pick: /attn\.c_(attn|proj)$/, count: 4 }),
  Llama: () => ({ model: new Llama({ ...sizes, hidden: 24 }), pick: /[qv]_proj$/, count: 4 }),
};

describe.each(Object.entries(makers))("adapters of %s", (_, make) => {
  it("change nothing at first, learn alone, are saved alone, and go into the weights", async () => {
    const { model, pick, count } = make();
    const names = [...model.stateDict().keys()];
    const before = new Map([...model.stateDict()].map(([name, x]) => [name, list(x)]));
    const logits = () => list(noGrad(() => model.forward(ids)));
    const first = logits();
    const adapters = addAdapters(model, pick, { rank: 2, alpha: 8 });
    expect(adapters.size).toBe(count);
    expect(logits()).toEqual(first);

    const opt = new AdamW(model, { lr: 1e-2 });
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = model.loss(x, y);
      opt.zeroGrad();
      loss.backward();
      opt.step();
      return loss;
    });
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) losses.push((await step(ids, targets)).item());
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.3);
    expect([...opt.stateDict().keys()].every((name) => name.includes("lora_"))).toBe(true);
    for (const [name, x] of model.stateDict())
      if (!name.includes("lora_")) expect(list(x)).toEqual(before.get(name.replace("base_layer.", "")));

    const saved = adapterState(model);
    expect(saved.size).toBe(2 * count);
    const other = make().model;
    const plain = (name: string) => (name.includes("lora_") ? undefined : name.replace("base_layer.", ""));
    other.loadStateDict(model.stateDict(), { rename: plain });
    addAdapters(other, pick, { rank: 2, alpha: 8 });
    expect(other.loadStateDict(saved, { strict: false }).unexpected).toEqual([]);
    expect(list(noGrad(() => other.forward(ids)))).toEqual(logits());

    const adapted = logits();
    mergeAdapters(model);
    expect([...model.stateDict().keys()]).toEqual(names);
    logits().forEach((x, i) => {
      expect(x).toBeCloseTo(adapted[i]!, 4);
    });
    expect(model.parameters().every((p) => p.requiresGrad)).toBe(true);
  });
});

it("LoRA is W x + (alpha / rank) B A x, and merges and unmerges", () => {
  const base = new Linear(3, 4);
  const lora = new LoRA(base, { rank: 2, alpha: 6 });
  lora.loadStateDict(new Map([["lora_B.weight", randn(4, 2) as Tensor]]), { strict: false });
  const x = randn(5, 3) as Tensor;
  const change = lora.lora_B.weight.matmul(lora.lora_A.weight).mul(3) as Tensor;
  const expected = list(noGrad(() => base.forward(x as Tensor<[5, 3]>)).add(x.matmul(change.mT() as Tensor)) as Tensor);
  const close = (got: Tensor) => {
    list(got).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 5);
    });
  };
  close(noGrad(() => lora.forward(x)));
  const before = list(base.weight);
  close(noGrad(() => lora.merge().forward(x)));
  lora.merge(-1);
  list(base.weight).forEach((v, i) => {
    expect(v).toBeCloseTo(before[i]!, 5);
  });
});
it("adapters go into lists too, and nowhere is an error", () => {
  const net = new Sequential(new Linear(2, 4), new ReLU(), new Linear(4, 1));
  expect([...addAdapters(net, "2", { rank: 1 }).keys()]).toEqual(["2"]);
  expect(net.layers[2]).toBeInstanceOf(LoRA);
  expect(net.forward(randn(3, 2)).shape).toEqual([3, 1]);
  expect(code(() => addAdapters(net, /nothing/))).toBe("ERR_NABLA_VALUE");
  // Attention reads the weight of its last map and does not run it.
  expect(code(() => addAdapters(new TransformerEncoderLayer(8, 2), /out_proj$/))).toBe("ERR_NABLA_VALUE");
  expect([...addAdapters(new TransformerEncoderLayer(8, 2), /linear|out_proj/).keys()]).toEqual(["linear1", "linear2"]);
  // A norm has features too, but no matrix.
  expect(code(() => addAdapters(new GPT2(sizes), /ln_f$/))).toBe("ERR_NABLA_VALUE");
  expect(code(() => new LoRA(new Linear(2, 2), { rank: 0 }))).toBe("ERR_NABLA_VALUE");
});
