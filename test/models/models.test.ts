// Language models: sizes told before they are made, parameters by Hugging Face's names, folders written and read.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdamW,
  Bert,
  BertForSequenceClassification,
  BertForTokenClassification,
  compile,
  crossEntropy,
  GPT2,
  GPT2ForSequenceClassification,
  Llama,
  LlamaForSequenceClassification,
  loadPretrained,
  type NablaError,
  noGrad,
  openSafetensors,
  type Pretrained,
  rand,
  savePretrained,
  saveSafetensors,
  seed,
  type Tensor,
  tensor,
  ViT,
} from "nabla";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  seed(1);
  folder = mkdtempSync(join(tmpdir(), "nabla-models-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const small = { vocabSize: 29, contextLength: 10, layers: 2, heads: 4, width: 16 };
const yarn = {
  type: "yarn",
  factor: 4,
  originalLength: 32,
  betaFast: 8,
  betaSlow: 2,
  attentionFactor: 1.25,
  truncate: false,
} as const;
const makers = {
  gpt2: () => new GPT2({ ...small, dropout: 0.1, hidden: 24 }),
  "gpt2, untied": () => new GPT2({ ...small, tied: false, activation: "relu" }),
  llama: () => new Llama({ ...small, hidden: 24, keyValueHeads: 2 }),
  "llama, stretched": () =>
    new Llama({
      ...small,
      hidden: 24,
      tied: true,
      attentionBias: true,
      mlpBias: true,
      headWidth: 8,
      theta: 500,
      scaling: { type: "llama3", factor: 4, lowFrequency: 1, highFrequency: 4, originalLength: 32 },
    }),
  "llama, yarn": () => new Llama({ ...small, hidden: 24, scaling: yarn }),
  "llama, dynamic": () =>
    new Llama({ ...small, hidden: 24, scaling: { type: "dynamic", factor: 3, originalLength: 4 } }),
  bert: () => new Bert({ ...small, hidden: 24, types: 3 }),
  "bert, texts in classes": () => new BertForSequenceClassification({ ...small, hidden: 24 }, 5),
  "bert, words in classes": () => new BertForTokenClassification({ ...small, hidden: 24 }, 2),
  "gpt2, texts in classes": () => new GPT2ForSequenceClassification({ ...small, tied: false }, 3),
  "llama, texts in classes": () => new LlamaForSequenceClassification({ ...small, hidden: 24 }, 3),
  vit: () => new ViT({ imageSize: 6, patchSize: 3, channels: 2, classes: 4, layers: 2, heads: 4, width: 16 }),
};
const ids = tensor([[3, 1, 4, 1, 5]], { dtype: "i32" }) as Tensor;
const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
const pictures = rand(2, 2, 6, 6) as Tensor;
function logits(model: Pretrained): number[] {
  const y = noGrad(() => model.forward(model instanceof ViT ? pictures : ids));
  return list("predictions" in y ? y.predictions : y);
}
const count = (model: Pretrained) => model.parameters().reduce((n, p) => n + p.size, 0);
async function code(f: () => unknown): Promise<string | undefined> {
  try {
    await f();
  } catch (e) {
    return (e as NablaError).code;
  }
  return undefined;
}

describe("summary", () => {
  it("knows the published numbers of parameters", () => {
    const gpt2 = ["distilgpt2", "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"] as const;
    const counts = gpt2.map((name) => GPT2.summary(name).parameters);
    expect(counts).toEqual([81912576, 124439808, 354823168, 774030080, 1557611200]);
    const llama = ["smollm2-135m", "tinyllama-1.1b", "llama-3.2-1b"] as const;
    expect(llama.map((name) => Llama.summary(name).parameters)).toEqual([134515008, 1100048384, 1235814400]);
    const bert = ["bert-base-uncased", "bert-large-uncased"] as const;
    expect(bert.map((name) => Bert.summary(name).parameters)).toEqual([110106428, 336226108]);
    const vit = ["vit-tiny", "vit-small", "vit-base", "vit-large", "vit-huge"] as const;
    const found = vit.map((name) => ViT.summary(name).parameters);
    expect(found).toEqual([5717416, 22050664, 86567656, 304326632, 632045800]);
  });
  it("is what the model has", () => {
    for (const model of [makers.gpt2(), makers["gpt2, untied"]()])
      expect(GPT2.summary(model.config).parameters).toBe(count(model));
    for (const model of [makers.llama(), makers["llama, stretched"]()])
      expect(Llama.summary(model.config).parameters).toBe(count(model));
    const [bert, vit] = [makers.bert(), makers.vit()];
    expect(Bert.summary(bert.config).parameters).toBe(count(bert));
    expect(ViT.summary(vit.config).parameters).toBe(count(vit));
  });
  it.each<[string, number, number, number]>([
    ["gpt2", 0, 2, 64],
    ["gpt2", 0, 1, 512],
    ["gpt2", 0.1, 2, 64],
    ["gpt2", 0.1, 1, 512],
    ["llama", 0, 2, 64],
    ["llama", 0, 1, 512],
  ])("is near the memory a compiled step takes: %s, dropout %d, %i x %i", (kind, dropout, batch, time) => {
    const sizes = { vocabSize: 100, contextLength: 512, layers: 4, heads: 4, width: 64 };
    const model = kind === "gpt2" ? new GPT2({ ...sizes, dropout }) : new Llama({ ...sizes, hidden: 128 });
    const summary = kind === "gpt2" ? GPT2.summary : Llama.summary;
    const opt = new AdamW(model, { lr: 1e-3 });
    using step = compile((x: Tensor, y: Tensor) => {
      const loss = crossEntropy(model.forward(x), y);
      opt.zeroGrad();
      loss.backward();
      opt.step();
      return loss;
    });
    const rows = Array.from({ length: batch }, () => Array.from({ length: time }, (_, i) => i % 100));
    const x = tensor(rows, { dtype: "i32" }) as Tensor;
    step.sync(x, x);
    const { activations, weights } = summary(model.config as never, { batch, time });
    const { arenaBytes } = step.explain().plans[0]!;
    expect(arenaBytes / (activations + weights)).toBeGreaterThan(0.6);
    expect(arenaBytes / (activations + weights)).toBeLessThan(1.2);
  });
});

it("GPT2 begins as the paper says", () => {
  const model = new GPT2({ vocabSize: 500, contextLength: 64, layers: 8, heads: 2, width: 64 });
  const deviation = (x: Tensor) => Math.sqrt(x.square().mean().item());
  const { wte, h } = model.transformer;
  expect(deviation(wte.weight)).toBeCloseTo(0.02, 3);
  expect(deviation(h[0]!.mlp.c_fc.weight)).toBeCloseTo(0.02, 3);
  expect(deviation(h[0]!.mlp.c_proj.weight)).toBeCloseTo(0.02 / 4, 3);
  expect(list(h[0]!.attn.c_attn.bias).every((b) => b === 0)).toBe(true);
  expect([...model.stateDict().keys()].at(-1)).toBe("transformer.ln_f.bias");
});

describe.each(Object.entries(makers))("%s", (_, make) => {
  it("is written and read back: the same names, shapes and logits", async () => {
    const model = make().eval();
    await savePretrained(folder, model);
    seed(99);
    const again = await loadPretrained(folder);
    expect(again.config).toEqual(model.config);
    expect(again.training).toBe(false);
    expect(logits(again)).toEqual(logits(model));
    const file = await openSafetensors(join(folder, "model.safetensors"));
    expect(file.metadata.get("format")).toBe("pt");
    await file.close();
  });
});

it("texts are judged by their own last token, whatever fills up the batch", () => {
  for (const name of ["gpt2, texts in classes", "llama, texts in classes"] as const) {
    const model = makers[name]().eval();
    expect([...model.stateDict().keys()].at(-1)).toBe("score.weight");
    const filled = tensor(
      [
        [3, 1, 4, 1, 5],
        [2, 7, 0, 0, 0],
      ],
      { dtype: "i32" },
    ) as Tensor;
    const keyMask = tensor([
      [true, true, true, true, true],
      [true, true, false, false, false],
    ]) as Tensor;
    const both = list(noGrad(() => model.forward(filled, { keyMask })));
    const short = noGrad(() => model.forward(tensor([[2, 7]], { dtype: "i32" }) as Tensor));
    const alone = [...list(noGrad(() => model.forward(ids))), ...list(short)];
    for (const [i, x] of both.entries()) expect(x).toBeCloseTo(alone[i]!, 5);
  }
});

describe("loadPretrained", () => {
  const rewrite = async (change: (tensors: Map<string, Tensor>) => Map<string, Tensor>, model: GPT2 | Bert) => {
    await savePretrained(folder, model);
    await saveSafetensors(join(folder, "model.safetensors"), change(model.stateDict()));
  };
  const config = (change: (fields: Record<string, unknown>) => void) => {
    const path = join(folder, "config.json");
    const fields = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    change(fields);
    writeFileSync(path, JSON.stringify(fields));
  };

  it("takes names without their prefix, and passes over tables of masks", async () => {
    const model = makers.gpt2().eval();
    await rewrite((all) => {
      const bare = new Map([...all].map(([name, x]) => [name.replace("transformer.", ""), x]));
      return bare.set("h.0.attn.bias", tensor([[1]]) as Tensor).set("lm_head.weight", model.lm_head.weight);
    }, model);
    expect(logits(await loadPretrained(folder))).toEqual(logits(model));
  });
  it("takes a Bert without its heads, but not without its body", async () => {
    const model = makers.bert().eval();
    await rewrite((all) => new Map([...all].filter(([name]) => !name.startsWith("cls."))), model);
    const again = (await loadPretrained(folder)) as Bert;
    expect(list(noGrad(() => again.forward(ids)).pooled)).toEqual(list(noGrad(() => model.forward(ids)).pooled));
    await rewrite((all) => new Map([...all].filter(([name]) => !/^cls\.|layer\.1/.test(name))), model);
    await expect(loadPretrained(folder)).rejects.toThrow("missing");
    await rewrite((all) => new Map([...all].filter(([name]) => name !== "cls.predictions.bias")), model);
    await expect(loadPretrained(folder)).rejects.toThrow("cls.predictions.bias");
  });
  it("takes heads for a task where the file has them, and passes over a pooler that they do not use", async () => {
    const model = makers["bert, words in classes"]().eval();
    await savePretrained(folder, model);
    const pooler = makers.bert().bert.pooler.dense;
    const file = join(folder, "model.safetensors");
    const more = [
      ["bert.pooler.dense.weight", pooler.weight],
      ["bert.pooler.dense.bias", pooler.bias as Tensor],
    ] as const;
    await saveSafetensors(file, new Map([...model.stateDict(), ...more]));
    expect(logits(await loadPretrained(folder))).toEqual(logits(model));
    await saveSafetensors(file, new Map([...model.stateDict()].filter(([name]) => name !== "classifier.bias")));
    await expect(loadPretrained(folder)).rejects.toThrow("classifier.bias");
  });
  it("reports what does not fit in one error, before anything is written", async () => {
    const model = makers.gpt2();
    await rewrite((all) => {
      const ln = all.get("transformer.h.0.ln_1.weight") as Tensor;
      all.delete("transformer.h.0.ln_1.weight");
      return all.set("transformer.h.0.ln1.weight", ln).set("transformer.wpe.weight", ln);
    }, model);
    await expect(loadPretrained(folder)).rejects.toThrow(
      /1 missing, 1 unexpected, 1 of another shape[\s\S]*did you mean transformer\.h\.0\.ln1\.weight/,
    );
  });
  it.each([
    ["model_type", "mamba"],
    ["model_type", "__proto__"],
    ["n_embd", "16"],
    ["n_embd", -16],
    ["n_layer", 1e300],
    ["activation_function", "constructor"],
    ["add_cross_attention", true],
    ["scale_attn_by_inverse_layer_idx", true],
    ["scale_attn_weights", false],
  ])("refuses a configuration with %s %j", async (name, x) => {
    await savePretrained(folder, makers.gpt2());
    config((fields) => {
      fields[name] = x;
    });
    expect(await code(() => loadPretrained(folder))).toBe("ERR_NABLA_FILE");
  });

  describe("with an index", () => {
    const index = (map: unknown) =>
      writeFileSync(
        join(folder, "model.safetensors.index.json"),
        typeof map === "string" ? map : JSON.stringify({ weight_map: map }),
      );
    let names: string[];
    let model: GPT2;
    beforeEach(async () => {
      model = makers.gpt2().eval();
      await savePretrained(folder, model);
      renameSync(join(folder, "model.safetensors"), join(folder, "a.safetensors"));
      names = [...model.stateDict().keys()];
    });
    const whole = () => Object.fromEntries(names.map((n) => [n, "a.safetensors"]));

    it("reads the files it names", async () => {
      index(whole());
      expect(logits(await loadPretrained(folder))).toEqual(logits(model));
    });
    it.each([
      "../a.safetensors",
      "/etc/passwd",
      "sub/a.safetensors",
      "..",
      "a.safetensors\0",
      ".a.safetensors",
      "C:\\a.safetensors",
      "a.bin",
      7,
      null,
    ])("refuses %j as a file", async (file) => {
      index({ ...whole(), [names[0]!]: file });
      expect(await code(() => loadPretrained(folder))).toBe("ERR_NABLA_FILE");
    });
    it("refuses what is no map, and what the files do not agree with", async () => {
      for (const map of ["nonsense", "[]", [], null, 5]) {
        index(map);
        expect(await code(() => loadPretrained(folder))).toBe("ERR_NABLA_FILE");
      }
      index({ ...whole(), more: "a.safetensors" });
      await expect(loadPretrained(folder)).rejects.toThrow("lacks more");
      const { [names[0]!]: _, ...less } = whole();
      index(less);
      await expect(loadPretrained(folder)).rejects.toThrow("which the index puts elsewhere");
      index(
        JSON.stringify({ weight_map: whole() }).replace(
          '{"weight_map":{',
          '{"weight_map":{"__proto__":"a.safetensors",',
        ),
      );
      await expect(loadPretrained(folder)).rejects.toThrow("lacks __proto__");
    });
  });
});
