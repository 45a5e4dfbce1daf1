// Scaled dot-product attention: one kernel, or products and a softmax.
import { fail, showShape } from "../core/errors.ts";
import { broadcastShapes, type Dims, sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { tanh } from "./activation.ts";
import { contiguous, logicalAnd, where } from "./arithmetic.ts";
import { attend, attendable, selfAttend, softmaxWhere, stacked, triangle } from "./flash.ts";
import { plus, times } from "./formula.ts";
import { fromHeads, splitQkv, thirds, toHeads } from "./heads.ts";
import { linear, matmul } from "./matmul.ts";
import { dropout } from "./random.ts";
import { mean } from "./reduce.ts";
import { softmax } from "./softmax.ts";
import { reshape, slice, transpose } from "./view.ts";

export interface AttentionOptions {
  /** Booleans, true where a query may look, or numbers that are added to the scores; broadcast to [..., heads, L, S]. */
  readonly mask?: Value | undefined;
  /** Booleans [batch, S], false for keys that only fill up a batch. */
  readonly keyMask?: Value | undefined;
  /** Query i looks at the keys 0 .. i alone. */
  readonly causal?: boolean | undefined;
  /** Times q kᵀ; 1 / √E unless given. */
  readonly scale?: number | undefined;
  /** c bounds scores to c tanh(score / c), before any mask. */
  readonly softcap?: number | undefined;
  /** The probability that a weight is dropped. */
  readonly dropout?: number | undefined;
}

function check(q: Value, k: Value, v: Value | undefined, { mask, keyMask }: AttentionOptions): void {
  const values = { query: q, key: k, value: v, mask, keyMask };
  const refuse = (sentence: string, hint?: string): never =>
    fail("ERR_NABLA_SHAPE", "attention", sentence, { values, ...(hint ? { hint } : {}) });
  if (q.ndim < 2 || k.ndim !== q.ndim || (v && v.ndim !== q.ndim)) refuse("query, key and value differ in rank");
  if (q.shape.at(-1) !== k.shape.at(-1)) refuse(`queries have ${q.shape.at(-1)} numbers, keys ${k.shape.at(-1)}`);
  if (v && v.shape.at(-2) !== k.shape.at(-2)) refuse(`${k.shape.at(-2)} keys, ${v.shape.at(-2)} values`);
  if (v && !sameShape(k.shape.slice(0, -2), v.shape.slice(0, -2))) refuse("keys and values differ in batch or heads");
  if (q.ndim > 2 && !(q.shape.at(-3) === k.shape.at(-3) || (q.shape.at(-3) as number) % (k.shape.at(-3) || 1) === 0))
    refuse(`${q.shape.at(-3)} heads of queries do not share ${k.shape.at(-3)} heads of keys`);
  if (!sameShape(q.shape.slice(0, -3), k.shape.slice(0, -3))) refuse("queries and keys differ in batch");
  if (mask && !sameShape(broadcastShapes(mask.shape, scoreShape(q, k)) ?? [], scoreShape(q, k)))
    refuse(`the mask does not broadcast to ${showShape(scoreShape(q, k))}`, "batch, heads, queries, keys");
  if (keyMask && !sameShape(keyMask.shape, [q.shape[0], k.shape.at(-2) as number]))
    refuse(`keyMask is ${showShape(keyMask.shape)}, not [batch, keys]`);
}
const scoreShape = (q: Value, k: Value): number[] => [...q.shape.slice(0, -1), k.shape.at(-2) as number];

/** Where a query may look, as far as booleans and causal say; undefined for everywhere. */
function allowed(shape: Dims, { mask, keyMask, causal }: AttentionOptions): Value | undefined {
  const [queries, keys] = shape.slice(-2) as [number, number];
  const parts = [
    causal ? triangle(queries, keys) : undefined,
    mask?.dtype === "bool" ? mask : undefined,
    keyMask && reshape(keyMask, [shape[0], ...shape.slice(1, -1).map(() => 1), keys]),
  ];
  return parts.reduce((a, b) => (a && b ? logicalAnd({ a, b }) : (a ?? b)), undefined);
}

/** softmax(q kᵀ scale + mask): the weights [..., heads, L, S]. A row that may look nowhere is 0. */
export function attentionWeights(q: Value, k: Value, options: AttentionOptions = {}): Value {
  check(q, k, undefined, options);
  const { mask, keyMask, causal, softcap, scale = 1 / Math.sqrt(q.shape.at(-1) as number) } = options;
  const shape = scoreShape(q, k);
  const raw = reshape(matmul(stacked(times(q, scale), k), transpose(k, -2, -1)), shape);
  const product = softcap ? times(tanh({ x: times(raw, 1 / softcap) }), softcap) : raw;
  const scores = mask && mask.dtype !== "bool" ? plus(product, mask) : product;
  const condition = allowed(shape, options);
  if (!condition) return softmax(scores);
  // Causal alone leaves every row a key.
  if (causal && !keyMask && mask?.dtype !== "bool")
    return softmax(where({ condition, a: scores, b: Number.NEGATIVE_INFINITY }));
  return softmaxWhere(scores, condition);
}

/** x with four dimensions, [batch, heads, time, width]. */
const lifted = (x: Value): Value => reshape(x, [...[1, 1].slice(x.ndim - 2), ...x.shape]);

/**
 * softmax(q kᵀ / √E) v: q [..., heads, L, E], k [..., heads or a divisor, S, E], v [..., S, Ev]. One kernel, unless scores are
 * bounded, weights dropped or numbers added to scores.
 */
export function scaledDotProductAttention(q: Value, k: Value, v: Value, options: AttentionOptions = {}): Value {
  check(q, k, v, options);
  const {
    softcap,
    dropout: p = 0,
    mask,
    keyMask,
    causal = false,
    scale = 1 / Math.sqrt(q.shape.at(-1) || 1),
  } = options;
  if (softcap || p > 0 || !attendable({ q, k, v, mask })) return weigh(attentionWeights(q, k, options), v, p);
  const shape = scoreShape(q, k);
  const own = allowed(shape, { mask, keyMask });
  const y = attend({ q: lifted(q), k: lifted(k), v: lifted(v), mask: own }, { causal, scale });
  return q.ndim === 4 ? y : reshape(y, [...shape.slice(0, -1), v.shape.at(-1) as number]);
}
/** The same among rows [q | k | v] of all heads, [batch, time, 3 width], as [batch, time, width]. */
export function selfAttention(x: Value, heads: number, options: AttentionOptions = {}): Value {
  const rows = contiguous(x);
  const { q, k, v } = thirds(rows, heads);
  const { softcap, dropout: p = 0, mask, keyMask, causal = false, scale = 1 / Math.sqrt(q.shape[3] || 1) } = options;
  if (softcap || p > 0 || !attendable({ q, k, v, mask })) {
    const split = splitQkv(x, heads);
    return fromHeads(scaledDotProductAttention(split.q, split.k, split.v, options));
  }
  check(q, k, v, options);
  return selfAttend(rows, { heads, causal, scale }, allowed(scoreShape(q, k), { mask, keyMask }));
}
function weigh(weights: Value, v: Value, p: number): Value {
  const y = matmul(stacked(p > 0 ? dropout(weights, p) : weights, v), v);
  return reshape(y, [...weights.shape.slice(0, -1), v.shape.at(-1) as number]);
}

/** What multi-head attention learns; weights [out, in], the rows of q, k and v one below the other in the first. */
export interface HeadWeights {
  readonly heads: number;
  readonly inWeight: Value;
  readonly inBias?: Value | undefined;
  readonly outWeight: Value;
  readonly outBias?: Value | undefined;
}
/** Rows [q | k | v] of one tensor, or the heads of each of three. */
function projected(q: Value, k: Value, v: Value, { heads, inWeight, inBias }: HeadWeights): Value[] {
  if (q === k && k === v) return [linear(q, inWeight, inBias)];
  const width = inWeight.shape[0] / 3;
  return [q, k, v].map((x, i) => {
    const [from, to] = [i * width, (i + 1) * width];
    return toHeads(linear(x, slice(inWeight, 0, from, to), inBias && slice(inBias, 0, from, to)), heads);
  });
}
/** Attention of several heads between two linear maps, over [batch, time, width]. */
export function multiHeadAttention(
  query: Value,
  key: Value,
  value: Value,
  given: HeadWeights,
  options: AttentionOptions = {},
): Value {
  const [q, k, v] = projected(query, key, value, given);
  const y = k && v ? fromHeads(scaledDotProductAttention(q, k, v, options)) : selfAttention(q, given.heads, options);
  return linear(y, given.outWeight, given.outBias);
}
/** The same with its weights [batch, heads, L, S]. */
export function multiHeadWeights(
  query: Value,
  key: Value,
  value: Value,
  given: HeadWeights,
  options: AttentionOptions = {},
): { y: Value; weights: Value } {
  const all = projected(query, key, value, given);
  const { q, k, v } = all.length === 1 ? splitQkv(all[0], given.heads) : { q: all[0], k: all[1], v: all[2] };
  check(q, k, v, options);
  const weights = attentionWeights(q, k, options);
  const y = fromHeads(weigh(weights, v, options.dropout ?? 0));
  return { y: linear(y, given.outWeight, given.outBias), weights };
}
/** The weights of all heads as one. */
export const averageHeads = (weights: Value): Value => mean(weights, 1);
