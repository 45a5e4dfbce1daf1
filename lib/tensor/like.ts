import { value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import * as ops from "../ops/index.ts";
import type { DType, Shape } from "../types/shape.ts";
import { leaf, type Options } from "./create.ts";
import type { Tensor } from "./tensor.ts";

/** A new tensor of the shape of x, and of its element type unless another is asked for. */
function like(op: string, x: Value, options: Options | undefined, make: (shape: number[], dtype: DType) => Value) {
  const { shape, dtype } = value(op, "x", x);
  return leaf(op, options, (asked = dtype) => make([...shape], asked));
}

/**
 * zeros() of the shape and element type of x. `torch.zeros_like`.
 * ```ts
 * import { ones, zerosLike } from "nabla";
 * console.log(zerosLike(ones(2))); // tensor([0., 0.])
 * ```
 */
export function zerosLike<S extends Shape, D extends DType, E extends DType = D>(
  x: Tensor<S, D>,
  options?: Options<E>,
): Tensor<S, E>;
export function zerosLike(x: Value, options?: Options): unknown {
  return like("zerosLike", x, options, (shape, dtype) => ops.full(shape, 0, dtype));
}

/**
 * ones() of the shape and element type of x. `torch.ones_like`.
 * ```ts
 * import { onesLike, zeros } from "nabla";
 * console.log(onesLike(zeros(2))); // tensor([1., 1.])
 * ```
 */
export function onesLike<S extends Shape, D extends DType, E extends DType = D>(
  x: Tensor<S, D>,
  options?: Options<E>,
): Tensor<S, E>;
export function onesLike(x: Value, options?: Options): unknown {
  return like("onesLike", x, options, (shape, dtype) => ops.full(shape, 1, dtype));
}

/**
 * full() of the shape and element type of x. `torch.full_like`.
 * ```ts
 * import { fullLike, zeros } from "nabla";
 * console.log(fullLike(zeros(2), 7)); // tensor([7., 7.])
 * ```
 */
export function fullLike<S extends Shape, D extends DType, E extends DType = D>(
  x: Tensor<S, D>,
  value: number,
  options?: Options<E>,
): Tensor<S, E>;
export function fullLike(x: Value, to: number, options?: Options): unknown {
  return like("fullLike", x, options, (shape, dtype) => ops.full(shape, to, dtype));
}

/**
 * rand() of the shape and element type of x. `torch.rand_like`.
 * ```ts
 * import { randLike, zeros } from "nabla";
 * console.log(randLike(zeros(2, 3)).shape); // [ 2, 3 ]
 * ```
 */
export function randLike<S extends Shape, D extends DType, E extends DType = D>(
  x: Tensor<S, D>,
  options?: Options<E>,
): Tensor<S, E>;
export function randLike(x: Value, options?: Options): unknown {
  return like("randLike", x, options, (shape, dtype) => ops.uniform(shape, 0, 1, dtype));
}

/**
 * randn() of the shape and element type of x. `torch.randn_like`.
 * ```ts
 * import { randnLike, zeros } from "nabla";
 * console.log(randnLike(zeros(2, 3)).shape); // [ 2, 3 ]
 * ```
 */
export function randnLike<S extends Shape, D extends DType, E extends DType = D>(
  x: Tensor<S, D>,
  options?: Options<E>,
): Tensor<S, E>;
export function randnLike(x: Value, options?: Options): unknown {
  return like("randnLike", x, options, (shape, dtype) => ops.normal(shape, 0, 1, dtype));
}
