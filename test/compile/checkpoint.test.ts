// checkpoint(): the same bits with less kept, eager and compiled, with dropout, nested, to higher orders.
import {
  checkpoint,
  clipGradNorm,
  compile,
  Dropout,
  grad,
  Linear,
  Module,
  type NablaError,
  ones,
  randn,
  SGD,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { describe, expect, test } from "vitest";
import type { Storage } from "../../lib/core/storage.ts";
import type { Node } from "../../lib/engine/tape.ts";
import { compiled, numbersOf, stateOf, type Training } from "./program.ts";

/** A residual block with dropout. */
class Block extends Module {
  readonly up = new Linear(8, 24);
  readonly down = new Linear(24, 8);
  readonly drop = new Dropout(0.25);
  forward(x: Tensor): Tensor {
    const h = this.up.forward(x as never).gelu();
    return x.add(this.drop.forward(this.down.forward(h as never)) as never) as Tensor;
  }
}
class Net extends Module {
  readonly blocks = [new Block(), new Block(), new Block()];
}

type Wrap = (f: (x: Tensor) => Tensor, i: number) => (x: Tensor) => Tensor;
const plain: Wrap = (f) => f;
const each: Wrap = (f) => checkpoint(f);
const last: Wrap = (f, i) => (i === 2 ? checkpoint(f) : f);
const nested: Wrap = (f) => checkpoint((x: Tensor) => checkpoint(f)(x.mul(0.5) as Tensor).mul(2) as Tensor);
const halved: Wrap = (f) => (x: Tensor) => f(x.mul(0.5) as Tensor).mul(2) as Tensor;

function training(wrap: Wrap): Training {
  seed(6);
  const model = new Net();
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.5 });
  const args = [randn(5, 8) as Tensor];
  const blocks = model.blocks.map((b, i) => wrap((x) => b.forward(x), i));
  const step = (x: Tensor) => {
    const y = blocks.reduce((h, b) => b(h), x);
    const loss = y.mul(y as never).mean();
    optimizer.zeroGrad();
    loss.backward();
    clipGradNorm(model, 1);
    optimizer.step();
    return loss;
  };
  return { model, optimizer, step: step as Training["step"], args };
}
const run = (t: Training, step: (...args: Tensor[]) => unknown) => {
  seed(1);
  const losses = Array.from({ length: 5 }, () => numbersOf(step(...t.args)));
  return { losses, state: stateOf(t) };
};

describe("the same bits as without", () => {
  test.each([
    ["each block", each, plain],
    ["one block", last, plain],
    ["one in another", nested, halved],
  ] as const)("%s", (_, wrap, as) => {
    const [t, reference] = [training(wrap), training(as)];
    const eager = run(reference, reference.step);
    expect(run(t, t.step)).toEqual(eager);
    for (const fuse of [true, false]) {
      const c = training(wrap);
      expect(run(c, compiled(c, { fuse }).sync)).toEqual(eager);
      const limited = training(wrap);
      expect(run(limited, compiled(limited, { fuse, memoryLimit: 2 ** 30 }).sync)).toEqual(eager);
    }
    expect(new Set(eager.losses.map(String)).size).toBe(5);
  });
});

/** The storages that backward of y would read. */
function keptBy(y: Tensor): Set<Storage> {
  const found = new Set<Storage>();
  const seen = new Set<Node>();
  const visit = (node: Node | null) => {
    if (!node || seen.has(node)) return;
    seen.add(node);
    for (const k of Object.values(node.kept ?? {})) if (typeof k.value === "object") found.add(k.value.storage);
    for (const e of node.edges) if (e) visit(e.node);
  };
  visit(y.node as Node | null);
  return found;
}

describe("what it keeps", () => {
  const w = tensor([0.5, 2], { requiresGrad: true });
  const deep = (x: Tensor) => x.mul(w).tanh().mul(w).tanh().mul(w).tanh() as Tensor;
  test("is nothing of what is made inside", () => {
    const x = ones(3, 2) as Tensor;
    expect(keptBy(deep(x)).size).toBe(5);
    expect(keptBy(checkpoint(deep)(x)).size).toBe(0);
  });
  test("nothing without gradients: it is the function itself", () => {
    let calls = 0;
    const f = checkpoint((x: Tensor) => {
      calls++;
      return x.mul(2) as Tensor;
    });
    f(ones(2) as Tensor).sum();
    expect(calls).toBe(1);
  });
  test("gradients of inputs, of what is closed over, of targets only, of second order", () => {
    const f = (wrap: Wrap) => (x: Tensor) => wrap(deep, 0)(x).sum() as Tensor<[]>;
    const x = tensor([[0.3, 0.7]], { requiresGrad: true }) as Tensor;
    for (const of of [
      (wrap: Wrap) => grad(f(wrap))(x),
      (wrap: Wrap) =>
        grad((v: Tensor) => (grad(f(wrap), { createGraph: true })(v) as Tensor).mul(v).sum() as Tensor<[]>)(x),
    ])
      expect(numbersOf(of(each))).toEqual(numbersOf(of(plain)));
    const leaves = (wrap: Wrap) => {
      w.grad = x.grad = null;
      f(wrap)(x).backward();
      return numbersOf([w.grad, x.grad]);
    };
    expect(leaves(each)).toEqual(leaves(plain));
  });
  test("backward twice with retain, and an error without", () => {
    const x = tensor([1, 2], { requiresGrad: true }) as Tensor;
    const y = checkpoint(deep)(x).sum() as Tensor<[]>;
    y.backward(undefined, { retain: true });
    const once = numbersOf(x.grad);
    x.grad = null;
    y.backward();
    expect(numbersOf(x.grad)).toEqual(once);
    expect(() => y.backward()).toThrow("the graph behind");
  });
});

describe("refused", () => {
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return `${(error as NablaError).code} ${(error as Error).message}`;
    }
    return "nothing";
  };
  test("a function that does something else the second time", () => {
    const x = tensor([1, 2], { requiresGrad: true }) as Tensor;
    let calls = 0;
    const f = checkpoint((v: Tensor) => (calls++ ? v.tanh().exp() : v.tanh().mul(v)) as Tensor);
    expect(message(() => f(x).sum().backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD checkpoint: the function did something else when it ran again for backward
        hint: what it does may depend on its arguments and on tensors only"
    `);
  });
  test("what it closes over, changed before backward", () => {
    const w = tensor([1, 2], { requiresGrad: true }) as Tensor;
    const x = tensor([1, 2], { requiresGrad: true }) as Tensor;
    const y = checkpoint((v: Tensor) => v.mul(w).tanh() as Tensor)(x).sum() as Tensor<[]>;
    w.storage.version++;
    expect(message(() => y.backward())).toMatchInlineSnapshot(`
      "ERR_NABLA_GRAD backward: b of mul was changed in place after it was computed
          b  [2]
        hint: update parameters after backward(), or run the forward pass again"
    `);
  });
  test("a function that throws the second time leaves the tape as it was", () => {
    const x = tensor([1, 2], { requiresGrad: true }) as Tensor;
    let calls = 0;
    const f = checkpoint((v: Tensor) => {
      if (calls++) throw new TypeError("mine");
      return v.tanh() as Tensor;
    });
    expect(() => f(x).sum().backward()).toThrow("mine");
    expect(x.mul(2).requiresGrad).toBe(true);
    const step = compile((v: Tensor) => v.mul(2));
    for (let i = 0; i < 3; i++) expect(numbersOf(step.sync(x))).toEqual([[2, 4]]);
  });
});
