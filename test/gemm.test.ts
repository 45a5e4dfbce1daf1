// Products of matrices against their definition: every element is a chain of fused multiply-adds for each 256 terms, the
// chains summed in order, bit for bit, whatever the shape, the layout, the instruction set or the number of threads.
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { K, type Kernel } from "../lib/native.gen.ts";
import { activations } from "../lib/ops/matmul.ts";
import { fma } from "./rounding.ts";
import { random } from "./sample.ts";
import { difference, rows, scalarsOf, write } from "./signature.ts";

const [best, threads] = [native.isa(), native.threads()];
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

const chain = 256;
const most = 65;
const depths = [0, 1, 2, 31, 255, 256, 257, 600];
const deepest = 600;
const sizes = [1, 2, 3, 5, 6, 7, 13, 14, 15, 16, 17, 31, 32, 33, 64, 65];
const numbers = (n: number, seed: number): Float32Array => {
  const next = random(seed);
  return Float32Array.from({ length: n }, () => (next() - 0.5) * 2 ** Math.floor(8 * next()));
};
const a = numbers(most * deepest, 1);
const b = numbers(deepest * most, 2);
const start = numbers(most * most, 3);

/** c[i, j] of the whole product for each depth, from zero or from `start`. */
function chains(from: Float32Array | null): Map<number, Float32Array> {
  const out = new Map(depths.map((depth) => [depth, new Float32Array(most * most)]));
  for (let i = 0; i < most; i++)
    for (let j = 0; j < most; j++) {
      let sum = from ? from[i * most + j]! : -0;
      for (let k = 0, acc = 0; k <= deepest; k++) {
        if (k && k % chain === 0) [sum, acc] = [Math.fround(sum + acc), 0];
        const at = out.get(k);
        if (at) at[i * most + j] = sum + (k && k % chain === 0 ? -0 : acc);
        if (k < deepest) acc = fma(a[i * deepest + k]!, b[k * most + j]!, acc);
      }
    }
  return out;
}

interface Layout {
  readonly array: Float32Array;
  readonly steps: readonly [row: number, column: number];
}
/** [rows, columns] as it is, or turned in memory. */
function laid(x: Float32Array, columns: number, turned: boolean): Layout {
  if (!turned) return { array: x, steps: [columns, 1] };
  const rowCount = x.length / columns;
  const out = new Float32Array(x.length);
  for (let i = 0; i < rowCount; i++) for (let j = 0; j < columns; j++) out[j * rowCount + i] = x[i * columns + j]!;
  return { array: out, steps: [1, rowCount] };
}

interface Finish {
  readonly bias?: Float32Array;
  readonly act?: keyof typeof activations;
  readonly z?: Float32Array;
  readonly at?: Float32Array;
  readonly from?: Float32Array;
}
/** c [m, n] behind 3 elements of padding at the end of each row. */
function product(x: Layout, y: Layout, m: number, n: number, k: number, { bias, act, z, at, from }: Finish = {}) {
  const wideRow = n + 3;
  const c = new Float32Array(m * wideRow).fill(Number.NaN);
  if (from) for (let i = 0; i < m; i++) c.set(start.subarray(i * most, i * most + n), i * wideRow);
  const own = [0, 0, 0, wideRow, 1];
  const words = [1, 1, m, n, k, ...own, 0, 0, 0, ...x.steps, 0, 0, 0, ...y.steps];
  if (bias) words.push(0);
  if (z) words.push(...own);
  if (at) words.push(...own);
  words.push(activations[act ?? "none"], from ? 1 : 0);
  native.run(K.gemm.id.f32, write(words), c, x.array, y.array, bias ?? null, z ?? null, at ?? null);
  return c;
}
/** The same part of a whole product, as `product` lays it out. */
function part(whole: Float32Array, m: number, n: number): Float32Array {
  const c = new Float32Array(m * (n + 3)).fill(Number.NaN);
  for (let i = 0; i < m; i++) c.set(whole.subarray(i * most, i * most + n), i * (n + 3));
  return c;
}

