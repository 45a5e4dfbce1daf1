// The type of a result and its dtype at run time come from two tables; this one is checked against both.
import { expect, test } from "vitest";
import { promote } from "../../lib/core/dtype.ts";
import type { DType, Promote } from "../../lib/types/shape.ts";

const table: { [A in DType]: { [B in DType]: Promote<A, B> } } = {
  bool: { bool: "bool", u8: "u8", i8: "i8", i32: "i32", bf16: "bf16", f16: "f16", f32: "f32", f64: "f64" },
  u8: { bool: "u8", u8: "u8", i8: "i8", i32: "i32", bf16: "bf16", f16: "f16", f32: "f32", f64: "f64" },
  i8: { bool: "i8", u8: "i8", i8: "i8", i32: "i32", bf16: "bf16", f16: "f16", f32: "f32", f64: "f64" },
  i32: { bool: "i32", u8: "i32", i8: "i32", i32: "i32", bf16: "bf16", f16: "f16", f32: "f32", f64: "f64" },
  bf16: { bool: "bf16", u8: "bf16", i8: "bf16", i32: "bf16", bf16: "bf16", f16: "f16", f32: "f32", f64: "f64" },
  f16: { bool: "f16", u8: "f16", i8: "f16", i32: "f16", bf16: "f16", f16: "f16", f32: "f32", f64: "f64" },
  f32: { bool: "f32", u8: "f32", i8: "f32", i32: "f32", bf16: "f32", f16: "f32", f32: "f32", f64: "f64" },
  f64: { bool: "f64", u8: "f64", i8: "f64", i32: "f64", bf16: "f64", f16: "f64", f32: "f64", f64: "f64" },
};
const dtypes = Object.keys(table) as DType[];

test.each(dtypes)("%s promotes alike in the types and at run time", (a) => {
  for (const b of dtypes) expect(promote(a, b)).toBe(table[a][b]);
});
