// Transformer layers one behind the other, and encoder and decoder together.
import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { reshape } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LastIs, Shape, Str } from "../types/shape.ts";
import type { KeysValues, Looking } from "./attention.ts";
import type { KVCache } from "./cache.ts";
import { xavierUniform } from "./init.ts";
import { Module } from "./module.ts";
import { LayerNorm } from "./norm.ts";
import {
  layerNames,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerOptions,
} from "./transformer.ts";

/** Options of {@link TransformerEncoder} and {@link TransformerDecoder}: those of their layers, and the norm at the end. */
export interface StackOptions extends TransformerOptions {
  /** Normalise what the last layer gives; as `normFirst` unless given. */
  norm?: boolean;
}

const stackNames = ["norm", ...layerNames] as const;

function lastNorm(width: number, { normFirst = false, norm = normFirst, eps = 1e-5, bias = true }: StackOptions) {
  return norm ? new LayerNorm(width, { eps, bias }) : null;
}
const mostLayers = 10_000;
function several<L>(op: string, count: number, make: () => L): L[] {
  checkPlain(op, { layers: count });
  if (!(Number.isInteger(count) && count > 0 && count <= mostLayers))
    fail("ERR_NABLA_VALUE", op, `${count} layers`, {
      expected: `a whole number from 1 to ${mostLayers}`,
      actual: count,
    });
  return Array.from({ length: count }, make);
}

/**
 * Several {@link TransformerEncoderLayer}s, x [batch, time, width] through each: parameters layers.0.self_attn.in_proj_weight, ...,
 * norm.weight.
 *
 * PyTorch: `torch.nn.TransformerEncoder`, whose norm has to be given.
 * @example
 * ```ts
 * import { randn, tensor, TransformerEncoder } from "nabla";
 * const encoder = new TransformerEncoder(16, 4, 2, { normFirst: true });
 * const keyMask = tensor([[true, true, true], [true, false, false]]); // the second text has one token
 * console.log(encoder.forward(randn(2, 3, 16), { keyMask }).shape); // [ 2, 3, 16 ]
 * ```
 */
export class TransformerEncoder<W extends number = number> extends Module {
  readonly inFeatures: W;
  readonly outFeatures: W;
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(width: W, heads: number, layers: number, options: StackOptions = {}) {
    super();
    const { norm: _, ...layer } = only(new.target.name, options, stackNames);
    this.inFeatures = width;
    this.outFeatures = width;
    this.layers = several("TransformerEncoder", layers, () => new TransformerEncoderLayer(width, heads, layer));
    this.norm = lastNorm(width, options);
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`TransformerEncoder(${Str<W>})`, S, W>,
    looking: Looking = {},
  ): Tensor<S, "f32"> {
    const y = this.layers.reduce((h: Tensor, layer) => layer.forward(h, looking), x as Tensor);
    return (this.norm?.forward(y) ?? y) as never;
  }
}

/** What {@link TransformerDecoder.resume} goes on from. */
export interface Past {
  /** Keys and values of the tokens before; those of this call are added. */
  readonly cache: KVCache;
  /** Slots [time] or [batch, time] of the cache for the tokens of this call. */
  readonly slots: Tensor;
  /** Rows [batch] of the cache; 0, 1, ... unless given. */
  readonly rows?: Tensor | undefined;
  /** What {@link TransformerDecoder.remember} kept of the memory. */
  readonly memory: readonly KeysValues[];
  /** Booleans [batch of the memory, length], false for what only fills up. */
  readonly keyMask?: Tensor | undefined;
}

/**
 * Several {@link TransformerDecoderLayer}s, x [batch, time, width] through each, with one memory [batch, length, width] for all.
 *
 * PyTorch: `torch.nn.TransformerDecoder`, whose x is not causal unless a mask says so.
 * @example
 * ```ts
 * import { randn, TransformerDecoder } from "nabla";
 * const decoder = new TransformerDecoder(16, 4, 2);
 * console.log(decoder.forward(randn(2, 3, 16), randn(2, 7, 16)).shape); // [ 2, 3, 16 ]
 * ```
 */
export class TransformerDecoder<W extends number = number> extends Module {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: LayerNorm | null;

