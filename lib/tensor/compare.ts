import { operand, value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import {
  allclose,
  type Closeness,
  eq,
  equal,
  ge,
  gt,
  isclose,
  isfinite,
  isinf,
  isnan,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  ne,
} from "../ops/index.ts";
import type { Broadcast, CanBroadcast, Shape } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Comparing, Judging } from "./signature.ts";
import type { Tensor } from "./tensor.ts";

/** Comparisons by element, which give bool. Shapes broadcast and types promote as in arithmetic; no gradients. */
export interface Comparisons {
  /**
   * x = other. `torch.eq`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).eq(2)); // tensor([false,  true, false])
   * ```
   */
  readonly eq: Comparing<"eq">;
  /**
   * x ≠ other; NaN differs from everything. `torch.ne`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).ne(2)); // tensor([ true, false,  true])
   * ```
   */
  readonly ne: Comparing<"ne">;
  /**
   * x < other. `torch.lt`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).lt(2)); // tensor([ true, false, false])
   * ```
   */
  readonly lt: Comparing<"lt">;
  /**
   * x ≤ other. `torch.le`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).le(2)); // tensor([ true,  true, false])
   * ```
   */
  readonly le: Comparing<"le">;
  /**
   * x > other. `torch.gt`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).gt(2)); // tensor([false, false,  true])
   * ```
   */
  readonly gt: Comparing<"gt">;
  /**
   * x ≥ other. `torch.ge`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).ge(2)); // tensor([false,  true,  true])
   * ```
   */
  readonly ge: Comparing<"ge">;
  /**
   * x and other. Everything but 0 is true. `torch.logical_and`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([true, true, false]).logicalAnd(tensor([true, false, false]))); // tensor([ true, false, false])
   * ```
   */
  readonly logicalAnd: Judging<"logicalAnd">;
  /**
   * x or other. Everything but 0 is true. `torch.logical_or`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([true, true, false]).logicalOr(tensor([true, false, false]))); // tensor([ true,  true, false])
   * ```
   */
  readonly logicalOr: Judging<"logicalOr">;
  /**
   * x or other but not both. Everything but 0 is true. `torch.logical_xor`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([true, true, false]).logicalXor(tensor([true, false, false]))); // tensor([false,  true, false])
   * ```
   */
  readonly logicalXor: Judging<"logicalXor">;
  /**
   * Not x. Everything but 0 is true. `torch.logical_not`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([true, false]).logicalNot()); // tensor([false,  true])
   * ```
   */
  logicalNot<A extends Shape>(this: Tensor<A>): Tensor<A, "bool">;
  /**
   * Where x is not a number. `torch.isnan`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, NaN]).isnan()); // tensor([false,  true])
   * ```
   */
  isnan<A extends Shape>(this: Tensor<A>): Tensor<A, "bool">;
  /**
   * Where x is infinite, of either sign. `torch.isinf`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, -Infinity]).isinf()); // tensor([false,  true])
   * ```
   */
  isinf<A extends Shape>(this: Tensor<A>): Tensor<A, "bool">;
  /**
   * Where x is neither infinite nor NaN. `torch.isfinite`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, NaN, Infinity]).isfinite()); // tensor([ true, false, false])
   * ```
   */
  isfinite<A extends Shape>(this: Tensor<A>): Tensor<A, "bool">;
  /**
   * |x - other| ≤ atol + rtol · |other|; infinities are close to themselves, NaN to NaN with equalNan. rtol is 1e-5 and
   * atol 1e-8 unless given. `torch.isclose`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).isclose(tensor([1.000001, 2.1]))); // tensor([ true, false])
   * ```
   */
  isclose<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    other: Tensor<B> & CanBroadcast<"isclose", A, B>,
    options?: Closeness,
  ): Tensor<Broadcast<A, B>, "bool">;
  /**
   * Whether all elements are close, as a boolean. `torch.allclose`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0.1]).add(0.2).allclose(tensor([0.3]))); // true
   * ```
   */
  allclose<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    other: Tensor<B> & CanBroadcast<"allclose", A, B>,
    options?: Closeness,
  ): boolean;
  /**
   * Whether shape and all elements are the same, as a boolean; NaN equals nothing. `torch.equal`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).equal(tensor([1, 2])), tensor([1]).equal(tensor([1, 1]))); // true false
   * ```
   */
  equal(this: Tensor, other: Tensor): boolean;
}

export const comparisons: Methods<Comparisons> = {
  eq: (a, b: Operand) => eq({ a, b: operand("eq", b) }),
  ne: (a, b: Operand) => ne({ a, b: operand("ne", b) }),
  lt: (a, b: Operand) => lt({ a, b: operand("lt", b) }),
  le: (a, b: Operand) => le({ a, b: operand("le", b) }),
  gt: (a, b: Operand) => gt({ a, b: operand("gt", b) }),
  ge: (a, b: Operand) => ge({ a, b: operand("ge", b) }),
  logicalAnd: (a, b: Operand) => logicalAnd({ a, b: operand("logicalAnd", b) }),
  logicalOr: (a, b: Operand) => logicalOr({ a, b: operand("logicalOr", b) }),
  logicalXor: (a, b: Operand) => logicalXor({ a, b: operand("logicalXor", b) }),
  logicalNot: (x) => logicalNot({ x }),
  isnan: (x) => isnan(x),
  isinf: (x) => isinf(x),
  isfinite: (x) => isfinite(x),
  isclose: (a, b: Operand, options?: Closeness) => isclose(a, operand("isclose", b), options),
  allclose: (a, b: Operand, options?: Closeness) => allclose(a, operand("allclose", b), options),
  equal: (a, b: Value) => equal(a, value("equal", "other", b)),
};
