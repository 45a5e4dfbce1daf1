// What compile() refuses, in whole sentences that name the user's line; and what it follows without a word.
import { spawnSync } from "node:child_process";
import {
  AdamW,
  type Compiled,
  compile,
  grad,
  Linear,
  type Module,
  type NablaError,
  noGrad,
  ones,
  SGD,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "nabla";
import { afterEach, describe, expect, test, vi } from "vitest";
import { assign } from "../../lib/ops/index.ts";
import { classifier, compiled, numbersOf, stateOf } from "./program.ts";

type Loose = Compiled<Tensor[], unknown>;
const loose = (f: (x: Tensor) => unknown): Loose => compile(f as never) as never;
const x = ones(2, 3) as Tensor;

/** The error of the first of `calls` that throws, its places taken out: they differ from machine to machine. */
function message(f: (x: Tensor) => unknown, calls = 4, after: (r: unknown) => void = () => {}): string {
  try {
    const step = loose(f);
    for (let i = 0; i < calls; i++) after(step.sync(x));
  } catch (error) {
    const { code, message: text, stack } = error as NablaError;
    expect(stack).toMatch(/refusal\.test\.ts/);
    return `${code} ${text.replace(/at .*refusal\.test\.ts:\d+:\d+\)?/, "at refusal.test.ts")}`;
  }
  throw new Error("nothing was thrown");
}

describe("refused", () => {
  test("a number that changes", () => {
    let s = 1;
    const f = (a: Tensor) => {
      s *= 0.9;
      return a.mul(s);
    };
    expect(message(f)).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: a number of mul was 0.9 in one run and 0.81 in the next; it would be baked in
        at refusal.test.ts
        hint: pass it as an argument or keep it in a tensor"
    `);
  });
  test("a number that changes between calls, before anything has changed", () => {
    let s = 2;
    const w = ones(2);
    const step = loose(() => assign(w, w.mul(s)));
    step.sync(x);
    s = 3;
    expect(() => step.sync(x)).toThrow("a number of mul was 2 in one run and 3 in the next; it would be baked in");
    expect(w.toArray()).toEqual([2, 2]);
    for (let i = 0; i < 2; i++) step.sync(x);
    expect(w.toArray()).toEqual([18, 18]);
  });
  test("with NABLA_CHECK=n, a number that changes later", () => {
    const script = `
      import { compile, ones } from "./lib/index.ts";
      let s = 2;
      const step = compile((a) => a.mul(s));
      for (let i = 1; i <= 12; i++) {
        if (i === 4) s = 3;
        try { step.sync(ones(1)); } catch (error) { console.log(i, error.code); }
      }`;
    const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      env: { ...process.env, NABLA_CHECK: "5" },
      encoding: "utf8",
    });
    expect(stdout).toBe("5 ERR_NABLA_COMPILE\n");
  });
  test("a number in a scalar of a kernel", () => {
    let dim = 0;
    expect(message((a) => a.softmax(dim++ % 2))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step ran copy in one run and softmax in the next
        at refusal.test.ts
        hint: a branch depends on something that changes between calls: decide with where(), or pass it as an argument"
    `);
  });
  test("a branch that changes", () => {
    let i = 0;
    expect(message((a) => (i++ % 2 ? a.mul(2) : a.add(2)))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step ran add in one run and mul in the next
        at refusal.test.ts
        hint: a branch depends on something that changes between calls: decide with where(), or pass it as an argument"
    `);
    expect(message((a) => (i++ % 2 ? a : a.abs()))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step ran abs in one run and copy in the next
        at refusal.test.ts
        hint: a branch depends on something that changes between calls: decide with where(), or pass it as an argument"
    `);
    expect(message((a) => a.mul((i++ % 2 ? ones(2, 3) : 2) as never))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step ran mul in one run and copy in the next
        at refusal.test.ts
        hint: a branch depends on something that changes between calls: decide with where(), or pass it as an argument"
    `);
  });
  test("a variable that is rebound", () => {
    let h = ones(2, 3) as Tensor;
    const f = (a: Tensor) => {
      h = h.add(a);
      return h;
    };
    expect(message(f)).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: add used another tensor in this run than in the one before
        at refusal.test.ts
        hint: a variable is rebound between calls: return its tensor and pass it in. Gradients: call zeroGrad() inside, before backward()"
    `);
  });
  test("gradients that add up from call to call", () => {
    const layer = new Linear(3, 2);
    const f = (a: Tensor) =>
      layer
        .forward(a as never)
        .sum()
        .backward();
    expect(message(f)).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: add used another tensor in this run than in the one before
        at refusal.test.ts
        hint: a variable is rebound between calls: return its tensor and pass it in. Gradients: call zeroGrad() inside, before backward()"
    `);
  });
  test("numbers read inside", () => {
    expect(message((a) => (a.sum().item() > 3 ? a : a.mul(2)))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE item: reads a tensor's numbers inside a compiled step
        hint: return the tensor from the step and read it there; decide on data with where() instead of if"
    `);
    expect(message((a) => a.toArray())).toMatch("toArray: reads a tensor's numbers inside a compiled step");
    expect(message((a) => String(a))).toMatch("toString: reads a tensor's numbers inside a compiled step");
  });
  test("an async function, before it runs; a promise, once it has", async () => {
    let ran = false;
    const f = async (a: Tensor) => {
      ran = true;
      return a;
    };
    expect(message(f as never)).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step is an async function
        hint: a step is recorded in one go: await before it and after it, not inside"
    `);
    expect(ran).toBe(false);
    expect(message((a) => Promise.resolve(a))).toMatch("the step is an async function");
  });
  test("data from JavaScript that changes", () => {
    let i = 0;
    expect(message((a) => a.add(tensor([1, 2, i++])))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: a tensor made from JavaScript data held 0 in one run and 1 in the next; it would be baked in
        at refusal.test.ts
        hint: make it outside and pass it as an argument"
    `);
  });
  test("results that change, and what is no tensor", () => {
    let i = 0;
    expect(message((a) => ({ loss: a.sum(), i: i++ }))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step returned 0 as i in one run and 1 in the next
        hint: a step returns tensors, in the same places each time; anything else is baked in"
    `);
    expect(message((a) => (i++ % 2 ? [a] : { a }))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: the step returned { a } in one run and a list in the next
        hint: a step returns tensors, in the same places each time; anything else is baked in"
    `);
  });
  test("arguments that are no tensors, what is no function, a limit that is none", () => {
    const step = loose((a) => a);
    expect(() => step.sync(3 as never)).toThrow("compile: argument 0 of the step is a number");
    expect(() => compile(3 as never)).toThrow("compile: takes a function");
    expect(() => compile((a: Tensor) => a, { memoryLimit: -1 })).toThrow("memoryLimit -1 is no number of bytes");
  });
  test("a learning rate set inside", () => {
    const layer = new Linear(3, 2);
    const opt = new SGD(layer, { lr: 0.1 });
    const f = () => {
      opt.lr = 0.3;
    };
    expect(message(f)).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE optimizer: lr would be set once, when the step is recorded
        hint: set it between calls of the compiled step: opt.lr = schedule(i) before step()"
    `);
  });
  test("a compiled step inside another", () => {
    const inner = loose((a) => a.mul(2));
    expect(message((a) => inner.sync(a))).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE compile: a compiled step was called inside another
        hint: call the plain function inside, and compile only the outer one"
    `);
  });
  test("what stayed inside: a temporary, a gradient, an argument", () => {
    const kept: Tensor[] = [];
    const keep = (a: Tensor) => {
      kept[0] = a;
      return a.sum();
    };
    const use = () => kept[0]?.add(1);
    expect(message((a) => keep(a.mul(2)), 3, use)).toMatchInlineSnapshot(`
      "ERR_NABLA_COMPILE add: the memory of a tensor stayed inside a compiled step
          tensor  [2, 3]
        hint: return the tensor from the step; a gradient too: return { loss, grad: w.grad }"
    `);
    expect(message(keep, 3, use)).toMatch("stayed inside a compiled step");
    const layer = new Linear(3, 2);
    const opt = new SGD(layer, { lr: 0.1 });
    const backward = (a: Tensor) => {
      opt.zeroGrad();
      layer
        .forward(a as never)
        .sum()
        .backward();
    };
    expect(message(backward, 3, () => opt.step())).toMatch("sgd: the memory of a tensor stayed inside a compiled step");
  });
  test("state that was given back", () => {
    const w = ones(2, 3);
    w.label = "table";
    const step = loose((a) => a.mul(w));
    for (let i = 0; i < 3; i++) step.sync(x);
    w[Symbol.dispose]();
    expect(() => step.sync(x)).toThrow("compile: table was given back, and the step uses it");
  });
  test("anything, once disposed", async () => {
    const step = loose((a) => a);
    for (let i = 0; i < 3; i++) step.sync(x);
    step[Symbol.dispose]();
    step[Symbol.dispose]();
    expect(() => step.sync(x)).toThrow("compile: the compiled step was disposed");
    await expect(step(x)).rejects.toThrow("compile: the compiled step was disposed");
  });
});

