import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { emptyLike, isDense } from "../core/layout.ts";
import { emptyValue, type Value, viewValue } from "../core/value.ts";
import { launch, launchMap } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { cast, contiguous, maximum, minimum } from "../ops/arithmetic.ts";
import { full, zeros } from "../ops/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { parametersOf, type Trainable } from "./optimizer.ts";

const withGradients = (op: string, from: Trainable) =>
  [...parametersOf(op, from).values()].filter((p) => p.grad !== null);

/** One element of a vector, as a vector. */
const element = (x: Value, i: number): Value => viewValue(x, [1], [1], x.offset + i);

/**
 * Scales all gradients together so that their norm, taken over all of them as one vector, is at most `max`: g *= min(1, max /
 * (norm + 1e-6)). Returns the norm from before, without reading it: in a compiled step it stays a tensor.
 *
 * PyTorch: `torch.nn.utils.clip_grad_norm_`. `norm` is 2 unless given; Infinity takes the largest absolute value.
 * @example
 * ```ts
 * import { clipGradNorm, Linear, ones } from "nabla";
 * const model = new Linear(2, 1, { bias: false });
 * model.forward(ones(1, 2)).mul(10).sum().backward();
 * console.log(clipGradNorm(model, 1).item().toFixed(2)); // 14.14
 * console.log(model.weight.grad?.toArray()); // [ [ 0.7071067094802856, 0.7071067094802856 ] ]
 * ```
 */
export function clipGradNorm(from: Trainable, max: number, options: { norm?: number } = {}): Tensor<[], "f32"> {
  const { norm = 2 } = only("clipGradNorm", options, ["norm"]);
  checkPlain("clipGradNorm", { max });
  if (typeof max !== "number" || !(max >= 0) || !(norm > 0))
    fail("ERR_NABLA_VALUE", "clipGradNorm", `cannot clip the ${norm}-norm to ${max}`, {
      expected: "a largest norm from 0 and a norm above 0",
      actual: { max, norm },
    });
  const parameters = withGradients("clipGradNorm", from);
  if (parameters.length === 0) return zeros([]) as Tensor<[], "f32">;
  return withGrad(false, () => {
    const sums = emptyValue([parameters.length], "f64");
    parameters.forEach(({ grad }, i) => {
      const g = grad as Value;
      const flat = isDense(g.shape, g.strides) ? g : contiguous(g);
      launch(K.power_sum, g.dtype, [1, g.size], [element(sums, i), flat], [norm]);
    });
    const clip = full([3], max, "f64");
    launch(K.clip_factor, "f32", [3, parameters.length], [clip, sums], [norm]);
    const factor = element(clip, 2);
    // A new tensor, not the old one in place: two parameters may share the memory of one gradient.
    for (const p of parameters) {
      const g = p.grad as Value;
      const y = emptyLike(g);
      launchMap(K.mul, g.dtype, [y, g, cast(factor, g.dtype)]);
      p.grad = y as Tensor;
    }
    return cast(viewValue(clip, [], [], 1), "f32") as Tensor<[], "f32">;
  });
}

/**
 * Clamps every element of every gradient to [-max, max].
 *
 * PyTorch: `torch.nn.utils.clip_grad_value_`.
 * @example
 * ```ts
 * import { clipGradValue, Linear, ones } from "nabla";
 * const model = new Linear(2, 1, { bias: false });
 * model.forward(ones(1, 2)).mul(10).sum().backward();
 * clipGradValue(model, 0.5);
 * console.log(model.weight.grad?.toArray()); // [ [ 0.5, 0.5 ] ]
 * ```
 */
export function clipGradValue(from: Trainable, max: number): void {
  checkPlain("clipGradValue", { max });
  if (typeof max !== "number" || !(max >= 0))
    fail("ERR_NABLA_VALUE", "clipGradValue", `cannot clip to ${max}`, { expected: "from 0", actual: max });
  withGrad(false, () => {
    for (const p of withGradients("clipGradValue", from))
      p.grad = minimum({ a: maximum({ a: p.grad as Value, b: -max }), b: max }) as Tensor;
  });
}
