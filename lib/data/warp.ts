// Pictures seen through linear maps: what turning, shifting, scaling, shearing and cropping to a size have in common.
import { emptyValue, type Value } from "../core/value.ts";
import { elementsOf } from "../engine/launch.ts";
import { contiguous } from "../ops/arithmetic.ts";

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
  const from = elementsOf("warp", contiguous(x)) as Float32Array;
  const y = emptyValue([n, channels, height, width], "f32");
  const to = y.storage.array.subarray(y.offset, y.offset + y.size) as Float32Array;
  for (let i = 0; i < n; i++)
    for (let row = 0; row < height; row++)
      warpRow(from, to, maps[i] as Map2, { image: i * channels, channels, h, w, row, height, width, fill });
  return y;
}

interface Row {
  /** Planes before the picture's first. */
  readonly image: number;
  readonly channels: number;
  readonly h: number;
  readonly w: number;
  readonly row: number;
  readonly height: number;
  readonly width: number;
  readonly fill: number;
}
function warpRow(from: Float32Array, to: Float32Array, map: Map2, r: Row): void {
  const { image, channels, h, w, row, height, width, fill } = r;
  const a = map[0];
  const d = map[3];
  const x = map[1] * row + map[2];
  const y = map[4] * row + map[5];
  for (let column = 0; column < width; column++) {
    const sx = a * column + x;
    const sy = d * column + y;
    const x0 = Math.floor(sx);
    const y0 = Math.floor(sy);
    const tx = sx - x0;
    const ty = sy - y0;
    let at = (image * h + y0) * w + x0;
    let out = (image * height + row) * width + column;
    if (x0 >= 0 && x0 < w - 1 && y0 >= 0 && y0 < h - 1) {
      for (let k = 0; k < channels; k++, at += h * w, out += height * width) {
        const top = (1 - tx) * from[at]! + tx * from[at + 1]!;
        to[out] = (1 - ty) * top + ty * ((1 - tx) * from[at + w]! + tx * from[at + w + 1]!);
      }
      continue;
    }
    const left = x0 >= 0 && x0 < w;
    const right = x0 >= -1 && x0 < w - 1;
    const above = y0 >= 0 && y0 < h;
    const below = y0 >= -1 && y0 < h - 1;
    for (let k = 0; k < channels; k++, at += h * w, out += height * width) {
      const p = above && left ? from[at]! : fill;
      const q = above && right ? from[at + 1]! : fill;
      const s = below && left ? from[at + w]! : fill;
      const t = below && right ? from[at + w + 1]! : fill;
      to[out] = (1 - ty) * ((1 - tx) * p + tx * q) + ty * ((1 - tx) * s + tx * t);
    }
  }
}
