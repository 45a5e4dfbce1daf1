import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { noGrad } from "../grad.ts";
import type { KeysValues } from "../nn/attention.ts";
import { KVCache } from "../nn/cache.ts";
import { Dropout } from "../nn/dropout.ts";
import { Embedding } from "../nn/embedding.ts";
import { linearCrossEntropy } from "../nn/head.ts";
import { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { LearnedPosition, SinusoidalPosition } from "../nn/position.ts";
import { type Past, Transformer } from "../nn/stack.ts";
import { ne } from "../ops/arithmetic.ts";
import { arange } from "../ops/create.ts";
import { linear } from "../ops/matmul.ts";
import { indexSelect } from "../ops/select.ts";
import { slice } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type CausalModel, type Place, wanted } from "./causal.ts";
import { checkSizes, checkWidth, type Summary, summarize, type Workload } from "./summary.ts";

/** Sizes and choices of {@link Seq2Seq}. */
export interface Seq2SeqConfig {
  /** Tokens of sources and targets, which share an embedding. */
  readonly vocabSize: number;
  /** The longest source or target. */
  readonly contextLength: number;
  /** Layers of the encoder and of the decoder, or as many in each. */
  readonly layers: number | readonly [encoder: number, decoder: number];
  readonly heads: number;
  readonly width: number;
  /** Width between the two linear maps; 4 times the width unless given. */
  readonly hidden?: number;
  /** 0 unless given. */
  readonly dropout?: number;
  /** "relu" unless given. */
  readonly activation?: "relu" | "gelu";
  /** Normalise before each part instead of after; true unless given, since it trains without a warm-up. */
  readonly normFirst?: boolean;
  /** "sinusoidal", as in the paper, unless given. */
  readonly positions?: "sinusoidal" | "learned";
  /** The token that fills up a batch of sources, which nobody looks at; none unless given. */
  readonly paddingIndex?: number;
}
type Full = Omit<Required<Seq2SeqConfig>, "layers" | "paddingIndex"> & {
  readonly layers: readonly [number, number];
  readonly paddingIndex: number | undefined;
};

function complete(config: Seq2SeqConfig): Full {
  only("Seq2Seq", config, [
    "vocabSize",
    "contextLength",
    "layers",
    "heads",
    "width",
    "hidden",
    "dropout",
    "activation",
    "normFirst",
    "positions",
    "paddingIndex",
  ]);
  const { vocabSize, contextLength, heads, width, hidden = 4 * width, layers, paddingIndex } = config;
  const [encoder, decoder] = Array.isArray(layers) ? layers : [layers, layers];
  checkSizes("Seq2Seq", { vocabSize, contextLength, encoder, decoder, hidden });
  checkWidth("Seq2Seq", { layers: encoder, heads, width });
  const preset = { dropout: 0, activation: "relu", normFirst: true, positions: "sinusoidal" } as const;
  return { ...preset, ...config, hidden, layers: [encoder, decoder], paddingIndex };
}

/** Booleans [batch, length], false where a source only fills up the batch. */
interface Source {
  readonly keyMask?: Tensor | undefined;
}

/**
 * A model that reads one sequence and writes another: one embedding for both and for the head, times √width, plus positions, through
 * {@link Transformer} (Vaswani et al., 2017). {@link given} makes it a model that continues a text, for {@link generate} and
 * {@link beamSearch}.
 * @example
 * ```ts
 * import { generate, Seq2Seq, tensor } from "nabla";
 * const model = new Seq2Seq({ vocabSize: 20, contextLength: 16, layers: 2, heads: 2, width: 8 });
 * const source = tensor([[5, 6, 7, 8]], { dtype: "i32" });
 * console.log(model.forward(source, tensor([[1, 5]], { dtype: "i32" })).shape); // [ 1, 2, 20 ]
 * const answer = [];
 * for await (const token of generate(model.given(source), [1], { maxTokens: 5, stop: [2] })) answer.push(token);
 * console.log(answer.length <= 5); // true
 * ```
 */
export class Seq2Seq extends Module {
  readonly config: Full;
  readonly embedding: Embedding;
  readonly position: SinusoidalPosition | LearnedPosition;
  readonly dropout: Dropout;
  readonly transformer: Transformer;
  readonly generator: { readonly weight: Parameter };

