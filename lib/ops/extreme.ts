// The largest and the smallest of elements, and where they are. NaN is beyond every number.
import { fail } from "../core/errors.ts";
import { checkDim, checkDims, type Dims } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { op } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { cast, eq, integers, where } from "./arithmetic.ts";
import { type Reduced, spread } from "./cube.ts";
import { over } from "./formula.ts";
import { countOf, reducedSpec, reduceInto, reductionCases, sum } from "./reduce.ts";
import type { Found } from "./scan.ts";
import { pick } from "./select.ts";
import { reshape, squeeze } from "./view.ts";

function checkSome(op: string, x: Value, { dims }: Reduced): void {
  if (countOf(x, dims) === 0 && x.ndim > 0)
    fail("ERR_NABLA_VALUE", op, "there is no extreme of no elements", { values: { x }, expected: "a size above 0" });
}

/** The gradient of y = one of x, shared among all that are equal to it. */
function shared(gy: Value, x: Value, y: Value, reduced: Reduced): Value {
  const condition = eq({ a: x, b: spread(y, x.shape, reduced) });
  const share = over(gy, sum(condition, reduced.dims, reduced.keepdim));
  return where({ condition, a: spread(share, x.shape, reduced), b: 0 });
}
function extreme(name: "amax" | "amin") {
  return op({
    name,
    inputs: ["x"],
    keep: ["x", "y"],
    prepare: ({ x }) => ({ x: cast(x, integers(x.dtype)) }),
    infer({ x }, reduced: Reduced) {
      checkSome(name, x, reduced);
      return reducedSpec(x, reduced);
    },
    forward: ({ y }, { x }, { dims }) => reduceInto(K[name], y, x, dims),
    grad: { x: (gy, { x, y }, reduced): Value => shared(gy, x, y, reduced) },
    cases: reductionCases,
  });
}
const [amaxOp, aminOp] = [extreme("amax"), extreme("amin")];
/** The largest over dims; equal ones share the gradient. */
export const amax = (x: Value, dim?: number | Dims, keepdim = false): Value =>
  cast(amaxOp({ x }, { dims: checkDims("amax", dim, x.ndim), keepdim }), x.dtype);
/** The smallest over dims; equal ones share the gradient. */
export const amin = (x: Value, dim?: number | Dims, keepdim = false): Value =>
  cast(aminOp({ x }, { dims: checkDims("amin", dim, x.ndim), keepdim }), x.dtype);
export interface Extremes {
  readonly min: Value;
  readonly max: Value;
}
export const aminmax = (x: Value, dim?: number | Dims, keepdim = false): Extremes => ({
  min: amin(x, dim, keepdim),
  max: amax(x, dim, keepdim),
});

function extremeIndex(name: "argmax" | "argmin") {
  return op({
    name,
    inputs: ["x"],
    prepare: ({ x }) => ({ x: cast(x, integers(x.dtype)) }),
    infer({ x }, reduced: Reduced) {
      checkSome(name, x, reduced);
      return reducedSpec(x, reduced, "i32");
    },
    forward: ({ y }, { x }, { dims }) => reduceInto(K[name], y, x, dims),
    cases: reductionCases.map((c) => ({ ...c, order: 0 as const })),
  });
}
const index = { argmax: extremeIndex("argmax"), argmin: extremeIndex("argmin") };
/** Where the first of the largest is along dim; without a dim, its position among all elements in order. */
export const argmax = (x: Value, dim?: number, keepdim = false): Value =>
  index.argmax({ x }, { dims: checkDims("argmax", dim, x.ndim), keepdim });
/** Where the first of the smallest is. */
export const argmin = (x: Value, dim?: number, keepdim = false): Value =>
  index.argmin({ x }, { dims: checkDims("argmin", dim, x.ndim), keepdim });

function foundAlong(arg: typeof argmax, x: Value, dim: number, keepdim: boolean): Found {
  if (x.ndim === 0) return { values: reshape(x, []), indices: arg(x, dim) };
  const indices = arg(x, dim, true);
  const values = pick(x, checkDim("max", dim, x.ndim), indices);
  return keepdim ? { values, indices } : { values: squeeze(values, dim), indices: squeeze(indices, dim) };
}
/** The largest along one dim and where the first of them is: it gets the gradient. Without a dim, amax of all. */
export function max(x: Value): Value;
export function max(x: Value, dim: number, keepdim?: boolean): Found;
export function max(x: Value, dim?: number, keepdim = false): Value | Found {
  return dim === undefined ? amax(x) : foundAlong(argmax, x, dim, keepdim);
}
/** The smallest along one dim and where the first of them is: it gets the gradient. Without a dim, amin of all. */
export function min(x: Value): Value;
export function min(x: Value, dim: number, keepdim?: boolean): Found;
export function min(x: Value, dim?: number, keepdim = false): Value | Found {
  return dim === undefined ? amin(x) : foundAlong(argmin, x, dim, keepdim);
}
