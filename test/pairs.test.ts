// Convolutions in bf16 against their definition: pairs of channels, of outputs or of images, then two fused multiply-adds.
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { K, type Kernel } from "../lib/native.gen.ts";
import { chain } from "./rounding.ts";
import { random } from "./sample.ts";
import { difference, write } from "./signature.ts";

const best = native.isa();
afterEach(() => void native.use(best));

interface Shape {
  readonly x: readonly [images: number, channels: number, height: number, width: number];
  /** Outputs, rows and columns of the window. */
  readonly window: readonly [number, number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly groups?: number;
}
const shapes: Record<string, Shape> = {
  "one channel, one output, one image": { x: [1, 1, 4, 5], window: [1, 3, 2], padding: [1, 0] },
  "odd numbers of all": { x: [3, 5, 6, 7], window: [7, 3, 3], padding: [1, 1] },
  "even numbers, rows of a vector": { x: [2, 4, 3, 16], window: [32, 3, 3], padding: [1, 1] },
  "a window of one": { x: [2, 6, 5, 19], window: [20, 1, 1] },
  "a stride of two, groups": { x: [2, 6, 9, 35], window: [9, 3, 3], stride: [2, 2], padding: [1, 1], groups: 3 },
  "a stride of three, dilated": { x: [2, 3, 11, 13], window: [4, 2, 3], stride: [3, 3], dilation: [2, 1] },
};
const numbers = (n: number, seed: number): Float32Array => {
  const next = random(seed);
  // A few so small that their products are zeros.
  return Float32Array.from({ length: n }, (_, i) => (next() - 0.5) * 2 ** Math.floor(8 * next()) * (i % 7 ? 1 : 1e-21));
};

function sizesOf({ x, window, stride = [1, 1], padding = [0, 0], dilation = [1, 1], groups = 1 }: Shape) {
  const [n, c, h, w] = x;
  const [o, k, l] = window;
  const p = Math.floor((h + 2 * padding[0] - dilation[0] * (k - 1) - 1) / stride[0]) + 1;
  const q = Math.floor((w + 2 * padding[1] - dilation[1] * (l - 1) - 1) / stride[1]) + 1;
  return { n, c, h, w, o, k, l, p, q, f: c / groups, m: o / groups, stride, padding, dilation };
}
type Sizes = ReturnType<typeof sizesOf>;
const strides = (shape: readonly number[]) => shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
function launch(
  row: Kernel,
  s: Sizes,
  shapes: (readonly number[])[],
  bias: Float32Array | null,
  ...arrays: Float32Array[]
) {
  const y = new Float32Array(shapes[0]!.reduce((a, b) => a * b, 1)).fill(Number.NaN);
  const order = row === K.conv_bf16 ? "nopqchwfkl" : row === K.conv_input_bf16 ? "nchwopqfkl" : "ofklnpqchw";
  const extents = [...order].map((letter) => s[letter as "n"]);
  const words = [...extents, ...shapes.flatMap((shape) => [0, ...strides(shape)])];
  if (bias) words.push(0);
  const all = row === K.conv_weight_bf16 ? [y, ...arrays] : [y, ...arrays, bias];
  native.run(row.id.f32 as number, write([...words, ...s.stride, ...s.padding, ...s.dilation]), ...all);
  return y;
}
/** The terms of one sum, two after another sharing a pair; null for what is not there. */
type Terms = (readonly [a: number, b: number] | null)[];
const sum = (terms: Terms): number =>
  chain(
    terms.length,
    (i) => terms[i]?.[0] ?? 0,
    (i) => terms[i]?.[1] ?? 0,
  );

/** Row and column of the input that result (i, j) meets with tap (k, l); undefined in the border. */
function met({ stride, padding, dilation, h, w }: Sizes, i: number, j: number, k: number, l: number) {
  const [a, b] = [i * stride[0] + k * dilation[0] - padding[0], j * stride[1] + l * dilation[1] - padding[1]];
  return a >= 0 && b >= 0 && a < h && b < w ? a * w + b : undefined;
}
const grid = (rows: number, columns: number): [number, number][] =>
  Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns]);
const pairs = (n: number): [number, number][] => Array.from({ length: Math.ceil(n / 2) }, (_, i) => [2 * i, 2 * i + 1]);

