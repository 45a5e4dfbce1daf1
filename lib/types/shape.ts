// Shapes and element types, checked by the compiler. Types only: this file emits nothing and imports nothing.
//
// A literal size is known, `number` is dynamic, `Shape` (number[]) has unknown rank; what is unknown is accepted and
// left to run time. Two sizes agree if their intersection is inhabited: 784 & number = 784, 784 & 10 = never.
//
//   vocabulary   Shape, DType, TypedArrayOf<D>, Dim<"batch">
//   printing     Show<S> "[32, ?, batch]" and Str<N>, for sentences
//   results      what a method returns: Broadcast, Matmul, Reshape, Permute, SwapLast, Transpose, Unsqueeze, Squeeze,
//                Expand, Flatten, Reduce, ReplaceLast, ReplaceAt, Append, Cat, Stack; SizeAt and Repeat for unbind
//   checks       `unknown` if right, else a sentence: CanBroadcast, CanMatmul, CanPermute, CanExpand, CanCat, CanStack,
//                CanCrossEntropy, HasDim, LastIs, SameShape, SameBatch, IsDType. Intersected with the tensor at fault,
//                `other: Tensor<B> & CanMatmul<A, B>` or `this: Tensor<A> & HasDim<"sum", A, I>`, which is then not
//                assignable to the sentence. Never with a number: 5 & "sentence" is never, and the sentence is lost.
//   elements     Promote<A, B> (a + b), Floating<D> (mean, exp, a / b), Summed<D> (sum, prod)
//   lists        Shapes<T> of a tuple of tensors, for Cat, Stack and their checks
//
// What users of this file must keep to, else a check vanishes silently or right programs are refused:
//   1. Methods take `this: Tensor<A, E>` and mention A and E, never the class's S and D, in a conditional type: only
//      then is Tensor covariant (`out S, out D`).
//   2. Creators, dims and shapes are `const` type parameters: otherwise a context infers number and nothing is checked.
//   3. Parameters are `Tensor<A> & Check<A>`, never `Tensor<[...B, C]>`, which refuses tensors of unknown rank.
//   4. The overload that takes a tensor comes last, after the one that takes a number: TypeScript 7 prints the last.
//   5. Code generic in a size is written on `number` or plain `Tensor`: a check on a type parameter refuses everything.

export type Shape = number[];
export type DType = "f32" | "f64" | "i32" | "u8" | "bool" | "bf16" | "f16" | "i8";

interface Arrays {
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  u8: Uint8Array;
  bool: Uint8Array;
  bf16: Uint16Array;
  f16: Uint16Array;
  i8: Int8Array;
}
/** The typed array that holds elements of D; bf16 and f16 are their bit patterns. */
export type TypedArrayOf<D extends DType> = Arrays[D];

/** A size with a name: Dim<"batch"> and Dim<"time"> never meet, whatever their values. */
export type Dim<N extends string> = number & { readonly dim: N };

export type Ok = unknown;
export type IsNever<T> = [T] extends [never] ? true : false;
type DynRank<S extends Shape> = number extends S["length"] ? true : false;
/** A size known to the digit: neither number nor named. */
type Literal<N extends number> = number extends N ? false : N extends { readonly dim: string } ? false : true;

// --- printing

export type Str<N> = N extends { readonly dim: infer D extends string }
  ? D
  : N extends number
    ? number extends N
      ? "?"
      : `${N}`
    : "?";
export type Show<S extends Shape, O extends string = ""> =
  DynRank<S> extends true
    ? "[...]"
    : S extends [infer H, ...infer T extends Shape]
      ? Show<T, O extends "" ? Str<H> : `${O}, ${Str<H>}`>
      : `[${O}]`;

// --- sizes that must agree

