import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { KVCache } from "../nn/cache.ts";
import { Embedding } from "../nn/embedding.ts";
import { normal } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { RMSNorm } from "../nn/norm.ts";
import { RotaryPosition, type RotaryScaling } from "../nn/position.ts";
import { SwiGLU } from "../nn/transformer.ts";
import { fromHeads, toHeads } from "../ops/heads.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Attend, attending, Decoder, type Head, headOf, type Place } from "./causal.ts";
import {
  checkSizes,
  presetOf,
  type Summary,
  summarize,
  type TokenConfig,
  tokenNames,
  type Workload,
} from "./summary.ts";

/** Sizes and choices of {@link Llama}. */
export interface LlamaConfig extends TokenConfig {
  /** Heads of keys and values, a divisor of heads; as many unless given. */
  readonly keyValueHeads?: number;
  readonly hidden: number;
  /** Numbers a head; width / heads unless given. */
  readonly headWidth?: number;
  /** The base of the wavelengths of positions; 10000 unless given. */
  readonly theta?: number;
  readonly scaling?: RotaryScaling | undefined;
  /** 1e-5 unless given. */
  readonly eps?: number;
  /** Whether the head shares the weight of the embedding; false unless given. */
  readonly tied?: boolean;
  readonly attentionBias?: boolean;
  readonly mlpBias?: boolean;
}
/** A configuration with nothing left open. */
export type FullLlamaConfig = Required<LlamaConfig>;
type Full = FullLlamaConfig;

const presets = {
  "smollm2-135m": {
    vocabSize: 49152,
    contextLength: 8192,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    width: 576,
    hidden: 1536,
    theta: 100000,
    tied: true,
  },
  "tinyllama-1.1b": {
    vocabSize: 32000,
    contextLength: 2048,
    layers: 22,
    heads: 32,
    keyValueHeads: 4,
    width: 2048,
    hidden: 5632,
  },
  "llama-3.2-1b": {
    vocabSize: 128256,
    contextLength: 131072,
    layers: 16,
    heads: 32,
    keyValueHeads: 8,
    width: 2048,
    hidden: 8192,
    theta: 500000,
    scaling: { type: "llama3", factor: 32, lowFrequency: 1, highFrequency: 4, originalLength: 8192 },
    tied: true,
  },
} as const satisfies Record<string, LlamaConfig>;
/** Published sizes by name. */
export type LlamaPreset = keyof typeof presets;

export function completeLlama(given: LlamaConfig | LlamaPreset): Full {
  const names = [
    ...tokenNames,
    "keyValueHeads",
    "headWidth",
    "theta",
    "scaling",
    "eps",
    "tied",
    "attentionBias",
    "mlpBias",
  ] as const;
  const config = only("Llama", presetOf<LlamaConfig>("Llama", given, presets), names);
  const { vocabSize, contextLength, layers, heads, width, hidden, keyValueHeads = heads } = config;
  checkSizes("Llama", { vocabSize, contextLength, layers, heads, width, hidden, keyValueHeads });
  if (heads % keyValueHeads !== 0)
    fail("ERR_NABLA_VALUE", "Llama", `${heads} heads do not share ${keyValueHeads} heads of keys`, {
      actual: { heads, keyValueHeads },
    });
  const headWidth = config.headWidth ?? width / heads;
  checkSizes("Llama", { headWidth });
  return {
    theta: 10000,
    scaling: undefined as never,
    eps: 1e-5,
    tied: false,
    attentionBias: false,
    mlpBias: false,
    std: 0.02,
    ...config,
    keyValueHeads,
    headWidth,
  };
}

class Attention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly o_proj: Linear;
  readonly heads: number;
  readonly keyValueHeads: number;

  constructor({ width, heads, keyValueHeads, headWidth, attentionBias: bias }: Full) {
    super();
    this.q_proj = new Linear(width, heads * headWidth, { bias });
    this.k_proj = new Linear(width, keyValueHeads * headWidth, { bias });
    this.v_proj = new Linear(width, keyValueHeads * headWidth, { bias });
    this.o_proj = new Linear(heads * headWidth, width, { bias });
    this.heads = heads;
    this.keyValueHeads = keyValueHeads;
  }
  forward(x: Tensor, layer: number, attend: Attend, turn: (x: Tensor) => Tensor): Tensor {
    const part = (map: Linear, heads: number) => toHeads(map.forward(x), heads) as Tensor;
    const q = turn(part(this.q_proj, this.heads));
    const k = turn(part(this.k_proj, this.keyValueHeads));
    const y = attend.heads(layer, q, k, part(this.v_proj, this.keyValueHeads));
    return this.o_proj.forward(fromHeads(y) as Tensor) as Tensor;
  }
}
class Layer extends Module {
  readonly self_attn: Attention;
  readonly mlp: SwiGLU;
  readonly input_layernorm: RMSNorm;
  readonly post_attention_layernorm: RMSNorm;

