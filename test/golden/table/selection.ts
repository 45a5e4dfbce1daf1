// Selection by index and by mask.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";

const dimOf = (a: Args): number => a.number("dim", 0);
/** f(x, dim, index, source) */
const withSource = (op: string, names: string, from: string): Entry =>
  entry(names, (a) => {
    if (a.get("reduce") !== undefined) throw new Skip("no reduction while scattering");
    return call(op, [a.tensor("input")], dimOf(a), a.tensor("index"), a.operand(from));
  });

/** Positions in the first dimensions: index0, index1, ... or a list. */
function positions(a: Args): Value[] {
  return a.has("indices") ? a.list("indices") : a.names("index").map((name) => a.tensor(name));
}

export const selection: Table = {
  gather: entry("input dim index", (a) => call("gather", [a.tensor("input")], dimOf(a), a.tensor("index"))),
  take_along_dim: entry("input indices dim", (a) =>
    call("takeAlongDim", [a.tensor("input"), a.tensor("indices")], a.number("dim")),
  ),
  take: entry("input index", (a) => call("take", [a.tensor("input"), a.tensor("index")])),
  index_select: entry("input dim index", (a) => call("indexSelect", [a.tensor("input")], dimOf(a), a.tensor("index"))),
  scatter: withSource("scatter", "input dim index src", "src"),
  scatter_value: withSource("scatter", "input dim index value", "value"),
  scatter_add: withSource("scatterAdd", "input dim index src", "src"),
  scatter_reduce: entry("input dim index src reduce", (a) => {
    const how = a.word("reduce", "");
    if (how !== "sum") throw new Skip(`no scatter with ${how}`);
    const [x, dim, index] = [a.tensor("input"), dimOf(a), a.tensor("index")];
    const from = a.flag("include_self", true) ? x : call("scatter", [x], dim, index, 0);
    return call("scatterAdd", [from], dim, index, a.tensor("src"));
  }),
  index_add: entry("input dim index source", (a) =>
    call("indexAdd", [a.tensor("input")], dimOf(a), a.tensor("index"), a.tensor("source"), a.number("alpha", 1)),
  ),
  index_copy: withSource("indexCopy", "input dim index source", "source"),
  index_fill: withSource("indexFill", "input dim index value", "value"),
  index: entry("input", (a) => call("index", [a.tensor("input")], positions(a))),
  index_put: entry("input indices values accumulate", (a) =>
    call("indexPut", [a.tensor("input")], positions(a), a.tensor("values"), { accumulate: a.flag("accumulate") }),
  ),
  masked_fill: entry("input mask value", (a) =>
    call("maskedFill", [a.tensor("input"), a.tensor("mask"), a.operand("value")]),
  ),
  masked_select: entry("input mask", (a) => call("maskedSelect", [a.tensor("input"), a.tensor("mask")])),
  masked_scatter: entry("input mask source", (a) =>
    call("maskedScatter", [a.tensor("input"), a.tensor("mask"), a.tensor("source")]),
  ),
  put: entry("input index source accumulate", (a) =>
    call("put", [a.tensor("input"), a.tensor("index"), a.tensor("source")], { accumulate: a.flag("accumulate") }),
  ),
  one_hot: entry("input num_classes", (a) => call("oneHot", [a.tensor("input")], a.number("num_classes"))),
  select_scatter: entry("input src dim index", (a) =>
    call("selectScatter", [a.tensor("input"), a.tensor("src")], a.number("dim"), a.number("index")),
  ),
  bucketize: entry("input boundaries", (a) => {
    a.ignore("out_int32");
    return call("bucketize", [a.tensor("input"), a.tensor("boundaries")], { right: a.flag("right") });
  }),
  searchsorted: entry("sorted input", (a) => {
    a.ignore("out_int32");
    return call("searchsorted", [a.tensor("sorted"), a.tensor("input")], { right: a.flag("right") });
  }),
};
