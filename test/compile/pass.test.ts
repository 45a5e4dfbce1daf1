// Each pass on a graph that shows it: the listing before, the listing after.

import {
  autocast,
  checkpoint,
  clipGradNorm,
  compile,
  Linear,
  ones,
  Parameter,
  randn,
  SGD,
  scaledDotProductAttention,
  type Tensor,
  tensor,
} from "nabla";
import { describe, expect, test } from "vitest";
import { print } from "../../lib/compile/graph.ts";
import { planMemory } from "../../lib/compile/memory.ts";
import { hoistChecks } from "../../lib/compile/passes/check.ts";
import { clipInUpdates } from "../../lib/compile/passes/clip.ts";
import { copyOnes, takeOver } from "../../lib/compile/passes/copy.ts";
import { removeDead } from "../../lib/compile/passes/dead.ts";
import { finishProducts } from "../../lib/compile/passes/epilogue.ts";
import { singleSteps } from "../../lib/compile/passes/fuse.ts";
import { segmentsOf, store } from "../../lib/compile/passes/recompute.ts";
import { shareResults } from "../../lib/compile/passes/result.ts";
import { shareTwins } from "../../lib/compile/passes/twin.ts";
import * as ops from "../../lib/ops/index.ts";
import { graphOf, matrix, type Step, shown } from "./listing.ts";

test("dead steps: what no result depends on", () => {
  const g = graphOf((x) => {
    x.exp().sum();
    return x.mul(2);
  }, matrix());
  expect(shown(g, removeDead(g))).toMatchInlineSnapshot(`
    "
    t1 = exp(a0)
    t2 = sum(t1)
    t3 = mul(a0, 2)
    t4 = copy(t3)
    ->
    t3 = mul(a0, 2)
    t4 = copy(t3)"
  `);
});

test("twins: what is computed twice from the same is computed once, and not across a change", () => {
  const w = tensor([1, 2, 3]);
  w.label = "w";
  const g = graphOf((x) => {
    const y = x.exp().add(x.exp());
    const before = w.mul(2);
    ops.assign(w, 5);
    return [y, before.add(w.mul(2) as never)];
  }, matrix());
  expect(shown(g, shareTwins(g))).toMatchInlineSnapshot(`
    "
    t1 = exp(a0)
    t2 = exp(a0)
    t3 = add(t1, t2)
    t4 = mul(w, 2)
    w = copy(5)
    t6 = mul(w, 2)
    t7 = add(t4, t6)
    t8 = copy(t3)
    t9 = copy(t7)
    ->
    t1 = exp(a0)
    t3 = add(t1, t1)
    t4 = mul(w, 2)
    w = copy(5)
    t6 = mul(w, 2)
    t7 = add(t4, t6)
    t8 = copy(t3)
    t9 = copy(t7)"
  `);
});

test("results: read where they were made", () => {
  const g = graphOf((x) => [x.mul(2), x.mT().exp()], matrix());
  expect(shown(g, shareResults(g))).toMatchInlineSnapshot(`
    "
    t1 = mul(a0, 2)
    t2 = exp(a0)
    t3 = copy(t1)
    t4 = copy(t2)
    ->
    t1 = mul(a0, 2)
    t2 = exp(a0)"
  `);
});

test("copies: a product with ones is one, and one of what nobody uses afterwards is that itself", () => {
  const rows = tensor([1, 0, 1], { dtype: "i32" }) as Tensor;
  rows.label = "rows";
  const f = (x: Tensor) => {
    const y = x.exp().mul(ones([])) as Tensor;
    const z = x.sin() as Tensor;
    const places = [rows as never, ones(3, 3).mul(2) as never] as const;
    return [y.indexAdd(0, ...places), z.indexAdd(0, ...places), z.mul(2)];
  };
  const g = removeDead(shareResults(hoistChecks(graphOf(f, matrix()))));
  expect(shown(g, removeDead(takeOver(copyOnes(g))))).toMatchInlineSnapshot(`
    "
    t7 = check_index(rows)
    t10 = check_index(rows)
    t1 = exp(a0)
    t2 = copy(1)
    t3 = mul(t1, t2)
    t4 = sin(a0)
    t5 = copy(1)
    t6 = mul(t5, 2)
    t9 = copy(t3)
    t9 = index_add(t9, t6, rows)
    t11 = copy(t4)
    t11 = index_add(t11, t6, rows)
    t12 = mul(t4, 2)
    ->
    t7 = check_index(rows)
    t10 = check_index(rows)
    t1 = exp(a0)
    t4 = sin(a0)
    t5 = copy(1)
    t6 = mul(t5, 2)
    t1 = index_add(t1, t6, rows)
    t11 = copy(t4)
    t11 = index_add(t11, t6, rows)
    t12 = mul(t4, 2)"
  `);
});

