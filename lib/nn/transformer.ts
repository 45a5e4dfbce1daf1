import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { gelu, relu, silu } from "../ops/activation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LastIs, Shape, Str } from "../types/shape.ts";
import { type Looking, MultiheadAttention } from "./attention.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { LayerNorm } from "./norm.ts";

/** Options of the transformer layers. */
export interface TransformerOptions {
  /** Width between the two linear maps; 4 times the width unless given. */
  hidden?: number;
  /** Probability of dropout behind attention, activation and both linear maps; 0.1 unless given. */
  dropout?: number;
  activation?: "relu" | "gelu";
  /** Normalise what goes into a part (as GPT-2 does) and not what comes out of it (as in the first paper). */
  normFirst?: boolean;
  bias?: boolean;
  eps?: number;
}
export const layerNames = ["hidden", "dropout", "activation", "normFirst", "eps", "bias"] as const;

/** linear2(drop(act(linear1(x)))), and how parts are joined to what they got. */
abstract class Layer<W extends number> extends Module {
  readonly inFeatures: W;
  readonly outFeatures: W;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly activation: "relu" | "gelu";
  readonly normFirst: boolean;

  constructor(width: W, options: TransformerOptions) {
    checkPlain(new.target.name, { width });
    const {
      hidden = 4 * width,
      activation = "relu",
      normFirst = false,
      bias = true,
    } = only(new.target.name, options, layerNames);
    super();
    if (activation !== "relu" && activation !== "gelu")
      fail("ERR_NABLA_VALUE", this.constructor.name, `there is no activation ${String(activation)}`, {
        expected: ["relu", "gelu"],
        actual: activation,
      });
    this.inFeatures = width;
    this.outFeatures = width;
    this.linear1 = new Linear(width, hidden, { bias });
    this.linear2 = new Linear(hidden, width, { bias });
    this.activation = activation;
    this.normFirst = normFirst;
  }
  protected feed(x: Tensor, drop: Dropout): Tensor {
    const h = this.linear1.forward(x) as Tensor;
    const active = (this.activation === "relu" ? relu({ x: h }) : gelu(h)) as Tensor;
    return this.linear2.forward(drop.forward(active)) as Tensor;
  }
  /** x + part(norm(x)), or norm(x + part(x)). */
  protected join(x: Tensor, norm: LayerNorm, drop: Dropout, part: (x: Tensor) => Tensor): Tensor {
    if (this.normFirst) return x.add(drop.forward(part(norm.forward(x) as Tensor)));
    return norm.forward(x.add(drop.forward(part(x)))) as Tensor;
  }
}

/**
 * Self-attention, then two linear maps with an activation between; each part is added to its input and normalised, after
 * (Vaswani et al., 2017) or, with `normFirst`, before. x [batch, time, width].
 *
 * PyTorch: `torch.nn.TransformerEncoderLayer(batch_first=True)`, `dim_feedforward` 4 width.
 * @example
 * ```ts
 * import { randn, TransformerEncoderLayer } from "nabla";
 * const layer = new TransformerEncoderLayer(32, 4, { activation: "gelu", normFirst: true });
 * console.log(layer.forward(randn(2, 10, 32), { causal: true }).shape); // [ 2, 10, 32 ]
 * ```
 */
export class TransformerEncoderLayer<W extends number = number> extends Layer<W> {
  readonly self_attn: MultiheadAttention;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;

  constructor(width: W, heads: number, options: TransformerOptions = {}) {
    super(width, options);
    const { dropout = 0.1, eps = 1e-5, bias = true } = options;
    this.self_attn = new MultiheadAttention(width, heads, { dropout, bias });
    this.norm1 = new LayerNorm(width, { eps, bias });
    this.norm2 = new LayerNorm(width, { eps, bias });
    this.dropout = new Dropout(dropout);
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`TransformerEncoderLayer(${Str<W>})`, S, W>,
    looking: Looking = {},
  ): Tensor<S, "f32"> {
    const y = this.join(x as Tensor, this.norm1, this.dropout1, (h) => this.self_attn.forward(h, h, h, looking));
    return this.join(y, this.norm2, this.dropout2, (h) => this.feed(h, this.dropout)) as never;
  }
}

