// Reductions, scans, softmax and products.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";

type Pair = { readonly values: Value; readonly indices: Value };

/** op(x, dim, keepdim) */
const reduce = (op: string): Entry =>
  entry("input dim keepdim", (a) => call(op, [a.tensor("input")], a.dims(), a.flag("keepdim")));
/** op(x, dim) */
const along = (op: string): Entry => entry("input dim", (a) => call(op, [a.tensor("input")], a.number("dim", -1)));
const whole = (op: string): Entry => entry("input", (a) => call(op, [a.tensor("input")]));

/** var and std: torch's third argument is `correction`, or the older `unbiased`, which may stand second. */
function spread(a: Args): [Value, number | number[] | undefined, { correction: number; keepdim: boolean }] {
  const second = a.get("dim");
  const unbiased = typeof second === "boolean" ? second : a.flag("unbiased", true);
  const dim = typeof second === "boolean" ? undefined : a.dims();
  return [a.tensor("input"), dim, { correction: a.number("correction", unbiased ? 1 : 0), keepdim: a.flag("keepdim") }];
}
const spreads = "input dim unbiased keepdim";
const moment = (op: string) =>
  entry(spreads, (a) => {
    const [x, dim, { correction, keepdim }] = spread(a);
    return call(op, [x], dim, { correction, keepdim });
  });

/** torch.max(x), torch.max(x, dim), torch.max(x, other) */
const extreme = (all: string, binary: string): Entry =>
  entry("input dim keepdim", (a) => {
    const x = a.tensor("input");
    const dim = a.get("dim") ?? a.get("other");
    if (dim === undefined) return call(all, [x]);
    if (typeof dim !== "number") return call(binary, [x, dim as Value]);
    return call<Pair>(all === "amax" ? "max" : "min", [x], dim, a.flag("keepdim")) as unknown as Record<string, Value>;
  });
const sorted = (a: Args, op: string, ...rest: unknown[]): Record<string, Value> =>
  call(op, [a.tensor("input")], ...rest);

/** A p-norm over the elements of the dimensions; torch.linalg.norm of a matrix with `ord` is another thing. */
const norm = (matrices: boolean): Entry =>
  entry("input ord dim keepdim", (a) => {
    const x = a.tensor("input");
    const ord = a.get("ord") ?? a.get("p");
    const dims = a.numbers("dim");
    const matrix = matrices && (dims?.length ?? x.ndim) === 2;
    if (matrix && ord !== undefined && ord !== "fro") throw new Skip("no norms of matrices");
    const p = ord === undefined || ord === "fro" ? 2 : ord;
    if (typeof p !== "number") throw new Skip(`no norm ${String(ord)}`);
    return call("norm", [x], dims?.length ? dims : undefined, { p, keepdim: a.flag("keepdim") });
  });

const matmul = (a: string, b: string): Entry =>
  entry(`${a} ${b}`, (args) => call("matmul", [args.tensor(a), args.tensor(b)]));
const product = (op: string, second: string): Entry =>
  entry(`input ${second}`, (a) => call(op, [a.tensor("input"), a.tensor(second)]));
/** beta input + alpha (x y); torch reads nothing of input where beta is 0. */
const plus = (first: string, second: string, product: (x: Value, y: Value) => Value): Entry =>
  entry(`input ${first} ${second}`, (a) => {
    const [beta, alpha] = [a.number("beta", 1), a.number("alpha", 1)];
    const xy = product(a.tensor(first), a.tensor(second));
    const y = alpha === 1 ? xy : call("mul", [xy, alpha]);
    const input = a.tensor("input");
    return beta === 0 ? y : call("add", [beta === 1 ? input : call("mul", [input, beta]), y]);
  });
const mm = (x: Value, y: Value): Value => call("matmul", [x, y]);
const outer = (x: Value, y: Value): Value => call("outer", [x, y]);

/** The p-norm of a difference, along the last dimension or over everything. */
function distance(x: Value, y: Value, p: number, dim?: number, keepdim = false): Value {
  return call("norm", [call("sub", [x, y])], dim, { p, keepdim });
}
function bilinear(a: Args): Value {
  const [x, y, weight] = [a.tensor("input1"), a.tensor("input2"), a.tensor("weight")];
  const rows = (v: Value) => call("reshape", [v], [-1, v.shape.at(-1)!]);
  const product = call("einsum", [], "ri,oij,rj->ro", rows(x), weight, rows(y));
  const out = call("reshape", [product], [...x.shape.slice(0, -1), weight.shape[0]!]);
  const bias = a.optional("bias");
  return bias ? call("add", [out, bias]) : out;
}

