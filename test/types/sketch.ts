// The typed surface that the shape types are written for, without a run time.
import type { Final, First, Links, Through } from "../../lib/types/layer.ts";
import type { CanNest, DTypeOf, Nested, ShapeOf } from "../../lib/types/nested.ts";
import type {
  Append,
  Broadcast,
  CanBroadcast,
  CanCat,
  CanCrossEntropy,
  CanExpand,
  CanMatmul,
  CanPermute,
  CanStack,
  Cat,
  DType,
  Expand,
  Flatten as Flat,
  Floating,
  HasDim,
  IsDType,
  LastIs,
  Matmul,
  Permute,
  Promote,
  Reduce,
  Repeat,
  ReplaceAt,
  ReplaceLast,
  Reshape,
  SameBatch,
  SameShape,
  Shape,
  Shapes,
  SizeAt,
  Squeeze,
  Stack,
  Str,
  Summed,
  SwapLast,
  Transpose,
  TypedArrayOf,
  Unsqueeze,
} from "../../lib/types/shape.ts";

type Axes = number | readonly number[] | undefined;
export interface Tensor<out S extends Shape = Shape, out D extends DType = DType> {
  readonly shape: S;
  readonly dtype: D;
  readonly grad: Tensor<S, D> | null;
  matmul<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    other: Tensor<B> & CanMatmul<A, B>,
  ): Tensor<Matmul<A, B>, D>;
  add<A extends Shape>(this: Tensor<A>, other: number): Tensor<A, D>;
  add<A extends Shape, C extends DType, B extends Shape, E extends DType>(
    this: Tensor<A, C>,
    other: Tensor<B, E> & CanBroadcast<"add", A, B>,
  ): Tensor<Broadcast<A, B>, Promote<C, E>>;
  mul<A extends Shape>(this: Tensor<A>, other: number): Tensor<A, D>;
  mul<A extends Shape, C extends DType, B extends Shape, E extends DType>(
    this: Tensor<A, C>,
    other: Tensor<B, E> & CanBroadcast<"mul", A, B>,
  ): Tensor<Broadcast<A, B>, Promote<C, E>>;
  lt<A extends Shape>(this: Tensor<A>, other: number): Tensor<A, "bool">;
  lt<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    other: Tensor<B> & CanBroadcast<"lt", A, B>,
  ): Tensor<Broadcast<A, B>, "bool">;
  relu(): Tensor<S, D>;
  gelu(): Tensor<S, D>;
  softmax<A extends Shape, const I extends number = -1>(
    this: Tensor<A> & HasDim<"softmax", A, I>,
    dim?: I,
  ): Tensor<A, D>;
  reshape<const N extends Shape>(...shape: N): Tensor<Reshape<N>, D>;
  transpose<A extends Shape, const I extends number, const J extends number>(
    this: Tensor<A> & HasDim<"transpose", A, readonly [I, J]>,
    dim0: I,
    dim1: J,
  ): Tensor<Transpose<A, I, J>, D>;
  mT<A extends Shape>(this: Tensor<A>): Tensor<SwapLast<A>, D>;
  permute<A extends Shape, const P extends Shape>(
    this: Tensor<A> & CanPermute<A, P>,
    ...dims: P
  ): Tensor<Permute<A, P>, D>;
  unsqueeze<A extends Shape, const I extends number>(
    this: Tensor<A> & HasDim<"unsqueeze", [...A, 1], I>,
    dim: I,
  ): Tensor<Unsqueeze<A, I>, D>;
  squeeze<A extends Shape, const I extends number | undefined = undefined>(
    this: Tensor<A> & HasDim<"squeeze", A, I>,
    dim?: I,
  ): Tensor<Squeeze<A, I>, D>;
  expand<A extends Shape, const N extends Shape>(
    this: Tensor<A> & CanExpand<A, N>,
    ...shape: N
  ): Tensor<Expand<A, N>, D>;
  flatten<A extends Shape, const I extends number = 0, const J extends number = -1>(
    this: Tensor<A> & HasDim<"flatten", A, readonly [I, J]>,
    from?: I,
    to?: J,
  ): Tensor<Flat<A, I, J>, D>;
  slice<A extends Shape, const I extends number>(
    this: Tensor<A> & HasDim<"slice", A, I>,
    dim: I,
    start: number,
    end?: number,
  ): Tensor<ReplaceAt<A, I, number>, D>;
  indexSelect<A extends Shape, const I extends number, N extends number, E extends DType>(
    this: Tensor<A> & HasDim<"indexSelect", A, I>,
    dim: I,
    index: Tensor<[N], E> & IsDType<"indexSelect: index", E, "i32">,
  ): Tensor<ReplaceAt<A, I, N>, D>;
  gather<A extends Shape, const I extends number, B extends Shape, E extends DType>(
    this: Tensor<A> & HasDim<"gather", A, I>,
    dim: I,
    index: Tensor<B, E> & IsDType<"gather: index", E, "i32">,
  ): Tensor<B, D>;
  unbind<A extends Shape, const I extends number = 0>(
    this: Tensor<A> & HasDim<"unbind", A, I>,
    dim?: I,
  ): Repeat<Tensor<Reduce<A, I>, D>, SizeAt<A, I>>;
  oneHot<A extends Shape, const C extends number>(this: Tensor<A, "i32">, classes: C): Tensor<Append<A, C>, "f32">;
  sum<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"sum", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, Summed<E>>;
  mean<A extends Shape, E extends DType, const I extends Axes = undefined, const K extends boolean = false>(
    this: Tensor<A, E> & HasDim<"mean", A, I>,
    dim?: I,
    keepdim?: K,
  ): Tensor<Reduce<A, I, K>, Floating<E>>;
  argmax<A extends Shape, const I extends number>(
    this: Tensor<A> & HasDim<"argmax", A, I>,
    dim: I,
  ): Tensor<Reduce<A, I>, "i32">;
  to<const E extends DType>(dtype: E): Tensor<S, E>;
  item(): number;
  data(): Promise<TypedArrayOf<D>>;
  backward(): void;
}

