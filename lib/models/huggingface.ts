// Folders as Hugging Face transformers writes them: config.json and model.safetensors.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../core/errors.ts";
import { openShards, readObject, type Shards } from "../io/shards.ts";
import type { RotaryScaling } from "../nn/position.ts";
import { Bert, type BertConfig } from "./bert.ts";
import { GPT2, type GPT2Config } from "./gpt.ts";
import { Llama, type LlamaConfig } from "./llama.ts";

/** A configuration read field by field, with a complaint for each that is not what a model here can do. */
class Fields {
  readonly #file: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(file: string, fields: ReadonlyMap<string, unknown>) {
    this.#file = file;
    this.#fields = fields;
  }
  #refuse(name: string, expected: unknown): never {
    const actual = this.#fields.get(name);
    return fail("ERR_NABLA_FILE", "loadPretrained", `${this.#file}: ${name} is ${JSON.stringify(actual)}`, {
      expected,
      actual,
    });
  }
  get(name: string): unknown {
    return this.#fields.get(name) ?? undefined;
  }
  number(name: string, preset?: number): number {
    const x = this.get(name) ?? preset;
    return typeof x === "number" && Number.isFinite(x) ? x : this.#refuse(name, "a number");
  }
  size(name: string, preset?: number): number {
    const x = this.number(name, preset);
    return Number.isInteger(x) && x > 0 && x <= 2 ** 31 ? x : this.#refuse(name, "a whole number from 1");
  }
  flag(name: string, preset: boolean): boolean {
    const x = this.get(name) ?? preset;
    return typeof x === "boolean" ? x : this.#refuse(name, "true or false");
  }
  choice<T>(name: string, choices: Readonly<Record<string, T>>, preset: string): T {
    const x = this.get(name) ?? preset;
    return typeof x === "string" && Object.hasOwn(choices, x)
      ? (choices[x] as T)
      : this.#refuse(name, Object.keys(choices));
  }
  /** An option of models that are not built here: refused when it is on. */
  never(...names: readonly string[]): void {
    for (const name of names) if (this.get(name)) this.#refuse(name, false);
  }
  inside(name: string): Fields | undefined {
    const x = this.get(name);
    if (x === undefined) return undefined;
    if (typeof x !== "object" || x === null || Array.isArray(x)) return this.#refuse(name, "an object");
    return new Fields(`${this.#file}: ${name}`, new Map(Object.entries(x)));
  }
}

const activations = {
  gelu_new: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  gelu: "gelu",
  relu: "relu",
  silu: "silu",
  swish: "silu",
} as const;

function gpt2Config(f: Fields): GPT2Config {
  f.never("scale_attn_by_inverse_layer_idx", "add_cross_attention");
  if (!f.flag("scale_attn_weights", true)) f.never("scale_attn_weights");
  const width = f.size("n_embd", 768);
  const inner = f.get("n_inner");
  return {
    vocabSize: f.size("vocab_size", 50257),
    contextLength: f.size("n_positions", 1024),
    layers: f.size("n_layer", 12),
    heads: f.size("n_head", 12),
    width,
    hidden: inner === undefined ? 4 * width : f.size("n_inner"),
    dropout: {
      embedding: f.number("embd_pdrop", 0.1),
      attention: f.number("attn_pdrop", 0.1),
      residual: f.number("resid_pdrop", 0.1),
    },
    activation: f.choice("activation_function", activations, "gelu_new"),
    eps: f.number("layer_norm_epsilon", 1e-5),
    std: f.number("initializer_range", 0.02),
    tied: f.flag("tie_word_embeddings", true),
  };
}

