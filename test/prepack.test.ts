// Products with a packed weight against those that read it where it lies: the same bits, whatever the shape, the layout, the
// instruction set or the number of threads.
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { K } from "../lib/native.gen.ts";
import { activations } from "../lib/ops/matmul.ts";
import { difference, wild, write } from "./signature.ts";

const [best, threads] = [native.isa(), native.threads()];
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

const [inPlace, ready, making] = [0, 1, 2];
const lengthOf = (n: number, k: number) => Math.ceil(n / 48) * 48 * k;

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** b is the transpose of [n, k] in memory. */
  readonly turned: boolean;
  /** Ends with a bias, silu, and what there was before it. */
  readonly finish?: boolean;
}
const operands = ({ m, n, k }: Sizes) => ({
  a: wild("f32", m * k, 1) as Float32Array,
  b: wild("f32", k * n, 2) as Float32Array,
  bias: wild("f32", n, 3) as Float32Array,
});
type Operands = ReturnType<typeof operands>;

/** c, and z behind it: the product itself, or with a packed copy of b. */
function product(sizes: Sizes, { a, b, bias }: Operands, copy?: Float32Array, how = making): Float32Array {
  const { m, n, k, turned, finish } = sizes;
  const [c, z] = [new Float32Array(2 * m * n), new Float32Array(m * n)];
  const own = [0, 0, 0, n, 1];
  const walks = [...own, 0, 0, 0, k, 1, 0, 0, 0, ...(turned ? [1, k] : [n, 1])];
  const end = finish ? [0, ...own, activations.silu] : [activations.none];
  const others = finish ? [bias, z, null] : [null, null, null];
  if (copy) {
    const count = write([1, 1, m, n, k, copy.length, 1, ...walks, 0, 0, ...end]);
    native.run(K.matmul_packed.id.f32, count, c, a, b, copy, Int32Array.of(how), ...others);
  } else native.run(K.matmul.id.f32, write([1, 1, m, n, k, ...walks, ...end]), c, a, b, ...others);
  c.set(z, m * n);
  return c;
}

const rows = [1, 2, 3, 4, 5, 8, 9, 10, 13, 16, 18, 33, 64];
const columns = [1, 15, 47, 48, 49, 96, 131];
describe.each(native.isas)("%s", (isa) => {
  it("gives the bits of the product, with a copy that it makes and with one that was made", () => {
    native.use(isa);
    for (const m of rows)
      for (const n of columns)
        for (const [turned, k] of [
          [false, 33],
          [true, 33],
          [true, 1],
          [false, 96],
        ] as const) {
          const sizes = { m, n, k, turned, finish: m % 2 === 1 };
          const all = operands(sizes);
          const copy = new Float32Array(lengthOf(n, k));
          const expected = product(sizes, all);
          for (const how of [making, ready])
            expect(difference(product(sizes, all, copy, how), expected), `${m}, ${n}, ${k}, ${how}`).toBeUndefined();
        }
  });
  it("sums many chains", () => {
    native.use(isa);
    const sizes = { m: 2, n: 2110, k: 4100, turned: false, finish: true };
    const all = operands(sizes);
    const copy = new Float32Array(lengthOf(sizes.n, sizes.k));
    const expected = product(sizes, all);
    for (const how of [making, ready]) expect(difference(product(sizes, all, copy, how), expected)).toBeUndefined();
  });
});

it("gives them with any number of threads", () => {
  const sizes = { m: 7, n: 1009, k: 257, turned: true };
  const all = operands(sizes);
  const expected = product(sizes, all);
  for (const count of [1, 2, 3, 8]) {
    native.setThreads(count);
    const copy = new Float32Array(lengthOf(sizes.n, sizes.k));
    for (const how of [making, ready]) expect(difference(product(sizes, all, copy, how), expected)).toBeUndefined();
  }
});

it("reads a copy that another instruction set made", () => {
  const sizes = { m: 3, n: 77, k: 50, turned: true };
  const all = operands(sizes);
  const copy = new Float32Array(lengthOf(sizes.n, sizes.k));
  for (const maker of native.isas) {
    native.use(maker);
    const expected = product(sizes, all, copy, making);
    for (const reader of native.isas) {
      native.use(reader);
      expect(difference(product(sizes, all, copy, ready), expected)).toBeUndefined();
    }
  }
});

it("takes the copy for b where it is told to, and b where it is not or the copy has another size", () => {
  const sizes = { m: 2, n: 50, k: 8, turned: false };
  const all = operands(sizes);
  const expected = product(sizes, all);
  const zeros = new Float32Array(lengthOf(50, 8));
  const small = new Float32Array(lengthOf(50, 8) - 1);
  expect(difference(product(sizes, all, zeros, inPlace), expected)).toBeUndefined();
  expect(difference(product(sizes, all, zeros, 3), expected)).toBeUndefined();
  for (const how of [making, ready]) expect(difference(product(sizes, all, small, how), expected)).toBeUndefined();
  expect([...zeros, ...small].every((x) => x === 0)).toBe(true);
  expect(difference(product(sizes, { ...all, a: all.a.fill(1) }, zeros, ready), expected)).toBeDefined();
});
