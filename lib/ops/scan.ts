// Running results along a dimension, and the linear recurrence that their gradients are made of: no division by an element,
// so zeros and -inf need no case of their own.
import { checkDim } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K, type Kernel } from "../native.gen.ts";
import { cast, contiguous, eq, floating, integers, where } from "./arithmetic.ts";
import { ones, zeros } from "./create.ts";
import { along, resized } from "./cube.ts";
import { minus, times } from "./formula.ts";
import { cat } from "./join.ts";
import { exp } from "./math.ts";
import { place } from "./select.ts";
import { expand, flip, reshape, slice } from "./view.ts";

interface Along {
  readonly dim: number;
}
const like = (x: Value): Spec => ({ shape: x.shape, dtype: x.dtype });
/** A scalar is a line of one. */
const line = (x: Value): Value => (x.ndim ? x : reshape(x, [1]));
const at = (op: string, dim: number, x: Value): Along => ({ dim: checkDim(op, dim, x.ndim) });

/** first, x[0], ..., x[n - 2] */
function shifted(x: Value, dim: number, first: number): Value {
  const head = expand((first === 0 ? zeros : ones)([], x.dtype), resized(x.shape, dim, Math.min(1, x.shape[dim])));
  return cat([head, slice(x, dim, 0, Math.max(0, x.shape[dim] - 1))], dim);
}
function scanInto(kernel: Kernel, y: readonly Value[], x: Value, dim: number, ...more: readonly Value[]): void {
  if (x.size === 0) return;
  const { extents, walk } = along(x, dim);
  launch(kernel, x.dtype, extents, [...y, ...more, walk]);
}
const cases = [
  { inputs: { x: [2, 5] }, attrs: { dim: 1 } },
  { inputs: { x: [2, 3, 4] }, attrs: { dim: 1 } },
];

/** y[j] = a[j] y[j - 1] + x[j], from y[-1] = 0 */
const recurrenceOp = op({
  name: "recurrence",
  inputs: ["a", "x"],
  keep: ["a", "y"],
  prepare: ({ a, x }) => ({ a: contiguous(a), x }),
  infer: ({ x }, _: Along) => like(x),
  forward: ({ y }, { a, x }, { dim }) => scanInto(K.recurrence, [y], x, dim, a),
  grad(gy, { a, y }, { dim }, needs) {
    const dx = recurredBack(a, gy, dim);
    return { x: dx, a: needs("a") ? times(dx, shifted(y, dim, 0)) : undefined };
  },
  cases: cases.map(({ inputs, attrs }) => ({ inputs: { a: inputs.x, x: inputs.x }, attrs })),
});
/** y[j] = a[j + 1] y[j + 1] + x[j], from y[n] = 0 */
function recurredBack(a: Value, x: Value, dim: number): Value {
  return flip(recurrenceOp({ a: shifted(flip(a, [dim]), dim, 0), x: flip(x, [dim]) }, { dim }), [dim]);
}
/** y[j] = a[j] y[j - 1] + x[j] along dim: discounted sums, linear state spaces */
export const recurrence = (a: Value, x: Value, dim = -1): Value =>
  reshape(recurrenceOp({ a: line(a), x: line(x) }, at("recurrence", dim, x)), x.shape);

const cumsumOp = op({
  name: "cumsum",
  inputs: ["x"],
  prepare: ({ x }) => ({ x: cast(x, integers(x.dtype)) }),
  infer: ({ x }, _: Along) => like(x),
  forward: ({ y }, { x }, { dim }) => scanInto(K.cumsum, [y], x, dim),
  grad: { x: (gy, _, { dim }): Value => flip(cumsumOp({ x: flip(gy, [dim]) }, { dim }), [dim]) },
  cases,
});
/** y[j] = x[0] + ... + x[j]; bool and u8 add up in i32 */
export const cumsum = (x: Value, dim: number): Value =>
  reshape(cumsumOp({ x: line(x) }, at("cumsum", dim, x)), x.shape);

