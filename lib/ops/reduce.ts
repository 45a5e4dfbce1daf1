import { type DType, isFloat } from "../core/dtype.ts";
import { checkDims, type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launch, type Walk } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { cast, contiguous, div } from "./arithmetic.ts";
import { expand, permute, reshape } from "./view.ts";

/** Dimensions that a reduction takes away (ascending), and whether they stay as 1. */
export interface Reduced {
  readonly dims: readonly number[];
  readonly keepdim: boolean;
}

export function reducedShape(shape: Dims, { dims, keepdim }: Reduced): number[] {
  return shape.flatMap((d, i) => (dims.includes(i) ? (keepdim ? [1] : []) : [d]));
}

/** Neighbouring dimensions [from, to) walked as one; undefined where their steps do not allow it. */
function merged(x: Value, from: number, to: number): { extent: number; step: number } | undefined {
  if (x.size === 0) return { extent: numel(x.shape.slice(from, to)), step: 0 };
  let extent = 1;
  let step = 0;
  for (let i = to - 1; i >= from; i--) {
    if (x.shape[i] === 1) continue;
    if (extent === 1) step = x.strides[i];
    else if (x.strides[i] !== step * extent) return undefined;
    extent *= x.shape[i];
  }
  return { extent, step };
}

/**
 * x as [a, r, b] with r the reduced elements. Dimensions that do not merge are copied: first the kept, last the reduced,
 * so the order of a sum follows from shape and dims alone.
 */
export function asThree(x: Value, dims: readonly number[]): { extents: [number, number, number]; walk: Walk } {
  const [first, last] = [dims[0] ?? x.ndim, dims[dims.length - 1] ?? x.ndim - 1];
  if (last - first + 1 !== dims.length) {
    const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
    const tail = contiguous(permute(x, [...kept, ...dims]));
    return asThree(
      tail,
      dims.map((_, i) => kept.length + i),
    );
  }
  const groups = [merged(x, 0, first), merged(x, first, last + 1), merged(x, last + 1, x.ndim)];
  if (groups.some((g) => g === undefined)) return asThree(contiguous(x), dims);
  const [a, r, b] = groups as { extent: number; step: number }[];
  return { extents: [a.extent, r.extent, b.extent], walk: { value: x, steps: [a.step, r.step, b.step] } };
}

/** The extents of a launch in the order of the letters of "ab arb". */
const letters = ([a, r, b]: readonly number[]) => [a, b, r];

/** A gradient of the reduced shape, spread over the shape it was reduced from. */
export function spread(gy: Value, shape: Dims, reduced: Reduced): Value {
  return expand(reshape(gy, reducedShape(shape, { ...reduced, keepdim: true })), shape);
}

const summed = (d: DType): DType => (isFloat(d) ? d : "i32");

const sumOp = op({
  name: "sum",
  inputs: ["x"],
  keep: ["x"],
  prepare: ({ x }) => ({ x: cast(x, summed(x.dtype)) }),
  infer: ({ x }, reduced: Reduced): Spec => ({ shape: reducedShape(x.shape, reduced), dtype: x.dtype }),
  forward({ y }, { x }, { dims }) {
    const { extents, walk } = asThree(x, dims);
    launch(K.sum, y.dtype, letters(extents), [y, walk], [1]);
  },
  grad: { x: (gy, { x }, reduced): Value => spread(gy, x.shape, reduced) },
  cases: [
    { inputs: { x: [3, 4] }, attrs: { dims: [0, 1], keepdim: false } },
    { inputs: { x: [2, 3, 4] }, attrs: { dims: [1], keepdim: true } },
    { inputs: { x: [2, 3, 4] }, attrs: { dims: [0, 2], keepdim: false } },
  ],
});
export function sum(x: Value, dim?: number | Dims, keepdim = false): Value {
  return sumOp({ x }, { dims: checkDims("sum", dim, x.ndim), keepdim });
}

/** Sums x down to a shape that broadcasts to its own: the gradient of a broadcast. */
export function sumTo(x: Value, shape: Dims): Value {
  const lead = x.ndim - shape.length;
  const dims = x.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  return reshape(dims.length ? sumOp({ x }, { dims, keepdim: false }) : x, shape);
}

/** y = sum / count; integers are averaged as f32 */
export function mean(x: Value, dim?: number | Dims, keepdim = false): Value {
  const dims = checkDims("mean", dim, x.ndim);
  const count = numel(dims.map((d) => x.shape[d]));
  return div({ a: sumOp({ x: x.isFloat ? x : cast(x, "f32") }, { dims, keepdim }), b: count });
}
