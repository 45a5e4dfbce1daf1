// ONNX nodes that are layers: attention, rotary positions.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Result, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { scalar } from "../values.ts";
import { node, x0 } from "./node.ts";

/** [batch, time, heads * width] as [batch, heads, time, width]; four dimensions are that already. */
function split(x: Value, heads: number | undefined): Value {
  if (x.ndim === 4) return x;
  const [batch, time, width] = x.shape as [number, number, number];
  return call("transpose", [call("reshape", [x], [batch, time, heads!, width / heads!])], 1, 2);
}
function joined(x: Value): Value {
  const [batch, heads, time, width] = x.shape as [number, number, number, number];
  return call("reshape", [call("transpose", [x], 1, 2)], [batch, time, heads * width]);
}
/** Where queries stand among the keys: [queries, 1], or [batch, 1, queries, 1] where the texts have lengths of their own. */
function places(a: Args, queries: number, past: number): Value {
  if (!a.has("x6")) return call("unsqueeze", [call("arange", [], past, past + queries)], 1);
  const first = call<Value>("reshape", [call("sub", [a.tensor("x6"), queries])], [-1, 1, 1, 1]);
  return call("add", [first, call("unsqueeze", [call("arange", [], 0, queries)], 1)]);
}
function masked(given: Value | undefined, triangle: Value): Value {
  if (!given) return triangle;
  if (given.dtype === "bool") return call("logicalAnd", [given, triangle]);
  return call("where", [triangle, given, Number.NEGATIVE_INFINITY]);
}
/** true where key j is at most so far before and behind query i; -1 is no bound, causal is none behind */
function bounds(a: Args, keys: number, at: Value): Value[] {
  const apart = call<Value>("sub", [call("arange", [], 0, keys), at]);
  const [left, right] = [a.number("left_window_size", -1), a.number("right_window_size", -1)];
  const list: Value[] = a.flag("is_causal") ? [call("le", [apart, 0])] : [];
  if (left >= 0) list.push(call("ge", [apart, -left]));
  if (right >= 0) list.push(call("le", [apart, right]));
  return list;
}
/** Keys of each text that count. */
function counted(a: Args, keys: number): Value | undefined {
  return a.has("x6") ? call("lt", [call("arange", [], 0, keys), call("unsqueeze", [a.tensor("x6")], 1)]) : undefined;
}
interface Looking {
  readonly mask: Value | undefined;
  readonly keyMask: Value | undefined;
  readonly softcap: number | undefined;
  readonly scale: number | undefined;
}
type Round = (x: Value) => Value;
const exact: Round = (x) => x;
const toBf16: Round = (x) => call("cast", [call("cast", [x], "bf16")], "f32");
/**
 * Scores [batch, heads, queries, keys] as qk_matmul_output_mode asks: 0 scaled products, 1 behind the softcap, 2 behind the
 * mask as well. As in the definition both factors are scaled, by the root.
 */
function scores(q: Value, k: Value, { mask, keyMask, softcap, scale }: Looking, mode: number, round = exact): Value {
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const root = round(scalar(Math.sqrt(scale ?? 1 / Math.sqrt(width)), q.dtype));
  const shared = call("reshape", [round(call("mul", [q, root]))], [batch, k.shape[1], -1, width]);
  const product = call("matmul", [shared, call("transpose", [round(call("mul", [k, root]))])]);
  const raw = round(call("reshape", [product], [batch, heads, queries, k.shape[2]]));
  const bound = (x: Value) => call<Value>("mul", [call("tanh", [call("div", [x, softcap])]), softcap]);
  const capped = mode > 0 && softcap ? round(bound(raw)) : raw;
  if (mode < 2) return capped;
  const only = (x: Value, where: Value) => call<Value>("where", [where, x, Number.NEGATIVE_INFINITY]);
  const added = mask?.dtype === "bool" ? only(capped, mask) : mask ? round(call("add", [capped, mask])) : capped;
  return keyMask ? only(added, call("reshape", [keyMask], [batch, 1, 1, -1])) : added;
}
/**
 * Attention in bf16: the definition computes in the type of its inputs, so each of its steps is rounded to bf16, the sum of a
 * softmax after every key. A result rounded only once is a unit (2^-8) away in 75 of 192 numbers, and the tolerance is 1e-3.
 */
