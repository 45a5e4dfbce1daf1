import { afterEach, describe, expect, it } from "vitest";
import { compile } from "../lib/compile/compile.ts";
import { native } from "../lib/core/native.ts";
import { type Value, wrapArray } from "../lib/core/value.ts";
import { walk } from "../lib/engine/tape.ts";
import * as ops from "../lib/ops/index.ts";
import { code } from "./code.ts";
import { bits, elements } from "./sample.ts";

/** Philox4x32-10 as Salmon et al. write it: the four words of a block. */
function philox(seed: bigint, counter: bigint): number[] {
  const low = (x: bigint) => x & 0xffffffffn;
  let c = [low(counter), counter >> 32n, 0n, 0n] as [bigint, bigint, bigint, bigint];
  let [k0, k1] = [low(seed), seed >> 32n];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [c[0] * 0xd2511f53n, c[2] * 0xcd9e8d57n];
    c = [(b >> 32n) ^ c[1] ^ k0, low(b), (a >> 32n) ^ c[3] ^ k1, low(a)];
    k0 = low(k0 + 0x9e3779b9n);
    k1 = low(k1 + 0xbb67ae85n);
  }
  return c.map(Number);
}
/** What 64 uniform numbers make of 16 blocks: word w of block l is number 16 w + l, its upper 24 bits an f32. */
const expected = (seed: bigint, counter: bigint): number[] =>
  Array.from({ length: 64 }, (_, e) => {
    const words = philox(seed, counter + BigInt(e % 16));
    return (words[Math.floor(e / 16)]! >>> 8) / 2 ** 24;
  });

describe("the generator", () => {
  it("is Philox4x32-10", () => {
    expect(philox(0n, 0n)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]); // the authors' known answer
    for (const seed of [0n, 42n, 0xa4093822299f31d0n]) {
      ops.manualSeed(seed);
      expect(elements(ops.uniform([64]))).toEqual(expected(seed, 0n));
      expect(elements(ops.uniform([64]))).toEqual(expected(seed, 64n));
    }
  });
  it("carries into the upper half of its counter", () => {
    ops.setRngState(wrapArray(Int32Array.of(5, 6, -3, 0), [4], "i32"));
    expect(elements(ops.uniform([64]))).toEqual(expected(5n | (6n << 32n), 2n ** 32n - 3n));
    expect(elements(ops.getRngState())).toEqual([5, 6, 61, 1]);
  });
  it("repeats from a seed or a saved state, and goes on otherwise", () => {
    ops.manualSeed(1);
    const first = elements(ops.normal([10]));
    const saved = ops.getRngState();
    const second = elements(ops.normal([10]));
    expect(second).not.toEqual(first);
    ops.setRngState(saved);
    expect(elements(ops.normal([10]))).toEqual(second);
    ops.manualSeed(1n);
    expect(elements(ops.normal([10]))).toEqual(first);
  });
  it("takes whole numbers up to 2^53 - 1 and bigints below 2^64 as seeds, and no others", () => {
    for (const seed of [0, 2 ** 53 - 1, 2n ** 64n - 1n]) expect(code(() => ops.manualSeed(seed))).toBe("none");
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN, -1n, 2n ** 64n, "7", null])
      expect(code(() => ops.manualSeed(seed as number))).toBe("ERR_NABLA_VALUE");
    expect(code(() => ops.setRngState(ops.zeros([4])))).toBe("ERR_NABLA_VALUE");
  });
});

describe("the same bits", () => {
  const [best, threads] = [native.isa(), native.threads()];
  afterEach(() => {
    native.use(best);
    native.setThreads(threads);
  });
  const everything = (): Uint8Array[] => {
    ops.manualSeed(9);
    const drawn: Value[] = [
      ops.uniform([70_001], -1, 3),
      ops.uniform([517], 0, 1, "f64"),
      ops.normal([40_003], 1, 2),
      ops.normal([77], 0, 1, "f64"),
      ops.randint([3, 50], -5, 17),
      ops.randperm(1000),
      ops.bernoulli([40_000], 0.3),
      ops.bernoulli(ops.uniform([333])),
      ops.dropout(ops.ones([40_001]), 0.4),
      ops.getRngState(),
    ];
    return drawn.map(bits);
  };
  it("on every instruction set with every number of threads", () => {
    native.use("scalar");
    native.setThreads(1);
    const reference = everything();
    for (const isa of native.isas)
      for (const n of [1, 3]) {
        native.use(isa);
        native.setThreads(n);
        everything().forEach((x, i) => {
          expect(Buffer.compare(x, reference[i]!), `result ${i}, ${isa}, ${n} threads`).toBe(0);
        });
      }
  });
});

const count = 200_000;
const mean = (x: readonly number[]): number => x.reduce((s, e) => s + e, 0) / x.length;
const moment = (x: readonly number[], order: number): number => {
  const m = mean(x);
  return mean(x.map((e) => (e - m) ** order));
};
/** Five standard errors: one run in a million fails, and the seed is fixed. */
const near = (got: number, wanted: number, deviation: number): void => {
  expect(Math.abs(got - wanted)).toBeLessThan((5 * deviation) / Math.sqrt(count));
};

