// Ops that move elements, the creation of tensors and their dtypes.
import { Value } from "../../../lib/core/value.ts";
import { type Arg, type Args, entry, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { dtypeOf, integers } from "../values.ts";

type Bound = number | null | undefined;
const cut = (x: Value, dim: number, start: Bound, stop: Bound, step: Bound): Value =>
  call("slice", [x], dim, start ?? undefined, stop ?? undefined, step ?? undefined);

/** Parts of a dimension, of these sizes. */
function parts(x: Value, sizes: number[], dim: number): Value[] {
  return call("split", [x], sizes, dim);
}
function split(a: Args): Value[] {
  const x = a.tensor("input");
  const sizes = a.get("split_size_or_sections") as number | number[];
  return call("split", [x], sizes, a.number("dim", 0));
}
/** torch.tensor_split: n nearly equal parts, or cuts at these positions. */
function tensorSplit(a: Args): Value[] {
  const x = a.tensor("input");
  const at = a.get("indices_or_sections");
  const dim = a.number("dim", 0);
  const size = x.shape.at(dim)!;
  if (typeof at === "number") {
    const sizes = Array.from({ length: at }, (_, i) => Math.floor(size / at) + (i < size % at ? 1 : 0));
    return parts(x, sizes, dim);
  }
  const positions = at instanceof Value ? integers(at) : (at as number[]);
  const cuts = [0, ...positions.map((i) => Math.min(i < 0 ? i + size : i, size)), size];
  return parts(
    x,
    cuts.slice(1).map((end, i) => Math.max(0, end - cuts[i]!)),
    dim,
  );
}
function slices(a: Args): Value {
  const x = a.tensor("input");
  if (!a.has("slices")) {
    return cut(x, a.number("dim", 0), a.number("start"), a.number("stop"), a.number("step"));
  }
  return (a.get("slices") as [number, Bound, Bound, Bound][]).reduce((y, s) => cut(y, ...s), x);
}
/** torch's pad lists the last dimension first: [left, right, top, bottom]. */
const pad = (a: Args): Value =>
  call("pad", [a.tensor("input")], a.numbers("pad"), {
    mode: a.word("mode", "constant"),
    value: a.number("value", 0),
  });

/** Sizes passed as one list. */
const sized =
  (op: string, name: string) =>
  (a: Args): Value =>
    call(op, [a.tensor("input")], a.numbers(name) ?? []);

const isSlice = (x: Arg): x is { slice: Bound[] } => typeof x === "object" && x !== null && Object.hasOwn(x, "slice");
/** Positions by list or tensor in the first dimensions, all of the rest. */
function positions(x: Value, key: readonly Arg[]): Value {
  const count = key.findLastIndex((part) => !isSlice(part)) + 1;
  const indices = key.slice(0, count).map((part) => {
    if (part instanceof Value) return part;
    if (Array.isArray(part)) return call("fromArray", [], Int32Array.from(part as number[]));
    throw new Skip("positions and something else");
  });
  return call("index", [x], indices);
}
/** input[...] of torch: each part a slice, null (a new dimension), a number, or positions. */
function item(a: Args): Value {
  const key = a.get("key");
  const list = Array.isArray(key) ? (key as Arg[]) : [key];
  if (list.some((part) => Array.isArray(part) || part instanceof Value)) return positions(a.tensor("input"), list);
  let y = a.tensor("input");
  let dim = 0;
  for (const part of list) {
    if (part === null) y = call("unsqueeze", [y], dim++);
    else if (typeof part === "number") y = call("select", [y], dim, part);
    else if (isSlice(part)) y = cut(y, dim++, ...(part.slice as [Bound, Bound, Bound]));
  }
  return y;
}
/** One list of tensors, or tensors one after the other. */
function lists(a: Args): Value[] {
  if (Array.isArray(a.get("tensors"))) return a.list("tensors");
  return [a.tensor("tensors"), ...a.names("argument").map((name) => a.tensor(name))];
}
const cat = (all: Value[], dim: number): Value => call("cat", [], all, dim);
/** A tensor with dimensions of size 1 in front until it has `rank`. */
const raised = (x: Value, rank: number): Value => (x.ndim < rank ? raised(call("unsqueeze", [x], 0), rank) : x);

/** Differences of neighbours, n times. */
function diff(x: Value, n: number, dim: number): Value {
  if (n === 0) return x;
  const size = x.shape.at(dim)!;
  return diff(call("sub", [cut(x, dim, 1, size, 1), cut(x, dim, 0, Math.max(0, size - 1), 1)]), n - 1, dim);
}
/** A plane turned k times by a right angle, from the first of its dimensions to the second. */
function rot90(x: Value, k: number, [from, to]: readonly number[]): Value {
  const turns = ((k % 4) + 4) % 4;
  return turns === 0 ? x : rot90(call("flip", [call("transpose", [x], from, to)], [from]), turns - 1, [from!, to!]);
}
const dtyped = (a: Args, preset: string) => dtypeOf(a.word("dtype", preset));

export const shape: Table = {
  cat: entry("tensors dim", (a) => cat(a.list("tensors"), a.number("dim", 0))),
  hstack: entry("tensors", (a) => {
    const all = a.list("tensors").map((x) => raised(x, 1));
    return cat(all, all[0]!.ndim === 1 ? 0 : 1);
  }),
  vstack: entry("tensors", (a) =>
    cat(
      a.list("tensors").map((x) => raised(x, 2)),
      0,
    ),
  ),
  dstack: entry("tensors", (a) =>
    cat(
      a.list("tensors").map((x) => (x.ndim < 3 ? call("unsqueeze", [raised(x, 2)], 2) : x)),
      2,
    ),
  ),
  column_stack: entry("tensors", (a) =>
    cat(
      a.list("tensors").map((x) => (x.ndim < 2 ? call("reshape", [x], [-1, 1]) : x)),
      1,
    ),
  ),
  diff: entry("input n dim prepend append", (a) => {
    const dim = a.number("dim", -1);
    const all = [a.optional("prepend"), a.tensor("input"), a.optional("append")].filter((x) => x !== undefined);
    const n = a.number("n", 1);
    return diff(n === 0 ? a.tensor("input") : cat(all, dim), n, dim);
  }),
  rot90: entry("input k dims", (a) => rot90(a.tensor("input"), a.number("k", 1), a.numbers("dims") ?? [0, 1])),
  stack: entry("tensors dim", (a) => call("stack", [], a.list("tensors"), a.number("dim", 0))),
  split: entry("input split_size_or_sections dim", split),
  split_with_sizes: entry("input split_size_or_sections dim", split),
  tensor_split: entry("input indices_or_sections dim", tensorSplit),
  chunk: entry("input chunks dim", (a) => call("chunk", [a.tensor("input")], a.number("chunks"), a.number("dim", 0))),
  unbind: entry("input dim", (a) => call("unbind", [a.tensor("input")], a.number("dim", 0))),
  slice: entry("input dim start stop step", slices),
  __getitem__: entry("input key", item),
  select: entry("input dim index", (a) => call("select", [a.tensor("input")], a.number("dim"), a.number("index"))),
  narrow: entry("input dim start length", (a) => {
    const [x, dim, length] = [a.tensor("input"), a.number("dim", 0), a.number("length", 0)];
    const start = a.number("start", 0);
    const from = start < 0 ? start + x.shape.at(dim)! : start;
    return cut(x, dim, from, from + length, 1);
  }),
  pad: entry("input pad mode value", pad),
  transpose: entry("input dim0 dim1", (a) =>
    call("transpose", [a.tensor("input")], a.number("dim0"), a.number("dim1")),
  ),
  t: entry("input", (a) => {
    const x = a.tensor("input");
    return x.ndim < 2 ? x : call("transpose", [x], 0, 1);
  }),
  permute: entry("input dims", sized("permute", "dims")),
  flip: entry("input dims", sized("flip", "dims")),
  roll: entry("input shifts dims", (a) => call("roll", [a.tensor("input")], a.get("shifts"), a.get("dims"))),
  tril: entry("input diagonal", (a) => call("tril", [a.tensor("input")], a.number("diagonal", 0))),
  triu: entry("input diagonal", (a) => call("triu", [a.tensor("input")], a.number("diagonal", 0))),
  diagonal: entry("input offset dim1 dim2", (a) =>
    call("diagonal", [a.tensor("input")], a.number("offset", 0), a.number("dim1", 0), a.number("dim2", 1)),
  ),
  diag_embed: entry("input offset dim1 dim2", (a) =>
    call("diagEmbed", [a.tensor("input")], a.number("offset", 0), a.number("dim1", -2), a.number("dim2", -1)),
  ),
  diag: entry("input offset", (a) => call("diag", [a.tensor("input")], a.number("offset", 0))),
  trace: entry("input", (a) => call("trace", [a.tensor("input")])),
  reshape: entry("input shape", sized("reshape", "shape")),
  view: entry("input shape", sized("reshape", "shape")),
  ravel: entry("input", (a) => call("flatten", [a.tensor("input")])),
  flatten: entry("input start_dim end_dim", (a) =>
    call("flatten", [a.tensor("input")], a.number("start_dim", 0), a.number("end_dim", -1)),
  ),
  unflatten: entry("input dim sizes", (a) =>
    call("unflatten", [a.tensor("input")], a.number("dim"), a.numbers("sizes")),
  ),
  squeeze: entry("input dim", (a) => call("squeeze", [a.tensor("input")], a.get("dim"))),
  unsqueeze: entry("input dim", (a) => call("unsqueeze", [a.tensor("input")], a.number("dim"))),
  expand: entry("input sizes", sized("expand", "sizes")),
  broadcast_to: entry("input sizes", sized("expand", "sizes")),
  expand_as: entry("input other", (a) => call("expand", [a.tensor("input")], a.tensor("other").shape)),
  repeat: entry("input sizes", sized("repeat", "sizes")),
  tile: entry("input sizes", sized("tile", "sizes")),
  repeat_interleave: entry("input repeats dim", (a) =>
    call("repeatInterleave", [a.tensor("input")], a.number("repeats"), a.number("dim")),
  ),
  meshgrid: entry("tensors", (a) => call("meshgrid", [], lists(a), a.word("indexing", "ij"))),
  movedim: entry("input source destination", (a) =>
    call("movedim", [a.tensor("input")], a.numbers("source"), a.numbers("destination")),
  ),

  cast: entry("input dtype", (a) => call("cast", [a.tensor("input")], dtyped(a, "f32"))),
  arange: entry("start end step", (a) =>
    call("arange", [], a.number("start", 0), a.number("end"), a.number("step", 1), dtyped(a, "i64")),
  ),
  linspace: entry("start end steps", (a) =>
    call("linspace", [], a.number("start"), a.number("end"), a.number("steps")),
  ),
  eye: entry("n m", (a) => call("eye", [], a.number("n"), a.number("m"))),
};
