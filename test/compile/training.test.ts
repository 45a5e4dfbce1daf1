// Training steps, eager and compiled: the same bits after every step, whatever they are made of.
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  buffer,
  clipGradNorm,
  clipGradValue,
  cosine,
  Dropout,
  GELU,
  LayerNorm,
  Linear,
  Lion,
  Module,
  NAdam,
  noGrad,
  type Optimizer,
  ones,
  RAdam,
  ReLU,
  RMSNorm,
  RMSprop,
  Rprop,
  Sequential,
  SGD,
  Sigmoid,
  SiLU,
  seed,
  Tanh,
  type Tensor,
  zeros,
} from "nabla";
import { afterEach, describe, expect, test } from "vitest";
import { native } from "../../lib/core/native.ts";
import { batchNorm } from "../../lib/ops/norm.ts";
import { classifier, compiled, numbersOf, stateOf, type Training, xor } from "./program.ts";

/** Batch normalisation with running statistics that training moves. */
class Batches extends Module {
  readonly mean: Tensor;
  readonly variance: Tensor;
  constructor(channels: number) {
    super();
    this.mean = buffer(zeros(channels));
    this.variance = buffer(ones(channels));
  }
  forward(x: Tensor): Tensor {
    const { mean, variance, training } = this;
    return batchNorm(x, { runningMean: mean, runningVar: variance, training }) as Tensor;
  }
}

const best = native.isa();
const threads = native.threads();
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

/** Runs `make` eagerly and compiled, `before` and the seed of the generator alike, and compares results and state. */
function expectSame(make: () => Training, options = {}, before: (t: Training, i: number) => void = () => {}): void {
  const [a, b] = [make(), make()];
  const step = compiled(b, options);
  for (let i = 0; i < 6; i++) {
    seed(100 + i);
    before(a, i);
    const expected = numbersOf(a.step(...a.args));
    seed(100 + i);
    before(b, i);
    expect(numbersOf(step.sync(...b.args)), `result of step ${i}`).toEqual(expected);
    expect(stateOf(b), `state after step ${i}`).toEqual(stateOf(a));
  }
  expect(step.explain().plans.length).toBeGreaterThan(0);
  step[Symbol.dispose]();
}

describe("every instruction set, one thread and two, fused and not", () => {
  const settings = native.isas.flatMap((isa) => [1, 2].flatMap((n) => [true, false].map((fuse) => ({ isa, n, fuse }))));
  test.each(settings)("$isa, $n threads, fuse $fuse", ({ isa, n, fuse }) => {
    native.use(isa);
    native.setThreads(n);
    expectSame(xor, { fuse });
    expectSame(classifier, { fuse });
  });
  test("sizes that are shared among threads and cut in pieces", () => {
    const layers = () =>
      new Sequential(new Linear(12, 700), new GELU(), new Linear(700, 700), new Tanh(), new Linear(700, 5));
    for (const n of [1, 2]) {
      native.setThreads(n);
      expectSame(() => classifier(layers));
    }
  });
});

describe("optimizers", () => {
  const all = { SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, NAdam, RAdam, Lion, Rprop };
  test.each(Object.entries(all))("%s", (_, Rule) => {
    expectSame(() =>
      classifier(undefined, (model) => new Rule(model, { lr: 0.01, weightDecay: Rule === Rprop ? 0 : 0.1 })),
    );
  });
  const options: [string, (m: Module) => Optimizer][] = [
    ["momentum", (m) => new SGD(m, { lr: 0.1, momentum: 0.9, dampening: 0.1 })],
    ["nesterov", (m) => new SGD(m, { lr: 0.1, momentum: 0.9, nesterov: true })],
    ["amsgrad", (m) => new Adam(m, { lr: 0.1, amsgrad: true })],
    ["maximize", (m) => new AdamW(m, { lr: 0.1, maximize: true })],
    ["centered", (m) => new RMSprop(m, { lr: 0.01, centered: true, momentum: 0.5 })],
    ["groups", (m) => new AdamW(m, { lr: 0.1, groups: [{ parameters: /bias/, lr: 0.01 }], decay: (p) => p.ndim >= 2 })],
  ];
  test.each(options)("with %s", (_, make) => expectSame(() => classifier(undefined, make)));

  test("a learning rate, a decay and a schedule that are set between steps", () => {
    const lr = cosine({ from: 0.1, to: 0.001, steps: 6, warmup: 2 });
    expectSame(classifier, {}, ({ optimizer }, i) => {
      optimizer.lr = lr(i);
      for (const g of optimizer.groups) g.weightDecay = i / 10;
    });
  });
});

