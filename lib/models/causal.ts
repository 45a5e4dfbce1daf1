// What models that continue a text have in common.
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { scaledDotProductAttention } from "../nn/attention.ts";
import type { KVCache } from "../nn/cache.ts";
import { linearCrossEntropy } from "../nn/head.ts";
import { normal } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { selfAttention } from "../ops/attention.ts";
import { arange } from "../ops/create.ts";
import { fromHeads, splitQkv } from "../ops/heads.ts";
import { linear } from "../ops/matmul.ts";
import { slice } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Where tokens stand, and what is known of those before them. */
export interface Place {
  /** Positions [time] or [batch, time]; 0, 1, ... unless given. */
  readonly positions?: Tensor | undefined;
  /** Booleans [batch, time], false for tokens that only fill up the batch. Without a cache. */
  readonly keyMask?: Tensor | undefined;
  /** Keys and values of tokens before; those of this call are added in `slots`. */
  readonly cache?: KVCache | undefined;
  /** Slots [time] or [batch, time] of the cache; 0, 1, ... unless given. */
  readonly slots?: Tensor | undefined;
  /** Rows [batch] of the cache that the texts are in; 0, 1, ... unless given. */
  readonly rows?: Tensor | undefined;
  /** Whether the logits of the last token alone are wanted: [batch, 1, vocabSize]. */
  readonly last?: boolean | undefined;
}
/** A model that gives for each token the logits of the next. */
export interface CausalModel extends Module {
  readonly vocabSize: number;
  /** The most tokens it looks at. */
  readonly contextLength: number;
  /** Logits [batch, time, vocabSize] of ids [batch, time]. */
  forward(ids: Tensor, place?: Place): Tensor;
  /** Room for the keys and values of `capacity` tokens. */
  cache(batch: number, capacity: number, keyMask?: Tensor): KVCache;
  /** Where each row of a cache continues something of its own: so many rows there are. */
  readonly texts?: number;
}

/** How the layers of one call attend: to each other, or to a cache. */
export interface Attend {
  /** Queries, keys and values [batch, heads, time, width]. */
  heads(layer: number, q: Tensor, k: Tensor, v: Tensor, dropout?: number): Tensor;
  /** Rows [q | k | v] of all heads, [batch, time, 3 width], as [batch, time, width]. */
  rows(layer: number, x: Tensor, heads: number, dropout?: number): Tensor;
}
export function attending(time: number, at: Place): Attend {
  const { keyMask, cache, slots, rows } = only("forward", at, [
    "positions",
    "keyMask",
    "cache",
    "slots",
    "rows",
    "last",
  ]);
  if (!cache)
    return {
      heads: (_, q, k, v, dropout) => scaledDotProductAttention(q, k, v, { causal: true, keyMask, dropout }),
      rows: (_, x, heads, dropout) => selfAttention(x, heads, { causal: true, keyMask, dropout }) as Tensor,
    };
  const place = cache.at(slots ?? (arange(0, time) as Tensor), rows);
  const attend: Attend = {
    heads(layer, q, k, v, dropout) {
      const all = place.store(layer, k, v);
      return scaledDotProductAttention(q, all.k, all.v, { mask: place.visible, dropout });
    },
    rows(layer, x, heads, dropout) {
      const { q, k, v } = splitQkv(x, heads) as Record<"q" | "k" | "v", Tensor>;
      return fromHeads(attend.heads(layer, q, k, v, dropout)) as Tensor;
    },
  };
  return attend;
}

/** Of hidden states [batch, time, width] those that logits are wanted of. */
export function wanted(hidden: Tensor, { last }: Place): Tensor {
  return last ? (slice(hidden, 1, -1) as Tensor) : hidden;
}