describe("a function that throws", () => {
  test("leaves no trace of the recording, and may go on", () => {
    let broken = true;
    const layer = new Linear(3, 2);
    const step = loose((a) => {
      const y = noGrad(() => layer.forward(a as never));
      if (broken) throw new TypeError("mine");
      return y;
    });
    expect(() => step.sync(x)).toThrow(TypeError);
    expect(x.sum().item()).toBe(6);
    expect(layer.forward(x as never).requiresGrad).toBe(true);
    broken = false;
    for (let i = 0; i < 3; i++) expect(numbersOf(step.sync(x))).toEqual([[...layer.forward(x as never).dataSync()]]);
  });
  test("leaves state as it was, also what was changed before it", () => {
    const model = new Linear(3, 2);
    const optimizer = new AdamW(model, { lr: 0.1 });
    const before = stateOf({ model, optimizer });
    const step = loose((a) => {
      optimizer.zeroGrad();
      const loss = model.forward(a as never).sum();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    expect(() => step.sync(x)).toThrow("item: reads a tensor's numbers inside a compiled step");
    expect(stateOf({ model, optimizer })).toEqual(before);
    expect(() => optimizer.step()).toThrow("the memory of a tensor stayed inside a compiled step");
  });
  test("an error that the step catches itself is not part of it", () => {
    const step = loose((a) => {
      try {
        a.matmul(a as never);
      } catch {
        return a.mul(2);
      }
      return a;
    });
    for (let i = 0; i < 3; i++) expect(numbersOf(step.sync(x))).toEqual([[2, 2, 2, 2, 2, 2]]);
  });
});

describe("followed", () => {
  test("what it closes over: data written later is seen", () => {
    const w = tensor([1, 2, 3]);
    const step = loose((a) => a.mul(w));
    for (let i = 0; i < 4; i++) {
      w.storage.array.fill(i);
      expect(numbersOf(step.sync(x))).toEqual([Array(6).fill(i)]);
    }
  });
  test("a model in another dtype", () => {
    const layer = new Linear(3, 2);
    const step = loose((a) => layer.forward(a.to(layer.weight.dtype) as never));
    for (let i = 0; i < 3; i++) step.sync(x);
    layer.to("f64");
    for (let i = 0; i < 3; i++) {
      const y = step.sync(x) as Tensor;
      expect(y.dtype).toBe("f64");
      expect(numbersOf(y)).toEqual(numbersOf(layer.forward(x.to("f64") as never)));
    }
  });
  test("state that begins in the first step", () => {
    let count: Tensor | undefined;
    const step = loose((a) => {
      count ??= tensor([10, 20, 30]);
      return a.add(count);
    });
    for (let i = 0; i < 5; i++) expect(numbersOf(step.sync(x))).toEqual([[11, 21, 31, 11, 21, 31]]);
    expect(step.explain().plans).toHaveLength(1);
  });
  test("state that kernels compute in the first step: on this thread, awaited, repeated", async () => {
    const make = () => {
      let first: Tensor | undefined;
      return (a: Tensor) => {
        first ??= a.exp();
        return a.add(first as never);
      };
    };
    const inputs = [tensor([0, 1]), tensor([5, 7]), tensor([8, 9])] as Tensor[];
    const expected = inputs.map(make()).map((y) => numbersOf(y)[0]);
    const [sync, awaited, repeated] = [loose(make()), loose(make()), loose(make())];
    expect(inputs.map((a) => numbersOf(sync.sync(a))[0])).toEqual(expected);
    expect((await Promise.all(inputs.map((a) => awaited(a)))).map((y) => numbersOf(y)[0])).toEqual(expected);
    expect(((await repeated.repeat(3, stack(inputs) as Tensor)) as Tensor).toArray()).toEqual(expected);
    expect(((await loose(make()).repeat(1, stack(inputs.slice(0, 1)) as Tensor)) as Tensor).toArray()).toEqual(
      expected.slice(0, 1),
    );
  });
  test("parameters that are thawed: the optimizer begins their state in a compiled step", () => {
    const frozen = (model: Module) => {
      model.freeze("0");
      const optimizer = new AdamW(model, { lr: 0.1 });
      model.unfreeze();
      return optimizer;
    };
    const [a, b] = [classifier(undefined, frozen), classifier(undefined, frozen)];
    const step = compiled(b);
    for (let i = 0; i < 5; i++) expect(numbersOf(step.sync(...b.args))).toEqual(numbersOf(a.step(...a.args)));
    expect(stateOf(b)).toEqual(stateOf(a));
    expect(step.explain().plans).toHaveLength(1);
  });
  test("an argument's gradient", () => {
    const slope = grad((a: Tensor) => a.mul(a).sum());
    const step = loose((a) => slope(a));
    for (let i = 0; i < 3; i++) expect(numbersOf(step.sync(tensor([1, 2, i]) as never))).toEqual([[2, 4, 2 * i]]);
  });
  test("arguments in any layout, of any size, also none", () => {
    const step = loose((a) => a.mul(2));
    const views = [
      tensor([
        [1, 2],
        [3, 4],
      ]).mT(),
      zeros(0, 4),
      tensor(5),
      ones(3, 2).slice(0, 1, 2),
    ];
    for (const v of views)
      for (let i = 0; i < 3; i++) expect(numbersOf(step.sync(v as Tensor))).toEqual(numbersOf((v as Tensor).mul(2)));
    expect(step.explain().plans).toHaveLength(4);
  });
  test("results: lists, records, nothing, numbers, the same tensor twice, state, an argument", () => {
    const w = tensor([1, 2, 3]);
    const step = loose((a) => {
      const y = a.add(w);
      return { y, list: [y, null, 7], w, a, none: undefined };
    });
    for (let i = 0; i < 3; i++) {
      const r = step.sync(x) as Record<string, never>;
      expect(numbersOf(r)).toEqual([
        [2, 3, 4, 2, 3, 4],
        [2, 3, 4, 2, 3, 4],
        [1, 2, 3],
        [1, 1, 1, 1, 1, 1],
      ]);
      expect([r.list[1], r.list[2], r.none]).toEqual([null, 7, undefined]);
    }
  });
});

describe("the cache", () => {
  afterEach(() => vi.restoreAllMocks());
  test("keeps a plan for each size, the eight used last, and names the size that keeps changing, once", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const step = loose((a) => a.mul(2));
    for (let n = 1; n <= 8; n++) for (let i = 0; i < 3; i++) step.sync(ones(4, n) as Tensor);
    expect(step.explain().plans).toHaveLength(8);
    expect(warn).not.toHaveBeenCalled();
    for (let n = 9; n <= 12; n++) for (let i = 0; i < 3; i++) step.sync(ones(4, n) as Tensor);
    expect(step.explain().plans).toHaveLength(8);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toBe(
      "compile: more than 8 plans for one step: size 1 of argument 0 keeps changing (9, 8, 7, 6, ...)",
    );
  });
});
