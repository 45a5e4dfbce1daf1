import { checkKind, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { KVCache } from "../nn/cache.ts";
import { Dropout } from "../nn/dropout.ts";
import { Embedding } from "../nn/embedding.ts";
import { normal } from "../nn/init.ts";
import { Module } from "../nn/module.ts";
import { LayerNorm } from "../nn/norm.ts";
import { Parameter } from "../nn/parameter.ts";
import { QuantizedLinear } from "../nn/quantize.ts";
import { gelu, relu, silu } from "../ops/activation.ts";
import { empty, zeros } from "../ops/create.ts";
import { linear } from "../ops/matmul.ts";
import { embedding } from "../ops/select.ts";
import { slice, transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Attend, attending, Decoder, type Head, headOf, type Place } from "./causal.ts";
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

/** Sizes and choices of {@link GPT2}. */
export interface GPT2Config extends TokenConfig {
  /** One probability, or one each behind embeddings, attention weights and what is added up; 0 unless given. */
  readonly dropout?: number | { readonly embedding: number; readonly attention: number; readonly residual: number };
  /** The tanh form of GELU unless given. */
  readonly activation?: "geluTanh" | "gelu" | "relu" | "silu";
  readonly eps?: number;
  /** Whether the head shares the weight of the embedding; true unless given. */
  readonly tied?: boolean;
}
/** A configuration with nothing left open. */
export type FullGPT2Config = Required<GPT2Config> & {
  readonly dropout: { readonly embedding: number; readonly attention: number; readonly residual: number };
};
type Full = FullGPT2Config;

const sized = (layers: number, heads: number, width: number): GPT2Config => ({
  vocabSize: 50257,
  contextLength: 1024,
  layers,
  heads,
  width,
  dropout: 0.1,
});
const presets = {
  distilgpt2: sized(6, 12, 768),
  gpt2: sized(12, 12, 768),
  "gpt2-medium": sized(24, 16, 1024),
  "gpt2-large": sized(36, 20, 1280),
  "gpt2-xl": sized(48, 25, 1600),
};
/** The published sizes by name. */
export type GPT2Preset = keyof typeof presets;

export function completeGPT2(given: GPT2Config | GPT2Preset): Full {
  const names = [...tokenNames, "dropout", "activation", "eps", "tied"] as const;
  const config = only("GPT2", presetOf<GPT2Config>("GPT2", given, presets), names);
  const { vocabSize, contextLength, layers, heads, width, dropout = 0 } = config;
  checkSizes("GPT2", { vocabSize, contextLength });
  checkWidth("GPT2", { layers, heads, width });
  if (typeof dropout !== "number") checkKind("GPT2", "dropout", dropout, "object");
  return {
    hidden: 4 * width,
    activation: "geluTanh",
    eps: 1e-5,
    tied: true,
    std: 0.02,
    ...config,
    dropout: typeof dropout === "number" ? { embedding: dropout, attention: dropout, residual: dropout } : dropout,
  };
}

/** y = x W + b with W [in, out], as GPT-2's files have it. */
class Conv1D extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly transposed = true;
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(width: number, out: number, std: number) {
    super();
    this.inFeatures = width;
    this.outFeatures = out;
    this.weight = new Parameter(normal(empty([width, out]) as Tensor, 0, std));
    this.bias = new Parameter(zeros([out]) as Tensor);
  }
  override describe(): string {
    return `${this.weight.shape.join(", ")}`;
  }
  forward(x: Tensor): Tensor {
    return linear(x, transpose(this.weight), this.bias) as Tensor;
  }
  quantized(): QuantizedLinear {
    return new QuantizedLinear(transpose(this.weight), this.bias);
  }
}

class Attention extends Module {
  readonly c_attn: Conv1D;
  readonly c_proj: Conv1D;
  readonly resid_dropout: Dropout;
  readonly heads: number;
  readonly dropout: number;

  constructor({ width, heads, dropout, std, layers }: Full) {
    super();
    this.heads = heads;
    this.dropout = dropout.attention;
    this.c_attn = new Conv1D(width, 3 * width, std);
    this.c_proj = new Conv1D(width, width, std / Math.sqrt(2 * layers));
    this.resid_dropout = new Dropout(dropout.residual);
  }
  forward(x: Tensor, layer: number, attend: Attend): Tensor {
    const y = attend.rows(layer, this.c_attn.forward(x), this.heads, this.training ? this.dropout : 0);
    return this.resid_dropout.forward(this.c_proj.forward(y));
  }
}
class MLP extends Module {
  readonly c_fc: Conv1D;
  readonly c_proj: Conv1D;
  readonly dropout: Dropout;
  readonly activation: Full["activation"];

