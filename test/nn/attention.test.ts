// Attention and what transformers are made of, against their definitions.
import {
  checkGradient,
  compile,
  Embedding,
  LearnedPosition,
  MultiheadAttention,
  RotaryPosition,
  randn,
  SinusoidalPosition,
  SwiGLU,
  scaledDotProductAttention,
  seed,
  type Tensor,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  tensor,
  zeros,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";
import { code } from "../code.ts";

beforeEach(() => seed(7));

const list = (x: Tensor): number[] => [...(x.dataSync() as Float32Array)];
const close = (got: Tensor, ref: Tensor, digits = 5) => {
  expect(got.shape).toEqual(ref.shape);
  const [a, b] = [list(got), list(ref)];
  a.forEach((v, i) => {
    expect(v).toBeCloseTo(b[i]!, digits);
  });
};

describe("scaledDotProductAttention", () => {
  it("is softmax(q kᵀ / √E) v", () => {
    const [q, k, v] = [randn(2, 3, 4, 8), randn(2, 3, 6, 8), randn(2, 3, 6, 5)];
    const p = q.matmul(k.mT()).div(Math.sqrt(8)).softmax();
    close(scaledDotProductAttention(q, k, v), p.matmul(v));
  });
  it.each([
    [4, 7],
    [60, 130],
    [90, 128],
    [1040, 1200],
  ])("gives %i causal queries the same bits whatever follows up to %i", (few, time) => {
    const [q, k, v] = [randn(1, 2, time, 16), randn(1, 2, time, 16), randn(1, 2, time, 16)];
    const whole = scaledDotProductAttention(q, k, v, { causal: true });
    const cut = (x: Tensor) => x.slice(2, 0, few);
    const part = scaledDotProductAttention(cut(q), cut(k), cut(v), { causal: true });
    expect(list(cut(whole).contiguous())).toEqual(list(part));
  });
  it("shares heads of keys among heads of queries", () => {
    const [q, k, v] = [randn(2, 6, 4, 8), randn(2, 2, 5, 8), randn(2, 2, 5, 8)];
    const wide = (x: Tensor) => x.unsqueeze(2).expand(2, 2, 3, 5, 8).reshape(2, 6, 5, 8);
    close(scaledDotProductAttention(q, k, v), scaledDotProductAttention(q, wide(k), wide(v)));
  });
  it("leaves masked keys out, and gives 0 where nothing may be seen", () => {
    const [q, k, v] = [randn(1, 1, 2, 4), randn(1, 1, 3, 4), randn(1, 1, 3, 4)];
    const y = scaledDotProductAttention(q, k, v, {
      mask: tensor([
        [true, true, false],
        [false, false, false],
      ]),
    });
    const two = scaledDotProductAttention(q, k.slice(2, 0, 2), v.slice(2, 0, 2));
    close(y.select(2, 0), two.select(2, 0), 6);
    expect(list(y.select(2, 1).contiguous())).toEqual([0, 0, 0, 0]);
    const keys = scaledDotProductAttention(q, k, v, { keyMask: tensor([[true, true, false]]) });
    close(keys, two, 6);
  });
  it("bounds its scores before it masks them", () => {
    const [q, k, v] = [randn(1, 1, 3, 4).mul(9), randn(1, 1, 3, 4), randn(1, 1, 3, 4)];
    const mask = tensor([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
    const scores = q.matmul(k.mT()).div(2).div(5).tanh().mul(5).maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY);
    close(scaledDotProductAttention(q, k, v, { softcap: 5, causal: true }), scores.softmax().matmul(v));
  });
  it("has the gradients of its formula, masks joined", () => {
    const mask = tensor([
      [true, true, true],
      [true, false, true],
      [true, true, true],
    ]);
    const keyMask = tensor([
      [true, true, true],
      [true, true, false],
    ]);
    checkGradient(
      (q: Tensor, k: Tensor, v: Tensor) => scaledDotProductAttention(q, k, v, { causal: true, mask, keyMask }).sum(),
      [
        randn([2, 4, 3, 2], { dtype: "f64" }),
        randn([2, 2, 3, 2], { dtype: "f64" }),
        randn([2, 2, 3, 2], { dtype: "f64" }),
      ],
    );
  });
  it("refuses what does not fit", () => {
    const x = zeros(2, 4, 3, 8);
    expect(code(() => scaledDotProductAttention(x, zeros(2, 3, 3, 8), zeros(2, 3, 3, 8)))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => scaledDotProductAttention(x, zeros(2, 4, 3, 7) as Tensor, x))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => scaledDotProductAttention(x, x, x, { mask: zeros(5, 5) }))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => scaledDotProductAttention(x, x, x, { keyMask: zeros(2, 5) }))).toBe("ERR_NABLA_SHAPE");
    expect(code(() => new MultiheadAttention(10, 3))).toBe("ERR_NABLA_VALUE");
  });
});

