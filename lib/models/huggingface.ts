// Folders as Hugging Face transformers writes them: config.json and model.safetensors.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkKind } from "../core/boundary.ts";
import { replaceText } from "../io/file.ts";
import { openShards, readObject, type Shards } from "../io/shards.ts";
import { checkModel } from "../nn/module.ts";
import { Bert } from "./bert.ts";
import {
  BertForSequenceClassification,
  BertForTokenClassification,
  GPT2ForSequenceClassification,
  LlamaForSequenceClassification,
} from "./classifier.ts";
import { bertConfig, Fields, fieldsOf, gpt2Config, llamaConfig, type Pretrained, vitConfig } from "./config.ts";
import { GPT2 } from "./gpt.ts";
import { Llama } from "./llama.ts";
import { ViT } from "./vit.ts";

export type { Pretrained };

type Rename = (name: string) => string | undefined;
interface Family {
  make(f: Fields): Pretrained;
  /** The name here of a tensor in a file: of any of the models built on the same body, new or old. */
  readonly rename: Rename;
  /** What a file may lack, because its model was saved without those heads. */
  readonly optional?: RegExp;
  /** What a file may have that the model has no use for. */
  readonly spare?: RegExp;
}
const families = {
  gpt2: {
    make: (f) =>
      f.strings("architectures")[0] === "GPT2ForSequenceClassification"
        ? new GPT2ForSequenceClassification(gpt2Config(f), f.labels())
        : new GPT2(gpt2Config(f)),
    rename: (name) => {
      if (/\.attn\.(masked_)?bias$/.test(name)) return undefined;
      return /^(transformer|lm_head|score)\./.test(name) ? name : `transformer.${name}`;
    },
  },
  llama: {
    make: (f) =>
      f.strings("architectures")[0] === "LlamaForSequenceClassification"
        ? new LlamaForSequenceClassification(llamaConfig(f), f.labels())
        : new Llama(llamaConfig(f)),
    rename: (name) => {
      if (name.endsWith("rotary_emb.inv_freq")) return undefined;
      return /^(model|lm_head|score)\./.test(name) ? name : `model.${name}`;
    },
  },
  bert: {
    make(f) {
      const architecture = f.strings("architectures")[0];
      if (architecture === "BertForSequenceClassification")
        return new BertForSequenceClassification(bertConfig(f), f.labels());
      if (architecture === "BertForTokenClassification")
        return new BertForTokenClassification(bertConfig(f), f.labels());
      return new Bert(bertConfig(f));
    },
    rename: (name) => {
      if (name.endsWith("embeddings.position_ids")) return undefined;
      const whole = /^(bert|cls|classifier)\./.test(name) ? name : `bert.${name}`;
      return whole.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");
    },
    optional: /^(cls|bert\.pooler)\./,
    spare: /^bert\.pooler\./,
  },
  vit: {
    make: (f) => new ViT(vitConfig(f)),
    rename: (name) => (/^(vit|classifier)\./.test(name) ? name : `vit.${name}`),
    optional: /^classifier\./,
    spare: /^vit\.pooler\./,
  },
} as const satisfies Record<string, Family>;

async function fill(model: Pretrained, weights: Shards, { rename: named, optional, spare }: Family): Promise<void> {
  const own = model.stateDict();
  const rename = (from: string) => {
    const name = named(from);
    return name !== undefined && spare?.test(name) && !own.has(name) ? undefined : name;
  };
  const names = new Set([...weights.tensors.keys()].map(rename));
  // Each head that is there is loaded in full; one that is wholly absent keeps its first values.
  const absent = (name: string) => {
    const head = optional?.exec(name)?.[0];
    return head !== undefined && ![...names].some((n) => n?.startsWith(head));
  };
  if ([...own.keys()].some(absent)) {
    const { missing, unexpected } = await model.load(weights, { rename, strict: false });
    if (unexpected.length === 0 && missing.every(absent)) return;
  }
  await model.load(weights, { rename });
}

/**
 * A model from a folder as Hugging Face transformers saves it: config.json says which (gpt2, llama, bert, vit) and how large,
 * model.safetensors, or the files of model.safetensors.index.json, hold the weights in f32, f16 or bf16, which all become f32.
 * What does not fit is reported in one error, with near names; an option that is not built here is an ERR_NABLA_FILE. Nothing is
 * fetched, nothing is executed.
 *
 * Hugging Face: `AutoModel.from_pretrained`.
 * @example
 * ```ts
 * import { GPT2, loadPretrained, savePretrained } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * await savePretrained("tiny-gpt2", model);
 * const again = await loadPretrained("tiny-gpt2");
 * console.log(again instanceof GPT2 && again.config.width); // 8
 * ```
 */
export async function loadPretrained(folder: string): Promise<Pretrained> {
  checkKind("loadPretrained", "the folder", folder, "string");
  const file = join(folder, "config.json");
  const fields = new Fields(file, await readObject(file));
  const family: Family = fields.choice("model_type", families, "");
  const weights = await openShards(folder);
  try {
    const model = family.make(fields);
    await fill(model, weights, family);
    return model.eval();
  } finally {
    await weights.close();
  }
}

/**
 * Writes config.json and model.safetensors into a folder, under the names and in the shapes that Hugging Face transformers
 * reads.
 *
 * Hugging Face: `save_pretrained`.
 * @example
 * ```ts
 * import { Llama, savePretrained } from "nabla";
 * const sizes = { vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8, hidden: 16 };
 * await savePretrained("tiny-llama", new Llama(sizes));
 * ```
 */
export async function savePretrained(folder: string, model: Pretrained): Promise<void> {
  checkKind("savePretrained", "the folder", folder, "string");
  checkModel("savePretrained", model);
  const fields = { ...fieldsOf(model), dtype: "float32" };
  await mkdir(folder, { recursive: true });
  await model.save(join(folder, "model.safetensors"), { metadata: { format: "pt" } });
  await replaceText(join(folder, "config.json"), `${JSON.stringify(fields, null, 2)}\n`);
}
