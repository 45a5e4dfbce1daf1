import { checkKind, checkPlain, only } from "../core/boundary.ts";
import type { TypedArray } from "../core/dtype.ts";
import { fail, show, showShape } from "../core/errors.ts";
import { emptyValue, Value, wrapArray } from "../core/value.ts";
import { elementsOf } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { add, contiguous, div, lt, sub, where } from "../ops/arithmetic.ts";
import { clamp } from "../ops/clamp.ts";
import { normal, uniform } from "../ops/random.ts";
import { flip } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { backward, type Map2, warp } from "./warp.ts";

/** Pictures [batch, channels, height, width]. */
export type Images = Tensor<[number, number, number, number], "f32">;
/** Makes pictures of pictures, as many and as large. */
export type Transform = <X extends Images>(x: X) => X;
/** A range of a random number: [low, high], or one number for [-it, it]. */
export type Range = number | readonly [low: number, high: number];

function checked(op: string, x: Value): [number, number, number, number] {
  if (!(x instanceof Value) || x.ndim !== 4 || x.dtype !== "f32")
    fail("ERR_NABLA_SHAPE", op, "takes pictures f32 [batch, channels, height, width]", { values: { x } });
  return x.shape as [number, number, number, number];
}
/** A transform of checked pictures, not recorded for gradients. */
function transform(op: string, f: (x: Value, shape: [number, number, number, number]) => Value): Transform {
  return (x) => withGrad(false, () => f(x, checked(op, x))) as never;
}
function checkSize(op: string, size: readonly number[]): void {
  if (size?.length !== 2 || !size.every((s) => Number.isInteger(s) && s > 0))
    fail("ERR_NABLA_VALUE", op, "the size is [height, width], whole numbers from 1", { actual: size });
}
function checkChance(op: string, p: number): void {
  checkPlain(op, { p });
  if (!(p >= 0 && p <= 1))
    fail("ERR_NABLA_VALUE", op, `${p} is not a probability`, { expected: "a number from 0 to 1", actual: p });
}
function rangeOf(op: string, name: string, range: Range, least = Number.NEGATIVE_INFINITY): readonly [number, number] {
  const [low, high] = Array.isArray(range) ? range : [-range, range as number];
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high && low > least))
    fail("ERR_NABLA_VALUE", op, `${name} is no range: ${show(range)}`, { expected: "low <= high", actual: range });
  return [low, high];
}
/** n rows of numbers, one in each range. */
function draws(n: number, ranges: readonly (readonly [number, number])[]): number[][] {
  const u = elementsOf("transforms", uniform([n, ranges.length]));
  const k = ranges.length;
  return Array.from({ length: n }, (_, i) =>
    ranges.map(([low, high], j) => low + (u[i * k + j] as number) * (high - low)),
  );
}

/**
 * One transform after the other.
 *
 * torchvision: `Compose`.
 * @example
 * ```ts
 * import { batches, rand, transforms, zeros } from "nabla";
 * const augment = transforms.compose(
 *   transforms.randomAffine({ degrees: 10, translate: [0.1, 0.1], scale: [0.9, 1.1] }),
 *   transforms.normalize([0.1307], [0.3081]),
 * );
 * const data = batches(rand(64, 1, 28, 28), zeros(64), { size: 32, shuffle: true, seed: 1, transform: augment });
 * for (const [x] of data) console.log(x.shape); // [ 32, 1, 28, 28 ]
 * ```
 */
export function compose(...transforms: readonly Transform[]): Transform {
  for (const f of transforms) checkKind("compose", "a transform", f, "function");
  return (x) => transforms.reduce((y, f) => f(y), x);
}

/**
 * (x - mean) / std, channel by channel.
 *
 * torchvision: `Normalize`.
 * @example
 * ```ts
 * import { ones, transforms } from "nabla";
 * console.log(transforms.normalize([0.5], [0.25])(ones(1, 1, 1, 2)).flatten().toArray()); // [ 2, 2 ]
 * ```
 */
