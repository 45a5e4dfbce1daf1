import { only } from "../core/boundary.ts";
import { checkShape } from "../core/shape.ts";
import { empty } from "../ops/create.ts";
import { linear } from "../ops/matmul.ts";
import { flatten, transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, Flatten as Flat, LastIs, ReplaceLast, Shape, Str } from "../types/shape.ts";
import { kaimingUniform, uniform } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { QuantizedLinear } from "./quantize.ts";

/**
 * y = x Wᵀ + b: x [..., in], W [out, in], b [out], y [..., out]. W and b begin uniform in ±1 / √in. W lies in memory as
 * [in, out], which small batches and the gradient of x read faster; its shape, its gradient and files have [out, in].
 *
 * PyTorch: `torch.nn.Linear`. An input whose last size is not `in` is an ERR_NABLA_SHAPE.
 * @example
 * ```ts
 * import { Linear, zeros } from "nabla";
 * const layer = new Linear(784, 128);
 * console.log(layer.forward(zeros(32, 784)).shape, layer.weight.shape); // [ 32, 128 ] [ 128, 784 ]
 * ```
 */
export class Linear<I extends number = number, O extends number = number> extends Module {
  readonly inFeatures: I;
  readonly outFeatures: O;
  readonly weight: Parameter<[O, I], "f32">;
  readonly bias: Parameter<[O], "f32"> | null;

  constructor(inFeatures: I, outFeatures: O, options: { bias?: boolean } = {}) {
    const { bias = true } = only("Linear", options, ["bias"]);
    super();
    checkShape("Linear", [inFeatures, outFeatures]);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const weight = transpose(empty([inFeatures, outFeatures])) as Tensor<[O, I], "f32">;
    this.weight = new Parameter(kaimingUniform(weight, { a: Math.sqrt(5) }));
    const bound = 1 / Math.sqrt(Math.max(inFeatures, 1));
    this.bias = bias ? new Parameter(uniform(empty([outFeatures]) as Tensor<[O], "f32">, -bound, bound)) : null;
  }
  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? "" : ", { bias: false }"}`;
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`Linear(${Str<I>}, ${Str<O>})`, S, I>,
  ): Tensor<ReplaceLast<S, O>, "f32"> {
    return linear(x, this.weight, this.bias ?? undefined) as never;
  }
  /** The layer with weights of 8 bits, for {@link quantizeDynamic}. */
  quantized(): QuantizedLinear {
    return new QuantizedLinear(this.weight, this.bias);
  }
}

/**
 * y = x. PyTorch: `torch.nn.Identity`.
 * @example
 * ```ts
 * import { Identity, ones } from "nabla";
 * console.log(new Identity().forward(ones(2)).shape); // [ 2 ]
 * ```
 */
export class Identity extends Module {
  declare readonly gives: "same";
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return x;
  }
}

/**
 * All dims but the first as one: [batch, ...] to [batch, product]. PyTorch: `torch.nn.Flatten`.
 * @example
 * ```ts
 * import { Flatten, zeros } from "nabla";
 * console.log(new Flatten().forward(zeros(32, 28, 28)).shape); // [ 32, 784 ]
 * ```
 */
export class Flatten extends Module {
  declare readonly gives: "flat";
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Flat<S, 1>, D> {
    return (x.ndim > 1 ? flatten(x, 1) : x) as never;
  }
}
