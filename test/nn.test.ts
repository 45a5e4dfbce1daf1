import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  BatchNorm2d,
  buffer,
  Dropout,
  Flatten,
  GELU,
  GroupNorm,
  Identity,
  LayerNorm,
  Linear,
  Module,
  NablaError,
  ones,
  Parameter,
  ReLU,
  RMSNorm,
  randn,
  Sequential,
  Softmax,
  seed,
  Tanh,
  type Tensor,
  tensor,
  zeros,
} from "../lib/index.ts";

const caught = (f: () => unknown): NablaError => {
  try {
    f();
  } catch (e) {
    if (e instanceof NablaError) return e;
    throw e;
  }
  throw new Error("nothing was thrown");
};

class Block extends Module {
  fc = new Linear(3, 3);
  norm = new LayerNorm(3);
}
class Net extends Module {
  readonly size = 3;
  inp = new Linear(2, 3);
  blocks = [new Block(), new Block()];
  heads = { a: new Linear(3, 1), b: { c: new Linear(3, 1, { bias: false }) } };
  scale = new Parameter(ones(3));
  mean = buffer(zeros(3));
  scratch = buffer(zeros(3), { persistent: false });
  plain = zeros(3);
}

describe("what a module finds", () => {
  test("parameters by path, in the order they were made, through lists and objects", () => {
    expect([...new Net().namedParameters().keys()]).toEqual([
      "inp.weight",
      "inp.bias",
      ...[0, 1].flatMap((i) => ["fc.weight", "fc.bias", "norm.weight", "norm.bias"].map((n) => `blocks.${i}.${n}`)),
      "heads.a.weight",
      "heads.a.bias",
      "heads.b.c.weight",
      "scale",
    ]);
  });
  test("state: parameters and persistent buffers", () => {
    const names = [...new Net().stateDict().keys()];
    expect(names).toContain("mean");
    expect(names).not.toContain("scratch");
    expect(names).not.toContain("plain");
  });
  test("shared parameters once, under their first name; a way back is not followed", () => {
    class Tied extends Module {
      embed = new Linear(4, 4, { bias: false });
      head = this.embed;
      twin = { weight: this.embed.weight };
      self: Module = this;
    }
    const tied = new Tied();
    expect([...tied.stateDict().keys()]).toEqual(["embed.weight"]);
    expect([...tied.namedModules().keys()]).toEqual(["", "embed"]);
    tied.loadStateDict({ "head.weight": ones(4, 4) });
    expect(tied.embed.weight.sum().item()).toBe(16);
  });
  test("names grow into labels: the longest path, for errors", () => {
    const net = new Net();
    net.inp.parameters();
    expect(net.inp.weight.label).toBe("weight");
    net.parameters();
    expect(net.inp.weight.label).toBe("inp.weight");
    net.inp.parameters();
    expect(net.inp.weight.label).toBe("inp.weight");
  });
  test("a choice of them: a path, a pattern, a function", () => {
    const net = new Net();
    const names = (...args: Parameters<Module["namedParameters"]>) => [...net.namedParameters(...args).keys()];
    expect(names("blocks.0.fc")).toEqual(["blocks.0.fc.weight", "blocks.0.fc.bias"]);
    expect(names("blocks.0.f")).toEqual([]);
    expect(names(/norm\.bias$/g)).toEqual(["blocks.0.norm.bias", "blocks.1.norm.bias"]);
    expect(names((p, name) => p.ndim === 1 && name.startsWith("inp"))).toEqual(["inp.bias"]);
  });
  test("modules, and apply to each once", () => {
    const net = new Net();
    const seen: string[] = [];
    net.apply((m) => seen.push(m.constructor.name));
    expect(seen).toEqual([
      "Net",
      "Linear",
      ...["Block", "Linear", "LayerNorm", "Block", "Linear", "LayerNorm"],
      "Linear",
      "Linear",
    ]);
    expect([...net.namedModules().keys()]).toContain("heads.b.c");
  });
  test("prints as a tree with counts", () => {
    expect(String(new Net())).toBe(
      [
        "Net()  55",
        "  inp: Linear(2, 3)  9",
        "  blocks.0: Block()  18",
        "    fc: Linear(3, 3)  12",
        "    norm: LayerNorm(3)  6",
        "  blocks.1: Block()  18",
        "    fc: Linear(3, 3)  12",
        "    norm: LayerNorm(3)  6",
        "  heads.a: Linear(3, 1)  4",
        "  heads.b.c: Linear(3, 1, { bias: false })  3",
        "55 parameters",
      ].join("\n"),
    );
  });
});

