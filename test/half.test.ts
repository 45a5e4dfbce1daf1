// Products in bf16 against their definition: operands rounded to bf16, then two fused multiply-adds a pair of terms, the later
// one first, small numbers as zeros. The dot product instruction and all other instruction sets give these bits.
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { K } from "../lib/native.gen.ts";
import { activations } from "../lib/ops/matmul.ts";
import { chain, half, ofHalf } from "./rounding.ts";
import { random } from "./sample.ts";
import { difference, write } from "./signature.ts";

const [best, threads] = [native.isa(), native.threads()];
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

const numbers = (n: number, seed: number): Float32Array => {
  const next = random(seed);
  return Float32Array.from({ length: n }, () => (next() - 0.5) * 2 ** Math.floor(8 * next()));
};

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** a and b as columns, c with columns apart. */
  readonly turned?: readonly [a: boolean, b: boolean, c?: boolean];
  readonly bias?: Float32Array;
  readonly act?: keyof typeof activations;
  readonly from?: Float32Array;
}
/** c [m, n] of a [m, k] and b [k, n], row by row. */
function product(
  a: Float32Array,
  b: Float32Array | Uint16Array,
  { m, n, k, turned = [false, false], ...rest }: Product,
) {
  const { bias, act = "none", from } = rest;
  const c = new Float32Array(m * n).fill(Number.NaN);
  if (from) c.set(turned[2] ? transposed(from, m, n) : from);
  const steps = (on: boolean | undefined, rows: number, columns: number) => [
    0,
    0,
    0,
    ...(on ? [1, rows] : [columns, 1]),
  ];
  const words = [1, 1, m, n, k, ...steps(turned[2], m, n), ...steps(turned[0], m, k), ...steps(turned[1], k, n)];
  words.push(...(bias ? [0] : []), activations[act], from ? 1 : 0);
  const row = K.gemm_bf16.id[b instanceof Uint16Array ? "bf16" : "f32"];
  native.run(row, write(words), c, a, b, bias ?? null, null, null);
  return turned[2] ? transposed(c, n, m) : c;
}
function transposed<X extends Float32Array | Uint16Array>(x: X, rows: number, columns: number): X {
  const out = x.slice() as X;
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = x[i * columns + j]!;
  return out;
}
function defined(a: Float32Array, b: Float32Array, { m, n, k, from }: Product): Float32Array {
  return Float32Array.from({ length: m * n }, (_, e) => {
    const [i, j] = [Math.floor(e / n), e % n];
    return chain(
      k,
      (l) => a[i * k + l]!,
      (l) => b[l * n + j]!,
      from?.[e],
    );
  });
}

const sizes = [
  [1, 1],
  [1, 130],
  [2, 33],
  [3, 16],
  [5, 7],
  [8, 96],
  [13, 15],
  [14, 32],
  [15, 31],
  [29, 64],
  [70, 66],
] as const;
const depths = [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 100];

