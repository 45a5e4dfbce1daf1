// The signatures that many methods share; `Op` is what a refusal calls them. The tensor overload is last: it is the one that
// compilers report.
import type { Mixed, Weak } from "../types/element.ts";
import type { Broadcast, CanBroadcast, CanMatmul, DType, Floating, Matmul, Promote, Shape } from "../types/shape.ts";
import type { Tensor } from "./tensor.ts";

/** With a number, which takes the tensor's type, or a tensor that broadcasts, where types meet. */
export interface Mixing<Op extends string> {
  <A extends Shape, E extends DType, N extends number>(this: Tensor<A, E>, other: N): Tensor<A, Weak<E, N>>;
  <A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<Op, A, B>,
  ): Tensor<Broadcast<A, B>, Mixed<E, F>>;
}
/** The same in floats. */
export interface MixingFloats<Op extends string> {
  <A extends Shape, E extends DType>(this: Tensor<A, E>, other: number): Tensor<A, Floating<E>>;
  <A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<Op, A, B>,
  ): Tensor<Broadcast<A, B>, Floating<Promote<E, F>>>;
}
/** With a tensor that broadcasts, where types meet and stay as small as they are. */
export type Meeting<Op extends string> = <A extends Shape, E extends DType, B extends Shape, F extends DType>(
  this: Tensor<A, E>,
  other: Tensor<B, F> & CanBroadcast<Op, A, B>,
) => Tensor<Broadcast<A, B>, Promote<E, F>>;
/** With a tensor that broadcasts, true or false. */
export type Judging<Op extends string> = <A extends Shape, B extends Shape>(
  this: Tensor<A>,
  other: Tensor<B> & CanBroadcast<Op, A, B>,
) => Tensor<Broadcast<A, B>, "bool">;
/** The same with a number too. */
export interface Comparing<Op extends string> {
  <A extends Shape>(this: Tensor<A>, other: number): Tensor<A, "bool">;
  <A extends Shape, B extends Shape>(
    this: Tensor<A>,
    other: Tensor<B> & CanBroadcast<Op, A, B>,
  ): Tensor<Broadcast<A, B>, "bool">;
}
/** Products over the last size of one and the last but one of the other. */
export type Multiplying = <A extends Shape, E extends DType, B extends Shape, F extends DType>(
  this: Tensor<A, E>,
  other: Tensor<B, F> & CanMatmul<A, B>,
) => Tensor<Matmul<A, B>, Floating<Promote<E, F>>>;
