// Why deep networks once failed to learn, and what mended them: the gradient that reaches each of 20 layers.
import { Adam, crossEntropy, digits, LayerNorm, Linear, Module, seed, type Tensor, tensor } from "nabla";
import { integer, real, run } from "./options.ts";
import { bars, short } from "./terminal.ts";

const options = {
  layers: integer(20, "hidden layers", { min: 2, max: 200 }),
  width: integer(64, "size of each", { max: 4096 }),
  steps: integer(200, "steps of training"),
  lr: real(0.001, "learning rate", { max: 10 }),
  seed: integer(0, "seed of the weights and the digits", { min: 0, max: 2 ** 32 - 1 }),
};

type Rows = Tensor<[number, number]>;
type Kind = "sigmoid" | "relu" | "residual";
const kinds: [Kind, string][] = [
  ["sigmoid", "sigmoid: each layer multiplies the gradient by at most 1/4"],
  ["relu", "ReLU: where a neuron is on, the gradient passes as it is"],
  ["residual", "residual + LayerNorm: x + ReLU(Linear(LayerNorm(x))), the gradient has a way around each layer"],
];

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

const norm = (x: Tensor): number => x.square().sum().sqrt().item();

await run(
  {
    call: "npx tsx examples/vanishing.ts",
    about: "Shows the gradient of every layer of a deep network, three ways.",
    options,
  },
  (values) => {
    const { images, labels } = digits(64 * 50, { seed: values.seed });
    const x = tensor(Float32Array.from(images.data, (value) => value / 255)).reshape(50, 64, 784);
    const y = tensor(Int32Array.from(labels.data)).reshape(50, 64);
    const results = kinds.map(([kind, title]) => {
      seed(values.seed);
      const net = new Deep(kind, values.layers, values.width);
      const optimizer = new Adam(net, { lr: values.lr });
      const [losses, norms]: [number[], number[]] = [[], []];
      for (let step = 0; step < values.steps; step++) {
        const loss = crossEntropy(net.forward(x.select(0, step % 50)), y.select(0, step % 50));
        optimizer.zeroGrad();
        loss.backward();
        if (step === 0) norms.push(...net.hidden.map((layer) => norm(layer.weight.grad!)));
        optimizer.step();
        losses.push(loss.item());
      }
      console.log(`${title}\ngradient of each layer at the first step, length of a bar in powers of ten from 1e-15`);
      console.log(
        bars(
          norms.map((value, i) => [`${i + 1}`, value] as const),
          { log: true, floor: 1e-15 },
        ).join("\n"),
      );
      const loss = losses.slice(-20).reduce((sum, value) => sum + value, 0) / Math.min(20, losses.length);
      console.log(
        `loss ${losses[0]!.toFixed(3)} -> ${loss.toFixed(3)} in ${values.steps} steps; first layer gets ${short(norms[0]! / norms.at(-1)!)} of what the last gets\n`,
      );
      return [kind, { loss, norms }] as const;
    });
    console.log(bars(results.map(([kind, { loss }]) => [`${kind} loss`, loss] as const)).join("\n"));
    return Object.fromEntries(results);
  },
);