describe("loading", () => {
  const small = () => new Sequential(new Linear(2, 3), new Tanh(), new Linear(3, 1));

  test("everything that does not fit is in one error, and nothing was written", () => {
    const net = small();
    const before = net.layers[0].bias?.toArray();
    const dict = { "0.wieght": zeros(3, 2), "0.bias": zeros(3), "2.weight": zeros(3, 1), other: zeros(1) };
    const e = caught(() => net.loadStateDict(dict as Record<string, Tensor>));
    expect(e.code).toBe("ERR_NABLA_STATE");
    expect(e.message).toBe(
      [
        "loadStateDict: 2 missing, 2 unexpected, 1 of another shape",
        "    missing     0.weight [3, 2]: did you mean 0.wieght?",
        "    missing     2.bias [1]",
        "    unexpected  0.wieght",
        "    unexpected  other",
        "    shape       2.weight is [1, 3], given [3, 1] (transposed: see the option transpose)",
        "  hint: rename maps the names of the file, { strict: false } loads what fits",
      ].join("\n"),
    );
    expect(net.layers[0].bias?.toArray()).toEqual(before);
  });
  test("not strict: what fits is loaded, the rest reported; shapes must fit all the same", () => {
    const net = small();
    const report = net.loadStateDict({ "0.bias": ones(3), extra: ones(1) } as Record<string, Tensor>, {
      strict: false,
    });
    expect(report).toEqual({ missing: ["0.weight", "2.weight", "2.bias"], unexpected: ["extra"] });
    expect(net.layers[0].bias?.toArray()).toEqual([1, 1, 1]);
    expect(() => net.loadStateDict({ "0.bias": ones(4) } as Record<string, Tensor>, { strict: false })).toThrow(
      "0.bias is [3], given [4]",
    );
  });
  test("renamed and transposed", () => {
    const net = small();
    const w = randn(2, 3);
    const dict = new Map<string, Tensor>([
      ["model.0.w", w],
      ["model.0.bias", ones(3)],
      ["model.2.w", ones(3, 1)],
      ["model.2.bias", ones(1)],
      ["step", zeros(1)],
    ]);
    const rename = (key: string) => (key === "step" ? undefined : key.replace("model.", "").replace(/w$/, "weight"));
    net.loadStateDict(dict, { rename, transpose: /weight$/ });
    expect(net.layers[0].weight.toArray()).toEqual(w.mT().toArray());
    expect(() => net.loadStateDict(dict, { rename: () => "0.bias" })).toThrow('rename gives "0.bias" for both');
  });
  test("numbers of another type are converted, the order in memory stays", () => {
    const layer = new Linear(2, 3);
    const { strides } = layer.weight;
    const w = randn([3, 2], { dtype: "f64" });
    layer.loadStateDict({ weight: w, bias: tensor([1, 2, 3], { dtype: "i32" }) });
    expect(layer.weight.toArray()).toEqual(w.to("f32").toArray());
    expect(layer.bias?.toArray()).toEqual([1, 2, 3]);
    expect(layer.weight.strides).toEqual(strides);
  });
});

