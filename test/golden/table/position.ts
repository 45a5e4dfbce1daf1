// ONNX nodes that find elements or name them by all their positions.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { scalar } from "../values.ts";
import { node, x0 } from "./node.ts";

/** Indices whose last dimension holds one position for each of the first dimensions of x. */
const columns = (index: Value): Value[] => call("unbind", [index], -1);
function gather(a: Args): Value {
  if (a.number("batch_dims", 0) > 0) throw new Skip("no batches of indices");
  return call("index", [x0(a)], columns(a.tensor("x1")));
}
function scatter(a: Args): Value {
  const how = a.word("reduction", "none");
  if (how !== "none" && how !== "add") throw new Skip(`no scatter with ${how}`);
  return call("indexPut", [x0(a)], columns(a.tensor("x1")), a.tensor("x2"), { accumulate: how === "add" });
}
/** A condition may be shorter than what it chooses from. */
function compress(a: Args): Value {
  const [x, at] = [x0(a), call("flatten", [call("nonzero", [a.tensor("x1")])])];
  return a.has("axis") ? call("indexSelect", [x], a.number("axis"), at) : call("take", [x, at]);
}
function hardmax(a: Args): Value {
  const [x, axis] = [x0(a), a.number("axis", -1)];
  const hot = call("oneHot", [call("argmax", [x], axis)], x.shape.at(axis)!, x.dtype);
  return call("movedim", [hot], -1, axis);
}

export const position: Table = {
  GatherND: node(gather),
  ScatterND: node(scatter),
  Compress: node(compress),
  Hardmax: node(hardmax),
  NonZero: node((a) => call("transpose", [call("nonzero", [x0(a)])], 0, 1)),
  Size: node((a) => scalar(x0(a).size, "i32")),
};
