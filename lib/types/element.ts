// Element types of results: what arithmetic gives where a plain number or a small integer takes part.

import type { DType, Floating, Promote, Summed } from "./shape.ts";

/** a + b of two tensors: the later of the two types; bool and u8 are computed as i32. */
export type Mixed<A extends DType, B extends DType> = Summed<Promote<A, B>>;
type Fraction = `${string}.${string}` | `${string}e-${string}` | "Infinity" | "-Infinity" | "NaN";
/** a + n of a tensor and a number: a float keeps its type, i32 + 0.5 is f32, i32 + n of unknown n is unknown. */
export type Weak<A extends DType, N extends number> =
  Floating<A> extends A
    ? A
    : number extends N
      ? DType
      : N extends N
        ? `${N}` extends Fraction
          ? "f32"
          : Summed<A>
        : A;
/** What is counted from and by these numbers: i32 if all are whole. */
export type Counted<N extends number> = number extends N ? DType : "f32" extends Weak<"i32", N> ? "f32" : "i32";