describe.each(["f32", "f64"] as const)("distributions in %s", (dtype) => {
  it("uniform", () => {
    ops.manualSeed(3);
    const x = elements(ops.uniform([count], -2, 4, dtype));
    expect(x.every((e) => e >= -2 && e < 4)).toBe(true);
    near(mean(x), 1, Math.sqrt(3));
    near(moment(x, 2), 3, 3);
  });
  it("normal", () => {
    ops.manualSeed(4);
    const x = elements(ops.normal([count], 1, 2, dtype));
    near(mean(x), 1, 2);
    near(moment(x, 2), 4, 4 * Math.SQRT2);
    near(moment(x, 3) / 8, 0, Math.sqrt(15));
    near(moment(x, 4) / 16, 3, Math.sqrt(96));
  });
});

describe("whole numbers and choices", () => {
  it("randint gives each number from low to below high alike", () => {
    ops.manualSeed(5);
    const seen = new Map<number, number>();
    for (const e of elements(ops.randint([count], -2, 3))) seen.set(e, (seen.get(e) ?? 0) + 1);
    expect([...seen.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    for (const n of seen.values()) near(n / count, 0.2, 0.4);
    const wide = elements(ops.randint([1000], -(2 ** 31), 2 ** 31 - 1));
    expect(wide.some((e) => e < -(2 ** 30)) && wide.some((e) => e > 2 ** 30)).toBe(true);
  });
  it("randperm holds every number once, each place alike", () => {
    ops.manualSeed(6);
    expect(elements(ops.randperm(1000)).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = elements(ops.randperm(3)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(150);
  });
  it("bernoulli is true with probability p, one for all or one each", () => {
    ops.manualSeed(7);
    const x = ops.bernoulli([count], 0.3);
    expect(x.dtype).toBe("bool");
    near(mean(elements(x)), 0.3, Math.sqrt(0.21));
    expect(elements(ops.bernoulli([9], 0))).toEqual(Array(9).fill(0));
    expect(elements(ops.bernoulli([9], 1))).toEqual(Array(9).fill(1));
    const p = wrapArray(
      Float32Array.from({ length: count }, (_, i) => (i % 2 ? 0.8 : 0)),
      [count],
      "f32",
    );
    const y = elements(ops.bernoulli(p));
    expect(y.every((e, i) => e === 0 || i % 2 === 1)).toBe(true);
    near(mean(y), 0.4, Math.sqrt(0.24));
  });
  it("refuses ranges and probabilities that there are not", () => {
    const bad = [
      () => ops.uniform([2], 1, 0),
      () => ops.uniform([2], -3e38, 3e38),
      () => ops.uniform([2], Number.NaN),
      () => ops.normal([2], 0, -1),
      () => ops.randint([2], 3, 3),
      () => ops.randint([2], 0, 2 ** 31),
      () => ops.bernoulli([2], 1.5),
      () => ops.dropout(ops.ones([2]), -0.1),
    ];
    for (const f of bad) expect(code(f)).toBe("ERR_NABLA_VALUE");
    expect(code(() => ops.uniform([2], 0, 1, "i32"))).toBe("ERR_NABLA_DTYPE");
    expect(code(() => ops.dropout(ops.ones([2], "i32")))).toBe("ERR_NABLA_DTYPE");
    expect(code(() => ops.randperm(-1))).toBe("ERR_NABLA_SHAPE");
  });
});

describe("dropout", () => {
  it("keeps 1 - p of the elements, scaled by 1 / (1 - p), and sends the gradient the same way", () => {
    ops.manualSeed(8);
    const x = ops.full([count], 3);
    x.requiresGrad = true;
    const y = ops.dropout(x, 0.25);
    const kept = elements(y).filter((e) => e !== 0);
    expect(new Set(kept)).toEqual(new Set([4]));
    near(kept.length / count, 0.75, Math.sqrt(0.1875));
    const [g] = walk([{ value: y, grad: ops.full([count], 1.5) }], [x]);
    expect(elements(g!)).toEqual(elements(y).map((e) => e / 2));
  });
  it("draws another mask each time, none in evaluation and none for p = 0", () => {
    const x = ops.ones([100]);
    expect(elements(ops.dropout(x))).not.toEqual(elements(ops.dropout(x)));
    expect(ops.dropout(x, 0.5, false)).toBe(x);
    expect(ops.dropout(x, 0)).toBe(x);
    expect(elements(ops.dropout(x, 1))).toEqual(Array(100).fill(0));
  });
});

describe("a compiled step", () => {
  it("draws what the same calls draw one by one", () => {
    const draw = (x: Value) => [ops.uniform([5]), ops.dropout(x, 0.5), ops.uniform([5])];
    const x = ops.ones([40]);
    ops.manualSeed(11);
    const eager = Array.from({ length: 6 }, () => draw(x).map(elements));
    ops.manualSeed(11);
    using step = compile(draw);
    const compiled = Array.from({ length: 6 }, () => (step.sync(x) as Value[]).map(elements));
    expect(compiled).toEqual(eager);
    expect(new Set(eager.flat().map(String)).size).toBe(18);
  });
});
