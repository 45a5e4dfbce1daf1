// ONNX nodes as calls of the library. Inputs are x0, x1, ... in the order of the node.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Result, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { decode, type Encoded } from "../reader.ts";
import { dtypeOf, fromStored, integers, scalar } from "../values.ts";
import { convolution } from "./conv.ts";
import { linear } from "./linear.ts";
import { network } from "./network.ts";
import { node, x0 } from "./node.ts";
import { norms } from "./norm.ts";
import { pools } from "./pool.ts";
import { position } from "./position.ts";
import { recurrence } from "./recurrence.ts";

const unary = (name: string): Entry => node((a) => call(name, [x0(a)]));
const binary = (name: string): Entry => node((a) => call(name, [x0(a), a.tensor("x1")]));
/** A node of any number of inputs, folded from the left. */
const folded = (name: string): Entry =>
  node((a) =>
    a
      .names("x")
      .map((x) => a.tensor(x))
      .reduce((x, y) => call(name, [x, y])),
  );
const numbered = (name: string, presets: Record<string, number>): Entry =>
  node((a) => call(name, [x0(a)], ...Object.entries(presets).map(([key, preset]) => a.number(key, preset))));
const ints = (a: Args, name: string): number[] | undefined => (a.has(name) ? integers(a.tensor(name)) : undefined);

/** Elementwise opset 6: the second operand stands at an axis of the first. */
function placed(name: string): Entry {
  return node((a) => {
    const [x, y, axis] = [x0(a), a.tensor("x1"), a.number("axis", -1)];
    if (!a.flag("broadcast") || axis < 0) return call(name, [x, y]);
    const shape = [...y.shape, ...new Array<number>(x.ndim - axis - y.ndim).fill(1)];
    return call(name, [x, call("reshape", [y], shape)]);
  });
}

/** Axes as an attribute, or as a second input; none means all, or nothing to do. */
function axes(a: Args): number[] | undefined {
  const given = a.numbers("axes") ?? ints(a, "x1");
  return given?.length ? given : undefined;
}
const reduce = (f: (x: Value, dims: number[] | undefined, keepdim: boolean) => Value): Entry =>
  node((a) => {
    const [x, dims, keepdim] = [x0(a), axes(a), a.number("keepdims", 1) !== 0];
    return a.flag("noop_with_empty_axes") && !dims ? x : f(x, dims, keepdim);
  });
const sum = (x: Value, dims: number[] | undefined, keepdim: boolean): Value => call("sum", [x], dims, keepdim);
const plain = (name: string) => reduce((x, dims, keepdim) => call(name, [x], dims, keepdim));
const extreme = (name: string) =>
  reduce((x, dims, keepdim) => {
    if ((dims ?? []).some((d) => x.shape.at(d) === 0)) throw new Skip("no extreme of no elements");
    return call(name, [x], dims, keepdim);
  });
const farthest = (name: string): Entry =>
  node((a) => {
    if (a.flag("select_last_index")) throw new Skip("no last index");
    return call(name, [x0(a)], a.number("axis", 0), a.number("keepdims", 1) !== 0);
  });

/** Before opset 13 softmax took everything from the axis on as one. */
const softmax = (name: string): Entry =>
  entry("", (a) => {
    a.ignore("outputs");
    const [x, old] = [x0(a), a.number("opset", 13) < 13];
    const axis = a.number("axis", old ? 1 : -1);
    if (!old || axis === x.ndim - 1) return call(name, [x], axis);
    return call("reshape", [call(name, [call("flatten", [x], axis)], -1)], x.shape);
  });
const scan = (name: string): Entry =>
  node((a) => {
    if (a.flag("exclusive")) throw new Skip("no exclusive scan");
    const [x, dim] = [x0(a), integers(a.tensor("x1"))[0]!];
    if (!a.flag("reverse")) return call(name, [x], dim);
    return call("flip", [call(name, [call("flip", [x], [dim])], dim)], [dim]);
  });

