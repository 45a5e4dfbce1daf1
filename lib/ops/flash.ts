// Attention in one kernel, forward and backward: a matrix of all queries by all keys never exists.
import type { Value } from "../core/value.ts";
import { launch, type Walk, walk } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { rowOf } from "../engine/precision.ts";
import { gradEnabled } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { contiguous, le, logicalAnd, where } from "./arithmetic.ts";
import { arange } from "./create.ts";
import { minus, plus, times } from "./formula.ts";
import { fromHeads, splitQkv, thirds } from "./heads.ts";
import { cat } from "./join.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { softmax } from "./softmax.ts";
import { expand, permute, reshape, transpose, unsqueeze } from "./view.ts";

/** Where queries look, and what scores are multiplied by. */
export interface Look {
  readonly causal: boolean;
  readonly scale: number;
}

/** Heads of queries that share a head of keys, one below the other: [..., h, g L, E] for [..., h g, L, E]. */
export function stacked(q: Value, k: Value): Value {
  const [heads, shared] = [q.shape.at(-3), k.shape.at(-3)];
  if (q.ndim < 3 || heads === shared) return q;
  return reshape(q, [...k.shape.slice(0, -2), -1, q.shape.at(-1) as number]);
}
/** [L, S], true where key j <= query i. */
export function triangle(queries: number, keys: number): Value {
  return le({ a: arange(0, keys), b: unsqueeze(arange(0, queries), 1) });
}
/** softmax over keys where condition is true. A row without any is 0. */
export function softmaxWhere(scores: Value, condition: Value): Value {
  // Finite, so that a row without any key has no NaN; its equal weights are taken out behind.
  return where({ condition, a: softmax(where({ condition, a: scores, b: -1e30 })), b: 0 });
}

interface Inputs {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly mask?: Value | undefined;
}
const mT = (x: Value): Value => transpose(x, -2, -1);
/** y [b, L, heads, w] as [b, heads, L, w], and back. */
const turned = (y: Value): Value => permute(y, [0, 2, 1, 3]);
/** b, heads, L, w, shared heads, E, S: the letters of the rows, in the order of the gradient's or of the forward pass. */
function extents({ q, k, v }: Inputs, back = false): number[] {
  const [[b, m, l, e], [, g, s], w] = [q.shape, k.shape, v.shape[3]];
  return back ? [b, m, l, e, g, s, w] : [b, m, l, w, e, g, s];
}
function masked({ q, k, mask }: Inputs): Walk | null {
  return mask ? walk(expand(mask, [...q.shape.slice(0, 3), k.shape[2]])) : null;
}
function run(y: Value, log: Value, x: Inputs, { causal, scale }: Look): void {
  if (y.size === 0 && log.size === 0) return;
  const operands = [walk(turned(y)), log, walk(x.q), walk(x.k), walk(x.v), masked(x)];
  launch(rowOf(y.dtype, K.attention, K.attention_bf16), y.dtype, extents(x), operands, [Number(causal), scale]);
}
function runBack(d: Omit<Inputs, "mask">, dy: Value, x: Inputs, log: Value, { causal, scale }: Look): void {
  if (d.q.size + d.k.size + d.v.size === 0) return;
  const operands = [d.q, d.k, d.v, turned(dy), x.q, x.k, x.v].map(walk);
  const row = rowOf(dy.dtype, K.attention_grad, K.attention_grad_bf16);
  launch(row, dy.dtype, extents(x, true), [...operands, log, masked(x)], [Number(causal), scale]);
}

interface Cotangents {
  readonly y?: Value | undefined;
  readonly log?: Value | undefined;
}
/** The gradient made of ops, where it is itself differentiated or something depends on log: ds = p (dp - sum p dp + dlog log2 e). */
function composed({ y, log }: Cotangents, x: Inputs, { causal, scale }: Look): Omit<Inputs, "mask"> {
  const { q, k, v, mask } = x;
  const shape = [...q.shape.slice(0, 3), k.shape[2]];
  const scores = reshape(matmul(stacked(times(q, scale), k), mT(k)), shape);
  const order = causal ? triangle(shape[2], shape[3]) : undefined;
  const condition = order && mask ? logicalAnd({ a: order, b: mask }) : (order ?? mask);
  const p = condition ? softmaxWhere(scores, condition) : softmax(scores);
  const dy = y && turned(y);
  const dp = dy && reshape(matmul(stacked(dy, v), mT(v)), shape);
  const own = dp && minus(dp, sum(times(p, dp), -1, true));
  const more = log && times(unsqueeze(log, 3), Math.LOG2E);
  const ds = times(p, own && more ? plus(own, more) : ((own ?? more) as Value));
  const below = stacked(ds, k);
  return {
    q: times(reshape(matmul(below, k), q.shape), scale),
    k: times(matmul(mT(below), stacked(q, k)), scale),
    v: dy ? matmul(mT(stacked(p, k)), stacked(dy, v)) : times(v, 0),
  };
}

