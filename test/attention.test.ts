// The attention kernel against softmax(q kᵀ scale) v made of products, and what its bits may depend on.
import {
  autocast,
  checkGradient,
  checkpoint,
  compile,
  type NablaError,
  noGrad,
  randn,
  scaledDotProductAttention,
  seed,
  type Tensor,
} from "nabla";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { wrapArray } from "../lib/core/value.ts";
import { K } from "../lib/native.gen.ts";
import { attentionWeights, selfAttention } from "../lib/ops/attention.ts";
import { fromHeads, splitQkv } from "../lib/ops/heads.ts";
import { matmul } from "../lib/ops/matmul.ts";
import { chain, half, ofHalf } from "./rounding.ts";
import { difference, write } from "./signature.ts";

const [best, threads] = [native.isa(), native.threads()];
beforeEach(() => seed(11));
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
const farthest = (a: Tensor, b: Tensor): number => {
  const other = list(b);
  return Math.max(...list(a).map((x, i) => Math.abs(x - other[i]!)));
};
const tracked = (...shape: number[]): Tensor => {
  const x = randn(...shape) as Tensor;
  x.requiresGrad = true;
  return x;
};
const random = (mask: number[], share: number): Tensor => (randn(...mask) as Tensor).gt(share) as Tensor;

type Shape = readonly [b: number, heads: number, shared: number, queries: number, keys: number, e: number, w: number];
const shapes: [name: string, shape: Shape, causal: boolean, mask?: number[]][] = [
  ["causal, longer than a block of queries", [2, 3, 3, 131, 131, 16, 16], true],
  ["not causal, odd sizes", [1, 2, 2, 50, 77, 13, 21], false],
  ["fewer heads of keys, fewer keys than queries", [2, 6, 2, 61, 40, 8, 33], true],
  ["a mask a query", [2, 2, 1, 49, 65, 32, 8], false, [49, 65]],
  ["a mask of keys and order", [3, 2, 2, 60, 60, 5, 4], true, [3, 1, 1, 60]],
  ["one query", [1, 4, 2, 1, 90, 16, 16], false, [1, 1, 1, 90]],
];

describe.each(shapes)("%s", (_, [b, heads, shared, queries, keys, e, w], causal, maskShape) => {
  const make = () => ({
    q: tracked(b, heads, queries, e),
    k: tracked(b, shared, keys, e),
    v: tracked(b, shared, keys, w),
    dy: randn(b, heads, queries, w) as Tensor,
    mask: maskShape && random(maskShape, 0.3),
  });
  const gradients = ({ q, k, v, dy }: ReturnType<typeof make>, y: Tensor): Tensor[] => {
    for (const x of [q, k, v]) x.grad = null;
    y.mul(dy as never)
      .sum()
      .backward();
    return [y, q.grad, k.grad, v.grad] as Tensor[];
  };
  it("is what products and a softmax give, and so are its gradients", () => {
    const x = make();
    const { q, k, v, mask } = x;
    const fused = gradients(x, scaledDotProductAttention(q, k, v, { mask, causal }));
    const weights = attentionWeights(q, k, { mask, causal }) as Tensor;
    const wide = (t: Tensor) =>
      t
        .unsqueeze(2)
        .expand(b, shared, heads / shared, keys, -1)
        .reshape(b, heads, keys, -1);
    const composed = gradients(x, weights.matmul(wide(v) as never) as Tensor);
    fused.forEach((t, i) => {
      expect(farthest(t, composed[i]!), ["y", "dq", "dk", "dv"][i]).toBeLessThan(2e-5);
    });
  });
  it("has the same bits on every instruction set and for every number of threads", () => {
    const x = make();
    const run = () =>
      gradients(x, scaledDotProductAttention(x.q, x.k, x.v, { mask: x.mask, causal })).map((t) => list(t));
    native.use("scalar");
    native.setThreads(1);
    const expected = run();
    for (const isa of native.isas)
      for (const n of [1, 2, 3]) {
        native.use(isa);
        native.setThreads(n);
        expect(run(), `${isa}, ${n} threads`).toEqual(expected);
      }
  });
  it("in bf16 is near, and has the same bits on every instruction set and for every number of threads", () => {
    const x = make();
    const attend = () => scaledDotProductAttention(x.q, x.k, x.v, { mask: x.mask, causal });
    const exact = gradients(x, attend());
    const run = () => gradients(x, autocast("bf16", attend));
    native.use("scalar");
    native.setThreads(1);
    const expected = run();
    expected.forEach((t, i) => {
      const off = farthest(t, exact[i]!) / Math.max(...list(exact[i]!).map(Math.abs));
      expect(off, ["y", "dq", "dk", "dv"][i]).toBeLessThan(2e-2);
      expect(off, ["y", "dq", "dk", "dv"][i]).toBeGreaterThan(1e-4);
    });
    for (const isa of native.isas)
      for (const n of [1, 2, 3]) {
        native.use(isa);
        native.setThreads(n);
        expect(run().map(list), `${isa}, ${n} threads`).toEqual(expected.map(list));
      }
  });
});

