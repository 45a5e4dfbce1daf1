import { only } from "../core/boundary.ts";
import { checkDType } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { Value } from "../core/value.ts";
import * as ops from "../ops/index.ts";
import type { Counted } from "../types/element.ts";
import type { CanNest, DTypeOf, Nested, ShapeOf } from "../types/nested.ts";
import type { DType, Shape } from "../types/shape.ts";
import type { Tensor } from "./tensor.ts";

/** What every creation function takes last: the element type, and whether backward() is to leave a gradient. */
export interface Options<E extends DType = DType> {
  readonly dtype?: E;
  readonly requiresGrad?: boolean;
}

/** A fresh value as the tensor asked for. */
export function leaf(op: string, options: Options | undefined, make: (dtype: DType | undefined) => Value): Tensor {
  if (options !== undefined) only(op, options, ["dtype", "requiresGrad"]);
  const x = make(options?.dtype === undefined ? undefined : checkDType(op, options.dtype));
  if (options?.requiresGrad) x.requiresGrad = true;
  return x as Tensor;
}

/** zeros(2, 3) and zeros([2, 3], options). */
export function sized(args: readonly unknown[]): [shape: readonly number[], options: Options | undefined] {
  return Array.isArray(args[0]) ? [args[0], args[1] as Options | undefined] : [args as readonly number[], undefined];
}

/**
 * A tensor of what JavaScript has: a number, nested lists, a typed array, lists of typed arrays; always a copy. Numbers
 * give f32, booleans bool, typed arrays their own type (8 and 16 bit integers, and 32 and 64 bit ones that fit, i32).
 * `torch.tensor`. Throws ERR_NABLA_SHAPE for rows of different length, ERR_NABLA_TYPE for what is not a number,
 * ERR_NABLA_VALUE for a number the dtype cannot hold, ERR_NABLA_DETACHED for an array whose memory is gone.
 * ```ts
 * import { tensor } from "nabla";
 * console.log(tensor([[1, 2], [3, 4]])); // tensor([[1., 2.], [3., 4.]])
 * console.log(tensor([1, 2], { dtype: "i32" })); // tensor([1, 2], { dtype: "i32" })
 * console.log(tensor(new Float64Array([0.5]))); // tensor([0.5000], { dtype: "f64" })
 * ```
 */
export function tensor<const T extends Nested>(
  data: T & CanNest<T>,
  options?: Options<never>,
): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function tensor<const T extends Nested, E extends DType>(
  data: T & CanNest<T>,
  options: Options<E> & { dtype: E },
): Tensor<ShapeOf<T>, E>;
export function tensor(data: unknown, options?: Options): unknown {
  if (data instanceof Value)
    fail("ERR_NABLA_TYPE", "tensor", "the data is a tensor already", { values: { data }, hint: "copy it: x.clone()" });
  return leaf("tensor", options, (dtype) => ops.fromNested(data as ops.NestedData, dtype));
}

/**
 * All 0; f32 unless asked otherwise. `torch.zeros`. Throws ERR_NABLA_SHAPE for sizes that are not whole numbers from 0,
 * more than 8 of them, or more elements than an array holds.
 * ```ts
 * import { zeros } from "nabla";
 * console.log(zeros(2, 3)); // tensor([[0., 0., 0.], [0., 0., 0.]])
 * console.log(zeros([2], { dtype: "i32" })); // tensor([0, 0], { dtype: "i32" })
 * ```
 */
export function zeros<const S extends Shape>(...shape: S): Tensor<S, "f32">;
export function zeros<const S extends Shape, E extends DType = "f32">(
  shape: readonly [...S],
  options?: Options<E>,
): Tensor<S, E>;
export function zeros(...args: unknown[]): unknown {
  const [shape, options] = sized(args);
  return leaf("zeros", options, (dtype) => ops.full(shape, 0, dtype, "zeros"));
}

/**
 * All 1; f32 unless asked otherwise. `torch.ones`. Throws as zeros does.
 * ```ts
 * import { ones } from "nabla";
 * console.log(ones(3)); // tensor([1., 1., 1.])
 * ```
 */