  constructor(config: Full) {
    super();
    const { width, hidden, eps, mlpBias } = config;
    this.self_attn = new Attention(config);
    this.mlp = new SwiGLU(width, hidden, { bias: mlpBias });
    this.input_layernorm = new RMSNorm(width, { eps });
    this.post_attention_layernorm = new RMSNorm(width, { eps });
  }
  forward(x: Tensor, layer: number, attend: Attend, turn: (x: Tensor) => Tensor): Tensor {
    const y = x.add(this.self_attn.forward(this.input_layernorm.forward(x) as Tensor, layer, attend, turn));
    return y.add(this.mlp.forward(this.post_attention_layernorm.forward(y) as Tensor));
  }
}
export class LlamaBody extends Module {
  readonly embed_tokens: Embedding;
  readonly layers: Layer[];
  readonly norm: RMSNorm;
  readonly rotary: RotaryPosition;

  constructor(config: Full) {
    super();
    const { vocabSize, contextLength, layers, width, headWidth, theta, scaling, eps, std } = config;
    this.embed_tokens = new Embedding(vocabSize, width, { std });
    this.layers = Array.from({ length: layers }, () => new Layer(config));
    this.norm = new RMSNorm(width, { eps });
    this.rotary = new RotaryPosition(contextLength, headWidth, { theta, scaling });
    this.apply((m) => {
      if (m instanceof Linear) normal(m.weight, 0, std);
    });
  }
  forward(ids: Tensor, place: Place): Tensor {
    if (ids.ndim !== 2) fail("ERR_NABLA_SHAPE", "Llama", "takes ids [batch, time]", { values: { ids } });
    let x = this.embed_tokens.forward(ids) as Tensor;
    const positions = place.positions ?? place.slots;
    const turn = (h: Tensor) => this.rotary.forward(h, positions);
    const attend = attending(ids.shape[1] as number, place);
    for (const [i, layer] of this.layers.entries()) x = layer.forward(x, i, attend, turn);
    return this.norm.forward(x) as Tensor;
  }
}

/**
 * The decoder of Llama: RMS norm before each part, rotary positions, queries in groups that share keys and values, SwiGLU, no
 * biases (Touvron et al., 2023). Parameters have Hugging Face's names and shapes.
 *
 * Hugging Face: `LlamaForCausalLM`. Presets: smollm2-135m, tinyllama-1.1b, llama-3.2-1b.
 * @example
 * ```ts
 * import { Llama, tensor } from "nabla";
 * const sizes = { vocabSize: 50, contextLength: 16, layers: 2, heads: 4, keyValueHeads: 2, width: 16, hidden: 40 };
 * const model = new Llama(sizes);
 * console.log(model.forward(tensor([[1, 2, 3]], { dtype: "i32" })).shape); // [ 1, 3, 50 ]
 * console.log(Llama.summary("llama-3.2-1b").parameters); // 1235814400
 * ```
 */
export class Llama extends Decoder {
  readonly config: Full;
  readonly model: LlamaBody;
  readonly lm_head: Head;

  constructor(config: LlamaConfig | LlamaPreset) {
    super();
    const full = completeLlama(config);
    this.config = full;
    this.model = new LlamaBody(full);
    this.lm_head = headOf(this.model.embed_tokens.weight, full);
  }
  /** Parameters and bytes, before anything is allocated: for `batch` texts of `time` tokens, one of the whole context unless given. */
  static summary(config: LlamaConfig | LlamaPreset, { batch = 1, time }: Workload = {}): Summary {
    const full = completeLlama(config);
    const { vocabSize, contextLength, layers, heads, keyValueHeads, width, headWidth, hidden, tied } = full;
    const [inner, shared] = [heads * headWidth, keyValueHeads * headWidth];
    const biases = (full.attentionBias ? inner + 2 * shared + width : 0) + (full.mlpBias ? 2 * hidden + width : 0);
    const layer = 2 * width * (inner + shared) + 3 * width * hidden + 2 * width + biases;
    const parameters = vocabSize * width * (tied ? 1 : 2) + layers * layer + width;
    const kept = 4 * width + 3 * inner + 2 * shared + 4 * hidden;
    const costs = { parameters, kept, layers, heads, dropout: 0, remembered: 2 * shared, vocabSize };
    return summarize(costs, batch, time ?? contextLength);
  }
  cache(batch: number, capacity: number, keyMask?: Tensor): KVCache {
    const { layers, keyValueHeads, headWidth } = this.config;
    return new KVCache({ layers, batch, heads: keyValueHeads, capacity, width: headWidth }, keyMask);
  }
  hidden(ids: Tensor, place: Place = {}): Tensor {
    return this.model.forward(ids, place);
  }
}
