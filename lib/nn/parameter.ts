import { only, value } from "../core/boundary.ts";
import { emptyLike } from "../core/layout.ts";
import type { Value } from "../core/value.ts";
import { assign, cast } from "../ops/arithmetic.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { DType, Shape } from "../types/shape.ts";

/**
 * A tensor that a module learns: found by {@link Module.parameters}, saved, loaded, and changed by an optimizer. It uses the
 * memory of the tensor it is made of, in the order it has there.
 *
 * PyTorch: `torch.nn.Parameter`.
 * @example
 * ```ts
 * import { Module, Parameter, ones, type Tensor } from "nabla";
 * class Scale extends Module {
 *   factor = new Parameter(ones(3));
 *   forward(x: Tensor<[number, 3]>) { return x.mul(this.factor); }
 * }
 * console.log([...new Scale().namedParameters().keys()]); // [ 'factor' ]
 * ```
 */
export interface Parameter<out S extends Shape = Shape, out D extends DType = DType> extends Tensor<S, D> {
  /** Marks a parameter among tensors. */
  readonly isParameter: true;
}
type Base = new (...args: ConstructorParameters<typeof Value>) => Value;
export const Parameter: {
  new <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: { requiresGrad?: boolean }): Parameter<S, D>;
} = class Parameter extends (Tensor as unknown as Base) {
  constructor(x: Value, options: { requiresGrad?: boolean } = {}) {
    const { requiresGrad = true } = only("Parameter", options, ["requiresGrad"]);
    value("Parameter", "x", x);
    super(x.storage, x.offset, x.shape, x.strides, x.dtype);
    this.requiresGrad = requiresGrad;
    this.label = x.label;
  }
  get isParameter(): true {
    return true;
  }
} as never;

const buffers = new WeakMap<Value, { readonly persistent: boolean }>();

/**
 * Marks a tensor as part of a module's state that is not learned: running statistics, tables. Persistent ones are saved and
 * loaded with the parameters.
 *
 * PyTorch: `Module.register_buffer`.
 * @example
 * ```ts
 * import { Module, buffer, zeros } from "nabla";
 * class Counter extends Module { count = buffer(zeros(1)); }
 * console.log([...new Counter().stateDict().keys()]); // [ 'count' ]
 * ```
 */
export function buffer<T extends Tensor>(x: T, options: { persistent?: boolean } = {}): T {
  const { persistent = true } = only("buffer", options, ["persistent"]);
  value("buffer", "x", x);
  buffers.set(x, { persistent });
  return x;
}

/** What a tensor found in a module is: undefined for one that is no part of its state. */
export function role(x: Value): "parameter" | "buffer" | "transient" | undefined {
  if (x instanceof Parameter) return "parameter";
  const mark = buffers.get(x);
  return mark && (mark.persistent ? "buffer" : "transient");
}

/** The same tensor object in another element type: whoever holds it, an optimizer, a tied layer, sees the change. */
export function retype(x: Value, dtype: DType): void {
  const y = emptyLike(x, dtype);
  assign(y, cast(x, dtype));
  Object.assign(x, { storage: y.storage, offset: 0, dtype, grad: null });
}
