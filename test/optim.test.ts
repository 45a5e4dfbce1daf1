import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  clipGradNorm,
  clipGradValue,
  compile,
  Linear,
  Lion,
  loadSafetensors,
  type Module,
  mse,
  NAdam,
  type Optimizer,
  ones,
  Parameter,
  RAdam,
  RMSprop,
  Rprop,
  randn,
  Sequential,
  SGD,
  saveSafetensors,
  schedule,
  seed,
  Tanh,
  type Tensor,
  type Trainable,
  tensor,
} from "../lib/index.ts";

const rules: [string, (p: Trainable) => Optimizer][] = [
  ["SGD", (p) => new SGD(p, { lr: 0.1 })],
  ["SGD with momentum", (p) => new SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
  ["Adam", (p) => new Adam(p, { lr: 0.01, amsgrad: true })],
  ["AdamW", (p) => new AdamW(p, { lr: 0.01 })],
  ["RMSprop", (p) => new RMSprop(p, { momentum: 0.5, centered: true })],
  ["Adagrad", (p) => new Adagrad(p, { initialAccumulatorValue: 0.5, lrDecay: 0.1 })],
  ["Adadelta", (p) => new Adadelta(p)],
  ["Adamax", (p) => new Adamax(p)],
  ["NAdam", (p) => new NAdam(p)],
  ["RAdam", (p) => new RAdam(p)],
  ["Lion", (p) => new Lion(p, { lr: 0.01, weightDecay: 0.1 })],
  ["Rprop", (p) => new Rprop(p)],
];

const net = () => {
  seed(11);
  return new Sequential(new Linear(3, 5), new Tanh(), new Linear(5, 2));
};
seed(10);
const x = randn(8, 3);
const y = randn(8, 2);
function step(model: ReturnType<typeof net>, opt: Optimizer): Tensor {
  const loss = mse(model.forward(x), y);
  opt.zeroGrad();
  loss.backward();
  opt.step();
  return loss;
}
const weights = (m: Module) => Object.fromEntries([...m.stateDict()].map(([name, w]) => [name, [...w.dataSync()]]));
const parameter = (...values: number[]) => new Parameter(tensor(values) as Tensor<[number], "f32">);
const set = (p: Parameter, ...g: number[]) => {
  p.grad = tensor(g).reshape(...p.shape) as Tensor as never;
};

describe("steps", () => {
  test("SGD: w -= lr g, then with momentum b = μ b + g", () => {
    const p = parameter(1, 2);
    const opt = new SGD([p], { lr: 0.5, momentum: 0.5 });
    set(p, 1, -1);
    opt.step();
    expect(p.toArray()).toEqual([0.5, 2.5]);
    opt.step();
    expect(p.toArray()).toEqual([-0.25, 3.25]);
  });
  test("Adam: the first step has the size of the learning rate, whatever the gradient's", () => {
    const p = parameter(0, 0, 0);
    set(p, 1e-3, 5, -1e4);
    new Adam([p], { lr: 0.125 }).step();
    for (const [i, v] of [-0.125, -0.125, 0.125].entries()) expect(p.dataSync()[i]).toBeCloseTo(v, 5);
  });
  test.each(rules)("%s makes the loss small", (_, make) => {
    const model = net();
    const opt = make(model);
    const first = step(model, opt).item();
    let last = first;
    for (let i = 0; i < 60; i++) last = step(model, opt).item();
    expect(last).toBeLessThan(first);
  });
  test.each(rules)("%s takes the same steps compiled, also when the rate changes", async (_, make) => {
    const [eager, compiled] = [net(), net()];
    const [a, b] = [make(eager), make(compiled)];
    const run = compile(() => step(compiled, b));
    for (let i = 0; i < 6; i++) {
      a.lr = b.lr = 0.01 / (i + 1);
      step(eager, a);
      await run();
    }
    expect(weights(compiled)).toEqual(weights(eager));
    expect(b.stateDict().get("step.0.weight")?.item()).toBe(6);
  });
  test("a weight and its gradient may lie in memory in any order", () => {
    const w = randn(4, 3);
    const turned = new Parameter(w.mT().contiguous().mT());
    const straight = new Parameter(w.clone());
    const opt = new AdamW([turned, straight], { lr: 0.1 });
    for (const g of [randn(4, 3), randn(3, 4).mT(), randn(1, 3).expand(4, 3)]) {
      turned.grad = straight.grad = g as Tensor as never;
      opt.step();
    }
    expect(turned.strides).toEqual([1, 4]);
    expect(turned.toArray()).toEqual(straight.toArray());
    const state = opt.stateDict();
    expect(state.get("exp_avg.0")?.toArray()).toEqual(state.get("exp_avg.1")?.toArray());
  });
  test("parameters without a gradient, and frozen ones, stay as they are", () => {
    const model = net();
    model.freeze("0");
    const opt = new AdamW(model, { lr: 0.1, weightDecay: 0.5 });
    const before = weights(model);
    step(model, opt);
    const after = weights(model);
    expect(after["0.weight"]).toEqual(before["0.weight"]);
    expect(after["2.weight"]).not.toEqual(before["2.weight"]);
    expect([...opt.stateDict().keys()].some((name) => name.includes("0."))).toBe(false);
  });
  test("a parameter that joins late counts its own steps", () => {
    const [early, late] = [parameter(0), parameter(0)];
    late.requiresGrad = false;
    const opt = new Adam([early, late], { lr: 0.1 });
    set(early, 1);
    for (let i = 0; i < 3; i++) opt.step();
    late.requiresGrad = true;
    set(late, 1);
    opt.step();
    expect(late.item()).toBeCloseTo(-0.1, 6);
    expect([opt.stateDict().get("step.0")?.item(), opt.stateDict().get("step.1")?.item()]).toEqual([4, 1]);
  });
});

describe("groups", () => {
  test("each has its own hyper-parameters; the first that picks a parameter has it", () => {
    const model = net();
    const opt = new SGD(model, {
      lr: 1,
      momentum: 0.9,
      groups: [
        { parameters: "2", lr: 0.1, weightDecay: 0.5 },
        { parameters: /bias$/, momentum: 0 },
      ],
    });
    const seen = opt.groups.map((g) => [[...g.parameters.keys()], g.lr, g.weightDecay, g.options.momentum]);
    expect(seen).toEqual([
      [["2.weight", "2.bias"], 0.1, 0.5, 0.9],
      [["0.bias"], 1, 0, 0],
      [["0.weight"], 1, 0, 0.9],
    ]);
  });
  test("the learning rate moves all groups in proportion, or one alone", () => {
    const opt = new SGD(net(), { lr: 0.5, groups: [{ parameters: "0", lr: 0.05 }] });
    opt.lr = 1;
    expect(opt.groups.map((g) => g.lr)).toEqual([0.1, 1]);
    opt.groups[0]!.lr = 3;
    expect([opt.lr, ...opt.groups.map((g) => g.lr)]).toEqual([1, 3, 1]);
  });
  test("decay picks what is decayed", () => {
    const [w, b] = [parameter(1), parameter(1)];
    const opt = new AdamW(
      new Map([
        ["w", w],
        ["b", b],
      ]),
      { lr: 0.5, weightDecay: 0.5, decay: (_, name) => name === "w" },
    );
    set(w, 0);
    set(b, 0);
    opt.step();
    expect([w.item(), b.item()]).toEqual([0.75, 1]);
    opt.groups[0]!.weightDecay = 1;
    opt.step();
    expect(w.item()).toBe(0.375);
  });
});

describe("state", () => {
  const folder = mkdtempSync(join(tmpdir(), "nabla-optim-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(rules)("%s goes on from a saved state with the same bits", async (name, make) => {
    const whole = net();
    const opt = make(whole);
    whole.freeze("2.bias");
    for (let i = 0; i < 3; i++) step(whole, opt);
    whole.unfreeze();
    step(whole, opt);
    const file = join(folder, `${name}.safetensors`);
    await saveSafetensors(file, new Map([...whole.stateDict(), ...opt.stateDict()]));

    const all = await loadSafetensors(file);
    const model = net();
    const own = new Set(model.stateDict().keys());
    model.loadStateDict(all, { rename: (key) => (own.has(key) ? key : undefined) });
    const resumed = make(model);
    resumed.lr = opt.lr;
    resumed.loadStateDict(all, { rename: (key) => (own.has(key) ? undefined : key) });
    expect(resumed.stateDict().get("step.2.bias")?.item()).toBe(opt.stateDict().get("step.2.bias")?.item());
    for (let i = 0; i < 3; i++) {
      step(whole, opt);
      step(model, resumed);
    }
    expect(weights(model)).toEqual(weights(whole));
  });
  test("is named as PyTorch names it", () => {
    const names = (opt: Optimizer) => [...opt.stateDict().keys()];
    const layer = () => new Linear(1, 1, { bias: false });
    expect(names(new Adam(layer(), { amsgrad: true }))).toEqual(
      ["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step"].map((n) => `${n}.weight`),
    );
    expect(names(new SGD(layer(), { momentum: 0.9 }))).toEqual(["momentum_buffer.weight", "step.weight"]);
    expect(names(new NAdam(layer()))).toContain("mu_product.weight");
  });
  test("a state that does not fit is told whole, and nothing is taken over", () => {
    const opt = new SGD(net(), { momentum: 0.9 });
    const before = opt.stateDict().get("momentum_buffer.0.weight")?.toArray();
    const wrong = new SGD(new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 2)), { momentum: 0.9 });
    expect(() => opt.loadStateDict(wrong.stateDict())).toThrow(
      /3 of another shape\n {4}shape {7}momentum_buffer\.0\.weight is \[5, 3\], given \[4, 3\]/,
    );
    expect(opt.stateDict().get("momentum_buffer.0.weight")?.toArray()).toEqual(before);
  });
});

