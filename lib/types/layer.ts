// What a chain of layers takes and gives, for Sequential. What a layer says of itself, in the order it is asked:
//   layers: L                      a Sequential inside: its layers speak for it
//   inFeatures, outFeatures        the last size it takes and gives (Linear, LayerNorm, Embedding)
//   declare readonly gives: "same" the shape it takes (activations, Dropout)
//   declare readonly gives: "flat" [batch, number] (Flatten)
//   else the types of a forward that is not generic: forward(x: Tensor<[number, 784]>): Tensor<[number, 10]>
// A layer that says nothing takes anything and gives a tensor of unknown shape.

import type { Flatten, IsNever, Last, Ok, ReplaceLast, Shape, Str } from "./shape.ts";

type Takes<H> = H extends { inFeatures: infer N extends number }
  ? N
  : H extends { forward(x: { readonly shape: infer S extends Shape }): unknown }
    ? Last<S>
    : number;
type Result<H> = H extends { forward(...x: never[]): { readonly shape: infer S extends Shape } } ? S : Shape;
type Gives<H, N extends number> = H extends { layers: infer L extends unknown[] }
  ? Final<L, N>
  : H extends { outFeatures: infer O extends number }
    ? O
    : H extends { gives: "same" }
      ? N
      : H extends { gives: "flat" }
        ? number
        : Last<Result<H>>;
/** One check per layer: constructor(...layers: { [K in keyof L]: L[K] & Links<L>[K & keyof Links<L>] }). */
export type Links<
  L extends unknown[],
  N extends number = number,
  From extends string = "the input",
  O extends unknown[] = [],
> = L extends [infer H, ...infer T]
  ? Links<
      T,
      Gives<H, N>,
      H extends { gives: "same" } ? From : `layer ${O["length"]}`,
      [
        ...O,
        IsNever<N & Takes<H>> extends true
          ? `layer ${O["length"]} takes ${Str<Takes<H>>} features but ${From} gives ${Str<N>}`
          : Ok,
      ]
    >
  : number extends L["length"]
    ? [...O, ...Ok[]]
    : O;
export type First<L extends unknown[]> = L extends [infer H, ...infer T]
  ? H extends { gives: "same" }
    ? First<T>
    : Takes<H>
  : number;
export type Final<L extends unknown[], N extends number = number> = L extends [infer H, ...infer T]
  ? Final<T, Gives<H, N>>
  : N;
type Step<H, S extends Shape> = H extends { layers: infer L extends unknown[] }
  ? Through<L, S>
  : H extends { outFeatures: infer N extends number }
    ? ReplaceLast<S, N>
    : H extends { gives: "same" }
      ? S
      : H extends { gives: "flat" }
        ? Flatten<S, 1>
        : Result<H>;
/** The shape that comes out when S goes in; unknown for a list of unknown length. */
export type Through<L extends unknown[], S extends Shape> = L extends [infer H, ...infer T]
  ? Through<T, Step<H, S>>
  : number extends L["length"]
    ? Shape
    : S;
