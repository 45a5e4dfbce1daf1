// Products of vectors and matrices whose ranks are fixed, on top of matmul.
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { add, mul } from "./arithmetic.ts";
import { matmul } from "./matmul.ts";
import { unsqueeze } from "./view.ts";

/** matmul of operands that have these ranks. */
function ranked(op: string, a: Value, b: Value, ranks: readonly [number, number]): Value {
  if (a.ndim !== ranks[0] || b.ndim !== ranks[1])
    fail("ERR_NABLA_SHAPE", op, `takes ${ranks.join(" and ")} dimensions, got ${a.ndim} and ${b.ndim}`, {
      values: { a, b },
      expected: ranks,
      actual: [a.ndim, b.ndim],
      hint: "matmul takes any",
    });
  return matmul(a, b);
}
export const mm = (a: Value, b: Value): Value => ranked("mm", a, b, [2, 2]);
export const mv = (a: Value, b: Value): Value => ranked("mv", a, b, [2, 1]);
export const dot = (a: Value, b: Value): Value => ranked("dot", a, b, [1, 1]);
export function bmm(a: Value, b: Value): Value {
  if (a.ndim === 3 && b.ndim === 3 && a.shape[0] !== b.shape[0])
    fail("ERR_NABLA_SHAPE", "bmm", `batch sizes ${a.shape[0]} and ${b.shape[0]} differ`, {
      values: { a, b },
      expected: a.shape[0],
      actual: b.shape[0],
    });
  return ranked("bmm", a, b, [3, 3]);
}
/** y[i, j] = a[i] b[j] */
export function outer(a: Value, b: Value): Value {
  if (a.ndim !== 1 || b.ndim !== 1)
    fail("ERR_NABLA_SHAPE", "outer", `takes two vectors, got ${a.ndim} and ${b.ndim} dimensions`, { values: { a, b } });
  return mul({ a: unsqueeze(a, 1), b });
}
/** y = beta x + alpha a b; x is not read where beta is 0. */
export function addmm(x: Value, a: Value, b: Value, options: Scales = {}): Value {
  const { beta = 1, alpha = 1 } = only("addmm", options, ["beta", "alpha"]);
  const scaled = (v: Value, factor: number) => (factor === 1 ? v : mul({ a: v, b: factor }));
  const product = scaled(ranked("addmm", a, b, [2, 2]), alpha);
  return beta === 0 ? product : add({ a: scaled(x, beta), b: product });
}
export interface Scales {
  readonly beta?: number;
  readonly alpha?: number;
}