function gemm(a: Args): Value {
  const turned = (name: string, flag: string) =>
    a.flag(flag) ? call("transpose", [a.tensor(name)], 0, 1) : a.tensor(name);
  const [x, y] = [turned("x0", "transA"), turned("x1", "transB")];
  const [alpha, beta] = [a.number("alpha", 1), a.number("beta", 1)];
  const c = a.optional("x2");
  return c ? call("addmm", [c, x, y], { alpha, beta }) : call("mul", [call("matmul", [x, y]), alpha]);
}
function flatten(a: Args): Value {
  const x = x0(a);
  const axis = a.number("axis", 1);
  const lead = x.shape.slice(0, axis).reduce((n, d) => n * d, 1);
  return call("reshape", [x], [lead, x.size / lead]);
}
function reshape(a: Args): Value {
  const [x, sizes] = [x0(a), ints(a, "x1")!];
  const kept = a.flag("allowzero") ? sizes : sizes.map((n, i) => (n === 0 ? x.shape[i]! : n));
  return call("reshape", [x], kept);
}
function slice(a: Args): Value {
  const [x, starts, ends] = [x0(a), ints(a, "x1")!, ints(a, "x2")!];
  const [along, steps] = [ints(a, "x3"), ints(a, "x4")];
  return starts.reduce((y, start, i) => call("slice", [y], along?.[i] ?? i, start, ends[i], steps?.[i] ?? 1), x);
}
function split(a: Args): Value[] {
  const [x, dim, parts] = [x0(a), a.number("axis", 0), a.number("outputs", 1)];
  const count = a.number("num_outputs", parts);
  const each = Math.ceil(x.shape.at(dim)! / count);
  return call("split", [x], a.numbers("split") ?? ints(a, "x1") ?? each, dim);
}
/** All leading sizes, then all trailing ones, where the library has pairs from the last dimension on. */
function pad(a: Args): Value {
  const x = x0(a);
  const given = a.numbers("pads") ?? ints(a, "x1")!;
  const along = ints(a, "x3") ?? x.shape.map((_, i) => i);
  const pairs = x.shape.map((_, i) => {
    const at = along.findIndex((d) => (d < 0 ? d + x.ndim : d) === i);
    return at < 0 ? [0, 0] : [given[at]!, given[at + along.length]!];
  });
  const fill = a.number(a.has("x2") ? "x2" : "value", 0);
  const mode = a.word("mode", "constant").replace("edge", "replicate").replace("wrap", "circular");
  return call("pad", [x], pairs.reverse().flat(), { mode, value: fill });
}
const steps = (name: string): Entry =>
  node((a) => {
    const along = ints(a, "x1") ?? a.numbers("axes");
    if (name === "squeeze") return call(name, [x0(a)], along);
    const rank = x0(a).ndim + along!.length;
    const sorted = along!.map((d) => (d < 0 ? d + rank : d)).sort((p, q) => p - q);
    return sorted.reduce((y, d) => call(name, [y], d), x0(a));
  });
function oneHot(a: Args): Value {
  const [index, depth, [off, on]] = [x0(a), a.number("x1", 0), parts(a.tensor("x2"))];
  const axis = a.number("axis", -1);
  const whole = call("remainder", [call("cast", [index], "i32"), depth]);
  const hot = call("cast", [call("oneHot", [whole], depth)], "bool");
  const y = call("where", [hot, on!, off!]);
  return call("movedim", [y], -1, axis);
}
const parts = (x: Value): Value[] => call("unbind", [x], 0);
/** An index may count from the end. */
const wrapped = (index: Value, n: number): Value =>
  call("where", [call("lt", [index, 0]), call("add", [index, n]), index]);