export const reduction: Table = {
  sum: reduce("sum"),
  int_sum: reduce("sum"),
  mean: reduce("mean"),
  prod: reduce("prod"),
  amax: reduce("amax"),
  amin: reduce("amin"),
  logsumexp: reduce("logsumexp"),
  nansum: reduce("nansum"),
  nanmean: reduce("nanmean"),
  any: reduce("any"),
  all: reduce("all"),
  count_nonzero: entry("input dim", (a) => call("countNonzero", [a.tensor("input")], a.dims())),
  argmax: reduce("argmax"),
  argmin: reduce("argmin"),
  var: moment("variance"),
  std: moment("std"),
  var_mean: moment("varMean"),
  std_mean: moment("stdMean"),
  max: extreme("amax", "maximum"),
  min: extreme("amin", "minimum"),
  max_dim: extreme("amax", "maximum"),
  min_dim: extreme("amin", "minimum"),
  max_all: whole("amax"),
  min_all: whole("amin"),
  vector_norm: norm(false),
  norm: norm(false),
  "linalg.norm": norm(true),
  matrix_norm: entry("input ord dim keepdim", (a) => {
    if (a.get("ord") !== "fro") throw new Skip("no norms of matrices");
    return call("norm", [a.tensor("input")], a.dims(), { p: 2, keepdim: a.flag("keepdim") });
  }),
  dist: entry("input other p", (a) => distance(a.tensor("input"), a.tensor("other"), a.number("p", 2))),
  cdist: entry("x1 x2 p compute_mode", (a) => {
    a.ignore("compute_mode");
    const [x, y] = [call("unsqueeze", [a.tensor("x1")], -2), call("unsqueeze", [a.tensor("x2")], -3)];
    return distance(x, y, a.number("p", 2), -1);
  }),
  pairwise_distance: entry("x1 x2 p eps keepdim", (a) => {
    const x = call("add", [a.tensor("x1"), a.number("eps", 1e-6)]);
    return distance(x, a.tensor("x2"), a.number("p", 2), -1, a.flag("keepdim"));
  }),
  normalize: entry("input p dim eps", (a) =>
    call("normalize", [a.tensor("input")], a.number("dim", 1), { p: a.number("p", 2), eps: a.number("eps", 1e-12) }),
  ),

  softmax: along("softmax"),
  log_softmax: along("logSoftmax"),
  softmin: entry("input dim", (a) => call("softmax", [call("neg", [a.tensor("input")])], a.number("dim", -1))),
  cumsum: along("cumsum"),
  cumprod: along("cumprod"),
  logcumsumexp: along("logcumsumexp"),
  cummax: along("cummax"),
  cummin: along("cummin"),
  sort: entry("input dim descending stable", (a) => {
    a.ignore("stable");
    return sorted(a, "sort", a.number("dim", -1), a.flag("descending"));
  }),
  argsort: entry("input dim descending stable", (a) => {
    a.ignore("stable");
    return call("argsort", [a.tensor("input")], a.number("dim", -1), a.flag("descending"));
  }),
  topk: entry("input k dim largest sorted", (a) => {
    if (!a.flag("sorted", true)) throw new Skip("an order torch leaves open");
    return sorted(a, "topk", a.number("k"), a.number("dim", -1), a.flag("largest", true));
  }),
  kthvalue: entry("input k dim keepdim", (a) =>
    sorted(a, "kthvalue", a.number("k"), a.number("dim", -1), a.flag("keepdim")),
  ),
  aminmax: entry("input dim keepdim", (a) => {
    const { min, max } = call<{ min: Value; max: Value }>("aminmax", [a.tensor("input")], a.dims(), a.flag("keepdim"));
    return [min, max];
  }),

  matmul: matmul("input", "other"),
  f64_matmul: matmul("input", "other"),
  mm: product("mm", "mat2"),
  bmm: product("bmm", "mat2"),
  mv: product("mv", "vec"),
  dot: product("dot", "tensor"),
  inner: product("inner", "other"),
  outer: entry("input vec2", (a) => outer(a.tensor("input"), a.tensor("vec2"))),
  vecdot: entry("x y dim", (a) => call("sum", [call("mul", [a.tensor("x"), a.tensor("y")])], a.number("dim", -1))),
  multi_dot: entry("tensors", (a) => a.list("tensors").reduce(mm)),
  bilinear: entry("input1 input2 weight bias", bilinear),
  linear: entry("input weight bias", (a) =>
    call("linear", [a.tensor("input"), a.tensor("weight"), a.optional("bias")]),
  ),
  addmm: entry("input mat1 mat2", (a) =>
    call("addmm", [a.tensor("input"), a.tensor("mat1"), a.tensor("mat2")], {
      beta: a.number("beta", 1),
      alpha: a.number("alpha", 1),
    }),
  ),
  addmv: plus("mat", "vec", mm),
  addr: plus("vec1", "vec2", outer),
  baddbmm: plus("batch1", "batch2", mm),
  addbmm: plus("batch1", "batch2", (x, y) => call("sum", [mm(x, y)], 0)),
  einsum: entry("operands equation", (a) => call("einsum", [], a.word("equation", ""), ...a.list("operands"))),
  tensordot: entry("input other dims", (a) => call("tensordot", [a.tensor("input"), a.tensor("other")], a.get("dims"))),
};
