// What users see of a tensor: made, calculated with, viewed, read, printed.
import { inspect } from "node:util";
import {
  arange,
  cat,
  type DType,
  einsum,
  empty,
  eye,
  full,
  linspace,
  memory,
  meshgrid,
  ones,
  type Shape,
  stack,
  Tensor,
  tensor,
  where,
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

describe("views", () => {
  const x = arange(6).reshape(2, 3);
  test("share the memory", () => {
    for (const y of [
      x.reshape(3, 2),
      x.mT(),
      x.slice(1, 1),
      x.select(0, 1),
      x.expand(4, 2, 3),
      x.flip(0),
      x.unsqueeze(0),
    ])
      expect(y.storage).toBe(x.storage);
    expect(x.mT().reshape(6).storage).not.toBe(x.storage);
    expect(x.mT().contiguous().storage).not.toBe(x.storage);
    expect(x.clone().storage).not.toBe(x.storage);
  });
  test("read what they say", () => {
    expect(x.mT().toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(x.slice(1, -1, undefined, -1).toArray()).toEqual([
      [2, 1, 0],
      [5, 4, 3],
    ]);
    expect(x.slice(1, 0, 99, 2).toArray()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(x.flip().toArray()).toEqual([
      [5, 4, 3],
      [2, 1, 0],
    ]);
    expect(x.permute(1, 0).toArray()).toEqual(x.transpose(0, 1).toArray());
    expect(x.narrow(1, -2, 2).toArray()).toEqual([
      [1, 2],
      [4, 5],
    ]);
    expect(x.unbind(1).map((c) => c.toArray())).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(x.split([1, 2], 1).map((c) => c.shape)).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(x.chunk(2, 1).map((c) => c.shape)).toEqual([
      [2, 2],
      [2, 1],
    ]);
    expect(x.diagonal().toArray()).toEqual([0, 4]);
    expect(x.view(3, 2).toArray()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(zeros(2, 1, 3, 1).squeeze().shape).toEqual([2, 3]);
    expect(zeros(2, 1, 3, 1).squeeze(1).shape).toEqual([2, 3, 1]);
    expect(zeros(2, 12).unflatten(-1, [3, 4]).shape).toEqual([2, 3, 4]);
    expect(zeros(2, 3, 4).movedim([0, 1], [-1, 0]).shape).toEqual([3, 4, 2]);
    expect(zeros(3).expandAs(x).shape).toEqual([2, 3]);
  });
  test("copies that move elements", () => {
    expect(x.roll(1, 1).toArray()).toEqual([
      [2, 0, 1],
      [5, 3, 4],
    ]);
    expect(x.roll(-7).toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 0],
    ]);
    expect(x.repeat(1, 2).shape).toEqual([2, 6]);
    expect(x.tile(2).toArray()).toEqual(x.repeat(1, 2).toArray());
    expect(x.repeat(1, 1).storage).not.toBe(x.storage);
    expect(x.repeatInterleave(2).size).toBe(12);
    expect(x.pad([1, 0], { value: 9 }).toArray()).toEqual([
      [9, 0, 1, 2],
      [9, 3, 4, 5],
    ]);
    expect(x.pad([1, 1], { mode: "reflect" }).select(0, 0).toArray()).toEqual([1, 0, 1, 2, 1]);
    expect(x.pad([1, 1], { mode: "replicate" }).select(0, 0).toArray()).toEqual([0, 0, 1, 2, 2]);
    expect(x.pad([1, 1], { mode: "circular" }).select(0, 0).toArray()).toEqual([2, 0, 1, 2, 0]);
    expect(x.pad([-1, 1]).toArray()).toEqual([
      [1, 2, 0],
      [4, 5, 0],
    ]);
  });
  test("of nothing", () => {
    const none = zeros(0, 3);
    for (const y of [none.mT(), none.reshape(3, 0), none.add(1), none.repeat(2, 2), none.roll(1, 0), none.flip()])
      expect(y.size).toBe(0);
    expect(none.sum().item()).toBe(0);
    expect(none.mean().item()).toBeNaN();
    expect(none.matmul(zeros(3, 2)).shape).toEqual([0, 2]);
    expect(zeros(2, 0).matmul(zeros(0, 2)).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(cat([none, ones(2, 3)]).shape).toEqual([2, 3]);
  });
});

describe("several tensors", () => {
  test("cat and stack", () => {
    expect(cat([tensor([1]), tensor([2, 3])]).toArray()).toEqual([1, 2, 3]);
    expect(cat(Array.from({ length: 100 }, (_, i) => full([1], i))).toArray()).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(stack([tensor([1, 2]), tensor([3, 4])], -1).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(cat([tensor([1, 2]), tensor([true])]).dtype).toBe("f32");
  });
  test("where, masks and limits", () => {
    const x = tensor([-1, 0, 2]);
    expect(where(x.gt(0), x, 9).toArray()).toEqual([9, 9, 2]);
    expect(where(x.gt(0), 1, 0).dtype).toBe("i32");
    expect(x.where(x.gt(0), 9).toArray()).toEqual([9, 9, 2]);
    expect(x.maskedFill(x.eq(0), 5).toArray()).toEqual([-1, 5, 2]);
    expect(x.clamp(0).toArray()).toEqual([0, 0, 2]);
    expect(x.clamp(undefined, 1).toArray()).toEqual([-1, 0, 1]);
  });
  test("einsum says what matmul does", () => {
    const [a, b] = [arange(6).reshape(2, 3).float(), arange(12).reshape(3, 4).float()];
    expect(einsum("ij,jk->ik", a, b).toArray()).toEqual(a.matmul(b).toArray());
    expect(einsum("ij,jk", a, b).toArray()).toEqual(a.matmul(b).toArray());
    expect(einsum("ij->ji", a).toArray()).toEqual(a.mT().toArray());
    expect(einsum("ii", eye(3)).item()).toBe(3);
    expect(einsum("i,j->ij", tensor([1, 2]), tensor([3, 4])).toArray()).toEqual([
      [3, 4],
      [6, 8],
    ]);
  });
  test("products of fixed rank", () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(a.mm(a).toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(a.mv(tensor([1, 1])).toArray()).toEqual([3, 7]);
    expect(
      tensor([1, 2])
        .outer(tensor([3, 4]))
        .toArray(),
    ).toEqual([
      [3, 4],
      [6, 8],
    ]);
    expect(zeros(2, 2).addmm(a, a, { beta: 0, alpha: 2 }).toArray()).toEqual([
      [14, 20],
      [30, 44],
    ]);
    expect(full([2, 2], Number.NaN).addmm(a, a, { beta: 0 }).toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
  });
  test("meshgrid", () => {
    const [x, y] = meshgrid([tensor([1, 2]), tensor([3, 4, 5])], { indexing: "xy" });
    expect([x?.toArray(), y?.toArray()]).toEqual([
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      [
        [3, 3],
        [4, 4],
        [5, 5],
      ],
    ]);
  });
  test("closeness", () => {
    const x = tensor([1, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(x.isclose(x).toArray()).toEqual([true, false, true]);
    expect(x.isclose(x, { equalNan: true }).toArray()).toEqual([true, true, true]);
    expect(
      tensor([Number.POSITIVE_INFINITY])
        .isclose(tensor([1]))
        .toArray(),
    ).toEqual([false]);
    expect(tensor([1, 2]).allclose(tensor([1, 2.1]))).toBe(false);
    expect(tensor([1, 2]).equal(tensor([[1, 2]]))).toBe(false);
    expect(i32.equal(f32)).toBe(true);
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

describe("printing", () => {
  const shown = (x: Tensor) => `\n${inspect(x)}\n`;
  test("numbers", () => {
    expect(shown(tensor([1, 2.5, -3]))).toMatchInlineSnapshot(`
      "
      tensor([ 1.0000,  2.5000, -3.0000])
      "
    `);
    expect(shown(tensor([1, 20, -3]))).toMatchInlineSnapshot(`
      "
      tensor([ 1., 20., -3.])
      "
    `);
    expect(shown(tensor([1e-7, 1]))).toMatchInlineSnapshot(`
      "
      tensor([1.0000e-7, 1.0000e+0])
      "
    `);
    expect(shown(tensor([1e10, 1]))).toMatchInlineSnapshot(`
      "
      tensor([1.0000e+10,  1.0000e+0])
      "
    `);
    expect(shown(tensor([Number.NaN, Number.POSITIVE_INFINITY, -0, 1]))).toMatchInlineSnapshot(`
      "
      tensor([     NaN, Infinity,      -0.,       1.])
      "
    `);
    expect(shown(tensor(22 / 7))).toMatchInlineSnapshot(`
      "
      tensor(3.1429)
      "
    `);
    expect(shown(tensor([0, 0]))).toMatchInlineSnapshot(`
      "
      tensor([0., 0.])
      "
    `);
    expect(shown(i32.mul(100).sub(tensor([99, 200], { dtype: "i32" })))).toMatchInlineSnapshot(`
      "
      tensor([   1, -100], { dtype: "i32" })
      "
    `);
    expect(shown(tensor([true, false]))).toMatchInlineSnapshot(`
      "
      tensor([ true, false])
      "
    `);
  });
  test("shapes", () => {
    expect(shown(arange(4).reshape(2, 2).float())).toMatchInlineSnapshot(`
      "
      tensor([[0., 1.],
              [2., 3.]])
      "
    `);
    expect(shown(arange(8).reshape(2, 2, 2))).toMatchInlineSnapshot(`
      "
      tensor([[[0, 1],
               [2, 3]],

              [[4, 5],
               [6, 7]]], { dtype: "i32" })
      "
    `);
    expect(shown(zeros(0))).toMatchInlineSnapshot(`
      "
      tensor([])
      "
    `);
    expect(shown(zeros(2, 0))).toMatchInlineSnapshot(`
      "
      tensor([], { shape: [2, 0] })
      "
    `);
    expect(shown(linspace(0, 1, 24))).toMatchInlineSnapshot(`
      "
      tensor([0.0000, 0.0435, 0.0870, 0.1304, 0.1739, 0.2174, 0.2609, 0.3043, 0.3478,
              0.3913, 0.4348, 0.4783, 0.5217, 0.5652, 0.6087, 0.6522, 0.6957, 0.7391,
              0.7826, 0.8261, 0.8696, 0.9130, 0.9565, 1.0000])
      "
    `);
    expect(shown(arange(1001))).toMatchInlineSnapshot(`
      "
      tensor([   0,    1,    2, ...,  998,  999, 1000], { dtype: "i32" })
      "
    `);
    expect(shown(zeros(40, 40))).toMatchInlineSnapshot(`
      "
      tensor([[0., 0., 0., ..., 0., 0., 0.],
              [0., 0., 0., ..., 0., 0., 0.],
              [0., 0., 0., ..., 0., 0., 0.],
              ...,
              [0., 0., 0., ..., 0., 0., 0.],
              [0., 0., 0., ..., 0., 0., 0.],
              [0., 0., 0., ..., 0., 0., 0.]])
      "
    `);
  });
  test("what it is besides", () => {
    expect(shown(ones([2], { dtype: "f64", requiresGrad: true }))).toMatchInlineSnapshot(`
      "
      tensor([1., 1.], { dtype: "f64", requiresGrad: true })
      "
    `);
    expect(inspect({ a: { b: { c: f32 } } })).toMatchInlineSnapshot(`"{ a: { b: { c: [Tensor f32 [2]] } } }"`);
    const gone = ones(2);
    gone[Symbol.dispose]();
    expect(shown(gone)).toMatchInlineSnapshot(`
      "
      tensor(disposed)
      "
    `);
    expect(`${f32}`).toBe("tensor([1., 1.])");
  });
});
