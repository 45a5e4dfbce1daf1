// What users see of a tensor: made, calculated with, viewed, read, printed.
import {
  arange,
  cat,
  type DType,
  empty,
  eye,
  full,
  linspace,
  memory,
  ones,
  type Shape,
  Tensor,
  tensor,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";

/** The dtype that the types promise is the one there is. */
function same<D extends DType>(x: Tensor<Shape, D>, dtype: NoInfer<D>): void {
  expect(x.dtype).toBe(dtype);
}
const f32 = ones(2);
const f64 = ones([2], { dtype: "f64" });
const i32 = ones([2], { dtype: "i32" });
const u8 = ones([2], { dtype: "u8" });
const bool = ones([2], { dtype: "bool" });

describe("creation", () => {
  test("from numbers, lists and typed arrays", () => {
    expect(tensor(3).toArray()).toBe(3);
    expect(tensor(true).toArray()).toBe(true);
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).shape,
    ).toEqual([2, 2]);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor([new Float32Array([1, 2]), new Float32Array([3, 4])]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(JSON.parse("[[1, 2, 3]]")).shape).toEqual([1, 3]);
  });
  test("the element type is that of the data", () => {
    same(tensor([1, 2]), "f32");
    same(tensor([true]), "bool");
    same(tensor(new Float64Array(1)), "f64");
    same(tensor(new Int32Array(1)), "i32");
    same(tensor(new Uint8Array(1)), "u8");
    same(tensor(new Uint8ClampedArray(1)), "u8");
    same(tensor(new Int8Array(1)), "i32");
    same(tensor(new Uint16Array(1)), "i32");
    same(tensor(new BigInt64Array(1)), "i32");
    same(tensor([new Uint8Array(2)]), "u8");
    same(tensor([1.5, -1.5], { dtype: "i32" }), "i32");
  });
  test("every number of small typed arrays survives", () => {
    for (const array of [new Int8Array([-128, 127]), new Uint16Array([0, 65535]), new Int16Array([-32768, 32767])])
      expect([...tensor(array).dataSync()]).toEqual([...array]);
    expect([...tensor(new BigInt64Array([-5n, 7n])).dataSync()]).toEqual([-5, 7]);
    expect(tensor([2, 0, -1], { dtype: "bool" }).toArray()).toEqual([true, false, true]);
    expect(tensor([1.9, -1.9], { dtype: "i32" }).toArray()).toEqual([1, -1]);
  });
  test("is a copy", () => {
    const array = new Float32Array([1, 2]);
    const x = tensor(array);
    array[0] = 9;
    expect(x.toArray()).toEqual([1, 2]);
  });
  test("shapes and options", () => {
    expect(zeros(2, 3).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(zeros().shape).toEqual([]);
    expect(ones([2], { requiresGrad: true }).requiresGrad).toBe(true);
    expect(full([2], 7, { dtype: "u8" }).toArray()).toEqual([7, 7]);
    expect(empty([0, 3]).size).toBe(0);
    expect(eye(2, 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    same(zeros([1], { dtype: "f64" }), "f64");
  });
  test("ranges", () => {
    expect(arange(4).toArray()).toEqual([0, 1, 2, 3]);
    expect(arange(5, 1, -2).toArray()).toEqual([5, 3]);
    expect(arange(1, 1).toArray()).toEqual([]);
    expect(arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    same(arange(3), "i32");
    same(arange(0, 1, 0.5), "f32");
    same(arange(0.5, 3), "f32");
    same(arange(1, 3), "i32");
    same(arange(3, { dtype: "f64" }), "f64");
    expect(linspace(0, 1, 3).toArray()).toEqual([0, 0.5, 1]);
    expect(linspace(5, 9, 1).toArray()).toEqual([5]);
    expect(linspace(0, 1, 0).toArray()).toEqual([]);
  });
});

describe("element types", () => {
  test("two tensors", () => {
    same(f32.add(i32), "f32");
    same(f32.add(f64), "f64");
    same(i32.mul(u8), "i32");
    same(u8.add(u8), "i32");
    same(bool.add(bool), "i32");
    same(i32.div(i32), "f32");
    same(f64.div(u8), "f64");
    same(i32.maximum(bool), "i32");
    same(i32.lt(f32), "bool");
    same(i32.matmul(i32), "f32");
    same(cat([f32, f32]), "f32");
  });
  test("a tensor and a number, which is weak", () => {
    same(f32.add(1), "f32");
    same(f64.mul(0.5), "f64");
    same(i32.add(1), "i32");
    same(i32.add(0.5), "f32");
    same(i32.mul(1e-7), "f32");
    same(u8.sub(1), "i32");
    same(bool.add(1), "i32");
    same(i32.div(2), "f32");
    same(i32.pow(2), "f32");
    same(i32.remainder(2), "i32");
    expect(u8.sub(2).toArray()).toEqual([-1, -1]);
  });
  test("functions and reductions", () => {
    same(i32.exp(), "f32");
    same(f64.tanh(), "f64");
    same(i32.abs(), "i32");
    same(u8.neg(), "i32");
    same(i32.floor(), "i32");
    same(i32.square(), "i32");
    same(bool.sum(), "i32");
    same(u8.mean(), "f32");
    same(f64.mean(), "f64");
    same(i32.relu(), "f32");
  });
  test("conversions", () => {
    same(f32.to("i32"), "i32");
    same(i32.float(), "f32");
    same(i32.double(), "f64");
    same(f32.int(), "i32");
    same(f32.bool(), "bool");
    expect(f32.float()).toBe(f32);
  });
});

describe("reading", () => {
  test("copies, in order, of its own type", async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const data = await x.mT().data();
    expect(data).toEqual(new Float32Array([1, 3, 2, 4]));
    data[0] = 9;
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(bool.dataSync()).toEqual(new Uint8Array([1, 1]));
    expect(x.slice(0, 1).dataSync()).toEqual(new Float32Array([3, 4]));
    expect([x.numel(), x.size, x.ndim]).toEqual([4, 4, 2]);
  });
  test("nested lists of every depth", () => {
    expect(zeros(2, 0, 3).toArray()).toEqual([[], []]);
    expect(arange(8).reshape(2, 2, 2).toArray()).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      [
        [4, 5],
        [6, 7],
      ],
    ]);
  });
  test("every result is a Tensor", () => {
    for (const x of [zeros(2), eye(2), arange(3), zeros(2, 3).sum(0), zeros(2, 3).mT(), zeros(2).add(1).detach()])
      expect(x).toBeInstanceOf(Tensor);
    expect(Object.keys(Tensor.prototype)).toEqual([]);
  });
  test("memory that is given back is used again", () => {
    const { buffer } = zeros(1000, 1000).storage.array;
    const before = memory().pooled;
    {
      using x = zeros(1000, 999);
      expect(x.size).toBe(999_000);
    }
    expect(memory().pooled).toBeGreaterThan(before);
    expect(zeros(1000, 999).storage.array.buffer).not.toBe(buffer);
    expect(memory().pooled).toBe(before);
  });
});