  constructor(width: W, heads: number, layers: number, options: StackOptions = {}) {
    super();
    const { norm: _, ...layer } = only(new.target.name, options, stackNames);
    this.layers = several("TransformerDecoder", layers, () => new TransformerDecoderLayer(width, heads, layer));
    this.norm = lastNorm(width, options);
  }
  #end(y: Tensor): Tensor {
    return (this.norm?.forward(y) as Tensor) ?? y;
  }
  forward<S extends Shape, M extends Shape>(
    x: Tensor<S> & LastIs<`TransformerDecoder(${Str<W>})`, S, W>,
    memory: Tensor<M> & LastIs<`TransformerDecoder(${Str<W>}): memory`, M, W>,
    looking: Looking = {},
    own: Looking = { causal: true },
  ): Tensor<S, "f32"> {
    const step = (h: Tensor, layer: TransformerDecoderLayer) => layer.forward(h, memory as Tensor, looking, own);
    return this.#end(this.layers.reduce(step, x as Tensor)) as never;
  }
  /** Keys and values of a memory in each layer: what {@link resume} needs of it, computed once. */
  remember(memory: Tensor): KeysValues[] {
    return this.layers.map((layer) => layer.multihead_attn.remember(memory));
  }
  /**
   * {@link forward} for tokens that follow those in a cache. The batch of x may be a multiple of that of the memory: neighbours
   * then share a text. A token's attention to the memory knows nothing of other tokens, so theirs is done as one.
   */
  resume(x: Tensor, { cache, slots, rows, memory, keyMask }: Past): Tensor {
    const place = cache.at(slots, rows);
    const step = (h: Tensor, layer: TransformerDecoderLayer, i: number) => {
      const { self_attn: own, multihead_attn: other } = layer;
      const kept = memory[i] as KeysValues;
      return layer.through(
        h,
        (q) => {
          const { k, v } = own.remember(q);
          return own.recall(q, place.store(i, k, v), { mask: place.visible });
        },
        (q) => {
          const together = reshape(q, [kept.k.shape[0] as number, -1, q.shape[2] as number]) as Tensor;
          return reshape(other.recall(together, kept, { keyMask }), q.shape) as Tensor;
        },
      );
    };
    return this.#end(this.layers.reduce(step, x));
  }
}

/** Options of {@link Transformer}. */
export interface EncoderDecoderOptions extends TransformerOptions {
  /** Layers of the encoder; 6 unless given. */
  encoderLayers?: number;
  /** Layers of the decoder; 6 unless given. */
  decoderLayers?: number;
}
/** Where the parts of {@link Transformer} may look. */
export interface Views {
  /** The source at itself: everywhere unless given. */
  readonly source?: Looking;
  /** The target at itself: causal unless given. */
  readonly target?: Looking;
  /** The target at the source: where the `keyMask` of `source` allows unless given. */
  readonly memory?: Looking;
}

/**
 * The encoder and decoder of "Attention is all you need" (Vaswani et al., 2017): source [batch, length, width] is encoded, target
 * [batch, time, width] decoded with it, a layer norm behind each. Matrices begin Xavier-uniform. Embeddings, positions and the
 * head are those of a model: see {@link Seq2Seq}.
 *
 * PyTorch: `torch.nn.Transformer(batch_first=True)`, whose target is not causal unless a mask says so.
 * @example
 * ```ts
 * import { randn, Transformer } from "nabla";
 * const model = new Transformer(16, 4, { encoderLayers: 2, decoderLayers: 2 });
 * console.log(model.forward(randn(2, 7, 16), randn(2, 3, 16)).shape); // [ 2, 3, 16 ]
 * console.log([...model.stateDict().keys()].at(-1)); // decoder.norm.bias
 * ```
 */
export class Transformer<W extends number = number> extends Module {
  readonly encoder: TransformerEncoder<W>;
  readonly decoder: TransformerDecoder<W>;

  constructor(width: W, heads: number, options: EncoderDecoderOptions = {}) {
    super();
    const names = ["encoderLayers", "decoderLayers", ...layerNames] as const;
    const { encoderLayers = 6, decoderLayers = 6, ...layer } = only("Transformer", options, names);
    this.encoder = new TransformerEncoder(width, heads, encoderLayers, { ...layer, norm: true });
    this.decoder = new TransformerDecoder(width, heads, decoderLayers, { ...layer, norm: true });
    for (const p of this.parameters()) if (p.ndim > 1) xavierUniform(p);
  }
  forward<S extends Shape, T extends Shape>(
    source: Tensor<S> & LastIs<`Transformer(${Str<W>}): source`, S, W>,
    target: Tensor<T> & LastIs<`Transformer(${Str<W>}): target`, T, W>,
    views: Views = {},
  ): Tensor<T, "f32"> {
    const { source: at = {}, target: own, memory } = only("Transformer", views, ["source", "target", "memory"]);
    const { encoder, decoder } = this as unknown as Transformer;
    const encoded = encoder.forward(source as Tensor, at);
    const looking = memory ?? { keyMask: at.keyMask };
    return decoder.forward(target as Tensor, encoded, looking, own ?? { causal: true }) as never;
  }
}
