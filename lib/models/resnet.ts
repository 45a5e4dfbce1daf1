// Residual networks (He et al., 2015). Names and layouts are torchvision's, so its state dicts load.
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { Conv2d } from "../nn/conv.ts";
import { kaimingNormal } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { BatchNorm2d } from "../nn/norm.ts";
import { Sequential } from "../nn/sequential.ts";
import { relu } from "../ops/activation.ts";
import { add } from "../ops/arithmetic.ts";
import { pad } from "../ops/pad.ts";
import { adaptiveAvgPool2d, maxPool2d } from "../ops/pool.ts";
import { flatten, slice } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";

type Layer = Module & { forward(x: Tensor): Tensor };

/** A convolution without bias, since batch norm shifts; drawn to keep the size of gradients through ReLU. */
function conv(ins: number, outs: number, kernel: number, stride = 1): Conv2d {
  const layer = new Conv2d(ins, outs, kernel, { stride, padding: (kernel - 1) / 2, bias: false });
  kaimingNormal(layer.weight, { mode: "fanOut", nonlinearity: "relu" });
  return layer;
}
const positive = (x: Tensor): Tensor => relu({ x }) as Tensor;
const plus = (a: Tensor, b: Tensor): Tensor => positive(add({ a, b }) as Tensor);

/**
 * relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)) with windows of 3 x 3.
 *
 * PyTorch: `torchvision.models.resnet.BasicBlock`.
 */
export class BasicBlock extends Module {
  static readonly expansion: number = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Layer | null;

  constructor(ins: number, outs: number, stride: number, downsample: Layer | null) {
    super();
    this.conv1 = conv(ins, outs, 3, stride);
    this.bn1 = new BatchNorm2d(outs);
    this.conv2 = conv(outs, outs, 3);
    this.bn2 = new BatchNorm2d(outs);
    this.downsample = downsample;
  }
  forward(x: Tensor): Tensor {
    const y = positive(this.bn1.forward(this.conv1.forward(x)));
    return plus(this.bn2.forward(this.conv2.forward(y)), this.downsample?.forward(x) ?? x);
  }
}

/**
 * The block of deeper networks: 1 x 1 to fewer channels, 3 x 3, 1 x 1 to four times as many, and the shortcut.
 *
 * PyTorch: `torchvision.models.resnet.Bottleneck`.
 */
export class Bottleneck extends Module {
  static readonly expansion: number = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Layer | null;

  constructor(ins: number, outs: number, stride: number, downsample: Layer | null) {
    super();
    this.conv1 = conv(ins, outs, 1);
    this.bn1 = new BatchNorm2d(outs);
    this.conv2 = conv(outs, outs, 3, stride);
    this.bn2 = new BatchNorm2d(outs);
    this.conv3 = conv(outs, outs * Bottleneck.expansion, 1);
    this.bn3 = new BatchNorm2d(outs * Bottleneck.expansion);
    this.downsample = downsample;
  }
  forward(x: Tensor): Tensor {
    const narrow = positive(this.bn1.forward(this.conv1.forward(x)));
    const y = positive(this.bn2.forward(this.conv2.forward(narrow)));
    return plus(this.bn3.forward(this.conv3.forward(y)), this.downsample?.forward(x) ?? x);
  }
}

/** A shortcut without parameters: every second row and column, and channels of zeros (the paper's option A). */
class Subsample extends Module {
  readonly stride: number;
  readonly more: number;
  constructor(stride: number, more: number) {
    super();
    this.stride = stride;
    this.more = more;
  }
  forward(x: Tensor): Tensor {
    const { stride, more } = this;
    const part = slice(slice(x, 2, 0, undefined, stride), 3, 0, undefined, stride);
    const before = Math.floor(more / 2);
    return pad(part, [0, 0, 0, 0, before, more - before]) as Tensor;
  }
}
function projection(ins: number, outs: number, stride: number): Layer {
  return new Sequential(conv(ins, outs, 1, stride), new BatchNorm2d(outs)) as unknown as Layer;
}

/** What a {@link ResNet} is made of. */
export interface ResNetOptions {
  /** Blocks in each stage; the first of every stage but the first halves rows and columns. */
  readonly blocks: readonly number[];
  /** Channels of the first stage; every stage has twice as many as the one before. */
  readonly channels?: number;
  readonly block?: typeof BasicBlock | typeof Bottleneck;
  readonly classes?: number;
  /** Channels of the pictures. */
  readonly inputs?: number;
  /** Begin with 7 x 7 at stride 2 and a pooling, for large pictures; else with 3 x 3. */
  readonly large?: boolean;
  /** Shortcuts between stages are 1 x 1 convolutions, or have no parameters. */
  readonly project?: boolean;
}