export function normalize(mean: readonly number[], std: readonly number[]): Transform {
  for (const [name, list] of Object.entries({ mean, std })) checkKind("normalize", name, list, "object");
  if (mean.length !== std.length || mean.length === 0 || ![...mean, ...std].every(Number.isFinite) || std.includes(0))
    fail("ERR_NABLA_VALUE", "normalize", "needs a mean and a deviation other than 0 for each channel", {
      actual: { mean, std },
    });
  const [a, b] = [mean, std].map((x) => wrapArray(Float32Array.from(x), [1, x.length, 1, 1], "f32")) as [Value, Value];
  return transform("normalize", (x, [, channels]) => {
    if (channels !== mean.length)
      fail("ERR_NABLA_SHAPE", "normalize", `has ${mean.length} channels, the pictures ${channels}`, { values: { x } });
    return div({ a: sub({ a: x, b: a }), b });
  });
}

function randomFlip(op: string, dim: number, p: number): Transform {
  checkChance(op, p);
  return transform(op, (x, [n]) =>
    where({ condition: lt({ a: uniform([n, 1, 1, 1]), b: p }), a: flip(x, [dim]), b: x }),
  );
}
/**
 * Mirrors each picture left to right with probability p.
 *
 * torchvision: `RandomHorizontalFlip`.
 * @example
 * ```ts
 * import { tensor, transforms } from "nabla";
 * console.log(transforms.randomHorizontalFlip(1)(tensor([[[[1, 2, 3]]]])).flatten().toArray()); // [ 3, 2, 1 ]
 * ```
 */
export function randomHorizontalFlip(p = 0.5): Transform {
  return randomFlip("randomHorizontalFlip", 3, p);
}
/**
 * Mirrors each picture upside down with probability p.
 *
 * torchvision: `RandomVerticalFlip`.
 * @example
 * ```ts
 * import { tensor, transforms } from "nabla";
 * console.log(transforms.randomVerticalFlip(1)(tensor([[[[1], [2]]]])).flatten().toArray()); // [ 2, 1 ]
 * ```
 */
export function randomVerticalFlip(p = 0.5): Transform {
  return randomFlip("randomVerticalFlip", 2, p);
}

/** Options of {@link gaussianNoise}. */
export interface NoiseOptions {
  /** 0 unless given. */
  mean?: number;
  /** The standard deviation; 0.1 unless given. */
  sigma?: number;
  /** Keep the result between 0 and 1; true unless given. */
  clip?: boolean;
}
/**
 * Adds normal noise to every pixel.
 *
 * torchvision: `v2.GaussianNoise`.
 * @example
 * ```ts
 * import { transforms, zeros } from "nabla";
 * const x = transforms.gaussianNoise({ sigma: 0.2 })(zeros(1, 1, 50, 50));
 * console.log(x.min().item(), x.max().item() > 0.2); // 0 true
 * ```
 */
export function gaussianNoise(options: NoiseOptions = {}): Transform {
  const { mean = 0, sigma = 0.1, clip = true } = only("gaussianNoise", options, ["mean", "sigma", "clip"]);
  if (!Number.isFinite(mean) || !(sigma >= 0 && Number.isFinite(sigma)))
    fail("ERR_NABLA_VALUE", "gaussianNoise", "needs a finite mean and a deviation from 0", { actual: { mean, sigma } });
  return transform("gaussianNoise", (x) => {
    const y = add({ a: x, b: normal(x.shape, mean, sigma) });
    return clip ? clamp({ x: y, min: 0, max: 1 }) : y;
  });
}

