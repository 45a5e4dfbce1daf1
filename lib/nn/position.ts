import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { rotary } from "../ops/heads.ts";
import { fromNested } from "../ops/nested.ts";
import { embedding } from "../ops/select.ts";
import { reshape, slice, unsqueeze } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LastIs, Shape, Str } from "../types/shape.ts";
import { Embedding } from "./embedding.ts";
import { Module } from "./module.ts";
import { buffer } from "./parameter.ts";

/** A table [rows, columns] of f(row, column), computed in f64 and kept beside the parameters without being saved. */
function table(rows: number, columns: number, f: (row: number, column: number) => number): Tensor {
  checkShape("positions", [rows, columns]);
  const values = Float32Array.from({ length: rows * columns }, (_, i) => f(Math.floor(i / columns), i % columns));
  return buffer(reshape(fromNested(values), [rows, columns]) as Tensor, { persistent: false });
}
function checkTime(op: string, time: number, length: number): void {
  if (time > length)
    fail("ERR_NABLA_SHAPE", op, `${time} positions, and the longest is ${length}`, { expected: length, actual: time });
}
/** Rows of a table for positions 0 .. time - 1, or for those that are given. */
function rowsOf(op: string, from: Tensor, time: number, positions: Tensor | undefined): Tensor {
  if (positions) return embedding(from, positions) as Tensor;
  checkTime(op, time, from.shape[0] as number);
  return slice(from, 0, 0, time) as Tensor;
}

/**
 * y = x + p, p[t, 2i] = sin(t / 10000^(2i / width)), p[t, 2i + 1] = cos of the same: x [batch, time, width] (Vaswani et al.,
 * 2017). Nothing is learned. More than `length` positions are an ERR_NABLA_SHAPE.
 * @example
 * ```ts
 * import { SinusoidalPosition, zeros } from "nabla";
 * console.log(new SinusoidalPosition(100, 2).forward(zeros(1, 2, 2))); // tensor([[[0.0000, 1.0000], [0.8415, 0.5403]]])
 * ```
 */
export class SinusoidalPosition<W extends number = number> extends Module {
  declare readonly gives: "same";
  readonly table: Tensor;

  constructor(length: number, width: W) {
    super();
    checkShape("SinusoidalPosition", [length, width]);
    this.table = table(length, width, (t, i) => {
      const angle = t / 10000 ** ((i - (i % 2)) / width);
      return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
  }
  override describe(): string {
    return `${this.table.shape.join(", ")}`;
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`SinusoidalPosition(${Str<W>})`, S, W>,
    positions?: Tensor,
  ): Tensor<S, "f32"> {
    return (x as Tensor).add(rowsOf("SinusoidalPosition", this.table, x.shape.at(-2) as number, positions)) as never;
  }
}

/**
 * y = x + p, p[t] a learned vector for each of `length` positions: x [batch, time, width]. GPT-2's `wpe` is its weight.
 * @example
 * ```ts
 * import { LearnedPosition, zeros } from "nabla";
 * const position = new LearnedPosition(64, 8);
 * console.log(position.forward(zeros(2, 10, 8)).shape, position.weight.shape); // [ 2, 10, 8 ] [ 64, 8 ]
 * ```
 */
export class LearnedPosition extends Embedding {
  constructor(length: number, width: number, options: { std?: number } = {}) {
    const { std = 0.02 } = only("LearnedPosition", options, ["std"]);
    super(length, width, { std });
  }
  override forward(x: Tensor, positions?: Tensor): Tensor<never, "f32"> {
    return x.add(rowsOf("LearnedPosition", this.weight, x.shape.at(-2) as number, positions)) as never;
  }
}

/** How angles are stretched beyond the context a model was trained on; names as in Hugging Face's `rope_parameters`. */
export type RotaryScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      /** The base grows with the length of the layer beyond originalLength, so that the slowest pair turns `factor` times less. */
      readonly type: "dynamic";
      readonly factor: number;
      readonly originalLength: number;
    }
  | {
      readonly type: "llama3";
      readonly factor: number;
      /** Wavelengths below originalLength / highFrequency stay, those above originalLength / lowFrequency are divided. */
      readonly lowFrequency: number;
      readonly highFrequency: number;
      readonly originalLength: number;
    }
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly originalLength: number;
      /** Pairs that turn more often than this in originalLength stay; 32 unless given. */
      readonly betaFast?: number | undefined;
      /** Pairs that turn less often than this are divided; 1 unless given. */
      readonly betaSlow?: number | undefined;
      /** Times cosine and sine; 0.1 ln(factor) + 1 unless given. */
      readonly attentionFactor?: number | undefined;
      /** Whether the ends of the ramp between are whole pairs; true unless given. */
      readonly truncate?: boolean | undefined;
    };
