import type { DType } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import type { Dims } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import type { Kernel } from "../native.gen.ts";
import type { Operand } from "./launch.ts";
import { execute } from "./run.ts";

/** Values by name; a name that ends in "?" may be absent. */
export type By<N extends string, X = Value> = { readonly [K in N as K extends `${string}?` ? never : K]: X } & {
  readonly [K in N as K extends `${infer B}?` ? B : never]?: X | undefined;
};
type Bare<N extends string> = N extends `${infer B}?` ? B : N;
/** What a result is before it exists. */
export interface Spec {
  readonly shape: number[];
  readonly dtype: DType;
}
/** Where a view looks, in the storage of the input it is a view of. */
export interface Window extends Spec {
  readonly strides: Dims;
  readonly offset: number;
}

/** How a test makes one input: a shape of random numbers, or a shape with their range, dtype, or the data itself. */
export type Sample =
  | number[]
  | {
      readonly shape: number[];
      readonly low?: number;
      readonly high?: number;
      readonly dtype?: DType;
      readonly data?: readonly number[];
      readonly grad?: boolean;
    };
export interface Case<N extends string, A> {
  readonly inputs: { readonly [K in Bare<N>]?: Sample | number };
  readonly attrs?: A;
  /** How many times it is differentiable: 2 unless said; 0 where it is not. */
  readonly order?: 0 | 1 | 2;
}

/** A gradient that touches a few rows of its input: added to what there is already, it needs no zeros of its own. */
export type Onto = (before: Value | undefined) => Value;
/** The gradient of one input, made of ops; undefined for none. gy has the output's shape; the engine sums broadcasts away. */
type Rule<K extends string, A, X, G> = (gy: G, kept: By<K, X>, attrs: A) => Value | Onto | undefined;

export interface Definition<N extends string, K extends string, O extends string, A, X> {
  readonly name: string;
  readonly inputs: readonly N[];
  /** Names of the results; one result called y unless given. */
  readonly outputs?: readonly O[];
  /** Inputs and outputs that the gradient rules read. Nothing else is held until backward. */
  readonly keep?: readonly K[];
  /** Changes the inputs before anything else, with ops: dtype promotion, contiguous copies. */
  prepare?(x: By<N, X>, attrs: A): By<N, X>;
  /** Shape and dtype of each result, and every complaint. */
  infer(x: By<N, X>, attrs: A): Spec | readonly Spec[];
  /** One of: an elementwise row; a function that launches rows; a window on the first input. */
  readonly kernel?: Kernel;
  /** The scalar parameters of that row. */
  scalars?(attrs: A): readonly number[];
  forward?(y: By<O>, x: By<N, X>, attrs: A): void;
  readonly view?: true;
  /** A rule for each input that has a gradient, or one that gives all at once. */
  readonly grad?:
    | { readonly [P in Bare<N>]?: Rule<K, A, X, Gradient<O>> }
    | ((
        gy: Gradient<O>,
        kept: By<K, X>,
        attrs: A,
        needs: (input: Bare<N>) => boolean,
      ) => { readonly [P in Bare<N>]?: Value | undefined });
  readonly cases: readonly Case<N, A>[];
}
/** One result: its gradient. Several: gradients by name, absent where nothing flowed back. */
export type Gradient<O extends string> = string extends O
  ? Value
  : [O] extends ["y"]
    ? Value
    : { readonly [P in O]?: Value };

export interface AnyOp {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly keep: readonly string[];
  readonly definition: Definition<string, string, string, unknown, Operand>;
  (x: Record<string, unknown>, attrs?: unknown): unknown;
}
type Result<O extends string> = [O] extends ["y"] ? Value : By<O>;
export type Op<N extends string, O extends string, A, X> = (
  x: By<N, X>,
  ...attrs: Record<never, never> extends A ? [attrs?: A] : [attrs: A]
) => Result<O>;

/** All ops by name; tests walk it. */
export const registry: Map<string, AnyOp> = new Map();

/**
 * Defines an op: the one place where its shapes, its kernel, its gradient and its test cases stand.
 * Elementwise ops set X = Operand, which lets plain numbers stand for tensors.
 */
export function op<
  const N extends string,
  const K extends string = never,
  const O extends string = "y",
  A = Record<never, never>,
  X = Value,
>(definition: Definition<N, K, O, A, X>): Op<N, O, A, X> {
  const { name, inputs, outputs = ["y" as O], keep = [] } = definition;
  if (registry.has(name)) fail("ERR_NABLA_INTERNAL", name, "is defined twice");
  if (definition.cases.length === 0) fail("ERR_NABLA_INTERNAL", name, "has no cases");
  const bare = inputs.map((n) => n.replace("?", ""));
  const self: AnyOp = Object.assign((x: Record<string, unknown>, attrs: unknown = {}) => execute(self, x, attrs), {
    inputs: bare,
    outputs,
    keep,
    definition: definition as unknown as AnyOp["definition"],
  }) as unknown as AnyOp;
  Object.defineProperty(self, "name", { value: name });
  registry.set(name, self);
  return self as unknown as Op<N, O, A, X>;
}

/** An op whose row is elementwise: plain numbers may stand for its tensors. */
export function elementwise<const N extends string, const K extends string = never, A = Record<never, never>>(
  definition: Definition<N, K, "y", A, Operand>,
): Op<N, "y", A, Operand> {
  return op<N, K, "y", A, Operand>(definition);
}
