// Borders around a tensor.
import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape, type Dims, numel } from "../core/shape.ts";
import { type Value, viewValue } from "../core/value.ts";
import { launchMap } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { assign } from "./arithmetic.ts";
import { cat } from "./join.ts";
import { expand, flip, slice } from "./view.ts";

/** Elements added to a dimension; negative ones are cut off. */
interface Border {
  readonly dim: number;
  readonly before: number;
  readonly after: number;
}
export const padModes = ["constant", "reflect", "replicate", "circular"] as const;
export type PadMode = (typeof padModes)[number];

const crop = (x: Value, borders: readonly Border[], sign: 1 | -1): Value =>
  borders.reduce((y, { dim, before, after }) => {
    const [cutStart, cutEnd] = [Math.max(0, sign * before), Math.max(0, sign * after)];
    return slice(y, dim, cutStart, Math.max(cutStart, y.shape[dim] - cutEnd));
  }, x);

/** y = value everywhere, with x inside. */
const constantOp = op({
  name: "pad",
  inputs: ["x"],
  infer({ x }, { borders }: { borders: readonly Border[]; value: number }): Spec {
    const shape = [...x.shape];
    for (const { dim, before, after } of borders) shape[dim] += before + after;
    return { shape: checkShape("pad", shape), dtype: x.dtype };
  },
  forward({ y }, { x }, { borders, value }) {
    assign(y, value);
    const start = borders.reduce((at, { dim, before }) => at + before * y.strides[dim], y.offset);
    if (numel(x.shape) > 0) launchMap(K.copy, y.dtype, [viewValue(y, x.shape, y.strides, start), x]);
  },
  grad: { x: (gy, _, { borders }): Value => crop(gy, borders, 1) },
  cases: [{ inputs: { x: [2, 3] }, attrs: { borders: [{ dim: 1, before: 2, after: 1 }], value: 0.5 } }],
});

/** The border of one dimension made of the tensor itself. */
function mirrored(x: Value, { dim, before, after }: Border, mode: PadMode): Value {
  const n = x.shape[dim];
  const part = (start: number, end: number) => slice(x, dim, start, end);
  const edge = (at: number, length: number) => expand(part(at, at + 1), x.shape.with(dim, length));
  const [left, right] =
    mode === "reflect"
      ? [flip(part(1, before + 1), [dim]), flip(part(n - 1 - after, n - 1), [dim])]
      : mode === "circular"
        ? [part(n - before, n), part(0, after)]
        : [edge(0, before), edge(n - 1, after)];
  return cat([left, x, right], dim);
}

function checkRoom(x: Value, { dim, before, after }: Border, mode: PadMode): void {
  const room = mode === "reflect" ? x.shape[dim] - 1 : mode === "circular" ? x.shape[dim] : x.shape[dim] && Infinity;
  if (Math.max(before, after) > room)
    fail("ERR_NABLA_VALUE", "pad", `dim ${dim} of ${x.shape[dim]} elements has too few for a border by ${mode}`, {
      values: { x },
      expected: room,
      actual: [before, after],
    });
}

/** torch.nn.functional.pad: [before, after] of the last dimension, then of the one before it, ... */
export function pad(x: Value, sizes: Dims, options: { mode?: PadMode; value?: number } = {}): Value {
  const { mode = "constant", value = 0 } = only("pad", options, ["mode", "value"]);
  if (!padModes.includes(mode))
    fail("ERR_NABLA_VALUE", "pad", `there is no mode ${String(mode)}`, { expected: padModes, actual: mode });
  if (!Array.isArray(sizes) || sizes.length % 2 || sizes.length > 2 * x.ndim || !sizes.every(Number.isInteger))
    fail("ERR_NABLA_VALUE", "pad", `[${String(sizes)}] are not pairs of sizes for ${x.ndim} dimensions`, {
      values: { x },
      expected: "[before, after] of the last dimension, then of the one before it",
      actual: sizes,
    });
  const borders = Array.from({ length: sizes.length / 2 }, (_, i): Border => {
    return { dim: x.ndim - 1 - i, before: sizes[2 * i], after: sizes[2 * i + 1] };
  });
  const inner = crop(x, borders, -1);
  const grown = borders
    .map((b) => ({ ...b, before: Math.max(0, b.before), after: Math.max(0, b.after) }))
    .filter((b) => b.before + b.after > 0);
  if (grown.length === 0) return inner;
  if (mode === "constant") return constantOp({ x: inner }, { borders: grown, value });
  return grown.reduce((y, border) => {
    checkRoom(y, border, mode);
    return mirrored(y, border, mode);
  }, inner);
}
