import { operand, value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import {
  abs,
  add,
  atan2,
  clamp,
  div,
  floorDivide,
  fmax,
  fmin,
  fmod,
  hypot,
  lerp,
  logaddexp,
  maskedFill,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  remainder,
  sub,
  where,
  xlogy,
} from "../ops/index.ts";
import type { Weak } from "../types/element.ts";
import type { Broadcast, CanBroadcast, DType, Floating, Promote, Shape, Summed } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Meeting, Mixing, MixingFloats } from "./signature.ts";
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
  readonly add: Mixing<"add">;
  /**
   * y = x - other. `torch.sub`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([5, 7]).sub(tensor([1, 2]))); // tensor([4., 5.])
   * ```
   */
  readonly sub: Mixing<"sub">;
  /**
   * y = x · other, by element. `torch.mul`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1], [2]]).mul(tensor([3, 4]))); // tensor([[3., 4.], [6., 8.]])
   * ```
   */
  readonly mul: Mixing<"mul">;
  /**
   * y = x / other; integers are divided as f32. `torch.div`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).div(2)); // tensor([0.5000, 1.0000, 1.5000])
   * ```
   */
  readonly div: MixingFloats<"div">;
  /**
   * The larger of x and other; NaN wins. Where they are equal each gets half of the gradient. `torch.maximum`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 5]).maximum(3)); // tensor([3., 5.])
   * ```
   */
  readonly maximum: Mixing<"maximum">;
  /**
   * The smaller of x and other; NaN wins. Where they are equal each gets half of the gradient. `torch.minimum`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 5]).minimum(3)); // tensor([1., 3.])
   * ```
   */
  readonly minimum: Mixing<"minimum">;
  /**
   * y = x^other, in floats; 0⁰ is 1. `torch.pow`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).pow(2)); // tensor([1., 4., 9.])
   * ```
   */
  readonly pow: MixingFloats<"pow">;
  /**
   * The rest of x / other, with the sign of other. Integers: by 0 it is x. `torch.remainder`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([5, -5]).remainder(3)); // tensor([2., 1.])
   * ```
   */
  readonly remainder: Mixing<"remainder">;
  /**
   * The rest of x / other, with the sign of x. Integers: by 0 it is x. `torch.fmod`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([5, -5]).fmod(3)); // tensor([ 2., -2.])
   * ```
   */
  readonly fmod: Mixing<"fmod">;
  /**
   * x / other rounded down; an integer of integers, where by 0 it is 0. Gradient 0. `torch.floor_divide`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([7, -7]).floorDivide(2)); // tensor([ 3., -4.])
   * ```
   */
  readonly floorDivide: Mixing<"floorDivide">;
  /**
   * The angle of the point (other, x), in [-π, π]. `torch.atan2`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, -1]).atan2(1)); // tensor([ 0.7854, -0.7854])
   * ```
   */
  readonly atan2: MixingFloats<"atan2">;
  /**
   * y = √(x² + other²), without overflow between. `torch.hypot`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3]).hypot(4)); // tensor([5.])
   * ```
   */
  readonly hypot: MixingFloats<"hypot">;
  /**
   * y = ln(eˣ + e^other), without overflow between. `torch.logaddexp`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1000]).logaddexp(0)); // tensor([6.9315e-1, 1.0000e+3])
   * ```
   */
  readonly logaddexp: MixingFloats<"logaddexp">;
  /**
   * y = x · ln(other), 0 where x is 0. `torch.xlogy`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 2]).xlogy(tensor([0, 1]))); // tensor([0., 0.])
   * ```
   */
  readonly xlogy: MixingFloats<"xlogy">;
  /**
   * The larger of x and other; of a number and NaN the number. Where they are equal x gets the gradient. `torch.fmax`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, NaN]).fmax(tensor([2, 3]))); // tensor([2., 3.])
   * ```
   */
  readonly fmax: Meeting<"fmax">;
  /**
   * The smaller of x and other; of a number and NaN the number. Where they are equal x gets the gradient. `torch.fmin`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, NaN]).fmin(tensor([2, 3]))); // tensor([1., 3.])
   * ```
   */
  readonly fmin: Meeting<"fmin">;
  /**
   * x + weight · (end - x), exactly end at weight 1. `torch.lerp`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 10]).lerp(tensor([10, 20]), 0.5)); // tensor([ 5., 15.])
   * ```
   */
  lerp<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    end: Tensor<B, F> & CanBroadcast<"lerp", A, B>,
    weight: number | Tensor,
  ): Tensor<Broadcast<A, B>, Floating<Promote<E, F>>>;
  /**
   * x kept within [min, max], either of which may be undefined; max where they cross. The gradient passes where x
   * lies between. `torch.clamp`. Throws ERR_NABLA_VALUE without either.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-2, 0.5, 9]).clamp(0, 1)); // tensor([0.0000, 0.5000, 1.0000])
   * ```
   */
  clamp<A extends Shape, E extends DType>(
    this: Tensor<A, E>,
    min?: number | Tensor | undefined,
    max?: number | Tensor | undefined,
  ): Tensor<A, Summed<E>>;
  /**
   * x where the condition is true, other elsewhere. `torch.Tensor.where`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).where(tensor([true, false, true]), 0)); // tensor([1., 0., 3.])
   * ```
   */
  where<A extends Shape, E extends DType, N extends number>(
    this: Tensor<A, E>,
    condition: Tensor,
    other: N,
  ): Tensor<A, Weak<E, N>>;
  where<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    condition: Tensor,
    other: Tensor<B, F> & CanBroadcast<"where", A, B>,
  ): Tensor<Broadcast<A, B>, Promote<E, F>>;
  /**
   * A number where the mask is true, x elsewhere. `torch.masked_fill`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).maskedFill(tensor([false, true, false]), -1)); // tensor([ 1., -1.,  3.])
   * ```
   */
  maskedFill<A extends Shape, E extends DType, B extends Shape>(
    this: Tensor<A, E>,
    mask: Tensor<B> & CanBroadcast<"maskedFill", A, B>,
    value: number,
  ): Tensor<Broadcast<A, B>, E>;
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

