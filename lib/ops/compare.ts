// Whether tensors are close or equal.
import { only } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import { elementsOf, type Operand } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { abs, add, contiguous, eq, le, logicalAnd, logicalOr, lt, mul, sub } from "./arithmetic.ts";
import { isnan } from "./math.ts";

export interface Closeness {
  readonly rtol?: number;
  readonly atol?: number;
  readonly equalNan?: boolean;
}
/** |a - b| <= atol + rtol |b|; infinities are close to themselves. */
export function isclose(a: Value, b: Operand, options: Closeness = {}): Value {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = only("isclose", options, ["rtol", "atol", "equalNan"]);
  return withGrad(false, () => {
    const size = typeof b === "number" ? Math.abs(b) : abs({ x: b });
    const bound = typeof size === "number" ? atol + rtol * size : add({ a: mul({ a: size, b: rtol }), b: atol });
    const near = logicalAnd({
      a: le({ a: abs({ x: sub({ a, b }) }), b: bound }),
      b: lt({ a: size, b: Number.POSITIVE_INFINITY }),
    });
    const close = logicalOr({ a: eq({ a, b }), b: near });
    if (!equalNan || typeof b === "number") return close;
    return logicalOr({ a: close, b: logicalAnd({ a: isnan(a), b: isnan(b) }) });
  });
}

const every = (op: string, x: Value): boolean => elementsOf(op, contiguous(x)).every((v) => v === 1);
export const allclose = (a: Value, b: Operand, options?: Closeness): boolean =>
  every("allclose", isclose(a, b, options));
/** The same shape and the same elements; NaN equals nothing. */
export function equal(a: Value, b: Value): boolean {
  return a.ndim === b.ndim && a.shape.every((n, i) => n === b.shape[i]) && every("equal", eq({ a, b }));
}