type BDim<A, B> = [A] extends [1] ? B : [B] extends [1] ? A : A & B;
export type Broadcast<A extends Shape, B extends Shape, O extends Shape = []> =
  DynRank<A> extends true
    ? Shape
    : DynRank<B> extends true
      ? Shape
      : A extends [...infer AR extends Shape, infer AL extends number]
        ? B extends [...infer BR extends Shape, infer BL extends number]
          ? IsNever<BDim<AL, BL>> extends true
            ? never
            : Broadcast<AR, BR, [BDim<AL, BL> & number, ...O]>
          : [...A, ...O]
        : [...B, ...O];
export type CanBroadcast<Op extends string, A extends Shape, B extends Shape> =
  IsNever<Broadcast<A, B>> extends true ? `${Op}: shapes ${Show<A>} and ${Show<B>} do not broadcast` : Ok;

/** One shape that is both A and B, without broadcasting; never if there is none. */
type Meet<A extends Shape, B extends Shape, O extends Shape = []> =
  DynRank<A> extends true
    ? B
    : DynRank<B> extends true
      ? A
      : A extends [infer X extends number, ...infer AT extends Shape]
        ? B extends [infer Y extends number, ...infer BT extends Shape]
          ? IsNever<X & Y> extends true
            ? never
            : Meet<AT, BT, [...O, X & Y]>
          : never
        : B extends []
          ? O
          : never;
export type SameShape<Op extends string, A extends Shape, B extends Shape> =
  IsNever<Meet<A, B>> extends true ? `${Op}: shapes ${Show<A>} and ${Show<B>} differ` : Ok;
/** Inputs and targets of one data set: the first sizes agree. */
export type SameBatch<Op extends string, X extends Shape, Y extends Shape> =
  IsNever<X[0] & Y[0]> extends true ? `${Op}: inputs ${Show<X>} and targets ${Show<Y>} differ in the first size` : Ok;

// --- matmul and layers on the last dim

type Inner<K, L, R extends Shape> = IsNever<K & L> extends true ? never : R;
/** [..., M, K] x [..., K, N] = [..., M, N]. A vector is a row on the left and a column on the right, and that dim goes away. */
export type Matmul<A extends Shape, B extends Shape> =
  DynRank<A> extends true
    ? Shape
    : DynRank<B> extends true
      ? Shape
      : A extends [...infer AB extends Shape, infer M extends number, infer K extends number]
        ? B extends [...infer BB extends Shape, infer L extends number, infer N extends number]
          ? Broadcast<AB, BB> extends infer R extends Shape
            ? Inner<K, L, [...R, M, N]>
            : never
          : B extends [infer L]
            ? Inner<K, L, [...AB, M]>
            : never
        : A extends [infer K]
          ? B extends [...infer BB extends Shape, infer L, infer N extends number]
            ? Inner<K, L, [...BB, N]>
            : B extends [infer L]
              ? Inner<K, L, []>
              : never
          : never;
export type Last<S extends Shape> = S extends [...Shape, infer L extends number] ? L : number;
type Rows<S extends Shape> = S extends [...Shape, infer L, number] ? L : Last<S>;
type MatmulFault<A extends Shape, B extends Shape> = [] extends A | B
  ? "a scalar has no inner size"
  : IsNever<Last<A> & Rows<B>> extends true
    ? "inner sizes differ"
    : "batch sizes do not broadcast";
export type CanMatmul<A extends Shape, B extends Shape> =
  IsNever<Matmul<A, B>> extends true ? `matmul: ${Show<A>} x ${Show<B>}: ${MatmulFault<A, B>}` : Ok;

export type ReplaceLast<S extends Shape, N extends number> =
  DynRank<S> extends true ? Shape : S extends [...infer B extends Shape, number] ? [...B, N] : never;
export type Append<S extends Shape, N extends number> = DynRank<S> extends true ? Shape : [...S, N];
/** `What` names the layer: LastIs<`Linear(${Str<I>}, ${Str<O>})`, S, I>. */
export type LastIs<What extends string, S extends Shape, N extends number> =
  DynRank<S> extends true
    ? Ok
    : S extends [...Shape, infer L]
      ? IsNever<L & N> extends true
        ? `${What}: last size must be ${Str<N>}, got ${Show<S>}`
        : Ok
      : `${What}: needs at least one dimension, got ${Show<S>}`;