const bound = (x: unknown, name: string) => (x === undefined || x === null ? undefined : operand("clamp", x, name));

export const arithmetic: Methods<Arithmetic> = {
  add: (a, b: Operand) => add({ a, b: operand("add", b) }),
  sub: (a, b: Operand) => sub({ a, b: operand("sub", b) }),
  mul: (a, b: Operand) => mul({ a, b: operand("mul", b) }),
  div: (a, b: Operand) => div({ a, b: operand("div", b) }),
  maximum: (a, b: Operand) => maximum({ a, b: operand("maximum", b) }),
  minimum: (a, b: Operand) => minimum({ a, b: operand("minimum", b) }),
  pow: (a, b: Operand) => pow({ a, b: operand("pow", b) }),
  remainder: (a, b: Operand) => remainder({ a, b: operand("remainder", b) }),
  fmod: (a, b: Operand) => fmod({ a, b: operand("fmod", b) }),
  floorDivide: (a, b: Operand) => floorDivide({ a, b: operand("floorDivide", b) }),
  atan2: (a, b: Operand) => atan2({ a, b: operand("atan2", b) }),
  hypot: (a, b: Operand) => hypot({ a, b: operand("hypot", b) }),
  logaddexp: (a, b: Operand) => logaddexp({ a, b: operand("logaddexp", b) }),
  fmax: (a, b: Value) => fmax(a, value("fmax", "other", b)),
  fmin: (a, b: Value) => fmin(a, value("fmin", "other", b)),
  xlogy: (a, b: Operand) => xlogy({ a, b: operand("xlogy", b) }),
  lerp: (a, b: Value, w: Operand) => lerp({ a, b: value("lerp", "end", b), w: operand("lerp", w, "weight") }),
  clamp: (x, min?: Operand, max?: Operand) => clamp({ x, min: bound(min, "min"), max: bound(max, "max") }),
  where: (a, condition: Value, b: Operand) =>
    where({ condition: value("where", "condition", condition), a, b: operand("where", b) }),
  maskedFill: (x, mask: Value, to: Operand) =>
    maskedFill(x, value("maskedFill", "mask", mask), operand("maskedFill", to, "value")),
  neg: (x) => neg({ x }),
  abs: (x) => abs({ x }),
};
