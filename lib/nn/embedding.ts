import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { assign } from "../ops/arithmetic.ts";
import { empty } from "../ops/create.ts";
import { embedding } from "../ops/select.ts";
import { select } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Shape } from "../types/shape.ts";
import { normal } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** A row that begins at 0 and gets no gradient, for tokens that only fill up. */
  paddingIndex?: number;
  /** The standard deviation of the first values; 1 unless given. */
  std?: number;
}

/**
 * A vector for each of `count` ids: ids [...] of whole numbers give [..., width], the rows of weight [count, width]. Rows
 * begin normal with standard deviation 1.
 *
 * PyTorch: `torch.nn.Embedding`. An id outside 0 .. count - 1 is an ERR_NABLA_INDEX.
 * @example
 * ```ts
 * import { Embedding, tensor } from "nabla";
 * const table = new Embedding(10, 4, { paddingIndex: 0 });
 * const ids = tensor([[1, 2, 0], [4, 0, 0]], { dtype: "i32" });
 * console.log(table.forward(ids).shape); // [ 2, 3, 4 ]
 * ```
 */
export class Embedding<N extends number = number, W extends number = number> extends Module {
  readonly count: N;
  readonly outFeatures: W;
  readonly paddingIndex: number | undefined;
  readonly weight: Parameter<[N, W], "f32">;

  constructor(count: N, width: W, options: EmbeddingOptions = {}) {
    const { paddingIndex, std = 1 } = only("Embedding", options, ["paddingIndex", "std"]);
    super();
    checkShape("Embedding", [count, width]);
    if (paddingIndex !== undefined && !(Number.isInteger(paddingIndex) && paddingIndex >= 0 && paddingIndex < count))
      fail("ERR_NABLA_INDEX", "Embedding", `paddingIndex ${paddingIndex} is outside 0..${count - 1}`, {
        expected: [0, count - 1],
        actual: paddingIndex,
      });
    this.count = count;
    this.outFeatures = width;
    this.paddingIndex = paddingIndex;
    const weight = normal(empty([count, width]) as Tensor<[N, W], "f32">, 0, std);
    if (paddingIndex !== undefined) assign(select(weight, 0, paddingIndex), 0);
    this.weight = new Parameter(weight);
  }
  override describe(): string {
    const padding = this.paddingIndex === undefined ? "" : `, { paddingIndex: ${this.paddingIndex} }`;
    return `${this.count}, ${this.outFeatures}${padding}`;
  }
  forward<S extends Shape>(ids: Tensor<S>): Tensor<[...S, W], "f32"> {
    return embedding(this.weight, ids, this.paddingIndex) as never;
  }
}
