// Shapes of pictures and sequences with channels: [batch, channels, ...positions], the batch may be absent.
import type { IsNever, Ok, Shape, Show, Str } from "./shape.ts";

type Rank = 1 | 2;
type Positions = { 1: [number]; 2: [number, number] };
type Form = { 1: "[batch, channels, length]"; 2: "[batch, channels, height, width]" };

/** x has R dims behind C channels. */
export type ChannelsAre<
  What extends string,
  S extends Shape,
  C extends number,
  R extends Rank,
> = number extends S["length"]
  ? Ok
  : S extends [number, infer K extends number, ...Positions[R]] | [infer K extends number, ...Positions[R]]
    ? IsNever<K & C> extends true
      ? `${What}: needs ${Str<C>} channels, got ${Show<S>}`
      : Ok
    : `${What}: needs ${Form[R]}, got ${Show<S>}`;

/** The same batch with C channels and other positions. */
export type WithChannels<S extends Shape, C extends number, R extends Rank> = number extends S["length"]
  ? Shape
  : S extends [infer N extends number, number, ...Positions[R]]
    ? [N, C, ...Positions[R]]
    : [C, ...Positions[R]];

/** Other positions: the last R dims are of unknown size. */
export type Resized<S extends Shape, R extends Rank> = number extends S["length"]
  ? Shape
  : S extends [...infer L extends Shape, ...Positions[R]]
    ? [...L, ...Positions[R]]
    : Shape;

/**
 * The weight W, [out, in, ...window] or for a transposed convolution [in, out, ...window], takes the channels of S. With groups
 * the channels are a product that is not computed here.
 */
export type CanConvolve<
  What extends string,
  S extends Shape,
  W extends Shape,
  R extends Rank,
  G extends number,
  First extends "out" | "in" = "out",
> = number extends W["length"]
  ? Ok
  : W extends [infer A extends number, infer B extends number, ...Positions[R]]
    ? ChannelsAre<What, S, First extends "in" ? A : [G] extends [1] ? B : number, R>
    : `${What}: the weight needs ${First extends "in" ? "[in, out, " : "[out, in, "}...window], got ${Show<W>}`;
type Outer<W extends Shape> = W extends [infer O extends number, ...Shape] ? O : number;
type Second<W extends Shape> = W extends [number, infer O extends number, ...Shape] ? O : number;
/** What a convolution by W makes of S. */
export type Convolved<S extends Shape, W extends Shape, R extends Rank> = WithChannels<S, Outer<W>, R>;
/** What a transposed convolution by W makes of S. */
export type ConvolvedBack<S extends Shape, W extends Shape, R extends Rank, G extends number> = WithChannels<
  S,
  [G] extends [1] ? Second<W> : number,
  R
>;