function gather(a: Args): Value {
  const [x, index, dim] = [x0(a), a.tensor("x1"), a.number("axis", 0)];
  const axis = dim < 0 ? dim + x.ndim : dim;
  const flat = call("reshape", [wrapped(index, x.shape[axis]!)], [-1]);
  const shape = x.shape.toSpliced(axis, 1, ...index.shape);
  return call("reshape", [call("indexSelect", [x], axis, flat)], shape);
}
function gatherElements(a: Args): Value {
  const [x, index, dim] = [x0(a), a.tensor("x1"), a.number("axis", 0)];
  return call("gather", [x], dim, wrapped(index, x.shape.at(dim)!));
}
function scatterElements(a: Args): Value {
  const [x, index, y, dim] = [x0(a), a.tensor("x1"), a.tensor("x2"), a.number("axis", 0)];
  const how = a.word("reduction", "none");
  if (how !== "none" && how !== "add") throw new Skip(`no scatter with ${how}`);
  return call(how === "add" ? "scatterAdd" : "scatter", [x], dim, wrapped(index, x.shape.at(dim)!), y);
}
function topk(a: Args): Result {
  a.ignore("sorted");
  const k = integers(a.tensor("x1"))[0]!;
  return call("topk", [x0(a)], k, a.number("axis", -1), a.number("largest", 1) !== 0);
}
const trilu = (a: Args): Value =>
  call(a.number("upper", 1) ? "triu" : "tril", [x0(a)], a.has("x1") ? integers(a.tensor("x1"))[0] : 0);

const loss = (name: string): Entry =>
  node((a) => {
    const y = call(name, [x0(a), a.tensor("x1")], {
      classDim: 1,
      weight: a.optional("x2"),
      reduction: a.word("reduction", "mean"),
      ignoreIndex: a.number("ignore_index", -100),
    });
    return a.number("outputs", 1) > 1 ? [y, call("logSoftmax", [x0(a)], 1)] : y;
  });
function layerNorm(a: Args): Value[] {
  a.ignore("stash_type");
  const [x, axis, eps] = [x0(a), a.number("axis", -1), a.number("epsilon", 1e-5)];
  const dims = x.shape.map((_, i) => i).slice(axis);
  const y = call("layerNorm", [x], x.shape.slice(axis), { weight: a.tensor("x1"), bias: a.optional("x2"), eps });
  const spread = call("variance", [x], dims, { correction: 0, keepdim: true });
  return [y, call("mean", [x], dims, true), call("rsqrt", [call("add", [spread, eps])])];
}
const rmsNorm = (a: Args): Value =>
  call("rmsNorm", [x0(a)], x0(a).shape.slice(a.number("axis", -1)), {
    weight: a.tensor("x1"),
    eps: a.number("epsilon", 1e-5),
  });
const swish = (x: Value, alpha: number): Value =>
  alpha === 1 ? call("silu", [x]) : call("mul", [x, call("sigmoid", [call("mul", [x, alpha])])]);

/** A tensor in an attribute. */
function constant(a: Args, preset: Value): Value {
  const value = a.get("value") as { tensor?: Encoded } | undefined;
  return value?.tensor ? fromStored(decode(value.tensor)) : preset;
}
const onnxTypes: Record<number, string> = {
  1: "f32",
  2: "u8",
  3: "i8",
  6: "i32",
  7: "i64",
  9: "bool",
  10: "f16",
  11: "f64",
  16: "bf16",
};
const typeOf = (n: number) => dtypeOf(onnxTypes[n] ?? `type ${n}`);

const torch: Record<string, string> = {
  Abs: "abs",
  Acos: "acos",
  Acosh: "acosh",
  Asin: "asin",
  Asinh: "asinh",
  Atan: "atan",
  Atanh: "atanh",
  Ceil: "ceil",
  Cos: "cos",
  Cosh: "cosh",
  Erf: "erf",
  Exp: "exp",
  Floor: "floor",
  Log: "log",
  Neg: "neg",
  Not: "logicalNot",
  Reciprocal: "reciprocal",
  Relu: "relu",
  Round: "round",
  Sigmoid: "sigmoid",
  Sign: "sign",
  Sin: "sin",
  Sinh: "sinh",
  Softplus: "softplus",
  Softsign: "softsign",
  Sqrt: "sqrt",
  Tan: "tan",
  Tanh: "tanh",
  Mish: "mish",
  HardSwish: "hardswish",
  IsNaN: "isnan",
};
const pairs: Record<string, string> = {
  And: "logicalAnd",
  Or: "logicalOr",
  Xor: "logicalXor",
  Equal: "eq",
  Greater: "gt",
  GreaterOrEqual: "ge",
  Less: "lt",
  LessOrEqual: "le",
  MatMul: "matmul",
};
const mapped = (names: Record<string, string>, make: (name: string) => Entry): Table =>
  Object.fromEntries(Object.entries(names).map(([op, name]) => [op, make(name)]));

