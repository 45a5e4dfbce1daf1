// Tensors as console.log shows them.
import { inspect } from "node:util";
import { arange, linspace, ones, type Tensor, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const f32 = ones(2);
const i32 = ones([2], { dtype: "i32" });

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