describe("MultiheadAttention", () => {
  it("has PyTorch's names and shapes", () => {
    const shapes = [...new MultiheadAttention(8, 2).stateDict()].map(([name, x]) => `${name} ${x.shape}`);
    expect(shapes).toEqual(["in_proj_weight 24,8", "in_proj_bias 24", "out_proj.weight 8,8", "out_proj.bias 8"]);
  });
  it("gives itself and a copy of itself the same", () => {
    const attention = new MultiheadAttention(12, 3);
    const x = randn(2, 5, 12);
    const [own, other] = [attention.attend(x), attention.attend(x, x.clone())];
    close(own.y, other.y);
    close(own.weights, other.weights);
    close(own.weights.sum(-1), zeros(2, 5).add(1));
  });
});

describe("TransformerEncoderLayer and TransformerDecoderLayer", () => {
  it("have PyTorch's names", () => {
    const names = (m: { stateDict(): Map<string, Tensor> }) =>
      new Set([...m.stateDict().keys()].map((n) => n.replace(/\.(weight|bias)$/, "")));
    const attention = (name: string) => [`${name}.in_proj_weight`, `${name}.in_proj_bias`, `${name}.out_proj`];
    const shared = ["linear1", "linear2", "norm1", "norm2"];
    expect(names(new TransformerEncoderLayer(8, 2))).toEqual(new Set([...attention("self_attn"), ...shared]));
    expect(names(new TransformerDecoderLayer(8, 2))).toEqual(
      new Set([...attention("self_attn"), ...attention("multihead_attn"), ...shared, "norm3"]),
    );
  });
  it("normalise first or last", () => {
    const x = randn(2, 3, 8);
    const after = new TransformerEncoderLayer(8, 2).eval().forward(x);
    close(after.mean(-1), zeros(2, 3), 5);
    const before = new TransformerEncoderLayer(8, 2, { normFirst: true }).eval();
    const { norm1, norm2, self_attn, linear1, linear2 } = before;
    const h = norm1.forward(x) as Tensor;
    const y = x.add(self_attn.forward(h, h, h));
    const ff = linear2.forward((linear1.forward(norm2.forward(y) as Tensor) as Tensor).relu()) as Tensor;
    close(before.forward(x), y.add(ff));
  });
  it("train as a compiled step, bit for bit as eagerly", async () => {
    const layer = new TransformerDecoderLayer(8, 2, { dropout: 0, activation: "gelu" });
    const [x, memory] = [randn(2, 3, 8), randn(2, 4, 8)];
    const f = (a: Tensor, b: Tensor) => {
      layer.zeroGrad();
      const y = layer.forward(a, b).square().mean();
      y.backward();
      return [y, layer.self_attn.in_proj_weight.grad as Tensor];
    };
    using step = compile(f);
    const runs = [step.sync(x, memory), step.sync(x, memory), step.sync(x, memory), f(x, memory)];
    const [first, ...rest] = runs.map((r) => (r as Tensor[]).map((t) => list(t.contiguous())));
    for (const other of rest) expect(other).toEqual(first);
  });
});

