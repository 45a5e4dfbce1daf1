// Layers that the shape types are written for, without a run time.
import { Module, type Tensor } from "nabla";
import type { Append, DType, IsDType, ReplaceAt, Shape, Str } from "../../lib/types/shape.ts";

export declare function attention(q: Tensor, k: Tensor, v: Tensor, options?: { causal?: boolean }): Tensor;

export declare class Conv2d extends Module {
  constructor(inChannels: number, outChannels: number, size: number);
  forward<S extends Shape>(x: Tensor<S>): Tensor<ReplaceAt<S, -1, number>, "f32">;
}
export declare class Embedding<V extends number, E extends number> extends Module {
  constructor(vocab: V, size: E);
  readonly weight: Tensor<[V, E], "f32">;
  forward<S extends Shape, D extends DType>(
    ids: Tensor<S, D> & IsDType<`Embedding(${Str<V>}, ${Str<E>}): ids`, D, "i32">,
  ): Tensor<Append<S, E>, "f32">;
}