describe("modes", () => {
  test("train and eval reach everything inside; setting training reaches one", () => {
    const net = new Sequential(new Dropout(), new Sequential(new Dropout()));
    expect(net.eval().layers[1].layers[0].training).toBe(false);
    net.layers[1].training = true;
    expect([net.training, net.layers[0].training, net.layers[1].training]).toEqual([false, false, true]);
    expect(net.layers[1].layers[0].training).toBe(false);
    expect(net.train().layers[1].layers[0].training).toBe(true);
  });
  test("dropout drops a share in training, and scales the rest", () => {
    seed(1);
    const drop = new Dropout(0.25);
    const x = ones(100, 100);
    const y = [...drop.forward(x).dataSync()];
    const kept = y.filter((v) => v !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
    expect(Math.abs(kept.length - 7500)).toBeLessThan(200);
    expect(drop.eval().forward(x)).toBe(x);
    expect(caught(() => new Dropout(1.5)).message).toBe("Dropout: 1.5 is not a probability");
  });
  test("frozen parameters get no gradient and can be freed again", () => {
    const net = new Sequential(new Linear(2, 2), new Linear(2, 1));
    net.freeze("0");
    net.forward(ones(1, 2)).sum().backward();
    expect([...net.namedParameters().values()].map((p) => p.grad !== null)).toEqual([false, false, true, true]);
    net.unfreeze(/weight/);
    expect(net.parameters((p) => p.requiresGrad).length).toBe(3);
    net.zeroGrad();
    expect(net.parameters().every((p) => p.grad === null)).toBe(true);
  });
});

test("to another element type, in place: ties, identity and order in memory stay", () => {
  class Tied extends Module {
    a = new Linear(2, 3);
    b = { weight: this.a.weight };
    count = buffer(tensor([1], { dtype: "i32" }));
  }
  const net = new Tied();
  const { weight } = net.a;
  const { strides } = weight;
  const before = weight.toArray();
  expect(net.to("f64")).toBe(net);
  expect(net.a.weight).toBe(weight);
  expect([weight.dtype, net.b.weight.dtype, net.count.dtype]).toEqual(["f64", "f64", "i32"]);
  expect(weight.strides).toEqual(strides);
  expect(weight.toArray()).toEqual(before);
  expect(net.a.forward(ones([1, 2], { dtype: "f64" }) as Tensor as never)).toMatchObject({ dtype: "f64" });
});

describe("Linear", () => {
  test("is x Wᵀ + b, over any leading dims", () => {
    const layer = new Linear(2, 3);
    layer.loadStateDict({
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      bias: tensor([0.5, 0, -0.5]),
    });
    expect(
      layer
        .forward(
          tensor([
            [1, 1],
            [0, 2],
          ]),
        )
        .toArray(),
    ).toEqual([
      [3.5, 7, 10.5],
      [4.5, 8, 11.5],
    ]);
    expect(layer.forward(ones(2, 1, 4, 2)).shape).toEqual([2, 1, 4, 3]);
    expect(new Linear(2, 3, { bias: false }).bias).toBeNull();
  });
  test("keeps its weight [out, in] as [in, out] in memory, and so its gradient", () => {
    const layer = new Linear(5, 3);
    expect([layer.weight.shape, layer.weight.strides]).toEqual([
      [3, 5],
      [1, 3],
    ]);
    layer.forward(randn(4, 5)).sum().backward();
    expect(layer.weight.grad?.strides).toEqual([1, 3]);
  });
  test("begins as PyTorch's: uniform in 1 / √in", () => {
    seed(5);
    const { weight, bias } = new Linear(100, 50);
    for (const p of [weight, bias as Tensor]) {
      const all = [...p.dataSync()] as number[];
      expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(0.1);
      expect(Math.max(...all)).toBeGreaterThan(0.09);
    }
    seed(5);
    expect(new Linear(100, 50).weight.toArray()).toEqual(weight.toArray());
  });
  test("says at the call what does not fit, with the name of the weight", () => {
    const net = new Sequential(new Linear(784, 128));
    net.parameters();
    const e = caught(() => net.forward(zeros(32, 100) as Tensor));
    expect(e.code).toBe("ERR_NABLA_SHAPE");
    expect(e.message).toMatch(
      /^linear: last size must be 784, got 100\n {4}x {7}\[32, 100\]\n {4}weight {2}\[128, 784\] {3}0\.weight/,
    );
    expect(() => new Linear(-1, 2)).toThrow("Linear: size -1 in shape [-1, 2] is not a whole number from 0");
  });
});

describe("other layers", () => {
  test("Flatten, Identity, Softmax", () => {
    expect(new Flatten().forward(zeros(2, 3, 4)).shape).toEqual([2, 12]);
    const x = randn(2, 3);
    expect(new Identity().forward(x)).toBe(x);
    expect(new Softmax(0).forward(zeros(4, 2)).toArray()).toEqual(Array(4).fill([0.25, 0.25]));
  });
  test("LayerNorm, RMSNorm and GroupNorm normalise what they say", () => {
    const x = randn(4, 6, 5).mul(3).add(2);
    const moments = (y: Tensor, dim: number | number[]) => {
      const centre = y.mean(dim, true);
      return [centre, y.sub(centre).mul(y.sub(centre)).mean(dim, true)].map((m) => [...m.dataSync()] as number[]);
    };
    const check = (y: Tensor, dim: number | number[]) => {
      const [means, variances] = moments(y, dim);
      for (const m of means!) expect(m).toBeCloseTo(0, 5);
      for (const v of variances!) expect(v).toBeCloseTo(1, 3);
    };
    check(new LayerNorm(5).forward(x), -1);
    check(new GroupNorm(2, 6).forward(x).reshape(4, 2, 15), -1);
    const squares = new RMSNorm(5).forward(x);
    for (const v of squares.mul(squares).mean(-1).dataSync()) expect(v).toBeCloseTo(1, 5);
    expect(new LayerNorm(5, { affine: false }).parameters()).toEqual([]);
    expect([...new LayerNorm(5, { bias: false }).namedParameters().keys()]).toEqual(["weight"]);
  });
  test("BatchNorm measures in training, follows, and uses that in evaluation", () => {
    const norm = new BatchNorm1d(2);
    const x = tensor([
      [0, 10],
      [2, 30],
    ]);
    const y = norm.forward(x).toArray() as number[][];
    for (const [i, sign] of [-1, 1].entries()) for (const v of y[i]!) expect(v).toBeCloseTo(sign, 4);
    expect(norm.running_mean!.toArray()).toEqual([0.1, 2].map(Math.fround));
    expect(norm.running_var!.toArray()).toEqual([0.9 + 0.2, 0.9 + 20].map(Math.fround));
    expect([...norm.stateDict().keys()]).toEqual([
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
    expect(norm.num_batches_tracked!.item()).toBe(1);
    const after = norm.eval().forward(x).dataSync();
    expect(after[3]).toBeCloseTo((30 - 2) / Math.sqrt(20.9 + 1e-5), 5);
    expect(norm.num_batches_tracked!.item()).toBe(1);
    const plane = new BatchNorm2d(3)
      .forward(randn(4, 3, 5, 5))
      .permute(1, 0, 2, 3)
      .flatten(1);
    for (const m of plane.mean(1).dataSync()) expect(m).toBeCloseTo(0, 5);
    expect(() => norm.train().forward(zeros(1, 2))).toThrow("training needs two values or more for each channel");
    expect(() => norm.forward(zeros(4, 3))).toThrow("BatchNorm1d: needs [batch, 2, ...] of 2 or 3 dims");
  });
  test("Sequential passes through, tells its sizes, refuses what is no layer", () => {
    const net = new Sequential(new Flatten(), new Linear(4, 3), new ReLU(), new Linear(3, 2), new GELU());
    expect([net.inFeatures, net.outFeatures]).toEqual([4, 2]);
    expect(net.forward(zeros(5, 2, 2)).shape).toEqual([5, 2]);
    expect(() => new Sequential(new ReLU(), ((x: Tensor) => x) as unknown as Module)).toThrow(
      "Sequential: layer 1 is not a module with a forward()",
    );
  });
});