/** rope_parameters of today, or rope_theta and rope_scaling of before. */
function rotaryOf(f: Fields): { theta: number; scaling: RotaryScaling | undefined } {
  const rope = f.inside("rope_parameters") ?? f.inside("rope_scaling");
  const theta = rope?.get("rope_theta") === undefined ? f.number("rope_theta", 10000) : rope.number("rope_theta");
  if (!rope) return { theta, scaling: undefined };
  const name = rope.get("rope_type") === undefined && rope.get("type") !== undefined ? "type" : "rope_type";
  const type = rope.choice(name, { default: "default", linear: "linear", llama3: "llama3" } as const, "default");
  if (type === "default") return { theta, scaling: undefined };
  const factor = rope.number("factor");
  if (type === "linear") return { theta, scaling: { type, factor } };
  const [lowFrequency, highFrequency] = [rope.number("low_freq_factor"), rope.number("high_freq_factor")];
  const originalLength = rope.size("original_max_position_embeddings");
  return { theta, scaling: { type, factor, lowFrequency, highFrequency, originalLength } };
}
function llamaConfig(f: Fields): LlamaConfig {
  f.choice("hidden_act", { silu: true, swish: true }, "silu");
  const [heads, width] = [f.size("num_attention_heads", 32), f.size("hidden_size", 4096)];
  return {
    vocabSize: f.size("vocab_size", 32000),
    contextLength: f.size("max_position_embeddings", 2048),
    layers: f.size("num_hidden_layers", 32),
    heads,
    keyValueHeads: f.size("num_key_value_heads", heads),
    width,
    hidden: f.size("intermediate_size", 11008),
    headWidth: f.size("head_dim", width / heads),
    ...rotaryOf(f),
    eps: f.number("rms_norm_eps", 1e-6),
    std: f.number("initializer_range", 0.02),
    tied: f.flag("tie_word_embeddings", false),
    attentionBias: f.flag("attention_bias", false),
    mlpBias: f.flag("mlp_bias", false),
  };
}

function bertConfig(f: Fields): BertConfig {
  f.never("is_decoder", "add_cross_attention");
  f.choice("hidden_act", { gelu: true }, "gelu");
  f.choice("position_embedding_type", { absolute: true }, "absolute");
  return {
    vocabSize: f.size("vocab_size", 30522),
    contextLength: f.size("max_position_embeddings", 512),
    layers: f.size("num_hidden_layers", 12),
    heads: f.size("num_attention_heads", 12),
    width: f.size("hidden_size", 768),
    hidden: f.size("intermediate_size", 3072),
    types: f.size("type_vocab_size", 2),
    dropout: f.number("hidden_dropout_prob", 0.1),
    eps: f.number("layer_norm_eps", 1e-12),
    paddingIndex: f.number("pad_token_id", 0),
    std: f.number("initializer_range", 0.02),
  };
}

type Rename = (name: string) => string | undefined;
interface Family {
  make(f: Fields): GPT2 | Llama | Bert;
  /** The name here of a tensor in a file: of any of the models built on the same body, new or old. */
  readonly rename: Rename;
  /** What a file may lack, because its model was saved without those heads. */
  readonly optional?: RegExp;
}
const families = {
  gpt2: {
    make: (f) => new GPT2(gpt2Config(f)),
    rename: (name) => {
      if (/\.attn\.(masked_)?bias$/.test(name)) return undefined;
      return /^(transformer|lm_head)\./.test(name) ? name : `transformer.${name}`;
    },
  },
  llama: {
    make: (f) => new Llama(llamaConfig(f)),
    rename: (name) => {
      if (name.endsWith("rotary_emb.inv_freq")) return undefined;
      return /^(model|lm_head)\./.test(name) ? name : `model.${name}`;
    },
  },
  bert: {
    make: (f) => new Bert(bertConfig(f)),
    rename: (name) => {
      if (name.endsWith("embeddings.position_ids")) return undefined;
      const whole = /^(bert|cls)\./.test(name) ? name : `bert.${name}`;
      return whole.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");
    },
    optional: /^(cls|bert\.pooler)\./,
  },
} as const satisfies Record<string, Family>;