test("checks: first, unless what they look at comes after a change of state", () => {
  const w = tensor([0, 1]);
  w.label = "w";
  const table = matrix();
  table.label = "table";
  const g = graphOf(
    (x) => {
      ops.assign(w, x.exp());
      return ops.embedding(table, ops.cast(x, "i32"));
    },
    tensor([1, 0]) as Tensor,
  );
  expect(shown(g, hoistChecks(g))).toMatchInlineSnapshot(`
    "
    t1 = exp(a0)
    w = copy(t1)
    t3 = cast_i32(a0)
    t4 = check_index(t3)
    t5 = index_select(table, t3)
    t7 = copy(t5)
    ->
    t3 = cast_i32(a0)
    t4 = check_index(t3)
    t1 = exp(a0)
    w = copy(t1)
    t5 = index_select(table, t3)
    t7 = copy(t5)"
  `);
  const late = graphOf(
    (x) => {
      ops.assign(w, x);
      return ops.embedding(table, ops.cast(w, "i32"));
    },
    tensor([1, 0]) as Tensor,
  );
  expect(print(hoistChecks(late))).toBe(print(late));
});

describe("ends of products", () => {
  const layer = () => {
    const l = new Linear(3, 4);
    l.weight.label = "w";
    if (l.bias) l.bias.label = "b";
    return l;
  };
  const forward = (l: ReturnType<typeof layer>, x: Tensor) => l.forward(x as never) as Tensor;
  test("an activation whose argument nobody else reads", () => {
    const l = layer();
    const g = removeDead(shareResults(graphOf((x) => forward(l, x).relu(), matrix())));
    expect(shown(g, finishProducts(g))).toMatchInlineSnapshot(`
      "
      t1, - = matmul(a0, w, b, -)
      t4 = relu(t1)
      ->
      t4, - = matmul(a0, w, b, -)"
    `);
  });
  test("an activation whose argument backward reads, and the slope in the product before it", () => {
    const [l, m] = [layer(), new Linear(4, 2)];
    m.weight.label = "v";
    const g = removeDead(
      shareTwins(
        graphOf((x) => {
          const y = m.forward(forward(l, x).gelu() as never).sum();
          y.backward();
          return [y, l.weight.grad];
        }, matrix()),
      ),
    );
    expect(shown(g, finishProducts(g))).toMatchInlineSnapshot(`
      "
      t1, - = matmul(a0, w, b, -)
      t4 = gelu(t1)
      t5, - = matmul(t4, v, s7, -)
      t8 = sum(t5)
      t9 = copy(1)
      t10, - = matmul(t9, v, -, -)
      t13 = gelu_grad(t10, t1)
      t14, - = matmul(a0, t13, -, -)
      t16 = copy(t8)
      t17 = copy(t14)
      ->
      t4, t1 = matmul(a0, w, b, -)
      t5, - = matmul(t4, v, s7, -)
      t8 = sum(t5)
      t9 = copy(1)
      t13, - = matmul(t9, v, -, t1)
      t14, - = matmul(a0, t13, -, -)
      t16 = copy(t8)
      t17 = copy(t14)"
    `);
  });
  test("not with a reader of the product, a window, another activation", () => {
    const l = layer();
    for (const f of [
      (x: Tensor) => [forward(l, x).relu6()],
      (x: Tensor) => [(forward(l, x) as Tensor<[2, 4]>).slice(1, 0, 2).relu()],
      (x: Tensor) => [forward(l, x).mT().relu()],
    ] as Step[]) {
      const g = removeDead(graphOf(f, matrix()));
      expect(print(finishProducts(g))).toBe(print(g));
    }
  });
});

test("clipping: the factor goes into the update", () => {
  const l = new Linear(3, 1);
  const opt = new SGD(l, { lr: 0.1 });
  const g = removeDead(
    graphOf((x) => {
      opt.zeroGrad();
      l.forward(x as never)
        .sum()
        .backward();
      clipGradNorm(l, 1);
      opt.step();
    }, matrix()),
  );
  expect(shown(g, removeDead(clipInUpdates(g)))).toMatchInlineSnapshot(`
    "
    t5 = copy(1)
    t6, - = matmul(t5, a0, -, -)
    t7 = sum(t5)
    t8 = power_sum(t6)
    t8 = power_sum(t7)
    t9 = copy(1)
    t9 = clip_factor(t9, t8)
    t10 = cast_f32(t9)
    t11 = mul(t6, t10)
    t12 = cast_f32(t9)
    t13 = mul(t7, t12)
    hyper-parameters of SGD = tick(hyper-parameters of SGD)
    weight, - = sgd(weight, -, t11, hyper-parameters of SGD, -)
    bias, - = sgd(bias, -, t13, hyper-parameters of SGD, -)
    ->
    t5 = copy(1)
    t6, - = matmul(t5, a0, -, -)
    t7 = sum(t5)
    t8 = power_sum(t6)
    t8 = power_sum(t7)
    t9 = copy(1)
    t9 = clip_factor(t9, t8)
    hyper-parameters of SGD = tick(hyper-parameters of SGD)
    weight, - = sgd(weight, -, t6, hyper-parameters of SGD, t9)
    bias, - = sgd(bias, -, t7, hyper-parameters of SGD, t9)"
  `);
});

