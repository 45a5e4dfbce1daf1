import { only, value } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { linearQuantized, type Quantized, quantizeWeight } from "../ops/quantize.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { exchange } from "./exchange.ts";
import { Module } from "./module.ts";
import { buffer, type Parameter, retype } from "./parameter.ts";

/** A linear layer that {@link quantizeDynamic} can take: its weight as [out, in]. */
export interface Quantizable extends Module {
  readonly weight: Parameter;
  /** The layer with whole numbers for weights. */
  quantized(): Module;
}

/**
 * y = x Wᵀ + b with W of 8 bits: x [..., in], y [..., out]. {@link quantizeDynamic} makes it of a Linear. Inference only: run it
 * inside noGrad().
 *
 * PyTorch: `torch.ao.nn.quantized.dynamic.Linear`.
 * @example
 * ```ts
 * import { Linear, QuantizedLinear, noGrad, ones } from "nabla";
 * const layer = new Linear(64, 10);
 * const small = new QuantizedLinear(layer.weight, layer.bias);
 * const [y, z] = noGrad(() => [layer.forward(ones(1, 64)), small.forward(ones(1, 64))]);
 * console.log(y.sub(z).abs().max().item() < 0.02); // true
 * ```
 */
export class QuantizedLinear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly q: Tensor;
  readonly scale: Tensor;
  readonly sum: Tensor;
  readonly bias: Tensor | null;

  constructor(weight: Value, bias: Value | null = null) {
    super();
    value("QuantizedLinear", "weight", weight);
    if (bias !== null) value("QuantizedLinear", "bias", bias);
    const { shape, q, scale, sum } = quantizeWeight(weight);
    [this.outFeatures, this.inFeatures] = shape;
    this.q = buffer(q as Tensor);
    this.scale = buffer(scale as Tensor);
    this.sum = buffer(sum as Tensor);
    this.bias = bias && buffer((bias as Tensor).detach() as Tensor);
  }
  get #quantized(): Quantized {
    return { shape: [this.outFeatures, this.inFeatures], q: this.q, scale: this.scale, sum: this.sum };
  }
  /** There is none: a function that reads it is told so. */
  get weight(): Parameter {
    return fail("ERR_NABLA_STATE", "QuantizedLinear", "weights of 8 bits are no tensor to compute with", {
      hint: "run the layer, or quantize a copy of the model and keep this one for training",
    });
  }
  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? "" : ", { bias: false }"}`;
  }
  forward(x: Tensor): Tensor {
    return linearQuantized(x, this.#quantized, this.bias ?? undefined) as Tensor;
  }
}

export interface QuantizeOptions {
  /** "i8", four times smaller weights and products in whole numbers, or "bf16", two times. Default "i8". */
  dtype?: "i8" | "bf16";
}
const isQuantizable = (m: Module): m is Quantizable => "quantized" in m;

/**
 * Gives the linear layers of a trained model smaller weights, in place, for inference: 8 bits with a scale for each output, or
 * bf16. Inputs are turned into 8 bits row by row when a layer runs ("dynamic"); sums are exact, so results are the same on
 * every instruction set. Embeddings, norms, convolutions, recurrent layers and MultiheadAttention keep f32, and so does a
 * layer that is the model itself. Save the model before: whole numbers are made again after loading. Returns the model.
 *
 * PyTorch: `torch.ao.quantization.quantize_dynamic`.
 * @example
 * ```ts
 * import { Linear, ReLU, Sequential, noGrad, ones, quantizeDynamic } from "nabla";
 * const model = new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
 * quantizeDynamic(model.eval());
 * console.log(noGrad(() => model.forward(ones(8, 64))).shape); // [ 8, 10 ]
 * ```
 */
export function quantizeDynamic<M extends Module>(model: M, options: QuantizeOptions = {}): M {
  const { dtype = "i8" } = only("quantizeDynamic", options, ["dtype"]);
  if (!(model instanceof Module)) fail("ERR_NABLA_TYPE", "quantizeDynamic", "takes a model", { actual: model });
  if (dtype !== "i8" && dtype !== "bf16")
    fail("ERR_NABLA_VALUE", "quantizeDynamic", `there are no weights of ${String(dtype)}`, {
      expected: ["i8", "bf16"],
      actual: dtype,
    });
  const halve = (layer: Quantizable): Module => {
    if (layer.weight.dtype !== "f32") return layer;
    layer.weight.requiresGrad = false;
    retype(layer.weight, "bf16");
    return layer;
  };
  const smaller = dtype === "bf16" ? halve : (layer: Quantizable) => layer.quantized();
  exchange(model, (m) => (isQuantizable(m) ? smaller(m) : undefined));
  return model;
}