export function ones<const S extends Shape>(...shape: S): Tensor<S, "f32">;
export function ones<const S extends Shape, E extends DType = "f32">(
  shape: readonly [...S],
  options?: Options<E>,
): Tensor<S, E>;
export function ones(...args: unknown[]): unknown {
  const [shape, options] = sized(args);
  return leaf("ones", options, (dtype) => ops.full(shape, 1, dtype, "ones"));
}

/**
 * All the same number; f32 unless asked otherwise. `torch.full`. Throws as zeros does.
 * ```ts
 * import { full } from "nabla";
 * console.log(full([2, 2], 7)); // tensor([[7., 7.], [7., 7.]])
 * ```
 */
export function full<const S extends Shape, E extends DType = "f32">(
  shape: readonly [...S],
  value: number,
  options?: Options<E>,
): Tensor<S, E>;
export function full(shape: readonly number[], value: number, options?: Options): unknown {
  return leaf("full", options, (dtype) => ops.full(shape, value, dtype));
}

/**
 * Memory as it comes, whatever it held; f32 unless asked otherwise. `torch.empty`. Throws as zeros does.
 * ```ts
 * import { empty } from "nabla";
 * console.log(empty(2, 3).shape); // [ 2, 3 ]
 * ```
 */
export function empty<const S extends Shape>(...shape: S): Tensor<S, "f32">;
export function empty<const S extends Shape, E extends DType = "f32">(
  shape: readonly [...S],
  options?: Options<E>,
): Tensor<S, E>;
export function empty(...args: unknown[]): unknown {
  const [shape, options] = sized(args);
  return leaf("empty", options, (dtype) => ops.empty(shape, dtype));
}

/**
 * start, start + step, ... as long as they come before end: i32 where start and step are whole numbers, else f32.
 * `torch.arange`. Throws ERR_NABLA_VALUE for a step of 0 and for limits that are not finite.
 * ```ts
 * import { arange } from "nabla";
 * console.log(arange(4)); // tensor([0, 1, 2, 3], { dtype: "i32" })
 * console.log(arange(0, 1, 0.25)); // tensor([0.0000, 0.2500, 0.5000, 0.7500])
 * ```
 */
export function arange<const N extends number>(end: N): Tensor<[N], "i32">;
export function arange<const N extends number, E extends DType = "i32">(end: N, options: Options<E>): Tensor<[N], E>;
export function arange<A extends number, C extends number = 1, E extends DType = Counted<A | C>>(
  start: A,
  end: number,
  step?: C,
  options?: Options<E>,
): Tensor<[number], E>;
export function arange(a: number, b?: number | Options, step = 1, options?: Options): unknown {
  const [start, end, rest] = typeof b === "number" ? [a, b, options] : [0, a, b];
  const kind = Number.isInteger(start) && Number.isInteger(step) ? "i32" : "f32";
  return leaf("arange", rest, (dtype = kind) => ops.arange(start, end, step, dtype));
}

/**
 * `steps` numbers from start to end, both included, evenly spaced; f32 unless asked otherwise. `torch.linspace`.
 * ```ts
 * import { linspace } from "nabla";
 * console.log(linspace(0, 1, 5)); // tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
 * ```
 */
export function linspace<const N extends number, E extends DType = "f32">(
  start: number,
  end: number,
  steps: N,
  options?: Options<E>,
): Tensor<[N], E>;
export function linspace(start: number, end: number, steps: number, options?: Options): unknown {
  return leaf("linspace", options, (dtype) => ops.linspace(start, end, steps, dtype));
}

/**
 * 1 on the diagonal and 0 beside it, n x m (square unless m is given); f32 unless asked otherwise. `torch.eye`.
 * ```ts
 * import { eye } from "nabla";
 * console.log(eye(2)); // tensor([[1., 0.], [0., 1.]])
 * ```
 */
export function eye<const N extends number, const M extends number = N, E extends DType = "f32">(
  n: N,
  m?: M,
  options?: Options<E>,
): Tensor<[N, M], E>;
export function eye(n: number, m: number = n, options?: Options): unknown {
  return leaf("eye", options, (dtype) => ops.eye(n, m, dtype));
}