/** What every decoder's configuration has. */
export interface DecoderConfig {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly tied: boolean;
  readonly std: number;
}
/** Logits from hidden states: the weight of the embedding, or one of its own. */
export type Head = Linear | { readonly weight: Parameter };
export function headOf(embedding: Parameter, { width, vocabSize, tied, std }: DecoderConfig): Head {
  if (tied) return { weight: embedding };
  const head = new Linear(width, vocabSize, { bias: false });
  normal(head.weight, 0, std);
  return head;
}

/** A body that gives hidden states, and a head. */
export abstract class Decoder extends Module implements CausalModel {
  abstract readonly config: DecoderConfig;
  abstract readonly lm_head: Head;
  /** Hidden states [batch, time, width] of ids [batch, time]. */
  abstract hidden(ids: Tensor, place?: Place): Tensor;
  abstract cache(batch: number, capacity: number, keyMask?: Tensor): KVCache;

  get vocabSize(): number {
    return this.config.vocabSize;
  }
  get contextLength(): number {
    return this.config.contextLength;
  }
  override describe(): string {
    const { layers, heads, width } = this.config;
    return `${layers} layers, ${heads} heads, width ${width}`;
  }
  /** Logits [batch, time, vocabSize] of the token after each of ids [batch, time]. */
  forward(ids: Tensor, place: Place = {}): Tensor {
    const [x, { lm_head }] = [wanted(this.hidden(ids, place), place), this];
    return (lm_head instanceof Module ? lm_head.forward(x as never) : linear(x, lm_head.weight)) as Tensor;
  }
  /** The mean cross-entropy of targets [batch, time], -100 for those that do not count; logits take no more than the weight. */
  loss(ids: Tensor, targets: Tensor, place: Place = {}): Tensor<[], "f32"> {
    return linearCrossEntropy(this.hidden(ids, place), this.lm_head.weight, targets);
  }
}

/** Texts to continue, as tokens. */
export type Prompts = readonly (readonly number[])[];
/** There are prompts, none empty or longer than the context, of tokens that the model knows. */
export function checkPrompts(
  op: string,
  model: Pick<CausalModel, "contextLength" | "vocabSize">,
  prompts: Prompts,
): void {
  const refuse = (sentence: string, expected: unknown, actual: unknown): never =>
    fail("ERR_NABLA_VALUE", op, sentence, { expected, actual });
  if (!Number.isInteger(model?.contextLength) || !Number.isInteger(model.vocabSize))
    fail("ERR_NABLA_TYPE", op, "takes a model that continues texts", { expected: "a GPT2, a Llama", actual: model });
  if (!Array.isArray(prompts) || !prompts.every((p) => Array.isArray(p) || ArrayBuffer.isView(p)))
    refuse("a prompt is a list of tokens", "whole numbers", prompts);
  if (prompts.length === 0) refuse("there are no prompts", "at least one", 0);
  for (const [i, prompt] of prompts.entries()) {
    const { length } = prompt;
    if (length === 0) refuse(`prompt ${i} has no tokens`, "at least one", 0);
    if (length > model.contextLength)
      refuse(`prompt ${i} has ${length} tokens, the context ${model.contextLength}`, model.contextLength, length);
    const bad = prompt.find((t) => !(Number.isInteger(t) && t >= 0 && t < model.vocabSize));
    if (bad !== undefined) refuse(`prompt ${i} has the token ${String(bad)}`, [0, model.vocabSize - 1], bad);
  }
}
/** Whether tokens end with one of those, or with one of those sequences of them. */
export function endingOf(stop: readonly (number | readonly number[])[] = []): (tokens: readonly number[]) => boolean {
  if (!Array.isArray(stop) || !stop.every((s) => typeof s === "number" || Array.isArray(s)))
    fail("ERR_NABLA_TYPE", "generate", "stop is a list of tokens, or of sequences of them", { actual: stop });
  const endings = (stop as readonly (number | readonly number[])[])
    .map((s) => (typeof s === "number" ? [s] : s))
    .filter((s) => s.length > 0);
  return (tokens) => endings.some((e) => e.length <= tokens.length && e.every((t, k) => t === tokens.at(k - e.length)));
}