describe("gemm_bf16", () => {
  it.each([...native.isas])("%s, by its definition", (isa) => {
    native.use(isa);
    for (const [m, n] of sizes)
      for (const k of depths) {
        const [a, b] = [numbers(m * k, 1 + k), numbers(k * n, 2 + k)];
        const expected = defined(a, b, { m, n, k });
        for (const left of [false, true])
          for (const right of [false, true]) {
            const [x, y] = [left ? transposed(a, m, k) : a, right ? transposed(b, k, n) : b];
            const at = `${m} x ${n} x ${k}, turned ${left} ${right}`;
            expect(difference(product(x, y, { m, n, k, turned: [left, right] }), expected), at).toBeUndefined();
          }
      }
  });
  it.each([...native.isas])("%s goes on from what is there, in rows or columns", (isa) => {
    native.use(isa);
    const [m, n, k] = [17, 35, 37];
    const [a, b, from] = [numbers(m * k, 3), numbers(k * n, 4), numbers(m * n, 5)];
    const expected = defined(a, b, { m, n, k, from });
    expect(difference(product(a, b, { m, n, k, from }), expected)).toBeUndefined();
    expect(difference(product(a, b, { m, n, k, from, turned: [false, false, true] }), expected)).toBeUndefined();
  });
  it.each([...native.isas])("%s takes small numbers as zeros, keeps infinities and NaN", (isa) => {
    native.use(isa);
    const special = [
      0,
      -0,
      1,
      -1,
      1e-38,
      -1e-39,
      2 ** -126,
      2 ** -127,
      3e-20,
      3.3e38,
      3.4e38,
      Infinity,
      -Infinity,
      NaN,
    ];
    const count = special.length ** 2;
    const [a, b] = [new Float32Array(count), new Float32Array(count)];
    special.forEach((x, i) => {
      special.forEach((y, j) => {
        a[i * special.length + j] = x;
        b[i * special.length + j] = y;
      });
    });
    for (const x of [1, 3e-20, -1e-19]) {
      const pairs = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 ? x : a[i >> 1]!));
      const others = Float32Array.from({ length: 2 * count }, (_, i) => (i < count ? b[i]! : 1e-19));
      const c = new Float32Array(count);
      const words = [1, count, 1, 1, 2, 0, 0, 1, 1, 1, 0, 0, 2, 2, 1, 0, 0, 1, count, 1, 0, 0];
      native.run(K.gemm_bf16.id.f32, write(words), c, pairs, others, null, null, null);
      const expected = c.map((_, i) =>
        chain(
          2,
          (l) => pairs[2 * i + l]!,
          (l) => others[l * count + i]!,
        ),
      );
      expect(difference(c, expected)).toBeUndefined();
    }
  });
  it.each([...native.isas])("%s adds a bias and ends with an activation", (isa) => {
    native.use(isa);
    const [m, n, k] = [33, 65, 40];
    const [a, b, bias] = [numbers(m * k, 6), numbers(k * n, 7), numbers(n, 8)];
    const sums = defined(a, b, { m, n, k });
    const expected = sums.map((x, e) => Math.max(0, Math.fround(x + bias[e % n]!)));
    expect(difference(product(a, b, { m, n, k, bias, act: "relu" }), expected)).toBeUndefined();
  });
  it.each([...native.isas])("%s takes b stored as bf16", (isa) => {
    native.use(isa);
    for (const [m, n, k] of [
      [1, 200, 77],
      [9, 40, 33],
      [40, 70, 130],
    ] as const) {
      const [a, b] = [numbers(m * k, 9), numbers(k * n, 10)];
      const stored = Uint16Array.from(b, half);
      const expected = product(a, b, { m, n, k });
      expect(difference(product(a, stored, { m, n, k }), expected)).toBeUndefined();
      const turned = transposed(stored, k, n);
      expect(difference(product(a, turned, { m, n, k, turned: [false, true] }), expected)).toBeUndefined();
    }
  });
  it("has the same bits on every instruction set and for 1, 2, 3 and 5 threads, where blocks are cut", () => {
    // Rows a page apart; deeper and wider than one block.
    for (const [m, n, k, turned] of [
      [301, 203, 257, [true, false]],
      [130, 2100, 300, [false, true]],
      [40, 1024, 2500, [false, false]],
      // b packed once for all threads, and in several blocks of depth.
      [270, 1040, 260, [false, true]],
      [259, 100, 2700, [false, false]],
    ] as const) {
      const [a, b] = [numbers(m * k, 11), numbers(k * n, 12)];
      native.use(best);
      native.setThreads(1);
      const expected = product(a, b, { m, n, k, turned });
      for (const isa of native.isas)
        for (const count of isa === best ? [2, 3, 5] : [2]) {
          native.use(isa);
          native.setThreads(count);
          const at = `${isa}, ${count} threads, ${m} x ${n} x ${k}`;
          expect(difference(product(a, b, { m, n, k, turned }), expected), at).toBeUndefined();
        }
    }
  });
  it("errs by the rounding of operands, 2^-8 a product, and of sums", () => {
    const [m, n, k] = [20, 30, 500];
    const [a, b] = [numbers(m * k, 13), numbers(k * n, 14)];
    const c = product(a, b, { m, n, k });
    let worst = 0;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let [sum, size] = [0, 0];
        for (let l = 0; l < k; l++) {
          sum += a[i * k + l]! * b[l * n + j]!;
          size += Math.abs(a[i * k + l]! * b[l * n + j]!);
        }
        worst = Math.max(worst, Math.abs(c[i * n + j]! - sum) / size);
      }
    expect(worst).toBeLessThan(2 ** -8 + 2 ** -18 + k * 2 ** -24);
    expect(worst).toBeGreaterThan(2 ** -16);
  });
});

describe("casts", () => {
  it.each([...native.isas])("%s rounds to the nearest bf16, ties to even, and back", (isa) => {
    native.use(isa);
    const edges = [
      0,
      -0,
      1 + 2 ** -8,
      1 + 3 * 2 ** -8,
      1e-40,
      -1e-45,
      3.4e38,
      -3.4e38,
      3.39e38,
      Infinity,
      -Infinity,
      NaN,
    ];
    const x = Float32Array.of(...edges, ...numbers(1000, 15));
    const y = new Uint16Array(x.length);
    native.run(K.to_bf16.id.f32, write([1, x.length, 0, 1, 0, 1]), y, x);
    expect([...y]).toEqual(Array.from(x, half));
    const back = new Float32Array(x.length);
    native.run(K.from_bf16.id.f32, write([1, x.length, 0, 1, 0, 1]), back, y);
    expect(difference(back, Float32Array.from(y, ofHalf))).toBeUndefined();
    expect([back[2], back[3], back[6]]).toEqual([1, 1 + 2 ** -6, Number.POSITIVE_INFINITY]);
  });
});