  constructor({ width, hidden, dropout, activation, std, layers }: Full) {
    super();
    this.c_fc = new Conv1D(width, hidden, std);
    this.c_proj = new Conv1D(hidden, width, std / Math.sqrt(2 * layers));
    this.dropout = new Dropout(dropout.residual);
    this.activation = activation;
  }
  #activate(x: Tensor): Tensor {
    if (this.activation === "relu") return relu({ x }) as Tensor;
    if (this.activation === "silu") return silu({ x }) as Tensor;
    return gelu(x, { approximate: this.activation === "gelu" ? "none" : "tanh" }) as Tensor;
  }
  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.c_proj.forward(this.#activate(this.c_fc.forward(x))));
  }
}
class Block extends Module {
  readonly ln_1: LayerNorm;
  readonly attn: Attention;
  readonly ln_2: LayerNorm;
  readonly mlp: MLP;

  constructor(config: Full) {
    super();
    this.ln_1 = new LayerNorm(config.width, { eps: config.eps });
    this.attn = new Attention(config);
    this.ln_2 = new LayerNorm(config.width, { eps: config.eps });
    this.mlp = new MLP(config);
  }
  forward(x: Tensor, layer: number, attend: Attend): Tensor {
    const y = x.add(this.attn.forward(this.ln_1.forward(x) as Tensor, layer, attend));
    return y.add(this.mlp.forward(this.ln_2.forward(y) as Tensor));
  }
}

export class GPT2Body extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly drop: Dropout;
  readonly h: Block[];
  readonly ln_f: LayerNorm;

  constructor(config: Full) {
    super();
    const { vocabSize, contextLength, layers, width, dropout, eps, std } = config;
    this.wte = new Embedding(vocabSize, width, { std });
    this.wpe = new Embedding(contextLength, width, { std });
    this.drop = new Dropout(dropout.embedding);
    this.h = Array.from({ length: layers }, () => new Block(config));
    this.ln_f = new LayerNorm(width, { eps });
  }
  forward(ids: Tensor, place: Place): Tensor {
    const time = ids.shape.at(-1) as number;
    const length = this.wpe.count;
    if (ids.ndim !== 2 || (!place.positions && time > length))
      fail("ERR_NABLA_SHAPE", "GPT2", `takes ids [batch, time], time at most ${length}`, { values: { ids } });
    const at = place.positions ?? place.slots;
    const positions = at ? embedding(this.wpe.weight, at) : slice(this.wpe.weight, 0, 0, time);
    let x: Tensor = this.drop.forward((this.wte.forward(ids) as Tensor).add(positions as Tensor));
    const attend = attending(time, place);
    for (const [i, block] of this.h.entries()) x = block.forward(x, i, attend);
    return this.ln_f.forward(x) as Tensor;
  }
}

/**
 * GPT-2: embeddings of tokens and positions, blocks of causal attention and two linear maps, each normalised before, and a
 * head that shares the weight of the embedding (Radford et al., 2019). First weights are those of the paper: normal with 0.02,
 * and 0.02 / √(2 layers) where a block adds to what it got. Parameters have Hugging Face's names and shapes, so that
 * {@link stateDict} and a published file are the same.
 *
 * Hugging Face: `GPT2LMHeadModel`. Presets: distilgpt2, gpt2, gpt2-medium, gpt2-large, gpt2-xl.
 * @example
 * ```ts
 * import { GPT2, tensor } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 2, heads: 2, width: 8 });
 * console.log(model.forward(tensor([[1, 2, 3]], { dtype: "i32" })).shape); // [ 1, 3, 50 ]
 * console.log(GPT2.summary("gpt2").parameters); // 124439808
 * ```
 */
export class GPT2 extends Decoder {
  readonly config: Full;
  readonly transformer: GPT2Body;
  readonly lm_head: Head;

  constructor(config: GPT2Config | GPT2Preset) {
    super();
    const full = completeGPT2(config);
    this.config = full;
    this.transformer = new GPT2Body(full);
    this.lm_head = headOf(this.transformer.wte.weight, full);
  }
  /** Parameters and bytes, before anything is allocated: for `batch` texts of `time` tokens, one of the whole context unless given. */
  static summary(config: GPT2Config | GPT2Preset, { batch = 1, time }: Workload = {}): Summary {
    const { vocabSize, contextLength, layers, heads, width, hidden, tied, dropout } = completeGPT2(config);
    const tables = (vocabSize * (tied ? 1 : 2) + contextLength) * width;
    const parameters = tables + layers * blockParameters(width, hidden) + 2 * width;
    const [kept, remembered] = [blockKept(width, hidden), 2 * width];
    const costs = { parameters, kept, layers, heads, dropout: dropout.attention, remembered, vocabSize };
    return summarize(costs, batch, time ?? contextLength);
  }
  cache(batch: number, capacity: number, keyMask?: Tensor): KVCache {
    const { layers, heads, width } = this.config;
    return new KVCache({ layers, batch, heads, capacity, width: width / heads }, keyMask);
  }
  hidden(ids: Tensor, place: Place = {}): Tensor {
    return this.transformer.forward(ids, place);
  }
}
