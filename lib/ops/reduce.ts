// Sums and products of elements, and what is true of them.
import { type DType, isFloat } from "../core/dtype.ts";
import { checkDims, type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import { cast, eq, ne, where } from "./arithmetic.ts";
import { asThree, type Reduced, reducedShape, spread } from "./cube.ts";
import { over, times } from "./formula.ts";
import { productOfOthers } from "./scan.ts";
import { permute, reshape } from "./view.ts";

/** What integers and bool are added up in. */
export const summed = (d: DType): DType => (isFloat(d) ? d : "i32");

/** Launches a row over "ab arb". */
export function reduceInto(
  kernel: Kernel,
  y: Value,
  x: Value,
  dims: readonly number[],
  scalars?: readonly number[],
  ...centre: readonly (Value | null)[]
): void {
  const { extents, walk } = asThree(x, dims);
  const [a, r, b] = extents;
  launch(kernel, x.dtype, [a, b, r], [y, walk, ...centre], scalars);
}
export const reducedSpec = (x: Value, reduced: Reduced, dtype: DType = x.dtype): Spec => ({
  shape: reducedShape(x.shape, reduced),
  dtype,
});
export const countOf = (x: Value, dims: readonly number[]): number => numel(dims.map((d) => x.shape[d]));
export const reductionCases = [
  { inputs: { x: [3, 4] }, attrs: { dims: [0, 1], keepdim: false } },
  { inputs: { x: [2, 3, 4] }, attrs: { dims: [1], keepdim: true } },
  { inputs: { x: [2, 3, 4] }, attrs: { dims: [0, 2], keepdim: false } },
];

const sumOp = op({
  name: "sum",
  inputs: ["x"],
  keep: ["x"],
  prepare: ({ x }) => ({ x: cast(x, summed(x.dtype)) }),
  infer: ({ x }, reduced: Reduced) => reducedSpec(x, reduced),
  forward({ y }, { x }, { dims }) {
    reduceInto(K.sum, y, x, dims, [1]);
  },
  grad: { x: (gy, { x }, reduced): Value => spread(gy, x.shape, reduced) },
  cases: reductionCases,
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

/** y = sum / count in one pass; integers are averaged as f32 */
const meanOp = op({
  name: "mean",
  inputs: ["x"],
  keep: ["x"],
  prepare: ({ x }) => ({ x: x.isFloat ? x : cast(x, "f32") }),
  infer: ({ x }, reduced: Reduced) => reducedSpec(x, reduced),
  forward: ({ y }, { x }, { dims }) => reduceInto(K.sum, y, x, dims, [countOf(x, dims)]),
  grad: { x: (gy, { x }, reduced): Value => spread(over(gy, countOf(x, reduced.dims)), x.shape, reduced) },
  cases: reductionCases,
});
export function mean(x: Value, dim?: number | Dims, keepdim = false): Value {
  return meanOp({ x }, { dims: checkDims("mean", dim, x.ndim), keepdim });
}

/** sum and mean of what is not NaN */
const known = (x: Value): Value => (x.isFloat ? where({ condition: ne({ a: x, b: x }), a: 0, b: x }) : x);
export const nansum = (x: Value, dim?: number | Dims, keepdim = false): Value => sum(known(x), dim, keepdim);
export const nanmean = (x: Value, dim?: number | Dims, keepdim = false): Value =>
  x.isFloat ? over(nansum(x, dim, keepdim), sum(eq({ a: x, b: x }), dim, keepdim)) : mean(x, dim, keepdim);
/** How many are not 0, i32 */
export const countNonzero = (x: Value, dim?: number | Dims): Value => sum(ne({ a: x, b: 0 }), dim);

/** y = the product; the gradient of one element is that of all others, so zeros need no division */
const prodOp = op({
  name: "prod",
  inputs: ["x"],
  keep: ["x"],
  prepare: ({ x }) => ({ x: cast(x, summed(x.dtype)) }),
  infer: ({ x }, reduced: Reduced) => reducedSpec(x, reduced),
  forward: ({ y }, { x }, { dims }) => reduceInto(K.prod, y, x, dims),
  grad: {
    x(gy, { x }, reduced): Value {
      const order = [...x.shape.keys()].filter((d) => !reduced.dims.includes(d)).concat(reduced.dims);
      const last = permute(x, order);
      const kept = last.shape.slice(0, x.ndim - reduced.dims.length);
      const others = productOfOthers(reshape(last, [...kept, countOf(x, reduced.dims)]));
      const back = permute(
        reshape(others, last.shape),
        [...order.keys()].map((d) => order.indexOf(d)),
      );
      return times(spread(gy, x.shape, reduced), back);
    },
  },
  cases: [
    ...reductionCases,
    { inputs: { x: { shape: [2, 3], data: [0, 2, -3, 0, 0.5, 0] } }, attrs: { dims: [1], keepdim: false } },
  ],
});
export function prod(x: Value, dim?: number | Dims, keepdim = false): Value {
  return prodOp({ x }, { dims: checkDims("prod", dim, x.ndim), keepdim });
}

function truth(name: "any" | "all") {
  return op({
    name,
    inputs: ["x"],
    prepare: ({ x }) => ({ x: cast(x, "bool") }),
    infer: ({ x }, reduced: Reduced) => reducedSpec(x, reduced),
    forward: ({ y }, { x }, { dims }) => reduceInto(K[name], y, x, dims),
    cases: reductionCases.map(({ inputs, attrs }) => ({
      inputs: { x: { shape: inputs.x, dtype: "bool" as const } },
      attrs,
      order: 0 as const,
    })),
  });
}
const [anyOp, allOp] = [truth("any"), truth("all")];
/** Whether one element is not 0; of none: false */
export const any = (x: Value, dim?: number | Dims, keepdim = false): Value =>
  anyOp({ x }, { dims: checkDims("any", dim, x.ndim), keepdim });
/** Whether no element is 0; of none: true */
export const all = (x: Value, dim?: number | Dims, keepdim = false): Value =>
  allOp({ x }, { dims: checkDims("all", dim, x.ndim), keepdim });
