// Generated from native/ops.def by scripts/typings.mjs. Do not edit.

export type KernelType = "f32" | "f64" | "i32" | "u8" | "bool";
/** A row of the table: its number for each dtype it exists for. */
export interface Kernel {
  readonly name: string;
  readonly driver: "Map" | "Rows" | "Call";
  readonly shapes: string;
  readonly arrays: number;
  readonly id: { readonly [D in KernelType]?: number };
}
export const rowCount = 84;
export const K = {
  /** Out<T> y, In<T> x over "n n" */
  copy: { name: "copy", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 0, f64: 1, i32: 2, u8: 3, bool: 4 } },
  /** Out<f32> y, In<T> x over "n n" */
  cast_f32: { name: "cast_f32", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 5, f64: 6, i32: 7, u8: 8, bool: 9 } },
  /** Out<f64> y, In<T> x over "n n" */
  cast_f64: { name: "cast_f64", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 10, f64: 11, i32: 12, u8: 13, bool: 14 } },
  /** Out<i32> y, In<T> x over "n n" */
  cast_i32: { name: "cast_i32", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 15, f64: 16, i32: 17, u8: 18, bool: 19 } },
  /** Out<u8> y, In<T> x over "n n" */
  cast_u8: { name: "cast_u8", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 20, f64: 21, i32: 22, u8: 23, bool: 24 } },
  /** Out<b8> y, In<T> x over "n n" */
  cast_bool: { name: "cast_bool", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 25, f64: 26, i32: 27, u8: 28, bool: 29 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  add: { name: "add", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 30, f64: 31, i32: 32 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  sub: { name: "sub", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 33, f64: 34, i32: 35 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  mul: { name: "mul", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 36, f64: 37, i32: 38 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  div: { name: "div", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 39, f64: 40 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  minimum: { name: "minimum", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 41, f64: 42, i32: 43 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  maximum: { name: "maximum", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 44, f64: 45, i32: 46 } },
  /** Out<T> y, In<T> x over "n n" */
  neg: { name: "neg", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 47, f64: 48, i32: 49 } },
  /** Out<T> y, In<T> x over "n n" */
  abs: { name: "abs", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 50, f64: 51, i32: 52 } },
  /** Out<T> y, In<T> x over "n n" */
  sqrt: { name: "sqrt", driver: "Map", shapes: "n n", arrays: 2, id: { f32: 53, f64: 54 } },
  /** Out<T> y, In<b8> condition, In<T> a, In<T> b over "n n n n" */
  where: { name: "where", driver: "Map", shapes: "n n n n", arrays: 4, id: { f32: 55, f64: 56, i32: 57, u8: 58, bool: 59 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  eq: { name: "eq", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 60, f64: 61, i32: 62 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ne: { name: "ne", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 63, f64: 64, i32: 65 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  lt: { name: "lt", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 66, f64: 67, i32: 68 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  le: { name: "le", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 69, f64: 70, i32: 71 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  gt: { name: "gt", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 72, f64: 73, i32: 74 } },
  /** Out<b8> y, In<T> a, In<T> b over "n n n" */
  ge: { name: "ge", driver: "Map", shapes: "n n n", arrays: 3, id: { f32: 75, f64: 76, i32: 77 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_and: { name: "logical_and", driver: "Map", shapes: "n n n", arrays: 3, id: { bool: 78 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_or: { name: "logical_or", driver: "Map", shapes: "n n n", arrays: 3, id: { bool: 79 } },
  /** Out<T> y, In<T> a, In<T> b over "n n n" */
  logical_xor: { name: "logical_xor", driver: "Map", shapes: "n n n", arrays: 3, id: { bool: 80 } },
  /** Out<T> y, In<T> x over "n n" */
  logical_not: { name: "logical_not", driver: "Map", shapes: "n n", arrays: 2, id: { bool: 81 } },
  /** Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> at, u32 act, u32 accumulate over "pqmn pqmk pqkn n? pqmn? pqmn?" */
  gemm: { name: "gemm", driver: "Call", shapes: "pqmn pqmk pqkn n? pqmn? pqmn?", arrays: 6, id: { f32: 82, f64: 83 } },
} satisfies Record<string, Kernel>;
