// ONNX pools. Three dimensions are pooled by planes and then along the depth.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Result, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { scalar } from "../values.ts";
import { node, x0 } from "./node.ts";
import { type Borders, bordered, even, type Windows, windows } from "./window.ts";

interface Pool extends Windows {
  readonly ceil: boolean;
}
const read = (a: Args): Pool => ({
  ...windows(a, x0(a), a.numbers("kernel_shape")!),
  ceil: a.flag("ceil_mode"),
});
/** What a last window that begins within the input or its border before reaches over the end. */
function overhang(x: Value, { kernel, stride, dilation, borders, ceil }: Pool): Borders {
  return kernel.map((k, i) => {
    const [n, [before, after], step] = [x.shape[2 + i]!, borders[i]!, stride[i]!];
    const [room, reach] = [n + before + after, dilation[i]! * (k - 1) + 1];
    const steps = Math.ceil((room - reach) / step);
    const last = steps * step >= n + before ? (steps - 1) * step : steps * step;
    return [0, ceil ? Math.max(0, last + reach - room) : 0];
  });
}
/** Borders with the overhang. */
const around = (x: Value, pool: Pool): Borders => {
  const over = overhang(x, pool);
  return pool.borders.map(([before, after], i) => [before, after + over[i]![1]]);
};
/** nabla's own border and rounding do for one or two dimensions with the same border on both sides. */
const direct = ({ kernel, borders }: Pool): boolean => kernel.length < 3 && even(borders);
const options = ({ stride, borders, ceil }: Pool) => ({
  stride,
  padding: borders.map(([before]) => before),
  ceilMode: ceil,
});

type Plane = (x: Value, kernel: number[], along: { stride: number[]; dilation: number[] }) => Value;
/** f over the last dimensions of x, which has its borders: a row is a plane of height 1, depth comes after the planes. */
function byPlanes(x: Value, { kernel, stride, dilation }: Windows, f: Plane): Value {
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const [depth, height] = [kernel.length - 3, kernel.length - 2];
  const of = (list: readonly number[], at: number) => list[at] ?? 1;
  const both = (list: readonly number[]) => [of(list, height), of(list, height + 1)];
  const deep = (list: readonly number[]) => [of(list, depth), 1];
  const flat = call<Value>("reshape", [x], [n, c * of(sizes, depth), ...both(sizes)]);
  const y = f(flat, both(kernel), { stride: both(stride), dilation: both(dilation) });
  const plane = y.shape.slice(2);
  if (kernel.length === 1) return call("squeeze", [y], 2);
  if (kernel.length === 2) return y;
  const column = call<Value>("reshape", [y], [n, c, sizes[0]!, plane[0]! * plane[1]!]);
  const z = f(column, deep(kernel), { stride: deep(stride), dilation: deep(dilation) });
  return call("reshape", [z], [n, c, z.shape[2]!, ...plane]);
}

const highest: Plane = (x, kernel, along) => call("maxPool2d", [x], kernel, along);
/** nabla's average has no dilation; a convolution by ones has. */
const sums: Plane = (x, kernel, { stride, dilation }) => {
  if (dilation.every((d) => d === 1)) return call("avgPool2d", [x], kernel, { stride, divisorOverride: 1 });
  const [n, c, ...sizes] = x.shape as [number, number, number, number];
  const planes = call<Value>("reshape", [x], [n * c, 1, ...sizes]);
  const y = call<Value>("conv2d", [planes, ones([1, 1, ...kernel]), undefined], { stride, dilation });
  return call("reshape", [y], [n, c, ...y.shape.slice(2)]);
};
const ones = (shape: readonly number[]): Value => call("contiguous", [call("expand", [scalar(1)], shape)]);

/**
 * Indices count through the whole tensor, nabla's through a plane with the border it was given; storage order 1 counts
 * the columns of a plane one after the other.
 */
