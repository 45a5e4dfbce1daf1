// Generated from native/ops.def by scripts/typings.mjs. Do not edit.

export type KernelType = "f32" | "f64" | "i32" | "u8" | "bool" | "bf16" | "i8";
/** A row of the table: its number for each dtype it exists for. */
export interface Kernel {
  readonly name: string;
  readonly driver: "Map" | "Rows" | "Call";
  readonly shapes: string;
  /** What a call does to each array: w writes it whole, u updates it, r reads it. */
  readonly access: string;
  readonly id: { readonly [D in KernelType]?: number };
}
export const rowCount = 503;
export const K = {
  /** Out<T> y, In<T> x over "n n" */
  copy: { name: "copy", driver: "Map", shapes: "n n", access: "wr", id: { f32: 0, f64: 1, i32: 2, u8: 3, bool: 4, bf16: 5, i8: 6 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, u32 past over "mnrc mnrc" */
  turn: { name: "turn", driver: "Call", shapes: "mnrc mnrc", access: "wr", id: { f32: 7, f64: 8, i32: 9, u8: 10, bool: 11, bf16: 12, i8: 13 } },
  /** Out<f32> y, In<T> x over "n n" */
  cast_f32: { name: "cast_f32", driver: "Map", shapes: "n n", access: "wr", id: { f32: 14, f64: 15, i32: 16, u8: 17, bool: 18 } },
  /** Out<f64> y, In<T> x over "n n" */
  cast_f64: { name: "cast_f64", driver: "Map", shapes: "n n", access: "wr", id: { f32: 19, f64: 20, i32: 21, u8: 22, bool: 23 } },
  /** Out<i32> y, In<T> x over "n n" */
  cast_i32: { name: "cast_i32", driver: "Map", shapes: "n n", access: "wr", id: { f32: 24, f64: 25, i32: 26, u8: 27, bool: 28 } },
  /** Out<u8> y, In<T> x over "n n" */
  cast_u8: { name: "cast_u8", driver: "Map", shapes: "n n", access: "wr", id: { f32: 29, f64: 30, i32: 31, u8: 32, bool: 33 } },
  /** Out<b8> y, In<T> x over "n n" */
  cast_bool: { name: "cast_bool", driver: "Map", shapes: "n n", access: "wr", id: { f32: 34, f64: 35, i32: 36, u8: 37, bool: 38 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  add: { name: "add", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 39, f64: 40, i32: 41 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  sub: { name: "sub", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 42, f64: 43, i32: 44 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  mul: { name: "mul", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 45, f64: 46, i32: 47 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  div: { name: "div", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 48, f64: 49 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  minimum: { name: "minimum", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 50, f64: 51, i32: 52 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  maximum: { name: "maximum", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 53, f64: 54, i32: 55 } },
  /** Out<T> y, In<T> x over "n n" */
  neg: { name: "neg", driver: "Map", shapes: "n n", access: "wr", id: { f32: 56, f64: 57, i32: 58 } },
  /** Out<T> y, In<T> x over "n n" */
  abs: { name: "abs", driver: "Map", shapes: "n n", access: "wr", id: { f32: 59, f64: 60, i32: 61 } },
  /** Out<T> y, In<T> x over "n n" */
  sqrt: { name: "sqrt", driver: "Map", shapes: "n n", access: "wr", id: { f32: 62, f64: 63 } },
  /** Out<T> y, In<b8> condition, In<T> a, In<T> b over "n n n n" */
  where: { name: "where", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 64, f64: 65, i32: 66, u8: 67, bool: 68 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  eq: { name: "eq", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 69, f64: 70, i32: 71 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ne: { name: "ne", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 72, f64: 73, i32: 74 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  lt: { name: "lt", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 75, f64: 76, i32: 77 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  le: { name: "le", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 78, f64: 79, i32: 80 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  gt: { name: "gt", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 81, f64: 82, i32: 83 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ge: { name: "ge", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 84, f64: 85, i32: 86 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_and: { name: "logical_and", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 87 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_or: { name: "logical_or", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 88 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_xor: { name: "logical_xor", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 89 } },
  /** Out<T> y, In<T> x over "n n" */
  logical_not: { name: "logical_not", driver: "Map", shapes: "n n", access: "wr", id: { bool: 90 } },
  /** Out<T> y, In<T> x over "n n" */
  exp: { name: "exp", driver: "Map", shapes: "n n", access: "wr", id: { f32: 91, f64: 92 } },
  /** Out<T> y, In<T> x over "n n" */
  exp2: { name: "exp2", driver: "Map", shapes: "n n", access: "wr", id: { f32: 93, f64: 94 } },
  /** Out<T> y, In<T> x over "n n" */
  expm1: { name: "expm1", driver: "Map", shapes: "n n", access: "wr", id: { f32: 95, f64: 96 } },
  /** Out<T> y, In<T> x over "n n" */
  log: { name: "log", driver: "Map", shapes: "n n", access: "wr", id: { f32: 97, f64: 98 } },
  /** Out<T> y, In<T> x over "n n" */
  log2: { name: "log2", driver: "Map", shapes: "n n", access: "wr", id: { f32: 99, f64: 100 } },
  /** Out<T> y, In<T> x over "n n" */
  log10: { name: "log10", driver: "Map", shapes: "n n", access: "wr", id: { f32: 101, f64: 102 } },
  /** Out<T> y, In<T> x over "n n" */
  log1p: { name: "log1p", driver: "Map", shapes: "n n", access: "wr", id: { f32: 103, f64: 104 } },
  /** Out<T> y, In<T> x over "n n" */
  rsqrt: { name: "rsqrt", driver: "Map", shapes: "n n", access: "wr", id: { f32: 105, f64: 106 } },
  /** Out<T> y, In<T> x over "n n" */
  reciprocal: { name: "reciprocal", driver: "Map", shapes: "n n", access: "wr", id: { f32: 107, f64: 108 } },
  /** Out<T> y, In<T> x over "n n" */
  sin: { name: "sin", driver: "Map", shapes: "n n", access: "wr", id: { f32: 109, f64: 110 } },
  /** Out<T> y, In<T> x over "n n" */
  cos: { name: "cos", driver: "Map", shapes: "n n", access: "wr", id: { f32: 111, f64: 112 } },
  /** Out<T> y, In<T> x over "n n" */
  tan: { name: "tan", driver: "Map", shapes: "n n", access: "wr", id: { f32: 113, f64: 114 } },
  /** Out<T> y, In<T> x over "n n" */
  asin: { name: "asin", driver: "Map", shapes: "n n", access: "wr", id: { f32: 115, f64: 116 } },
  /** Out<T> y, In<T> x over "n n" */
  acos: { name: "acos", driver: "Map", shapes: "n n", access: "wr", id: { f32: 117, f64: 118 } },
  /** Out<T> y, In<T> x over "n n" */
  atan: { name: "atan", driver: "Map", shapes: "n n", access: "wr", id: { f32: 119, f64: 120 } },
  /** Out<T> y, In<T> x over "n n" */
  sinh: { name: "sinh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 121, f64: 122 } },
  /** Out<T> y, In<T> x over "n n" */
  cosh: { name: "cosh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 123, f64: 124 } },
  /** Out<T> y, In<T> x over "n n" */
  asinh: { name: "asinh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 125, f64: 126 } },
  /** Out<T> y, In<T> x over "n n" */
  acosh: { name: "acosh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 127, f64: 128 } },
  /** Out<T> y, In<T> x over "n n" */
  atanh: { name: "atanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 129, f64: 130 } },
  /** Out<T> y, In<T> x over "n n" */
  erf: { name: "erf", driver: "Map", shapes: "n n", access: "wr", id: { f32: 131, f64: 132 } },
  /** Out<T> y, In<T> x over "n n" */
  erfc: { name: "erfc", driver: "Map", shapes: "n n", access: "wr", id: { f32: 133, f64: 134 } },
  /** Out<T> y, In<T> x over "n n" */
  erfinv: { name: "erfinv", driver: "Map", shapes: "n n", access: "wr", id: { f32: 135, f64: 136 } },
  /** Out<T> y, In<T> x over "n n" */
  floor: { name: "floor", driver: "Map", shapes: "n n", access: "wr", id: { f32: 137, f64: 138 } },
  /** Out<T> y, In<T> x over "n n" */
  ceil: { name: "ceil", driver: "Map", shapes: "n n", access: "wr", id: { f32: 139, f64: 140 } },
  /** Out<T> y, In<T> x over "n n" */
  round: { name: "round", driver: "Map", shapes: "n n", access: "wr", id: { f32: 141, f64: 142 } },
  /** Out<T> y, In<T> x over "n n" */
  trunc: { name: "trunc", driver: "Map", shapes: "n n", access: "wr", id: { f32: 143, f64: 144 } },
  /** Out<T> y, In<T> x over "n n" */
  frac: { name: "frac", driver: "Map", shapes: "n n", access: "wr", id: { f32: 145, f64: 146 } },
  /** Out<T> y, In<T> x over "n n" */
  logit: { name: "logit", driver: "Map", shapes: "n n", access: "wr", id: { f32: 147, f64: 148 } },
  /** Out<T> y, In<T> x over "n n" */
  sinc: { name: "sinc", driver: "Map", shapes: "n n", access: "wr", id: { f32: 149, f64: 150 } },
  /** Out<T> y, In<T> x over "n n" */
  sign: { name: "sign", driver: "Map", shapes: "n n", access: "wr", id: { f32: 151, f64: 152, i32: 153 } },
  /** Out<b8> y, In<T> x over "n n" */
  signbit: { name: "signbit", driver: "Map", shapes: "n n", access: "wr", id: { f32: 154, f64: 155 } },
  /** Out<T> y, In<T> x, T nan, T above, T below over "n n" */
  nan_to_num: { name: "nan_to_num", driver: "Map", shapes: "n n", access: "wr", id: { f32: 156, f64: 157 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  pow: { name: "pow", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 158, f64: 159 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  atan2: { name: "atan2", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 160, f64: 161 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  hypot: { name: "hypot", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 162, f64: 163 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logaddexp: { name: "logaddexp", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 164, f64: 165 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  xlogy: { name: "xlogy", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 166, f64: 167 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  fmod: { name: "fmod", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 168, f64: 169, i32: 170 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  remainder: { name: "remainder", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 171, f64: 172, i32: 173 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  floor_divide: { name: "floor_divide", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 174, f64: 175, i32: 176 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  trunc_divide: { name: "trunc_divide", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 177, f64: 178, i32: 179 } },
  /** Out<T> y, In<T> a, In<T> b, In<T> w over "n n n n" */
  lerp: { name: "lerp", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 180, f64: 181 } },
  /** Out<T> y, In<T> x, In<T> low, In<T> high over "n n n n" */
  clamp: { name: "clamp", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 182, f64: 183, i32: 184 } },
  /** Out<T> y, In<T> x over "n n" */
  relu: { name: "relu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 185, f64: 186 } },
  /** Out<T> dx, In<T> dy, In<T> y over "n n n" */
  relu_grad: { name: "relu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 187, f64: 188 } },
  /** Out<T> y, In<T> x over "n n" */
  relu6: { name: "relu6", driver: "Map", shapes: "n n", access: "wr", id: { f32: 189, f64: 190 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  relu6_grad: { name: "relu6_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 191, f64: 192 } },
  /** Out<T> y, In<T> x, T slope over "n n" */
  leaky_relu: { name: "leaky_relu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 193, f64: 194 } },
  /** Out<T> dx, In<T> dy, In<T> x, T slope over "n n n" */
  leaky_relu_grad: { name: "leaky_relu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 195, f64: 196 } },
  /** Out<T> y, In<T> x, T alpha over "n n" */
  elu: { name: "elu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 197, f64: 198 } },
  /** Out<T> dx, In<T> dy, In<T> x, T alpha over "n n n" */
  elu_grad: { name: "elu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 199, f64: 200 } },
  /** Out<T> y, In<T> x over "n n" */
  selu: { name: "selu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 201, f64: 202 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  selu_grad: { name: "selu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 203, f64: 204 } },
  /** Out<T> y, In<T> x, T alpha over "n n" */
  celu: { name: "celu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 205, f64: 206 } },
  /** Out<T> dx, In<T> dy, In<T> x, T alpha over "n n n" */
  celu_grad: { name: "celu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 207, f64: 208 } },
  /** Out<T> y, In<T> x over "n n" */
  sigmoid: { name: "sigmoid", driver: "Map", shapes: "n n", access: "wr", id: { f32: 209, f64: 210 } },
  /** Out<T> dx, In<T> dy, In<T> y over "n n n" */
  sigmoid_grad: { name: "sigmoid_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 211, f64: 212 } },
  /** Out<T> y, In<T> x over "n n" */
  tanh: { name: "tanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 213, f64: 214 } },
  /** Out<T> dx, In<T> dy, In<T> y over "n n n" */
  tanh_grad: { name: "tanh_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 215, f64: 216 } },
  /** Out<T> y, In<T> x over "n n" */
  silu: { name: "silu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 217, f64: 218 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  silu_grad: { name: "silu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 219, f64: 220 } },
  /** Out<T> y, In<T> x over "n n" */
  gelu: { name: "gelu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 221, f64: 222 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  gelu_grad: { name: "gelu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 223, f64: 224 } },
  /** Out<T> y, In<T> x over "n n" */
  gelu_tanh: { name: "gelu_tanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 225, f64: 226 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  gelu_tanh_grad: { name: "gelu_tanh_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 227, f64: 228 } },
  /** Out<T> y, In<T> x over "n n" */
  mish: { name: "mish", driver: "Map", shapes: "n n", access: "wr", id: { f32: 229, f64: 230 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  mish_grad: { name: "mish_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 231, f64: 232 } },
  /** Out<T> y, In<T> x, T beta, T threshold over "n n" */
  softplus: { name: "softplus", driver: "Map", shapes: "n n", access: "wr", id: { f32: 233, f64: 234 } },
  /** Out<T> dx, In<T> dy, In<T> x, T beta, T threshold over "n n n" */
  softplus_grad: { name: "softplus_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 235, f64: 236 } },
  /** Out<T> y, In<T> x over "n n" */
  log_sigmoid: { name: "log_sigmoid", driver: "Map", shapes: "n n", access: "wr", id: { f32: 237, f64: 238 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  log_sigmoid_grad: { name: "log_sigmoid_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 239, f64: 240 } },
  /** Out<T> y, In<T> x, T low, T high over "n n" */
  hardtanh: { name: "hardtanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 241, f64: 242 } },
  /** Out<T> dx, In<T> dy, In<T> x, T low, T high over "n n n" */
  hardtanh_grad: { name: "hardtanh_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 243, f64: 244 } },
  /** Out<T> y, In<T> x over "n n" */
  hardsigmoid: { name: "hardsigmoid", driver: "Map", shapes: "n n", access: "wr", id: { f32: 245, f64: 246 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  hardsigmoid_grad: { name: "hardsigmoid_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 247, f64: 248 } },
  /** Out<T> y, In<T> x over "n n" */
  hardswish: { name: "hardswish", driver: "Map", shapes: "n n", access: "wr", id: { f32: 249, f64: 250 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  hardswish_grad: { name: "hardswish_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 251, f64: 252 } },
  /** Out<T> y, In<T> x over "n n" */
  softsign: { name: "softsign", driver: "Map", shapes: "n n", access: "wr", id: { f32: 253, f64: 254 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  softsign_grad: { name: "softsign_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 255, f64: 256 } },
  /** Out<T> y, In<T> x over "n n" */
  tanhshrink: { name: "tanhshrink", driver: "Map", shapes: "n n", access: "wr", id: { f32: 257, f64: 258 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  tanhshrink_grad: { name: "tanhshrink_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 259, f64: 260 } },
  /** Out<T> y, In<T> x, T lambda over "n n" */
  hardshrink: { name: "hardshrink", driver: "Map", shapes: "n n", access: "wr", id: { f32: 261, f64: 262 } },
  /** Out<T> dx, In<T> dy, In<T> x, T lambda over "n n n" */
  hardshrink_grad: { name: "hardshrink_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 263, f64: 264 } },
  /** Out<T> y, In<T> x, T lambda over "n n" */
  softshrink: { name: "softshrink", driver: "Map", shapes: "n n", access: "wr", id: { f32: 265, f64: 266 } },
  /** Out<T> dx, In<T> dy, In<T> x, T lambda over "n n n" */
  softshrink_grad: { name: "softshrink_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 267, f64: 268 } },
  /** Out<T> y, In<T> x, T limit, T value over "n n" */
  threshold: { name: "threshold", driver: "Map", shapes: "n n", access: "wr", id: { f32: 269, f64: 270 } },
  /** Out<T> dx, In<T> dy, In<T> x, T limit, T value over "n n n" */
  threshold_grad: { name: "threshold_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 271, f64: 272 } },
  /** Out<T> y, In<T> x, In<T> w over "n n n" */
  prelu: { name: "prelu", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 273, f64: 274 } },
  /** Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act, u32 accumulate over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  gemm: { name: "gemm", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "urrrwr", id: { f32: 275, f64: 276 } },
  /** Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  matmul: { name: "matmul", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "wrrrwr", id: { f32: 277, f64: 278 } },
  /** Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, InOut<T> packed, In<i32> how, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act over "pqmn pqmk pqkn w z n? pqmn? pqmn?" */
  matmul_packed: { name: "matmul_packed", driver: "Call", shapes: "pqmn pqmk pqkn w z n? pqmn? pqmn?", access: "wrrurrwr", id: { f32: 279 } },
  /** Out<bf16> y, In<T> x over "n n" */
  to_bf16: { name: "to_bf16", driver: "Map", shapes: "n n", access: "wr", id: { f32: 280 } },
  /** Out<T> y, In<bf16> x over "n n" */
  from_bf16: { name: "from_bf16", driver: "Map", shapes: "n n", access: "wr", id: { f32: 281 } },
  /** Strided<InOut<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<T>, 4> b, In<f32> bias, Strided<Out<f32>, 4> z, Strided<In<f32>, 4> at, u32 act, u32 accumulate over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  gemm_bf16: { name: "gemm_bf16", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "urrrwr", id: { f32: 282, bf16: 283 } },
  /** Strided<Out<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<T>, 4> b, In<f32> bias, Strided<Out<f32>, 4> z, Strided<In<f32>, 4> at, u32 act over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  matmul_bf16: { name: "matmul_bf16", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "wrrrwr", id: { f32: 284, bf16: 285 } },
  /** Out<i8> q, Out<f32> scale, Out<i32> sum, Strided<In<T>, 2> w over "b n n nk" */
  quantize_weight: { name: "quantize_weight", driver: "Call", shapes: "b n n nk", access: "wwwr", id: { f32: 286 } },
  /** Rows<Out<T>> y, Rows<In<T>> x, In<i8> w, In<f32> scale, In<i32> sum, In<f32> bias over "mn mk b n n n?" */
  linear_i8: { name: "linear_i8", driver: "Call", shapes: "mn mk b n n n?", access: "wrrrrr", id: { f32: 287 } },
  /** Out<i32> bad, In<i32> index, i32 low, i32 high, i32 ignore over "z n" */
  check_index: { name: "check_index", driver: "Call", shapes: "z n", access: "wr", id: { f32: 288 } },
  /** Out<T> y, Strided<In<T>, 3> x, Strided<In<i32>, 3> index over "akb anb akb" */
  gather: { name: "gather", driver: "Call", shapes: "akb anb akb", access: "wrr", id: { f32: 289, f64: 290, i32: 291, u8: 292, bool: 293 } },
  /** Out<T> y, Strided<In<T>, 3> x, In<i32> index over "akb anb k" */
  index_select: { name: "index_select", driver: "Call", shapes: "akb anb k", access: "wrr", id: { f32: 294, f64: 295, i32: 296, u8: 297, bool: 298 } },
  /** InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index over "anb akb akb" */
  scatter_add: { name: "scatter_add", driver: "Call", shapes: "anb akb akb", access: "urr", id: { f32: 299, f64: 300, i32: 301 } },
  /** InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index over "anb akb akb" */
  scatter: { name: "scatter", driver: "Call", shapes: "anb akb akb", access: "urr", id: { f32: 302, f64: 303, i32: 304, u8: 305, bool: 306 } },
  /** InOut<T> x, Strided<In<T>, 3> y, In<i32> index, i32 skip over "anb akb k" */
  index_add: { name: "index_add", driver: "Call", shapes: "anb akb k", access: "urr", id: { f32: 307, f64: 308, i32: 309 } },
  /** InOut<T> x, Strided<In<T>, 3> y, In<i32> index over "anb akb k" */
  index_copy: { name: "index_copy", driver: "Call", shapes: "anb akb k", access: "urr", id: { f32: 310, f64: 311, i32: 312, u8: 313, bool: 314 } },
  /** Rows<Out<T>> y, In<i32> index over "rc r" */
  one_hot: { name: "one_hot", driver: "Rows", shapes: "rc r", access: "wr", id: { f32: 315, f64: 316, i32: 317, u8: 318, bool: 319 } },
  /** Out<T> y, Strided<In<T>, 3> x, i32 diagonal over "apq apq" */
  tril: { name: "tril", driver: "Call", shapes: "apq apq", access: "wr", id: { f32: 320, f64: 321, i32: 322, u8: 323, bool: 324 } },
  /** Out<T> y, Strided<In<T>, 3> x, i32 diagonal over "apq apq" */
  triu: { name: "triu", driver: "Call", shapes: "apq apq", access: "wr", id: { f32: 325, f64: 326, i32: 327, u8: 328, bool: 329 } },
  /** Out<i32> count, In<T> x over "z n" */
  nonzero_count: { name: "nonzero_count", driver: "Call", shapes: "z n", access: "wr", id: { f32: 330, f64: 331, i32: 332, u8: 333, bool: 334 } },
  /** Out<i32> y, In<T> x over "m n" */
  nonzero: { name: "nonzero", driver: "Call", shapes: "m n", access: "wr", id: { f32: 335, f64: 336, i32: 337, u8: 338, bool: 339 } },
  /** Out<T> y, In<i32> state, T low, T high over "n s" */
  uniform: { name: "uniform", driver: "Call", shapes: "n s", access: "wr", id: { f32: 340, f64: 341 } },
  /** Out<T> y, In<i32> state, T mean, T deviation over "n s" */
  normal: { name: "normal", driver: "Call", shapes: "n s", access: "wr", id: { f32: 342, f64: 343 } },
  /** Out<T> y, In<i32> state, f64 p over "n s" */
  bernoulli: { name: "bernoulli", driver: "Call", shapes: "n s", access: "wr", id: { bool: 344 } },
  /** Out<i32> y, In<i32> state, i32 low, i32 high over "n s" */
  randint: { name: "randint", driver: "Call", shapes: "n s", access: "wr", id: { f32: 345 } },
  /** Out<i32> y, In<i32> state over "n s" */
  permutation: { name: "permutation", driver: "Call", shapes: "n s", access: "wr", id: { f32: 346 } },
  /** Out<T> y, Out<b8> mask, In<T> x, In<i32> state, T p over "n n n s" */
  dropout: { name: "dropout", driver: "Call", shapes: "n n n s", access: "wwrr", id: { f32: 347, f64: 348 } },
  /** Out<T> dx, In<T> dy, In<b8> mask, T p over "n n n" */
  dropout_grad: { name: "dropout_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 349, f64: 350 } },
  /** InOut<i32> state, f64 by over "s" */
  advance: { name: "advance", driver: "Call", shapes: "s", access: "u", id: { f32: 351 } },
  /** Out<f64> y, In<T> x, f64 p over "z n" */
  power_sum: { name: "power_sum", driver: "Call", shapes: "z n", access: "wr", id: { f32: 352, f64: 353 } },
  /** InOut<f64> clip, In<f64> sums, f64 p over "c n" */
  clip_factor: { name: "clip_factor", driver: "Call", shapes: "c n", access: "ur", id: { f32: 354 } },
  /** InOut<T> g, In<f64> factor over "n s" */
  scale_by: { name: "scale_by", driver: "Call", shapes: "n s", access: "ur", id: { f32: 355, f64: 356 } },
  /** InOut<f64> hyper over "h" */
  tick: { name: "tick", driver: "Call", shapes: "h", access: "u", id: { f32: 357 } },
  /** InOut<T> w, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale over "n n? n h s?" */
  sgd: { name: "sgd", driver: "Call", shapes: "n n? n h s?", access: "uurrr", id: { f32: 358, f64: 359 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale over "n n n n? n h s?" */
  adam: { name: "adam", driver: "Call", shapes: "n n n n? n h s?", access: "uuuurrr", id: { f32: 360, f64: 361 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale over "n n n n? n h s?" */
  adamw: { name: "adamw", driver: "Call", shapes: "n n n n? n h s?", access: "uuuurrr", id: { f32: 362, f64: 363 } },
  /** InOut<T> w, InOut<T> v, InOut<T> mean, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale over "n n n? n? n h s?" */
  rmsprop: { name: "rmsprop", driver: "Call", shapes: "n n n? n? n h s?", access: "uuuurrr", id: { f32: 364, f64: 365 } },
  /** InOut<T> w, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n h s?" */
  adagrad: { name: "adagrad", driver: "Call", shapes: "n n n h s?", access: "uurrr", id: { f32: 366, f64: 367 } },
  /** InOut<T> w, InOut<T> v, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  adadelta: { name: "adadelta", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 368, f64: 369 } },
  /** InOut<T> w, InOut<T> m, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  adamax: { name: "adamax", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 370, f64: 371 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  nadam: { name: "nadam", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 372, f64: 373 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  radam: { name: "radam", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 374, f64: 375 } },
  /** InOut<T> w, InOut<T> m, In<T> g, In<f64> hyper, In<f64> scale over "n n n h s?" */
  lion: { name: "lion", driver: "Call", shapes: "n n n h s?", access: "uurrr", id: { f32: 376, f64: 377 } },
  /** InOut<T> w, InOut<T> last, InOut<T> s, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  rprop: { name: "rprop", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 378, f64: 379 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 descending over "anb? anb? anb" */
  sort: { name: "sort", driver: "Call", shapes: "anb? anb? anb", access: "wwr", id: { f32: 380, f64: 381, i32: 382, u8: 383, bool: 384 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 largest over "akb? akb? anb" */
  topk: { name: "topk", driver: "Call", shapes: "akb? akb? anb", access: "wwr", id: { f32: 385, f64: 386, i32: 387, u8: 388, bool: 389 } },
  /** Out<i32> y, Rows<In<T>> sorted, Rows<In<T>> x, u32 right over "am an am" */
  searchsorted: { name: "searchsorted", driver: "Call", shapes: "am an am", access: "wrr", id: { f32: 390, f64: 391, i32: 392 } },
  /** Out<T> y, Strided<In<T>, 3> x over "anb anb" */
  cumsum: { name: "cumsum", driver: "Call", shapes: "anb anb", access: "wr", id: { f32: 393, f64: 394, i32: 395 } },
  /** Out<T> y, Strided<In<T>, 3> x over "anb anb" */
  cumprod: { name: "cumprod", driver: "Call", shapes: "anb anb", access: "wr", id: { f32: 396, f64: 397, i32: 398 } },
  /** Out<T> y, In<T> a, Strided<In<T>, 3> x over "anb anb anb" */
  recurrence: { name: "recurrence", driver: "Call", shapes: "anb anb anb", access: "wrr", id: { f32: 399, f64: 400 } },
  /** Out<T> y, Strided<In<T>, 3> x over "anb anb" */
  logcumsumexp: { name: "logcumsumexp", driver: "Call", shapes: "anb anb", access: "wr", id: { f32: 401, f64: 402 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x over "anb anb anb" */
  cummax: { name: "cummax", driver: "Call", shapes: "anb anb anb", access: "wwr", id: { f32: 403, f64: 404, i32: 405 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x over "anb anb anb" */
  cummin: { name: "cummin", driver: "Call", shapes: "anb anb anb", access: "wwr", id: { f32: 406, f64: 407, i32: 408 } },
  /** Out<T> y, Strided<In<T>, 3> x, f64 divisor over "ab arb" */
  sum: { name: "sum", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 409, f64: 410, i32: 411 } },
  /** Out<T> y, Strided<In<T>, 3> x, In<T> centre, f64 divisor over "ab arb ab?" */
  sum_squares: { name: "sum_squares", driver: "Call", shapes: "ab arb ab?", access: "wrr", id: { f32: 412, f64: 413 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  prod: { name: "prod", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 414, f64: 415, i32: 416 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  amax: { name: "amax", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 417, f64: 418, i32: 419 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  amin: { name: "amin", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 420, f64: 421, i32: 422 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  any: { name: "any", driver: "Call", shapes: "ab arb", access: "wr", id: { bool: 423 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  all: { name: "all", driver: "Call", shapes: "ab arb", access: "wr", id: { bool: 424 } },
  /** Out<i32> y, Strided<In<T>, 3> x over "ab arb" */
  argmax: { name: "argmax", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 425, f64: 426, i32: 427 } },
  /** Out<i32> y, Strided<In<T>, 3> x over "ab arb" */
  argmin: { name: "argmin", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 428, f64: 429, i32: 430 } },
  /** Rows<Out<T>> y, Rows<In<T>> x over "rc rc" */
  softmax: { name: "softmax", driver: "Rows", shapes: "rc rc", access: "wr", id: { f32: 431, f64: 432 } },
  /** Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y over "rc rc rc" */
  softmax_grad: { name: "softmax_grad", driver: "Rows", shapes: "rc rc rc", access: "wrr", id: { f32: 433, f64: 434 } },
  /** Rows<Out<T>> y, Rows<In<T>> x over "rc rc" */
  log_softmax: { name: "log_softmax", driver: "Rows", shapes: "rc rc", access: "wr", id: { f32: 435, f64: 436 } },
  /** Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y over "rc rc rc" */
  log_softmax_grad: { name: "log_softmax_grad", driver: "Rows", shapes: "rc rc rc", access: "wrr", id: { f32: 437, f64: 438 } },
  /** Out<T> y, Rows<In<T>> x over "r rc" */
  logsumexp: { name: "logsumexp", driver: "Rows", shapes: "r rc", access: "wr", id: { f32: 439, f64: 440 } },
  /** Out<T> loss, Rows<Out<T>> grad, Out<T> scale, Rows<In<T>> logits, In<i32> target, In<T> weight, In<T> share, i32 ignore, f64 smoothing over "r rc? r? rc r c? r?" */
  cross_entropy: { name: "cross_entropy", driver: "Rows", shapes: "r rc? r? rc r c? r?", access: "wwwrrrr", id: { f32: 441, f64: 442 } },
  /** Out<T> loss, Rows<Out<T>> grad, Rows<In<T>> logits, Rows<In<T>> target, In<T> weight, f64 smoothing over "r rc? rc rc c?" */
  cross_entropy_soft: { name: "cross_entropy_soft", driver: "Rows", shapes: "r rc? rc rc c?", access: "wwrrr", id: { f32: 443, f64: 444 } },
  /** Rows<Out<T>> y, Out<T> mean, Out<T> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps over "rc r? r? rc c? c?" */
  layer_norm: { name: "layer_norm", driver: "Rows", shapes: "rc r? r? rc c? c?", access: "wwwrrr", id: { f32: 445, f64: 446 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> rstd, In<T> weight over "rc? c? c? rc rc r r c?" */
  layer_norm_grad: { name: "layer_norm_grad", driver: "Call", shapes: "rc? c? c? rc rc r r c?", access: "wwwrrrrr", id: { f32: 447, f64: 448 } },
  /** Rows<Out<T>> y, Out<T> rstd, Rows<In<T>> x, In<T> weight, f64 eps over "rc r? rc c?" */
  rms_norm: { name: "rms_norm", driver: "Rows", shapes: "rc r? rc c?", access: "wwrr", id: { f32: 449, f64: 450 } },
  /** Rows<Out<T>> dx, Out<T> dw, Rows<In<T>> dy, Rows<In<T>> x, In<T> rstd, In<T> weight over "rc? c? rc rc r c?" */
  rms_norm_grad: { name: "rms_norm_grad", driver: "Call", shapes: "rc? c? rc rc r c?", access: "wwrrrr", id: { f32: 451, f64: 452 } },
  /** Strided<Out<T>, 4> y, Out<T> log, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, Strided<In<b8>, 4> mask, u32 causal, f64 scale over "bmqv bmq? bmqe bgke bgkv bmqk?" */
  attention: { name: "attention", driver: "Call", shapes: "bmqv bmq? bmqe bgke bgkv bmqk?", access: "wwrrrr", id: { f32: 453, f64: 454 } },
  /** Strided<Out<T>, 4> dq, Strided<Out<T>, 4> dk, Strided<Out<T>, 4> dv, Strided<In<T>, 4> dy, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, In<T> log, Strided<In<b8>, 4> mask, u32 causal, f64 scale over "bmqe bgke bgkv bmqv bmqe bgke bgkv bmq bmqk?" */
  attention_grad: { name: "attention_grad", driver: "Call", shapes: "bmqe bgke bgkv bmqv bmqe bgke bgkv bmq bmqk?", access: "wwwrrrrrr", id: { f32: 455, f64: 456 } },
  /** Strided<Out<T>, 4> y, Out<T> log, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, Strided<In<b8>, 4> mask, u32 causal, f64 scale over "bmqv bmq? bmqe bgke bgkv bmqk?" */
  attention_bf16: { name: "attention_bf16", driver: "Call", shapes: "bmqv bmq? bmqe bgke bgkv bmqk?", access: "wwrrrr", id: { f32: 457 } },
  /** Strided<Out<T>, 4> dq, Strided<Out<T>, 4> dk, Strided<Out<T>, 4> dv, Strided<In<T>, 4> dy, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, In<T> log, Strided<In<b8>, 4> mask, u32 causal, f64 scale over "bmqe bgke bgkv bmqv bmqe bgke bgkv bmq bmqk?" */
  attention_grad_bf16: { name: "attention_grad_bf16", driver: "Call", shapes: "bmqe bgke bgkv bmqv bmqe bgke bgkv bmq bmqk?", access: "wwwrrrrrr", id: { f32: 458 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nopq nchw ofkl o?" */
  conv: { name: "conv", driver: "Call", shapes: "nopq nchw ofkl o?", access: "wrrr", id: { f32: 459, f64: 460 } },
  /** Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nchw nopq ofkl c?" */
  conv_input: { name: "conv_input", driver: "Call", shapes: "nchw nopq ofkl c?", access: "wrrr", id: { f32: 461, f64: 462 } },
  /** Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "ofkl nopq nchw" */
  conv_weight: { name: "conv_weight", driver: "Call", shapes: "ofkl nopq nchw", access: "wrr", id: { f32: 463, f64: 464 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nopq nchw ofkl o?" */
  conv_bf16: { name: "conv_bf16", driver: "Call", shapes: "nopq nchw ofkl o?", access: "wrrr", id: { f32: 465 } },
  /** Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nchw nopq ofkl c?" */
  conv_input_bf16: { name: "conv_input_bf16", driver: "Call", shapes: "nchw nopq ofkl c?", access: "wrrr", id: { f32: 466 } },
  /** Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "ofkl nopq nchw" */
  conv_weight_bf16: { name: "conv_weight_bf16", driver: "Call", shapes: "ofkl nopq nchw", access: "wrr", id: { f32: 467 } },
  /** Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w, u32 rectify over "apq apq ahw" */
  max_pool: { name: "max_pool", driver: "Call", shapes: "apq apq ahw", access: "wwr", id: { f32: 468, f64: 469 } },
  /** Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x over "apq apq ahw" */
  adaptive_max_pool: { name: "adaptive_max_pool", driver: "Call", shapes: "apq apq ahw", access: "wwr", id: { f32: 470, f64: 471 } },
  /** Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, Strided<In<i32>, 3> index, Strided<In<T>, 3> y, u32 rows, u32 cols over "ahw apq apq apq?" */
  max_pool_grad: { name: "max_pool_grad", driver: "Call", shapes: "ahw apq apq apq?", access: "wrrr", id: { f32: 472, f64: 473 } },
  /** Strided<Out<T>, 3> y, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 include, f64 divisor over "apq ahw" */
  avg_pool: { name: "avg_pool", driver: "Call", shapes: "apq ahw", access: "wr", id: { f32: 474, f64: 475 } },
  /** Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 include, f64 divisor over "ahw apq" */
  avg_pool_grad: { name: "avg_pool_grad", driver: "Call", shapes: "ahw apq", access: "wr", id: { f32: 476, f64: 477 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Rows<In<f64>> maps, f64 fill over "ncpq nchw nm" */
  warp: { name: "warp", driver: "Call", shapes: "ncpq nchw nm", access: "wrr", id: { f32: 478, f64: 479 } },
  /** Rows<InOut<T>> h, Rows<In<T>> before, In<i32> lengths, u32 rectify, i32 step over "rd rd r?" */
  rnn_cell: { name: "rnn_cell", driver: "Rows", shapes: "rd rd r?", access: "urr", id: { f32: 480, f64: 481 } },
  /** Rows<Out<T>> dz, Rows<InOut<T>> dh, Rows<In<T>> h, Rows<In<T>> dy, In<i32> lengths, u32 rectify, i32 step over "rd rd rd rd? r?" */
  rnn_cell_grad: { name: "rnn_cell_grad", driver: "Rows", shapes: "rd rd rd rd? r?", access: "wurrr", id: { f32: 482, f64: 483 } },
  /** Rows<InOut<T>> gates, Rows<Out<T>> h, Rows<Out<T>> c, Rows<In<T>> turned, Rows<In<T>> before_h, Rows<In<T>> before_c, In<i32> lengths, i32 step over "rg rd rd rg rd rd r?" */
  lstm_cell: { name: "lstm_cell", driver: "Rows", shapes: "rg rd rd rg rd rd r?", access: "uwwrrrr", id: { f32: 484, f64: 485 } },
  /** Rows<Out<T>> dz, Rows<InOut<T>> dh, Rows<InOut<T>> dc, Rows<In<T>> gates, Rows<In<T>> c, Rows<In<T>> before, Rows<In<T>> dy, Rows<In<T>> du, Rows<In<T>> dv, In<i32> lengths, i32 step over "rg rd rd rg rd rd rd? rg? rd? r?" */
  lstm_cell_grad: { name: "lstm_cell_grad", driver: "Rows", shapes: "rg rd rd rg rd rd rd? rg? rd? r?", access: "wuurrrrrrr", id: { f32: 486, f64: 487 } },
  /** Rows<InOut<T>> gates, Rows<Out<T>> h, Rows<Out<T>> q, Rows<In<T>> turned, Rows<In<T>> before, In<i32> lengths, i32 step over "rg rd rd rg rd r?" */
  gru_cell: { name: "gru_cell", driver: "Rows", shapes: "rg rd rd rg rd r?", access: "uwwrrr", id: { f32: 488, f64: 489 } },
  /** Rows<Out<T>> dx, Rows<Out<T>> dt, Rows<InOut<T>> dh, Rows<In<T>> gates, Rows<In<T>> q, Rows<In<T>> before, Rows<In<T>> dy, Rows<In<T>> du, Rows<In<T>> dv, In<i32> lengths, i32 step over "rg rg rd rg rd rd rd? rg? rd? r?" */
  gru_cell_grad: { name: "gru_cell_grad", driver: "Rows", shapes: "rg rg rd rg rd rd rd? rg? rd? r?", access: "wwurrrrrrr", id: { f32: 490, f64: 491 } },
  /** Out<f64> flops, u32 rounds over "z" */
  peak: { name: "peak", driver: "Call", shapes: "z", access: "w", id: { f32: 492 } },
  /** Out<T> mean, Out<T> var, Rows<In<T>> x over "c c ncs" */
  moments: { name: "moments", driver: "Call", shapes: "c c ncs", access: "wwr", id: { f32: 493, f64: 494 } },
  /** Rows<Out<T>> y, Rows<In<T>> x, In<T> mean, In<T> var, In<T> weight, In<T> bias, f64 eps over "ncs ncs c c c? c?" */
  batch_norm: { name: "batch_norm", driver: "Call", shapes: "ncs ncs c c c? c?", access: "wrrrrr", id: { f32: 495, f64: 496 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> var, In<T> weight, f64 eps, u32 training over "ncs? c? c? ncs ncs c c c?" */
  batch_norm_grad: { name: "batch_norm_grad", driver: "Call", shapes: "ncs? c? c? ncs ncs c c c?", access: "wwwrrrrr", id: { f32: 497, f64: 498 } },
  /** Rows<Out<T>> y, Rows<Out<T>> mean, Rows<Out<T>> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps over "ngds ng ng ngds gd? gd?" */
  group_norm: { name: "group_norm", driver: "Call", shapes: "ngds ng ng ngds gd? gd?", access: "wwwrrr", id: { f32: 499, f64: 500 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, Rows<In<T>> mean, Rows<In<T>> rstd, In<T> weight over "ngds? gd gd ngds ngds ng ng gd?" */
  group_norm_grad: { name: "group_norm_grad", driver: "Call", shapes: "ngds? gd gd ngds ngds ng ng gd?", access: "wwwrrrrr", id: { f32: 501, f64: 502 } },
} satisfies Record<string, Kernel>;
