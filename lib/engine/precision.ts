import { fail } from "../core/errors.ts";

/** What matrix products and convolutions multiply: f32, or operands rounded to bf16. Sums are f32 in both. */
export type Precision = "f32" | "bf16";
const precisions: readonly Precision[] = ["f32", "bf16"];

let current: Precision = "f32";
export function precision(): Precision {
  return current;
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
