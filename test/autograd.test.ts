// Gradients: what backward leaves where, what it refuses, and the functions around it.
import {
  arange,
  cat,
  checkGradient,
  diag,
  einsum,
  enableGrad,
  grad,
  gradients,
  NablaError,
  noGrad,
  ones,
  stack,
  type Tensor,
  tensor,
  valueAndGrad,
  where,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";
import { assign } from "../lib/ops/index.ts";

const leaf = (data: number[]): Tensor<[number], "f32"> => tensor(data, { requiresGrad: true });
/** Numbers between -1 and 1 without a pattern. */
const numbers = (...shape: number[]): Tensor =>
  tensor(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + 1))).reshape(
    ...shape,
  );

describe("backward", () => {
  test("adds to what is there", () => {
    const x = leaf([1, 2]);
    x.mul(3).sum().backward();
    x.mul(4).sum().backward();
    expect(x.grad?.toArray()).toEqual([7, 7]);
    x.grad = null as typeof x.grad;
    x.mul(5).sum().backward();
    expect(x.grad).toMatchObject({ shape: [2] });
    expect(x.grad?.toArray()).toEqual([5, 5]);
  });
  test("starts from a gradient", () => {
    const x = leaf([1, 2]);
    x.mul(x).backward(tensor([10, 100]));
    expect(x.grad?.toArray()).toEqual([20, 400]);
  });
  test("sums over every way and every broadcast", () => {
    const x = leaf([1, 2]);
    const y = tensor([[1], [2], [3]], { requiresGrad: true });
    x.mul(y).add(x).sum().backward();
    expect(x.grad?.toArray()).toEqual([9, 9]);
    expect(y.grad?.toArray()).toEqual([[3], [3], [3]]);
  });
  test("gives every leaf memory of its own", () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 4])];
    const seed = ones(2);
    x.add(y).backward(seed);
    const [dx, dy] = [x.grad as Tensor, y.grad as Tensor];
    expect(new Set([dx.storage, dy.storage, seed.storage]).size).toBe(3);
    expect([dx.isContiguous, dx.isView]).toEqual([true, false]);
    leaf([1, 2, 3]).sum().backward();
  });
  test("does not recurse: a chain of 100,000 steps", () => {
    const x = leaf([0]);
    let y: Tensor = x;
    for (let i = 0; i < 100_000; i++) y = y.add(1);
    y.backward();
    expect(x.grad?.item()).toBe(1);
  });
  test("runs again where the record is retained", () => {
    const x = leaf([3]);
    const y = x.mul(x).sum();
    y.backward(undefined, { retain: true });
    y.backward();
    expect(x.grad?.item()).toBe(12);
  });
  test("leaves gradients in the middle where asked", () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    y.retainGrad();
    y.mul(y).sum().backward();
    expect(y.grad?.toArray()).toEqual([4, 8]);
    expect(x.grad?.toArray()).toEqual([8, 16]);
  });
  test("stops at detach, at noGrad and at integers", () => {
    const x = leaf([2]);
    expect(x.detach().requiresGrad).toBe(false);
    expect(x.gt(1).requiresGrad).toBe(false);
    expect(x.int().requiresGrad).toBe(false);
    noGrad(() => {
      expect(x.mul(2).requiresGrad).toBe(false);
      expect(enableGrad(() => x.mul(2)).requiresGrad).toBe(true);
    });
    expect(x.mul(2).requiresGrad).toBe(true);
  });
  test("restores recording after an error", () => {
    const x = leaf([1]);
    expect(() => noGrad(() => x.add("1" as never))).toThrow(NablaError);
    expect(x.add(1).requiresGrad).toBe(true);
  });
  test("keeps the record out of the gradients unless asked", () => {
    const x = leaf([2]);
    x.mul(x).backward();
    expect(x.grad?.requiresGrad).toBe(false);
    const y = leaf([2]);
    y.mul(y).mul(y).backward(undefined, { createGraph: true });
    expect(y.grad?.requiresGrad).toBe(true);
    expect(gradients(y.grad as Tensor, y).item()).toBe(12);
  });
});

