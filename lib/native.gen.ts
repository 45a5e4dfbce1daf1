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
export const rowCount = 494;
export const K = {
  /** Out<T> y, In<T> x over "n n" */
  copy: { name: "copy", driver: "Map", shapes: "n n", access: "wr", id: { f32: 0, f64: 1, i32: 2, u8: 3, bool: 4, bf16: 5, i8: 6 } },
  /** Out<f32> y, In<T> x over "n n" */
  cast_f32: { name: "cast_f32", driver: "Map", shapes: "n n", access: "wr", id: { f32: 7, f64: 8, i32: 9, u8: 10, bool: 11 } },
  /** Out<f64> y, In<T> x over "n n" */
  cast_f64: { name: "cast_f64", driver: "Map", shapes: "n n", access: "wr", id: { f32: 12, f64: 13, i32: 14, u8: 15, bool: 16 } },
  /** Out<i32> y, In<T> x over "n n" */
  cast_i32: { name: "cast_i32", driver: "Map", shapes: "n n", access: "wr", id: { f32: 17, f64: 18, i32: 19, u8: 20, bool: 21 } },
  /** Out<u8> y, In<T> x over "n n" */
  cast_u8: { name: "cast_u8", driver: "Map", shapes: "n n", access: "wr", id: { f32: 22, f64: 23, i32: 24, u8: 25, bool: 26 } },
  /** Out<b8> y, In<T> x over "n n" */
  cast_bool: { name: "cast_bool", driver: "Map", shapes: "n n", access: "wr", id: { f32: 27, f64: 28, i32: 29, u8: 30, bool: 31 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  add: { name: "add", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 32, f64: 33, i32: 34 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  sub: { name: "sub", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 35, f64: 36, i32: 37 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  mul: { name: "mul", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 38, f64: 39, i32: 40 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  div: { name: "div", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 41, f64: 42 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  minimum: { name: "minimum", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 43, f64: 44, i32: 45 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  maximum: { name: "maximum", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 46, f64: 47, i32: 48 } },
  /** Out<T> y, In<T> x over "n n" */
  neg: { name: "neg", driver: "Map", shapes: "n n", access: "wr", id: { f32: 49, f64: 50, i32: 51 } },
  /** Out<T> y, In<T> x over "n n" */
  abs: { name: "abs", driver: "Map", shapes: "n n", access: "wr", id: { f32: 52, f64: 53, i32: 54 } },
  /** Out<T> y, In<T> x over "n n" */
  sqrt: { name: "sqrt", driver: "Map", shapes: "n n", access: "wr", id: { f32: 55, f64: 56 } },
  /** Out<T> y, In<b8> condition, In<T> a, In<T> b over "n n n n" */
  where: { name: "where", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 57, f64: 58, i32: 59, u8: 60, bool: 61 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  eq: { name: "eq", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 62, f64: 63, i32: 64 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ne: { name: "ne", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 65, f64: 66, i32: 67 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  lt: { name: "lt", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 68, f64: 69, i32: 70 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  le: { name: "le", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 71, f64: 72, i32: 73 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  gt: { name: "gt", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 74, f64: 75, i32: 76 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ge: { name: "ge", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 77, f64: 78, i32: 79 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_and: { name: "logical_and", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 80 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_or: { name: "logical_or", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 81 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_xor: { name: "logical_xor", driver: "Map", shapes: "n n n", access: "wrr", id: { bool: 82 } },
  /** Out<T> y, In<T> x over "n n" */
  logical_not: { name: "logical_not", driver: "Map", shapes: "n n", access: "wr", id: { bool: 83 } },
  /** Out<T> y, In<T> x over "n n" */
  exp: { name: "exp", driver: "Map", shapes: "n n", access: "wr", id: { f32: 84, f64: 85 } },
  /** Out<T> y, In<T> x over "n n" */
  exp2: { name: "exp2", driver: "Map", shapes: "n n", access: "wr", id: { f32: 86, f64: 87 } },
  /** Out<T> y, In<T> x over "n n" */
  expm1: { name: "expm1", driver: "Map", shapes: "n n", access: "wr", id: { f32: 88, f64: 89 } },
  /** Out<T> y, In<T> x over "n n" */
  log: { name: "log", driver: "Map", shapes: "n n", access: "wr", id: { f32: 90, f64: 91 } },
  /** Out<T> y, In<T> x over "n n" */
  log2: { name: "log2", driver: "Map", shapes: "n n", access: "wr", id: { f32: 92, f64: 93 } },
  /** Out<T> y, In<T> x over "n n" */
  log10: { name: "log10", driver: "Map", shapes: "n n", access: "wr", id: { f32: 94, f64: 95 } },
  /** Out<T> y, In<T> x over "n n" */
  log1p: { name: "log1p", driver: "Map", shapes: "n n", access: "wr", id: { f32: 96, f64: 97 } },
  /** Out<T> y, In<T> x over "n n" */
  rsqrt: { name: "rsqrt", driver: "Map", shapes: "n n", access: "wr", id: { f32: 98, f64: 99 } },
  /** Out<T> y, In<T> x over "n n" */
  reciprocal: { name: "reciprocal", driver: "Map", shapes: "n n", access: "wr", id: { f32: 100, f64: 101 } },
  /** Out<T> y, In<T> x over "n n" */
  sin: { name: "sin", driver: "Map", shapes: "n n", access: "wr", id: { f32: 102, f64: 103 } },
  /** Out<T> y, In<T> x over "n n" */
  cos: { name: "cos", driver: "Map", shapes: "n n", access: "wr", id: { f32: 104, f64: 105 } },
  /** Out<T> y, In<T> x over "n n" */
  tan: { name: "tan", driver: "Map", shapes: "n n", access: "wr", id: { f32: 106, f64: 107 } },
  /** Out<T> y, In<T> x over "n n" */
  asin: { name: "asin", driver: "Map", shapes: "n n", access: "wr", id: { f32: 108, f64: 109 } },
  /** Out<T> y, In<T> x over "n n" */
  acos: { name: "acos", driver: "Map", shapes: "n n", access: "wr", id: { f32: 110, f64: 111 } },
  /** Out<T> y, In<T> x over "n n" */
  atan: { name: "atan", driver: "Map", shapes: "n n", access: "wr", id: { f32: 112, f64: 113 } },
  /** Out<T> y, In<T> x over "n n" */
  sinh: { name: "sinh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 114, f64: 115 } },
  /** Out<T> y, In<T> x over "n n" */
  cosh: { name: "cosh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 116, f64: 117 } },
  /** Out<T> y, In<T> x over "n n" */
  asinh: { name: "asinh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 118, f64: 119 } },
  /** Out<T> y, In<T> x over "n n" */
  acosh: { name: "acosh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 120, f64: 121 } },
  /** Out<T> y, In<T> x over "n n" */
  atanh: { name: "atanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 122, f64: 123 } },
  /** Out<T> y, In<T> x over "n n" */
  erf: { name: "erf", driver: "Map", shapes: "n n", access: "wr", id: { f32: 124, f64: 125 } },
  /** Out<T> y, In<T> x over "n n" */
  erfc: { name: "erfc", driver: "Map", shapes: "n n", access: "wr", id: { f32: 126, f64: 127 } },
  /** Out<T> y, In<T> x over "n n" */
  erfinv: { name: "erfinv", driver: "Map", shapes: "n n", access: "wr", id: { f32: 128, f64: 129 } },
  /** Out<T> y, In<T> x over "n n" */
  floor: { name: "floor", driver: "Map", shapes: "n n", access: "wr", id: { f32: 130, f64: 131 } },
  /** Out<T> y, In<T> x over "n n" */
  ceil: { name: "ceil", driver: "Map", shapes: "n n", access: "wr", id: { f32: 132, f64: 133 } },
  /** Out<T> y, In<T> x over "n n" */
  round: { name: "round", driver: "Map", shapes: "n n", access: "wr", id: { f32: 134, f64: 135 } },
  /** Out<T> y, In<T> x over "n n" */
  trunc: { name: "trunc", driver: "Map", shapes: "n n", access: "wr", id: { f32: 136, f64: 137 } },
  /** Out<T> y, In<T> x over "n n" */
  frac: { name: "frac", driver: "Map", shapes: "n n", access: "wr", id: { f32: 138, f64: 139 } },
  /** Out<T> y, In<T> x over "n n" */
  logit: { name: "logit", driver: "Map", shapes: "n n", access: "wr", id: { f32: 140, f64: 141 } },
  /** Out<T> y, In<T> x over "n n" */
  sinc: { name: "sinc", driver: "Map", shapes: "n n", access: "wr", id: { f32: 142, f64: 143 } },
  /** Out<T> y, In<T> x over "n n" */
  sign: { name: "sign", driver: "Map", shapes: "n n", access: "wr", id: { f32: 144, f64: 145, i32: 146 } },
  /** Out<b8> y, In<T> x over "n n" */
  signbit: { name: "signbit", driver: "Map", shapes: "n n", access: "wr", id: { f32: 147, f64: 148 } },
  /** Out<T> y, In<T> x, T nan, T above, T below over "n n" */
  nan_to_num: { name: "nan_to_num", driver: "Map", shapes: "n n", access: "wr", id: { f32: 149, f64: 150 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  pow: { name: "pow", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 151, f64: 152 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  atan2: { name: "atan2", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 153, f64: 154 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  hypot: { name: "hypot", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 155, f64: 156 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logaddexp: { name: "logaddexp", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 157, f64: 158 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  xlogy: { name: "xlogy", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 159, f64: 160 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  fmod: { name: "fmod", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 161, f64: 162, i32: 163 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  remainder: { name: "remainder", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 164, f64: 165, i32: 166 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  floor_divide: { name: "floor_divide", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 167, f64: 168, i32: 169 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  trunc_divide: { name: "trunc_divide", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 170, f64: 171, i32: 172 } },
  /** Out<T> y, In<T> a, In<T> b, In<T> w over "n n n n" */
  lerp: { name: "lerp", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 173, f64: 174 } },
  /** Out<T> y, In<T> x, In<T> low, In<T> high over "n n n n" */
  clamp: { name: "clamp", driver: "Map", shapes: "n n n n", access: "wrrr", id: { f32: 175, f64: 176, i32: 177 } },
  /** Out<T> y, In<T> x over "n n" */
  relu: { name: "relu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 178, f64: 179 } },
  /** Out<T> dx, In<T> dy, In<T> y over "n n n" */
  relu_grad: { name: "relu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 180, f64: 181 } },
  /** Out<T> y, In<T> x over "n n" */
  relu6: { name: "relu6", driver: "Map", shapes: "n n", access: "wr", id: { f32: 182, f64: 183 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  relu6_grad: { name: "relu6_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 184, f64: 185 } },
  /** Out<T> y, In<T> x, T slope over "n n" */
  leaky_relu: { name: "leaky_relu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 186, f64: 187 } },
  /** Out<T> dx, In<T> dy, In<T> x, T slope over "n n n" */
  leaky_relu_grad: { name: "leaky_relu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 188, f64: 189 } },
  /** Out<T> y, In<T> x, T alpha over "n n" */
  elu: { name: "elu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 190, f64: 191 } },
  /** Out<T> dx, In<T> dy, In<T> x, T alpha over "n n n" */
  elu_grad: { name: "elu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 192, f64: 193 } },
  /** Out<T> y, In<T> x over "n n" */
  selu: { name: "selu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 194, f64: 195 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  selu_grad: { name: "selu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 196, f64: 197 } },
  /** Out<T> y, In<T> x, T alpha over "n n" */
  celu: { name: "celu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 198, f64: 199 } },
  /** Out<T> dx, In<T> dy, In<T> x, T alpha over "n n n" */
  celu_grad: { name: "celu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 200, f64: 201 } },
  /** Out<T> y, In<T> x over "n n" */
  sigmoid: { name: "sigmoid", driver: "Map", shapes: "n n", access: "wr", id: { f32: 202, f64: 203 } },
  /** Out<T> dx, In<T> dy, In<T> y over "n n n" */
  sigmoid_grad: { name: "sigmoid_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 204, f64: 205 } },
  /** Out<T> y, In<T> x over "n n" */
  tanh: { name: "tanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 206, f64: 207 } },
  /** Out<T> dx, In<T> dy, In<T> y over "n n n" */
  tanh_grad: { name: "tanh_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 208, f64: 209 } },
  /** Out<T> y, In<T> x over "n n" */
  silu: { name: "silu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 210, f64: 211 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  silu_grad: { name: "silu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 212, f64: 213 } },
  /** Out<T> y, In<T> x over "n n" */
  gelu: { name: "gelu", driver: "Map", shapes: "n n", access: "wr", id: { f32: 214, f64: 215 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  gelu_grad: { name: "gelu_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 216, f64: 217 } },
  /** Out<T> y, In<T> x over "n n" */
  gelu_tanh: { name: "gelu_tanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 218, f64: 219 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  gelu_tanh_grad: { name: "gelu_tanh_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 220, f64: 221 } },
  /** Out<T> y, In<T> x over "n n" */
  mish: { name: "mish", driver: "Map", shapes: "n n", access: "wr", id: { f32: 222, f64: 223 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  mish_grad: { name: "mish_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 224, f64: 225 } },
  /** Out<T> y, In<T> x, T beta, T threshold over "n n" */
  softplus: { name: "softplus", driver: "Map", shapes: "n n", access: "wr", id: { f32: 226, f64: 227 } },
  /** Out<T> dx, In<T> dy, In<T> x, T beta, T threshold over "n n n" */
  softplus_grad: { name: "softplus_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 228, f64: 229 } },
  /** Out<T> y, In<T> x over "n n" */
  log_sigmoid: { name: "log_sigmoid", driver: "Map", shapes: "n n", access: "wr", id: { f32: 230, f64: 231 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  log_sigmoid_grad: { name: "log_sigmoid_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 232, f64: 233 } },
  /** Out<T> y, In<T> x, T low, T high over "n n" */
  hardtanh: { name: "hardtanh", driver: "Map", shapes: "n n", access: "wr", id: { f32: 234, f64: 235 } },
  /** Out<T> dx, In<T> dy, In<T> x, T low, T high over "n n n" */
  hardtanh_grad: { name: "hardtanh_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 236, f64: 237 } },
  /** Out<T> y, In<T> x over "n n" */
  hardsigmoid: { name: "hardsigmoid", driver: "Map", shapes: "n n", access: "wr", id: { f32: 238, f64: 239 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  hardsigmoid_grad: { name: "hardsigmoid_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 240, f64: 241 } },
  /** Out<T> y, In<T> x over "n n" */
  hardswish: { name: "hardswish", driver: "Map", shapes: "n n", access: "wr", id: { f32: 242, f64: 243 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  hardswish_grad: { name: "hardswish_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 244, f64: 245 } },
  /** Out<T> y, In<T> x over "n n" */
  softsign: { name: "softsign", driver: "Map", shapes: "n n", access: "wr", id: { f32: 246, f64: 247 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  softsign_grad: { name: "softsign_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 248, f64: 249 } },
  /** Out<T> y, In<T> x over "n n" */
  tanhshrink: { name: "tanhshrink", driver: "Map", shapes: "n n", access: "wr", id: { f32: 250, f64: 251 } },
  /** Out<T> dx, In<T> dy, In<T> x over "n n n" */
  tanhshrink_grad: { name: "tanhshrink_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 252, f64: 253 } },
  /** Out<T> y, In<T> x, T lambda over "n n" */
  hardshrink: { name: "hardshrink", driver: "Map", shapes: "n n", access: "wr", id: { f32: 254, f64: 255 } },
  /** Out<T> dx, In<T> dy, In<T> x, T lambda over "n n n" */
  hardshrink_grad: { name: "hardshrink_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 256, f64: 257 } },
  /** Out<T> y, In<T> x, T lambda over "n n" */
  softshrink: { name: "softshrink", driver: "Map", shapes: "n n", access: "wr", id: { f32: 258, f64: 259 } },
  /** Out<T> dx, In<T> dy, In<T> x, T lambda over "n n n" */
  softshrink_grad: { name: "softshrink_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 260, f64: 261 } },
  /** Out<T> y, In<T> x, T limit, T value over "n n" */
  threshold: { name: "threshold", driver: "Map", shapes: "n n", access: "wr", id: { f32: 262, f64: 263 } },
  /** Out<T> dx, In<T> dy, In<T> x, T limit, T value over "n n n" */
  threshold_grad: { name: "threshold_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 264, f64: 265 } },
  /** Out<T> y, In<T> x, In<T> w over "n n n" */
  prelu: { name: "prelu", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 266, f64: 267 } },
  /** Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act, u32 accumulate over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  gemm: { name: "gemm", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "urrrwr", id: { f32: 268, f64: 269 } },
  /** Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  matmul: { name: "matmul", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "wrrrwr", id: { f32: 270, f64: 271 } },
  /** Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, InOut<T> packed, In<i32> how, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act over "pqmn pqmk pqkn w z n? pqmn? pqmn?" */
  matmul_packed: { name: "matmul_packed", driver: "Call", shapes: "pqmn pqmk pqkn w z n? pqmn? pqmn?", access: "wrrurrwr", id: { f32: 272 } },
  /** Out<bf16> y, In<T> x over "n n" */
  to_bf16: { name: "to_bf16", driver: "Map", shapes: "n n", access: "wr", id: { f32: 273 } },
  /** Out<T> y, In<bf16> x over "n n" */
  from_bf16: { name: "from_bf16", driver: "Map", shapes: "n n", access: "wr", id: { f32: 274 } },
  /** Strided<InOut<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<T>, 4> b, In<f32> bias, Strided<Out<f32>, 4> z, Strided<In<f32>, 4> at, u32 act, u32 accumulate over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  gemm_bf16: { name: "gemm_bf16", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "urrrwr", id: { f32: 275, bf16: 276 } },
  /** Strided<Out<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<T>, 4> b, In<f32> bias, Strided<Out<f32>, 4> z, Strided<In<f32>, 4> at, u32 act over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  matmul_bf16: { name: "matmul_bf16", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", access: "wrrrwr", id: { f32: 277, bf16: 278 } },
  /** Out<i8> q, Out<f32> scale, Out<i32> sum, Strided<In<T>, 2> w over "b n n nk" */
  quantize_weight: { name: "quantize_weight", driver: "Call", shapes: "b n n nk", access: "wwwr", id: { f32: 279 } },
  /** Rows<Out<T>> y, Rows<In<T>> x, In<i8> w, In<f32> scale, In<i32> sum, In<f32> bias over "mn mk b n n n?" */
  linear_i8: { name: "linear_i8", driver: "Call", shapes: "mn mk b n n n?", access: "wrrrrr", id: { f32: 280 } },
  /** Out<i32> bad, In<i32> index, i32 low, i32 high, i32 ignore over "z n" */
  check_index: { name: "check_index", driver: "Call", shapes: "z n", access: "wr", id: { f32: 281 } },
  /** Out<T> y, Strided<In<T>, 3> x, Strided<In<i32>, 3> index over "akb anb akb" */
  gather: { name: "gather", driver: "Call", shapes: "akb anb akb", access: "wrr", id: { f32: 282, f64: 283, i32: 284, u8: 285, bool: 286 } },
  /** Out<T> y, Strided<In<T>, 3> x, In<i32> index over "akb anb k" */
  index_select: { name: "index_select", driver: "Call", shapes: "akb anb k", access: "wrr", id: { f32: 287, f64: 288, i32: 289, u8: 290, bool: 291 } },
  /** InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index over "anb akb akb" */
  scatter_add: { name: "scatter_add", driver: "Call", shapes: "anb akb akb", access: "urr", id: { f32: 292, f64: 293, i32: 294 } },
  /** InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index over "anb akb akb" */
  scatter: { name: "scatter", driver: "Call", shapes: "anb akb akb", access: "urr", id: { f32: 295, f64: 296, i32: 297, u8: 298, bool: 299 } },
  /** InOut<T> x, Strided<In<T>, 3> y, In<i32> index, i32 skip over "anb akb k" */
  index_add: { name: "index_add", driver: "Call", shapes: "anb akb k", access: "urr", id: { f32: 300, f64: 301, i32: 302 } },
  /** InOut<T> x, Strided<In<T>, 3> y, In<i32> index over "anb akb k" */
  index_copy: { name: "index_copy", driver: "Call", shapes: "anb akb k", access: "urr", id: { f32: 303, f64: 304, i32: 305, u8: 306, bool: 307 } },
  /** Rows<Out<T>> y, In<i32> index over "rc r" */
  one_hot: { name: "one_hot", driver: "Rows", shapes: "rc r", access: "wr", id: { f32: 308, f64: 309, i32: 310, u8: 311, bool: 312 } },
  /** Out<T> y, Strided<In<T>, 3> x, i32 diagonal over "apq apq" */
  tril: { name: "tril", driver: "Call", shapes: "apq apq", access: "wr", id: { f32: 313, f64: 314, i32: 315, u8: 316, bool: 317 } },
  /** Out<T> y, Strided<In<T>, 3> x, i32 diagonal over "apq apq" */
  triu: { name: "triu", driver: "Call", shapes: "apq apq", access: "wr", id: { f32: 318, f64: 319, i32: 320, u8: 321, bool: 322 } },
  /** Out<i32> count, In<T> x over "z n" */
  nonzero_count: { name: "nonzero_count", driver: "Call", shapes: "z n", access: "wr", id: { f32: 323, f64: 324, i32: 325, u8: 326, bool: 327 } },
  /** Out<i32> y, In<T> x over "m n" */
  nonzero: { name: "nonzero", driver: "Call", shapes: "m n", access: "wr", id: { f32: 328, f64: 329, i32: 330, u8: 331, bool: 332 } },
  /** Out<T> y, In<i32> state, T low, T high over "n s" */
  uniform: { name: "uniform", driver: "Call", shapes: "n s", access: "wr", id: { f32: 333, f64: 334 } },
  /** Out<T> y, In<i32> state, T mean, T deviation over "n s" */
  normal: { name: "normal", driver: "Call", shapes: "n s", access: "wr", id: { f32: 335, f64: 336 } },
  /** Out<T> y, In<i32> state, f64 p over "n s" */
  bernoulli: { name: "bernoulli", driver: "Call", shapes: "n s", access: "wr", id: { bool: 337 } },
  /** Out<i32> y, In<i32> state, i32 low, i32 high over "n s" */
  randint: { name: "randint", driver: "Call", shapes: "n s", access: "wr", id: { f32: 338 } },
  /** Out<i32> y, In<i32> state over "n s" */
  permutation: { name: "permutation", driver: "Call", shapes: "n s", access: "wr", id: { f32: 339 } },
  /** Out<T> y, Out<b8> mask, In<T> x, In<i32> state, T p over "n n n s" */
  dropout: { name: "dropout", driver: "Call", shapes: "n n n s", access: "wwrr", id: { f32: 340, f64: 341 } },
  /** Out<T> dx, In<T> dy, In<b8> mask, T p over "n n n" */
  dropout_grad: { name: "dropout_grad", driver: "Map", shapes: "n n n", access: "wrr", id: { f32: 342, f64: 343 } },
  /** InOut<i32> state, f64 by over "s" */
  advance: { name: "advance", driver: "Call", shapes: "s", access: "u", id: { f32: 344 } },
  /** Out<f64> y, In<T> x, f64 p over "z n" */
  power_sum: { name: "power_sum", driver: "Call", shapes: "z n", access: "wr", id: { f32: 345, f64: 346 } },
  /** InOut<f64> clip, In<f64> sums, f64 p over "c n" */
  clip_factor: { name: "clip_factor", driver: "Call", shapes: "c n", access: "ur", id: { f32: 347 } },
  /** InOut<T> g, In<f64> factor over "n s" */
  scale_by: { name: "scale_by", driver: "Call", shapes: "n s", access: "ur", id: { f32: 348, f64: 349 } },
  /** InOut<f64> hyper over "h" */
  tick: { name: "tick", driver: "Call", shapes: "h", access: "u", id: { f32: 350 } },
  /** InOut<T> w, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale over "n n? n h s?" */
  sgd: { name: "sgd", driver: "Call", shapes: "n n? n h s?", access: "uurrr", id: { f32: 351, f64: 352 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale over "n n n n? n h s?" */
  adam: { name: "adam", driver: "Call", shapes: "n n n n? n h s?", access: "uuuurrr", id: { f32: 353, f64: 354 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale over "n n n n? n h s?" */
  adamw: { name: "adamw", driver: "Call", shapes: "n n n n? n h s?", access: "uuuurrr", id: { f32: 355, f64: 356 } },
  /** InOut<T> w, InOut<T> v, InOut<T> mean, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale over "n n n? n? n h s?" */
  rmsprop: { name: "rmsprop", driver: "Call", shapes: "n n n? n? n h s?", access: "uuuurrr", id: { f32: 357, f64: 358 } },
  /** InOut<T> w, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n h s?" */
  adagrad: { name: "adagrad", driver: "Call", shapes: "n n n h s?", access: "uurrr", id: { f32: 359, f64: 360 } },
  /** InOut<T> w, InOut<T> v, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  adadelta: { name: "adadelta", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 361, f64: 362 } },
  /** InOut<T> w, InOut<T> m, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  adamax: { name: "adamax", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 363, f64: 364 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  nadam: { name: "nadam", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 365, f64: 366 } },
  /** InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  radam: { name: "radam", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 367, f64: 368 } },
  /** InOut<T> w, InOut<T> m, In<T> g, In<f64> hyper, In<f64> scale over "n n n h s?" */
  lion: { name: "lion", driver: "Call", shapes: "n n n h s?", access: "uurrr", id: { f32: 369, f64: 370 } },
  /** InOut<T> w, InOut<T> last, InOut<T> s, In<T> g, In<f64> hyper, In<f64> scale over "n n n n h s?" */
  rprop: { name: "rprop", driver: "Call", shapes: "n n n n h s?", access: "uuurrr", id: { f32: 371, f64: 372 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 descending over "anb? anb? anb" */
  sort: { name: "sort", driver: "Call", shapes: "anb? anb? anb", access: "wwr", id: { f32: 373, f64: 374, i32: 375, u8: 376, bool: 377 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 largest over "akb? akb? anb" */
  topk: { name: "topk", driver: "Call", shapes: "akb? akb? anb", access: "wwr", id: { f32: 378, f64: 379, i32: 380, u8: 381, bool: 382 } },
  /** Out<i32> y, Rows<In<T>> sorted, Rows<In<T>> x, u32 right over "am an am" */
  searchsorted: { name: "searchsorted", driver: "Call", shapes: "am an am", access: "wrr", id: { f32: 383, f64: 384, i32: 385 } },
  /** Out<T> y, Strided<In<T>, 3> x over "anb anb" */
  cumsum: { name: "cumsum", driver: "Call", shapes: "anb anb", access: "wr", id: { f32: 386, f64: 387, i32: 388 } },
  /** Out<T> y, Strided<In<T>, 3> x over "anb anb" */
  cumprod: { name: "cumprod", driver: "Call", shapes: "anb anb", access: "wr", id: { f32: 389, f64: 390, i32: 391 } },
  /** Out<T> y, In<T> a, Strided<In<T>, 3> x over "anb anb anb" */
  recurrence: { name: "recurrence", driver: "Call", shapes: "anb anb anb", access: "wrr", id: { f32: 392, f64: 393 } },
  /** Out<T> y, Strided<In<T>, 3> x over "anb anb" */
  logcumsumexp: { name: "logcumsumexp", driver: "Call", shapes: "anb anb", access: "wr", id: { f32: 394, f64: 395 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x over "anb anb anb" */
  cummax: { name: "cummax", driver: "Call", shapes: "anb anb anb", access: "wwr", id: { f32: 396, f64: 397, i32: 398 } },
  /** Out<T> values, Out<i32> indices, Strided<In<T>, 3> x over "anb anb anb" */
  cummin: { name: "cummin", driver: "Call", shapes: "anb anb anb", access: "wwr", id: { f32: 399, f64: 400, i32: 401 } },
  /** Out<T> y, Strided<In<T>, 3> x, f64 divisor over "ab arb" */
  sum: { name: "sum", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 402, f64: 403, i32: 404 } },
  /** Out<T> y, Strided<In<T>, 3> x, In<T> centre, f64 divisor over "ab arb ab?" */
  sum_squares: { name: "sum_squares", driver: "Call", shapes: "ab arb ab?", access: "wrr", id: { f32: 405, f64: 406 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  prod: { name: "prod", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 407, f64: 408, i32: 409 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  amax: { name: "amax", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 410, f64: 411, i32: 412 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  amin: { name: "amin", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 413, f64: 414, i32: 415 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  any: { name: "any", driver: "Call", shapes: "ab arb", access: "wr", id: { bool: 416 } },
  /** Out<T> y, Strided<In<T>, 3> x over "ab arb" */
  all: { name: "all", driver: "Call", shapes: "ab arb", access: "wr", id: { bool: 417 } },
  /** Out<i32> y, Strided<In<T>, 3> x over "ab arb" */
  argmax: { name: "argmax", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 418, f64: 419, i32: 420 } },
  /** Out<i32> y, Strided<In<T>, 3> x over "ab arb" */
  argmin: { name: "argmin", driver: "Call", shapes: "ab arb", access: "wr", id: { f32: 421, f64: 422, i32: 423 } },
  /** Rows<Out<T>> y, Rows<In<T>> x over "rc rc" */
  softmax: { name: "softmax", driver: "Rows", shapes: "rc rc", access: "wr", id: { f32: 424, f64: 425 } },
  /** Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y over "rc rc rc" */
  softmax_grad: { name: "softmax_grad", driver: "Rows", shapes: "rc rc rc", access: "wrr", id: { f32: 426, f64: 427 } },
  /** Rows<Out<T>> y, Rows<In<T>> x over "rc rc" */
  log_softmax: { name: "log_softmax", driver: "Rows", shapes: "rc rc", access: "wr", id: { f32: 428, f64: 429 } },
  /** Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y over "rc rc rc" */
  log_softmax_grad: { name: "log_softmax_grad", driver: "Rows", shapes: "rc rc rc", access: "wrr", id: { f32: 430, f64: 431 } },
  /** Out<T> y, Rows<In<T>> x over "r rc" */
  logsumexp: { name: "logsumexp", driver: "Rows", shapes: "r rc", access: "wr", id: { f32: 432, f64: 433 } },
  /** Out<T> loss, Rows<Out<T>> grad, Out<T> scale, Rows<In<T>> logits, In<i32> target, In<T> weight, In<T> share, i32 ignore, f64 smoothing over "r rc? r? rc r c? r?" */
  cross_entropy: { name: "cross_entropy", driver: "Rows", shapes: "r rc? r? rc r c? r?", access: "wwwrrrr", id: { f32: 434, f64: 435 } },
  /** Out<T> loss, Rows<Out<T>> grad, Rows<In<T>> logits, Rows<In<T>> target, In<T> weight, f64 smoothing over "r rc? rc rc c?" */
  cross_entropy_soft: { name: "cross_entropy_soft", driver: "Rows", shapes: "r rc? rc rc c?", access: "wwrrr", id: { f32: 436, f64: 437 } },
  /** Rows<Out<T>> y, Out<T> mean, Out<T> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps over "rc r? r? rc c? c?" */
  layer_norm: { name: "layer_norm", driver: "Rows", shapes: "rc r? r? rc c? c?", access: "wwwrrr", id: { f32: 438, f64: 439 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> rstd, In<T> weight over "rc? c? c? rc rc r r c?" */
  layer_norm_grad: { name: "layer_norm_grad", driver: "Call", shapes: "rc? c? c? rc rc r r c?", access: "wwwrrrrr", id: { f32: 440, f64: 441 } },
  /** Rows<Out<T>> y, Out<T> rstd, Rows<In<T>> x, In<T> weight, f64 eps over "rc r? rc c?" */
  rms_norm: { name: "rms_norm", driver: "Rows", shapes: "rc r? rc c?", access: "wwrr", id: { f32: 442, f64: 443 } },
  /** Rows<Out<T>> dx, Out<T> dw, Rows<In<T>> dy, Rows<In<T>> x, In<T> rstd, In<T> weight over "rc? c? rc rc r c?" */
  rms_norm_grad: { name: "rms_norm_grad", driver: "Call", shapes: "rc? c? rc rc r c?", access: "wwrrrr", id: { f32: 444, f64: 445 } },
  /** Strided<Out<T>, 4> y, Out<T> log, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, Strided<In<b8>, 4> mask, u32 causal, f64 scale over "bmqv bmq? bmqe bgke bgkv bmqk?" */
  attention: { name: "attention", driver: "Call", shapes: "bmqv bmq? bmqe bgke bgkv bmqk?", access: "wwrrrr", id: { f32: 446, f64: 447 } },
  /** Strided<Out<T>, 4> dq, Strided<Out<T>, 4> dk, Strided<Out<T>, 4> dv, Strided<In<T>, 4> dy, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, In<T> log, Strided<In<b8>, 4> mask, u32 causal, f64 scale over "bmqe bgke bgkv bmqv bmqe bgke bgkv bmq bmqk?" */
  attention_grad: { name: "attention_grad", driver: "Call", shapes: "bmqe bgke bgkv bmqv bmqe bgke bgkv bmq bmqk?", access: "wwwrrrrrr", id: { f32: 448, f64: 449 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nopq nchw ofkl o?" */
  conv: { name: "conv", driver: "Call", shapes: "nopq nchw ofkl o?", access: "wrrr", id: { f32: 450, f64: 451 } },
  /** Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nchw nopq ofkl c?" */
  conv_input: { name: "conv_input", driver: "Call", shapes: "nchw nopq ofkl c?", access: "wrrr", id: { f32: 452, f64: 453 } },
  /** Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "ofkl nopq nchw" */
  conv_weight: { name: "conv_weight", driver: "Call", shapes: "ofkl nopq nchw", access: "wrr", id: { f32: 454, f64: 455 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nopq nchw ofkl o?" */
  conv_bf16: { name: "conv_bf16", driver: "Call", shapes: "nopq nchw ofkl o?", access: "wrrr", id: { f32: 456 } },
  /** Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "nchw nopq ofkl c?" */
  conv_input_bf16: { name: "conv_input_bf16", driver: "Call", shapes: "nchw nopq ofkl c?", access: "wrrr", id: { f32: 457 } },
  /** Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w over "ofkl nopq nchw" */
  conv_weight_bf16: { name: "conv_weight_bf16", driver: "Call", shapes: "ofkl nopq nchw", access: "wrr", id: { f32: 458 } },
  /** Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w, u32 rectify over "apq apq ahw" */
  max_pool: { name: "max_pool", driver: "Call", shapes: "apq apq ahw", access: "wwr", id: { f32: 459, f64: 460 } },
  /** Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x over "apq apq ahw" */
  adaptive_max_pool: { name: "adaptive_max_pool", driver: "Call", shapes: "apq apq ahw", access: "wwr", id: { f32: 461, f64: 462 } },
  /** Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, Strided<In<i32>, 3> index, Strided<In<T>, 3> y, u32 rows, u32 cols over "ahw apq apq apq?" */
  max_pool_grad: { name: "max_pool_grad", driver: "Call", shapes: "ahw apq apq apq?", access: "wrrr", id: { f32: 463, f64: 464 } },
  /** Strided<Out<T>, 3> y, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 include, f64 divisor over "apq ahw" */
  avg_pool: { name: "avg_pool", driver: "Call", shapes: "apq ahw", access: "wr", id: { f32: 465, f64: 466 } },
  /** Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 include, f64 divisor over "ahw apq" */
  avg_pool_grad: { name: "avg_pool_grad", driver: "Call", shapes: "ahw apq", access: "wr", id: { f32: 467, f64: 468 } },
  /** Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Rows<In<f64>> maps, f64 fill over "ncpq nchw nm" */
  warp: { name: "warp", driver: "Call", shapes: "ncpq nchw nm", access: "wrr", id: { f32: 469, f64: 470 } },
  /** Rows<InOut<T>> h, Rows<In<T>> before, In<i32> lengths, u32 rectify, i32 step over "rd rd r?" */
  rnn_cell: { name: "rnn_cell", driver: "Rows", shapes: "rd rd r?", access: "urr", id: { f32: 471, f64: 472 } },
  /** Rows<Out<T>> dz, Rows<InOut<T>> dh, Rows<In<T>> h, Rows<In<T>> dy, In<i32> lengths, u32 rectify, i32 step over "rd rd rd rd? r?" */
  rnn_cell_grad: { name: "rnn_cell_grad", driver: "Rows", shapes: "rd rd rd rd? r?", access: "wurrr", id: { f32: 473, f64: 474 } },
  /** Rows<InOut<T>> gates, Rows<Out<T>> h, Rows<Out<T>> c, Rows<In<T>> turned, Rows<In<T>> before_h, Rows<In<T>> before_c, In<i32> lengths, i32 step over "rg rd rd rg rd rd r?" */
  lstm_cell: { name: "lstm_cell", driver: "Rows", shapes: "rg rd rd rg rd rd r?", access: "uwwrrrr", id: { f32: 475, f64: 476 } },
  /** Rows<Out<T>> dz, Rows<InOut<T>> dh, Rows<InOut<T>> dc, Rows<In<T>> gates, Rows<In<T>> c, Rows<In<T>> before, Rows<In<T>> dy, Rows<In<T>> du, Rows<In<T>> dv, In<i32> lengths, i32 step over "rg rd rd rg rd rd rd? rg? rd? r?" */
  lstm_cell_grad: { name: "lstm_cell_grad", driver: "Rows", shapes: "rg rd rd rg rd rd rd? rg? rd? r?", access: "wuurrrrrrr", id: { f32: 477, f64: 478 } },
  /** Rows<InOut<T>> gates, Rows<Out<T>> h, Rows<Out<T>> q, Rows<In<T>> turned, Rows<In<T>> before, In<i32> lengths, i32 step over "rg rd rd rg rd r?" */
  gru_cell: { name: "gru_cell", driver: "Rows", shapes: "rg rd rd rg rd r?", access: "uwwrrr", id: { f32: 479, f64: 480 } },
  /** Rows<Out<T>> dx, Rows<Out<T>> dt, Rows<InOut<T>> dh, Rows<In<T>> gates, Rows<In<T>> q, Rows<In<T>> before, Rows<In<T>> dy, Rows<In<T>> du, Rows<In<T>> dv, In<i32> lengths, i32 step over "rg rg rd rg rd rd rd? rg? rd? r?" */
  gru_cell_grad: { name: "gru_cell_grad", driver: "Rows", shapes: "rg rg rd rg rd rd rd? rg? rd? r?", access: "wwurrrrrrr", id: { f32: 481, f64: 482 } },
  /** Out<f64> flops, u32 rounds over "z" */
  peak: { name: "peak", driver: "Call", shapes: "z", access: "w", id: { f32: 483 } },
  /** Out<T> mean, Out<T> var, Rows<In<T>> x over "c c ncs" */
  moments: { name: "moments", driver: "Call", shapes: "c c ncs", access: "wwr", id: { f32: 484, f64: 485 } },
  /** Rows<Out<T>> y, Rows<In<T>> x, In<T> mean, In<T> var, In<T> weight, In<T> bias, f64 eps over "ncs ncs c c c? c?" */
  batch_norm: { name: "batch_norm", driver: "Call", shapes: "ncs ncs c c c? c?", access: "wrrrrr", id: { f32: 486, f64: 487 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> var, In<T> weight, f64 eps, u32 training over "ncs? c? c? ncs ncs c c c?" */
  batch_norm_grad: { name: "batch_norm_grad", driver: "Call", shapes: "ncs? c? c? ncs ncs c c c?", access: "wwwrrrrr", id: { f32: 488, f64: 489 } },
  /** Rows<Out<T>> y, Rows<Out<T>> mean, Rows<Out<T>> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps over "ngds ng ng ngds gd? gd?" */
  group_norm: { name: "group_norm", driver: "Call", shapes: "ngds ng ng ngds gd? gd?", access: "wwwrrr", id: { f32: 490, f64: 491 } },
  /** Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, Rows<In<T>> mean, Rows<In<T>> rstd, In<T> weight over "ngds? gd gd ngds ngds ng ng gd?" */
  group_norm_grad: { name: "group_norm_grad", driver: "Call", shapes: "ngds? gd gd ngds ngds ng ng gd?", access: "wwwrrrrr", id: { f32: 492, f64: 493 } },
} satisfies Record<string, Kernel>;
