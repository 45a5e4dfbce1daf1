// What encoders that look in both directions have in common, by the names Hugging Face gives it.

import { normal, zeros as zero } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { scaledDotProductAttention } from "../ops/attention.ts";
import { fromHeads, toHeads } from "../ops/heads.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Sizes {
  readonly width: number;
  readonly heads: number;
  readonly dropout: number;
}
/** softmax(q kᵀ / √(width / heads)) v of x [batch, time, width], without the linear map behind. */
export class SelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly heads: number;
  readonly dropout: number;

  constructor({ width, heads, dropout }: Sizes) {
    super();
    this.query = new Linear(width, width);
    this.key = new Linear(width, width);
    this.value = new Linear(width, width);
    this.heads = heads;
    this.dropout = dropout;
  }
  forward(x: Tensor, keyMask?: Tensor): Tensor {
    const [q, k, v] = [this.query, this.key, this.value].map((map) => toHeads(map.forward(x), this.heads));
    const dropout = this.training ? this.dropout : 0;
    return fromHeads(scaledDotProductAttention(q, k, v, { keyMask, dropout })) as Tensor;
  }
}

/** Weights of linear maps normal with this deviation, biases 0. */
export function begin(model: Module, std: number): void {
  model.apply((m) => {
    if (!(m instanceof Linear)) return;
    normal(m.weight, 0, std);
    if (m.bias) zero(m.bias);
  });
}