describe("clipping", () => {
  const clipped = (clip: (m: Module) => unknown) => (): Training => {
    const t = classifier();
    const { model, optimizer } = t;
    const step = (x: Tensor, y: Tensor) => {
      const loss = (t.step as (x: Tensor, y: Tensor) => Tensor)(x, y).mul(1);
      const again = (model as unknown as { forward(x: Tensor): Tensor }).forward(x).mul(3).sum();
      optimizer.zeroGrad();
      again.backward();
      const norm = clip(model);
      optimizer.step();
      return { loss, norm };
    };
    return { ...t, step: step as Training["step"] };
  };
  test.each([
    ["the norm of all", (m: Module) => clipGradNorm(m, 0.1)],
    ["a norm that is small enough", (m: Module) => clipGradNorm(m, 1e6)],
    ["the largest", (m: Module) => clipGradNorm(m, 0.1, { norm: Number.POSITIVE_INFINITY })],
    ["every element", (m: Module) => clipGradValue(m, 0.01)],
  ])("%s", (_, clip) => expectSame(clipped(clip)));
});

describe("layers", () => {
  const between = (...layers: Module[]) =>
    new Sequential(new Linear(12, 16), ...(layers as [Module]), new Linear(16, 5));
  const middles: [string, () => Module][] = [
    ["ReLU", () => new ReLU()],
    ["GELU", () => new GELU()],
    ["GELU by tanh", () => new GELU({ approximate: "tanh" })],
    ["SiLU", () => new SiLU()],
    ["Sigmoid", () => new Sigmoid()],
    ["Tanh", () => new Tanh()],
    ["LayerNorm", () => new LayerNorm(16)],
    ["RMSNorm", () => new RMSNorm(16)],
    ["Dropout", () => new Dropout(0.3)],
    ["batch norm", () => new Batches(16)],
  ];
  test.each(middles)("%s", (_, make) => {
    expectSame(() => classifier(() => between(make())));
    expectSame(() => classifier(() => between(make())), { fuse: false });
  });

  /** y = norm(h), h = x + linear(x), and h goes on: y + h. */
  class Residual extends Module {
    readonly linear: Linear<number, number>;
    readonly norm: Module & { forward(x: Tensor): Tensor };
    constructor(width: number, norm: Module) {
      super();
      this.linear = new Linear(width, width);
      this.norm = norm as Residual["norm"];
    }
    forward(x: Tensor): Tensor {
      const h = x.add(this.linear.forward(x as never) as never) as Tensor;
      return this.norm.forward(h).add(h as never) as Tensor;
    }
  }
  test.each([16, 1100])("a residual's sum and its norm, the sum used further: rows of %i", (width) => {
    for (const Norm of [LayerNorm, RMSNorm]) {
      const layers = () =>
        new Sequential(
          ...([new Linear(12, width), new Residual(width, new Norm(width)), new Linear(width, 5)] as unknown as [
            Module,
          ]),
        );
      for (const n of [1, 2]) {
        native.setThreads(n);
        expectSame(() => classifier(layers));
      }
    }
  });

  test("dropout differs from step to step, exactly as eager", () => {
    const make = () => classifier(() => between(new Dropout(0.5)));
    const [a, b] = [make(), make()];
    const step = compiled(b);
    const masked = (t: Training, run: () => unknown) => {
      const results: number[][] = [];
      seed(7);
      for (let i = 0; i < 8; i++) results.push(...numbersOf(run()));
      return results.map(String).concat(JSON.stringify(stateOf(t)));
    };
    const eager = masked(a, () => a.step(...a.args));
    expect(masked(b, () => step.sync(...b.args))).toEqual(eager);
    expect(new Set(eager).size).toBe(9);
  });
  test("training mode is a guard: each mode has its plan", () => {
    const make = () => classifier(() => between(new Dropout(0.5), new Batches(16)));
    const [a, b] = [make(), make()];
    const modes = [true, true, true, false, false, false, true, false, true];
    const run = (t: Training, f: () => unknown) =>
      modes.map((on, i) => {
        seed(i);
        t.model.train(on);
        return numbersOf(f());
      });
    const step = compiled(b);
    expect(run(b, () => step.sync(...b.args))).toEqual(run(a, () => a.step(...a.args)));
    expect(step.explain().plans).toHaveLength(2);
  });
  test("gradient mode is a guard", () => {
    const t = classifier();
    const { forward } = t.model as unknown as { forward(x: Tensor): Tensor };
    const { args } = t;
    const step = compiled({ ...t, step: (x: Tensor) => forward.call(t.model, x) });
    for (let i = 0; i < 3; i++) {
      step.sync(args[0]!);
      noGrad(() => step.sync(args[0]!));
    }
    expect(step.explain().plans).toHaveLength(2);
  });
});