/** dq, dk and dv as [b, L, heads, w], as rows of a projection lie: what turned them into heads turns back without a copy. */
const attentionGrad = op({
  name: "attention_grad",
  inputs: ["dy", "q", "k", "v", "mask?", "log"],
  outputs: ["dq", "dk", "dv"],
  prepare: (x) => ({ ...x, log: contiguous(x.log) }),
  infer: ({ q, k, v }, _: Look): Spec[] =>
    [q, k, v].map(({ shape: [b, h, t, e], dtype }) => ({ shape: [b, t, h, e], dtype })),
  forward: ({ dq, dk, dv }, { dy, log, ...x }, look) =>
    runBack({ q: turned(dq), k: turned(dk), v: turned(dv) }, dy, x, log, look),
  cases: [
    {
      inputs: { dy: [1, 3, 2, 5], q: [1, 2, 3, 4], k: [1, 1, 6, 4], v: [1, 1, 6, 5], log: [1, 2, 3] },
      attrs: { causal: true, scale: 0.5 },
      order: 0,
    },
  ],
});
const qkv = { q: [2, 4, 3, 4], k: [2, 2, 5, 4], v: [2, 2, 5, 3] };
const mask = { shape: [3, 5], dtype: "bool" as const, data: [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1] };
/** y = softmax(q kᵀ scale) v as [b, L, heads, w], and log2 of the sum of what the softmax divides by. */
const attentionOp = op({
  name: "attention",
  inputs: ["q", "k", "v", "mask?"],
  outputs: ["y", "log"],
  keep: ["q", "k", "v", "mask", "log"],
  infer({ q, v }, _: Look): Spec[] {
    const [[b, m, l], w] = [q.shape, v.shape[3]];
    return [
      { shape: [b, l, m, w], dtype: q.dtype },
      { shape: [b, m, l], dtype: q.dtype },
    ];
  },
  forward: ({ y, log }, x, look) => run(y, log, x, look),
  grad(gy, { log, ...x }, look) {
    if (gradEnabled() || !gy.y) return composed(gy, x, look);
    const { dq, dk, dv } = attentionGrad({ dy: gy.y, ...x, log }, look);
    const own = { q: turned(dq), k: turned(dk), v: turned(dv) };
    if (!gy.log) return own;
    const more = composed({ log: gy.log }, x, look);
    return { q: plus(own.q, more.q), k: plus(own.k, more.k), v: own.v };
  },
  cases: [
    { inputs: qkv, attrs: { causal: true, scale: 0.5 } },
    { inputs: { ...qkv, mask }, attrs: { causal: false, scale: 0.7 } },
    { inputs: { q: [1, 1, 17, 3], k: [1, 1, 17, 3], v: [1, 1, 17, 2] }, attrs: { causal: true, scale: 1 } },
  ],
});
/** q [b, heads, L, E], k [b, heads or a divisor, S, E], v [b, ..., S, w], mask booleans that broadcast: [b, heads, L, w]. */
export function attend(x: Inputs, look: Look): Value {
  return turned(attentionOp(x, look).y);
}
/** Does the kernel take these: one float type, up to four dimensions, no mask but booleans? */
export function attendable({ q, k, v, mask }: Inputs): boolean {
  const known = q.dtype === "f32" || q.dtype === "f64";
  if (!known || q.dtype !== k.dtype || q.dtype !== v.dtype || q.ndim > 4) return false;
  return !mask || mask.dtype === "bool";
}

interface Rows extends Look {
  readonly heads: number;
}
const selfAttentionGrad = op({
  name: "self_attention_grad",
  inputs: ["dy", "x", "mask?", "log"],
  prepare: (x) => ({ ...x, x: contiguous(x.x), log: contiguous(x.log) }),
  infer: ({ x }, _: Rows): Spec => ({ shape: [...x.shape], dtype: x.dtype }),
  forward: ({ y }, { dy, x, mask: m, log }, attrs) =>
    runBack(thirds(y, attrs.heads), dy, { ...thirds(x, attrs.heads), mask: m }, log, attrs),
  cases: [
    {
      inputs: { dy: [2, 3, 2, 2], x: [2, 3, 12], log: [2, 2, 3] },
      attrs: { heads: 2, causal: true, scale: 0.5 },
      order: 0,
    },
  ],
});
/** Attention among rows [q | k | v] of all heads [b, t, 3 heads d], read where they lie: y [b, t, heads, d]. */
const selfAttentionOp = op({
  name: "self_attention",
  inputs: ["x", "mask?"],
  outputs: ["y", "log"],
  keep: ["x", "mask", "log"],
  prepare: ({ x, mask }) => ({ x: contiguous(x), mask }),
  infer({ x }, { heads }: Rows): Spec[] {
    const [b, t, width] = x.shape;
    return [
      { shape: [b, t, heads, width / heads / 3], dtype: x.dtype },
      { shape: [b, heads, t], dtype: x.dtype },
    ];
  },
  forward: ({ y, log }, { x, mask }, attrs) => run(y, log, { ...thirds(x, attrs.heads), mask }, attrs),
  grad(gy, { x, mask, log }, attrs) {
    const joined = (d: Omit<Inputs, "mask">) => cat([d.q, d.k, d.v].map(fromHeads), 2);
    const again = (g: Cotangents) => {
      const { q, k, v } = splitQkv(x, attrs.heads);
      return joined(composed(g, { q, k, v, mask }, attrs));
    };
    if (gradEnabled() || !gy.y) return { x: again(gy) };
    const dx = selfAttentionGrad({ dy: gy.y, x, mask, log }, attrs);
    return { x: gy.log ? plus(dx, again({ log: gy.log })) : dx };
  },
  cases: [
    { inputs: { x: [2, 3, 12] }, attrs: { heads: 2, causal: true, scale: 0.5 } },
    {
      inputs: { x: [1, 2, 9], mask: { shape: [2, 2], dtype: "bool", data: [1, 1, 0, 1] } },
      attrs: { heads: 1, causal: false, scale: 1 },
    },
  ],
});
/** Rows [q | k | v] of x [b, t, 3 heads d] that attend to each other: [b, t, heads d]. */
export function selfAttend(x: Value, attrs: Rows, mask?: Value): Value {
  const { y } = selfAttentionOp({ x, mask }, attrs);
  return reshape(y, [x.shape[0], x.shape[1], x.shape[2] / 3]);
}
