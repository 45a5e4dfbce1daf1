import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { Dropout } from "../nn/dropout.ts";
import { Embedding } from "../nn/embedding.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { LayerNorm } from "../nn/norm.ts";
import { Parameter } from "../nn/parameter.ts";
import { gelu, tanh } from "../ops/activation.ts";
import { zeros } from "../ops/create.ts";
import { linear } from "../ops/matmul.ts";
import { select, slice } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { begin, SelfAttention } from "./encoder.ts";
import {
  blockKept,
  blockParameters,
  checkSizes,
  checkWidth,
  presetOf,
  type Summary,
  summarize,
  type TokenConfig,
  tokenNames,
  type Workload,
} from "./summary.ts";

/** Sizes and choices of {@link Bert}. */
export interface BertConfig extends TokenConfig {
  /** Kinds of segments; 2 unless given. */
  readonly types?: number;
  /** 0 unless given. */
  readonly dropout?: number;
  /** 1e-12 unless given. */
  readonly eps?: number;
  /** The id that fills up a batch; 0 unless given. */
  readonly paddingIndex?: number;
}
/** A configuration with nothing left open. */
export type FullBertConfig = Required<BertConfig>;
type Full = FullBertConfig;

const presets = {
  "bert-base-uncased": { vocabSize: 30522, contextLength: 512, layers: 12, heads: 12, width: 768, dropout: 0.1 },
  "bert-large-uncased": { vocabSize: 30522, contextLength: 512, layers: 24, heads: 16, width: 1024, dropout: 0.1 },
} as const satisfies Record<string, BertConfig>;
/** Published sizes by name. */
export type BertPreset = keyof typeof presets;

export function completeBert(given: BertConfig | BertPreset): Full {
  const names = [...tokenNames, "types", "dropout", "eps", "paddingIndex"] as const;
  const config = only("Bert", presetOf<BertConfig>("Bert", given, presets), names);
  const { vocabSize, contextLength, layers, heads, width } = config;
  checkSizes("Bert", { vocabSize, contextLength });
  checkWidth("Bert", { layers, heads, width });
  return { hidden: 4 * width, types: 2, dropout: 0, eps: 1e-12, paddingIndex: 0, std: 0.02, ...config };
}

class Embeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings: Embedding;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor({ vocabSize, contextLength, types, width, eps, dropout, paddingIndex, std }: Full) {
    super();
    this.word_embeddings = new Embedding(vocabSize, width, { paddingIndex, std });
    this.position_embeddings = new Embedding(contextLength, width, { std });
    this.token_type_embeddings = new Embedding(types, width, { std });
    this.LayerNorm = new LayerNorm(width, { eps });
    this.dropout = new Dropout(dropout);
  }
  forward(ids: Tensor, types: Tensor | undefined): Tensor {
    const [batch, time] = ids.shape as [number, number];
    const kinds = types ?? (zeros([batch, time], "i32") as Tensor);
    const positions = slice(this.position_embeddings.weight, 0, 0, time) as Tensor;
    const words = this.word_embeddings.forward(ids) as Tensor;
    const x = words.add(this.token_type_embeddings.forward(kinds) as Tensor).add(positions);
    return this.dropout.forward(this.LayerNorm.forward(x) as Tensor);
  }
}

/** LayerNorm(drop(dense(x)) + before) */
class Output extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(from: number, { width, eps, dropout }: Full) {
    super();
    this.dense = new Linear(from, width);
    this.LayerNorm = new LayerNorm(width, { eps });
    this.dropout = new Dropout(dropout);
  }
  forward(x: Tensor, before: Tensor): Tensor {
    return this.LayerNorm.forward(this.dropout.forward(this.dense.forward(x) as Tensor).add(before)) as Tensor;
  }
}
class Layer extends Module {
  readonly attention: { readonly self: SelfAttention; readonly output: Output };
  readonly intermediate: { readonly dense: Linear };
  readonly output: Output;

  constructor(config: Full) {
    super();
    const { width, hidden } = config;
    this.attention = { self: new SelfAttention(config), output: new Output(width, config) };
    this.intermediate = { dense: new Linear(width, hidden) };
    this.output = new Output(hidden, config);
  }
  forward(x: Tensor, keyMask: Tensor | undefined): Tensor {
    const y = this.attention.output.forward(this.attention.self.forward(x, keyMask), x);
    return this.output.forward(gelu(this.intermediate.dense.forward(y)) as Tensor, y);
  }
}
/** What may be known of ids [batch, time]. */
export interface BertView {
  /** Segments [batch, time], 0 unless given. */
  readonly types?: Tensor | undefined;
  /** Booleans [batch, time], false where ids only fill up. */
  readonly keyMask?: Tensor | undefined;
}
/** Embeddings, layers and, where it is wanted, the pooled first token: what all of Bert's models have. */
export class BertBody<P extends boolean = true> extends Module {
  readonly embeddings: Embeddings;
  readonly encoder: { readonly layer: readonly Layer[] };
  readonly pooler: P extends true ? { readonly dense: Linear } : null;
  readonly #length: number;