function indices(index: Value, x: Value, before: readonly number[], width: number, byColumns: boolean): Value {
  const [h, w] = [x.ndim === 4 ? x.shape[2]! : 1, x.shape.at(-1)!];
  const row = call<Value>("sub", [call("floorDivide", [index, width]), before.at(-2) ?? 0]);
  const column = call<Value>("sub", [call("remainder", [index, width]), before.at(-1)!]);
  const [slow, fast, n] = byColumns ? [column, row, h] : [row, column, w];
  const inside = call<Value>("add", [call("mul", [slow, n]), fast]);
  const [batch, channels] = x.shape as [number, number];
  const planes = call<Value>("arange", [], 0, batch * channels * h * w, h * w);
  return call("add", [inside, call("reshape", [planes], [batch, channels, ...x.shape.slice(2).map(() => 1)])]);
}
function found(a: Args, x: Value, pool: Pool): Value[] {
  if (pool.kernel.length > 2) throw new Skip("no indices in three dimensions");
  const own = direct(pool);
  const sides = own ? pool.borders.map(() => [0, 0] as const) : around(x, pool);
  const wide = own ? x : bordered(x, sides, Number.NEGATIVE_INFINITY);
  const { stride, dilation } = pool;
  const given = own ? { ...options(pool), dilation } : { stride, dilation };
  const pooled = call<{ y: Value; index: Value }>(
    `maxPool${pool.kernel.length}dWithIndices`,
    [wide],
    pool.kernel,
    given,
  );
  const before = sides.map(([first]) => first);
  return [pooled.y, indices(pooled.index, x, before, wide.shape.at(-1)!, a.flag("storage_order"))];
}
function maxPool(a: Args): Result {
  const pool = read(a);
  const given = x0(a);
  const x = given.isFloat ? given : call("cast", [given], "f32");
  if (a.number("outputs", 1) > 1) {
    const [y, index] = found(a, x, pool);
    return [call("cast", [y], given.dtype), index!];
  }
  a.ignore("storage_order");
  const name = `maxPool${pool.kernel.length}d`;
  const y = direct(pool)
    ? call(name, [x], pool.kernel, { ...options(pool), dilation: pool.dilation })
    : byPlanes(bordered(x, around(x, pool), Number.NEGATIVE_INFINITY), pool, highest);
  return call("cast", [y], given.dtype);
}

/** The sum over each window, divided by how many of its elements count. */
function average(a: Args): Value {
  const [x, pool, include] = [x0(a), read(a), Boolean(a.flag("count_include_pad"))];
  if (direct(pool) && pool.dilation.every((d) => d === 1))
    return call(`avgPool${pool.kernel.length}d`, [x], pool.kernel, {
      ...options(pool),
      countIncludePad: include,
    });
  const over = overhang(x, pool);
  const total = byPlanes(bordered(x, around(x, pool)), pool, sums);
  const counted = bordered(ones([1, 1, ...x.shape.slice(2)]), pool.borders, Number(include));
  return call("div", [total, byPlanes(bordered(counted, over), pool, sums)]);
}

/** (sum |x|^p)^(1/p) of each window */
function lpPool(a: Args): Value {
  const [pool, p] = [read(a), a.number("p", 2)];
  const x = bordered(x0(a), around(x0(a), pool));
  if (pool.kernel.length === 2 && pool.dilation.every((d) => d === 1))
    return call("lpPool2d", [call("abs", [x])], p, pool.kernel, { stride: pool.stride });
  const powers = call<Value>("pow", [call("abs", [x]), p]);
  return call("pow", [byPlanes(powers, pool, sums), 1 / p]);
}

/** Over everything behind the channels, which stays as dimensions of 1. */
const whole = (name: string) =>
  node((a) => {
    const x = x0(a);
    const [n, c, h] = x.shape as [number, number, number];
    const y = call<Value>(name, [call("reshape", [x], [n, c, h, -1])], 1);
    return call("reshape", [y], [n, c, ...x.shape.slice(2).map(() => 1)]);
  });

export const pools: Table = {
  MaxPool: node(maxPool),
  AveragePool: node(average),
  LpPool: node(lpPool),
  GlobalAveragePool: whole("adaptiveAvgPool2d"),
  GlobalMaxPool: whole("adaptiveMaxPool2d"),
};
