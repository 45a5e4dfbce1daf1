// Diagonals of matrices: read as views, written into zeros.
import { fail } from "../core/errors.ts";
import { checkDim, checkShape, type Dims, numel } from "../core/shape.ts";
import { type Value, viewValue } from "../core/value.ts";
import { launchMap } from "../engine/launch.ts";
import { op, type Spec, type Window } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { assign } from "./arithmetic.ts";
import { sum } from "./reduce.ts";

/** The diagonal `offset` above the main one, of the matrices in dims a (rows) and b (columns). */
interface Line {
  readonly offset: number;
  readonly a: number;
  readonly b: number;
}

/** The diagonal as a window: the other dims, then the diagonal itself. */
function line(x: Value, { offset, a, b }: Line): Window {
  const [rows, cols] = [x.shape[a], x.shape[b]];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, cols - offset) : Math.min(rows + offset, cols));
  const rest = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const start = offset >= 0 ? offset * x.strides[b] : -offset * x.strides[a];
  return {
    shape: [...rest.map((i) => x.shape[i]), length],
    strides: [...rest.map((i) => x.strides[i]), x.strides[a] + x.strides[b]],
    offset: x.offset + (length ? start : 0),
    dtype: x.dtype,
  };
}

const diagonalOp = op({
  name: "diagonal",
  inputs: ["x"],
  keep: ["x"],
  view: true,
  infer: ({ x }, at: Line) => line(x, at),
  grad: { x: (gy, { x }, at): Value => embedOp({ x: gy }, { ...at, shape: x.shape }) },
  cases: [
    { inputs: { x: [3, 4] }, attrs: { offset: 1, a: 0, b: 1 } },
    { inputs: { x: [3, 2, 4] }, attrs: { offset: -1, a: 2, b: 0 } },
  ],
});
/** Zeros of this shape, with x on a diagonal. */
const embedOp = op({
  name: "diagonal_embed",
  inputs: ["x"],
  infer: ({ x }, { shape }: Line & { shape: Dims }): Spec => ({ shape: [...shape], dtype: x.dtype }),
  forward({ y }, { x }, at) {
    assign(y, 0);
    const { shape, strides, offset } = line(y, at);
    if (numel(shape) > 0) launchMap(K.copy, y.dtype, [viewValue(y, shape, strides, offset), x]);
  },
  grad: { x: (gy, _, { offset, a, b }): Value => diagonalOp({ x: gy }, { offset, a, b }) },
  cases: [{ inputs: { x: [2, 3] }, attrs: { offset: 1, a: 0, b: 2, shape: [4, 2, 4] } }],
});

function checkLine(op: string, rank: number, offset: number, dim0: number, dim1: number): Line {
  const [a, b] = [checkDim(op, dim0, rank), checkDim(op, dim1, rank)];
  if (a === b || !Number.isInteger(offset))
    fail("ERR_NABLA_VALUE", op, `dims ${dim0} and ${dim1} have no diagonal ${offset}`, {
      actual: [offset, dim0, dim1],
    });
  return { offset, a, b };
}

export function diagonal(x: Value, offset = 0, dim0 = 0, dim1 = 1): Value {
  return diagonalOp({ x }, checkLine("diagonal", x.ndim, offset, dim0, dim1));
}
/** The last dimension as a diagonal of new square matrices in dims dim0 and dim1. */
export function diagEmbed(x: Value, offset = 0, dim0 = -2, dim1 = -1): Value {
  if (x.ndim === 0) fail("ERR_NABLA_SHAPE", "diagEmbed", "a scalar is no diagonal", { values: { x } });
  const at = checkLine("diagEmbed", x.ndim + 1, offset, dim0, dim1);
  const n = x.shape[x.ndim - 1] + Math.abs(offset);
  const rest = x.shape.slice(0, -1);
  const [low, high] = at.a < at.b ? [at.a, at.b] : [at.b, at.a];
  return embedOp({ x }, { ...at, shape: checkShape("diagEmbed", rest.toSpliced(low, 0, n).toSpliced(high, 0, n)) });
}
/** A vector as a square matrix, or the diagonal of a matrix. */
export function diag(x: Value, offset = 0): Value {
  if (x.ndim === 1) return diagEmbed(x, offset);
  if (x.ndim === 2) return diagonal(x, offset);
  return fail("ERR_NABLA_SHAPE", "diag", `takes a vector or a matrix, got ${x.ndim} dimensions`, { values: { x } });
}
/** The sum of the diagonal of a matrix. */
export function trace(x: Value): Value {
  if (x.ndim !== 2) fail("ERR_NABLA_SHAPE", "trace", `takes a matrix, got ${x.ndim} dimensions`, { values: { x } });
  return sum(diagonal(x));
}