/** Options of {@link randomCrop}. */
export interface CropOptions {
  /** Pixels added on each side before; 0 unless given. */
  padding?: number;
  /** What they hold, 0 unless given. */
  fill?: number;
}
/** Copies a window of each picture, from (top, left), which may lie outside. */
function windows(x: Value, at: readonly number[][], [height, width]: readonly [number, number], fill: number): Value {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const from = elementsOf("randomCrop", contiguous(x));
  const y = emptyValue([n, channels, height, width], "f32");
  const to: TypedArray = y.storage.array.subarray(y.offset, y.offset + y.size).fill(fill);
  for (let plane = 0; plane < n * channels; plane++) {
    const [top, left] = at[Math.floor(plane / channels)] as [number, number];
    const [begin, end] = [Math.max(left, 0), Math.min(left + width, w)];
    for (let r = Math.max(top, 0); r < Math.min(top + height, h) && begin < end; r++) {
      const row = (plane * h + r) * w;
      to.set(from.subarray(row + begin, row + end), (plane * height + r - top) * width + begin - left);
    }
  }
  return y;
}
/**
 * Cuts a window of this size out of each picture, at a random place.
 *
 * torchvision: `RandomCrop`. Throws ERR_NABLA_SHAPE for pictures smaller than the window.
 * @example
 * ```ts
 * import { rand, transforms } from "nabla";
 * console.log(transforms.randomCrop([32, 32], { padding: 4 })(rand(8, 3, 32, 32)).shape); // [ 8, 3, 32, 32 ]
 * ```
 */
export function randomCrop<const H extends number, const W extends number>(
  size: readonly [H, W],
  options: CropOptions = {},
) {
  const { padding = 0, fill = 0 } = only("randomCrop", options, ["padding", "fill"]);
  checkSize("randomCrop", size);
  if (!Number.isInteger(padding) || padding < 0 || !Number.isFinite(fill))
    fail("ERR_NABLA_VALUE", "randomCrop", "padding is a whole number from 0, fill a number", {
      actual: { padding, fill },
    });
  const [height, width] = size;
  const crop = transform("randomCrop", (x, [n, , h, w]) => {
    const [down, right] = [h + 2 * padding - height, w + 2 * padding - width];
    if (down < 0 || right < 0)
      fail("ERR_NABLA_SHAPE", "randomCrop", `pictures with their padding are smaller than ${showShape(size)}`, {
        values: { x },
        hint: `{ padding: ${padding + Math.ceil(Math.max(-down, -right) / 2)} }`,
      });
    const free = [down, right].map((room) => [0, room + 1] as const);
    const at = draws(n, free).map((place) => place.map((p) => Math.floor(p) - padding));
    return windows(x, at, size, fill);
  });
  return <S extends [number, number, number, number]>(x: Tensor<S, "f32">): Tensor<[S[0], S[1], H, W], "f32"> =>
    crop(x as unknown as Images) as unknown as Tensor<[S[0], S[1], H, W], "f32">;
}

/** Options of {@link randomResizedCrop}. */
export interface ResizedCropOptions {
  /** The share of the area that is seen; [0.08, 1] unless given. */
  scale?: readonly [low: number, high: number];
  /** Width over height of what is seen; [3/4, 4/3] unless given. */
  ratio?: readonly [low: number, high: number];
}
/**
 * A random part of each picture, brought to this size.
 *
 * torchvision: `RandomResizedCrop`; a part too wide or too high is cut to the picture where that one draws again.
 * @example
 * ```ts
 * import { rand, transforms } from "nabla";
 * console.log(transforms.randomResizedCrop([24, 24])(rand(8, 3, 40, 60)).shape); // [ 8, 3, 24, 24 ]
 * ```
 */