export const onnx: Table = {
  ...convolution,
  ...linear,
  ...network,
  ...norms,
  ...pools,
  ...position,
  ...recurrence,
  ...mapped(torch, unary),
  ...mapped(pairs, binary),
  ...mapped({ Add: "add", Sub: "sub", Mul: "mul" }, placed),
  ...mapped({ Max: "maximum", Min: "minimum", Sum: "add" }, folded),
  ...mapped({ ReduceMax: "amax", ReduceMin: "amin" }, extreme),
  ...mapped({ ReduceMean: "mean", ReduceSum: "sum", ReduceProd: "prod" }, plain),
  ...mapped({ ArgMax: "argmax", ArgMin: "argmin" }, farthest),
  ...mapped({ Softmax: "softmax", LogSoftmax: "logSoftmax" }, softmax),
  ...mapped({ CumSum: "cumsum", CumProd: "cumprod" }, scan),
  ...mapped({ Squeeze: "squeeze", Unsqueeze: "unsqueeze" }, steps),
  ...mapped({ NegativeLogLikelihoodLoss: "nll", SoftmaxCrossEntropyLoss: "crossEntropy" }, loss),
  ReduceLogSumExp: plain("logsumexp"),
  ReduceL1: reduce((x, dims, keepdim) => sum(call("abs", [x]), dims, keepdim)),
  ReduceL2: reduce((x, dims, keepdim) => call("sqrt", [sum(call("square", [x]), dims, keepdim)])),
  ReduceSumSquare: reduce((x, dims, keepdim) => sum(call("square", [x]), dims, keepdim)),
  ReduceLogSum: reduce((x, dims, keepdim) => call("log", [sum(x, dims, keepdim)])),
  Mean: node((a) => {
    const all = a.names("x").map((x) => a.tensor(x));
    return call("div", [all.reduce((x, y) => call("add", [x, y])), all.length]);
  }),
  Div: node((a) => call(x0(a).isFloat ? "div" : "truncDivide", [x0(a), a.tensor("x1")])),
  Mod: node((a) => call(a.flag("fmod") ? "fmod" : "remainder", [x0(a), a.tensor("x1")])),
  Pow: node((a) => call("cast", [call("pow", [x0(a), a.tensor("x1")])], x0(a).dtype)),
  Clip: node((a) => {
    const bounds = [a.has("x1") ? a.operand("x1") : undefined, a.has("x2") ? a.operand("x2") : undefined];
    return bounds.some((b) => b !== undefined) ? call("clamp", [x0(a), ...bounds]) : x0(a);
  }),
  LeakyRelu: numbered("leakyRelu", { alpha: 0.01 }),
  Elu: numbered("elu", { alpha: 1 }),
  Celu: numbered("celu", { alpha: 1 }),
  Selu: node((a) => {
    if (a.has("alpha") || a.has("gamma")) throw new Skip("no other constants of selu");
    return call("selu", [x0(a)]);
  }),
  Gelu: node((a) => call("gelu", [x0(a)], { approximate: a.word("approximate", "none") })),
  PRelu: node((a) => {
    const [x, w] = [x0(a), a.tensor("x1")];
    return w.size === 1 || (w.ndim === 1 && x.ndim > 1 && w.size === x.shape[1])
      ? call("prelu", [x, call("reshape", [w], [-1])])
      : call("where", [call("lt", [x, 0]), call("mul", [x, w]), x]);
  }),
  HardSigmoid: node((a) => {
    const line = call("add", [call("mul", [x0(a), a.number("alpha", 0.2)]), a.number("beta", 0.5)]);
    return call("clamp", [line, 0, 1]);
  }),
  Shrink: node((a) => {
    const [lambd, bias] = [a.number("lambd", 0.5), a.number("bias", 0)];
    if (bias !== 0 && bias !== lambd) throw new Skip("no shrink of two numbers");
    return call(bias === 0 ? "hardshrink" : "softshrink", [x0(a)], lambd);
  }),
  ThresholdedRelu: node((a) => call("threshold", [x0(a)], a.number("alpha", 1), 0)),
  Swish: node((a) => swish(x0(a), a.number("alpha", 1))),
  SwiGLU: node((a) => call("mul", [swish(x0(a), a.number("alpha", 1)), a.tensor("x1")])),
  IsInf: node((a) => call("isinf", [x0(a)])),
  Gemm: node(gemm),
  Einsum: node((a) => call("einsum", [], a.word("equation", ""), ...a.names("x").map((x) => a.tensor(x)))),
  Identity: node(x0),
  Cast: node((a) => call("cast", [x0(a)], typeOf(a.number("to", 1)))),
  CastLike: node((a) => call("cast", [x0(a)], a.tensor("x1").dtype)),
  Concat: node((a) =>
    call(
      "cat",
      [],
      a.names("x").map((x) => a.tensor(x)),
      a.number("axis", 0),
    ),
  ),
  Expand: node((a) => {
    const [x, sizes] = [x0(a), ints(a, "x1")!];
    const lead = sizes.length - x.ndim;
    const shape = lead < 0 ? [...x.shape.slice(0, -lead), ...sizes] : sizes;
    return call(
      "expand",
      [x],
      shape.map((n, i) => Math.max(n, x.shape[i - Math.max(lead, 0)] ?? n)),
    );
  }),
  Flatten: node(flatten),
  Reshape: node(reshape),
  Slice: node(slice),
  Split: entry("", (a) => {
    a.ignore("opset");
    return split(a);
  }),
  Pad: node(pad),
  Tile: node((a) => call("repeat", [x0(a)], ints(a, "x1"))),
  Transpose: node((a) => call("permute", [x0(a)], a.numbers("perm") ?? x0(a).shape.map((_, i) => x0(a).ndim - 1 - i))),
  Trilu: node(trilu),
  Where: node((a) => call("where", [x0(a), a.tensor("x1"), a.tensor("x2")])),
  Gather: node(gather),
  GatherElements: node(gatherElements),
  ScatterElements: node(scatterElements),
  Scatter: node(scatterElements),
  OneHot: node(oneHot),
  TopK: node(topk),
  Range: node((a) => call("arange", [], a.number("x0", 0), a.number("x1", 0), a.number("x2", 1), x0(a).dtype)),
  EyeLike: node((a) => {
    if (a.number("k", 0) !== 0) throw new Skip("no other diagonal of eye");
    const [n, m] = x0(a).shape;
    return call("eye", [], n, m, typeOf(a.number("dtype", 1)));
  }),
  Constant: node((a) => constant(a, scalar(0))),
  ConstantOfShape: node((a) => call("contiguous", [call("expand", [constant(a, scalar(0))], ints(a, "x0"))])),
  Shape: node((a) => {
    const shape = x0(a).shape.slice(a.number("start", 0), a.number("end"));
    return call("fromArray", [], Int32Array.from(shape));
  }),
  LayerNormalization: node(layerNorm),
  RMSNormalization: node(rmsNorm),
  LpNormalization: node((a) => call("normalize", [x0(a)], a.number("axis", -1), { p: a.number("p", 2) })),
  Dropout: entry("", (a) => {
    a.ignore("seed", "x1", "opset");
    if (a.has("x2") && integers(a.tensor("x2"))[0] && a.number("x1", 0.5) > 0) throw new Skip("other random numbers");
    if (a.number("outputs", 1) > 1) throw new Skip("no mask");
    return x0(a);
  }),
};
