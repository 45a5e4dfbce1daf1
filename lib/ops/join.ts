// Tensors joined along a dimension, and taken apart.
import { fail } from "../core/errors.ts";
import { checkDim, checkShape, type Dims, numel } from "../core/shape.ts";
import { Value, viewValue } from "../core/value.ts";
import { launchMap } from "../engine/launch.ts";
import { op, type Spec, type Window } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { cast, commonDType } from "./arithmetic.ts";
import { zeros } from "./create.ts";
import { select, slice, unsqueeze } from "./view.ts";

const inputs = ["x0", "x1?", "x2?", "x3?", "x4?", "x5?", "x6?", "x7?"] as const;
/** How many tensors one call joins; longer lists are joined in groups of so many. */
const most = inputs.length;

/** y = x0, x1, ... one after the other along dim; sizes are theirs there. */
const catOp = op({
  name: "cat",
  inputs,
  infer({ x0 }, { dim, sizes }: { dim: number; sizes: Dims }): Spec {
    const total = sizes.reduce((a, b) => a + b, 0);
    return { shape: checkShape("cat", x0.shape.toSpliced(dim, 1, total)), dtype: x0.dtype };
  },
  forward({ y }, parts, { dim, sizes }) {
    const xs = Object.values(parts) as Value[];
    let at = y.offset;
    sizes.forEach((size, i) => {
      const x = xs[i];
      if (numel(x.shape) > 0) launchMap(K.copy, y.dtype, [viewValue(y, x.shape, y.strides, at), x]);
      at += size * y.strides[dim];
    });
  },
  grad(gy, _, { dim, sizes }, needs) {
    let at = 0;
    const all: Record<string, Value> = {};
    sizes.forEach((size, i) => {
      const name = `x${i}` as "x0";
      if (needs(name)) all[name] = slice(gy, dim, at, at + size);
      at += size;
    });
    return all;
  },
  cases: [
    { inputs: { x0: [2, 3], x1: [4, 3], x2: [1, 3] }, attrs: { dim: 0, sizes: [2, 4, 1] } },
    { inputs: { x0: [2, 1, 2], x1: [2, 3, 2] }, attrs: { dim: 1, sizes: [1, 3] } },
  ],
});

function checkList(op: string, xs: unknown): Value[] {
  if (!Array.isArray(xs) || xs.length === 0 || !xs.every((x) => x instanceof Value))
    fail("ERR_NABLA_TYPE", op, "needs a list of at least one tensor", { actual: xs });
  return xs as Value[];
}

function joinAlong(xs: readonly Value[], dim: number): Value {
  if (xs.length === 1) return xs[0];
  if (xs.length > most) {
    const groups = Array.from({ length: Math.ceil(xs.length / most) }, (_, i) => xs.slice(i * most, (i + 1) * most));
    return joinAlong(
      groups.map((g) => joinAlong(g, dim)),
      dim,
    );
  }
  const named = Object.fromEntries(xs.map((x, i) => [`x${i}`, x]));
  return catOp(named as { x0: Value }, { dim, sizes: xs.map((x) => x.shape[dim]) });
}

/** torch.cat: as there, a tensor of shape [0] joins anything. */
export function cat(tensors: readonly Value[], dim = 0): Value {
  const all = checkList("cat", tensors);
  const some = all.filter((x) => x.ndim !== 1 || x.shape[0] !== 0);
  const [first, ...rest] = some.length ? some : all;
  const d = checkDim("cat", dim, first.ndim);
  if (first.ndim === 0)
    fail("ERR_NABLA_SHAPE", "cat", "scalars have no dimension to be joined along", { hint: "use stack" });
  for (const x of rest) {
    if (x.ndim === first.ndim && x.shape.every((size, i) => i === d || size === first.shape[i])) continue;
    fail(
      "ERR_NABLA_SHAPE",
      "cat",
      `shapes [${first.shape.join(", ")}] and [${x.shape.join(", ")}] differ outside dim ${d}`,
      { values: { first, other: x }, expected: first.shape, actual: x.shape },
    );
  }
  const dtype = commonDType("cat", ...all);
  return joinAlong(
    [first, ...rest].map((x) => cast(x, dtype)),
    d,
  );
}

