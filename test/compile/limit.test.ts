// Steps that keep within a limit.
import { checkpoint, compile, Linear, type NablaError, ones, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { numbersOf } from "./program.ts";

describe("a limit", () => {
  const count = 6;
  const width = 64;
  /** Six blocks, each with an inside four times as wide; counts its runs in JavaScript. */
  function stack() {
    const layers = Array.from(
      { length: count },
      () => [new Linear(width, 4 * width), new Linear(4 * width, width)] as const,
    );
    const calls = { first: 0, runs: 0 };
    const blocks = layers.map(([up, down]) =>
      checkpoint((x: Tensor) => {
        calls.runs++;
        return down.forward(up.forward(x as never).gelu() as never) as Tensor;
      }),
    );
    const step = (x: Tensor) => {
      for (const [up, down] of layers) for (const l of [up, down]) l.weight.grad = l.bias!.grad = null;
      const y = blocks.reduce((h, b) => h.add(b(h) as never) as Tensor, x).sum();
      y.backward();
      return { y, grads: layers.map(([up, down]) => [up.weight.grad, down.weight.grad]) };
    };
    return { step, calls };
  }
  const x = ones(100, width) as Tensor;
  const matmuls = (listing: string) => listing.match(/= matmul/g)!.length;
  const planOf = (memoryLimit?: number) => {
    const step = compile(stack().step, memoryLimit === undefined ? {} : { memoryLimit });
    for (let i = 0; i < 2; i++) step.sync(x);
    return step.explain().plans[0]!;
  };
  const roomy = planOf(2 ** 40);
  const tight = planOf();

  test("without one, every checkpointed segment is computed again; with a roomy one, none", () => {
    expect(tight.peakBytes).toBeLessThan(roomy.peakBytes);
    expect(matmuls(tight.listing) - matmuls(roomy.listing)).toBe(count);
  });
  test("as few as possible are computed again", () => {
    let last = matmuls(roomy.listing);
    for (let share = 0.95; share >= 0; share -= 0.19) {
      const limit = tight.peakBytes + share * (roomy.peakBytes - tight.peakBytes);
      const plan = planOf(limit);
      expect(plan.peakBytes).toBeLessThanOrEqual(limit);
      expect(matmuls(plan.listing)).toBeGreaterThan(last - 1);
      last = matmuls(plan.listing);
    }
    expect(last).toBeLessThanOrEqual(matmuls(tight.listing));
    expect(last).toBeGreaterThan(matmuls(roomy.listing));
  });
  test("the function runs twice in the first call, once in the second and never again", () => {
    const { step: f, calls } = stack();
    const step = compile(f, { memoryLimit: 2 ** 40 });
    const first = numbersOf(step.sync(x));
    const runs = calls.runs / 2;
    for (let i = 0; i < 3; i++) {
      expect(numbersOf(step.sync(x))).toEqual(first);
      expect(calls.runs).toBe(3 * runs);
    }
  });
  test("too small: refused before anything runs, with a table", () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    w.label = "table";
    let ran = 0;
    const step = compile(
      (a: Tensor) => {
        ran++;
        return a.mul(w).exp().sum();
      },
      { memoryLimit: 1000 },
    );
    const message = (f: () => unknown): string => {
      try {
        f();
      } catch (error) {
        const { code, message: text } = error as NablaError;
        return `${code} ${text.replace(/at \S*limit\.test\.ts:\d+:\d+|at .*\(.*limit\.test\.ts:\d+:\d+\)/g, "at limit.test.ts").replace(/(\d)\.\d+ MiB {2}operands/, "$1 MiB  operands")}`;
      }
      return "nothing";
    };
    expect(message(() => step.sync(ones(1000, 3) as Tensor))).toMatchInlineSnapshot(`
      "ERR_NABLA_MEMORY compile: the step needs 407.6 KiB, the limit is 1.0 KiB
          state          0.0 KiB  weights, optimizer state and what else the step uses
          temporaries   11.8 KiB  arguments and what the step computes, at its fullest:
            a0          11.8 KiB  an argument
            t3          11.8 KiB  exp at limit.test.ts
          copies        11.7 KiB  arguments and results on their way
          results        0.0 KiB
          scratch      384.0 KiB  operands of matrix products in the order kernels read them
        hint: put blocks into checkpoint(), or use smaller batches"
    `);
    expect(ran).toBe(2);
  });
});
