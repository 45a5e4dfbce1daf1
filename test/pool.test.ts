// Pools on every instruction set, and pools that a compiled step joins with relu: the same bits.
import { afterEach, describe, expect, test } from "vitest";
import { print } from "../lib/compile/graph.ts";
import { removeDead } from "../lib/compile/passes/dead.ts";
import { rectifyPools } from "../lib/compile/passes/rectify.ts";
import { native } from "../lib/core/native.ts";
import type { Value } from "../lib/core/value.ts";
import { walk } from "../lib/engine/tape.ts";
import { compile, randn, seed, type Tensor } from "../lib/index.ts";
import * as ops from "../lib/ops/index.ts";
import { graphOf } from "./compile/listing.ts";
import { bits, elements } from "./sample.ts";

const best = native.isa();
const threads = native.threads();
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

type Pool = (x: Value) => { y: Value; index?: Value };
const largest =
  (kernel: number | number[], options: ops.MaxPoolOptions = {}): Pool =>
  (x) =>
    ops.maxPool2dWithIndices(x, kernel, options);
const mean =
  (kernel: number | number[], options: ops.AvgPoolOptions = {}): Pool =>
  (x) => ({ y: ops.avgPool2d(x, kernel, options) });
const pools: Record<string, { x: number[]; pool: Pool }> = {
  "windows of 2 x 2": { x: [3, 5, 28, 28], pool: largest(2) },
  "windows of 2 x 2 in rows of several words": { x: [1, 2, 6, 70], pool: largest(2) },
  "windows of 2 x 2 that leave a row and a column": { x: [2, 3, 9, 15], pool: largest(2) },
  "windows of 2 x 2 that reach over the end": { x: [2, 3, 9, 15], pool: largest(2, { ceilMode: true }) },
  "windows of 3 x 2 side by side": { x: [2, 3, 12, 38], pool: largest([3, 2]) },
  "windows of 3 x 3 with a border": { x: [2, 3, 37, 41], pool: largest(3, { stride: 2, padding: 1 }) },
  "windows that overlap": { x: [2, 3, 20, 35], pool: largest([2, 3], { stride: 1, dilation: [3, 2] }) },
  "means of 2 x 2": { x: [3, 5, 28, 28], pool: mean(2) },
  "means with a border": { x: [2, 3, 37, 41], pool: mean(3, { stride: 2, padding: 1 }) },
  "means that overlap": { x: [2, 3, 20, 35], pool: mean([2, 3], { stride: 1, padding: 1, countIncludePad: false }) },
};
function run(x: Value, pool: Pool): { [name: string]: Value } {
  const a = ops.copy(x);
  a.requiresGrad = true;
  const { y, index } = pool(a);
  const cotangent = ops.cos({ x: ops.reshape(ops.cast(ops.arange(0, y.size), x.dtype), y.shape) });
  const [dx] = walk([{ value: y, grad: cotangent }], [a]);
  return { y, dx: dx!, ...(index && { index }) };
}

describe.each(Object.entries(pools))("%s", (_, { x: shape, pool }) => {
  /** A few values are equal, a few NaN. */
  const input = () => {
    seed(3);
    const x = ops.round({ x: ops.mul({ a: randn(...shape), b: 4 }) });
    return ops.where({ condition: ops.eq({ a: x, b: 11 }), a: Number.NaN, b: x });
  };
  test("agrees with its definition in f64", () => {
    const x = input();
    const [got, exact] = [run(x, pool), run(ops.cast(x, "f64"), pool)];
    for (const name of Object.keys(got)) {
      const ref = elements(exact[name]!);
      elements(got[name]!).forEach((v, i) => {
        if (Number.isNaN(ref[i])) expect(v).toBeNaN();
        else expect(Math.abs(v - ref[i]!), name).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(ref[i]!)));
      });
    }
  });
  test("has the same bits on every instruction set and number of threads", () => {
    const x = input();
    native.setThreads(1);
    native.use("scalar");
    const expected = run(x, pool);
    for (const isa of native.isas) {
      for (const count of [1, 3]) {
        native.use(isa);
        native.setThreads(count);
        const got = run(x, pool);
        for (const name of Object.keys(expected))
          expect(Buffer.compare(bits(got[name]!), bits(expected[name]!)), `${name}, ${isa}, ${count} threads`).toBe(0);
      }
    }
  });
});

describe("relu before a pool", () => {
  const step = (kernel: number, stride: number) => (x: Tensor, weight: Tensor) => {
    x.requiresGrad = true;
    const y = ops.maxPool2d(ops.relu({ x: ops.mul({ a: x, b: 2 }) }), kernel, { stride });
    const [dx] = walk([{ value: y, grad: ops.mul({ a: weight, b: 1 }) }], [x]);
    return [y, dx] as [Value, Value];
  };
  const inputs = (outputs: number[]): [Tensor, Tensor] => {
    seed(5);
    const x = randn(2, 3, 8, 34) as Tensor;
    x.storage.array.set([-0, -1, -2, Number.NaN, -0, -0, 0, Infinity, -3, 0, -0, 0], 0);
    x.storage.array.set([-1, -0, -2, -3, 0, -0, -0, -Infinity, 0, -3, 0, -0], 34);
    const weight = randn(...outputs) as Tensor;
    weight.storage.array.set([-1, Number.NaN, -Infinity, 1, -0, 2]);
    return [x, weight];
  };
  const names = (g: Parameters<typeof print>[0]) => g.steps.map((s) => s.kernel.name);

  test.each(["f32", "f64"] as const)("joins the pool, and its slope the gradient, bit for bit: %s", (dtype) => {
    const [x, weight] = inputs([2, 3, 4, 17]).map((v) => ops.cast(v, dtype)) as [Tensor, Tensor];
    const g = removeDead(graphOf(step(2, 2) as never, x, weight));
    expect(names(g).filter((name) => /relu|pool/.test(name))).toEqual([
      "relu",
      "max_pool",
      "max_pool_grad",
      "relu_grad",
    ]);
    expect(names(rectifyPools(g)).filter((name) => /relu|pool/.test(name))).toEqual(["max_pool", "max_pool_grad"]);
    for (const isa of native.isas) {
      native.use(isa);
      const eager = step(2, 2)(ops.copy(x) as Tensor, weight);
      const compiled = compile(step(2, 2) as never).sync(...([x, weight] as never[])) as unknown as [Value, Value];
      compiled.forEach((value, i) => {
        expect(Buffer.compare(bits(value), bits(eager[i]!)), `${["y", "dx"][i]}, ${isa}`).toBe(0);
      });
    }
  });
  test("stays where windows overlap, or somebody else reads it", () => {
    const [x, weight] = inputs([2, 3, 7, 33]);
    const overlapping = removeDead(graphOf(step(2, 1) as never, x, weight));
    expect(print(rectifyPools(overlapping))).toBe(print(overlapping));
    const shared = removeDead(
      graphOf((v) => {
        const z = ops.relu({ x: ops.mul({ a: v, b: 2 }) });
        return [ops.maxPool2d(z, 2), ops.exp({ x: z })];
      }, x),
    );
    expect(print(rectifyPools(shared))).toBe(print(shared));
  });
});
