// Shape and element type of nested arrays: tensor<const T extends Nested>(data: T & CanNest<T>): Tensor<ShapeOf<T>, DTypeOf<T>>
// makes tensor([[0, 0], [0, 1]]) a Tensor<[2, 2], "f32">. A number[][] gives [number, number], a Float32Array [number].

import type { DType, IsNever, Ok, Shape, TypedArrayOf } from "./shape.ts";

type Typed = TypedArrayOf<DType> | Int16Array | Uint32Array | Uint8ClampedArray | BigInt64Array | BigUint64Array;
export type Nested = number | boolean | Typed | readonly Nested[];
/** Each level asks for the length of all its rows at once, so a long literal costs no more than a short one. */
export type ShapeOf<T, O extends Shape = []> =
  IsAny<T> extends true
    ? Shape
    : IsNever<T> extends true
      ? O
      : [T] extends [readonly unknown[]]
        ? ShapeOf<T[number], [...O, T["length"]]>
        : [T] extends [Typed]
          ? [...O, number]
          : O;
/** JSON.parse and the like: anything goes, nothing is known. */
type IsAny<T> = 0 extends 1 & T ? true : false;
type Leaf<T> =
  IsAny<T> extends true
    ? number
    : IsNever<T> extends true
      ? number
      : [T] extends [readonly unknown[]]
        ? Leaf<T[number]>
        : T;
type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;
type Uneven<S extends Shape> = true extends { [K in keyof S]: IsUnion<S[K]> }[number] ? true : false;
type Kind<L> = L extends number ? "number" : L extends boolean ? "boolean" : L extends Typed ? "array" : "row";
export type CanNest<T> = true extends Uneven<ShapeOf<T>> | IsUnion<Kind<Leaf<T>>>
  ? "tensor: rows differ in length, depth or element type"
  : Ok;
export type DTypeOf<T> = [Leaf<T>] extends [boolean]
  ? "bool"
  : [Leaf<T>] extends [{ readonly [Symbol.toStringTag]: infer N }]
    ? N extends keyof Tags
      ? Tags[N]
      : "f32"
    : "f32";
interface Tags {
  Float64Array: "f64";
  Int32Array: "i32";
  Uint8Array: "u8";
  Uint8ClampedArray: "u8";
  Int8Array: "i32";
  Int16Array: "i32";
  Uint16Array: "i32";
  Uint32Array: "i32";
  BigInt64Array: "i32";
  BigUint64Array: "i32";
}
