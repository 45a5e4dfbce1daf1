import { value } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { cast, eq } from "../ops/arithmetic.ts";
import { argmax } from "../ops/extreme.ts";
import { mean } from "../ops/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A number that tells how well outputs fit targets: a mean over the batch. */
export type Metric = (output: Tensor, target: Tensor) => Tensor;

/**
 * The share of rows whose largest output is at the label. Targets are labels, or one probability for each class.
 * @example
 * ```ts
 * import { accuracy, tensor } from "nabla";
 * const logits = tensor([[2, 0], [0, 1], [3, 1], [0, 4]]);
 * console.log(accuracy(logits, tensor([0, 1, 1, 1], { dtype: "i32" })).item()); // 0.75
 * ```
 */
export function accuracy(output: Tensor, target: Tensor): Tensor<[], "f32"> {
  for (const [name, x] of Object.entries({ output, target })) value("accuracy", name, x);
  const best = argmax(output, -1);
  const labels: Value = sameShape(target.shape, output.shape) ? argmax(target, -1) : target;
  if (!sameShape(best.shape, labels.shape))
    fail("ERR_NABLA_SHAPE", "accuracy", `needs one label for each row, ${showShape(best.shape)}`, {
      values: { output, target },
      expected: best.shape,
      actual: labels.shape,
    });
  return mean(cast(eq({ a: best, b: labels }), "f32")) as Tensor<[], "f32">;
}