/** Options of {@link RotaryPosition}. */
export interface RotaryOptions {
  /** The base of the wavelengths, 10000 unless given. */
  theta?: number | undefined;
  scaling?: RotaryScaling | undefined;
}

const between = (low: number, x: number, high: number): number => Math.min(high, Math.max(low, x));
type Yarn = Extract<RotaryScaling, { type: "yarn" }>;
/** The share of each pair that stays as it is: 1 up to the pair that turns betaFast times, 0 from the one that turns betaSlow. */
function yarnShare(width: number, theta: number, scaling: Yarn): (pair: number) => number {
  const { originalLength, betaFast = 32, betaSlow = 1, truncate = true } = scaling;
  // Pair i turns originalLength theta^(-2i / width) / 2π times.
  const pairOf = (turns: number) => (width * Math.log(originalLength / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [fast, slow] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(0, truncate ? Math.floor(fast) : fast);
  const high = Math.min(width - 1, truncate ? Math.ceil(slow) : slow);
  return (pair) => 1 - between(0, (pair - low) / (high === low ? 0.001 : high - low), 1);
}

/** Radians a position for each pair of numbers: theta^(-2i / width), stretched; and what cosine and sine are multiplied by. */
function frequencies(length: number, width: number, { theta = 10000, scaling }: RotaryOptions) {
  const of = (base: number) => Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width));
  const plain = of(theta);
  if (!scaling) return { turn: plain, scale: 1 };
  const { type, factor } = scaling;
  if (type === "linear") return { turn: plain.map((f) => f / factor), scale: 1 };
  const mixed = (share: (f: number, i: number) => number) =>
    plain.map((f, i) => (1 - share(f, i)) * (f / factor) + share(f, i) * f);
  if (type === "yarn") {
    const share = yarnShare(width, theta, scaling);
    const own = factor > 1 ? 0.1 * Math.log(factor) + 1 : 1;
    return { turn: mixed((_, i) => share(i)), scale: scaling.attentionFactor ?? own };
  }
  const { originalLength } = scaling;
  if (type === "dynamic") {
    const grown = (factor * Math.max(length, originalLength)) / originalLength - (factor - 1);
    return { turn: of(theta * grown ** (width / (width - 2))), scale: 1 };
  }
  const { lowFrequency: low, highFrequency: high } = scaling;
  const turn = mixed((f) => between(0, ((originalLength * f) / (2 * Math.PI) - low) / (high - low), 1));
  return { turn, scale: 1 };
}

/**
 * Turns each pair (x[i], x[i + width/2]) of a query or key at position t by the angle t theta^(-2i / width), so that products
 * depend on distances alone: x [batch, heads, time, width] (Su et al., 2021). `scaling` stretches the angles: "linear" divides
 * all, "llama3" and "yarn" (Peng et al., 2023) the slow ones, "dynamic" takes the base for `length` positions, once for all texts.
 *
 * Hugging Face: `LlamaRotaryEmbedding`. An odd width is an ERR_NABLA_VALUE, too many positions are an ERR_NABLA_SHAPE.
 * @example
 * ```ts
 * import { randn, RotaryPosition } from "nabla";
 * const rope = new RotaryPosition(2048, 64, { theta: 500000 });
 * console.log(rope.forward(randn(1, 8, 10, 64)).shape); // [ 1, 8, 10, 64 ]
 * ```
 */
export class RotaryPosition<W extends number = number> extends Module {
  declare readonly gives: "same";
  readonly width: W;
  readonly cos: Tensor;
  readonly sin: Tensor;

  constructor(length: number, width: W, options: RotaryOptions = {}) {
    only("RotaryPosition", options, ["theta", "scaling"]);
    super();
    checkPlain("RotaryPosition", { width });
    if (!(Number.isInteger(width) && width > 0 && width % 2 === 0))
      fail("ERR_NABLA_VALUE", "RotaryPosition", `width ${width} is not even`, {
        expected: "an even width",
        actual: width,
      });
    checkShape("RotaryPosition", [length, width]);
    this.width = width;
    const { turn, scale } = frequencies(length, width, options);
    this.cos = table(length, width / 2, (t, i) => scale * Math.cos(t * turn[i]));
    this.sin = table(length, width / 2, (t, i) => scale * Math.sin(t * turn[i]));
  }
  override describe(): string {
    return `${this.cos.shape[0]}, ${this.width}`;
  }
  /** positions [time], or [batch, time] where they differ; 0, 1, ... unless given. */
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`RotaryPosition(${Str<W>})`, S, W>,
    positions?: Tensor,
  ): Tensor<S, "f32"> {
    const rows = (from: Tensor) => {
      const found = rowsOf("RotaryPosition", from, x.shape.at(-2) as number, positions);
      return found.ndim === 3 ? unsqueeze(found, 1) : found;
    };
    return rotary(x, rows(this.cos), rows(this.sin)) as never;
  }
}
