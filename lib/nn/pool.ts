import { only } from "../core/boundary.ts";
import {
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  avgPoolNames,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPoolNames,
} from "../ops/pool.ts";
import { type InterpolateOptions, interpolate, interpolateNames } from "../ops/resample.ts";
import type { Sizes } from "../ops/window.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Resized } from "../types/image.ts";
import type { DType, Shape } from "../types/shape.ts";
import { Module } from "./module.ts";

const show = (...given: readonly unknown[]): string =>
  given
    .filter((x) => !(typeof x === "object" && x !== null && Object.keys(x).length === 0))
    .map((x) => JSON.stringify(x).replaceAll('"', "").replaceAll(",", ", ").replaceAll(":", ": "))
    .join(", ");

/** A layer that slides a window; it has no parameters. */
abstract class Pool<Options> extends Module {
  readonly kernel: Sizes;
  readonly options: Options;
  constructor(kernel: Sizes, options: Options) {
    super();
    this.kernel = kernel;
    this.options = options;
  }
  override describe(): string {
    return show(this.kernel, this.options);
  }
}

/**
 * y[n, c, i, j] = the largest of x[n, c, i·stride + k·dilation - padding, ...] over the window k, l; the stride is the kernel unless
 * given. `ceilMode` lets a last window reach over the end. The gradient goes to the element that was largest, the first of equal ones.
 *
 * PyTorch: `torch.nn.MaxPool2d`.
 * @example
 * ```ts
 * import { MaxPool2d, tensor } from "nabla";
 * console.log(new MaxPool2d(2).forward(tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]]))); // tensor([[[6., 8.]]])
 * ```
 */
export class MaxPool2d extends Pool<MaxPoolOptions> {
  constructor(kernel: Sizes, options: MaxPoolOptions = {}) {
    super(kernel, only("MaxPool2d", options, maxPoolNames));
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 2>, D> {
    return maxPool2d(x, this.kernel, this.options) as never;
  }
}
/**
 * {@link MaxPool2d} along one dimension: x [batch, channels, length].
 *
 * PyTorch: `torch.nn.MaxPool1d`.
 * @example
 * ```ts
 * import { MaxPool1d, tensor } from "nabla";
 * console.log(new MaxPool1d(2).forward(tensor([[1, 5, 3, 4]]))); // tensor([[5., 4.]])
 * ```
 */
export class MaxPool1d extends Pool<MaxPoolOptions> {
  constructor(kernel: Sizes, options: MaxPoolOptions = {}) {
    super(kernel, only("MaxPool1d", options, maxPoolNames));
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 1>, D> {
    return maxPool1d(x, this.kernel, this.options) as never;
  }
}

/**
 * y = the mean of each window; the stride is the kernel unless given. Zeros of the padding count unless `countIncludePad` is false,
 * `divisorOverride` is what sums are divided by instead.
 *
 * PyTorch: `torch.nn.AvgPool2d`.
 * @example
 * ```ts
 * import { AvgPool2d, tensor } from "nabla";
 * console.log(new AvgPool2d(2).forward(tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]]))); // tensor([[[3.5000, 5.5000]]])
 * ```
 */
export class AvgPool2d extends Pool<AvgPoolOptions> {
  constructor(kernel: Sizes, options: AvgPoolOptions = {}) {
    super(kernel, only("AvgPool2d", options, avgPoolNames));
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 2>, D> {
    return avgPool2d(x, this.kernel, this.options) as never;
  }
}
/**
 * {@link AvgPool2d} along one dimension: x [batch, channels, length].
 *
 * PyTorch: `torch.nn.AvgPool1d`.
 * @example
 * ```ts
 * import { AvgPool1d, tensor } from "nabla";
 * console.log(new AvgPool1d(2).forward(tensor([[1, 5, 3, 5]]))); // tensor([[3., 4.]])
 * ```
 */
export class AvgPool1d extends Pool<AvgPoolOptions> {
  constructor(kernel: Sizes, options: AvgPoolOptions = {}) {
    super(kernel, only("AvgPool1d", options, avgPoolNames));
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 1>, D> {
    return avgPool1d(x, this.kernel, this.options) as never;
  }
}

/** Sizes of an adaptive pooling; null keeps what there is. */
export type OutputSize = number | readonly (number | null)[];

/** A layer whose result has a size of its own. */
abstract class AdaptivePool<Size> extends Module {
  readonly size: Size;
  constructor(size: Size) {
    super();
    this.size = size;
  }
  override describe(): string {
    return show(this.size);
  }
}
/**
 * Means over windows that divide the picture as evenly as they can, from ⌊i·h / rows⌋ to ⌈(i + 1)·h / rows⌉: the result has this size,
 * whatever x has. 1 is the mean of the whole picture.
 *
 * PyTorch: `torch.nn.AdaptiveAvgPool2d`.
 * @example
 * ```ts
 * import { AdaptiveAvgPool2d, ones } from "nabla";
 * console.log(new AdaptiveAvgPool2d(1).forward(ones(2, 3, 7, 5)).shape); // [ 2, 3, 1, 1 ]
 * ```
 */
export class AdaptiveAvgPool2d extends AdaptivePool<OutputSize> {
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 2>, D> {
    return adaptiveAvgPool2d(x, this.size) as never;
  }
}
/**
 * {@link AdaptiveAvgPool2d} along one dimension: x [batch, channels, length].
 *
 * PyTorch: `torch.nn.AdaptiveAvgPool1d`.
 * @example
 * ```ts
 * import { AdaptiveAvgPool1d, ones } from "nabla";
 * console.log(new AdaptiveAvgPool1d(4).forward(ones(2, 3, 10)).shape); // [ 2, 3, 4 ]
 * ```
 */
export class AdaptiveAvgPool1d extends AdaptivePool<number> {
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 1>, D> {
    return adaptiveAvgPool1d(x, this.size) as never;
  }
}
/**
 * The largest value of each of the windows of {@link AdaptiveAvgPool2d}.
 *
 * PyTorch: `torch.nn.AdaptiveMaxPool2d`.
 * @example
 * ```ts
 * import { AdaptiveMaxPool2d, ones } from "nabla";
 * console.log(new AdaptiveMaxPool2d([2, null]).forward(ones(2, 3, 7, 5)).shape); // [ 2, 3, 2, 5 ]
 * ```
 */
export class AdaptiveMaxPool2d extends AdaptivePool<OutputSize> {
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Resized<S, 2>, D> {
    return adaptiveMaxPool2d(x, this.size) as never;
  }
}

/**
 * Pictures of another size: `size`, or `scaleFactor` times theirs. Mode "nearest" repeats elements; "linear" (sequences), "bilinear"
 * (pictures) and "trilinear" mix neighbours in proportion to their distance, "bicubic" four in each dimension; `alignCorners` lets
 * first and last elements keep their places.
 *
 * PyTorch: `torch.nn.Upsample`.
 * @example
 * ```ts
 * import { tensor, Upsample } from "nabla";
 * const up = new Upsample({ scaleFactor: 2 });
 * console.log(up.forward(tensor([[[1, 2]]]))); // tensor([[[1., 1., 2., 2.]]])
 * ```
 */
export class Upsample extends Module {
  readonly options: InterpolateOptions;
  constructor(options: InterpolateOptions) {
    super();
    this.options = only("Upsample", options, interpolateNames);
  }
  override describe(): string {
    return show(this.options);
  }
  forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return interpolate(x, this.options) as never;
  }
}