describe("what cannot be is refused", () => {
  const p = () => [parameter(1)];
  test.each<[string, () => unknown, string]>([
    ["NaN", () => new SGD(p(), { lr: Number.NaN }), "SGD: lr must be a number from 0, got NaN"],
    ["negative", () => new Adam(p(), { eps: -1 }), "Adam: eps must be a number from 0, got -1"],
    ["betas", () => new AdamW(p(), { betas: [0.9, 1] }), "betas must be two numbers from 0 to below 1, got [0.9, 1]"],
    ["nesterov", () => new SGD(p(), { nesterov: true }), "nesterov needs a momentum above 0 and no dampening"],
    ["alpha", () => new RMSprop(p(), { alpha: 1 }), "alpha must be below 1, got 1"],
    ["nothing", () => new SGD([]), "there are no parameters to optimize"],
    ["a tensor", () => new SGD([ones(2) as never]), "0 is not a parameter"],
    ["an empty group", () => new SGD(p(), { groups: [{ parameters: "x" }] }), "the group x has no parameters"],
    ["a window", () => new SGD([new Parameter(ones(4, 4).slice(1, 0, 2))]), "0 is a window on a larger tensor"],
    ["a rate set later", () => Object.assign(new SGD(p()), { lr: -1 }), "lr must be a number from 0, got -1"],
    ["a norm", () => clipGradNorm(p(), -1), "cannot clip the 2-norm to -1"],
    ["a value", () => clipGradValue(p(), Number.NaN), "cannot clip to NaN"],
  ])("%s", (_, f, sentence) => {
    expect(f).toThrow(sentence);
  });
  test("a model that changed its element type afterwards", () => {
    const model = net();
    const opt = new Adam(model);
    model.to("f64");
    for (const q of model.parameters()) q.grad = q.clone().detach() as never;
    expect(() => opt.step()).toThrow("0.weight is f64 now, its state f32");
  });
});

