import { checkShape } from "../core/shape.ts";
import { ones, zeros } from "../ops/create.ts";
import { groupNorm, layerNorm, rmsNorm } from "../ops/norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, LastIs, Shape, Str } from "../types/shape.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

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

  constructor(size: N, { eps = 1e-5, affine = true, bias = true }: NormOptions = {}) {
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

  constructor(size: N, { eps, affine = true }: Omit<NormOptions, "bias"> = {}) {
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

  constructor(groups: number, channels: number, { eps = 1e-5, affine = true, bias = true }: NormOptions = {}) {
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
