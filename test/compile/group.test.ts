// Steps that run tile by tile as one: what may join, and what may not.

import { LayerNorm, Linear, noGrad, RMSNorm, SGD, type Tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { print } from "../../lib/compile/graph.ts";
import { fuseSteps, singleSteps, tileSlots } from "../../lib/compile/passes/fuse.ts";
import { optimize } from "../../lib/compile/passes/order.ts";
import * as ops from "../../lib/ops/index.ts";
import { graphOf, matrix, type Step, shown } from "./listing.ts";

describe("groups", () => {
  test("elementwise steps of one size, past what they do not touch", () => {
    const g = graphOf(
      (x, y) =>
        x
          .mul(2)
          .add(y.sum() as never)
          .relu()
          .mul(x),
      matrix(),
      matrix(),
    );
    expect(shown(singleSteps(g), fuseSteps(g))).toMatchInlineSnapshot(`
      "
      t2 = mul(a0, 2)
      t3 = sum(a1)
      t4 = add(t2, t3)
      t5 = relu(t4)
      t6 = mul(t5, a0)
      t7 = copy(t6)
      ->
      t2 = mul(a0, 2)
      t3 = sum(a1)
      / t4 = add(t2, t3)
      | t5 = relu(t4)
      | t6 = mul(t5, a0)
      \\ t7 = copy(t6)"
    `);
    expect([...tileSlots(fuseSteps(g))].map((s) => `t${s.id}`)).toMatchInlineSnapshot(`
      [
        "t4",
        "t5",
        "t6",
      ]
    `);
  });
  test("not where one walks what another writes in another order", () => {
    const g = graphOf((x) => x.exp().add(x.exp().reshape(3, 2).mT() as never), matrix());
    expect(print(fuseSteps(g))).toMatchInlineSnapshot(`
      "/ t1 = exp(a0)
      \\ t2 = exp(a0)
      / t3 = add(t1, t2)
      \\ t4 = copy(t3)"
    `);
  });
  test("row kernels with what is elementwise around them", () => {
    const g = graphOf((x, y) => x.add(y).softmax(-1).mul(2), matrix(), matrix());
    expect(print(fuseSteps(g))).toMatchInlineSnapshot(`
      "/ t2 = add(a0, a1)
      | t3 = softmax(t2)
      | t4 = mul(t3, 2)
      \\ t5 = copy(t4)"
    `);
  });
  test("a residual's sum and its norm, the sum used further; not in rows that do not fit a tile", () => {
    const listing = (Norm: typeof LayerNorm | typeof RMSNorm, width: number) => {
      const norm = new Norm(width);
      norm.weight!.label = "w";
      if ("bias" in norm) norm.bias!.label = "b";
      const f: Step = (x, y) => {
        const h = x.add(y as never);
        return [h, noGrad(() => norm.forward(h as never) as Tensor)];
      };
      return print(optimize(graphOf(f, ...[1, 2].map(() => ops.ones([2, width]) as Tensor)), {}));
    };
    expect(listing(LayerNorm, 3)).toMatchInlineSnapshot(`
      "/ t2 = add(a0, a1)
      \\ t3, t4, t5 = layer_norm(t2, w, b)"
    `);
    expect(listing(RMSNorm, 3)).toMatchInlineSnapshot(`
      "/ t2 = add(a0, a1)
      \\ t3, t4 = rms_norm(t2, w)"
    `);
    expect(listing(RMSNorm, 1025)).toMatchInlineSnapshot(`
      "t2 = add(a0, a1)
      t3, t4 = rms_norm(t2, w)"
    `);
  });
  test("updates side by side, large ones in pieces", () => {
    const l = new Linear(400, 200);
    l.weight.label = "w";
    l.bias!.label = "b";
    const opt = new SGD(l, { lr: 0.1 });
    const g = graphOf(
      (x) => {
        opt.zeroGrad();
        l.forward(x as never)
          .sum()
          .backward();
        opt.step();
      },
      ops.ones([2, 400]) as Tensor,
    );
    const after = optimize(g, {});
    expect(
      print(after)
        .split("\n")
        .filter((line) => line.includes("sgd")),
    ).toMatchInlineSnapshot(`
      [
        "/ w, - = sgd(w, -, t6, hyper-parameters of SGD, -)",
        "| w, - = sgd(w, -, t6, hyper-parameters of SGD, -)",
        "\\ b, - = sgd(b, -, t7, hyper-parameters of SGD, -)",
      ]
    `);
    const updates = after.steps.filter((s) => s.kernel.name === "sgd");
    expect(updates.map((s) => [...s.words])).toMatchInlineSnapshot(`
      [
        [
          65536,
          12,
          1,
          0,
          0,
          0,
        ],
        [
          14464,
          12,
          1,
          65536,
          65536,
          0,
        ],
        [
          200,
          12,
          1,
          0,
          0,
          0,
        ],
      ]
    `);
  });
});
