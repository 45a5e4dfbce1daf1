import { checkPlain, enter, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import {
  type AttentionOptions,
  averageHeads,
  type HeadWeights,
  multiHeadAttention,
  multiHeadWeights,
  scaledDotProductAttention as sdpa,
} from "../ops/attention.ts";
import { empty, zeros } from "../ops/create.ts";
import { fromHeads, toHeads } from "../ops/heads.ts";
import { linear } from "../ops/matmul.ts";
import { slice, transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attended, KeysFit, ValuesFit } from "../types/attention.ts";
import type { LastIs, Shape, Str } from "../types/shape.ts";
import { xavierUniform, zeros as zero } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Where queries may look. True means "may" everywhere, as in torch's scaled_dot_product_attention. */
export interface Looking {
  /** Booleans, or numbers that are added to the scores, that broadcast to [batch, heads, L, S]. */
  readonly mask?: Tensor | undefined;
  /** Booleans [batch, S], false for keys that only fill up a batch. */
  readonly keyMask?: Tensor | undefined;
  /** Query i looks at the keys 0 .. i alone. */
  readonly causal?: boolean | undefined;
}
const lookingNames = ["mask", "keyMask", "causal"] as const;
/** Options of {@link scaledDotProductAttention}. */
export interface DotProductOptions extends Looking {
  /** Times q kᵀ; 1 / √E unless given. */
  readonly scale?: number | undefined;
  /** c bounds scores to c tanh(score / c), before any mask. */
  readonly softcap?: number | undefined;
  /** The probability that a weight is dropped; 0 unless given. */
  readonly dropout?: number | undefined;
}

/**
 * y = softmax(q kᵀ / √E + mask) v: q [..., heads, L, E], k [..., heads, S, E], v [..., heads, S, Ev] give [..., heads, L, Ev]
 * (Vaswani et al., 2017). k and v may have fewer heads, a divisor of those of q, which then share them (grouped queries). A
 * query that may look nowhere gets 0.
 *
 * PyTorch: `torch.nn.functional.scaled_dot_product_attention`. Shapes that do not fit are an ERR_NABLA_SHAPE.
 * @example
 * ```ts
 * import { randn, scaledDotProductAttention } from "nabla";
 * const [q, k, v] = [randn(2, 8, 5, 16), randn(2, 2, 5, 16), randn(2, 2, 5, 16)];
 * console.log(scaledDotProductAttention(q, k, v, { causal: true }).shape); // [ 2, 8, 5, 16 ]
 * ```
 */
export function scaledDotProductAttention<Q extends Shape, K extends Shape, V extends Shape>(
  q: Tensor<Q>,
  k: Tensor<K> & KeysFit<Q, K>,
  v: Tensor<V> & ValuesFit<K, V>,
  options: DotProductOptions = {},
): Tensor<Attended<Q, V>, "f32"> {
  only("scaledDotProductAttention", options, ["scale", "softcap", "dropout", ...lookingNames]);
  const look = () => sdpa(q, k as Tensor, v as Tensor, options);
  return enter("scaledDotProductAttention", [q, k, v, options], look) as never;
}

/** Keys and values as heads, [batch, heads, time, width / heads] each. */
export interface KeysValues {
  readonly k: Tensor;
  readonly v: Tensor;
}
/** Options of {@link MultiheadAttention}. */
export interface MultiheadOptions {
  /** The probability that a weight is dropped in training. */
  dropout?: number;
  bias?: boolean;
}

/**
 * Attention of several heads side by side: q, k, v = x Wᵢₙᵀ + bᵢₙ, each head by itself softmax(q kᵀ / √(width / heads)) v, and
 * all together through one linear map. Tensors are [batch, time, width] (torch's `batch_first=True`); in_proj_weight
 * [3 width, width] holds the rows of q, k and v.
 *
 * PyTorch: `torch.nn.MultiheadAttention`, whose masks say true for "may not".
 * @example
 * ```ts
 * import { MultiheadAttention, randn } from "nabla";
 * const attention = new MultiheadAttention(32, 4);
 * const x = randn(2, 10, 32);
 * console.log(attention.forward(x, x, x, { causal: true }).shape); // [ 2, 10, 32 ]
 * console.log(attention.attend(x).weights.shape); // [ 2, 10, 10 ]
 * ```
 */
export class MultiheadAttention<W extends number = number> extends Module {
  readonly width: W;
  readonly heads: number;
  readonly dropout: number;
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias: Parameter | null;
  readonly out_proj: Linear;

  constructor(width: W, heads: number, options: MultiheadOptions = {}) {
    const { dropout = 0, bias = true } = only("MultiheadAttention", options, ["dropout", "bias"]);
    super();
    checkPlain("MultiheadAttention", { width, heads });
    if (!(Number.isInteger(heads) && heads > 0 && width % heads === 0))
      fail("ERR_NABLA_VALUE", "MultiheadAttention", `width ${width} does not divide into ${heads} heads`, {
        expected: "a multiple of heads",
        actual: width,
      });
    this.width = width;
    this.heads = heads;
    this.dropout = dropout;
    const weight = transpose(empty([width, 3 * width])) as Tensor;
    this.in_proj_weight = new Parameter(xavierUniform(weight));
    this.in_proj_bias = bias ? new Parameter(zeros([3 * width]) as Tensor) : null;
    this.out_proj = new Linear(width, width, { bias });
    if (this.out_proj.bias) zero(this.out_proj.bias);
  }
  /** Its layers are not run but read, so they keep weights that can be read. */
  get readsWeights(): true {
    return true;
  }
  override describe(): string {
    return `${this.width}, ${this.heads}${this.dropout ? `, { dropout: ${this.dropout} }` : ""}`;
  }
  #given(looking: Looking): [HeadWeights, AttentionOptions] {
    const { heads, in_proj_weight: inWeight, in_proj_bias: inBias, out_proj } = this;
    const { weight: outWeight, bias: outBias } = out_proj;
    const options = { ...only("MultiheadAttention", looking, lookingNames), dropout: this.training ? this.dropout : 0 };
    return [{ heads, inWeight, inBias: inBias ?? undefined, outWeight, outBias: outBias ?? undefined }, options];
  }
  forward<Q extends Shape, K extends Shape, V extends Shape>(
    query: Tensor<Q> & LastIs<`MultiheadAttention(${Str<W>}): query`, Q, W>,
    key?: Tensor<K> & LastIs<`MultiheadAttention(${Str<W>}): key`, K, W>,
    value?: Tensor<V> & LastIs<`MultiheadAttention(${Str<W>}): value`, V, W>,
    looking?: Looking,
  ): Tensor<Q, "f32">;
  forward(query: Tensor, key: Tensor = query, value: Tensor = key, looking: Looking = {}): Tensor {
    return multiHeadAttention(query, key, value, ...this.#given(looking)) as Tensor;
  }
  /** The result y and the weights it was made with, [batch, L, S], the average of the heads. */
  attend(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    looking: Looking = {},
  ): { y: Tensor; weights: Tensor } {
    const { y, weights } = multiHeadWeights(query, key, value, ...this.#given(looking));
    return { y: y as Tensor, weights: averageHeads(weights) as Tensor };
  }
  /** Part i of in_proj (0 query, 1 key, 2 value) of x, as heads. */
  #part(x: Tensor, i: number): Tensor {
    const rows = (from: Tensor) => slice(from, 0, i * this.width, (i + 1) * this.width);
    const y = linear(x, rows(this.in_proj_weight), this.in_proj_bias ? rows(this.in_proj_bias) : undefined);
    return toHeads(y, this.heads) as Tensor;
  }
  /** The keys and values of x, to be kept for {@link recall}. */
  remember(x: Tensor): KeysValues {
    return { k: this.#part(x, 1), v: this.#part(x, 2) };
  }
  /** {@link forward}, with keys and values that are there already. */
  recall(query: Tensor, { k, v }: KeysValues, looking: Looking = {}): Tensor {
    const dropout = this.training ? this.dropout : 0;
    const y = sdpa(this.#part(query, 0), k, v, { ...only("recall", looking, lookingNames), dropout });
    return this.out_proj.forward(fromHeads(y) as Tensor) as Tensor;
  }
}
