// How kernels that work along dimensions see a tensor: as [a, n, b], n what they work along, with the steps of its memory.
import { type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import type { Walk } from "../engine/launch.ts";
import { contiguous } from "./arithmetic.ts";
import { expand, permute, reshape } from "./view.ts";

/** Dimensions that a reduction takes away (ascending), and whether they stay as 1. */
export interface Reduced {
  readonly dims: readonly number[];
  readonly keepdim: boolean;
}

export function reducedShape(shape: Dims, { dims, keepdim }: Reduced): number[] {
  const out: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (!dims.includes(i)) out.push(shape[i]);
    else if (keepdim) out.push(1);
  }
  return out;
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

export interface Cube {
  readonly extents: readonly [number, number, number];
  readonly walk: Walk;
}
/**
 * x as [a, n, b] with n the elements of dims. Dimensions that do not merge are copied: first the kept, last the reduced,
 * so the order of a sum follows from shape and dims alone.
 */
export function asThree(x: Value, dims: readonly number[]): Cube {
  const [first, last] = [dims[0] ?? x.ndim, dims[dims.length - 1] ?? x.ndim - 1];
  if (last - first + 1 !== dims.length) {
    const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
    const tail = contiguous(permute(x, [...kept, ...dims]));
    return asThree(
      tail,
      dims.map((_, i) => kept.length + i),
    );
  }
  const [a, n, b] = [merged(x, 0, first), merged(x, first, last + 1), merged(x, last + 1, x.ndim)];
  if (!a || !n || !b) return asThree(contiguous(x), dims);
  return { extents: [a.extent, n.extent, b.extent], walk: { value: x, steps: [a.step, n.step, b.step] } };
}
/** The same along one dim; a scalar is one element along it. */
export const along = (x: Value, dim: number): Cube => asThree(x, x.ndim ? [dim] : []);

/** A shape with another size in one place. */
export const resized = (shape: Dims, dim: number, size: number): number[] =>
  shape.map((d, i) => (i === dim ? size : d));

/** A gradient of the reduced shape, spread over the shape it was reduced from. */
export function spread(gy: Value, shape: Dims, reduced: Reduced): Value {
  return expand(reshape(gy, reducedShape(shape, { ...reduced, keepdim: true })), shape);
}
