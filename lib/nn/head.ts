import { enter } from "../core/boundary.ts";
import * as ops from "../ops/head.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The mean of -log softmax(x Wᵀ)[target], the loss of a language model, with x [..., width], W [classes, width] and target [...]
 * of labels: crossEntropy(x.matmul(W.mT()), target), without storing all logits: of `width` rows at a time, which take as much as W, or
 * 16 MB. Gradients are made in the same pass. Labels equal to `ignoreIndex`, -100 unless given, are left out.
 *
 * Shapes that do not fit are an ERR_NABLA_SHAPE, labels outside the classes an ERR_NABLA_INDEX.
 * @example
 * ```ts
 * import { linearCrossEntropy, tensor, zeros } from "nabla";
 * const target = tensor([3, 1, -100], { dtype: "i32" });
 * console.log(linearCrossEntropy(zeros(3, 8), zeros(100, 8), target)); // tensor(4.6052)
 * ```
 */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  target: Tensor,
  options: { readonly ignoreIndex?: number | undefined } = {},
): Tensor<[], "f32"> {
  return enter(
    "linearCrossEntropy",
    [x, weight, target, options],
    () => ops.linearCrossEntropy(x, weight, target, options) as Tensor<[], "f32">,
  );
}
