import { guards, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import type { ConvOptions, ConvTransposeOptions } from "../ops/conv.ts";
import * as convolutions from "../ops/conv.ts";
import { empty } from "../ops/create.ts";
import type { Sizes } from "../ops/window.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { CanConvolve, ChannelsAre, Convolved, ConvolvedBack, WithChannels } from "../types/image.ts";
import type { Shape, Str } from "../types/shape.ts";
import { kaimingUniform, uniform } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

const ops = guards({ ...convolutions });

/** Options of the convolutional layers; a single number stands for every dimension. */
export interface ConvLayerOptions extends ConvOptions {
  /** Learn what is added to each output channel. */
  readonly bias?: boolean;
}
export interface ConvTransposeLayerOptions extends ConvTransposeOptions {
  readonly bias?: boolean;
}

type Weight = Parameter<[number, ...number[]], "f32">;

/** A weight [outs, ins, ...window] and a bias, both uniform in ±1 / √(ins · window) to begin with. */
function weights(shape: readonly number[], outs: number, bias: boolean) {
  const fan = shape.slice(1).reduce((a, b) => a * b, 1);
  const bound = 1 / Math.sqrt(Math.max(fan, 1));
  const weight = kaimingUniform(empty(shape) as Tensor, { a: Math.sqrt(5) });
  return {
    weight: new Parameter(weight) as unknown as Weight,
    bias: bias ? new Parameter(uniform(empty([outs]) as Tensor<[number], "f32">, -bound, bound)) : null,
  };
}

function window(op: string, kernel: Sizes, rank: number): number[] {
  const list = Array.isArray(kernel) ? [...kernel] : Array.from({ length: rank }, () => kernel as number);
  if (list.length !== rank || !list.every((n) => Number.isInteger(n) && n >= 1))
    fail(
      "ERR_NABLA_VALUE",
      op,
      `the kernel must be ${rank === 1 ? "a whole number" : "one or two whole numbers"} from 1`,
      {
        actual: kernel,
      },
    );
  return list;
}
function checkChannels(op: string, ins: number, outs: number, groups: number): void {
  checkShape(op, [ins, outs]);
  if (!Number.isInteger(groups) || groups < 1 || ins % groups !== 0 || outs % groups !== 0)
    fail("ERR_NABLA_VALUE", op, `${groups} groups do not divide ${ins} channels and ${outs} outputs`, {
      expected: "a whole number that divides both",
      actual: groups,
    });
}

const layerNames = ["stride", "padding", "dilation", "groups", "bias"] as const;
const turnedNames = ["outputPadding", ...layerNames] as const;

/** What the layers share: sizes, options, parameters. */
abstract class Convolution<I extends number, O extends number, Options> extends Module {
  readonly inChannels: I;
  readonly outChannels: O;
  readonly kernel: readonly number[];
  readonly options: Options;
  readonly weight: Weight;
  readonly bias: Parameter<[number], "f32"> | null;

  constructor(
    ins: I,
    outs: O,
    kernel: Sizes,
    given: ConvLayerOptions | ConvTransposeLayerOptions,
    { name, rank, turned }: { name: string; rank: number; turned: boolean },
  ) {
    super();
    const names = (turned ? turnedNames : layerNames) as typeof turnedNames;
    const { bias = true, ...options } = only(name, given as ConvTransposeLayerOptions, names);
    const { groups = 1 } = options;
    checkChannels(name, ins, outs, groups);
    this.inChannels = ins;
    this.outChannels = outs;
    this.kernel = window(name, kernel, rank);
    this.options = options as Options;
    const shape = turned ? [ins, outs / groups] : [outs, ins / groups];
    Object.defineProperty(this, "options", { enumerable: false });
    const made = weights([...shape, ...this.kernel], outs, bias);
    this.weight = made.weight;
    this.bias = made.bias;
  }
  override describe(): string {
    const given = Object.entries({ ...this.options, ...(this.bias ? {} : { bias: false }) });
    const options = given.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ");
    const kernel = this.kernel.length === 1 ? this.kernel[0] : `[${this.kernel.join(", ")}]`;
    return `${this.inChannels}, ${this.outChannels}, ${kernel}${options ? `, { ${options} }` : ""}`;
  }
}

/**
 * y[n, o, i, j] = b[o] + Σ W[o, c, k, l] x[n, c, i·stride + k·dilation - padding, ...] over the channels c of o's group and
 * the window k, l: x [batch, in, height, width] gives [batch, out, ...]; W is [out, in / groups, ...kernel]. `padding` is zeros
 * around the picture, "same" keeps its size. W and b begin uniform in ±1 / √(in / groups · window).
 *
 * PyTorch: `torch.nn.Conv2d`. A kernel larger than the padded picture is an ERR_NABLA_SHAPE.
 * @example
 * ```ts
 * import { Conv2d, zeros } from "nabla";
 * const layer = new Conv2d(3, 16, 3, { stride: 2, padding: 1 });
 * console.log(layer.forward(zeros(8, 3, 32, 32)).shape, layer.weight.shape); // [ 8, 16, 16, 16 ] [ 16, 3, 3, 3 ]
 * ```
 */
export class Conv2d<I extends number = number, O extends number = number> extends Convolution<I, O, ConvOptions> {
  constructor(inChannels: I, outChannels: O, kernel: Sizes, options: ConvLayerOptions = {}) {
    super(inChannels, outChannels, kernel, options, { name: "Conv2d", rank: 2, turned: false });
  }
  forward<S extends Shape>(
    x: Tensor<S> & ChannelsAre<`Conv2d(${Str<I>}, ${Str<O>})`, S, I, 2>,
  ): Tensor<WithChannels<S, O, 2>, "f32"> {
    return ops.conv2d(x, this.weight, this.bias ?? undefined, this.options) as never;
  }
}

/**
 * A convolution along one dimension: x [batch, in, length] gives [batch, out, ...]; W is [out, in / groups, kernel]. See {@link Conv2d}.
 *
 * PyTorch: `torch.nn.Conv1d`.
 * @example
 * ```ts
 * import { Conv1d, zeros } from "nabla";
 * console.log(new Conv1d(4, 8, 5, { padding: "same" }).forward(zeros(2, 4, 100)).shape); // [ 2, 8, 100 ]
 * ```
 */
export class Conv1d<I extends number = number, O extends number = number> extends Convolution<I, O, ConvOptions> {
  constructor(inChannels: I, outChannels: O, kernel: Sizes, options: ConvLayerOptions = {}) {
    super(inChannels, outChannels, kernel, options, { name: "Conv1d", rank: 1, turned: false });
  }
  forward<S extends Shape>(
    x: Tensor<S> & ChannelsAre<`Conv1d(${Str<I>}, ${Str<O>})`, S, I, 1>,
  ): Tensor<WithChannels<S, O, 1>, "f32"> {
    return ops.conv1d(x, this.weight, this.bias ?? undefined, this.options) as never;
  }
}

/**
 * The gradient of {@link Conv2d} by its input, as a layer: every element of x [batch, in, height, width] adds W times itself to a
 * window of y, windows `stride` apart. W is [in, out / groups, ...kernel]; the result has (size - 1)·stride - 2·padding +
 * dilation·(kernel - 1) + outputPadding + 1 rows and columns.
 *
 * PyTorch: `torch.nn.ConvTranspose2d`.
 * @example
 * ```ts
 * import { ConvTranspose2d, zeros } from "nabla";
 * const layer = new ConvTranspose2d(16, 3, 4, { stride: 2, padding: 1 });
 * console.log(layer.forward(zeros(8, 16, 16, 16)).shape); // [ 8, 3, 32, 32 ]
 * ```
 */
export class ConvTranspose2d<I extends number = number, O extends number = number> extends Convolution<
  I,
  O,
  ConvTransposeOptions
> {
  constructor(inChannels: I, outChannels: O, kernel: Sizes, options: ConvTransposeLayerOptions = {}) {
    super(inChannels, outChannels, kernel, options, { name: "ConvTranspose2d", rank: 2, turned: true });
  }
  forward<S extends Shape>(
    x: Tensor<S> & ChannelsAre<`ConvTranspose2d(${Str<I>}, ${Str<O>})`, S, I, 2>,
  ): Tensor<WithChannels<S, O, 2>, "f32"> {
    return ops.convTranspose2d(x, this.weight, this.bias ?? undefined, this.options) as never;
  }
}

/**
 * {@link ConvTranspose2d} along one dimension: x [batch, in, length], W [in, out / groups, kernel].
 *
 * PyTorch: `torch.nn.ConvTranspose1d`.
 * @example
 * ```ts
 * import { ConvTranspose1d, zeros } from "nabla";
 * console.log(new ConvTranspose1d(4, 2, 2, { stride: 2 }).forward(zeros(1, 4, 10)).shape); // [ 1, 2, 20 ]
 * ```
 */
export class ConvTranspose1d<I extends number = number, O extends number = number> extends Convolution<
  I,
  O,
  ConvTransposeOptions
> {
  constructor(inChannels: I, outChannels: O, kernel: Sizes, options: ConvTransposeLayerOptions = {}) {
    super(inChannels, outChannels, kernel, options, { name: "ConvTranspose1d", rank: 1, turned: true });
  }
  forward<S extends Shape>(
    x: Tensor<S> & ChannelsAre<`ConvTranspose1d(${Str<I>}, ${Str<O>})`, S, I, 1>,
  ): Tensor<WithChannels<S, O, 1>, "f32"> {
    return ops.convTranspose1d(x, this.weight, this.bias ?? undefined, this.options) as never;
  }
}

type Groups<G extends number> = { readonly groups?: G };
/**
 * What {@link Conv2d} computes, with a weight [out, in / groups, height, width] and a bias [out] that are given.
 *
 * PyTorch: `torch.nn.functional.conv2d`. Shapes that do not fit are an ERR_NABLA_SHAPE.
 * @example
 * ```ts
 * import { conv2d, ones } from "nabla";
 * const [x, blur] = [ones(1, 1, 5, 5), ones(1, 1, 3, 3).div(9)];
 * console.log(conv2d(x, blur, null, { padding: 1 }).select(2, 0).select(2, 0)); // tensor([[0.4444]])
 * ```
 */
export function conv2d<S extends Shape, W extends Shape, const G extends number = 1>(
  x: Tensor<S>,
  weight: Tensor<W> & CanConvolve<"conv2d", S, W, 2, G>,
  bias?: Tensor | null,
  options?: ConvOptions & Groups<G>,
): Tensor<Convolved<S, W, 2>, "f32"> {
  return ops.conv2d(x, weight as Tensor, bias ?? undefined, options) as never;
}
/**
 * {@link conv2d} along one dimension: x [batch, in, length], weight [out, in / groups, width].
 *
 * PyTorch: `torch.nn.functional.conv1d`.
 * @example
 * ```ts
 * import { conv1d, tensor } from "nabla";
 * const [x, difference] = [tensor([[[1, 4, 9, 16]]]), tensor([[[-1, 1]]])];
 * console.log(conv1d(x, difference)); // tensor([[[3., 5., 7.]]])
 * ```
 */
export function conv1d<S extends Shape, W extends Shape, const G extends number = 1>(
  x: Tensor<S>,
  weight: Tensor<W> & CanConvolve<"conv1d", S, W, 1, G>,
  bias?: Tensor | null,
  options?: ConvOptions & Groups<G>,
): Tensor<Convolved<S, W, 1>, "f32"> {
  return ops.conv1d(x, weight as Tensor, bias ?? undefined, options) as never;
}
/**
 * What {@link ConvTranspose2d} computes, with a weight [in, out / groups, height, width] and a bias [out] that are given.
 *
 * PyTorch: `torch.nn.functional.conv_transpose2d`.
 * @example
 * ```ts
 * import { convTranspose2d, ones } from "nabla";
 * console.log(convTranspose2d(ones(1, 2, 3, 3), ones(2, 4, 2, 2), null, { stride: 2 }).shape); // [ 1, 4, 6, 6 ]
 * ```
 */
export function convTranspose2d<S extends Shape, W extends Shape, const G extends number = 1>(
  x: Tensor<S>,
  weight: Tensor<W> & CanConvolve<"convTranspose2d", S, W, 2, G, "in">,
  bias?: Tensor | null,
  options?: ConvTransposeOptions & Groups<G>,
): Tensor<ConvolvedBack<S, W, 2, G>, "f32"> {
  return ops.convTranspose2d(x, weight as Tensor, bias ?? undefined, options) as never;
}
/**
 * {@link convTranspose2d} along one dimension: x [batch, in, length], weight [in, out / groups, width].
 *
 * PyTorch: `torch.nn.functional.conv_transpose1d`.
 * @example
 * ```ts
 * import { convTranspose1d, tensor } from "nabla";
 * console.log(convTranspose1d(tensor([[[1, 2]]]), tensor([[[1, 10]]]), null, { stride: 2 })); // tensor([[[ 1., 10.,  2., 20.]]])
 * ```
 */
export function convTranspose1d<S extends Shape, W extends Shape, const G extends number = 1>(
  x: Tensor<S>,
  weight: Tensor<W> & CanConvolve<"convTranspose1d", S, W, 1, G, "in">,
  bias?: Tensor | null,
  options?: ConvTransposeOptions & Groups<G>,
): Tensor<ConvolvedBack<S, W, 1, G>, "f32"> {
  return ops.convTranspose1d(x, weight as Tensor, bias ?? undefined, options) as never;
}
