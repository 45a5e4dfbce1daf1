// The training steps of the table: small enough to run everywhere, and what people really train. The same nets, sizes
// and rules are in peers/, which read the first weights and the batches from a file written here.
import {
  Adam,
  AdamW,
  Conv2d,
  crossEntropy,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  LSTM,
  linearCrossEntropy,
  MaxPool2d,
  Module,
  mse,
  ReLU,
  randint,
  randn,
  Sequential,
  SGD,
  scaledDotProductAttention,
  seed,
  Tanh,
  type Tensor,
  tensor,
} from "nabla";
import type { Rule } from "./javascript.ts";

export interface Batch {
  x: Tensor;
  y: Tensor;
}
type Net = Module & { forward(x: Tensor): Tensor };
/** One row of the table. */
export interface Model {
  name: string;
  about: string;
  rule: Rule;
  /** Of one step: multiply-adds count as two; no gradient of the input; half of the scores of causal attention. */
  flops: number;
  tokens?: number;
  /** Steps of one call of repeat. */
  repeat: number;
  net(): Net;
  loss(net: Net, batch: Batch): Tensor;
  batch(): Batch;
}

const chain = (...layers: Module[]): Net => new Sequential(...layers);

class Block extends Module {
  readonly ln1: LayerNorm;
  readonly ln2: LayerNorm;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly fc: Linear;
  readonly out: Linear;
  readonly heads: number;
  readonly approximate: "tanh" | "none";

  constructor(width: number, heads: number, bias: boolean) {
    super();
    this.heads = heads;
    this.approximate = bias ? "tanh" : "none";
    this.ln1 = new LayerNorm(width, { bias });
    this.ln2 = new LayerNorm(width, { bias });
    this.qkv = new Linear(width, 3 * width, { bias });
    this.proj = new Linear(width, width, { bias });
    this.fc = new Linear(width, 4 * width, { bias });
    this.out = new Linear(4 * width, width, { bias });
  }
  forward(x: Tensor): Tensor {
    const [batch, time, width] = x.shape as [number, number, number];
    const parts = this.qkv.forward(this.ln1.forward(x as never) as never) as Tensor;
    const [q, k, v] = parts
      .split(width, 2)
      .map((part) => part.reshape(batch, time, this.heads, width / this.heads).transpose(1, 2));
    const seen = scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { causal: true })
      .transpose(1, 2)
      .reshape(batch, time, width);
    const y = x.add(this.proj.forward(seen as never) as never) as Tensor;
    const hidden = this.fc.forward(this.ln2.forward(y as never) as never) as Tensor;
    return y.add(this.out.forward(hidden.gelu({ approximate: this.approximate }) as never) as never) as Tensor;
  }
}

/** A decoder before whose sums each branch is normalised, with a head that shares the weight of the embedding. */
class GPT extends Module {
  readonly te: Embedding;
  readonly pe: Embedding;
  readonly b: Net;
  readonly ln: LayerNorm;

  constructor(vocab: number, time: number, layers: number, heads: number, width: number, bias: boolean) {
    super();
    this.te = new Embedding(vocab, width, { std: 0.02 });
    this.pe = new Embedding(time, width, { std: 0.02 });
    this.b = chain(...Array.from({ length: layers }, () => new Block(width, heads, bias)));
    this.ln = new LayerNorm(width, { bias });
  }
  forward(ids: Tensor): Tensor {
    const x = (this.te.forward(ids) as Tensor).add(this.pe.weight as never);
    return this.ln.forward(this.b.forward(x) as never) as Tensor;
  }
}

class Reader extends Module {
  readonly l = new LSTM(128, 128, { batchFirst: true });
  readonly f = new Linear(128, 10);
  forward(x: Tensor): Tensor {
    const [y] = this.l.forward(x as never);
    return this.f.forward((y as Tensor).select(1, -1) as never) as Tensor;
  }
}

const classify = (net: Net, { x, y }: Batch): Tensor => crossEntropy(net.forward(x) as never, y as never) as Tensor;

function mlp(name: string, sizes: number[], batch: number, repeat: number): Model {
  const pairs = sizes.slice(1).map((out, i): [number, number] => [sizes[i]!, out]);
  const products = pairs.reduce((sum, [i, o]) => sum + i * o, 0);
  return {
    name,
    about: `MLP ${sizes.join("-")}, batch ${batch}, Adam`,
    rule: { name: "adam", lr: 1e-4 },
    flops: 6 * batch * products - 2 * batch * sizes[0]! * sizes[1]!,
    repeat,
    net: () =>
      chain(...pairs.flatMap(([i, o], at) => [new Linear(i, o), ...(at < pairs.length - 1 ? [new ReLU()] : [])])),
    loss: classify,
    batch: () => ({ x: randn(batch, sizes[0]!) as Tensor, y: randint(0, 10, [batch]) as Tensor }),
  };
}