/** dx[j] = y[j - 1] (g[j] + x[j + 1] (g[j + 1] + x[j + 2] ...)) */
const cumprodOp = op({
  name: "cumprod",
  inputs: ["x"],
  keep: ["x", "y"],
  prepare: ({ x }) => ({ x: cast(x, integers(x.dtype)) }),
  infer: ({ x }, _: Along) => like(x),
  forward: ({ y }, { x }, { dim }) => scanInto(K.cumprod, [y], x, dim),
  grad: { x: (gy, { x, y }, { dim }): Value => times(shifted(y, dim, 1), recurredBack(x, gy, dim)) },
  cases: [...cases, { inputs: { x: { shape: [5], data: [2, 0, 3, 0, 0.5] } }, attrs: { dim: 0 } }],
});
/** y[j] = x[0] ... x[j]; bool and u8 are multiplied in i32 */
export const cumprod = (x: Value, dim: number): Value =>
  reshape(cumprodOp({ x: line(x) }, at("cumprod", dim, x)), x.shape);

/** For each element along the last dim, the product of the others: what is before it times what is behind it. */
export function productOfOthers(x: Value): Value {
  const dim = x.ndim - 1;
  const before = (v: Value) => shifted(cumprodOp({ x: v }, { dim }), dim, 1);
  return times(before(x), flip(before(flip(x, [dim])), [dim]));
}

/** a - b, and 0 where they are equal infinities */
const gap = (a: Value, b: Value): Value => where({ condition: eq({ a, b }), a: 0, b: minus(a, b) });
/** dx[j] = exp(x[j] - y[j]) t[j], t[j] = g[j] + exp(y[j] - y[j + 1]) t[j + 1]: y never falls, so nothing overflows */
const logcumsumexpOp = op({
  name: "logcumsumexp",
  inputs: ["x"],
  keep: ["x", "y"],
  infer: ({ x }, _: Along) => like(x),
  forward: ({ y }, { x }, { dim }) => scanInto(K.logcumsumexp, [y], x, dim),
  grad: {
    x(gy, { x, y }, { dim }): Value {
      const n = y.shape[dim];
      const fall = exp({ x: gap(slice(y, dim, 0, Math.max(0, n - 1)), slice(y, dim, 1)) });
      const head = expand(ones([], y.dtype), resized(y.shape, dim, Math.min(1, n)));
      return times(exp({ x: gap(x, y) }), recurredBack(cat([head, fall], dim), gy, dim));
    },
  },
  cases,
});
/** y[j] = log(exp x[0] + ... + exp x[j]); integers become f32 */
export const logcumsumexp = (x: Value, dim: number): Value =>
  reshape(logcumsumexpOp({ x: cast(line(x), floating("logcumsumexp", x)) }, at("logcumsumexp", dim, x)), x.shape);

function extremeSoFar(name: "cummax" | "cummin") {
  return op({
    name,
    inputs: ["x"],
    outputs: ["values", "indices"],
    keep: ["indices"],
    prepare: ({ x }) => ({ x: cast(x, integers(x.dtype)) }),
    infer: ({ x }, _: Along): Spec[] => [like(x), { shape: x.shape, dtype: "i32" }],
    forward: ({ values, indices }, { x }, { dim }) => scanInto(K[name], [values, indices], x, dim),
    grad: {
      x: ({ values }, { indices }, { dim }) => values && place(values, dim, indices, indices.shape[dim]),
    },
    cases,
  });
}
/** Values so far, and where they were last seen. */
export interface Found {
  readonly values: Value;
  readonly indices: Value;
}
const ops = { cummax: extremeSoFar("cummax"), cummin: extremeSoFar("cummin") };
function found(name: "cummax" | "cummin", x: Value, dim: number): Found {
  const { values, indices } = ops[name]({ x: line(x) }, at(name, dim, x));
  return { values: reshape(values, x.shape), indices: reshape(indices, x.shape) };
}
export const cummax = (x: Value, dim: number): Found => found("cummax", x, dim);
export const cummin = (x: Value, dim: number): Found => found("cummin", x, dim);