describe("the definition", () => {
  it("rounds once", () => {
    expect(fma(1 + 2 ** -23, 1 + 2 ** -23, 0)).toBe(1 + 2 ** -22);
    expect(fma(1, 1 + 2 ** -23, 2 ** -24)).toBe(1 + 2 ** -22);
    expect(fma(2 ** -12, 2 ** -12 + 2 ** -30, 1)).toBe(1 + 2 ** -23);
    expect(fma(-(2 ** -12), 2 ** -12 - 2 ** -30, 1 + 2 ** -23)).toBe(1 + 2 ** -23);
  });
});

describe("gemm", () => {
  const zero = chains(null);
  const begun = chains(start);
  const layouts = [false, true].flatMap((x) => [false, true].map((y) => [x, y] as const));

  it.each(native.isas.flatMap((isa) => layouts.map(([x, y]) => ({ isa, x, y }))))(
    "$isa, a turned $x, b turned $y",
    ({ isa, x, y }) => {
      native.use(isa);
      const [left, right] = [laid(a, deepest, x), laid(b, most, y)];
      for (const k of depths)
        for (const m of sizes)
          for (const n of sizes) {
            const miss = difference(product(left, right, m, n, k), part(zero.get(k)!, m, n));
            expect(miss, `${m} x ${n} x ${k}`).toBeUndefined();
          }
    },
  );

  it.each([...native.isas])("%s takes rows of a in runs of every height, no two elements side by side", (isa) => {
    native.use(isa);
    const spread = new Float32Array(2 * a.length);
    a.forEach((x, i) => {
      spread[2 * i] = x;
    });
    const left = { array: spread, steps: [2 * deepest, 2] as const };
    for (const m of sizes) {
      const got = product(left, laid(b, most, false), m, most, 257);
      expect(difference(got, part(zero.get(257)!, m, most)), `${m} rows`).toBeUndefined();
    }
  });

  it.each([...native.isas])("%s goes on from what is there", (isa) => {
    native.use(isa);
    for (const turned of [false, true])
      for (const m of [1, 5, most])
        for (const k of depths)
          for (const n of sizes) {
            const got = product(laid(a, deepest, false), laid(b, most, turned), m, n, k, { from: start });
            expect(difference(got, part(begun.get(k)!, m, n)), `${m} x ${n} x ${k}, turned ${turned}`).toBeUndefined();
          }
  });

  it("has the same bits with 1, 2, 3 and 5 threads, where there is work for them", () => {
    const [m, n, k] = [301, 203, 257];
    const [left, right] = [laid(numbers(m * k, 7), k, true), laid(numbers(k * n, 8), n, false)];
    native.setThreads(1);
    const expected = product(left, right, m, n, k);
    for (const count of [2, 3, 5]) {
      native.setThreads(count);
      expect(difference(product(left, right, m, n, k), expected), `${count} threads`).toBeUndefined();
    }
  });

  it("is near the true product in f64", () => {
    const [m, n, k] = [33, 17, 600];
    const [x, y, c] = [Float64Array.from(a), Float64Array.from(b), new Float64Array(m * n)];
    const words = [1, 1, m, n, k, 0, 0, 0, n, 1, 0, 0, 0, deepest, 1, 0, 0, 0, most, 1, 0, 0];
    native.run(K.gemm.id.f64, write(words), c, x, y, null, null, null);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let [sum, size] = [0, 0];
        for (let l = 0; l < k; l++) {
          sum += x[i * deepest + l]! * y[l * most + j]!;
          size += Math.abs(x[i * deepest + l]! * y[l * most + j]!);
        }
        expect(Math.abs(c[i * n + j]! - sum)).toBeLessThanOrEqual(2 * k * 2 ** -53 * size);
      }
  });
});

