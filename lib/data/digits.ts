import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import type { Idx } from "./idx.ts";

/** Pictures of digits, `images` u8 [count, 28, 28] (0 is paper, 255 is ink), and what they show, `labels` u8 [count]. */
export interface Digits {
  images: Idx<Uint8Array<ArrayBuffer>>;
  labels: Idx<Uint8Array<ArrayBuffer>>;
}

const side = 28;

/** One stroke of a pen: x, y pairs on a page of 100 x 100, y down. A line goes straight from point to point. */
interface Stroke {
  smooth: boolean;
  points: number[];
}

const line = (...points: number[]): Stroke => ({ smooth: false, points });
const curve = (...points: number[]): Stroke => ({ smooth: true, points });

const oval = curve(52, 0, 84, 18, 95, 50, 82, 84, 50, 100, 16, 84, 5, 50, 18, 16, 52, 0);

/** The ways to write each digit. */
const styles: Stroke[][][] = [
  [[oval], [curve(66, 4, 24, 8, 4, 50, 22, 92, 62, 98, 96, 60, 84, 18, 46, 6, 36, 16)], [oval, line(80, 12, 22, 88)]],
  [[line(50, 0, 50, 100)], [line(24, 26, 56, 0, 56, 100)], [line(28, 22, 54, 0, 54, 100), line(24, 100, 84, 100)]],
  [
    [curve(8, 26, 24, 5, 55, 0, 86, 16, 82, 42, 54, 68, 8, 100), line(8, 100, 94, 99)],
    [curve(10, 20, 42, 0, 82, 12, 80, 42, 48, 78, 16, 98, 4, 86, 24, 76, 56, 92, 96, 94)],
    [line(10, 4, 84, 2), curve(84, 2, 66, 36, 36, 66, 6, 98), line(6, 98, 94, 98)],
  ],
  [
    [curve(10, 12, 44, 0, 80, 12, 76, 36, 40, 47), curve(40, 47, 82, 57, 90, 80, 55, 100, 8, 88)],
    [line(12, 2, 86, 2, 44, 42), curve(44, 42, 86, 54, 88, 82, 50, 100, 8, 90)],
    [curve(14, 8, 56, 0, 84, 20, 60, 42, 34, 50, 48, 42, 84, 60, 84, 88, 44, 100, 6, 94)],
  ],
  [
    [line(28, 0, 8, 62, 94, 60), line(70, 26, 68, 100)],
    [line(66, 100, 66, 0, 4, 66, 96, 66)],
    [curve(14, 4, 10, 38, 32, 56, 78, 46), line(84, 0, 72, 100)],
  ],
  [
    [line(86, 2, 26, 2, 18, 44), curve(18, 44, 52, 35, 86, 52, 88, 78, 50, 100, 10, 90)],
    [curve(88, 3, 44, 4, 18, 26, 50, 46, 86, 66, 68, 96, 12, 96)],
    [curve(24, 6, 16, 46, 56, 42, 88, 66, 66, 98, 10, 92), line(22, 6, 92, 0)],
  ],
  [
    [curve(76, 2, 36, 25, 10, 64, 24, 95, 60, 100, 88, 80, 74, 58, 40, 56, 14, 74)],
    [curve(46, 0, 20, 40, 12, 76, 40, 100, 80, 86, 78, 62, 46, 56, 16, 78)],
    [curve(88, 14, 58, 0, 20, 26, 8, 70, 34, 99, 74, 94, 88, 70, 58, 48, 20, 60, 10, 74)],
  ],
  [
    [line(8, 3, 92, 3, 38, 100)],
    [line(8, 4, 92, 2), curve(92, 2, 66, 42, 48, 100), line(28, 52, 84, 50)],
    [line(10, 24, 10, 4, 90, 4), curve(90, 4, 70, 46, 62, 100)],
  ],
  [
    [curve(80, 17, 48, 0, 18, 20, 46, 46, 86, 74, 50, 100, 12, 76, 52, 46, 80, 17)],
    [curve(50, 0, 78, 22, 50, 46, 22, 22, 50, 0), curve(50, 46, 88, 73, 50, 100, 12, 73, 50, 46)],
    [curve(86, 8, 48, 2, 20, 22, 50, 46, 84, 74, 50, 100, 14, 78, 44, 50, 78, 24, 90, 4)],
  ],
  [
    [curve(80, 24, 50, 0, 14, 22, 28, 50, 64, 46, 80, 24), line(82, 10, 74, 100)],
    [curve(82, 22, 44, 0, 10, 28, 40, 53, 76, 36, 82, 18, 80, 64, 50, 99, 14, 92)],
    [curve(86, 12, 46, 0, 16, 22, 34, 46, 78, 34, 86, 12), curve(86, 12, 76, 52, 46, 100)],
  ],
];

