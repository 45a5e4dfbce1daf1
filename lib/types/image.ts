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
