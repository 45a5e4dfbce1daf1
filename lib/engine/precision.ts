import type { DType } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import type { Kernel } from "../native.gen.ts";

/** What matrix products, convolutions and attention multiply: f32, or operands rounded to bf16. Sums are f32 in both. */
export type Precision = "f32" | "bf16";
const precisions: readonly Precision[] = ["f32", "bf16"];

let current: Precision = "f32";
export function precision(): Precision {
  return current;
}
/** The row for this dtype: that with operands rounded to bf16 for f32 inside autocast("bf16", ...). */
export function rowOf(dtype: DType, full: Kernel, half: Kernel): Kernel {
  return dtype === "f32" && current === "bf16" ? half : full;
}
/** Runs f with products in p; restores what was before, also when f throws. */
export function withPrecision<R>(p: Precision, f: () => R): R {
  const before = current;
  current = p;
  try {
    return f();
  } finally {
    current = before;
  }
}

export function checkPrecision(op: string, p: unknown): Precision {
  if (precisions.includes(p as Precision)) return p as Precision;
  return fail("ERR_NABLA_VALUE", op, `there is no precision ${String(p)}`, {
    expected: precisions,
    actual: p,
    hint: `one of ${precisions.join(", ")}; f16 has too small a range to train in without scaling losses`,
  });
}