/** Equal shapes along a new dimension. */
export function stack(tensors: readonly Value[], dim = 0): Value {
  const [first, ...rest] = checkList("stack", tensors);
  const d = checkDim("stack", dim, first.ndim + 1);
  for (const x of rest) {
    if (x.ndim === first.ndim && x.shape.every((size, i) => size === first.shape[i])) continue;
    fail("ERR_NABLA_SHAPE", "stack", `shapes [${first.shape.join(", ")}] and [${x.shape.join(", ")}] differ`, {
      values: { first, other: x },
      expected: first.shape,
      actual: x.shape,
    });
  }
  return cat(
    [first, ...rest].map((x) => unsqueeze(x, d)),
    d,
  );
}

/** Views of parts one after the other along dim; their gradient is the parts' joined, where slices would each be laid among zeros and added. */
const splitOp = op({
  name: "split",
  inputs: ["x"],
  outputs: ["y0", "y1", "y2", "y3", "y4", "y5", "y6", "y7"],
  view: true,
  infer({ x }, { dim, sizes }: { dim: number; sizes: Dims }): Spec[] {
    let at = x.offset;
    return sizes.map((size) => {
      const { strides, dtype } = x;
      const part: Window = { shape: x.shape.toSpliced(dim, 1, size), strides, offset: at, dtype };
      at += size * strides[dim];
      return part;
    });
  },
  grad(gy, _, { dim, sizes }) {
    const { shape, dtype } = Object.values(gy).find((g) => g !== undefined) as Value;
    const parts = sizes.map((size, i) => gy[`y${i}` as "y0"] ?? zeros(shape.toSpliced(dim, 1, size), dtype));
    return { x: joinAlong(parts, dim) };
  },
  cases: [{ inputs: { x: [2, 6] }, attrs: { dim: 1, sizes: [1, 3, 2] } }],
});

/** Views of consecutive parts: of one size (the last may be smaller), or of the sizes listed. */
export function split(x: Value, size: number | Dims, dim = 0): Value[] {
  const d = checkDim("split", dim, x.ndim);
  const n = x.shape[d] ?? 0;
  const sizes =
    typeof size !== "number"
      ? checkShape("split", size)
      : Number.isInteger(size) && size > 0
        ? Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) => Math.min(size, n - i * size))
        : fail("ERR_NABLA_VALUE", "split", `${size} is not a size to split by`, { actual: size });
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== n)
    fail("ERR_NABLA_SHAPE", "split", `sizes [${sizes.join(", ")}] add up to ${total}, dim ${d} has ${n}`, {
      values: { x },
      expected: n,
      actual: total,
    });
  if (sizes.length > 1 && sizes.length <= most && !sizes.includes(0))
    return Object.values(splitOp({ x }, { dim: d, sizes }));
  let at = 0;
  return sizes.map((length) => {
    at += length;
    return slice(x, d, at - length, at);
  });
}

/** Views of at most so many parts of one size; the last may be smaller. */
export function chunk(x: Value, chunks: number, dim = 0): Value[] {
  const d = checkDim("chunk", dim, x.ndim);
  if (!Number.isInteger(chunks) || chunks < 1)
    fail("ERR_NABLA_VALUE", "chunk", `${chunks} is not a number of chunks`, { actual: chunks });
  return split(x, Math.max(1, Math.ceil((x.shape[d] ?? 0) / chunks)), d);
}

/** A view of each element of a dimension, which goes away. */
export function unbind(x: Value, dim = 0): Value[] {
  const d = checkDim("unbind", dim, x.ndim);
  if (x.ndim === 0) fail("ERR_NABLA_SHAPE", "unbind", "a scalar has no dimension to be taken apart", { values: { x } });
  return Array.from({ length: x.shape[d] }, (_, i) => select(x, d, i));
}