function forward(s: Sizes, x: Float32Array, weight: Float32Array, bias: Float32Array): Float32Array {
  const y = grid(s.n, s.o).flatMap(([n, o]) =>
    grid(s.p, s.q).map(([i, j]) => {
      const first = Math.floor(o / s.m) * s.f;
      const terms: Terms = pairs(s.f).flatMap((pair) =>
        grid(s.k, s.l).flatMap(([k, l]) =>
          pair.map((f): Terms[number] => {
            if (f >= s.f) return null;
            const at = met(s, i, j, k, l);
            const from = at === undefined ? 0 : x[(n * s.c + first + f) * s.h * s.w + at]!;
            return [weight[((o * s.f + f) * s.k + k) * s.l + l]!, from];
          }),
        ),
      );
      return sum(terms) + bias[o]!;
    }),
  );
  return Float32Array.from(y);
}
function byInput(s: Sizes, dy: Float32Array, weight: Float32Array): Float32Array {
  const dx = grid(s.n, s.c).flatMap(([n, c]) =>
    grid(s.h, s.w).map(([a, b]) => {
      const first = Math.floor(c / s.f) * s.m;
      const terms: Terms = pairs(s.m).flatMap((pair) =>
        grid(s.k, s.l).flatMap(([k, l]) => {
          const [i, j] = [a + s.padding[0] - k * s.dilation[0], b + s.padding[1] - l * s.dilation[1]];
          if (i % s.stride[0] || j % s.stride[1]) return [];
          const [row, column] = [i / s.stride[0], j / s.stride[1]];
          const inside = row >= 0 && column >= 0 && row < s.p && column < s.q;
          return pair.map((m): Terms[number] => {
            if (m >= s.m) return null;
            const from = inside ? dy[((n * s.o + first + m) * s.p + row) * s.q + column]! : 0;
            return [weight[(((first + m) * s.f + (c % s.f)) * s.k + k) * s.l + l]!, from];
          });
        }),
      );
      return sum(terms);
    }),
  );
  return Float32Array.from(dx);
}
/** As one chunk of images: of few there is one. */
function byWeight(s: Sizes, dy: Float32Array, x: Float32Array): Float32Array {
  const dw = grid(s.o, s.f).flatMap(([o, f]) =>
    grid(s.k, s.l).map(([k, l]) => {
      const channel = Math.floor(o / s.m) * s.f + f;
      const terms: Terms = pairs(s.n).flatMap((pair) =>
        grid(s.p, s.q).flatMap(([i, j]) =>
          pair.map((n): Terms[number] => {
            if (n >= s.n) return null;
            const at = met(s, i, j, k, l);
            const from = at === undefined ? 0 : x[(n * s.c + channel) * s.h * s.w + at]!;
            return [dy[((n * s.o + o) * s.p + i) * s.q + j]!, from];
          }),
        ),
      );
      return sum(terms);
    }),
  );
  return Float32Array.from(dw);
}

describe.each(Object.entries(shapes))("%s", (_, shape) => {
  const s = sizesOf(shape);
  const [outside, inside, taps] = [
    [s.n, s.o, s.p, s.q],
    [s.n, s.c, s.h, s.w],
    [s.o, s.f, s.k, s.l],
  ];
  const count = (of: readonly number[]) => of.reduce((a, b) => a * b, 1);
  const [x, dy, weight, bias] = [
    numbers(count(inside), 1),
    numbers(count(outside), 2),
    numbers(count(taps), 3),
    numbers(s.o, 4),
  ];
  const [y, dx, dw] = [forward(s, x, weight, bias), byInput(s, dy, weight), byWeight(s, dy, x)];
  it.each([...native.isas])("%s, by definition", (isa) => {
    native.use(isa);
    expect(difference(launch(K.conv_bf16, s, [outside, inside, taps], bias, x, weight), y)).toBeUndefined();
    expect(difference(launch(K.conv_input_bf16, s, [inside, outside, taps], null, dy, weight), dx)).toBeUndefined();
    expect(difference(launch(K.conv_weight_bf16, s, [taps, outside, inside], null, dy, x), dw)).toBeUndefined();
  });
});
