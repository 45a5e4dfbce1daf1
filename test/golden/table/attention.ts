// Attention: one head or several.

import type { Value } from "../../../lib/core/value.ts";
import { logicalNot, transpose } from "../../../lib/ops/index.ts";
import { type Args, entry, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";

function dotProduct(a: Args) {
  if (a.number("dropout_p", 0) > 0) throw new Skip("other random numbers");
  a.ignore("enable_gqa");
  return call("scaledDotProductAttention", [a.tensor("query"), a.tensor("key"), a.tensor("value")], {
    mask: a.optional("attn_mask"),
    causal: a.flag("is_causal"),
    scale: a.number("scale"),
  });
}

/** torch's masks say true for "may not", and its tensors are [time, batch, width]. */
function multiHead(a: Args) {
  const inverted = (name: string) => {
    const x = a.optional(name);
    return x?.dtype === "bool" ? logicalNot({ x }) : x;
  };
  const query = transpose(a.tensor("query"), 0, 1);
  const [key, value] = [transpose(a.tensor("key"), 0, 1), transpose(a.tensor("value"), 0, 1)];
  const weights = {
    heads: a.number("num_heads"),
    inWeight: a.tensor("in_proj_weight"),
    inBias: a.optional("in_proj_bias"),
    outWeight: a.tensor("out_proj_weight"),
    outBias: a.optional("out_proj_bias"),
  };
  const looking = { mask: inverted("attn_mask"), keyMask: inverted("key_padding_mask") };
  const all = [query, key, value];
  const y = call<Value>("multiHeadAttention", all, weights, looking);
  const seen = call<{ y: Value; weights: Value }>("multiHeadWeights", all, weights, looking).weights;
  a.ignore("need_weights");
  const attn_weights = a.flag("average_attn_weights", true) ? call("averageHeads", [seen]) : seen;
  return { out: transpose(y, 0, 1), attn_weights };
}

export const attention: Table = {
  scaled_dot_product_attention: entry("query key value attn_mask dropout_p is_causal scale", dotProduct),
  multi_head_attention: entry("query key value", multiHead),
};