describe("gemm of one and two rows", () => {
  // Rows of b 2 KiB apart and of a b that no cache holds, which pass by from end to end, and others; tails of chains of
  // every kind; more columns than sums that wait at once; parts of columns for several threads.
  const shapes = [
    [512, 130],
    [512, 257],
    [1024, 771],
    [4096, 259],
    [4608, 1030],
    [784, 600],
  ] as const;
  it.each(shapes)("%i columns, %i deep", (n, k) => {
    const next = random(n + k);
    const y = Float32Array.from({ length: k * n }, () => next() - 0.5);
    const x = numbers(2 * k, 21);
    const begun = numbers(2 * n, 22);
    const run = (m: number, turned: boolean, add: boolean) => {
      const c = begun.slice(0, m * n);
      const b = laid(y, n, turned);
      const words = [
        1,
        1,
        m,
        n,
        k,
        0,
        0,
        0,
        n,
        1,
        0,
        0,
        0,
        k,
        1,
        0,
        0,
        0,
        ...b.steps,
        0,
        activations.relu,
        add ? 1 : 0,
      ];
      native.run(K.gemm.id.f32, write(words), c, x, b.array, begun, null, null);
      return c;
    };
    for (const m of [1, 2])
      for (const add of [false, true]) {
        native.use(best);
        native.setThreads(1);
        const expected = run(m, false, add);
        for (let e = 0; e < m * n; e += 1 + Math.floor((m * n) / 23)) {
          const [i, j] = [Math.floor(e / n), e % n];
          let sum = add ? begun[e]! : -0;
          for (let from = 0; from < k; from += chain) {
            let acc = 0;
            for (let l = from; l < Math.min(k, from + chain); l++) acc = fma(x[i * k + l]!, y[l * n + j]!, acc);
            sum = Math.fround(sum + acc);
          }
          expect(expected[e], `${m} rows, [${i}, ${j}]`).toBe(Math.max(0, Math.fround(sum + begun[j]!)));
        }
        for (const isa of native.isas)
          for (const count of isa === best ? [1, 2, 5] : [threads]) {
            native.use(isa);
            native.setThreads(count);
            for (const turned of [false, true])
              expect(
                difference(run(m, turned, add), expected),
                `${m} rows, ${isa}, ${count}, ${turned}`,
              ).toBeUndefined();
          }
      }
  });
});

describe("gemm deeper than one block", () => {
  const deepest = 9000;
  /** Big enough for every way to multiply: one run of rows, runs and panels, parts of C, all threads on one B. */
  const shapes = [
    [1, 70],
    [7, 33],
    [33, 65],
    [70, 3],
    [260, 64],
    [2050, 2],
    [2, 2050],
  ] as const;
  /** c[i, j] by the definition, k deep. */
  function defined(x: Float32Array, y: Float32Array, n: number, k: number, i: number, j: number, from: number): number {
    let sum = from;
    for (let begin = 0; begin < k; begin += chain) {
      let acc = 0;
      for (let l = begin; l < Math.min(k, begin + chain); l++) acc = fma(x[i * deepest + l]!, y[l * n + j]!, acc);
      sum = Math.fround(sum + acc);
    }
    return sum;
  }
  it.each(shapes)("%i x %i", (m, n) => {
    const [x, y, bias] = [numbers(m * deepest, m), numbers(deepest * n, n), numbers(n, 9)];
    const plain = [laid(x, deepest, false), laid(y, n, false)] as const;
    const turned = [laid(x, deepest, true), laid(y, n, true)] as const;
    for (const k of [4096, 4097, deepest]) {
      native.use(best);
      native.setThreads(threads);
      const expected = product(...plain, m, n, k, { bias, act: "relu" });
      for (let e = 0; e < m * n; e += 1 + Math.floor((m * n) / 41)) {
        const [i, j] = [Math.floor(e / n), e % n];
        const sum = Math.fround(defined(x, y, n, k, i, j, 0) + bias[j]!);
        expect(expected[i * (n + 3) + j], `[${i}, ${j}], ${k} deep`).toBe(sum > 0 ? sum : 0);
      }
      for (const isa of native.isas)
        for (const count of isa === best ? [1, 3] : [threads]) {
          native.use(isa);
          native.setThreads(count);
          const got = product(...turned, m, n, k, { bias, act: "relu" });
          expect(difference(got, expected), `${k} deep, ${isa}, ${count} threads`).toBeUndefined();
        }
    }
  });
  it.each([...native.isas])("%s goes on from what is there", (isa) => {
    native.use(isa);
    const [m, n] = [17, 19];
    const [x, y] = [numbers(m * deepest, 5), numbers(deepest * n, 6)];
    const got = product(laid(x, deepest, false), laid(y, n, false), m, n, deepest, { from: start });
    for (let e = 0; e < m * n; e += 7) {
      const [i, j] = [Math.floor(e / n), e % n];
      expect(got[i * (n + 3) + j]).toBe(defined(x, y, n, deepest, i, j, start[i * most + j]!));
    }
  });
  it("adds the same chains in f64", () => {
    const [x, y] = [Float64Array.from(numbers(deepest, 3)), Float64Array.from(numbers(deepest, 4))];
    const dot = (from: number, k: number): number => {
      const c = new Float64Array(1);
      const words = [1, 1, 1, 1, k, 0, 0, 0, 1, 1, from, 0, 0, k, 1, from, 0, 0, 1, 1, 0, 0];
      native.run(K.gemm.id.f64, write(words), c, x, y, null, null, null);
      return c[0]!;
    };
    let sum = 0;
    for (let from = 0; from < deepest; from += chain) sum += dot(from, Math.min(chain, deepest - from));
    expect(dot(0, deepest)).toBe(sum);
  });
});

