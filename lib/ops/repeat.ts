// Elements repeated and turned round a dimension.
import { fail } from "../core/errors.ts";
import { checkDim, checkShape, type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { copy } from "./arithmetic.ts";
import { cat } from "./join.ts";
import { expand, flatten, reshape, slice } from "./view.ts";

/** Dimension d of x repeated n times: as a whole (abab), or element by element (aabb). */
function along(x: Value, d: number, n: number, each: boolean): Value {
  const [before, size, after] = [numel(x.shape.slice(0, d)), x.shape[d], numel(x.shape.slice(d + 1))];
  const [narrow, wide] = each
    ? [
        [before, size, 1, after],
        [before, size, n, after],
      ]
    : [
        [before, 1, size, after],
        [before, n, size, after],
      ];
  return reshape(expand(reshape(x, narrow), wide), x.shape.toSpliced(d, 1, size * n));
}

/** torch.Tensor.repeat: sizes count the copies of each dimension; those too many come first. */
export function repeat(x: Value, sizes: Dims): Value {
  const counts = checkShape("repeat", sizes);
  const lead = counts.length - x.ndim;
  if (lead < 0)
    fail("ERR_NABLA_SHAPE", "repeat", `${counts.length} counts for ${x.ndim} dimensions`, {
      values: { x },
      expected: x.ndim,
      actual: counts.length,
    });
  const full = reshape(x, [...new Array<number>(lead).fill(1), ...x.shape]);
  const y = counts.reduce((part, n, d) => (n === 1 ? part : along(part, d, n, false)), full);
  return y.storage === x.storage ? copy(y) : y;
}

/** torch.tile: repeat, where counts too few leave the first dimensions as they are. */
export function tile(x: Value, sizes: Dims): Value {
  return repeat(x, [...new Array<number>(Math.max(0, x.ndim - sizes.length)).fill(1), ...sizes]);
}

/** Each element n times; of the flattened tensor unless a dim is given. */
export function repeatInterleave(x: Value, n: number, dim?: number): Value {
  checkShape("repeatInterleave", [n]);
  if (dim === undefined) return along(flatten(x), 0, n, true);
  return along(x.ndim ? x : reshape(x, [1]), checkDim("repeatInterleave", dim, x.ndim), n, true);
}

/** Elements shifted by so many places; what leaves at the end comes in at the start. Without dims, of the flattened tensor. */
export function roll(x: Value, shifts: number | Dims, dims?: number | Dims): Value {
  if (dims === undefined) return reshape(roll(flatten(x), shifts, 0), x.shape);
  const [by, along] = [[shifts].flat() as number[], [dims].flat() as number[]];
  if (by.length !== along.length || !by.every(Number.isInteger))
    fail("ERR_NABLA_VALUE", "roll", `shifts [${by.join(", ")}] do not go with dims [${along.join(", ")}]`, {
      expected: "one whole number for each dim",
      actual: shifts,
    });
  return by.reduce((y, shift, i) => {
    const d = checkDim("roll", along[i], x.ndim);
    const n = x.shape[d] ?? 0;
    const at = n === 0 ? 0 : ((-shift % n) + n) % n;
    return at === 0 ? y : cat([slice(y, d, at), slice(y, d, 0, at)], d);
  }, x);
}
