import { describe, expect, test } from "vitest";
import { init, Linear, NablaError, noGrad, Parameter, seed, type Tensor, zeros } from "../lib/index.ts";

const caught = (f: () => unknown): NablaError => {
  try {
    f();
  } catch (e) {
    if (e instanceof NablaError) return e;
    throw e;
  }
  throw new Error("nothing was thrown");
};

describe("init", () => {
  const values = (x: Tensor) => [...x.dataSync()] as number[];
  const spread = (x: Tensor) => {
    const all = values(x);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    return { mean, std: Math.sqrt(all.reduce((s, a) => s + (a - mean) ** 2, 0) / all.length), most: Math.max(...all) };
  };
  test.each<[string, (x: Tensor) => Tensor, { mean: number; std: number; most?: number }]>([
    ["uniform", (x) => init.uniform(x, 1, 3), { mean: 2, std: 2 / Math.sqrt(12), most: 3 }],
    ["normal", (x) => init.normal(x, 1, 0.5), { mean: 1, std: 0.5 }],
    ["xavierUniform", (x) => init.xavierUniform(x), { mean: 0, std: Math.sqrt(2 / 300), most: Math.sqrt(6 / 300) }],
    ["xavierNormal", (x) => init.xavierNormal(x, { gain: 2 }), { mean: 0, std: 2 * Math.sqrt(2 / 300) }],
    ["kaimingUniform", (x) => init.kaimingUniform(x), { mean: 0, std: Math.sqrt(2 / 200), most: Math.sqrt(6 / 200) }],
    ["kaimingNormal", (x) => init.kaimingNormal(x, { mode: "fanOut" }), { mean: 0, std: Math.sqrt(2 / 100) }],
    ["truncNormal", (x) => init.truncNormal(x, { std: 1, low: -1, high: 1 }), { mean: 0, std: 0.5396, most: 1 }],
  ])("%s", (_, fill, { mean, std, most }) => {
    seed(2);
    const x = new Parameter(zeros(100, 200));
    expect(fill(x)).toBe(x);
    const got = spread(x);
    expect(Math.abs(got.mean - mean)).toBeLessThan(0.03 * std);
    expect(Math.abs(got.std / std - 1)).toBeLessThan(0.02);
    if (most !== undefined) {
      expect(got.most).toBeLessThanOrEqual(most);
      expect(got.most).toBeGreaterThan(0.99 * most);
    }
  });
  test("constants, in strided memory too", () => {
    const { weight } = new Linear(3, 2);
    expect(init.constant(weight, 2).toArray()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ]);
    expect(values(init.ones(weight))).toEqual(Array(6).fill(1));
    expect(values(init.zeros(weight))).toEqual(Array(6).fill(0));
  });
  test.each([
    [6, 4],
    [4, 6],
    [5, 5],
    [3, 2, 2],
  ])("orthogonal %j", (...shape: number[]) => {
    seed(3);
    const q = noGrad(() => init.orthogonal(zeros(shape) as Tensor, { gain: 2 }).flatten(1));
    const [rows, columns] = q.shape as [number, number];
    const gram = (rows <= columns ? q.matmul(q.mT()) : q.mT().matmul(q)).toArray() as number[][];
    for (const [i, row] of gram.entries())
      for (const [j, v] of row.entries()) expect(v).toBeCloseTo(i === j ? 4 : 0, 5);
  });
  test("what cannot be drawn is refused", () => {
    expect(caught(() => init.xavierUniform(zeros(3))).message).toContain("needs a weight [out, in, ...], got [3]");
    expect(caught(() => init.truncNormal(zeros(3), { low: 50, high: 60 })).message).toContain(
      "cannot draw from N(0, 1²)",
    );
    expect(caught(() => init.gain("sine" as never)).message).toContain("no gain is known for sine");
  });
});
