import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { Conv2d } from "../nn/conv.ts";
import { Dropout } from "../nn/dropout.ts";
import { normal, zeros as zero } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { LayerNorm } from "../nn/norm.ts";
import { Parameter } from "../nn/parameter.ts";
import { gelu } from "../ops/activation.ts";
import { empty } from "../ops/create.ts";
import { cat } from "../ops/join.ts";
import { expand, flatten, select, transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { begin, SelfAttention } from "./encoder.ts";
import {
  type BlockConfig,
  blockKept,
  blockNames,
  blockParameters,
  checkSizes,
  checkWidth,
  presetOf,
  type Summary,
  summarize,
  type Workload,
} from "./summary.ts";

/** Sizes and choices of {@link ViT}. */
export interface ViTConfig extends BlockConfig {
  /** Rows and columns of a picture; 224 unless given. */
  readonly imageSize?: number;
  /** Rows and columns of a patch, a divisor of imageSize; 16 unless given. */
  readonly patchSize?: number;
  /** Channels of a picture; 3 unless given. */
  readonly channels?: number;
  /** 1000 unless given. */
  readonly classes?: number;
  /** 0 unless given. */
  readonly dropout?: number;
  /** 1e-12 unless given. */
  readonly eps?: number;
}
type Full = Required<ViTConfig>;

const sized = (layers: number, heads: number, width: number, patchSize = 16): ViTConfig => ({
  layers,
  heads,
  width,
  patchSize,
});
const presets = {
  "vit-tiny": sized(12, 3, 192),
  "vit-small": sized(12, 6, 384),
  "vit-base": sized(12, 12, 768),
  "vit-large": sized(24, 16, 1024),
  "vit-huge": sized(32, 16, 1280, 14),
};
/** The published sizes by name, all for pictures of 224 x 224. */
export type ViTPreset = keyof typeof presets;

function complete(given: ViTConfig | ViTPreset): Full {
  const names = [...blockNames, "imageSize", "patchSize", "channels", "classes", "dropout", "eps"] as const;
  const config = only("ViT", presetOf<ViTConfig>("ViT", given, presets), names);
  const full = {
    ...{ imageSize: 224, patchSize: 16, channels: 3, classes: 1000 },
    ...{ hidden: 4 * config.width, dropout: 0, eps: 1e-12, std: 0.02 },
    ...config,
  };
  const { imageSize, patchSize, channels, classes, hidden } = full;
  checkSizes("ViT", { imageSize, patchSize, channels, classes, hidden });
  checkWidth("ViT", full);
  if (imageSize % patchSize !== 0)
    fail("ERR_NABLA_VALUE", "ViT", `pictures of ${imageSize} do not divide into patches of ${patchSize}`, {
      actual: { imageSize, patchSize },
    });
  return full;
}
/** Patches of a picture, and the class token. */
const tokensOf = ({ imageSize, patchSize }: Full): number => (imageSize / patchSize) ** 2 + 1;

class Embeddings extends Module {
  readonly cls_token: Parameter;
  readonly position_embeddings: Parameter;
  readonly patch_embeddings: { readonly projection: Conv2d };
  readonly dropout: Dropout;

  constructor(config: Full) {
    super();
    const { channels, width, patchSize, std } = config;
    this.cls_token = new Parameter(normal(empty([1, 1, width]) as Tensor, 0, std));
    this.position_embeddings = new Parameter(normal(empty([1, tokensOf(config), width]) as Tensor, 0, std));
    const projection = new Conv2d(channels, width, patchSize, { stride: patchSize });
    normal(projection.weight, 0, std);
    if (projection.bias) zero(projection.bias);
    this.patch_embeddings = { projection };
    this.dropout = new Dropout(config.dropout);
  }
  /** One vector for each patch, row by row, behind one for the class: [batch, tokens, width]. */
  forward(pictures: Tensor): Tensor {
    const grid = this.patch_embeddings.projection.forward(pictures);
    const patches = transpose(flatten(grid, 2), 1, 2);
    const first = expand(this.cls_token, [patches.shape[0], 1, patches.shape[2]]);
    return this.dropout.forward((cat([first, patches], 1) as Tensor).add(this.position_embeddings));
  }
}

class Layer extends Module {
  readonly attention: { readonly attention: SelfAttention; readonly output: { readonly dense: Linear } };
  readonly intermediate: { readonly dense: Linear };
  readonly output: { readonly dense: Linear };
  readonly layernorm_before: LayerNorm;
  readonly layernorm_after: LayerNorm;
  readonly dropout: Dropout;

  constructor(config: Full) {
    super();
    const { width, hidden, eps, dropout } = config;
    this.attention = { attention: new SelfAttention(config), output: { dense: new Linear(width, width) } };
    this.intermediate = { dense: new Linear(width, hidden) };
    this.output = { dense: new Linear(hidden, width) };
    this.layernorm_before = new LayerNorm(width, { eps });
    this.layernorm_after = new LayerNorm(width, { eps });
    this.dropout = new Dropout(dropout);
  }
  forward(x: Tensor): Tensor {
    const { attention, output } = this.attention;
    const drop = (part: unknown) => this.dropout.forward(part as Tensor);
    const y = x.add(drop(output.dense.forward(attention.forward(this.layernorm_before.forward(x) as Tensor))));
    const h = gelu(this.intermediate.dense.forward(this.layernorm_after.forward(y) as Tensor)) as Tensor;
    return y.add(drop(this.output.dense.forward(h)));
  }
}
class Body extends Module {
  readonly embeddings: Embeddings;
  readonly encoder: { readonly layer: readonly Layer[] };
  readonly layernorm: LayerNorm;

  constructor(config: Full) {
    super();
    this.embeddings = new Embeddings(config);
    this.encoder = { layer: Array.from({ length: config.layers }, () => new Layer(config)) };
    this.layernorm = new LayerNorm(config.width, { eps: config.eps });
  }
}

/**
 * A vision transformer: a picture is cut into patches, each becomes a vector by one linear map (a convolution as wide as its
 * steps), a learned vector for the class stands before them, learned positions are added, and layers attend to all of it; the
 * class's vector is classified (Dosovitskiy et al., 2020). Parameters have Hugging Face's names and shapes.
 *
 * Hugging Face: `ViTForImageClassification`. Presets: vit-tiny, vit-small, vit-base, vit-large, vit-huge.
 * @example
 * ```ts
 * import { ViT, zeros } from "nabla";
 * const model = new ViT({ imageSize: 28, patchSize: 7, channels: 1, classes: 10, layers: 2, heads: 2, width: 16 });
 * console.log(model.forward(zeros(3, 1, 28, 28)).shape); // [ 3, 10 ]
 * console.log(ViT.summary("vit-base").parameters); // 86567656
 * ```
 */
export class ViT extends Module {
  readonly config: Full;
  readonly vit: Body;
  readonly classifier: Linear;

  constructor(config: ViTConfig | ViTPreset) {
    super();
    const full = complete(config);
    this.config = full;
    this.vit = new Body(full);
    this.classifier = new Linear(full.width, full.classes);
    begin(this, full.std);
  }
  /** Parameters and bytes, before anything is allocated, for `batch` pictures, one unless given. */
  static summary(config: ViTConfig | ViTPreset, { batch = 1 }: Pick<Workload, "batch"> = {}): Summary {
    const full = complete(config);
    const { patchSize, channels, classes, layers, heads, width, hidden, dropout } = full;
    const tokens = tokensOf(full);
    const patches = (channels * patchSize ** 2 + 1) * width;
    const ends = (tokens + 1) * width + 2 * width + (width + 1) * classes;
    const parameters = patches + ends + layers * blockParameters(width, hidden);
    // The class's token alone has logits.
    const costs = {
      parameters,
      kept: blockKept(width, hidden),
      layers,
      heads,
      dropout,
      remembered: 0,
      vocabSize: classes / tokens,
    };
    return summarize(costs, batch, tokens);
  }
  override describe(): string {
    const { layers, heads, width, imageSize, patchSize } = this.config;
    return `${layers} layers, ${heads} heads, width ${width}, ${imageSize} / ${patchSize}`;
  }
  /** The vectors [batch, 1 + patches, width] of pictures [batch, channels, imageSize, imageSize], that of the class first. */
  hidden(pictures: Tensor): Tensor {
    const { channels, imageSize } = this.config;
    const [, ...expected] = [0, channels, imageSize, imageSize];
    if (pictures.ndim !== 4 || expected.some((n, i) => pictures.shape[i + 1] !== n))
      fail("ERR_NABLA_SHAPE", "ViT", `takes pictures [batch, ${expected.join(", ")}]`, { values: { pictures } });
    const x = this.vit.encoder.layer.reduce((h, layer) => layer.forward(h), this.vit.embeddings.forward(pictures));
    return this.vit.layernorm.forward(x) as Tensor;
  }
  /** Logits [batch, classes]. */
  forward(pictures: Tensor): Tensor {
    return this.classifier.forward(select(this.hidden(pictures), 1, 0) as Tensor) as Tensor;
  }
}
