// Pictures seen through linear maps: what turning, shifting, scaling, shearing and cropping to a size have in common.
import { emptyValue, type Value, wrapArray } from "../core/value.ts";
import { launch, walk } from "../engine/launch.ts";
import { K } from "../native.gen.ts";

/** Where the pixel at (x, y) of the result lies in the picture: (a x + b y + c, d x + e y + f). Centers are at whole numbers. */
export type Map2 = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** How a picture is moved about its middle. */
export interface Motion {
  /** Degrees, clockwise. */
  readonly angle: number;
  /** Pixels to the right, and down. */
  readonly shift: readonly [x: number, y: number];
  readonly scale: number;
  /** Degrees that the axes lean by. */
  readonly shear: readonly [x: number, y: number];
}

/**
 * The map back of y = middle + shift + scale R(angle) K(shear) (x - middle), with
 *   R K = [cos(r - v) / cos v, -cos(r - v) tan(u) / cos v - sin r; sin(r - v) / cos v, -sin(r - v) tan(u) / cos v + cos r]
 * for the angle r and the shears u, v; its determinant is 1.
 */
export function backward({ angle, shift, scale, shear }: Motion, height: number, width: number): Map2 {
  const [r, u, v] = [angle, ...shear].map((degrees) => (degrees * Math.PI) / 180) as [number, number, number];
  const [cos, sin] = [Math.cos(r - v) / Math.cos(v), Math.sin(r - v) / Math.cos(v)];
  // The cosine of 90 degrees is 6e-17 here: quarter turns are to be exact.
  const [a, b, d, e] = [Math.cos(r) - sin * Math.tan(u), Math.sin(r) + cos * Math.tan(u), -sin, cos].map(
    (x) => Math.round(x * 2 ** 50) / 2 ** 50 / scale,
  ) as [number, number, number, number];
  const [mx, my] = [(width - 1) / 2, (height - 1) / 2];
  const [x, y] = [mx + shift[0], my + shift[1]];
  return [a, b, mx - a * x - b * y, d, e, my - d * x - e * y];
}

/**
 * y [n, c, height, width] of pictures x [n, c, h, w], each through its own map: between four pixels the mean weighted by
 * distance, beyond the border `fill`.
 */
export function warp(x: Value, maps: readonly Map2[], [height, width]: readonly [number, number], fill: number): Value {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const y = emptyValue([n, channels, height, width], "f32");
  if (y.size === 0) return y;
  const all = wrapArray(Float64Array.from(maps.flat()), [n, 6], "f64");
  launch(K.warp, "f32", [...y.shape, h, w, 6], [walk(y), walk(x), all], [fill]);
  return y;
}
