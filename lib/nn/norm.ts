import { only } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { ones, zeros } from "../ops/create.ts";
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from "../ops/norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, LastIs, Shape, Str } from "../types/shape.ts";
import { Module } from "./module.ts";
import { buffer, Parameter } from "./parameter.ts";

const vector = <N extends number>(x: unknown): Parameter<[N], "f32"> => new Parameter(x as Tensor<[N], "f32">);

/** Options of the normalising layers. */
export interface NormOptions {
  /** Added to the variance. */
  eps?: number;
  /** Learn a scale and a shift. */
  affine?: boolean;
  /** Learn the shift too. */
  bias?: boolean;
}

/**
 * y = (x - mean) / √(var + eps) · w + b over the last dim, of `size` elements; w begins at 1, b at 0 (Ba et al., 2016).
 *
 * PyTorch: `torch.nn.LayerNorm`.
 * @example
 * ```ts
 * import { LayerNorm, tensor } from "nabla";
 * console.log(new LayerNorm(2).forward(tensor([[1, 3]]))); // tensor([[-1.0000, 1.0000]], { requiresGrad: true })
 * ```
 */
export class LayerNorm<N extends number = number> extends Module {
  readonly inFeatures: N;
  readonly outFeatures: N;
  readonly eps: number;
  readonly weight: Parameter<[N], "f32"> | null;
  readonly bias: Parameter<[N], "f32"> | null;

  constructor(size: N, options: NormOptions = {}) {
    const { eps = 1e-5, affine = true, bias = true } = only("LayerNorm", options, ["eps", "affine", "bias"]);
    super();
    checkShape("LayerNorm", [size]);
    this.inFeatures = size;
    this.outFeatures = size;
    this.eps = eps;
    this.weight = affine ? vector(ones([size])) : null;
    this.bias = affine && bias ? vector(zeros([size])) : null;
  }
  override describe(): string {
    return `${this.inFeatures}`;
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D> & LastIs<`LayerNorm(${Str<N>})`, S, N>): Tensor<S, D> {
    const { weight, bias, eps } = this;
    return layerNorm(x, [this.inFeatures], { weight: weight ?? undefined, bias: bias ?? undefined, eps }) as never;
  }
}

/**
 * y = x / √(mean x² + eps) · w over the last dim: layer norm without mean and shift (Zhang and Sennrich, 2019).
 *
 * PyTorch: `torch.nn.RMSNorm`; eps is 2⁻²³ unless given.
 * @example
 * ```ts
 * import { RMSNorm, tensor } from "nabla";
 * console.log(new RMSNorm(2).forward(tensor([[3, 3]]))); // tensor([[1., 1.]], { requiresGrad: true })
 * ```
 */
export class RMSNorm<N extends number = number> extends Module {
  readonly inFeatures: N;
  readonly outFeatures: N;
  readonly eps: number | undefined;
  readonly weight: Parameter<[N], "f32"> | null;

  constructor(size: N, options: Omit<NormOptions, "bias"> = {}) {
    const { eps, affine = true } = only("RMSNorm", options, ["eps", "affine"]);
    super();
    checkShape("RMSNorm", [size]);
    this.inFeatures = size;
    this.outFeatures = size;
    this.eps = eps;
    this.weight = affine ? vector(ones([size])) : null;
  }
  override describe(): string {
    return `${this.inFeatures}`;
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D> & LastIs<`RMSNorm(${Str<N>})`, S, N>): Tensor<S, D> {
    return rmsNorm(x, [this.inFeatures], { weight: this.weight ?? undefined, eps: this.eps }) as never;
  }
}

/**
 * Layer norm over groups of neighbouring channels and all positions: x [batch, channels, ...] (Wu and He, 2018).
 *
 * PyTorch: `torch.nn.GroupNorm`.
 * @example
 * ```ts
 * import { GroupNorm, ones } from "nabla";
 * console.log(new GroupNorm(2, 4).forward(ones(1, 4, 3, 3)).shape); // [ 1, 4, 3, 3 ]
 * ```
 */
export class GroupNorm extends Module {
  declare readonly gives: "same";
  readonly groups: number;
  readonly channels: number;
  readonly eps: number;
  readonly weight: Parameter<[number], "f32"> | null;
  readonly bias: Parameter<[number], "f32"> | null;

  constructor(groups: number, channels: number, options: NormOptions = {}) {
    const { eps = 1e-5, affine = true, bias = true } = only("GroupNorm", options, ["eps", "affine", "bias"]);
    super();
    checkShape("GroupNorm", [groups, channels]);
    this.groups = groups;
    this.channels = channels;
    this.eps = eps;
    this.weight = affine ? vector(ones([channels])) : null;
    this.bias = affine && bias ? vector(zeros([channels])) : null;
  }
  override describe(): string {
    return `${this.groups}, ${this.channels}`;
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    const { weight, bias, eps } = this;
    return groupNorm(x, this.groups, { weight: weight ?? undefined, bias: bias ?? undefined, eps }) as never;
  }
}

/** Options of {@link BatchNorm1d}, {@link BatchNorm2d}, {@link InstanceNorm1d} and {@link InstanceNorm2d}. */
export interface BatchNormOptions extends NormOptions {
  /** Share of a batch in the running statistics; null: their mean over all batches. */
  momentum?: number | null;
  /** Keep running statistics; without them evaluation, too, normalises by the batch. */
  trackRunningStats?: boolean;
}
/** What batch and instance norm share: a scale and a shift for each channel, and statistics that follow those of the batches. */
abstract class TrackedNorm extends Module {
  declare readonly gives: "same";
  readonly channels: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter<[number], "f32"> | null;
  readonly bias: Parameter<[number], "f32"> | null;
  readonly running_mean: Tensor<[number], "f32"> | null;
  readonly running_var: Tensor<[number], "f32"> | null;
  readonly num_batches_tracked: Tensor<[], "i32"> | null;