  constructor(config: Full, pooled: P) {
    super();
    this.embeddings = new Embeddings(config);
    this.encoder = { layer: Array.from({ length: config.layers }, () => new Layer(config)) };
    this.pooler = (pooled ? { dense: new Linear(config.width, config.width) } : null) as BertBody<P>["pooler"];
    this.#length = config.contextLength;
  }
  /** Vectors [batch, time, width] of ids [batch, time]. */
  forward(ids: Tensor, view: BertView = {}): Tensor {
    const { types, keyMask } = only("Bert", view, ["types", "keyMask"]);
    if (ids.ndim !== 2 || (ids.shape[1] as number) > this.#length)
      fail("ERR_NABLA_SHAPE", "Bert", `takes ids [batch, time], time at most ${this.#length}`, { values: { ids } });
    return this.encoder.layer.reduce((x, layer) => layer.forward(x, keyMask), this.embeddings.forward(ids, types));
  }
  /** The first token's vector through a linear map and tanh: [batch, width]. */
  pool(this: BertBody<true>, hidden: Tensor): Tensor {
    return tanh({ x: this.pooler.dense.forward(select(hidden, 1, 0) as Tensor) }) as Tensor;
  }
}
/** Logits of words from their vectors: the embedding turned round, behind one layer more. */
class Predictions extends Module {
  readonly bias: Parameter;
  readonly transform: { readonly dense: Linear; readonly LayerNorm: LayerNorm };
  readonly decoder: { readonly weight: Parameter; readonly bias: Parameter };

  constructor({ width, eps, vocabSize }: Full, weight: Parameter) {
    super();
    this.bias = new Parameter(zeros([vocabSize]) as Tensor);
    this.transform = { dense: new Linear(width, width), LayerNorm: new LayerNorm(width, { eps }) };
    this.decoder = { weight, bias: this.bias };
  }
  forward(x: Tensor): Tensor {
    const h = this.transform.LayerNorm.forward(gelu(this.transform.dense.forward(x)) as Tensor);
    return linear(h, this.decoder.weight, this.bias) as Tensor;
  }
}

/** What {@link Bert} gives for ids [batch, time]. */
export interface BertOutput {
  /** [batch, time, width] */
  readonly hidden: Tensor;
  /** The first token's, through a linear map and tanh: [batch, width]. */
  readonly pooled: Tensor;
  /** Logits of the word at each place, [batch, time, vocabSize]. */
  readonly predictions: Tensor;
  /** Logits of "the second segment follows the first" and "it does not", [batch, 2]. */
  readonly relationship: Tensor;
}

/**
 * BERT: embeddings of words, positions and segments, layers that attend in both directions and normalise after each part, and
 * its two heads of pre-training (Devlin et al., 2018). Parameters have Hugging Face's names and shapes.
 *
 * Hugging Face: `BertForPreTraining`. Presets: bert-base-uncased, bert-large-uncased.
 * @example
 * ```ts
 * import { Bert, tensor } from "nabla";
 * const model = new Bert({ vocabSize: 50, contextLength: 16, layers: 2, heads: 2, width: 8 });
 * const { hidden, predictions } = model.forward(tensor([[1, 2, 3]], { dtype: "i32" }));
 * console.log(hidden.shape, predictions.shape); // [ 1, 3, 8 ] [ 1, 3, 50 ]
 * ```
 */
export class Bert extends Module {
  readonly config: Full;
  readonly bert: BertBody;
  readonly cls: { readonly predictions: Predictions; readonly seq_relationship: Linear };

  constructor(config: BertConfig | BertPreset) {
    super();
    const full = completeBert(config);
    this.config = full;
    this.bert = new BertBody(full, true);
    const predictions = new Predictions(full, this.bert.embeddings.word_embeddings.weight);
    this.cls = { predictions, seq_relationship: new Linear(full.width, 2) };
    begin(this, full.std);
  }
  /** Parameters and bytes, before anything is allocated: for `batch` texts of `time` tokens, one of the whole context unless given. */
  static summary(config: BertConfig | BertPreset, { batch = 1, time }: Workload = {}): Summary {
    const { vocabSize, contextLength, layers, heads, width, hidden, types, dropout } = completeBert(config);
    const embeddings = (vocabSize + contextLength + types + 2) * width;
    const square = width * width + width;
    // The pooler; the layer, norm and bias before words; two logits of what follows.
    const ends = square + (square + 2 * width + vocabSize) + 2 * (width + 1);
    const parameters = embeddings + layers * blockParameters(width, hidden) + ends;
    const costs = { parameters, kept: blockKept(width, hidden), layers, heads, dropout, remembered: 0, vocabSize };
    return summarize(costs, batch, time ?? contextLength);
  }
  override describe(): string {
    const { layers, heads, width } = this.config;
    return `${layers} layers, ${heads} heads, width ${width}`;
  }
  forward(ids: Tensor, view: BertView = {}): BertOutput {
    const hidden = this.bert.forward(ids, view);
    const pooled = this.bert.pool(hidden);
    const predictions = this.cls.predictions.forward(hidden);
    return { hidden, pooled, predictions, relationship: this.cls.seq_relationship.forward(pooled) as Tensor };
  }
}