// --- dims: literal, counted from the end if negative, a list, or undefined for all

type Dims = number | readonly number[] | undefined;
type Each<I> = I extends readonly number[] ? I[number] : I;
type CountBack<S extends Shape, N extends number, C extends 0[] = []> = C["length"] extends N
  ? S["length"]
  : S extends [...infer R extends Shape, number]
    ? CountBack<R, N, [...C, 0]>
    : never;
/** The dim counted from the start; never if S has no such dim. */
type Index<S extends Shape, I> = I extends number
  ? `${I}` extends `-${infer N extends number}`
    ? CountBack<S, N>
    : `${I}` extends keyof S
      ? I
      : never
  : never;
/** A scalar takes dims 0 and -1, as in PyTorch. */
type Missing<S extends Shape, I> = I extends number
  ? IsNever<Index<S extends [] ? [1] : S, I>> extends true
    ? I
    : never
  : never;
type Unknown<S extends Shape, I> = DynRank<S> extends true ? true : number extends Each<I> ? true : false;
export type HasDim<Op extends string, S extends Shape, I extends Dims> =
  Unknown<S, I> extends true
    ? Ok
    : IsNever<Missing<S, Each<I>>> extends true
      ? Ok
      : `${Op}: ${Show<S>} has no dim ${Missing<S, Each<I>>}`;

type Before<S extends Shape, I, O extends Shape = []> = O["length"] extends I
  ? O
  : S extends [infer H extends number, ...infer T extends Shape]
    ? Before<T, I, [...O, H]>
    : O;
type From<S extends Shape, I, C extends 0[] = []> = C["length"] extends I
  ? S
  : S extends [number, ...infer T extends Shape]
    ? From<T, I, [...C, 0]>
    : [];
/** S without the dims in the union I. */
type Drop<S extends Shape, I, O extends Shape = [], C extends 0[] = []> = S extends [
  infer H extends number,
  ...infer T extends Shape,
]
  ? Drop<T, I, C["length"] extends I ? O : [...O, H], [...C, 0]>
  : O;
type Put<S extends Shape, I, N extends number> = { [K in keyof S]: K extends `${I & number}` ? N : S[K] };

/** sum, mean, max, ...: over one dim, a list of dims, or (undefined) all; K is keepdim. */
export type Reduce<S extends Shape, I extends Dims = undefined, K extends boolean = false> = boolean extends K
  ? Shape
  : [I] extends [undefined]
    ? K extends true
      ? { [P in keyof S]: 1 }
      : []
    : Unknown<S, I> extends true
      ? Shape
      : K extends true
        ? Put<S, Index<S, Each<I>>, 1>
        : Drop<S, Index<S, Each<I>>>;

/** One dim takes a new size: slice, narrow, pad and chunk (number), indexSelect (length of the index), topk (k). */
export type ReplaceAt<S extends Shape, I extends number, N extends number> =
  Unknown<S, I> extends true ? Shape : Put<S, Index<S, I>, N>;

// --- views

export type Reshape<N extends Shape> = { [K in keyof N]: N[K] extends -1 ? number : N[K] };
export type SwapLast<S extends Shape> =
  DynRank<S> extends true
    ? Shape
    : S extends [...infer B extends Shape, infer X extends number, infer Y extends number]
      ? [...B, Y, X]
      : never;
type At<S extends Shape, I> = Index<S, I> extends infer N extends number ? S[N] : never;
export type Transpose<S extends Shape, I extends number, J extends number> =
  Unknown<S, I | J> extends true ? Shape : Put<Put<S, Index<S, I>, At<S, J>>, Index<S, J>, At<S, I>>;
export type Permute<S extends Shape, P extends Shape> =
  Unknown<S, P> extends true ? Shape : { [K in keyof P]: At<S, P[K]> };
export type CanPermute<S extends Shape, P extends Shape> =
  Unknown<S, P> extends true
    ? Ok
    : P["length"] extends S["length"]
      ? HasDim<"permute", S, P>
      : `permute: ${Show<S>} needs every dim once, got ${Show<P>}`;

