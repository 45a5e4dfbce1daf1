// config.json as Hugging Face transformers writes it, and the configurations of models here.
import { fail } from "../core/errors.ts";
import type { RotaryScaling } from "../nn/position.ts";
import { Bert, type BertConfig } from "./bert.ts";
import {
  BertForSequenceClassification,
  BertForTokenClassification,
  GPT2ForSequenceClassification,
  LlamaForSequenceClassification,
} from "./classifier.ts";
import { GPT2, type GPT2Config } from "./gpt.ts";
import { Llama, type LlamaConfig } from "./llama.ts";
import { ViT, type ViTConfig } from "./vit.ts";

/** The models that folders hold. */
export type Pretrained =
  | GPT2
  | GPT2ForSequenceClassification
  | Llama
  | LlamaForSequenceClassification
  | Bert
  | BertForSequenceClassification
  | BertForTokenClassification
  | ViT;

/** A configuration read field by field, with a complaint for each that is not what a model here can do. */
export class Fields {
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
  strings(name: string): readonly string[] {
    const x = this.get(name) ?? [];
    return Array.isArray(x) && x.every((s) => typeof s === "string") ? x : this.#refuse(name, "a list of texts");
  }
  /** How many classes there are: as many as have a name, or two. */
  labels(): number {
    const names = this.inside("id2label");
    return names ? names.#fields.size : this.size("num_labels", 2);
  }
  /** An option without which models are not built here. */
  always(...names: readonly string[]): void {
    for (const name of names) if (!this.flag(name, true)) this.#refuse(name, true);
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

export function gpt2Config(f: Fields): GPT2Config {
  f.never("scale_attn_by_inverse_layer_idx", "add_cross_attention");
  f.always("scale_attn_weights");
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

const scalings = { default: "default", linear: "linear", dynamic: "dynamic", llama3: "llama3", yarn: "yarn" } as const;
/** rope_parameters of today, or rope_theta and rope_scaling of before. */
function rotaryOf(f: Fields): { theta: number; scaling: RotaryScaling | undefined } {
  const rope = f.inside("rope_parameters") ?? f.inside("rope_scaling");
  const theta = rope?.get("rope_theta") === undefined ? f.number("rope_theta", 10000) : rope.number("rope_theta");
  if (!rope) return { theta, scaling: undefined };
  const name = rope.get("rope_type") === undefined && rope.get("type") !== undefined ? "type" : "rope_type";
  const type = rope.choice(name, scalings, "default");
  return { theta, scaling: type === "default" ? undefined : scalingOf(type, rope, f) };
}
function scalingOf(type: RotaryScaling["type"], rope: Fields, f: Fields): RotaryScaling {
  const length = f.size("max_position_embeddings", 2048);
  if (type === "linear") return { type, factor: rope.number("factor") };
  if (type === "llama3") {
    const [lowFrequency, highFrequency] = [rope.number("low_freq_factor"), rope.number("high_freq_factor")];
    const originalLength = rope.size("original_max_position_embeddings");
    return { type, factor: rope.number("factor"), lowFrequency, highFrequency, originalLength };
  }
  const originalLength = rope.size("original_max_position_embeddings", length);
  if (type === "dynamic") return { type, factor: rope.number("factor"), originalLength };
  const factor = rope.number("factor", length / originalLength);
  const betas = { betaFast: rope.number("beta_fast", 32), betaSlow: rope.number("beta_slow", 1) };
  const attentionFactor = rope.number("attention_factor", yarnAttention(factor, rope));
  return { type, factor, originalLength, ...betas, attentionFactor, truncate: rope.flag("truncate", true) };
}
/** What cosine and sine are multiplied by, where a file does not say it. */
function yarnAttention(factor: number, rope: Fields): number {
  const of = (scale: number) => (factor > 1 ? 0.1 * scale * Math.log(factor) + 1 : 1);
  const [all, one] = [rope.number("mscale_all_dim", 0), rope.number("mscale", 0)];
  return one && all ? of(one) / of(all) : of(1);
}
export function llamaConfig(f: Fields): LlamaConfig {
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

export function bertConfig(f: Fields): BertConfig {
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

function named<T extends string>(wanted: T): string {
  const found = Object.entries(activations).find(([, name]) => name === wanted);
  return (found as [string, string])[0];
}
function gpt2Fields(c: GPT2["config"], architecture: string): object {
  return {
    architectures: [architecture],
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
function rotaryFields({ theta, scaling }: Llama["config"]): Record<string, unknown> {
  if (!scaling) return { rope_type: "default", rope_theta: theta };
  const fields = { rope_type: scaling.type, rope_theta: theta, factor: scaling.factor };
  if (scaling.type === "linear") return fields;
  const long = { ...fields, original_max_position_embeddings: scaling.originalLength };
  if (scaling.type === "dynamic") return long;
  if (scaling.type === "llama3")
    return { ...long, low_freq_factor: scaling.lowFrequency, high_freq_factor: scaling.highFrequency };
  const { betaFast, betaSlow, attentionFactor, truncate } = scaling;
  return { ...long, beta_fast: betaFast, beta_slow: betaSlow, attention_factor: attentionFactor, truncate };
}
function llamaFields(c: Llama["config"], architecture: string): object {
  const { rope_theta, ...scaling } = rotaryFields(c);
  return {
    architectures: [architecture],
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
/** Names of classes, from which transformers takes their number. */
function labelFields(classes: number): object {
  const names = Array.from({ length: classes }, (_, i) => `LABEL_${i}`);
  return {
    id2label: Object.fromEntries(names.entries()),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  };
}
function bertFields(c: Bert["config"], architecture: string): object {
  return {
    architectures: [architecture],
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
export function vitConfig(f: Fields): ViTConfig {
  f.choice("hidden_act", { gelu: true }, "gelu");
  f.always("qkv_bias");
  return {
    imageSize: f.size("image_size", 224),
    patchSize: f.size("patch_size", 16),
    channels: f.size("num_channels", 3),
    classes: f.labels(),
    layers: f.size("num_hidden_layers", 12),
    heads: f.size("num_attention_heads", 12),
    width: f.size("hidden_size", 768),
    hidden: f.size("intermediate_size", 3072),
    dropout: f.number("hidden_dropout_prob", 0),
    eps: f.number("layer_norm_eps", 1e-12),
    std: f.number("initializer_range", 0.02),
  };
}
function vitFields({ config: c }: ViT): object {
  return {
    architectures: ["ViTForImageClassification"],
    model_type: "vit",
    image_size: c.imageSize,
    patch_size: c.patchSize,
    num_channels: c.channels,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    hidden_size: c.width,
    intermediate_size: c.hidden,
    hidden_dropout_prob: c.dropout,
    attention_probs_dropout_prob: c.dropout,
    hidden_act: "gelu",
    qkv_bias: true,
    layer_norm_eps: c.eps,
    initializer_range: c.std,
  };
}

/** What config.json says of a model. */
export function fieldsOf(model: Pretrained): object {
  if (model instanceof GPT2) return gpt2Fields(model.config, "GPT2LMHeadModel");
  if (model instanceof Llama) return llamaFields(model.config, "LlamaForCausalLM");
  if (model instanceof Bert) return bertFields(model.config, "BertForPreTraining");
  return { ...classifierFields(model), ...labelFields(model.config.classes) };
}
function classifierFields(model: Extract<Pretrained, { config: { classes: number } }>): object {
  if (model instanceof ViT) return vitFields(model);
  if (model instanceof GPT2ForSequenceClassification) return gpt2Fields(model.config, "GPT2ForSequenceClassification");
  if (model instanceof LlamaForSequenceClassification)
    return llamaFields(model.config, "LlamaForSequenceClassification");
  const task = model instanceof BertForTokenClassification ? "Token" : "Sequence";
  if (!(model instanceof BertForTokenClassification || model instanceof BertForSequenceClassification))
    fail("ERR_NABLA_TYPE", "savePretrained", "there is no such model of Hugging Face", { actual: model });
  return bertFields(model.config, `BertFor${task}Classification`);
}
