import { value } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { type Value, viewValue } from "../core/value.ts";
import { type Node, type WalkOptions, walk } from "../engine/tape.ts";
import { ones } from "../ops/index.ts";
import type { DType, Shape } from "../types/shape.ts";

import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** Gradients. Operations on tensors that require them are recorded; backward() walks the record and clears it. */
export interface Autograd {
  /**
   * Adds d this / d leaf to `grad` of every leaf that requires gradients. A tensor of more than one element needs the
   * gradient to start from. `retain` keeps the record for another backward(), `createGraph` records the gradients too.
   * `torch.Tensor.backward`. Throws ERR_NABLA_GRAD if nothing was recorded, or the record is already cleared.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([1, 2, 3], { requiresGrad: true });
   * x.mul(x).sum().backward();
   * console.log(x.grad); // tensor([2., 4., 6.])
   * ```
   */
  backward<A extends Shape>(this: Tensor<A>, grad?: Tensor<A> | undefined, options?: WalkOptions): void;
  /**
   * The same memory, off the record: no gradient flows through it. `torch.Tensor.detach`.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([2], { requiresGrad: true });
   * x.mul(x.detach()).backward();
   * console.log(x.grad); // tensor([2.])
   * ```
   */
  detach<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, E>;
  /**
   * Asks backward() to leave the gradient of a tensor that is not a leaf in its `grad`. `torch.Tensor.retain_grad`.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([1, 2], { requiresGrad: true });
   * const y = x.mul(3);
   * y.retainGrad();
   * y.sum().backward();
   * console.log(y.grad); // tensor([1., 1.])
   * ```
   */
  retainGrad(this: Tensor): void;
}

/** The gradient a walk starts from: what was given, checked, or 1 for a single element. */
export function seedOf(op: string, y: Value, grad: unknown): Value {
  if (!value(op, "output", y).requiresGrad)
    fail("ERR_NABLA_GRAD", op, "nothing was recorded that leads to this tensor", {
      values: { y },
      hint: "make a leaf with { requiresGrad: true }, and compute outside noGrad()",
    });
  if (grad === undefined || grad === null) {
    if (y.size === 1) return ones(y.shape, y.dtype);
    return fail("ERR_NABLA_GRAD", op, `a tensor of ${y.size} elements needs the gradient to start from`, {
      values: { y },
      hint: "reduce it to one number with sum() or mean(), or pass a gradient of its shape",
    });
  }
  const seed = value(op, "the gradient", grad);
  if (!sameShape(seed.shape, y.shape) || seed.dtype !== y.dtype)
    fail(seed.dtype === y.dtype ? "ERR_NABLA_SHAPE" : "ERR_NABLA_DTYPE", op, "the gradient is not like the tensor", {
      values: { y, grad: seed },
      expected: y.shape,
      actual: seed.shape,
    });
  return seed;
}

function retainGrad(x: Value): void {
  if (!x.requiresGrad)
    fail("ERR_NABLA_GRAD", "retainGrad", "this tensor does not require gradients", { values: { x } });
  const node = x.node as Node | null;
  if (node && !node.retained.includes(x)) node.retained.push(x);
}

export const autograd: Methods<Autograd> = {
  backward: (y, grad?: Value, options?: WalkOptions) => {
    walk([{ value: y, grad: seedOf("backward", y, grad) }], null, options);
  },
  detach: (x) => viewValue(x, x.shape, x.strides, x.offset),
  retainGrad,
};