describe("clipping", () => {
  test("the norm is over all gradients; below the limit nothing changes", () => {
    const [a, b] = [parameter(0, 0), parameter(0)];
    set(a, 3, 0);
    set(b, -4);
    expect(clipGradNorm([a, b], 10).item()).toBe(5);
    expect([a.grad?.toArray(), b.grad?.toArray()]).toEqual([[3, 0], [-4]]);
    expect(clipGradNorm([a, b], 1).item()).toBe(5);
    expect(a.grad?.dataSync()[0]).toBeCloseTo(0.6, 6);
    expect(b.grad?.dataSync()[0]).toBeCloseTo(-0.8, 6);
    expect(clipGradNorm([a, b], 1, { norm: 1 }).item()).toBeCloseTo(1.4, 6);
    set(a, 3, -9);
    expect(clipGradNorm([a], 1, { norm: Number.POSITIVE_INFINITY }).item()).toBe(9);
  });
  test("a gradient that two parameters share is scaled once for each", () => {
    const [a, b] = [parameter(1), parameter(2)];
    a.add(b).sum().backward();
    clipGradNorm([a, b], Math.SQRT1_2);
    expect(a.grad?.item()).toBeCloseTo(0.5, 5);
    expect(b.grad?.item()).toBeCloseTo(0.5, 5);
  });
  test("no gradients: norm 0; NaN stays NaN", () => {
    const p = parameter(1);
    expect(clipGradNorm([p], 1).item()).toBe(0);
    set(p, Number.NaN);
    expect(clipGradNorm([p], 1).item()).toBeNaN();
    expect(p.grad?.item()).toBeNaN();
  });
  test("by value", () => {
    const p = parameter(0, 0, 0);
    set(p, -5, 0.25, 7);
    clipGradValue([p], 0.5);
    expect(p.grad?.toArray()).toEqual([-0.5, 0.25, 0.5]);
  });
});

