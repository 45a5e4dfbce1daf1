import type { DType } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { broadcastShapes, type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { launch, type Walk } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { rowOf } from "../engine/precision.ts";
import { K, type Kernel } from "../native.gen.ts";
import { alike, cast, contiguous, real } from "./arithmetic.ts";
import { expand, reshape, transpose, unsqueeze } from "./view.ts";

/** Activations that gemm can apply to what it has just stored. Numbers are the kernel's. */
export const activations = { none: 0, relu: 1, gelu: 2, gelu_tanh: 3, silu: 4, sigmoid: 5, tanh: 6 } as const;
export type Activation = keyof typeof activations;

/** The rows of products: with f32 operands rounded to bf16 inside autocast("bf16", ...). */
export function products(dtype: DType): { readonly matmul: Kernel; readonly gemm: Kernel } {
  return { matmul: rowOf(dtype, K.matmul, K.matmul_bf16), gemm: rowOf(dtype, K.gemm, K.gemm_bf16) };
}

/** The row of y = a b and its dtype, that of b where b is stored as bf16. */
const productOf = (y: Value, b: Value): [Kernel, DType] =>
  b.dtype === "bf16" ? [K.matmul_bf16, "bf16"] : [products(y.dtype).matmul, y.dtype];

const plain = [activations.none];
const mT = (x: Value): Value => transpose(x, -2, -1);

/** Steps of x over the broadcast batch dimensions, as at most two; x itself where they do not merge, copied out. */
function batchSteps(x: Value, batch: Dims): number[] {
  const lead = batch.length - (x.ndim - 2);
  return batch.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : x.strides[i - lead]));
}

interface Batches {
  readonly extents: readonly [number, number];
  readonly steps: readonly (readonly [number, number])[];
}
/** The batch dimensions of all operands merged into two; undefined if they do not. */
function mergeBatches(batch: Dims, all: readonly number[][]): Batches | undefined {
  const extents: number[] = [];
  const steps = all.map(() => [] as number[]);
  batch.forEach((extent, i) => {
    if (extent === 1) return;
    const last = extents.length - 1;
    const joins = last >= 0 && all.every((s, a) => steps[a][last] === s[i] * extent);
    if (joins) extents[last] *= extent;
    else extents.push(extent);
    for (let a = 0; a < all.length; a++) steps[a][extents.length - 1] = all[a][i];
  });
  if (extents.length > 2) return undefined;
  while (extents.length < 2) {
    extents.unshift(1);
    for (const s of steps) s.unshift(0);
  }
  return { extents: extents as [number, number] as Batches["extents"], steps: steps as unknown as Batches["steps"] };
}

/** y[..., m, n] = sum over k of a[..., m, k] b[..., k, n]; batch dimensions broadcast. Chains of 256 fused multiply-adds, added in order, for each element. */
const product = op({
  name: "matmul",
  inputs: ["a", "b"],
  keep: ["a", "b"],
  // A b of bf16 stays what it is: the product reads it.
  prepare: ({ a, b }) =>
    b.dtype === "bf16" && a.dtype !== "f64"
      ? { a: cast(a, "f32"), b }
      : (alike("matmul", { a, b }, real) as { a: Value; b: Value }),
  infer({ a, b }): Spec {
    const [k, k2] = [a.shape[a.ndim - 1], b.shape[b.ndim - 2]];
    if (k !== k2)
      fail("ERR_NABLA_SHAPE", "matmul", `inner sizes ${k} and ${k2} differ`, {
        values: { a, b },
        expected: k,
        actual: k2,
      });
    if (a.ndim === 2 && b.ndim === 2) return { shape: [a.shape[0], b.shape[1]], dtype: a.dtype };
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!batch) return fail("ERR_NABLA_SHAPE", "matmul", "batch sizes do not broadcast", { values: { a, b } });
    return { shape: [...batch, a.shape[a.ndim - 2], b.shape[b.ndim - 1]], dtype: a.dtype };
  },
  forward: ({ y }, { a, b }) => gemm(y, a, b),
  grad: {
    a: (gy, { b }): Value => product({ a: gy, b: mT(b) }),
    b: (gy, { a }): Value => product({ a: mT(a), b: gy }),
  },
  cases: [
    { inputs: { a: [2, 3], b: [3, 4] } },
    { inputs: { a: [5, 1, 2, 3], b: [4, 3, 2] } },
    { inputs: { a: [2, 1], b: [1, 2] } },
  ],
});

