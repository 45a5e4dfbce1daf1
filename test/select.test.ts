// Selection, order and positions where golden values do not reach: bad indices, ties, NaN, empty results.
import { describe, expect, it } from "vitest";
import { compile } from "../lib/compile/compile.ts";
import type { NablaError } from "../lib/core/errors.ts";
import type { Value } from "../lib/core/value.ts";
import { walk } from "../lib/engine/tape.ts";
import * as ops from "../lib/ops/index.ts";
import { elements } from "./sample.ts";

const f32 = (data: ops.NestedData) => ops.fromNested(data, "f32");
const i32 = (data: ops.NestedData) => ops.fromNested(data, "i32");
const thrown = (f: () => unknown): NablaError => {
  try {
    f();
  } catch (error) {
    return error as NablaError;
  }
  throw new Error("nothing was thrown");
};
const gradient = (x: Value, y: Value): number[] =>
  elements(walk([{ value: y, grad: ops.ones(y.shape, y.dtype) }], [x])[0]!);
const leaf = (data: ops.NestedData): Value => Object.assign(f32(data), { requiresGrad: true });

describe("indices", () => {
  const x = f32([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  it("are named with position, value and range where they lie outside", () => {
    const cases: [string, () => unknown][] = [
      [
        "gather: index 3 at [1, 0] is outside 0..2",
        () =>
          ops.gather(
            x,
            1,
            i32([
              [0, 1],
              [3, 0],
            ]),
          ),
      ],
      ["gather: index -1 at [0, 1] is outside 0..2", () => ops.gather(x, 1, i32([[0, -1]]))],
      ["indexSelect: index 7 at [2] is outside 0..1", () => ops.indexSelect(x, 0, i32([0, 1, 7]))],
      ["embedding: index 2 at [0, 1] is outside 0..1", () => ops.embedding(x, i32([[0, 2]]))],
      ["scatterAdd: index 5 at [0, 0] is outside 0..2", () => ops.scatterAdd(x, 1, i32([[5]]), 1)],
      ["indexCopy: index -9 at [0] is outside 0..1", () => ops.indexCopy(x, 0, i32([-9]), f32([[1, 2, 3]]))],
      ["oneHot: index 4 at [1] is outside 0..3", () => ops.oneHot(i32([0, 4]), 4)],
      ["index: index -3 at [0] is outside 0..1", () => ops.index(x, [i32([-5])])],
      ["gather: index 0 at [0, 0] is outside 0..-1", () => ops.gather(ops.zeros([1, 0]), 1, i32([[0]]))],
    ];
    for (const [sentence, f] of cases) {
      const error = thrown(f);
      expect([error.code, error.message.split("\n")[0]]).toEqual(["ERR_NABLA_INDEX", sentence]);
    }
  });
  it("may be bool or u8, and not floats", () => {
    expect(elements(ops.indexSelect(x, 0, ops.fromNested([true, false])))).toEqual([4, 5, 6, 1, 2, 3]);
    expect(thrown(() => ops.indexSelect(x, 0, f32([0]))).code).toBe("ERR_NABLA_DTYPE");
  });
  it("are checked in every run of a compiled step", () => {
    const pick = (at: Value) => [ops.embedding(x, at), ops.indexAdd(x, 0, at, ops.ones([2, 3]))];
    using step = compile(pick);
    for (let i = 0; i < 3; i++) expect(elements(step.sync(i32([1, 0]))[0]!)).toEqual([4, 5, 6, 1, 2, 3]);
    const error = thrown(() => step.sync(i32([1, 9])));
    expect([error.code, error.message.split("\n")[0]]).toEqual([
      "ERR_NABLA_INDEX",
      "embedding: index at [1] is outside 0..1",
    ]);
    expect(elements(step.sync(i32([0, 0]))[1]!)).toEqual([3, 4, 5, 4, 5, 6]);
  });
  it("of a padding row leave its gradient 0, at every order", () => {
    const w = leaf([
      [1, 2],
      [3, 4],
    ]);
    const y = ops.embedding(w, i32([[0, 1, 1]]), -1);
    expect(gradient(w, ops.mul({ a: y, b: y }))).toEqual([2, 4, 0, 0]);
  });
  it("of shapes that do not fit are refused", () => {
    for (const f of [
      () => ops.gather(x, 1, i32([0])),
      () => ops.gather(x, 1, ops.zeros([3, 1], "i32")),
      () => ops.scatter(x, 1, i32([[0], [1]]), f32([[1]])),
      () => ops.indexAdd(x, 0, i32([0]), f32([[1, 2]])),
      () => ops.indexSelect(x, 0, i32([[0]])),
      () => ops.embedding(f32([1, 2]), i32([0])),
    ])
      expect(thrown(f).code).toBe("ERR_NABLA_SHAPE");
  });
});

describe("positions", () => {
  it("nonzero, maskedSelect and unique, down to none", () => {
    const x = f32([
      [0, 3, 0],
      [5, 0, 3],
    ]);
    expect(elements(ops.nonzero(x))).toEqual([0, 1, 1, 0, 1, 2]);
    expect(ops.nonzero(ops.zeros([2, 2])).shape).toEqual([0, 2]);
    expect(elements(ops.maskedSelect(x, ops.fromNested([[true], [false]])))).toEqual([0, 3, 0]);
    expect(ops.maskedSelect(x, ops.zeros([1, 1], "bool")).shape).toEqual([0]);
    expect(elements(ops.unique(x))).toEqual([0, 3, 5]);
    expect(ops.unique(ops.zeros([0])).shape).toEqual([0]);
  });
  it("where a mask is true are an index, or several", () => {
    const x = f32([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const mask = ops.fromNested([
      [true, false, true],
      [false, true, false],
    ]);
    const [rows, columns] = [ops.fromNested([false, true]), ops.fromNested([true, true, false])];
    expect(elements(ops.index(x, [mask]))).toEqual([1, 3, 5]);
    expect(elements(ops.index(x, [rows]))).toEqual([4, 5, 6]);
    expect(elements(ops.index(x, [i32([1, 0]), columns]))).toEqual([4, 2]);
    expect(elements(ops.indexPut(x, [mask], f32([7, 8, 9])))).toEqual([7, 2, 8, 4, 9, 6]);
    expect(ops.index(x, [ops.fromNested([false, false])]).shape).toEqual([0, 3]);
    expect(thrown(() => ops.index(x, [columns])).message).toContain("index: a mask [3] does not cover dims [2]");
  });
  it("cannot be counted in a compiled step", () => {
    using step = compile((x: Value) => ops.nonzero(x));
    expect(thrown(() => step.sync(f32([1, 0]))).code).toBe("ERR_NABLA_COMPILE");
  });
});

describe("order", () => {
  const nan = Number.NaN;
  it("keeps equal elements in place, NaN greatest, both ways", () => {
    const x = f32([3, nan, -1, 3, -0, 0]);
    expect(elements(ops.sort(x).indices)).toEqual([2, 4, 5, 0, 3, 1]);
    expect(elements(ops.sort(x, 0, true).indices)).toEqual([1, 0, 3, 4, 5, 2]);
    expect(elements(ops.topk(x, 3).indices)).toEqual([1, 0, 3]);
    expect(elements(ops.kthvalue(x, 2).values)).toEqual([-0]);
  });
  it("median is the lower middle, and NaN where there is one", () => {
    const x = f32([
      [4, 1, 3, 2],
      [1, nan, 0, nan],
    ]);
    const { values, indices } = ops.median(x, 1);
    expect([elements(values), elements(indices)]).toEqual([
      [2, nan],
      [3, 1],
    ]);
    expect(elements(ops.median(f32([5, 1, 9])))).toEqual([5]);
    expect(elements(ops.median(i32([[3, 1, 2]]), 1).values)).toEqual([2]);
    expect(thrown(() => ops.median(ops.zeros([2, 0]), 1)).code).toBe("ERR_NABLA_VALUE");
  });
  it("searchsorted and bucketize put equals before or behind", () => {
    const sorted = f32([1, 3, 3, 5]);
    const x = f32([0, 3, 6, nan]);
    expect(elements(ops.searchsorted(sorted, x))).toEqual([0, 1, 4, 4]);
    expect(elements(ops.bucketize(x, sorted, { right: true }))).toEqual([0, 3, 4, 4]);
    expect(thrown(() => ops.searchsorted(ops.zeros([2, 3]), x)).code).toBe("ERR_NABLA_SHAPE");
  });
  it("counts k from 0 for topk, 1 for kthvalue, up to the size", () => {
    const x = f32([1, 2]);
    expect(ops.topk(x, 0).values.shape).toEqual([0]);
    for (const f of [() => ops.topk(x, 3), () => ops.kthvalue(x, 0), () => ops.topk(x, 1.5)])
      expect(thrown(f).code).toBe("ERR_NABLA_VALUE");
  });
});

describe("reductions at their ends", () => {
  it("of nothing: 0, 1, false, true, NaN, -inf, or an error for extremes", () => {
    const x = ops.zeros([2, 0]);
    const empty = [ops.sum, ops.prod, ops.any, ops.all, ops.mean, ops.logsumexp].map((f) => elements(f(x, 1)));
    expect(empty.map(([first]) => first)).toEqual([0, 1, 0, 1, Number.NaN, Number.NEGATIVE_INFINITY]);
    for (const f of [ops.amax, ops.amin, ops.argmax, ops.argmin])
      expect(thrown(() => f(x, 1)).code).toBe("ERR_NABLA_VALUE");
    expect(ops.amax(x, 0).shape).toEqual([0]);
  });
  it("dtypes: integers add up in i32, average in f32, keep theirs in extremes", () => {
    const x = ops.fromNested([1, 2, 4], "u8");
    const results = [ops.sum(x), ops.prod(x), ops.cumsum(x, 0), ops.mean(x), ops.amax(x), ops.argmax(x), ops.std(x)];
    expect(results.map((y) => y.dtype)).toEqual(["i32", "i32", "i32", "f32", "u8", "i32", "f32"]);
    expect(elements(ops.sum(ops.fromNested([true, true])))).toEqual([2]);
    expect(elements(ops.countNonzero(f32([0, 1, 2])))).toEqual([2]);
  });
  it("amax shares the gradient among equals, max gives it to the first", () => {
    const x = leaf([2, 7, 7]);
    expect(gradient(x, ops.amax(x))).toEqual([0, 0.5, 0.5]);
    expect(gradient(x, ops.max(x, 0).values)).toEqual([0, 1, 0]);
  });
  it("roots have gradient 0 where they are 0", () => {
    const x = leaf([0, 0]);
    for (const p of [1, 2, 3, Number.POSITIVE_INFINITY]) expect(gradient(x, ops.norm(x, 0, { p }))).toEqual([0, 0]);
    expect(gradient(x, ops.std(x))).toEqual([0, 0]);
    expect(gradient(x, ops.normalize(x, 0))).toEqual([1e12, 1e12].map(Math.fround));
  });
  it("the variance of equal numbers is 0, whatever their mean rounds to", () => {
    for (const v of [0.1, 1 / 3, 1e7 + 1, -2.7e-20])
      expect(elements(ops.variance(ops.full([3, 1000], v)))).toEqual([0]);
  });
});