export type Unsqueeze<S extends Shape, I extends number> =
  Unknown<S, I> extends true ? Shape : Insert<S, Index<[...S, 1], I>, 1>;
type Insert<S extends Shape, I, N extends number> = [...Before<S, I>, N, ...From<S, I>];
/** A size that is not literal may or may not be 1, so the rank is unknown; so it is without a dim. */
export type Squeeze<S extends Shape, I extends number | undefined = undefined> = I extends number
  ? Unknown<S, I> extends true
    ? Shape
    : At<S, I> extends 1
      ? Drop<S, Index<S, I>>
      : Literal<At<S, I>> extends true
        ? S
        : Shape
  : Shape;

/** Sizes of N, -1 keeping the size of S below it. */
export type Expand<S extends Shape, N extends Shape, O extends Shape = []> =
  DynRank<S> extends true
    ? Reshape<N>
    : DynRank<N> extends true
      ? Shape
      : N extends [...infer NR extends Shape, infer NL extends number]
        ? S extends [...infer SR extends Shape, infer SL extends number]
          ? IsNever<EDim<SL, NL>> extends true
            ? never
            : Expand<SR, NR, [EDim<SL, NL> & number, ...O]>
          : -1 extends N[number]
            ? never
            : [...N, ...O]
        : S extends []
          ? O
          : never;
type EDim<S, N> = N extends -1 ? S : [S] extends [1] ? N : S & N;
export type CanExpand<S extends Shape, N extends Shape> =
  IsNever<Expand<S, N>> extends true ? `expand: ${Show<S>} does not expand to ${Show<N>}` : Ok;

/** Dims I to J become one of unknown size; products are left to run time. */
export type Flatten<S extends Shape, I extends number = 0, J extends number = -1> =
  Unknown<S, I | J> extends true
    ? Shape
    : S extends []
      ? [1]
      : Index<S, I> extends Index<S, J>
        ? S
        : [...Before<S, Index<S, I>>, number, ...After<S, Index<S, J>>];
type After<S extends Shape, I> = From<S, I> extends [number, ...infer T extends Shape] ? T : [];

// --- several tensors

type Digits<T extends string> = T extends `${infer H extends number}${infer R}` ? [H, ...Digits<R>] : [];
type Lowest<S extends Shape> = S extends [...Shape, infer L] ? L : 0;
type Higher<S extends Shape> = S extends [...infer R extends Shape, number] ? R : [];
type Count<D> = Before<[0, 0, 0, 0, 0, 0, 0, 0, 0], D>;
/** Column addition from the right, C the carry: about 20 instantiations for sizes of three digits. */
type Add<A extends Shape, B extends Shape, C extends 0[] = [], O extends string = ""> = [...A, ...B] extends []
  ? C extends []
    ? O
    : `1${O}`
  : `${[...Count<Lowest<A>>, ...Count<Lowest<B>>, ...C]["length"] & number}` extends infer T extends string
    ? T extends `1${infer D extends number}`
      ? Add<Higher<A>, Higher<B>, [0], `${D}${O}`>
      : Add<Higher<A>, Higher<B>, [], `${T}${O}`>
    : never;
type Sum<A extends number, B extends number> = [Literal<A>, Literal<B>] extends [true, true]
  ? Add<Digits<`${A}`>, Digits<`${B}`>> extends `${infer N extends number}`
    ? N
    : number
  : number;
export type SizeAt<S extends Shape, I> = IsNever<Index<S, I>> extends true ? number : At<S, I>;
type Join<A extends Shape, B extends Shape, I extends number> =
  Meet<Put<A, Index<A, I>, number>, Put<B, Index<B, I>, number>> extends infer M extends Shape
    ? Put<M, Index<M, I>, Sum<SizeAt<A, I>, SizeAt<B, I>>>
    : never;
