import type { Operand } from "../engine/launch.ts";
import { abs, add, div, maximum, minimum, mul, neg, sub } from "../ops/index.ts";
import type { Mixed, Weak } from "../types/element.ts";
import type { Broadcast, CanBroadcast, DType, Floating, Promote, Shape, Summed } from "../types/shape.ts";
import { operand } from "./check.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Arithmetic by element. Shapes broadcast; element types meet in the later of bool, u8, i32, f32, f64, and bool and u8
 * are computed as i32; a plain number takes the tensor's type, except that i32 + 0.5 is f32. Shapes that do not
 * broadcast throw ERR_NABLA_SHAPE, operands that are neither tensor nor number ERR_NABLA_TYPE.
 */
export interface Arithmetic {
  /**
   * y = x + other. `torch.add`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).add(tensor([10, 20]))); // tensor([[11., 22.], [13., 24.]])
   * ```
   */
  add<A extends Shape, E extends DType, N extends number>(this: Tensor<A, E>, other: N): Tensor<A, Weak<E, N>>;
  add<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<"add", A, B>,
  ): Tensor<Broadcast<A, B>, Mixed<E, F>>;
  /**
   * y = x - other. `torch.sub`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([5, 7]).sub(tensor([1, 2]))); // tensor([4., 5.])
   * ```
   */
  sub<A extends Shape, E extends DType, N extends number>(this: Tensor<A, E>, other: N): Tensor<A, Weak<E, N>>;
  sub<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<"sub", A, B>,
  ): Tensor<Broadcast<A, B>, Mixed<E, F>>;
  /**
   * y = x · other, by element. `torch.mul`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1], [2]]).mul(tensor([3, 4]))); // tensor([[3., 4.], [6., 8.]])
   * ```
   */
  mul<A extends Shape, E extends DType, N extends number>(this: Tensor<A, E>, other: N): Tensor<A, Weak<E, N>>;
  mul<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<"mul", A, B>,
  ): Tensor<Broadcast<A, B>, Mixed<E, F>>;
  /**
   * y = x / other; integers are divided as f32. `torch.div`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).div(2)); // tensor([0.5000, 1.0000, 1.5000])
   * ```
   */
  div<A extends Shape, E extends DType>(this: Tensor<A, E>, other: number): Tensor<A, Floating<E>>;
  div<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<"div", A, B>,
  ): Tensor<Broadcast<A, B>, Floating<Promote<E, F>>>;
  /**
   * The larger of x and other; NaN wins. Where they are equal each gets half of the gradient. `torch.maximum`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 5]).maximum(3)); // tensor([3., 5.])
   * ```
   */
  maximum<A extends Shape, E extends DType, N extends number>(this: Tensor<A, E>, other: N): Tensor<A, Weak<E, N>>;
  maximum<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<"maximum", A, B>,
  ): Tensor<Broadcast<A, B>, Mixed<E, F>>;
  /**
   * The smaller of x and other; NaN wins. Where they are equal each gets half of the gradient. `torch.minimum`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 5]).minimum(3)); // tensor([1., 3.])
   * ```
   */
  minimum<A extends Shape, E extends DType, N extends number>(this: Tensor<A, E>, other: N): Tensor<A, Weak<E, N>>;
  minimum<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F> & CanBroadcast<"minimum", A, B>,
  ): Tensor<Broadcast<A, B>, Mixed<E, F>>;
  /**
   * y = -x. `torch.neg`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, -2]).neg()); // tensor([-1., 2.])
   * ```
   */
  neg<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
  /**
   * y = |x|; its gradient at 0 is 0. `torch.abs`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, -2]).abs()); // tensor([1., 2.])
   * ```
   */
  abs<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
}

export const arithmetic: Methods<Arithmetic> = {
  add: (a, b: Operand) => add({ a, b: operand("add", b) }),
  sub: (a, b: Operand) => sub({ a, b: operand("sub", b) }),
  mul: (a, b: Operand) => mul({ a, b: operand("mul", b) }),
  div: (a, b: Operand) => div({ a, b: operand("div", b) }),
  maximum: (a, b: Operand) => maximum({ a, b: operand("maximum", b) }),
  minimum: (a, b: Operand) => minimum({ a, b: operand("minimum", b) }),
  neg: (x) => neg({ x }),
  abs: (x) => abs({ x }),
};
