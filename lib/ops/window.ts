// Windows that slide over the last two dimensions: what convolution and pooling are told of them.
import { fail } from "../core/errors.ts";
import { checkDim } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { stack } from "./join.ts";
import { slice, unsqueeze } from "./view.ts";

export type Pair = readonly [number, number];
/** One number for every dimension, or one for each. */
export type Sizes = number | readonly number[];

/** Rows and columns of an option: whole numbers from `least`. */
export function pairOf(op: string, name: string, given: Sizes | undefined, preset: number, least = 1): Pair {
  const list = given === undefined ? [preset] : typeof given === "number" ? [given] : given;
  const ok = (list.length === 1 || list.length === 2) && list.every((n) => Number.isInteger(n) && n >= least);
  if (!ok || list.some((n) => n > 2 ** 24))
    fail("ERR_NABLA_VALUE", op, `${name} must be whole numbers from ${least} to 2^24, got ${String(given)}`, {
      expected: `a number or two, from ${least}`,
      actual: given,
    });
  return [list[0] + 0, (list[1] ?? list[0]) + 0];
}

interface Fit {
  /** Size with its padding. */
  readonly room: number;
  readonly taps: number;
  readonly dilation: number;
  readonly padding: number;
  readonly x: Value;
}
/** A window must fit at least once, and its border must not outgrow memory. */
export function checkWindow(op: string, { room, taps, dilation, padding, x }: Fit): void {
  const reach = dilation * (taps - 1) + 1;
  if (taps < 1) fail("ERR_NABLA_SHAPE", op, "the window has no elements", { values: { x } });
  if (reach > room)
    fail("ERR_NABLA_SHAPE", op, `a window of ${reach} is larger than the ${room} elements it slides over`, {
      values: { x },
      expected: `at most ${room}`,
      actual: reach,
      hint: "pad the input or take a smaller kernel or dilation",
    });
  if (padding > 2 ** 16)
    fail("ERR_NABLA_VALUE", op, `padding ${padding} is more than 65536`, { values: { x }, actual: padding });
}

/** Windows of `size` elements, `step` apart, along one dimension: their elements are a new last one. `torch.Tensor.unfold`. */
export function unfold(x: Value, dim: number, size: number, step: number): Value {
  const along = x.ndim === 0 ? unsqueeze(x, 0) : x;
  const d = checkDim("unfold", dim, along.ndim);
  const n = along.shape[d];
  if (!Number.isInteger(size) || size < 1 || size > n || !Number.isInteger(step) || step < 1)
    fail("ERR_NABLA_VALUE", "unfold", `there are no windows of ${size}, ${step} apart, in ${n} elements`, {
      values: { x },
      expected: `a size from 1 to ${n}, a step from 1`,
      actual: [size, step],
    });
  const count = Math.floor((n - size) / step) + 1;
  const starts = Array.from({ length: size }, (_, i) => slice(along, d, i, i + (count - 1) * step + 1, step));
  return x.ndim === 0 ? (starts[0] as Value) : stack(starts, -1);
}
