// What models that continue a text have in common: where a call stands in the text, and what it costs.
import { fail } from "../core/errors.ts";
import { scaledDotProductAttention } from "../nn/attention.ts";
import type { KVCache } from "../nn/cache.ts";
import type { Module } from "../nn/module.ts";
import { arange } from "../ops/create.ts";
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
  /** Slots [time] of the cache; 0, 1, ... unless given. */
  readonly slots?: Tensor | undefined;
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
}

/** How the layers of one call attend: to each other, or to a cache. */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor, dropout: number) => Tensor;
export function attending(time: number, { keyMask, cache, slots }: Place): Attend {
  if (!cache) return (_, q, k, v, dropout) => scaledDotProductAttention(q, k, v, { causal: true, keyMask, dropout });
  const at = slots ?? (arange(0, time) as Tensor);
  const mask = cache.visible(at);
  return (layer, q, k, v, dropout) => {
    const all = cache.store(layer, at, k, v);
    return scaledDotProductAttention(q, all.k, all.v, { mask, dropout });
  };
}

/** Of hidden states [batch, time, width] those that logits are wanted of. */
export function wanted(hidden: Tensor, { last }: Place): Tensor {
  return last ? (slice(hidden, 1, -1) as Tensor) : hidden;
}

/** Texts to continue, as tokens. */
export type Prompts = readonly (readonly number[])[];
/** There are prompts, none empty or longer than the context, of tokens that the model knows. */
export function checkPrompts(op: string, model: CausalModel, prompts: Prompts): void {
  const refuse = (sentence: string, expected: unknown, actual: unknown): never =>
    fail("ERR_NABLA_VALUE", op, sentence, { expected, actual });
  if (prompts.length === 0) refuse("there are no prompts", "at least one", 0);
  for (const [i, prompt] of prompts.entries()) {
    const { length } = prompt;
    if (length === 0) refuse(`prompt ${i} has no tokens`, "at least one", 0);
    if (length > model.contextLength)
      refuse(`prompt ${i} has ${length} tokens, the context ${model.contextLength}`, model.contextLength, length);
    const bad = prompt.find((t) => !(Number.isInteger(t) && t >= 0 && t < model.vocabSize));
    if (bad !== undefined) refuse(`prompt ${i} has the token ${bad}`, [0, model.vocabSize - 1], bad);
  }
}
/** Whether tokens end with one of those, or with one of those sequences of them. */
export function endingOf(stop: readonly (number | readonly number[])[] = []): (tokens: readonly number[]) => boolean {
  const endings = stop.map((s) => (typeof s === "number" ? [s] : s)).filter((s) => s.length > 0);
  return (tokens) => endings.some((e) => e.length <= tokens.length && e.every((t, k) => t === tokens.at(k - e.length)));
}

/** Every size is a whole number from 1, and heads divide what they are heads of. */
export function checkSizes(op: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(sizes))
    if (!(Number.isSafeInteger(n) && n > 0))
      fail("ERR_NABLA_VALUE", op, `${name} must be a whole number from 1, got ${n}`, { expected: "from 1", actual: n });
}

/** What a model takes, before it is made. Bytes of f32. */
export interface Summary {
  readonly parameters: number;
  readonly weights: number;
  /** Weights, gradients, two moments of AdamW, and what backward keeps of a batch. */
  readonly training: number;
  /** What backward keeps of a batch, and its logits. */
  readonly activations: number;
  /** Keys and values of a batch. */
  readonly cache: number;
}
/** Tokens worked on at once: 1 x the context unless given. */
export interface Workload {
  readonly batch?: number;
  readonly time?: number;
}
interface Costs {
  readonly parameters: number;
  /** Numbers that backward keeps of one token in one layer, besides attention weights. */
  readonly kept: number;
  readonly layers: number;
  readonly heads: number;
  /** Numbers of keys and values of one token in one layer. */
  readonly remembered: number;
  readonly vocabSize: number;
}
export function summarize(costs: Costs, batch: number, time: number): Summary {
  const { parameters, kept, layers, heads, remembered, vocabSize } = costs;
  const tokens = batch * time;
  const weights = 4 * parameters;
  // Logits, their slope and their gradient; weights of attention once in f32 and once as what is masked.
  const activations = 4 * tokens * (layers * (kept + heads * time) + 3 * vocabSize) + tokens * layers * heads * time;
  return {
    parameters,
    weights,
    activations,
    training: 4 * weights + activations,
    cache: 4 * tokens * layers * remembered,
  };
}
