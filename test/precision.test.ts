// autocast: products in bf16, everything else in f32, the same bits eager, compiled, under a checkpoint and for any threads.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import {
  Adam,
  autocast,
  batches,
  Conv2d,
  checkpoint,
  compile,
  crossEntropy,
  evaluate,
  Flatten,
  GELU,
  GPT2,
  GRU,
  Linear,
  mse,
  NablaError,
  noGrad,
  ones,
  openSafetensors,
  randint,
  randn,
  Sequential,
  SGD,
  saveSafetensors,
  seed,
  setThreads,
  type Tensor,
  tensor,
  threads,
  fit as train,
} from "../lib/index.ts";
import { code } from "./code.ts";
import { difference } from "./signature.ts";

const [count, best] = [threads(), native.isa()];
afterEach(() => {
  setThreads(count);
  native.use(best);
});

/** x rounded to bf16, as f32. */
const rounded = (x: Tensor): Tensor => noGrad(() => x.to("bf16").to("f32"));
const same = (x: Tensor, y: Tensor): void => expect(difference(x.dataSync(), y.dataSync())).toBeUndefined();
const network = (): Sequential<[Linear<24, 40>, GELU, Linear<40, 8>]> => {
  seed(3);
  return new Sequential(new Linear(24, 40), new GELU(), new Linear(40, 8));
};
const convolutional = (): Sequential => {
  seed(3);
  const layers = [new Conv2d(3, 7, 3, { padding: 1 }), new GELU(), new Conv2d(7, 18, 3, { stride: 2 })];
  return new Sequential(...([...layers, new Flatten(), new Linear(162, 8)] as never[])) as never;
};