export declare function zeros<const S extends Shape>(...shape: S): Tensor<S, "f32">;
export declare function arange<const N extends number>(end: N): Tensor<[N], "i32">;
export declare function tensor<const T extends Nested>(data: T & CanNest<T>): Tensor<ShapeOf<T>, DTypeOf<T>>;
export declare function tensor<const T extends Nested, E extends DType>(
  data: T & CanNest<T>,
  options: { dtype: E },
): Tensor<ShapeOf<T>, E>;
export declare function cat<T extends Tensor[], const I extends number = 0>(
  tensors: [...T] & CanCat<Shapes<T>, I>,
  dim?: I,
): Tensor<Cat<Shapes<T>, I>, T[number]["dtype"]>;
export declare function stack<T extends Tensor[], const I extends number = 0>(
  tensors: [...T] & CanStack<Shapes<T>>,
  dim?: I,
): Tensor<Stack<Shapes<T>, I>, T[number]["dtype"]>;
export declare function mse<A extends Shape, B extends Shape>(
  x: Tensor<A>,
  target: Tensor<B> & SameShape<"mse", A, B>,
): Tensor<[], "f32">;
export declare function crossEntropy<A extends Shape, B extends Shape, E extends DType>(
  logits: Tensor<A>,
  target: Tensor<B, E> & CanCrossEntropy<A, B, E>,
): Tensor<[], "f32">;
export declare function batches<A extends Shape, B extends Shape>(
  x: Tensor<A>,
  y: Tensor<B> & SameBatch<"batches", A, B>,
): Iterable<[Tensor, Tensor]>;
export declare function attention(q: Tensor, k: Tensor, v: Tensor, options?: { causal?: boolean }): Tensor;

export declare abstract class Module {
  train(): this;
}
export declare class Linear<I extends number, O extends number> extends Module {
  constructor(inFeatures: I, outFeatures: O, options?: { bias?: boolean });
  readonly inFeatures: I;
  readonly outFeatures: O;
  readonly weight: Tensor<[O, I], "f32">;
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`Linear(${Str<I>}, ${Str<O>})`, S, I>,
  ): Tensor<ReplaceLast<S, O>, "f32">;
}
export declare class ReLU extends Module {
  readonly gives: "same";
  forward<S extends Shape>(x: Tensor<S>): Tensor<S, "f32">;
}
export declare class GELU extends Module {
  readonly gives: "same";
  forward<S extends Shape>(x: Tensor<S>): Tensor<S, "f32">;
}
export declare class Flatten extends Module {
  readonly gives: "flat";
  forward<S extends Shape>(x: Tensor<S>): Tensor<Flat<S, 1>, "f32">;
}
export declare class Conv2d extends Module {
  constructor(inChannels: number, outChannels: number, size: number);
  forward<S extends Shape>(x: Tensor<S>): Tensor<ReplaceAt<S, -1, number>, "f32">;
}
export declare class LayerNorm<N extends number> extends Module {
  constructor(size: N);
  readonly inFeatures: N;
  readonly outFeatures: N;
  forward<S extends Shape>(x: Tensor<S> & LastIs<`LayerNorm(${Str<N>})`, S, N>): Tensor<S, "f32">;
}
export declare class Embedding<V extends number, E extends number> extends Module {
  constructor(vocab: V, size: E);
  readonly weight: Tensor<[V, E], "f32">;
  forward<S extends Shape, D extends DType>(
    ids: Tensor<S, D> & IsDType<`Embedding(${Str<V>}, ${Str<E>}): ids`, D, "i32">,
  ): Tensor<Append<S, E>, "f32">;
}
export declare class Sequential<L extends Module[]> extends Module {
  constructor(...layers: { [K in keyof L]: L[K] & Links<L>[K & keyof Links<L>] });
  readonly layers: L;
  readonly inFeatures: First<L>;
  readonly outFeatures: Final<L>;
  forward<S extends Shape>(x: Tensor<S> & LastIs<"Sequential", S, First<L>>): Tensor<Through<L, S>, "f32">;
}