/**
 * Causal self-attention, attention to a memory, then two linear maps: x [batch, time, width], memory [batch, length, width].
 * `looking` is for the memory, `own` for x itself, causal unless said.
 *
 * PyTorch: `torch.nn.TransformerDecoderLayer(batch_first=True)`, whose x is not causal unless a mask says so.
 * @example
 * ```ts
 * import { randn, TransformerDecoderLayer } from "nabla";
 * const layer = new TransformerDecoderLayer(32, 4);
 * console.log(layer.forward(randn(2, 5, 32), randn(2, 9, 32)).shape); // [ 2, 5, 32 ]
 * ```
 */
export class TransformerDecoderLayer<W extends number = number> extends Layer<W> {
  readonly self_attn: MultiheadAttention;
  readonly multihead_attn: MultiheadAttention;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout: Dropout;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;

  constructor(width: W, heads: number, options: TransformerOptions = {}) {
    super(width, options);
    const { dropout = 0.1, eps = 1e-5, bias = true } = options;
    const norm = () => new LayerNorm(width, { eps, bias });
    this.self_attn = new MultiheadAttention(width, heads, { dropout, bias });
    this.multihead_attn = new MultiheadAttention(width, heads, { dropout, bias });
    [this.norm1, this.norm2, this.norm3] = [norm(), norm(), norm()];
    this.dropout = new Dropout(dropout);
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
  }
  forward<S extends Shape, M extends Shape>(
    x: Tensor<S> & LastIs<`TransformerDecoderLayer(${Str<W>})`, S, W>,
    memory: Tensor<M> & LastIs<`TransformerDecoderLayer(${Str<W>}): memory`, M, W>,
    looking: Looking = {},
    own: Looking = { causal: true },
  ): Tensor<S, "f32"> {
    const other = memory as Tensor;
    return this.through(
      x as Tensor,
      (h) => this.self_attn.forward(h, h, h, own),
      (h) => this.multihead_attn.forward(h, other, other, looking),
    ) as never;
  }
  /** The three parts of the layer, with other ways to look at x itself and at the memory. */
  through(x: Tensor, own: (h: Tensor) => Tensor, memory: (h: Tensor) => Tensor): Tensor {
    const y = this.join(x, this.norm1, this.dropout1, own);
    const z = this.join(y, this.norm2, this.dropout2, memory);
    return this.join(z, this.norm3, this.dropout3, (h) => this.feed(h, this.dropout));
  }
}

/**
 * y = (silu(x Wgᵀ) ⊙ x Wuᵀ) Wdᵀ, without biases: x [..., width] through `hidden` numbers (Shazeer, 2020). The three maps are
 * called gate_proj, up_proj and down_proj, as in Llama.
 *
 * Hugging Face: `LlamaMLP`.
 * @example
 * ```ts
 * import { randn, SwiGLU } from "nabla";
 * console.log(new SwiGLU(32, 88).forward(randn(2, 5, 32)).shape); // [ 2, 5, 32 ]
 * ```
 */
export class SwiGLU<W extends number = number> extends Module {
  readonly inFeatures: W;
  readonly outFeatures: W;
  readonly gate_proj: Linear;
  readonly up_proj: Linear;
  readonly down_proj: Linear;

  constructor(width: W, hidden: number, options: { bias?: boolean } = {}) {
    const { bias = false } = only("SwiGLU", options, ["bias"]);
    super();
    this.inFeatures = width;
    this.outFeatures = width;
    this.gate_proj = new Linear(width, hidden, { bias });
    this.up_proj = new Linear(width, hidden, { bias });
    this.down_proj = new Linear(hidden, width, { bias });
  }
  forward<S extends Shape>(x: Tensor<S> & LastIs<`SwiGLU(${Str<W>})`, S, W>): Tensor<S, "f32"> {
    const gate = silu({ x: this.gate_proj.forward(x as Tensor) }) as Tensor;
    return this.down_proj.forward(gate.mul(this.up_proj.forward(x as Tensor))) as never;
  }
}