describe("what follows the sums", () => {
  const [m, n] = [23, 37];
  const [x, y] = [laid(a, deepest, false), laid(b, most, false)];
  const bias = numbers(n, 11);
  /** A Map row on the padded result; padding stays NaN. */
  function mapped(kernel: Kernel, ...inputs: Float32Array[]): Float32Array {
    const out = new Float32Array(inputs[0]!.length);
    const row = rows[kernel.id.f32!]!;
    const words = [1, out.length, 0, 1, ...inputs.flatMap(() => [0, 1]), ...scalarsOf(row)];
    native.run(row.id, write(words), out, ...inputs);
    return out;
  }
  const add = (c: Float32Array): Float32Array => c.map((e, i) => e + (bias[i % (n + 3)] ?? Number.NaN));
  const named = { relu: K.relu, gelu: K.gelu, gelu_tanh: K.gelu_tanh, silu: K.silu, sigmoid: K.sigmoid, tanh: K.tanh };

  it.each([...native.isas].flatMap((isa) => [0, 1, 600].map((k) => ({ isa, k }))))("$isa, depth $k", ({ isa, k }) => {
    native.use(isa);
    const plain = product(x, y, m, n, k);
    const biased = add(plain);
    expect(difference(product(x, y, m, n, k, { bias }), biased)).toBeUndefined();
    for (const [act, kernel] of Object.entries(named)) {
      const z = new Float32Array(plain.length).fill(Number.NaN);
      const got = product(x, y, m, n, k, { bias, z, act: act as keyof typeof named });
      expect(difference(got, mapped(kernel, biased)), act).toBeUndefined();
      expect(difference(z, biased), `z of ${act}`).toBeUndefined();
    }
    const at = numbers(plain.length, 12);
    for (const [act, kernel] of [
      ["gelu", K.gelu_grad],
      ["gelu_tanh", K.gelu_tanh_grad],
      ["silu", K.silu_grad],
    ] as const) {
      const slope = mapped(kernel, Float32Array.from(at).fill(1), at);
      const got = product(x, y, m, n, k, { act, at });
      const expected = plain.map((e, i) => e * slope[i]!);
      expect(difference(got, expected), `slope of ${act}`).toBeUndefined();
    }
  });
});