interface Sizes {
  vocab: number;
  time: number;
  layers: number;
  heads: number;
  width: number;
  batch: number;
  bias: boolean;
}
function gpt(name: string, about: string, sizes: Sizes): Model {
  const { vocab, time, layers, heads, width, batch, bias } = sizes;
  return {
    name,
    about,
    rule: { name: "adamw", lr: 1e-4 },
    flops: 3 * batch * time * (2 * (layers * 12 * width ** 2 + vocab * width) + layers * 2 * width * time),
    tokens: batch * time,
    repeat: 2,
    net: () => new GPT(vocab, time, layers, heads, width, bias),
    loss: (net, { x, y }) => {
      const { weight } = (net as GPT).te;
      return linearCrossEntropy(net.forward(x), weight as never, y as never) as Tensor;
    },
    batch: () => ({ x: randint(0, vocab, [batch, time]) as Tensor, y: randint(0, vocab, [batch, time]) as Tensor }),
  };
}

export const models: readonly Model[] = [
  {
    name: "xor",
    about: "XOR 2-8-1, batch 4, tanh, MSE, SGD",
    rule: { name: "sgd", lr: 0.1 },
    flops: 6 * 4 * 24,
    repeat: 1000,
    net: () => chain(new Linear(2, 8), new Tanh(), new Linear(8, 1)),
    loss: (net, { x, y }) => mse(net.forward(x) as never, y as never) as Tensor,
    batch: () => ({
      x: tensor([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]) as Tensor,
      y: tensor([[0], [1], [1], [0]]) as Tensor,
    }),
  },
  mlp("mlp", [784, 512, 512, 10], 128, 8),
  mlp("digits", [784, 128, 10], 32, 8),
  {
    name: "cnn",
    about: "CNN 1-16-32, 3x3 and pools, 1568-128-10, batch 64 of 28x28, Adam",
    rule: { name: "adam", lr: 1e-4 },
    flops: 64 * (4 * 28 * 28 * 16 * 9 + 6 * 14 * 14 * 32 * 16 * 9 + 6 * (1568 * 128 + 1280)),
    repeat: 4,
    net: () =>
      chain(
        new Conv2d(1, 16, 3, { padding: 1 }),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(16, 32, 3, { padding: 1 }),
        new ReLU(),
        new MaxPool2d(2),
        new Flatten(),
        new Linear(1568, 128),
        new ReLU(),
        new Linear(128, 10),
      ),
    loss: classify,
    batch: () => ({ x: randn(64, 1, 28, 28) as Tensor, y: randint(0, 10, [64]) as Tensor }),
  },
  gpt("gpt", "GPT 4 layers, 4 heads, width 128, context 64, vocabulary 65, batch 12, AdamW", {
    vocab: 65,
    time: 64,
    layers: 4,
    heads: 4,
    width: 128,
    batch: 12,
    bias: false,
  }),
  {
    name: "lstm",
    about: "LSTM 128-128, 64 steps, batch 32, Adam",
    rule: { name: "adam", lr: 1e-4 },
    flops: 6 * 32 * 64 * 8 * 128 * 128 - 2 * 32 * 64 * 4 * 128 * 128,
    repeat: 4,
    net: () => new Reader(),
    loss: classify,
    batch: () => ({ x: randn(32, 64, 128) as Tensor, y: randint(0, 10, [32]) as Tensor }),
  },
  gpt("gpt2", "GPT-2 blocks: 4 layers, 12 heads, width 768, context 256, vocabulary 50257, batch 2, AdamW", {
    vocab: 50257,
    time: 256,
    layers: 4,
    heads: 12,
    width: 768,
    batch: 2,
    bias: true,
  }),
];

/** The optimizer that follows a rule; PyTorch's defaults where it says nothing. */
export function optimizer(net: Module, { name, lr, momentum = 0 }: Rule): SGD | Adam | AdamW {
  if (name === "sgd") return new SGD(net, { lr, momentum });
  return name === "adam" ? new Adam(net, { lr }) : new AdamW(net, { lr });
}

/** One net in training; every call begins with the same weights. */
export function trainer(model: Model): { net: Net; step(x: Tensor, y: Tensor): Tensor } {
  seed(1);
  const net = model.net();
  const rule = optimizer(net, model.rule);
  const step = (x: Tensor, y: Tensor): Tensor => {
    const loss = model.loss(net, { x, y });
    rule.zeroGrad();
    loss.backward();
    rule.step();
    return loss;
  };
  return { net, step };
}