describe("functions", () => {
  test("gradients touches no grad", () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 4])];
    const [dx, dy] = gradients(x.mul(y).sum(), [x, y]);
    expect([dx.toArray(), dy.toArray()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect([x.grad, y.grad]).toEqual([null, null]);
  });
  test("gradients of several outputs add up, each from its own", () => {
    const x = leaf([1, 2]);
    const dx = gradients([x.mul(2), x.mul(3).sum()], x, { gradOutputs: [tensor([1, 10]), undefined] });
    expect(dx.toArray()).toEqual([5, 23]);
  });
  test("gradients by a tensor in the middle", () => {
    const x = leaf([3]);
    const y = x.mul(x);
    expect(gradients(y.mul(y).sum(), y).toArray()).toEqual([18]);
  });
  test("an unused input is told, or undefined", () => {
    const [x, y] = [leaf([1]), leaf([1])];
    expect(() => gradients(x.sum(), [x, y])).toThrow("gradients: no output depends on input 1");
    expect(gradients(x.sum(), [x, y], { allowUnused: true })[1]).toBeUndefined();
  });
  test("grad and valueAndGrad", () => {
    const f = (x: Tensor, y: Tensor) => x.mul(x).mul(y).sum();
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    expect(grad(f)(x, y).toArray()).toEqual([6, 16]);
    const [value, [dx, dy]] = valueAndGrad(f, { argnums: [0, 1] })(x, y);
    expect(value.item()).toBe(19);
    expect([dx.toArray(), dy.toArray()]).toEqual([
      [6, 16],
      [1, 4],
    ]);
    expect([value.requiresGrad, dx.requiresGrad, x.requiresGrad, x.grad]).toEqual([false, false, false, null]);
  });
  test("grad of grad; of what it does not depend on, 0", () => {
    const cube = (x: Tensor) => x.mul(x).mul(x).sum();
    expect(grad(grad(cube))(tensor(2)).item()).toBe(12);
    expect(grad(grad(grad(cube)))(tensor(2)).item()).toBe(6);
    expect(grad((x: Tensor) => tensor(1).add(x.detach()))(tensor(2)).item()).toBe(0);
  });
  test("inner and outer variables are not confused: d/dx x (d/dy (x + y)) is 1", () => {
    const f = (x: Tensor) => x.mul(grad((y: Tensor) => x.add(y))(x));
    expect(grad(f)(tensor(5)).item()).toBe(1);
  });
  test("a gradient penalty reaches what the function closes over", () => {
    const w = leaf([3]);
    const slope = grad((x: Tensor) => x.mul(x).mul(w).sum(), { createGraph: true })(tensor([2]));
    slope.sum().backward();
    expect(w.grad?.toArray()).toEqual([4]);
  });
  test("an async function is refused", () => {
    expect(() => noGrad(async () => 1)).toThrow("noGrad: takes a function that returns at once");
  });
});

describe("checkGradient", () => {
  const x = numbers(3, 4);
  test.each<[string, (x: Tensor) => Tensor | Tensor[]]>([
    ["reshape, permute, expand", (x) => x.reshape(2, 6).permute(1, 0).expand(2, 6, 2)],
    ["slice backwards, select, flip", (x) => [x.slice(0, -1, undefined, -2), x.select(1, 2), x.flip([0, 1])]],
    ["squeeze, unsqueeze, flatten", (x) => x.unsqueeze(1).squeeze(1).flatten()],
    ["diagonal, diag", (x) => [x.diagonal(1), x.diagonal(-1, 1, 0), diag(x.select(0, 0), -1)]],
    [
      "cat of more than a group",
      (x) =>
        cat(
          Array.from({ length: 19 }, (_, i) => x.slice(0, i % 3)),
          0,
        ),
    ],
    ["stack, unbind, split, chunk", (x) => [stack(x.unbind(1), 0), ...x.split([1, 3], 1), ...x.chunk(2)]],
    ["roll, repeat, tile", (x) => [x.roll([1, -5], [0, 1]), x.repeat(2, 1, 3), x.tile(2), x.repeatInterleave(3, 1)]],
    ["pad", (x) => [x.pad([1, -1, 2, 0], { value: 3 }), x.pad([2, 1], { mode: "reflect" })]],
    ["pad by edges", (x) => [x.pad([2, 1], { mode: "replicate" }), x.pad([3, 4, 1, 0], { mode: "circular" })]],
    ["movedim, unflatten, t", (x) => x.unflatten(1, [2, -1]).movedim(0, -1).select(0, 0).t()],
    [
      "einsum",
      (x) => [einsum("ij,kj->ik", x, x), einsum("ij,jk,kl->il", x, x.t(), x), einsum("...j,j->...", x, x.select(0, 0))],
    ],
    ["einsum of a diagonal and a sum", (x) => [einsum("ii->i", x.narrow(1, 0, 3)), einsum("ij->", x)]],
    [
      "where, maximum, minimum, abs",
      (x) => [where(x.gt(0), x.mul(x), 1), x.maximum(x.mul(2)), x.minimum(0.1), x.abs()],
    ],
    ["to another type and back", (x) => x.double().mul(x)],
    [
      "matmul of vectors and batches",
      (x) => [x.matmul(x.t()), x.mv(x.select(0, 1)), x.expand(2, 3, 4).bmm(x.t().expand(2, 4, 3))],
    ],
    [
      "outer, dot, addmm",
      (x) => [x.flatten().outer(x.select(0, 0)), x.flatten().dot(x.flatten()), zeros(3).addmm(x, x.t(), { alpha: 2 })],
    ],
  ])("%s", (_, f) => {
    expect(checkGradient(f, [x], { order: 2 })).toBe(true);
  });
  test("tells the element that differs", () => {
    const wrong = (x: Tensor) => x.mul(x.detach());
    expect(() => checkGradient(wrong, [tensor([[1, 2]])])).toThrow(
      /checkGradient: the gradient of input 0 at \[0,0\] is 1\.42073\d+, differences give 2\.84147\d+/,
    );
  });
  test("a wrong second derivative is found", () => {
    const bent = (x: Tensor) =>
      x
        .mul(x)
        .mul(x.gt(100))
        .add(x.mul(x.detach()).sub(x.mul(x).mul(0.5).detach()));
    expect(checkGradient((x: Tensor) => x.mul(x), [tensor([1, 2])], { order: 2 })).toBe(true);
    expect(() => checkGradient(bent, [tensor([1, 2])], { order: 2 })).toThrow(NablaError);
  });
  test("integers are passed as they are", () => {
    expect(checkGradient((x, i) => x.mul(i), [tensor([1, 2]), arange(2)])).toBe(true);
  });
});