test("checkpoints: stored after all, the second computation goes", () => {
  const w = tensor([1, 2, 3], { requiresGrad: true });
  w.label = "w";
  const block = checkpoint((x: Tensor) => x.mul(w).tanh());
  const g = graphOf((x) => {
    const y = block(block(x)).sum();
    y.backward();
    return w.grad;
  }, matrix());
  const segments = segmentsOf(g);
  expect(segments).toHaveLength(2);
  const kept = (...ids: number[]) => removeDead(store(g, new Set(ids)));
  expect(shown(removeDead(g), kept(...segments))).toMatchInlineSnapshot(`
    "
    t3 = mul(a0, w)
    t5 = tanh(t3)
    t10 = copy(1)
    t11 = mul(t5, w)
    t12 = tanh(t11)
    t13 = tanh_grad(t10, t12)
    t14 = mul(t13, w)
    t15 = mul(t13, t5)
    t16 = sum(t15)
    t17 = mul(a0, w)
    t18 = tanh(t17)
    t19 = tanh_grad(t14, t18)
    t20 = mul(t19, a0)
    t21 = sum(t20)
    t22 = add(t16, t21)
    t23 = copy(t22)
    ->
    t3 = mul(a0, w)
    t5 = tanh(t3)
    t7 = mul(t5, w)
    t8 = tanh(t7)
    t10 = copy(1)
    t13 = tanh_grad(t10, t8)
    t14 = mul(t13, w)
    t15 = mul(t13, t5)
    t16 = sum(t15)
    t19 = tanh_grad(t14, t5)
    t20 = mul(t19, a0)
    t21 = sum(t20)
    t22 = add(t16, t21)
    t23 = copy(t22)"
  `);
  expect(print(kept(segments[0]!))).toMatchInlineSnapshot(`
    "t3 = mul(a0, w)
    t5 = tanh(t3)
    t7 = mul(t5, w)
    t8 = tanh(t7)
    t10 = copy(1)
    t13 = tanh_grad(t10, t8)
    t14 = mul(t13, w)
    t15 = mul(t13, t5)
    t16 = sum(t15)
    t17 = mul(a0, w)
    t18 = tanh(t17)
    t19 = tanh_grad(t14, t18)
    t20 = mul(t19, a0)
    t21 = sum(t20)
    t22 = add(t16, t21)
    t23 = copy(t22)"
  `);
});

test("memory: what does not live at the same time shares it, a lone step writes in place", () => {
  const g = singleSteps(
    removeDead(graphOf((x) => x.exp().log().sqrt().abs().sum(), tensor(Array(1000).fill(1)) as Tensor)),
  );
  const { offsets, arenaBytes } = planMemory(g);
  expect(arenaBytes).toBe(4032 + 64);
  expect(new Set(offsets.values()).size).toBe(2);
});

/** The gradient of rows [q | k | v] that attend to each other, in heads of a third of `width` each, joined in the order asked for. */
const attending =
  (heads: number, order: readonly number[]) =>
  (x: Tensor): Tensor => {
    const rows = new Parameter(x.detach()) as Tensor;
    const [batch, time, width] = rows.shape as [number, number, number];
    const parts = rows
      .split(width / 3, 2)
      .map((part) => part.reshape(batch, time, heads, width / 3 / heads).transpose(1, 2)) as Tensor[];
    const [q, k, v] = order.map((i) => parts[i]!) as [Tensor, Tensor, Tensor];
    scaledDotProductAttention(q, k, v, { causal: true }).square().sum().backward();
    return rows.grad as unknown as Tensor;
  };
test.each([
  ["f32", 2, 5, 3, [0, 1, 2]],
  ["f32", 1, 7, 1, [2, 0, 1]],
  ["bf16", 2, 5, 3, [0, 1, 2]],
] as const)(
  "attention's gradients in %s, batch %i of %i, %i heads: written where rows of them are joined",
  (precision, batch, time, heads, order) => {
    const x = randn(batch, time, heads * 12) as Tensor;
    const f = (rows: Tensor) => autocast(precision, () => attending(heads, order)(rows));
    using step = compile(f);
    const eager = [...f(x).dataSync()];
    for (let i = 0; i < 2; i++) expect([...step.sync(x).dataSync()]).toEqual(eager);
    const { listing } = step.explain().plans[0]!;
    expect(listing).toMatch(/(\w+), \1, \1 = attention_grad/);
    using plain = compile(f, { fuse: false });
    expect([...plain.sync(x).dataSync()]).toEqual(eager);
    expect(plain.explain().plans[0]!.listing).not.toMatch(/(\w+), \1, \1 = attention_grad/);
  },
);
