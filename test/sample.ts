// Inputs of an op's case: random numbers from a seed, in the layout a test asks for.
import { type DType, viewOf } from "../lib/core/dtype.ts";
import { contiguousStrides, numel } from "../lib/core/shape.ts";
import { allocate } from "../lib/core/storage.ts";
import { makeValue, Value } from "../lib/core/value.ts";
import type { AnyOp, Case, Sample } from "../lib/engine/op.ts";

/** Uniform in [0, 1), mulberry32. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How the elements lie in memory. */
export type Layout = "contiguous" | "reversed" | "spaced";

/** An uninitialised value of this layout: dimensions in reverse order, or every step doubled behind an offset of 3. */
function laid(shape: number[], dtype: DType, layout: Layout): Value {
  if (layout === "contiguous") {
    return makeValue(allocate(dtype, numel(shape)), 0, shape, contiguousStrides(shape), dtype);
  }
  if (layout === "spaced") {
    const strides = contiguousStrides(shape).map((s) => 2 * s);
    return makeValue(allocate(dtype, 2 * numel(shape) + 3), 3, shape, strides, dtype);
  }
  const strides = contiguousStrides(shape.toReversed()).reverse();
  return makeValue(allocate(dtype, numel(shape)), 0, shape, strides, dtype);
}

/** Calls f with each position in memory, in row-major order of the elements. */
export function eachPosition(x: Value, f: (at: number, i: number) => void): void {
  const count = numel(x.shape);
  const index = x.shape.map(() => 0);
  for (let i = 0; i < count; i++) {
    f(
      index.reduce((at, k, d) => at + k * x.strides[d]!, x.offset),
      i,
    );
    for (let d = index.length - 1; d >= 0 && ++index[d]! === x.shape[d]; d--) index[d] = 0;
  }
}
/** The elements in row-major order, as plain numbers. */
export function elements(x: Value): number[] {
  const out: number[] = [];
  eachPosition(x, (at) => out.push(x.storage.array[at]!));
  return out;
}
/** As a row-major array of the value's own type, to compare bit by bit; every NaN is the same. */
export function bits(x: Value): Uint8Array {
  const array = viewOf(x.dtype, new ArrayBuffer(8 * numel(x.shape)), 0, numel(x.shape));
  elements(x).forEach((e, i) => {
    array[i] = Number.isNaN(e) ? Number.NaN : e;
  });
  return new Uint8Array(array.buffer, 0, array.byteLength);
}

function sampled(sample: Sample, next: () => number, float: DType, layout: Layout): Value {
  const given = Array.isArray(sample) ? { shape: sample } : sample;
  const dtype = given.dtype ?? float;
  const whole = dtype !== "f32" && dtype !== "f64";
  const [low, high] = [given.low ?? (whole ? 0 : -1), given.high ?? (dtype === "bool" ? 2 : whole ? 4 : 1)];
  const x = laid([...given.shape], dtype, layout);
  x.storage.array.fill(0);
  eachPosition(x, (at, i) => {
    const r = given.data?.[i] ?? low + (high - low) * next();
    x.storage.array[at] = whole ? Math.floor(r) : r;
  });
  return x;
}

export interface Inputs {
  readonly named: Readonly<Record<string, Value | number>>;
  /** Float tensors whose gradient the case asks for, in the order of the op's inputs. */
  readonly leaves: readonly Value[];
}
type AnyCase = Case<string, unknown>;
export interface Setting {
  readonly float?: DType;
  readonly layout?: Layout;
  /** Sizes to put in place of others: { 3: 0 } empties every dimension of 3. */
  readonly sizes?: Readonly<Record<number, number>>;
}

/** The same case gives the same numbers in every layout. */
export function make(
  op: AnyOp,
  c: AnyCase,
  { float = "f32", layout = "contiguous", sizes = {} }: Setting = {},
): Inputs {
  const next = random(1 + op.name.length);
  const resize = (shape: readonly number[]) => shape.map((d) => sizes[d] ?? d);
  const named: Record<string, Value | number> = {};
  const leaves: Value[] = [];
  for (const [name, sample] of Object.entries(c.inputs) as [string, Sample | number | undefined][]) {
    if (sample === undefined) continue;
    if (typeof sample === "number") {
      named[name] = sample;
      continue;
    }
    const given = Array.isArray(sample) ? { shape: resize(sample) } : { ...sample, shape: resize(sample.shape) };
    const x = sampled(given, next, float, layout);
    named[name] = x;
    if (x.isFloat && (Array.isArray(sample) || sample.grad !== false)) leaves.push(x);
  }
  return { named, leaves };
}

/** The results of an op in the order of its outputs, of which split has as many as parts. */
export function results(op: AnyOp, c: AnyCase, { named }: Inputs): Value[] {
  const y = op(named, c.attrs);
  if (y instanceof Value) return [y];
  return op.outputs.flatMap((name) => (y as Record<string, Value>)[name] ?? []);
}