describe("refused", () => {
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (e) {
      return `${(e as NablaError).code} ${(e as Error).message}`;
    }
    return "accepted";
  };
  test("nothing recorded, or more than one element", () => {
    expect(message(() => tensor([1, 2]).sum().backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD backward: nothing was recorded that leads to this tensor
          y  []
        hint: make a leaf with { requiresGrad: true }, and compute outside noGrad()"
    `);
    expect(message(() => leaf([1, 2]).mul(2).backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD backward: a tensor of 2 elements needs the gradient to start from
          y  [2]   output of mul
        hint: reduce it to one number with sum() or mean(), or pass a gradient of its shape"
    `);
    expect(message(() => leaf([1, 2]).backward(ones(3) as never))).toMatchInlineSnapshot(`
      "ERR_NABLA_SHAPE backward: the gradient is not like the tensor
          y     [2]
          grad  [3]"
    `);
    expect(message(() => leaf([1, 2]).backward([1, 1] as never))).toMatchInlineSnapshot(
      `
      "ERR_NABLA_TYPE backward: the gradient is a list, not a tensor
        hint: make a tensor of it: tensor([1, 2, 3])"
    `,
    );
  });
  test("backward twice", () => {
    const x = leaf([3]);
    const y = x.mul(x).sum();
    y.backward();
    expect(message(() => y.backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD backward: the graph behind sum was freed by an earlier backward()
        hint: pass { retain: true } to the first backward, or compute the loss again"
    `);
  });
  test("a saved value changed in place", () => {
    const x = leaf([1, 2]);
    const w = tensor([3, 4]);
    w.label = "fc1.weight";
    const y = x.mul(w).sum();
    assign(w, 5);
    expect(message(() => y.backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD backward: b of mul was changed in place after it was computed
          b  [2]   fc1.weight
        hint: update parameters after backward(), or run the forward pass again"
    `);
    expect(x.grad).toBe(null);
  });
  test("a saved value that was given back", () => {
    const x = leaf([1, 2]);
    const w = tensor([3, 4]);
    const y = x.mul(w).sum();
    w[Symbol.dispose]();
    expect(message(() => y.backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_DISPOSED mul: the memory of a tensor was given back by dispose()
          tensor  [2]"
    `);
  });
  test("gradients of integers, of results, by what is no leaf", () => {
    expect(message(() => tensor([1], { dtype: "i32", requiresGrad: true }))).toMatchInlineSnapshot(`
      "ERR_NABLA_DTYPE requiresGrad: only floats have gradients, this tensor is i32
          tensor  [1] i32
        hint: cast it first: x.to("f32")"
    `);
    expect(
      message(() => {
        leaf([1]).mul(2).requiresGrad = false;
      }),
    ).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD requiresGrad: this tensor is the output of mul, not a leaf
          tensor  [1]   output of mul
        hint: use detach(), or compute it inside noGrad()"
    `);
    expect(message(() => gradients(leaf([1]).sum(), zeros(1)))).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD gradients: input 0 does not require gradients
          input  [1]"
    `);
    expect(message(() => grad((x: Tensor) => x)(zeros(2)))).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD grad: a tensor of 2 elements needs the gradient to start from
          y  [2]
        hint: reduce it to one number with sum() or mean(), or pass a gradient of its shape"
    `);
  });
});
