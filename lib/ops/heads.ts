// Heads of attention, [batch, heads, time, width]: taken from rows of q, k and v, put back, and turned by position.
import { only } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { emptyValue, type Value, viewValue } from "../core/value.ts";
import { launchMap } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { contiguous, neg } from "./arithmetic.ts";
import { permute, reshape } from "./view.ts";

/** Part i of rows [q | k | v], seen as heads. */
function third(x: Value, [b, h, t, d]: readonly number[], i: number): Value {
  const width = h * d;
  return viewValue(x, [b, h, t, d], [t * 3 * width, d, 3 * width, 1], x.offset + i * width);
}
const rowsOf = (...parts: readonly (Value | undefined)[]): Value => parts.find((p) => p !== undefined) as Value;

interface Heads {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}
/** Rows [q | k | v] of x [b, t, 3 h d] as three tensors [b, h, t, d]: a copy here and one in backward, where views would add up three. */
const splitHeads = op({
  name: "split_heads",
  inputs: ["x"],
  outputs: ["q", "k", "v"],
  prepare: ({ x }) => ({ x: contiguous(x) }),
  infer({ x }, { heads }: { heads: number }): Spec[] {
    const spec = { shape: [x.shape[0], heads, x.shape[1], x.shape[2] / heads / 3], dtype: x.dtype };
    return [spec, spec, spec];
  },
  forward({ q, k, v }, { x }) {
    for (const [i, y] of [q, k, v].entries()) if (y.size > 0) launchMap(K.copy, x.dtype, [y, third(x, y.shape, i)]);
  },
  grad: (gy, _, attrs): { x: Value } => ({ x: joinHeads(gy, attrs) }),
  cases: [{ inputs: { x: [2, 3, 12] }, attrs: { heads: 2 } }],
});
/** The gradient of split_heads: an absent part is 0. */
const joinHeads = op({
  name: "join_heads",
  inputs: ["q?", "k?", "v?"],
  infer({ q, k, v }, _: { heads: number }): Spec {
    const { shape, dtype } = rowsOf(q, k, v);
    return { shape: [shape[0], shape[2], 3 * shape[1] * shape[3]], dtype };
  },
  forward({ y }, { q, k, v }) {
    const { shape } = rowsOf(q, k, v);
    for (const [i, part] of [q, k, v].entries())
      if (y.size > 0) launchMap(K.copy, y.dtype, [third(y, shape, i), part ?? 0]);
  },
  grad: (gy, _, attrs): Heads => splitHeads({ x: gy }, attrs),
  cases: [{ inputs: { q: [2, 2, 3, 2], k: [2, 2, 3, 2], v: [2, 2, 3, 2] }, attrs: { heads: 2 } }],
});

/** One tensor [b, t, heads d] as [b, heads, t, d]: a view. */
export function toHeads(x: Value, heads: number): Value {
  const [b, t, width] = x.shape;
  return permute(reshape(x, [b, t, heads, width / heads]), [0, 2, 1, 3]);
}
/** [b, heads, t, d] as [b, t, heads d]. */
export function fromHeads(x: Value): Value {
  const [b, heads, t, d] = x.shape;
  return reshape(permute(x, [0, 2, 1, 3]), [b, t, heads * d]);
}
function checkRows(x: Value, heads: number): void {
  if (x.ndim !== 3 || x.shape[2] % (3 * heads) !== 0)
    fail("ERR_NABLA_SHAPE", "splitQkv", `rows ${showShape(x.shape)} are not q, k and v of ${heads} heads`, {
      values: { x },
      expected: ["batch", "time", `a multiple of ${3 * heads}`],
      actual: x.shape,
    });
}
/** Queries, keys and values of rows [b, t, 3 heads d] in which they lie side by side. */
export function splitQkv(x: Value, heads: number): Heads {
  checkRows(x, heads);
  return splitHeads({ x }, { heads });
}
/** The same as they lie in contiguous rows, for launching. */
export function thirds(x: Value, heads: number): Heads {
  checkRows(x, heads);
  const [b, t, width] = x.shape;
  const shape = [b, heads, t, width / heads / 3];
  return { q: third(x, shape, 0), k: third(x, shape, 1), v: third(x, shape, 2) };
}

/** Each pair (a, b) turned by an angle: (a c - b s, b c + a s). Pairs are x[i], x[i + d/2], or neighbours x[2i], x[2i + 1]. */
const rotaryOp = op({
  name: "rotary",
  inputs: ["x", "cos", "sin"],
  keep: ["cos", "sin"],
  infer: ({ x }, _: { neighbours: boolean }): Spec => ({ shape: x.shape, dtype: x.dtype }),
  forward({ y }, { x, cos, sin }, { neighbours }) {
    if (x.size === 0) return;
    const half = x.shape[x.ndim - 1] / 2;
    const shape = [...x.shape.slice(0, -1), half];
    const [step, second] = neighbours ? [2, 1] : [1, half];
    const member = (v: Value, i: number) => {
      const last = v.strides[v.ndim - 1];
      return viewValue(v, shape, [...v.strides.slice(0, -1), step * last], v.offset + i * second * last);
    };
    const [p, q] = [emptyValue(shape, x.dtype), emptyValue(shape, x.dtype)];
    const combine = (row: typeof K.add, to: Value, a: Value, b: Value) => {
      launchMap(K.mul, x.dtype, [p, a, cos]);
      launchMap(K.mul, x.dtype, [q, b, sin]);
      launchMap(row, x.dtype, [to, p, q]);
    };
    combine(K.sub, member(y, 0), member(x, 0), member(x, 1));
    combine(K.add, member(y, 1), member(x, 1), member(x, 0));
  },
  grad: { x: (gy, { cos, sin }, attrs): Value => rotaryOp({ x: gy, cos, sin: neg({ x: sin }) }, attrs) },
  cases: [false, true].map((neighbours) => ({
    inputs: { x: [2, 3, 4], cos: { shape: [3, 2], grad: false }, sin: { shape: [3, 2], grad: false } },
    attrs: { neighbours },
  })),
});
/**
 * x [..., t, d] with cos and sin [t, d/2], or any that broadcast to half of x. Pairs are halves apart, as in Llama, or
 * neighbours, as in the paper.
 */
export function rotary(x: Value, cos: Value, sin: Value, options: { neighbours?: boolean } = {}): Value {
  const { neighbours = false } = only("rotary", options, ["neighbours"]);
  const width = x.shape[x.ndim - 1];
  const half = cos.shape[cos.ndim - 1];
  if (x.ndim < 2 || width !== 2 * half)
    fail("ERR_NABLA_SHAPE", "rotary", `${half} angles turn ${2 * half} numbers, x has ${width}`, {
      values: { x, cos, sin },
      expected: 2 * half,
      actual: width,
    });
  return rotaryOp({ x, cos, sin }, { neighbours });
}