  constructor(channels: number, options: BatchNormOptions = {}) {
    super();
    checkShape(this.constructor.name, [channels]);
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      bias = true,
      trackRunningStats: tracks = true,
    } = only(this.constructor.name, options, ["eps", "momentum", "affine", "bias", "trackRunningStats"]);
    if (momentum !== null && !Number.isFinite(momentum))
      fail("ERR_NABLA_VALUE", this.constructor.name, `momentum must be a number or null, got ${momentum}`, {
        actual: momentum,
      });
    this.channels = channels;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? vector(ones([channels])) : null;
    this.bias = affine && bias ? vector(zeros([channels])) : null;
    this.running_mean = tracks ? buffer(zeros([channels]) as Tensor<[number], "f32">) : null;
    this.running_var = tracks ? buffer(ones([channels]) as Tensor<[number], "f32">) : null;
    this.num_batches_tracked = tracks ? buffer(zeros([], "i32") as Tensor<[], "i32">) : null;
  }
  /** How many dims x may have. */
  protected abstract readonly ranks: readonly number[];

  override describe(): string {
    return `${this.channels}`;
  }
  /** Refuses other ranks and channels; what the op is told. */
  protected told(x: Tensor) {
    const { ranks, channels, eps, momentum } = this;
    if (!ranks.includes(x.ndim) || x.shape[1] !== channels)
      fail("ERR_NABLA_SHAPE", this.constructor.name, `needs [batch, ${channels}, ...] of ${ranks.join(" or ")} dims`, {
        values: { x },
        actual: showShape(x.shape),
      });
    return {
      weight: this.weight ?? undefined,
      bias: this.bias ?? undefined,
      runningMean: this.running_mean ?? undefined,
      runningVar: this.running_var ?? undefined,
      batches: this.num_batches_tracked ?? undefined,
      eps,
      momentum,
    };
  }
}

/**
 * What both batch norms are: y = (x - mean) / √(var + eps) · w + b for each channel, dim 1 of x. In training with mean and variance
 * of the batch, which running_mean and running_var follow; in evaluation with these.
 */
abstract class BatchNorm extends TrackedNorm {
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return batchNorm(x, { ...this.told(x), training: this.training || !this.running_mean }) as never;
  }
}

/**
 * Batch norm of [batch, channels] or [batch, channels, length] (Ioffe and Szegedy, 2015): normalised over the batch in training,
 * by the statistics it has followed in evaluation.
 *
 * PyTorch: `torch.nn.BatchNorm1d`.
 * @example
 * ```ts
 * import { BatchNorm1d, tensor } from "nabla";
 * const norm = new BatchNorm1d(1);
 * console.log(norm.forward(tensor([[1], [3]])).round().toArray()); // [ [ -1 ], [ 1 ] ]
 * console.log(norm.running_mean); // tensor([0.2000])
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override get ranks(): readonly number[] {
    return [2, 3];
  }
}
/**
 * Batch norm of pictures [batch, channels, height, width]; see {@link BatchNorm1d}.
 *
 * PyTorch: `torch.nn.BatchNorm2d`.
 * @example
 * ```ts
 * import { BatchNorm2d, ones } from "nabla";
 * console.log(new BatchNorm2d(3).eval().forward(ones(1, 3, 2, 2)).shape); // [ 1, 3, 2, 2 ]
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  protected override get ranks(): readonly number[] {
    return [4];
  }
}

/** What both instance norms are: each channel of each picture normalised by its own mean and variance. */
abstract class InstanceNorm extends TrackedNorm {
  constructor(channels: number, options: BatchNormOptions = {}) {
    super(channels, { affine: false, trackRunningStats: false, ...options });
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return instanceNorm(x, { ...this.told(x), useInputStats: this.training || !this.running_mean }) as never;
  }
}
/**
 * Instance norm of [batch, channels, length]: y = (x - mean) / √(var + eps) over the positions of each channel of each example
 * (Ulyanov et al., 2016). It learns and tracks nothing unless told: `affine`, `trackRunningStats`.
 *
 * PyTorch: `torch.nn.InstanceNorm1d`.
 * @example
 * ```ts
 * import { InstanceNorm1d, tensor } from "nabla";
 * console.log(new InstanceNorm1d(1).forward(tensor([[[1, 3]]])).round().toArray()); // [ [ [ -1, 1 ] ] ]
 * ```
 */
export class InstanceNorm1d extends InstanceNorm {
  protected override get ranks(): readonly number[] {
    return [3];
  }
}
/**
 * Instance norm of pictures [batch, channels, height, width]; see {@link InstanceNorm1d}.
 *
 * PyTorch: `torch.nn.InstanceNorm2d`.
 * @example
 * ```ts
 * import { InstanceNorm2d, rand } from "nabla";
 * console.log(new InstanceNorm2d(3).forward(rand(1, 3, 4, 4)).shape); // [ 1, 3, 4, 4 ]
 * ```
 */
export class InstanceNorm2d extends InstanceNorm {
  protected override get ranks(): readonly number[] {
    return [4];
  }
}
