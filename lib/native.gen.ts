// Generated from native/ops.def by scripts/typings.mjs. Do not edit.

export type KernelType = "f32" | "f64" | "i32" | "u8" | "bool";
/** A row of the table: its number for each dtype it exists for. */
export interface Kernel {
  readonly name: string;
  readonly driver: "Map" | "Rows" | "Call";
  readonly shapes: string;
  /** What a call does to each array: w writes it whole, u updates it, r reads it. */
  readonly access: string;
  readonly id: { readonly [D in KernelType]?: number };
}
export const rowCount = 235;
export const K = {
  /** Out<T> y, In<T> x over "n n" */
  copy: { name: "copy", driver: "Map", shapes: "n n", access: "wr", id: { f32: 0, f64: 1, i32: 2, u8: 3, bool: 4 } },
  /** Out<f32> y, In<T> x over "n n" */
  cast_f32: { name: "cast_f32", driver: "Map", shapes: "n n", access: "wr", id: { f32: 5, f64: 6, i32: 7, u8: 8, bool: 9 } },
  /** Out<f64> y, In<T> x over "n n" */
  cast_f64: { name: "cast_f64", driver: "Map", shapes: "n n", access: "wr", id: { f32: 10, f64: 11, i32: 12, u8: 13, bool: 14 } },
  /** Out<i32> y, In<T> x over "n n" */
  cast_i32: { name: "cast_i32", driver: "Map", shapes: "n n", access: "wr", id: { f32: 15, f64: 16, i32: 17, u8: 18, bool: 19 } },
  /** Out<u8> y, In<T> x over "n n" */
  cast_u8: { name: "cast_u8", driver: "Map", shapes: "n n", access: "wr", id: { f32: 20, f64: 21, i32: 22, u8: 23, bool: 24 } },
  /** Out<b8> y, In<T> x over "n n" */
  cast_bool: { name: "cast_bool", driver: "Map", shapes: "n n", access: "wr", id: { f32: 25, f64: 26, i32: 27, u8: 28, bool: 29 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  add: { name: "add", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 30, f64: 31, i32: 32 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  sub: { name: "sub", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 33, f64: 34, i32: 35 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  mul: { name: "mul", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 36, f64: 37, i32: 38 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  div: { name: "div", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 39, f64: 40 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  minimum: { name: "minimum", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 41, f64: 42, i32: 43 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  maximum: { name: "maximum", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 44, f64: 45, i32: 46 } },
  /** Out<T> y, In<T> x over "n n" */
  neg: { name: "neg", driver: "Map", shapes: "n n", access: "wr", id: { f32: 47, f64: 48, i32: 49 } },
  /** Out<T> y, In<T> x over "n n" */
  abs: { name: "abs", driver: "Map", shapes: "n n", access: "wr", id: { f32: 50, f64: 51, i32: 52 } },
  /** Out<T> y, In<T> x over "n n" */
  sqrt: { name: "sqrt", driver: "Map", shapes: "n n", access: "wr", id: { f32: 53, f64: 54 } },
  /** Out<T> y, In<b8> condition, In<T> a, In<T> b over "n n n n" */
  where: { name: "where", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 55, f64: 56, i32: 57, u8: 58, bool: 59 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  eq: { name: "eq", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 60, f64: 61, i32: 62 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ne: { name: "ne", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 63, f64: 64, i32: 65 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  lt: { name: "lt", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 66, f64: 67, i32: 68 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  le: { name: "le", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 69, f64: 70, i32: 71 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  gt: { name: "gt", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 72, f64: 73, i32: 74 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ge: { name: "ge", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 75, f64: 76, i32: 77 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_and: { name: "logical_and", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 78 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_or: { name: "logical_or", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 79 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_xor: { name: "logical_xor", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 80 } },
  /** Out<T> y, In<T> x over "n n" */
  logical_not: { name: "logical_not", driver: "Map", shapes: "n n", access: "wr", id: { bool: 81 } },
  /** Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act, u32 accumulate over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  gemm: { name: "gemm", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "urrrwr", id: { f32: 82, f64: 83 } },
  /** Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  matmul: { name: "matmul", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "wrrrwr", id: { f32: 84, f64: 85 } },
  /** Out<i32> bad, In<i32> index, i32 low, i32 high, i32 ignore over "z n" */
  check_index: { name: "check_index", driver: "Call", shapes: "z n", access: "wr", id: { f32: 86 } },
  /** Out<T> y, Strided<In<T>, 3> x, Strided<In<i32>, 3> index over "akb anb akb" */
  gather: { name: "gather", driver: "Call", shapes: "akb anb akb", access: "wrr", id: { f32: 87, f64: 88, i32: 89, u8: 90, bool: 91 } },
  /** Out<T> y, Strided<In<T>, 3> x, In<i32> index over "akb anb k" */
  index_select: { name: "index_select", driver: "Call", shapes: "akb anb k", access: "wrr", id: { f32: 92, f64: 93, i32: 94, u8: 95, bool: 96 } },
  /** InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index over "anb akb akb" */
  scatter_add: { name: "scatter_add", driver: "Call", shapes: "anb akb akb", access: "urr", id: { f32: 97, f64: 98, i32: 99 } },
  /** InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index over "anb akb akb" */
  scatter: { name: "scatter", driver: "Call", shapes: "anb akb akb", access: "urr", id: { f32: 100, f64: 101, i32: 102, u8: 103, bool: 104 } },
  /** InOut<T> x, Strided<In<T>, 3> y, In<i32> index, i32 skip over "anb akb k" */
  index_add: { name: "index_add", driver: "Call", shapes: "anb akb k", access: "urr", id: { f32: 105, f64: 106, i32: 107 } },
  /** InOut<T> x, Strided<In<T>, 3> y, In<i32> index over "anb akb k" */
  index_copy: { name: "index_copy", driver: "Call", shapes: "anb akb k", access: "urr", id: { f32: 108, f64: 109, i32: 110, u8: 111, bool: 112 } },
  /** Rows<Out<T>> y, In<i32> index over "rc r" */
  one_hot: { name: "one_hot", driver: "Rows", shapes: "rc r", access: "wr", id: { f32: 113, f64: 114, i32: 115, u8: 116, bool: 117 } },
  /** Out<T> y, Strided<In<T>, 3> x, i32 diagonal over "apq apq" */
  tril: { name: "tril", driver: "Call", shapes: "apq apq", access: "wr", id: { f32: 118, f64: 119, i32: 120, u8: 121, bool: 122 } },
  /** Out<T> y, Strided<In<T>, 3> x, i32 diagonal over "apq apq" */
  triu: { name: "triu", driver: "Call", shapes: "apq apq", access: "wr", id: { f32: 123, f64: 124, i32: 125, u8: 126, bool: 127 } },
  /** Out<i32> count, In<T> x over "z n" */
  nonzero_count: { name: "nonzero_count", driver: "Call", shapes: "z n", access: "wr", id: { f32: 128, f64: 129, i32: 130, u8: 131, bool: 132 } },
  /** Out<i32> y, In<T> x over "m n" */
  nonzero: { name: "nonzero", driver: "Call", shapes: "m n", access: "wr", id: { f32: 133, f64: 134, i32: 135, u8: 136, bool: 137 } },
  /** Out<T> y, In<i32> state, T low, T high over "n s" */
  uniform: { name: "uniform", driver: "Call", shapes: "n s", access: "wr", id: { f32: 138, f64: 139 } },
  /** Out<T> y, In<i32> state, T mean, T deviation over "n s" */
  normal: { name: "normal", driver: "Call", shapes: "n s", access: "wr", id: { f32: 140, f64: 141 } },
  /** Out<T> y, In<i32> state, f64 p over "n s" */
  bernoulli: { name: "bernoulli", driver: "Call", shapes: "n s", access: "wr", id: { bool: 142 } },
  /** Out<i32> y, In<i32> state, i32 low, i32 high over "n s" */
  randint: { name: "randint", driver: "Call", shapes: "n s", access: "wr", id: { f32: 143 } },
  /** Out<i32> y, In<i32> state over "n s" */
  permutation: { name: "permutation", driver: "Call", shapes: "n s", access: "wr", id: { f32: 144 } },
  /** Out<T> y, Out<b8> mask, In<T> x, In<i32> state, T p over "n n n s" */
  dropout: { name: "dropout", driver: "Call", shapes: "n n n s", access: "wwrr", id: { f32: 145, f64: 146 } },
  /** Out<T> dx, In<T> dy, In<b8> mask, T p over "n n n" */
  dropout_grad: { name: "dropout_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 147, f64: 148 } },
  /** InOut<i32> state, f64 by over "s" */
  advance: { name: "advance", driver: "Call", shapes: "s", access: "u", id: { f32: 149 } },
  /** Out<f64> y, In<T> x, f64 p over "z n" */
  power_sum: { name: "power_sum", driver: "Call", shapes: "z n", access: "wr", id: { f32: 150, f64: 151 } },
  /** InOut<f64> clip, In<f64> sums, f64 p over "c n" */
  clip_factor: { name: "clip_factor", driver: "Call", shapes: "c n", access: "ur", id: { f32: 152 } },
  /** InOut<T> g, In<f64> factor over "n s" */
  scale_by: { name: "scale_by", driver: "Call", shapes: "n s", access: "ur", id: { f32: 153, f64: 154 } },
  /** InOut<f64> hyper over "h" */
  tick: { name: "tick", driver: "Call", shapes: "h", access: "u", id: { f32: 155 } },
  /** InOut<T> w, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale over "n n? n h s?" */
  sgd: { name: "sgd", driver: "Call", shapes: "n n? n h s?", access: "uurrr", id: { f32: 156, f64: 157 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale over "n n n n? n h s?" */
  adam: { name: "adam", driver: "Call", shapes: "n n n n? n h s?", access: "uuuurrr", id: { f32: 158, f64: 159 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale over "n n n n? n h s?" */
  adamw: { name: "adamw", driver: "Call", shapes: "n n n n? n h s?", access: "uuuurrr", id: { f32: 160, f64: 161 } },
  /** InOut<T> w, InOut<T> v, InOut<T> mean, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale over "n n n? n? n h s?" */
  rmsprop: { name: "rmsprop", driver: "Call", shapes: "n n n? n? n h s?", access: "uuuurrr", id: { f32: 162, f64: 163 } },
  /** InOut<T> w, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n h s?" */
  adagrad: { name: "adagrad", driver: "Call", shapes: "n n n h s?", access: "uurrr", id: { f32: 164, f64: 165 } },
  /** InOut<T> w, InOut<T> v, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  adadelta: { name: "adadelta", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 166, f64: 167 } },
  /** InOut<T> w, InOut<T> m, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  adamax: { name: "adamax", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 168, f64: 169 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  nadam: { name: "nadam", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 170, f64: 171 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  radam: { name: "radam", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 172, f64: 173 } },
  /** InOut<T> w, InOut<T> m, In<T> g, In<f64> hyper, In<f64> scale over "n n n h s?" */
  lion: { name: "lion", driver: "Call", shapes: "n n n h s?", access: "uurrr", id: { f32: 174, f64: 175 } },
  /** InOut<T> w, InOut<T> last, InOut<T> s, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  rprop: { name: "rprop", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 176, f64: 177 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 descending over "anb? anb? anb" */
  sort: { name: "sort", driver: "Call", shapes: "anb? anb? anb", access: "wwr", id: { f32: 178, f64: 179, i32: 180, u8: 181, bool: 182 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 largest over "akb? akb? anb" */
  topk: { name: "topk", driver: "Call", shapes: "akb? akb? anb", access: "wwr", id: { f32: 183, f64: 184, i32: 185, u8: 186, bool: 187 } },
  /** Out<i32> y, Rows<In<T>> sorted, Rows<In<T>> x, u32 right over "am an am" */
  searchsorted: { name: "searchsorted", driver: "Call", shapes: "am an am", access: "wrr", id: { f32: 188, f64: 189, i32: 190 } },
  /** Out<T> y, Strided<In<T>, 3> x, f64 divisor over "ab arb" */
  sum: { name: "sum", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 191, f64: 192, i32: 193 } },
  /** Out<T> y, Strided<In<T>, 3> x, In<T> centre, f64 divisor over "ab arb ab?" */
  sum_squares: { name: "sum_squares", driver: "Call", shapes: "ab arb ab?", access: "wrr", id: { f32: 194, f64: 195 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  prod: { name: "prod", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 196, f64: 197, i32: 198 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  amax: { name: "amax", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 199, f64: 200, i32: 201 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  amin: { name: "amin", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 202, f64: 203, i32: 204 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  any: { name: "any", driver: "Call", shapes: "ab arb", access: "wr", id: { bool: 205 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  all: { name: "all", driver: "Call", shapes: "ab arb", access: "wr", id: { bool: 206 } },
  /** Out<i32> y, Strided<In<T>, 3> x over "ab arb" */
  argmax: { name: "argmax", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 207, f64: 208, i32: 209 } },
  /** Out<i32> y, Strided<In<T>, 3> x over "ab arb" */
  argmin: { name: "argmin", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 210, f64: 211, i32: 212 } },
  /** Rows<Out<T>> y, Rows<In<T>> x over "rc rc" */
  softmax: { name: "softmax", driver: "Rows", shapes: "rc rc", access: "wr", id: { f32: 213, f64: 214 } },
  /** Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y over "rc rc rc" */
  softmax_grad: { name: "softmax_grad", driver: "Rows", shapes: "rc rc rc", access: "wrr", id: { f32: 215, f64: 216 } },
  /** Rows<Out<T>> y, Rows<In<T>> x over "rc rc" */
  log_softmax: { name: "log_softmax", driver: "Rows", shapes: "rc rc", access: "wr", id: { f32: 217, f64: 218 } },
  /** Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y over "rc rc rc" */
  log_softmax_grad: { name: "log_softmax_grad", driver: "Rows", shapes: "rc rc rc", access: "wrr", id: { f32: 219, f64: 220 } },
  /** Out<T> y, Rows<In<T>> x over "r rc" */
  logsumexp: { name: "logsumexp", driver: "Rows", shapes: "r rc", access: "wr", id: { f32: 221, f64: 222 } },
  /** Out<T> loss, Rows<Out<T>> grad, Out<T> scale, Rows<In<T>> logits, In<i32> target, In<T> weight, i32 ignore, f64 smoothing over "r rc? r? rc r c?" */
  cross_entropy: { name: "cross_entropy", driver: "Rows", shapes: "r rc? r? rc r c?", access: "wwwrrr", id: { f32: 223, f64: 224 } },
  /** Out<T> loss, Rows<Out<T>> grad, Rows<In<T>> logits, Rows<In<T>> target, In<T> weight, f64 smoothing over "r rc? rc rc c?" */
  cross_entropy_soft: { name: "cross_entropy_soft", driver: "Rows", shapes: "r rc? rc rc c?", access: "wwrrr", id: { f32: 225, f64: 226 } },
  /** Rows<Out<T>> y, Out<T> mean, Out<T> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps over "rc r? r? rc c? c?" */
  layer_norm: { name: "layer_norm", driver: "Rows", shapes: "rc r? r? rc c? c?", access: "wwwrrr", id: { f32: 227, f64: 228 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> rstd, In<T> weight over "rc? c? c? rc rc r r c?" */
  layer_norm_grad: { name: "layer_norm_grad", driver: "Call", shapes: "rc? c? c? rc rc r r c?", access: "wwwrrrrr", id: { f32: 229, f64: 230 } },
  /** Rows<Out<T>> y, Out<T> rstd, Rows<In<T>> x, In<T> weight, f64 eps over "rc r? rc c?" */
  rms_norm: { name: "rms_norm", driver: "Rows", shapes: "rc r? rc c?", access: "wwrr", id: { f32: 231, f64: 232 } },
  /** Rows<Out<T>> dx, Out<T> dw, Rows<In<T>> dy, Rows<In<T>> x, In<T> rstd, In<T> weight over "rc? c? rc rc r c?" */
  rms_norm_grad: { name: "rms_norm_grad", driver: "Call", shapes: "rc? c? rc rc r c?", access: "wwrrrr", id: { f32: 233, f64: 234 } },
} satisfies Record<string, Kernel>;