describe("schedules", () => {
  const at = (s: schedule.Schedule, ...steps: number[]) => steps.map((i) => Number(s(i).toFixed(10)));
  test("their shapes", () => {
    expect(at(schedule.linear({ from: 1, to: 0.5, steps: 10 }), 0, 5, 10, 99)).toEqual([1, 0.75, 0.5, 0.5]);
    expect(at(schedule.cosine({ from: 1, steps: 110, warmup: 10 }), 0, 5, 10, 60, 110, 500)).toEqual([
      0, 0.5, 1, 0.5, 0, 0,
    ]);
    expect(at(schedule.cosine({ from: 1, steps: 20, warmup: 10, start: 0.5 }), 0, 5, 10)).toEqual([0.5, 0.75, 1]);
    expect(at(schedule.polynomial({ from: 1, to: 0, steps: 4, power: 2 }), 0, 2, 4)).toEqual([1, 0.25, 0]);
    expect(at(schedule.step({ from: 1, size: 3 }), 2, 3, 6)).toEqual([1, 0.1, 0.01]);
    expect(at(schedule.multiStep({ from: 1, milestones: [2, 4], gamma: 0.5 }), 1, 2, 4)).toEqual([1, 0.5, 0.25]);
    expect(at(schedule.exponential({ from: 1, gamma: 0.5 }), 0, 3)).toEqual([1, 0.125]);
    expect(at(schedule.cosineRestarts({ from: 1, period: 10, factor: 2 }), 0, 5, 10, 20, 30, 50)).toEqual([
      1, 0.5, 1, 0.5, 1, 0.5,
    ]);
    expect(at(schedule.cyclic({ low: 1, high: 2, up: 2, mode: "triangular2" }), 0, 2, 4, 6)).toEqual([1, 2, 1, 1.5]);
    expect(at(schedule.oneCycle({ max: 1, steps: 11, pctStart: 0.5, anneal: "linear" }), 0, 10)).toEqual([
      0.04, 0.000004,
    ]);
    expect(at(schedule.linearWarmup(4, schedule.constant(1)), 0, 2, 4)).toEqual([0, 0.5, 1]);
  });
  test("a plateau falls when nothing becomes better", () => {
    const rate = schedule.plateau({ from: 1, factor: 0.5, patience: 1, cooldown: 2, to: 0.2 });
    const seen = [5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4];
    expect(seen.map((_, i) => rate(seen.slice(0, i)))).toEqual([
      1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2,
    ]);
    expect(schedule.plateau({ from: 1, patience: 0, mode: "max" })([1, 2, 3, 3])).toBe(0.1);
  });
  test("impossible numbers are refused", () => {
    expect(() => schedule.cosine({ from: 1, steps: 0 })).toThrow("cosine: steps must be a number above 0, got 0");
    expect(() => schedule.cosine({ from: Number.NaN, steps: 9 })).toThrow("from must be a finite number, got NaN");
    expect(() => schedule.linear({ from: 1, steps: 5, warmup: 5 })).toThrow("steps - warmup must be a number above 0");
    expect(() => schedule.cosineRestarts({ from: 1, period: 5, factor: 0.5 })).toThrow("factor must be at least 1");
  });
});
