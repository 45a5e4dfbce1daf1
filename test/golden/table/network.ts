// ONNX nodes that are layers: attention, rotary positions.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Result, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
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
function attention(a: Args): Result {
  if (a.number("outputs", 1) > 3 && a.number("qk_matmul_output_mode", 0) !== 3)
    throw new Skip("no scores, only weights");
  const flat = x0(a).ndim === 3;
  const [heads, shared] = [a.number("q_num_heads"), a.number("kv_num_heads")];
  const joins = (past: string, x: Value) => (a.has(past) ? call("cat", [], [a.tensor(past), x], 2) : x);
  const query = split(x0(a), heads);
  const [key, value] = [joins("x4", split(a.tensor("x1"), shared)), joins("x5", split(a.tensor("x2"), shared))];
  const past = a.has("x4") ? a.tensor("x4").shape[2]! : 0;
  const given = a.optional("x3");
  const options = {
    mask: bounds(a, key.shape[2]!, places(a, query.shape[2]!, past)).reduce<Value | undefined>(masked, given),
    keyMask: counted(a, key.shape[2]!),
    softcap: a.number("softcap", 0) || undefined,
    scale: a.number("scale"),
  };
  const y = call("scaledDotProductAttention", [query, key, value], options);
  const weights = a.number("outputs", 1) > 3 ? [call("attentionWeights", [query, key], options)] : [];
  return [flat ? joined(y) : y, key, value, ...weights];
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