function rounded(q: Value, k: Value, v: Value, looking: Looking): Value {
  if (q.shape[1] !== k.shape[1]) throw new Skip("no shared heads in bf16");
  const s = scores(q, k, looking, 2, toBf16);
  const e = toBf16(call("exp", [toBf16(call("sub", [s, call("amax", [s], -1, true)]))]));
  const total = call<Value[]>("unbind", [e], -1).reduce((x, y) => toBf16(call("add", [x, y])));
  const weights = toBf16(call("div", [e, call("unsqueeze", [total], -1)]));
  return toBf16(call("matmul", [weights, v]));
}
/** A mask of fewer keys lets nobody look at the rest. */
function filled(mask: Value | undefined, keys: number): Value | undefined {
  if (!mask || mask.shape.at(-1) === keys) return mask;
  const shape = [...mask.shape.slice(0, -1), keys - mask.shape.at(-1)!];
  const none = mask.dtype === "bool" ? 0 : Number.NEGATIVE_INFINITY;
  return call("cat", [], [mask, call("full", [], shape, none, mask.dtype)], -1);
}
/** softmax_precision names the least: double is computed in f64, all others in f32. */
function attention(a: Args): Result {
  const dtype = a.number("softmax_precision", 1) === 11 ? "f64" : "f32";
  const half = x0(a).dtype === "bf16";
  const wide = (x: Value): Value => (x.dtype === "bool" ? x : call("cast", [x], dtype));
  const flat = x0(a).ndim === 3;
  const [heads, shared] = [a.number("q_num_heads"), a.number("kv_num_heads")];
  const part = (name: string, count: number | undefined) => split(wide(a.tensor(name)), count);
  const joins = (past: string, x: Value) => (a.has(past) ? call<Value>("cat", [], [wide(a.tensor(past)), x], 2) : x);
  const query = part("x0", heads);
  const [key, value] = [joins("x4", part("x1", shared)), joins("x5", part("x2", shared))];
  const past = a.has("x4") ? a.tensor("x4").shape[2]! : 0;
  const given = filled(a.has("x3") ? wide(a.tensor("x3")) : undefined, key.shape[2]!);
  const options = {
    mask: bounds(a, key.shape[2]!, places(a, query.shape[2]!, past)).reduce<Value | undefined>(masked, given),
    keyMask: counted(a, key.shape[2]!),
    softcap: a.number("softcap", 0) || undefined,
    scale: a.number("scale"),
  };
  const y = half
    ? rounded(query, key, value, options)
    : call<Value>("scaledDotProductAttention", [query, key, value], options);
  const all = [flat ? joined(y) : y, key, value];
  const mode = a.number("qk_matmul_output_mode", 0);
  if (a.number("outputs", 1) > 3) {
    if (half) throw new Skip("no scores in bf16");
    all.push(mode === 3 ? call("attentionWeights", [query, key], options) : scores(query, key, options, mode));
  }
  return all.map((x) => call<Value>("cast", [x], "f32"));
}

/** Angles by position, or for each row as they are. */
function rotary(a: Args): Value {
  const neighbours = a.flag("interleaved");
  const [x, at] = [x0(a), a.optional("x3")];
  const angles = (name: string) => {
    const table = a.tensor(name);
    return call("unsqueeze", [at ? call("embedding", [table, at]) : table], 1);
  };
  const width = a.number("rotary_embedding_dim", 0) || x.shape[3]!;
  const [turned, rest] = [call("slice", [x], 3, 0, width), call("slice", [x], 3, width)];
  const y = call("rotary", [turned, angles("x1"), angles("x2")], { neighbours });
  return rest.size === 0 ? y : call("cat", [], [y, rest], 3);
}

export const network: Table = {
  Attention: node(attention),
  RotaryEmbedding: node(rotary),
};