describe("autocast", () => {
  it("rounds the operands of a product and sums in f32", () => {
    seed(1);
    const [a, b] = [randn([5, 4, 33]), randn([33, 17])];
    const exact = rounded(a).double().matmul(rounded(b).double());
    const got = autocast("bf16", () => a.matmul(b));
    expect(got.dtype).toBe("f32");
    expect(got.double().sub(exact).abs().max().item()).toBeLessThan(1e-5);
    expect(got.sub(a.matmul(b)).abs().max().item()).toBeGreaterThan(1e-4);
  });
  it("is off outside, inside autocast(f32) and after an error", () => {
    const x = tensor([[1 + 2 ** -9]]);
    const square = () => x.matmul(x).item();
    expect(autocast("bf16", () => [square(), autocast("f32", square), square()])).toEqual(
      [1, (1 + 2 ** -9) ** 2, 1].map(Math.fround),
    );
    expect(() =>
      autocast("bf16", () => {
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(square()).toBe(Math.fround((1 + 2 ** -9) ** 2));
  });
  it("leaves f64 and elementwise arithmetic alone", () => {
    const x = tensor([[1 + 2 ** -30]], { dtype: "f64" });
    const y = tensor([1 + 2 ** -20]);
    expect(autocast("bf16", () => [x.matmul(x).item(), y.mul(y).item()])).toEqual([
      (1 + 2 ** -30) ** 2,
      Math.fround((1 + 2 ** -20) ** 2),
    ]);
  });
  it("has backward products in bf16 too, called outside", () => {
    seed(2);
    const [x, w] = [randn([6, 10]), randn([10, 3], { requiresGrad: true })];
    const g = randn([6, 3]);
    const y = autocast("bf16", () => x.matmul(w));
    y.backward(g);
    same(
      w.grad as Tensor,
      autocast("bf16", () => x.mT().matmul(g)),
    );
    expect((w.grad as Tensor).equal(x.mT().matmul(g))).toBe(false);
  });
  it("reaches linear and recurrent layers", () => {
    seed(4);
    const [fc, gru] = [new Linear(16, 16), new GRU(16, 16)];
    const x = randn([3, 5, 16]);
    for (const f of [() => fc.forward(x), () => gru.forward(x)[0]])
      expect(autocast("bf16", f).equal(f() as never), f.toString()).toBe(false);
  });
  it("reaches convolutions of pairs of channels, and their gradients", () => {
    seed(4);
    const [x, one, g] = [randn([2, 3, 9, 9]), randn([2, 1, 9, 9]), randn([2, 7, 9, 9])];
    const layer = new Conv2d(3, 7, 3, { padding: 1 });
    const first = new Conv2d(1, 7, 3, { padding: 1 });
    const slopes = (f: () => Tensor): Tensor[] => {
      layer.zeroGrad();
      f().backward(g);
      return [layer.weight.grad as Tensor, layer.bias?.grad as Tensor];
    };
    const forward = () => layer.forward(x as never) as Tensor;
    const [dw, db] = slopes(forward);
    const [half, same] = slopes(() => autocast("bf16", forward));
    expect(autocast("bf16", forward).equal(forward())).toBe(false);
    expect([half?.equal(dw!), same?.equal(db!)]).toEqual([false, true]);
    expect(autocast("bf16", () => first.forward(one as never)).equal(first.forward(one as never) as never)).toBe(true);
  });
  it("refuses another precision and an async function", () => {
    expect(code(() => autocast("f16" as never, () => 1))).toBe("ERR_NABLA_VALUE");
    expect(code(() => autocast("bf16", async () => 1))).toBe("ERR_NABLA_TYPE");
    expect(code(() => compile(() => 1, { precision: "bf8" as never }))).toBe("ERR_NABLA_VALUE");
  });
});

describe("the same bits", () => {
  const steps = 4;
  /** Losses and weights after some steps of training; how: eager, compiled, or with a checkpoint. */
  async function trained(
    how: "eager" | "inside" | "option" | "around" | "checkpoint",
    make: () => Sequential = network as never,
  ): Promise<Float32Array[]> {
    const net = make();
    const opt = new Adam(net, { lr: 0.01 });
    seed(5);
    const [x, y] = [
      make === convolutional ? randn([5, 3, 8, 7]) : randn([50, 24]),
      randn([make === convolutional ? 5 : 50, 8]),
    ];
    const forward = how === "checkpoint" ? checkpoint((v: Tensor) => net.forward(v as never) as Tensor) : net.forward;
    const loss = () => mse(forward.call(net, x as never) as never, y) as Tensor;
    const step = (l: Tensor) => {
      opt.zeroGrad();
      l.backward();
      opt.step();
      return l;
    };
    const [plain, cast] = [() => step(loss()), () => step(autocast("bf16", loss))];
    const losses: number[] = [];
    const [inside, option, around] = [compile(cast), compile(plain, { precision: "bf16" }), compile(plain)];
    for (let i = 0; i < steps; i++) {
      if (how === "inside") losses.push((await inside()).item());
      else if (how === "option") losses.push((await option()).item());
      else if (how === "around") losses.push(autocast("bf16", () => around.sync()).item());
      else losses.push(cast().item());
    }
    return [Float32Array.from(losses), ...[...net.parameters()].map((p) => p.dataSync() as Float32Array)];
  }
  it.each([
    ["products", network as unknown as () => Sequential],
    ["convolutions", convolutional],
  ])("of %s eager, compiled, under a checkpoint, for every number of threads and instruction set", async (_, make) => {
    setThreads(1);
    const expected = await trained("eager", make);
    const check = (got: Float32Array[], name: string) => {
      for (const [i, x] of got.entries()) expect(difference(x, expected[i]!), `${name} ${i}`).toBeUndefined();
    };
    for (const how of ["inside", "option", "around", "checkpoint"] as const) check(await trained(how, make), how);
    for (const n of [2, 3]) {
      setThreads(n);
      check(await trained("eager", make), `${n} threads`);
    }
    for (const isa of native.isas) {
      native.use(isa);
      check(await trained("option", make), isa);
    }
  });
  it("a plan is made for each precision", () => {
    const x = tensor([[1 + 2 ** -9]]);
    const square = compile((y: Tensor) => (y as typeof x).matmul(y as typeof x));
    const run = () => square.sync(x).item();
    for (let i = 0; i < 3; i++) {
      expect(run()).toBe(Math.fround((1 + 2 ** -9) ** 2));
      expect(autocast("bf16", run)).toBe(1);
    }
  });
});

describe("training", () => {
  it("a small GPT learns as in f32", async () => {
    const run = async (precision: "f32" | "bf16") => {
      seed(7);
      const model = new GPT2({ vocabSize: 11, contextLength: 16, layers: 2, heads: 2, width: 32 });
      const opt = new Adam(model, { lr: 0.003 });
      const x = randint(0, 11, [4, 16]);
      const step = compile(
        () => {
          const loss = crossEntropy(model.forward(x as never) as never, x as never) as Tensor;
          opt.zeroGrad();
          loss.backward();
          opt.step();
          return loss;
        },
        { precision },
      );
      let loss = 0;
      for (let i = 0; i < 60; i++) loss = (await step()).item();
      return loss;
    };
    const [exact, half] = [await run("f32"), await run("bf16")];
    expect(half).not.toBe(exact);
    expect(half).toBeLessThan(0.5);
    expect(Math.abs(half - exact)).toBeLessThan(0.1);
  });
  it("fit and evaluate take a precision", async () => {
    const losses = async (precision: "f32" | "bf16", compiled: boolean) => {
      const net = network();
      const data = batches(ones(16, 24), ones(16, 8), { size: 8 });
      const optimizer = new SGD(net, { lr: 0.05 });
      const last = await train(net, data as never, {
        loss: mse as never,
        optimizer,
        epochs: 2,
        precision,
        compile: compiled,
      });
      const after = await evaluate(net, data as never, { loss: mse as never, precision });
      return [last.loss, after.loss];
    };
    const [exact, half, compiled] = [
      await losses("f32", false),
      await losses("bf16", false),
      await losses("bf16", true),
    ];
    expect(half).not.toEqual(exact);
    expect(compiled).toEqual(half);
    await expect(losses("f16" as never, false)).rejects.toThrow("there is no precision f16");
  });
});

describe("bf16 tensors", () => {
  it("are f32 rounded, of half the bytes", () => {
    const x = tensor([1, 1 + 2 ** -9, -3.5, Number.POSITIVE_INFINITY]).to("bf16");
    expect([x.dtype, x.storage.bytes]).toEqual(["bf16", 8]);
    expect(x.toArray()).toEqual([1, 1, -3.5, Number.POSITIVE_INFINITY]);
    expect([...x.dataSync()]).toEqual([0x3f80, 0x3f80, 0xc060, 0x7f80]);
    expect(x.to("f64").toArray()).toEqual([1, 1, -3.5, Number.POSITIVE_INFINITY]);
    expect(tensor([1, 2, 3]).int().to("bf16").to("i32").toArray()).toEqual([1, 2, 3]);
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ])
        .to("bf16")
        .mT()
        .contiguous()
        .toArray(),
    ).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });
  it("are the second operand of matmul and the weight of linear, with the bits of autocast", () => {
    seed(6);
    const [x, w] = [randn([4, 7, 20]), randn([20, 9])];
    const expected = autocast("bf16", () => x.matmul(w));
    same(x.matmul(w.to("bf16") as never) as Tensor, expected);
    const layer = new Linear(20, 9);
    const y = autocast("bf16", () => layer.forward(x));
    layer.weight.requiresGrad = false;
    same(compile((v: Tensor) => v.matmul(w.to("bf16") as never) as Tensor).sync(x), expected);
    same((x as Tensor).matmul(layer.weight.mT().to("bf16") as never).add(layer.bias as never) as Tensor, y);
  });
  it("are written to files, and read as they are or as f32", async () => {
    const path = join(tmpdir(), `nabla-bf16-${process.pid}.safetensors`);
    const x = tensor([
      [1, -2.5, 3.140625],
      [Number.NEGATIVE_INFINITY, 0, 1e-40],
    ]).to("bf16");
    try {
      await saveSafetensors(path, { x, turned: x.mT() });
      await using file = await openSafetensors(path);
      expect(file.tensors.get("x")).toEqual({ shape: [2, 3], dtype: "f32", stored: "BF16" });
      const [kept, wide] = [await file.read("x", { stored: true }), await file.read("x")];
      expect([kept.dtype, wide.dtype]).toEqual(["bf16", "f32"]);
      expect([...(kept.dataSync() as Uint16Array)]).toEqual([...x.dataSync()]);
      expect(wide.toArray()).toEqual(x.toArray());
      expect((await file.read("turned", { stored: true })).mT().toArray()).toEqual(x.toArray());
    } finally {
      rmSync(path, { force: true });
    }
  });
  it("have no other arithmetic, and say what to do", () => {
    const x = tensor([1, 2]).to("bf16");
    for (const f of [() => x.add(x as never), () => x.exp(), () => x.softmax(-1), () => x.sum()])
      try {
        const y = f();
        expect(y.dtype, f.toString()).toBe("f32");
      } catch (error) {
        expect(error, f.toString()).toBeInstanceOf(NablaError);
        expect([(error as NablaError).code, (error as NablaError).hint], f.toString()).toEqual([
          "ERR_NABLA_DTYPE",
          'cast first: x.to("f32")',
        ]);
      }
  });
});
