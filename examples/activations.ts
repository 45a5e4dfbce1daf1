// What activations do to numbers: their curves, their slopes, and what becomes of data that passes through ten layers.
import { init, Linear, linspace, noGrad, randn, seed, type Tensor, tensor } from "nabla";
import { lines } from "nabla/plot";
import { integer, run } from "./options.ts";
import { show, svg } from "./show.ts";

const program = {
  call: "npx tsx examples/activations.ts",
  about: "Draws activations and their slopes, and the numbers in ten layers behind each other.",
  options: {
    layers: integer(10, "layers", { min: 2, max: 100 }),
    width: integer(64, "neurons in each", { max: 4096 }),
    samples: integer(200, "samples that pass through", { max: 100_000 }),
    seed: integer(0, "seed of weights and samples", { min: 0, max: 2 ** 32 - 1 }),
    svg,
  },
} as const;

const functions = ["sigmoid", "tanh", "relu", "gelu", "silu"] as const;
type Name = (typeof functions)[number];
const names: Record<Name, string> = { sigmoid: "sigmoid", tanh: "tanh", relu: "ReLU", gelu: "GELU", silu: "SiLU" };

/** The curve and its slope, by autograd, at places from -4 to 4. */
function curve(name: Name): { x: Float32Array; y: Float32Array; slope: Float32Array } {
  const x = tensor(linspace(-4, 4, 401).dataSync(), { requiresGrad: true });
  const y = x[name]();
  y.sum().backward();
  return { x: x.detach().dataSync(), y: y.detach().dataSync(), slope: x.grad!.dataSync() };
}

interface Way {
  readonly title: string;
  readonly activation: Name;
  readonly kaiming: boolean;
}
const ways: Record<string, Way> = {
  sigmoid: { title: "sigmoid", activation: "sigmoid", kaiming: false },
  relu: { title: "ReLU", activation: "relu", kaiming: false },
  kaiming: { title: "ReLU, Kaiming's weights", activation: "relu", kaiming: true },
};
type Rows = Tensor<[number, number]>;
/** How much the samples still differ behind each layer: the deviation of a neuron over the samples, its mean over the neurons. */
function pass({ activation, kaiming }: Way, start: Rows, layers: number): number[] {
  let x = start;
  return Array.from({ length: layers }, () => {
    const layer = new Linear(x.shape[1], x.shape[1]);
    if (kaiming) {
      init.kaimingNormal(layer.weight, { nonlinearity: "relu" });
      init.zeros(layer.bias!);
    }
    x = noGrad(() => layer.forward(x)[activation]()) as Rows;
    return x.var(0).sqrt().mean().item();
  });
}

await run(program, ({ layers, width, samples, seed: from, svg: dir }) => {
  const curves = functions.map((name) => [names[name], curve(name)] as const);
  const found = Object.entries(ways).map(([key, way]) => {
    seed(from);
    const spreads = pass(way, randn(samples, width), layers);
    console.log(
      `${way.title}: samples differ by ${spreads[0]!.toPrecision(2)} behind layer 1, by ${spreads.at(-1)!.toPrecision(2)} behind layer ${layers}`,
    );
    return { key, way, spreads };
  });
  console.log();
  show(
    {
      "activations-functions": lines(
        curves.map(([name, { x, y }]) => [name, { x, y }] as const),
        { title: "Activations", yRange: [-1.2, 4], height: 340 },
      ),
      "activations-slopes": lines(
        curves.map(([name, { x, slope }]) => [name, { x, y: slope }] as const),
        { title: "Their slopes", height: 300 },
      ),
      "activations-layers": lines(
        found.map(({ way, spreads }) => [way.title, { x: spreads.map((_, i) => i + 1), y: spreads }] as const),
        { title: "How much samples still differ behind each layer", x: "layer", y: "deviation", log: "y", height: 300 },
      ),
    },
    dir,
  );
  return Object.fromEntries(found.map(({ key, spreads }) => [key, spreads]));
});
