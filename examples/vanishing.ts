// Why deep networks once failed to learn, and what mended them: the gradient that reaches each of 20 layers, and each of 100
// steps of a sequence.
import {
  Adam,
  clipGradNorm,
  compile,
  crossEntropy,
  digits,
  init,
  LayerNorm,
  Linear,
  LSTM,
  Module,
  RNN,
  randint,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { beside, type Chart, histogram, lines } from "nabla/plot";
import { integer, real, run } from "./options.ts";
import { show, svg } from "./show.ts";

const program = {
  call: "npx tsx examples/vanishing.ts",
  about:
    "Shows the gradient of every layer of a deep network, three ways, and of every step of a long sequence, three ways.",
  options: {
    layers: integer(20, "hidden layers", { min: 2, max: 200 }),
    width: integer(64, "size of each", { max: 4096 }),
    steps: integer(200, "steps of training of the deep networks"),
    lr: real(0.001, "learning rate of these", { max: 10 }),
    length: integer(100, "steps of a sequence", { min: 2, max: 1000 }),
    memory: integer(400, "steps of training of the networks that remember"),
    seed: integer(0, "seed of the weights and the data", { min: 0, max: 2 ** 32 - 1 }),
    svg,
  },
} as const;

type Rows = Tensor<[number, number]>;
interface Outcome {
  /** The gradient at the first step of training, layer by layer or time by time. */
  readonly norms: readonly number[];
  readonly losses: readonly number[];
  /** The same gradients, number by number. */
  readonly gradients: readonly Tensor[];
  /** Mean of the last tenth. */
  readonly loss: number;
}
function outcome(gradients: readonly Tensor[], losses: readonly number[]): Outcome {
  const last = losses.slice(-Math.ceil(losses.length / 10));
  return {
    norms: gradients.map(norm),
    gradients,
    losses,
    loss: last.reduce((sum, value) => sum + value, 0) / last.length,
  };
}
/** In f64: squares of what is below 1e-23 are 0 in f32. */
const norm = (x: Tensor): number => x.to("f64").square().sum().sqrt().item();

type Kind = "sigmoid" | "relu" | "residual";
const kinds: Record<Kind, string> = {
  sigmoid: "sigmoid",
  relu: "ReLU",
  residual: "x + ReLU(Linear(LayerNorm(x)))",
};

class Deep extends Module {
  input;
  hidden;
  norms;
  output;
  readonly kind: Kind;
  constructor(kind: Kind, layers: number, width: number) {
    super();
    this.kind = kind;
    this.input = new Linear(784, width);
    this.hidden = Array.from({ length: layers }, () => new Linear(width, width));
    this.norms = kind === "residual" ? this.hidden.map(() => new LayerNorm(width)) : [];
    this.output = new Linear(width, 10);
  }
  forward(pixels: Rows): Rows {
    let x: Rows = this.input.forward(pixels);
    this.hidden.forEach((layer, i) => {
      if (this.kind === "sigmoid") x = layer.forward(x).sigmoid();
      else if (this.kind === "relu") x = layer.forward(x).relu();
      else x = x.add(layer.forward(this.norms[i]!.forward(x)).relu());
    });
    return this.output.forward(x);
  }
}

type Values = {
  layers: number;
  width: number;
  steps: number;
  lr: number;
  length: number;
  memory: number;
  seed: number;
};

/** Trains a deep network on 50 batches of digits. */
function deep(kind: Kind, values: Values): Outcome {
  const { images, labels } = digits(64 * 50, { seed: values.seed });
  const x = tensor(Float32Array.from(images.data, (value) => value / 255)).reshape(50, 64, 784);
  const y = tensor(Int32Array.from(labels.data)).reshape(50, 64);
  seed(values.seed);
  const net = new Deep(kind, values.layers, values.width);
  crossEntropy(net.forward(x.select(0, 0)), y.select(0, 0)).backward();
  const gradients = net.hidden.map((layer) => layer.weight.grad!);
  net.zeroGrad();
  const optimizer = new Adam(net, { lr: values.lr });
  const step = compile((pixels: Rows, truth: Tensor<[number], "i32">) => {
    const loss = crossEntropy(net.forward(pixels), truth);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const losses = Array.from({ length: values.steps }, (_, i) => {
    return step.sync(x.select(0, i % 50), y.select(0, i % 50)).item();
  });
  return outcome(gradients, losses);
}

type Memory = "rnn" | "lstm" | "open";
const memories: Record<Memory, string> = {
  rnn: "RNN",
  lstm: "LSTM, PyTorch's first weights",
  open: "LSTM, gates that keep at first",
};
const [hidden, batch, symbols] = [32, 32, 4];

/** Reads `length` symbols and says which was the first. */
class Remember extends Module {
  readonly layer;
  readonly head;
  constructor(kind: Memory, length: number) {
    super();
    this.layer = kind === "rnn" ? new RNN(2 * symbols, hidden) : new LSTM(2 * symbols, hidden);
    this.head = new Linear(hidden, symbols);
    if (kind !== "open") return;
    // Rows of the bias: input gate, forget gate, ... A cell that keeps 1 - 1 / length of itself in each step lives about `length` steps.
    const bias = this.layer.stateDict().get("bias_ih_l0")!.detach();
    init.constant(bias.slice(0, 0, hidden), -Math.log(length));
    init.constant(bias.slice(0, hidden, 2 * hidden), Math.log(length));
  }
  /** x: [length, batch, 2 symbols]. */
  forward(x: Tensor<[number, number, number]>): Rows {
    const [y] = this.layer.forward(x);
    return this.head.forward(y.select(0, -1)) as never;
  }
}
/** Sequences whose first symbol is one of 4 and counts; behind it come 4 others, at random. */
function sequences(length: number): [x: Tensor<[number, number, number]>, y: Tensor<[number], "i32">] {
  const drawn = randint(0, symbols, [length, batch]).dataSync();
  const x = new Float32Array(length * batch * 2 * symbols);
  for (const [i, symbol] of drawn.entries()) x[i * 2 * symbols + (i < batch ? 0 : symbols) + symbol] = 1;
  return [tensor(x).reshape(length, batch, 2 * symbols), tensor(Int32Array.from(drawn.slice(0, batch)))];
}
/** Trains a network to remember. */
function remember(kind: Memory, { length, memory, seed: from }: Values): Outcome {
  seed(from);
  const net = new Remember(kind, length);
  const [first, truth] = sequences(length);
  const x = first.detach();
  x.requiresGrad = true;
  crossEntropy(net.forward(x), truth).backward();
  const gradients = Array.from({ length }, (_, t) => x.grad!.select(0, t));
  net.zeroGrad();
  const optimizer = new Adam(net, { lr: 0.003 });
  const step = compile((pixels: Tensor<[number, number, number]>, y: Tensor<[number], "i32">) => {
    const loss = crossEntropy(net.forward(pixels), y);
    optimizer.zeroGrad();
    loss.backward();
    clipGradNorm(net, 1);
    optimizer.step();
    return loss;
  });
  return outcome(
    gradients,
    Array.from({ length: memory }, () => step.sync(...sequences(length)).item()),
  );
}

/** All ways of one kind, with what each comes to. */
function compare<K extends string>(names: Record<K, string>, train: (kind: K) => Outcome): Record<K, Outcome> {
  const pairs = (Object.keys(names) as K[]).map((kind) => {
    const found = train(kind);
    const ratio = (found.norms[0]! / found.norms.at(-1)!).toExponential(1);
    const [from, to] = [found.losses[0]!, found.loss].map((loss) => loss.toFixed(3));
    console.log(`${names[kind]}: the first gets ${ratio} of the last one's gradient; loss ${from} -> ${to}`);
    return [kind, found] as const;
  });
  console.log();
  return Object.fromEntries(pairs) as Record<K, Outcome>;
}
/** The gradients and the losses of all ways. */
function charts<K extends string>(
  names: Record<K, string>,
  found: Record<K, Outcome>,
  x: string,
  of: string,
): [Chart, Chart] {
  const keys = Object.keys(names) as K[];
  const places = (kind: K) => Float64Array.from(found[kind].norms, (_, i) => i + 1);
  const gradients = keys.map((kind) => [names[kind], { x: places(kind), y: found[kind].norms }] as const);
  const losses = keys.map((kind) => [names[kind], found[kind].losses] as const);
  const smooth = Math.max(1, Math.round(losses[0]![1].length / 20));
  return [
    lines(gradients, { title: `Gradient that reaches each ${of} before training`, x, y: "gradient", log: "y" }),
    lines(losses, {
      title: `What ${of === "layer" ? "the deep networks" : "the recurrent networks"} learn`,
      x: "step of training",
      y: "loss",
      smooth,
    }),
  ];
}

await run(program, (values) => {
  const layers = compare(kinds, (kind) => deep(kind, values));
  const times = compare(memories, (kind) => remember(kind, values));
  const [layerGradient, layerLoss] = charts(kinds, layers, "layer", "layer");
  const [timeGradient, timeLoss] = charts(memories, times, "step of the sequence; the loss is behind the last", "step");
  const some = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (values.layers - 1)));
  const histograms = (["sigmoid", "residual"] as const).map((kind) => {
    const sets = [...new Set(some)].map((layer) => [`layer ${layer + 1}`, layers[kind].gradients[layer]!] as const);
    return histogram(sets, {
      title: kinds[kind],
      log: true,
      range: [1e-22, 1],
      bins: 88,
      x: "|gradient| of each weight",
    });
  });
  show(
    {
      "vanishing-histograms": beside(histograms, { columns: 1 }),
      "vanishing-layers": layerGradient,
      "vanishing-loss": layerLoss,
      "vanishing-sequence": timeGradient,
      "vanishing-memory": timeLoss,
    },
    values.svg,
  );
  const brief = Object.entries({ ...layers, ...times }).map(([kind, { loss, norms }]) => [kind, { loss, norms }]);
  return Object.fromEntries(brief);
});
