// ONNX linear attention: a matrix for a memory, written and read step by step. The library has no such layer; composed of its ops.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Result, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { node, x0 } from "./node.ts";

/** [batch, time, heads * width] as [batch, heads, time, width]. */
function split(x: Value, heads: number): Value {
  const [batch, time] = x.shape as [number, number];
  return call("transpose", [call("reshape", [x], [batch, time, heads, -1])], 1, 2);
}
/** Step t of [batch, heads, time, width], as a column of each head: [batch, heads, width, 1]. */
const column = (x: Value, t: number): Value => call("unsqueeze", [call("select", [x], 2, t)], 3);
const row = (x: Value, t: number): Value => call("slice", [x], 2, t, t + 1);
const mul = (a: Value, b: Value | number): Value => call("mul", [a, b]);
const matmul = (a: Value, b: Value): Value => call("matmul", [a, b]);

/** S [keys, values] of each head: S = exp(decay) S; v = beta (v - k S); S = S + kᵀ v; y = scale q S. */
function linearAttention(a: Args): Result {
  const [heads, shared] = [a.number("q_num_heads", 1), a.number("kv_num_heads", 1)];
  const rule = a.word("update_rule", "gated_delta");
  if (!["linear", "gated", "delta", "gated_delta"].includes(rule)) throw new Skip(`no rule ${rule}`);
  a.ignore("chunk_size");
  const [query, key, value] = [split(x0(a), heads), split(a.tensor("x1"), shared), split(a.tensor("x2"), shared)];
  const [batch, , time, width] = query.shape as [number, number, number, number];
  const decay = rule.startsWith("gated") ? split(a.tensor("x4"), shared) : undefined;
  const beta = rule.endsWith("delta") ? a.tensor("x5") : undefined;
  const written = beta && split(beta, beta.shape[2]!);
  const scale = a.number("scale", 0) || 1 / Math.sqrt(width);
  let state = a.optional("x3") ?? call<Value>("zeros", [], [batch, shared, width, value.shape[3]]);
  const rows: Value[] = [];
  for (let t = 0; t < time; t++) {
    if (decay) state = mul(state, call("exp", [column(decay, t)]));
    const v = written ? mul(call("sub", [row(value, t), matmul(row(key, t), state)]), row(written, t)) : row(value, t);
    state = call("add", [state, mul(column(key, t), v)]);
    const asked = call<Value>("reshape", [row(query, t)], [batch, shared, -1, width]);
    rows.push(call("reshape", [mul(matmul(asked, state), scale)], [batch, 1, -1]));
  }
  return [call("cat", [], rows, 1), state];
}

export const linear: Table = { LinearAttention: node(linearAttention) };