describe("positions", () => {
  it("sinusoidal: the table of the paper", () => {
    const y = list(new SinusoidalPosition(10, 4).forward(zeros(1, 3, 4)));
    const t = 2;
    [Math.sin(t), Math.cos(t), Math.sin(t / 100), Math.cos(t / 100)].forEach((v, i) => {
      expect(y[8 + i]).toBe(Math.fround(v));
    });
  });
  it("learned: the rows of its weight, also at given positions", () => {
    const position = new LearnedPosition(6, 2);
    const at = position.forward(zeros(1, 2, 2), tensor([[4, 1]], { dtype: "i32" }));
    const w = position.weight.toArray() as number[][];
    expect(at.toArray()).toEqual([[w[4], w[1]]]);
    expect(() => position.forward(zeros(1, 7, 2))).toThrow("7 positions");
  });
  it("rotary: products depend on the distance alone", () => {
    const rope = new RotaryPosition(50, 8, { theta: 100 });
    const [q, k] = [randn(1, 1, 1, 8), randn(1, 1, 1, 8)];
    const at = (x: Tensor, t: number) => rope.forward(x, tensor([t], { dtype: "i32" }));
    const product = (i: number, j: number) => at(q, i).mul(at(k, j)).sum().item();
    expect(product(3, 1)).toBeCloseTo(product(42, 40), 4);
    expect(product(3, 1)).not.toBeCloseTo(product(3, 2), 4);
    expect(list(rope.forward(q))).toEqual(list(q));
  });
  it("rotary: stretched by a base that grows with the length", () => {
    const scaling = { type: "dynamic", factor: 2, originalLength: 8 } as const;
    const angles = (rope: RotaryPosition) => list(rope.sin.select(0, 1).contiguous() as Tensor).map(Math.asin);
    // Within the first length nothing changes; at twice of it the base is 10000 (2 16 / 8 - 1)^(8 / 6).
    expect(angles(new RotaryPosition(8, 8, { scaling }))).toEqual(angles(new RotaryPosition(8, 8)));
    const base = 10000 * 3 ** (8 / 6);
    angles(new RotaryPosition(16, 8, { scaling })).forEach((angle, i) => {
      expect(angle).toBeCloseTo(base ** (-i / 4), 6);
    });
  });
  it("rotary: stretched as YaRN does", () => {
    const scaling = { type: "yarn", factor: 4, originalLength: 64, betaFast: 4, betaSlow: 1 } as const;
    const angles = (rope: RotaryPosition, scale: number) =>
      list(rope.sin.select(0, 1).contiguous() as Tensor).map((x) => Math.asin(x / scale));
    // Pair i turns 64 / (2π 100^(i / 4)) times: 10.2, 3.2, 1.0, 0.3; four times at i = 0.81, once at 2.02, so from 0 to 3.
    const plain = [1, 10 ** -0.5, 0.1, 10 ** -1.5];
    const expected = plain.map((f, i) => f * (1 - i / 3) + (f / 4) * (i / 3));
    const scale = 0.1 * Math.log(4) + 1;
    angles(new RotaryPosition(4, 8, { theta: 100, scaling }), scale).forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i]!, 5);
    });
    const exact = new RotaryPosition(4, 8, {
      theta: 100,
      scaling: { ...scaling, truncate: false, attentionFactor: 1 },
    });
    const [low, high] = [4, 1].map((turns) => (8 * Math.log(64 / (turns * 2 * Math.PI))) / (2 * Math.log(100)));
    angles(exact, 1).forEach((x, i) => {
      const part = Math.min(1, Math.max(0, (i - low!) / (high! - low!)));
      expect(x).toBeCloseTo(plain[i]! * (1 - part) + (plain[i]! / 4) * part, 5);
    });
  });
  it("rotary: stretched as Llama 3 does", () => {
    const scaling = { type: "llama3", factor: 8, lowFrequency: 1, highFrequency: 4, originalLength: 64 } as const;
    const [plain, stretched] = [new RotaryPosition(4, 8, { theta: 10000 }), new RotaryPosition(4, 8, { scaling })];
    const angle = (rope: RotaryPosition, i: number) => Math.asin(rope.sin.select(0, 1).select(0, i).item());
    // Wavelengths 6.3, 63, 628, 6283: the first is below 64 / 4, the second between, the others above 64.
    expect(angle(stretched, 0)).toBe(angle(plain, 0));
    const turns = (64 * 0.1) / (2 * Math.PI);
    const share = (turns - 1) / 3;
    expect(angle(stretched, 1)).toBeCloseTo((1 - share) * (0.1 / 8) + share * 0.1, 6);
    expect(angle(stretched, 2)).toBeCloseTo(0.01 / 8, 8);
    const linear = new RotaryPosition(4, 8, { scaling: { type: "linear", factor: 4 } });
    expect(angle(linear, 1)).toBeCloseTo(0.025, 7);
  });
});

it("Embedding leaves the padding row at 0 and without gradient", () => {
  const table = new Embedding(5, 3, { paddingIndex: 2 });
  table
    .forward(
      tensor(
        [
          [2, 1],
          [2, 4],
        ],
        { dtype: "i32" },
      ),
    )
    .sum()
    .backward();
  expect(table.weight.toArray()).toHaveProperty("2", [0, 0, 0]);
  expect((table.weight.grad as Tensor).sum(1).toArray()).toEqual([0, 3, 0, 0, 3]);
  expect(() => new Embedding(5, 3, { paddingIndex: 5 })).toThrow("paddingIndex 5 is outside 0..4");
});

it("SwiGLU is down(silu(gate x) up x)", () => {
  const net = new SwiGLU(4, 6);
  const x = randn(3, 4);
  const { gate_proj: g, up_proj: u, down_proj: d } = net;
  const silu = (v: Tensor) => v.mul(v.sigmoid());
  const y = silu(x.matmul(g.weight.mT())).mul(x.matmul(u.weight.mT())).matmul(d.weight.mT());
  close(net.forward(x), y);
});