/** Launches the row over all batches; more than two batch dimensions that do not merge are copied out first. */
function gemm(y: Value, a: Value, b: Value): void {
  if (numel(y.shape) === 0) return;
  const [row, type] = productOf(y, b);
  if (y.ndim === 2 || (b.ndim === 2 && a.isContiguous && y.isContiguous)) {
    // [m, n] = [m, k] [k, n]: what eager steps are made of, without the arrays of the general way. Batches that share b are
    // more rows: twelve products of 64 rows reach 210 GFLOP/s where one of 768 reaches 240.
    const n = y.shape[y.ndim - 1];
    const flat = (x: Value): Walk => ({ value: x, steps: [0, 0, ...x.strides.slice(-2)] });
    const extents = [1, 1, y.size / n, n, a.shape[a.ndim - 1]];
    launch(row, type, extents, [flat(y), flat(a), flat(b), null, null, null], plain);
    return;
  }
  const batch = y.shape.slice(0, -2);
  const merged = mergeBatches(
    batch,
    [y, a, b].map((x) => batchSteps(x, batch)),
  );
  if (!merged) {
    const full = (x: Value) => contiguous(expand(x, [...batch, ...x.shape.slice(-2)]));
    gemm(y, full(a), full(b));
    return;
  }
  const walk = (value: Value, i: number): Walk => ({ value, steps: [...merged.steps[i], ...value.strides.slice(-2)] });
  const [m, n, k] = [y.shape[y.ndim - 2], y.shape[y.ndim - 1], a.shape[a.ndim - 1]];
  launch(row, type, [...merged.extents, m, n, k], [walk(y, 0), walk(a, 1), walk(b, 2), null, null, null], plain);
}

/** torch.matmul: vectors are taken as a row or a column, and that dimension goes away again. */
export function matmul(a: Value, b: Value): Value {
  if (a.ndim === 0 || b.ndim === 0)
    fail("ERR_NABLA_SHAPE", "matmul", "a scalar has no inner size", { values: { a, b }, hint: "use mul for scalars" });
  if (a.ndim === 1 && b.ndim === 1 && a.shape[0] !== b.shape[0]) {
    fail("ERR_NABLA_SHAPE", "matmul", `inner sizes ${a.shape[0]} and ${b.shape[0]} differ`, { values: { a, b } });
  }
  if (a.ndim > 1 && b.ndim > 1) return product({ a, b });
  const y = product({ a: a.ndim === 1 ? unsqueeze(a, 0) : a, b: b.ndim === 1 ? unsqueeze(b, 1) : b });
  const shape = y.shape.filter((_, i) => !(a.ndim === 1 && i === y.ndim - 2) && !(b.ndim === 1 && i === y.ndim - 1));
  return reshape(y, shape);
}

/**
 * y = act(x Wᵀ + bias): x [..., in], weight [out, in], bias [out]. One kernel: bias and activation are applied to the tile
 * that was just stored.
 */
const linearOp = op({
  name: "linear",
  inputs: ["x", "weight", "bias?"],
  keep: ["x", "weight"],
  infer({ x, weight, bias }): Spec {
    const [out, width] = weight.shape;
    if (x.ndim === 0 || x.shape[x.ndim - 1] !== width) {
      fail(
        "ERR_NABLA_SHAPE",
        "linear",
        `last size must be ${width}, got ${x.ndim ? x.shape[x.ndim - 1] : "a scalar"}`,
        { values: { x, weight, bias }, expected: width, actual: x.shape.at(-1) },
      );
    }
    if (x.dtype !== (weight.dtype === "bf16" ? "f32" : weight.dtype))
      fail("ERR_NABLA_DTYPE", "linear", `input is ${x.dtype}, weight is ${weight.dtype}`, {
        values: { x, weight },
        expected: weight.dtype,
        actual: x.dtype,
        hint: `cast the input: x.to("${weight.dtype === "bf16" ? "f32" : weight.dtype}")`,
      });
    return { shape: [...x.shape.slice(0, -1), out], dtype: x.dtype };
  },
  forward({ y }, { x, weight, bias }) {
    const [out, width] = weight.shape;
    const rows = width === 0 ? numel(y.shape) / Math.max(out, 1) : numel(x.shape) / width;
    if (numel(y.shape) === 0) return;
    const flat = contiguous(x);
    const operands = [
      { value: y, steps: [0, 0, out, 1] },
      { value: flat, steps: [0, 0, width, 1] },
      { value: weight, steps: [0, 0, weight.strides[1], weight.strides[0]] },
      bias ? contiguous(bias) : null,
      null,
      null,
    ];
    launch(...productOf(y, weight), [1, 1, rows, out, width], operands, plain);
  },
  grad: {
    x: (gy, { weight }): Value => matmul(gy, weight),
    weight: (gy, { x, weight }): Value => {
      const [out, width] = weight.shape;
      const rows = numel(x.shape.slice(0, -1));
      const [g, flat] = [reshape(gy, [rows, out]), reshape(x, [rows, width])];
      // In the order of the weight's memory, so that an optimizer walks both alike.
      return weight.strides[0] < weight.strides[1]
        ? mT(product({ a: mT(flat), b: g }))
        : product({ a: mT(g), b: flat });
    },
    bias: (gy): Value => gy,
  },
  cases: [{ inputs: { x: [4, 3], weight: [2, 3], bias: [2] } }, { inputs: { x: [2, 2, 3], weight: [5, 3] } }],
});
export function linear(x: Value, weight: Value, bias?: Value): Value {
  return linearOp({ x, weight, bias });
}
