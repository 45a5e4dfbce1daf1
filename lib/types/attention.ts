// Shapes of attention: queries [..., L, E], keys [..., S, E], values [..., S, V].
import type { IsNever, Last, Ok, ReplaceLast, Shape, Show, Str } from "./shape.ts";

type Before<S extends Shape> = S extends [...Shape, infer N extends number, number] ? N : number;
type Known<A extends Shape, B extends Shape> = number extends A["length"] | B["length"] ? false : true;

/** Queries and keys have the same numbers. */
export type KeysFit<Q extends Shape, K extends Shape> =
  Known<Q, K> extends true
    ? IsNever<Last<Q> & Last<K>> extends true
      ? `attention: queries have ${Str<Last<Q>>} numbers, keys ${Show<K>}`
      : Ok
    : Ok;
/** There are as many values as keys. */
export type ValuesFit<K extends Shape, V extends Shape> =
  Known<K, V> extends true
    ? IsNever<Before<K> & Before<V>> extends true
      ? `attention: ${Str<Before<K>>} keys, values ${Show<V>}`
      : Ok
    : Ok;
/** As the queries, with the numbers of the values. */
export type Attended<Q extends Shape, V extends Shape> = ReplaceLast<Q, Last<V>>;