async function fill(model: GPT2 | Llama | Bert, weights: Shards, { rename, optional }: Family): Promise<void> {
  const names = new Set([...weights.tensors.keys()].map(rename));
  // Each head that is there is loaded in full; one that is wholly absent keeps its first values.
  const absent = (name: string) => {
    const head = optional?.exec(name)?.[0];
    return head !== undefined && ![...names].some((n) => n?.startsWith(head));
  };
  const lacks = [...model.stateDict().keys()].some(absent);
  if (lacks) {
    const { missing, unexpected } = await model.load(weights, { rename, strict: false });
    if (unexpected.length === 0 && missing.every(absent)) return;
  }
  await model.load(weights, { rename });
}

/**
 * A model from a folder as Hugging Face transformers saves it: config.json says which (gpt2, llama, bert) and how large,
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
export async function loadPretrained(folder: string): Promise<GPT2 | Llama | Bert> {
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

function named<T extends string>(wanted: T): string {
  const found = Object.entries(activations).find(([, name]) => name === wanted);
  return (found as [string, string])[0];
}
function gpt2Fields({ config: c }: GPT2): object {
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    vocab_size: c.vocabSize,
    n_positions: c.contextLength,
    n_layer: c.layers,
    n_head: c.heads,
    n_embd: c.width,
    n_inner: c.hidden,
    embd_pdrop: c.dropout.embedding,
    attn_pdrop: c.dropout.attention,
    resid_pdrop: c.dropout.residual,
    activation_function: named(c.activation),
    layer_norm_epsilon: c.eps,
    initializer_range: c.std,
    tie_word_embeddings: c.tied,
  };
}
function rotaryFields({ theta, scaling }: Llama["config"]): object {
  if (!scaling) return { rope_type: "default", rope_theta: theta };
  if (scaling.type === "linear") return { rope_type: "linear", rope_theta: theta, factor: scaling.factor };
  return {
    rope_type: "llama3",
    rope_theta: theta,
    factor: scaling.factor,
    low_freq_factor: scaling.lowFrequency,
    high_freq_factor: scaling.highFrequency,
    original_max_position_embeddings: scaling.originalLength,
  };
}
function llamaFields({ config: c }: Llama): object {
  const { rope_theta, ...scaling } = rotaryFields(c) as { rope_theta: number; rope_type: string };
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: c.vocabSize,
    max_position_embeddings: c.contextLength,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    num_key_value_heads: c.keyValueHeads,
    hidden_size: c.width,
    intermediate_size: c.hidden,
    head_dim: c.headWidth,
    hidden_act: "silu",
    rope_parameters: rotaryFields(c),
    // What transformers before 5 reads.
    rope_theta,
    rope_scaling: c.scaling ? scaling : null,
    rms_norm_eps: c.eps,
    initializer_range: c.std,
    tie_word_embeddings: c.tied,
    attention_bias: c.attentionBias,
    mlp_bias: c.mlpBias,
  };
}
function bertFields({ config: c }: Bert): object {
  return {
    architectures: ["BertForPreTraining"],
    model_type: "bert",
    vocab_size: c.vocabSize,
    max_position_embeddings: c.contextLength,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    hidden_size: c.width,
    intermediate_size: c.hidden,
    type_vocab_size: c.types,
    hidden_dropout_prob: c.dropout,
    attention_probs_dropout_prob: c.dropout,
    hidden_act: "gelu",
    layer_norm_eps: c.eps,
    pad_token_id: c.paddingIndex,
    initializer_range: c.std,
  };
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
export async function savePretrained(folder: string, model: GPT2 | Llama | Bert): Promise<void> {
  await mkdir(folder, { recursive: true });
  await model.save(join(folder, "model.safetensors"), { metadata: { format: "pt" } });
  const fields =
    model instanceof GPT2 ? gpt2Fields(model) : model instanceof Llama ? llamaFields(model) : bertFields(model);
  await writeFile(join(folder, "config.json"), `${JSON.stringify({ ...fields, dtype: "float32" }, null, 2)}\n`);
}
