// What users see of a tensor: made, calculated with, viewed, read, printed.
import { arange, eye, Tensor, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

describe("a first program", () => {
  test("arithmetic, matmul, views, sums and gradients", () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    const y = x.matmul(x.mT()).mul(2).sum();
    expect(y.item()).toBe(104);
    y.backward();
    expect(x.grad?.toArray()).toEqual([
      [16, 24],
      [16, 24],
    ]);
  });
  test("every result is a Tensor", () => {
    for (const x of [zeros(2), eye(2), arange(3), zeros(2, 3).sum(0), zeros(2, 3).mT(), zeros(2).add(1).detach()])
      expect(x).toBeInstanceOf(Tensor);
  });
});