it.each([...native.isas])("multiplies pairs of bf16 on %s: scores of one key by definition, values rounded", (isa) => {
  native.use(isa);
  const [heads, queries, e, w] = [2, 30, 7, 5];
  const [q, k, v] = [randn(1, heads, queries, e), randn(1, heads, 1, e), randn(1, heads, 1, w)] as Tensor[];
  const [y, log] = [new Float32Array(heads * queries * w), new Float32Array(heads * queries)];
  const steps = (...[h, n, c]: [number, number, number]) => [0, h * n * c, n * c, c, 1];
  const words = [1, heads, queries, w, e, heads, 1, ...steps(heads, queries, w), 0, ...steps(heads, queries, e)];
  words.push(...steps(heads, 1, e), ...steps(heads, 1, w), 0, 0.5);
  const data = [q, k, v].map((x) => x!.dataSync() as Float32Array) as [Float32Array, Float32Array, Float32Array];
  native.run(K.attention_bf16.id.f32 as number, write(words), y, log, ...data, null);
  const scale = Math.fround(0.5 * Math.LOG2E);
  const scores = log.map((_, i) => {
    const query = (l: number) => Math.fround(data[0][i * e + l]! * scale);
    return chain(e, query, (l) => data[1][Math.floor(i / queries) * e + l]!);
  });
  expect(difference(log, scores)).toBeUndefined();
  const values = y.map((_, i) => ofHalf(half(data[2][Math.floor(i / w / queries) * w + (i % w)]!)));
  expect(difference(y, values)).toBeUndefined();
});

it("gives each query of a cache the bits it has in the whole", () => {
  const [q, k, v] = [randn(1, 4, 100, 16), randn(1, 2, 100, 16), randn(1, 2, 100, 16)] as Tensor[];
  const whole = scaledDotProductAttention(q!, k!, v!, { causal: true });
  for (const i of [0, 11, 12, 47, 48, 63, 99]) {
    const mask = wrapArray(
      Uint8Array.from({ length: 128 }, (_, j) => Number(j <= i)),
      [1, 128],
      "bool",
    ) as Tensor;
    const memory = (x: Tensor) => x.pad([0, 0, 0, 28]) as Tensor;
    const one = scaledDotProductAttention(q!.slice(2, i, i + 1), memory(k!), memory(v!), { mask });
    expect(list(one)).toEqual(list(whole.slice(2, i, i + 1)));
  }
});

it("reads rows of q, k and v where they lie, with the bits of heads apart", () => {
  const x = tracked(2, 53, 3 * 4 * 8);
  const both = [
    () => selfAttention(x, 4, { causal: true }) as Tensor,
    () => {
      const { q, k, v } = splitQkv(x, 4) as Record<"q" | "k" | "v", Tensor>;
      return fromHeads(scaledDotProductAttention(q, k, v, { causal: true })) as Tensor;
    },
  ].map((f) => {
    x.grad = null;
    const y = f();
    y.square().sum().backward();
    return [list(y), list(x.grad as unknown as Tensor)];
  });
  expect(both[0]).toEqual(both[1]);
});

it("is differentiable twice", () => {
  const sizes = { dtype: "f64" } as const;
  const inputs = [randn([1, 2, 3, 2], sizes), randn([1, 1, 4, 2], sizes), randn([1, 1, 4, 3], sizes)];
  const f = (q: Tensor, k: Tensor, v: Tensor) => scaledDotProductAttention(q, k, v, { causal: true }).square().sum();
  checkGradient(f, inputs, { order: 2 } as never);
});