/** Numbers in [0, 1) from a 32-bit state: a Weyl sequence through a mixer with full avalanche (Mulberry). */
function stream(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The points of a stroke, smooth ones with `cuts` steps of a Catmull-Rom spline between two points. */
function trace({ smooth, points }: Stroke, cuts: number): number[] {
  if (!smooth) return points;
  const last = points.length / 2 - 1;
  const closed = points[0] === points[2 * last] && points[1] === points[2 * last + 1];
  const index = (i: number): number => (closed ? (i + last) % last : Math.min(Math.max(i, 0), last));
  const path = [points[0]!, points[1]!];
  for (let i = 0; i < last; i++) {
    for (let cut = 1; cut <= cuts; cut++) {
      const t = cut / cuts;
      for (const axis of [0, 1]) {
        const [a, b, c, d] = [-1, 0, 1, 2].map((step) => points[2 * index(i + step) + axis]!) as number[];
        path.push(b! + (t / 2) * (c! - a! + t * (2 * a! - 5 * b! + 4 * c! - d! + t * (3 * (b! - c!) + d! - a!))));
      }
    }
  }
  return path;
}

/** Adds the ink of a pen of `radius` going from (x0, y0) to (x1, y1): full inside, falling to none over one pixel. */
function ink(page: Float64Array, x0: number, y0: number, x1: number, y1: number, radius: number): void {
  const reach = radius + 0.5;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length2 = dx * dx + dy * dy || 1;
  const [left, right] = [
    Math.max(0, Math.ceil(Math.min(x0, x1) - reach)),
    Math.min(side - 1, Math.max(x0, x1) + reach),
  ];
  const [top, bottom] = [
    Math.max(0, Math.ceil(Math.min(y0, y1) - reach)),
    Math.min(side - 1, Math.max(y0, y1) + reach),
  ];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length2));
      const ex = x - x0 - t * dx;
      const ey = y - y0 - t * dy;
      const cover = Math.min(1, reach - Math.sqrt(ex * ex + ey * ey));
      if (cover > page[y * side + x]!) page[y * side + x] = cover;
    }
  }
}

/** Writes one digit: a style, shaky points, then width, height, slant, turn and place of the whole, then the pen. */
function write(page: Float64Array, digit: number, random: () => number): void {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const bell = (): number => random() + random() + random() - 1.5;
  const style = styles[digit]![Math.floor(random() * styles[digit]!.length)]!;
  const height = between(0.14, 0.21);
  const width = height * between(0.5, 0.95);
  const slant = between(-0.2, 0.45);
  const turn = 0.22 * bell();
  const [centerX, centerY] = [13.5 + 1.8 * bell(), 13.5 + 1.8 * bell()];
  const radius = between(0.55, 1.75);
  const shake = between(2, 7);
  for (const { smooth, points } of style) {
    const shaken = points.map((p) => p + shake * bell());
    // A closed stroke stays closed: its last point is its first.
    if (points[0] === points.at(-2) && points[1] === points.at(-1)) shaken.splice(-2, 2, shaken[0]!, shaken[1]!);
    const path = trace({ smooth, points: shaken }, 5);
    let [x0, y0] = [0, 0];
    for (let i = 0; i < path.length; i += 2) {
      const y = (path[i + 1]! - 50) * height;
      const x = (path[i]! - 50) * width - slant * y;
      const [x1, y1] = [centerX + x - turn * y, centerY + y + turn * x];
      if (i > 0) ink(page, x0, y0, x1, y1, radius);
      [x0, y0] = [x1, y1];
    }
  }
}

/**
 * Draws digits: handwriting made of strokes, three styles per digit, with random width, height, slant, turn, place,
 * pen and a little noise. Picture `i` depends on `seed` and `i` alone, so a longer set begins with the shorter one.
 *
 * images: u8 [count, 28, 28]; labels: u8 [count], every digit equally likely. Throws `ERR_NABLA_VALUE` when `count` is not an
 * integer from 0 to 1,000,000 or `seed` not one from 0 to 2^32 - 1.
 *
 * ```ts
 * import { digits } from "nabla";
 * const { images, labels } = digits(100, { seed: 1 });
 * console.log(images.shape, labels.data[0]);
 * ```
 */
export function digits(count: number, options: { seed?: number } = {}): Digits {
  const { seed = 0 } = only("digits", options, ["seed"]);
  const whole = (name: string, value: number, max: number): void => {
    if (Number.isInteger(value) && value >= 0 && value <= max) return;
    fail("ERR_NABLA_VALUE", "digits", `${name} must be an integer from 0 to ${max}, got ${value}`, { actual: value });
  };
  checkPlain("digits", { count });
  whole("count", count, 1e6);
  whole("seed", seed, 2 ** 32 - 1);
  const images = new Uint8Array(count * side * side);
  const labels = new Uint8Array(count);
  const page = new Float64Array(side * side);
  for (let i = 0; i < count; i++) {
    const random = stream(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b));
    const digit = Math.floor(random() * 10);
    labels[i] = digit;
    page.fill(0);
    write(page, digit, random);
    const strength = 170 + 85 * random();
    const noise = 60 * random() * random();
    for (let p = 0; p < page.length; p++) {
      const grain = noise * (random() + random() - 1);
      images[i * page.length + p] = Math.min(255, Math.max(0, Math.round(strength * page[p]! + grain)));
    }
  }
  return { images: { shape: [count, side, side], data: images }, labels: { shape: [count], data: labels } };
}