  constructor(config: Seq2SeqConfig) {
    super();
    const full = complete(config);
    const { vocabSize, contextLength, layers, heads, width, paddingIndex, positions, ...layer } = full;
    const [encoderLayers, decoderLayers] = layers;
    this.config = full;
    const padding = paddingIndex === undefined ? {} : { paddingIndex };
    this.embedding = new Embedding(vocabSize, width, { ...padding, std: 1 / Math.sqrt(width) });
    const Position = positions === "learned" ? LearnedPosition : SinusoidalPosition;
    this.position = new Position(contextLength, width);
    this.dropout = new Dropout(layer.dropout);
    this.transformer = new Transformer(width, heads, { ...layer, encoderLayers, decoderLayers });
    this.generator = { weight: this.embedding.weight };
  }
  /** Parameters and bytes, before anything is allocated: for `batch` pairs of `time` tokens each, one of the whole context unless given. */
  static summary(config: Seq2SeqConfig, { batch = 1, time }: Workload = {}): Summary {
    const { vocabSize, contextLength, layers, heads, width, hidden, positions, dropout } = complete(config);
    const [encoder, decoder] = layers;
    const [attention, norm] = [4 * width * width + 4 * width, 2 * width];
    const feed = 2 * width * hidden + hidden + width;
    const tables = (vocabSize + (positions === "learned" ? contextLength : 0)) * width;
    const inLayers = encoder * (attention + feed + 2 * norm) + decoder * (2 * attention + feed + 3 * norm);
    const parameters = tables + inLayers + 2 * norm;
    // Of a token in a decoder layer: two attentions and three norms; in an encoder layer one and two.
    const [once, twice] = [8 * width + 2 * hidden, 15 * width + 2 * hidden];
    const kept = (encoder * once + decoder * twice) / (encoder + 2 * decoder);
    const costs = { parameters, kept, layers: encoder + 2 * decoder, heads, dropout, vocabSize };
    const remembered = (4 * width * decoder) / costs.layers;
    return summarize({ ...costs, remembered }, batch, time ?? contextLength);
  }
  override describe(): string {
    const { layers, heads, width } = this.config;
    return `${layers.join(" + ")} layers, ${heads} heads, width ${width}`;
  }
  /** Vectors [batch, time, width] of ids [batch, time]. */
  embed(ids: Tensor, positions?: Tensor): Tensor {
    const { contextLength, width } = this.config;
    if (ids.ndim !== 2 || (!positions && (ids.shape[1] as number) > contextLength))
      fail("ERR_NABLA_SHAPE", "Seq2Seq", `takes ids [batch, time], time at most ${contextLength}`, { values: { ids } });
    const x = (this.embedding.forward(ids) as Tensor).mul(Math.sqrt(width));
    return this.dropout.forward(this.position.forward(x as Tensor, positions) as Tensor);
  }
  /** Where sources [batch, length] have tokens: what is given, or all but the padding. */
  visible(source: Tensor, at: Source = {}): Tensor | undefined {
    const { keyMask } = only("Seq2Seq", at, ["keyMask"]);
    const { paddingIndex } = this.config;
    return keyMask ?? (paddingIndex === undefined ? undefined : (ne({ a: source, b: paddingIndex }) as Tensor));
  }
  /** The memory [batch, length, width] of sources [batch, length]. */
  encode(source: Tensor, at: Source = {}): Tensor {
    return this.transformer.encoder.forward(this.embed(source), { keyMask: this.visible(source, at) });
  }
  #decode(source: Tensor, target: Tensor, at: Source): Tensor {
    const keyMask = this.visible(source, at);
    return this.transformer.forward(this.embed(source), this.embed(target), { source: { keyMask } });
  }
  /** Logits [batch, time, vocabSize] of the token after each of target [batch, time], for source [batch, length]. */
  forward(source: Tensor, target: Tensor, at: Source = {}): Tensor {
    return linear(this.#decode(source, target, at), this.generator.weight) as Tensor;
  }
  /** The mean cross-entropy of labels [batch, time], those after each of target, -100 for those that do not count. */
  loss(source: Tensor, target: Tensor, labels: Tensor, at: Source = {}): Tensor<[], "f32"> {
    return linearCrossEntropy(this.#decode(source, target, at), this.generator.weight, labels);
  }
  /** What continues targets of these sources. They are read once, with the weights of now. */
  given(source: Tensor, at: Source = {}): CausalModel {
    return new Given(this, source, at);
  }
}

/** The decoder with its sources: a model of targets alone. */
class Given extends Module implements CausalModel {
  readonly model: Seq2Seq;
  readonly #keyMask: Tensor | undefined;
  readonly #memory: readonly KeysValues[];

  constructor(model: Seq2Seq, source: Tensor, at: Source) {
    super();
    this.model = model;
    this.#keyMask = model.visible(source, at);
    const { training } = model;
    if (training) model.eval();
    try {
      this.#memory = noGrad(() => model.transformer.decoder.remember(model.encode(source, at)));
    } finally {
      if (training) model.train();
    }
    this.training = training;
  }
  get vocabSize(): number {
    return this.model.config.vocabSize;
  }
  get contextLength(): number {
    return this.model.config.contextLength;
  }
  get texts(): number {
    return this.#memory[0]?.k.shape[0] as number;
  }
  /** What is known of the sources of these rows. */
  #sources(batch: number, rows: Tensor | undefined): Pick<Past, "memory" | "keyMask"> {
    const own = (x: Tensor): Tensor => {
      if (rows) return indexSelect(x, 0, rows) as Tensor;
      return batch < this.texts ? (slice(x, 0, 0, batch) as Tensor) : x;
    };
    const memory = this.#memory.map(({ k, v }) => ({ k: own(k), v: own(v) }));
    return { memory, keyMask: this.#keyMask && own(this.#keyMask) };
  }
  cache(batch: number, capacity: number, keyMask?: Tensor): KVCache {
    const { layers, heads, width } = this.model.config;
    return new KVCache({ layers: layers[1], batch, heads, capacity, width: width / heads }, keyMask);
  }
  forward(ids: Tensor, place: Place = {}): Tensor {
    const [batch, time] = ids.shape as [number, number];
    const slots = place.slots ?? (arange(0, time) as Tensor);
    // Without a cache: one that is thrown away.
    const cache = place.cache ?? this.cache(batch, time, place.keyMask);
    const past = { cache, slots, rows: place.rows, ...this.#sources(batch, place.rows) };
    const x = this.model.embed(ids, place.positions ?? place.slots);
    return linear(wanted(this.model.transformer.decoder.resume(x, past), place), this.model.generator.weight) as Tensor;
  }
}