/**
 * A residual network of pictures [batch, channels, height, width]: scores [batch, classes].
 *
 * PyTorch: `torchvision.models.ResNet`; state dicts of its ResNet-18, 34 and 50 load into {@link resnet18}, {@link resnet34} and
 * {@link resnet50}.
 * @example
 * ```ts
 * import { ResNet, zeros } from "nabla";
 * const net = new ResNet({ blocks: [1, 1], channels: 8, classes: 5 });
 * console.log(net.forward(zeros(2, 3, 16, 16)).shape); // [ 2, 5 ]
 * ```
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly stages: readonly Layer[];
  readonly fc: Linear;
  readonly large: boolean;

  constructor(options: ResNetOptions) {
    super();
    const names = ["blocks", "channels", "block", "classes", "inputs", "large", "project"] as const;
    const { blocks, channels = 64, block = BasicBlock, classes = 1000, inputs = 3 } = only("ResNet", options, names);
    const { large = false, project = true } = options;
    if (!Array.isArray(blocks) || blocks.length === 0 || !blocks.every((n) => Number.isInteger(n) && n >= 1))
      fail("ERR_NABLA_VALUE", "ResNet", "every stage needs a block or more", { actual: blocks });
    this.large = large;
    this.conv1 = conv(inputs, channels, large ? 7 : 3, large ? 2 : 1);
    this.bn1 = new BatchNorm2d(channels);
    let width = channels;
    const next = (inner: number, stride: number): Layer => {
      const [ins, outs] = [width, inner * block.expansion];
      width = outs;
      if (stride === 1 && ins === outs) return new block(ins, inner, stride, null);
      return new block(ins, inner, stride, project ? projection(ins, outs, stride) : new Subsample(stride, outs - ins));
    };
    this.stages = blocks.map((count, stage) => {
      const layers = Array.from({ length: count }, (_, i) => next(channels * 2 ** stage, stage > 0 && i === 0 ? 2 : 1));
      return new Sequential(...layers) as unknown as Layer;
    });
    this.fc = new Linear(width, classes);
  }
  override children(): Iterable<readonly [string, unknown]> {
    const stages = this.stages.map((stage, i) => [`layer${i + 1}`, stage] as const);
    return [["conv1", this.conv1], ["bn1", this.bn1], ...stages, ["fc", this.fc]];
  }
  /** Scores [batch, classes]. */
  forward(x: Tensor): Tensor<[number, number], "f32"> {
    const first = positive(this.bn1.forward(this.conv1.forward(x)));
    const start = this.large ? (maxPool2d(first, 3, { stride: 2, padding: 1 }) as Tensor) : first;
    const last = this.stages.reduce((y, stage) => stage.forward(y), start);
    return this.fc.forward(flatten(adaptiveAvgPool2d(last, 1), 1) as Tensor) as never;
  }
}

/** What is asked of a network of known depth. */
export type ResNetSize = Pick<ResNetOptions, "classes" | "inputs">;
/**
 * 20 layers for small pictures (CIFAR's 32 x 32): 3 stages of 3 blocks, 16 to 64 channels, shortcuts without parameters; 0.27 million
 * parameters.
 * @example
 * ```ts
 * import { resnet20, zeros } from "nabla";
 * console.log(resnet20().eval().forward(zeros(1, 3, 32, 32)).shape); // [ 1, 10 ]
 * ```
 */
export function resnet20(size: ResNetSize = {}): ResNet {
  const { classes = 10, inputs = 3 } = only("resnet20", size, ["classes", "inputs"]);
  return new ResNet({ blocks: [3, 3, 3], channels: 16, classes, inputs, project: false });
}
/**
 * 18 layers for pictures of 224 x 224: `torchvision.models.resnet18`, whose state dict loads.
 * @example
 * ```ts
 * import { resnet18 } from "nabla";
 * console.log([...resnet18().stateDict().keys()].filter((name) => name.startsWith("layer2.0.downsample")).length); // 6
 * ```
 */
export const resnet18 = (size: ResNetSize = {}): ResNet => new ResNet({ blocks: [2, 2, 2, 2], large: true, ...size });
/** 34 layers: `torchvision.models.resnet34`. */
export const resnet34 = (size: ResNetSize = {}): ResNet => new ResNet({ blocks: [3, 4, 6, 3], large: true, ...size });
/** 50 layers in blocks of 1 x 1, 3 x 3, 1 x 1: `torchvision.models.resnet50`. */
export const resnet50 = (size: ResNetSize = {}): ResNet =>
  new ResNet({ blocks: [3, 4, 6, 3], block: Bottleneck, large: true, ...size });