it("trains compiled and checkpointed with the bits of an eager step", () => {
  const w = tracked(24, 24 * 3);
  const x = randn(2, 50, 24) as Tensor;
  const layer = (h: Tensor) => selfAttention(matmul(h, w), 3, { causal: true }) as Tensor;
  const step = (again: boolean) => (h: Tensor) => {
    w.grad = null;
    const y = (again ? checkpoint(layer)(h) : layer(h)).square().mean() as Tensor;
    y.backward();
    return [y, w.grad as unknown as Tensor];
  };
  const expected = step(false)(x).map(list);
  expect(step(true)(x).map(list)).toEqual(expected);
  for (const again of [false, true]) {
    using compiled = compile(step(again));
    for (let i = 0; i < 3; i++) expect((compiled.sync(x) as Tensor[]).map(list)).toEqual(expected);
  }
});

describe("hostile calls", () => {
  const row = K.attention.id.f32!;
  const call = (words: number[], ...arrays: (Float32Array | Uint8Array | null)[]): string => {
    native.words.set(words);
    try {
      native.run(row, words.length, ...arrays);
    } catch (error) {
      return (error as NablaError).code ?? String(error);
    }
    return "ran";
  };
  const x = new Float32Array(64);
  const steps = (n: number) => [0, n, n, n, 1];
  // b heads queries w e shared keys, then y, q, k, v with their steps, causal, scale
  const words = (sizes: number[], step = 0) => [...sizes, 0, 0, 0, 0, 1, ...[1, 2, 3].flatMap(() => steps(step)), 1, 1];
  it("are refused when they reach outside, and when their memory cannot exist", () => {
    const y = new Float32Array(64);
    expect(call(words([1, 1, 1, 2, 2, 1, 3]), y, null, x, x, x, null)).toBe("ran");
    expect(call(words([1, 1, 1, 2, 2, 1, 90], 2), y, null, x, x, x, null)).toBe("ERR_NABLA_SHAPE");
    expect(call(words([1, 1, 1, 2, 2, 1, 2 ** 50]), y, null, x, x, x, null)).not.toBe("ran");
    expect(call(words([2, 3, 1, 2, 2, 2, 0]), y, null, x, x, x, null)).toBe("ran");
    expect(call(words([1, 3, 1, 2, 2, 2, 3]), y, null, x, x, x, null)).toBe("ran");
    expect(call(words([1, 1, 1, 2, 2, 1, 3]), x, null, x, x, x, null)).toBe("ERR_NABLA_OVERLAP");
  });
  it("may write windows that lie between each other, and none that share an element", () => {
    const grad = (k: number, width: number): string => {
      const [to, log] = [new Float32Array(2 * 3 * 3 * width + 9), new Float32Array(3 * 2 * 2)];
      const from = to.slice();
      // b 2, heads 1, queries 3, e 2, shared 1, keys 3, w 2; rows [q | k | v] of 3 width numbers
      const at = (offset: number) => [offset, 9 * width, width, 3 * width, 1];
      const dy = [0, 6, 6, 2, 1];
      const words = [2, 1, 3, 2, 1, 3, 2, ...at(0), ...at(k), ...at(2 * width), ...dy];
      native.words.set([...words, ...at(0), ...at(width), ...at(2 * width), 0, 1, 1]);
      try {
        native.run(K.attention_grad.id.f32!, words.length + 18, to, to, to, from, from, from, from, log, null);
      } catch (error) {
        return (error as NablaError).code;
      }
      return "ran";
    };
    expect([grad(2, 2), grad(3, 3), grad(1, 2), grad(3, 2), grad(4, 3), grad(8, 3)]).toEqual([
      "ran",
      "ran",
      "ERR_NABLA_OVERLAP",
      "ERR_NABLA_OVERLAP",
      "ran",
      "ERR_NABLA_OVERLAP",
    ]);
  });
  it("answer with zeros where there is no key", () => {
    const none = noGrad(() =>
      scaledDotProductAttention(randn(1, 2, 3, 4), randn(1, 2, 0, 4), randn(1, 2, 0, 5), { causal: true }),
    );
    expect(list(none)).toEqual(Array(30).fill(0));
  });
});