export function randomResizedCrop<const H extends number, const W extends number>(
  size: readonly [H, W],
  options: ResizedCropOptions = {},
) {
  const op = "randomResizedCrop";
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = only(op, options, ["scale", "ratio"]);
  checkSize(op, size);
  const area = rangeOf(op, "scale", scale, 0);
  const logs = rangeOf(op, "ratio", ratio, 0).map(Math.log) as [number, number];
  const [height, width] = size;
  const crop = transform(op, (x, [n, , h, w]) => {
    const maps = draws(n, [area, logs, [0, 1], [0, 1]]).map(([share, log, right, down]): Map2 => {
      const aspect = Math.exp(log as number);
      const pixels = h * w * (share as number);
      const [wide, high] = [Math.min(w, Math.sqrt(pixels * aspect)), Math.min(h, Math.sqrt(pixels / aspect))];
      const [a, e] = [(wide - 1) / Math.max(width - 1, 1), (high - 1) / Math.max(height - 1, 1)];
      return [Math.max(a, 0), 0, (right as number) * (w - wide), 0, Math.max(e, 0), (down as number) * (h - high)];
    });
    return warp(x, maps, size, 0);
  });
  return <S extends [number, number, number, number]>(x: Tensor<S, "f32">): Tensor<[S[0], S[1], H, W], "f32"> =>
    crop(x as unknown as Images) as unknown as Tensor<[S[0], S[1], H, W], "f32">;
}

/** Options of {@link randomAffine}. */
export interface AffineOptions {
  /** Turns by so many degrees, clockwise; not unless given. */
  degrees?: Range;
  /** Largest shift right or left, and down or up, as shares of width and height; not unless given. */
  translate?: readonly [x: number, y: number];
  /** Factors of size; 1 unless given. */
  scale?: readonly [low: number, high: number];
  /** Leans the horizontal axis by so many degrees; not unless given. */
  shear?: Range;
  /** What lies outside of the picture, 0 unless given. */
  fill?: number;
}
/**
 * Turns, shifts, scales and leans each picture about its middle by numbers of its own, drawn evenly from these ranges. Values
 * between pixels are weighted by distance.
 *
 * torchvision: `RandomAffine` with bilinear interpolation; shifts are not rounded to pixels.
 * @example
 * ```ts
 * import { forkRng, rand, transforms } from "nabla";
 * const x = rand(8, 1, 28, 28);
 * const move = transforms.randomAffine({ degrees: 15, translate: [0.1, 0.1], scale: [0.9, 1.1], shear: 5 });
 * const [a, b] = [1, 1].map((seed) => forkRng(seed, () => move(x)));
 * console.log(a?.equal(b as typeof x)); // true
 * ```
 */
export function randomAffine(options: AffineOptions) {
  const op = "randomAffine";
  const {
    degrees = 0,
    translate = [0, 0],
    scale = [1, 1],
    shear = 0,
    fill = 0,
  } = only(op, options, ["degrees", "translate", "scale", "shear", "fill"]);
  if (
    !Array.isArray(translate) ||
    translate.length !== 2 ||
    !translate.every((t) => t >= 0 && t <= 1) ||
    !Number.isFinite(fill)
  )
    fail("ERR_NABLA_VALUE", op, "translate is two shares from 0 to 1, fill a number", { actual: { translate, fill } });
  const shares = translate.map((t) => [-t, t] as const);
  const ranges = [
    rangeOf(op, "degrees", degrees),
    ...shares,
    rangeOf(op, "scale", scale, 0),
    rangeOf(op, "shear", shear),
  ];
  return transform(op, (x, [n, , h, w]) => {
    const maps = (draws(n, ranges) as [number, number, number, number, number][]).map(
      ([angle, right, down, size, lean]) =>
        backward({ angle, shift: [right * w, down * h], scale: size, shear: [lean, 0] }, h, w),
    );
    return warp(x, maps, [h, w], fill);
  });
}
/**
 * Turns each picture about its middle by an angle from this range of degrees, clockwise.
 *
 * torchvision: `RandomRotation` with bilinear interpolation.
 * @example
 * ```ts
 * import { tensor, transforms } from "nabla";
 * const quarter = transforms.randomRotation([90, 90]);
 * console.log(quarter(tensor([[[[1, 2], [3, 4]]]])).flatten().toArray()); // [ 3, 1, 4, 2 ]
 * ```
 */
export function randomRotation(degrees: Range, options: { fill?: number } = {}): Transform {
  const { fill = 0 } = only("randomRotation", options, ["fill"]);
  return randomAffine({ degrees, fill });
}