/** The shapes of a list of tensors: cat<T extends Tensor[]>(tensors: [...T] & CanCat<Shapes<T>, I>). */
export type Shapes<T extends { readonly shape: Shape }[]> = { [K in keyof T]: T[K]["shape"] };
/** Sizes add along dim I; a list of unknown length gives number there. */
export type Cat<L extends Shape[], I extends number = 0> = number extends L["length"] | I
  ? ReplaceAt<L[number], I, number>
  : L extends [infer A extends Shape, infer B extends Shape, ...infer T extends Shape[]]
    ? Cat<[Join<A, B, I>, ...T], I>
    : L[0];
export type CanCat<L extends Shape[], I extends number = 0> =
  IsNever<Cat<L, I>> extends true
    ? `cat: shapes ${ShowAll<L>} differ outside dim ${I}`
    : L[0] extends infer S extends Shape
      ? HasDim<"cat", S, I>
      : Ok;
type ShowAll<L extends Shape[]> = L extends [infer A extends Shape, ...infer T extends Shape[]]
  ? T extends []
    ? Show<A>
    : `${Show<A>}, ${ShowAll<T>}`
  : "";
type MeetAll<L extends Shape[]> = L extends [infer A extends Shape, infer B extends Shape, ...infer T extends Shape[]]
  ? MeetAll<[Meet<A, B>, ...T]>
  : L[0];
/** Equal shapes with a new dim I that counts them. */
export type Stack<L extends Shape[], I extends number = 0> =
  MeetAll<L> extends infer S extends Shape
    ? Unknown<S, I> extends true
      ? Shape
      : Insert<S, Index<[...S, 1], I>, L["length"]>
    : never;
export type CanStack<L extends Shape[]> = IsNever<MeetAll<L>> extends true ? `stack: shapes ${ShowAll<L>} differ` : Ok;
/** N values of T, as a tuple when N is literal and at most 16: const [q, k, v] = x.unbind(0). */
export type Repeat<T, N extends number, O extends T[] = []> =
  Literal<N> extends true ? (O["length"] extends N ? O : O["length"] extends 16 ? T[] : Repeat<T, N, [...O, T]>) : T[];

// --- element types

/** Each type and those before it in the order of promotion. */
interface Upto {
  bool: "bool";
  u8: Upto["bool"] | "u8";
  i8: Upto["u8"] | "i8";
  i32: Upto["i8"] | "i32";
  bf16: Upto["i32"] | "bf16";
  f16: Upto["bf16"] | "f16";
  f32: Upto["f16"] | "f32";
  f64: Upto["f32"] | "f64";
}
/** The later of the two: f32 with i32 is f32. The same table as promote() has at run time. */
export type Promote<A extends DType, B extends DType> = DType extends A | B ? DType : A extends Upto[B] ? B : A;
/** Indices, labels, masks: IsDType<"gather: index", E, "i32">. */
export type IsDType<What extends string, D extends DType, E extends DType> = D extends E
  ? Ok
  : `${What} must be ${E}, got ${D}`;
type Floats = "f32" | "f64" | "bf16" | "f16";
/** Integers become f32: mean, exp, division. */
export type Floating<D extends DType> = D extends Floats ? D : "f32";
/** Small integers add up in i32. */
export type Summed<D extends DType> = DType extends D ? DType : D extends "u8" | "i8" | "bool" ? "i32" : D;

// --- losses

type Without<S extends Shape, I extends number> = Unknown<S, I> extends true ? Shape : Drop<S, Index<S, I>>;
/** Integer labels have the shape of the logits without the class dim I; float targets, one probability per class, the shape of the logits. */
export type CanCrossEntropy<S extends Shape, T extends Shape, D extends DType, I extends number = -1> = D extends Floats
  ? IsNever<Meet<S, T>> extends true
    ? `crossEntropy: logits ${Show<S>} take i32 labels ${Show<Without<S, I>>} or probabilities ${Show<S>}, got ${D} ${Show<T>}`
    : Ok
  : IsNever<Meet<Without<S, I>, T>> extends true
    ? `crossEntropy: logits ${Show<S>} take labels ${Show<Without<S, I>>}, got ${Show<T>}`
    : Ok;
