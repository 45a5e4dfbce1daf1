// Depth against width: networks of as many parameters, in one wide hidden layer or in several narrow ones.
import {
  Adam,
  bceWithLogits,
  compile,
  cosine,
  init,
  Linear,
  type Module,
  noGrad,
  ReLU,
  rand,
  Sequential,
  seed,
  stack,
  type Tensor,
  tensor,
} from "nabla";
import { images, lines, scatter } from "nabla/plot";
import { integer, real, run } from "./options.ts";
import { show, svg } from "./show.ts";

const program = {
  call: "npx tsx examples/depth.ts",
  about: "Separates two spirals with networks of equally many parameters and more and more layers.",
  options: {
    parameters: integer(600, "parameters of each network, about", { min: 50, max: 1e6 }),
    turns: real(3, "turns of each spiral", { min: 0.5, max: 5 }),
    steps: integer(1200, "steps of training, each on all points"),
    runs: integer(3, "networks of each depth, with weights of their own", { max: 100 }),
    lr: real(0.01, "highest learning rate", { max: 10 }),
    seed: integer(0, "seed of points and weights", { min: 0, max: 2 ** 32 - 1 }),
    svg,
  },
} as const;

const depths = [1, 2, 3, 4, 6];

/** Points [n, 2] of two spirals, one after the other, and which they are on, [n, 1]. */
function spirals(n: number, turns: number): { x: Tensor<[number, 2]>; y: Tensor<[number, 1]> } {
  const noise = rand(2 * n).dataSync();
  const points = new Float32Array(2 * n);
  const sides = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const along = Math.sqrt((i >> 1) / (n / 2));
    const angle = 2 * Math.PI * turns * along + (i & 1) * Math.PI;
    points[2 * i] = along * Math.cos(angle) + 0.04 * (noise[2 * i]! - 0.5);
    points[2 * i + 1] = along * Math.sin(angle) + 0.04 * (noise[2 * i + 1]! - 0.5);
    sides[i] = i & 1;
  }
  return { x: tensor(points).reshape(n, 2), y: tensor(sides).reshape(n, 1) };
}

/** 2 -> width -> ... -> width -> 1 has (depth - 1) width² + (depth + 3) width + 1 parameters. */
const count = (depth: number, width: number): number => (depth - 1) * width ** 2 + (depth + 3) * width + 1;
function widthFor(depth: number, parameters: number): number {
  let width = 1;
  while (count(depth, width + 1) <= parameters) width++;
  return width;
}
type Net = Module & { forward(x: Tensor): Tensor };
function network(depth: number, width: number): Net {
  const hidden = Array.from({ length: depth }, (_, i) => [new Linear(i === 0 ? 2 : width, width), new ReLU()]);
  const net = new Sequential(...([...hidden.flat(), new Linear(width, 1)] as never[]));
  for (const layer of net.namedModules().values()) {
    if (!(layer instanceof Linear)) continue;
    init.kaimingNormal(layer.weight, { nonlinearity: "relu" });
    init.zeros(layer.bias!);
  }
  return net as unknown as Net;
}

type Points = ReturnType<typeof spirals>;
/** Losses of each step. */
function learn(net: Net, { x, y }: Points, steps: number, lr: number): number[] {
  const optimizer = new Adam(net, { lr });
  const rate = cosine({ from: lr, steps });
  const step = compile(() => {
    const loss = bceWithLogits(net.forward(x) as never, y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss as Tensor;
  });
  return Array.from({ length: steps }, (_, i) => {
    optimizer.lr = rate(i);
    return step.sync().item();
  });
}
const share = (net: Net, { x, y }: Points): number => noGrad(() => net.forward(x).gt(0).eq(y.gt(0.5)).mean().item());

/** The share of points at which every neuron of some layer is off: the layers behind it cannot tell such points apart. */
function silence(net: Net, { x }: Points): number {
  const silent = new Set<number>();
  let at: Tensor = x;
  for (const layer of net.namedModules().values()) {
    if (layer instanceof Linear) at = noGrad(() => layer.forward(at as never)) as Tensor;
    if (!(layer instanceof ReLU)) continue;
    at = at.relu();
    for (const [i, sum] of at.sum(1).dataSync().entries()) if (sum === 0) silent.add(i);
  }
  return silent.size / x.shape[0]!;
}

const side = 56;
/** Where a network says the second spiral is, [side, side]: the square that holds both. */
function region(net: Net): Tensor<[number, number]> {
  const at = (i: number): number => 1.1 * ((2 * i) / (side - 1) - 1);
  const places = Float32Array.from({ length: 2 * side ** 2 }, (_, i) =>
    i % 2 === 0 ? at((i >> 1) % side) : -at(Math.floor((i >> 1) / side)),
  );
  const logits = noGrad(() => net.forward(tensor(places).reshape(-1, 2)));
  return logits.sigmoid().reshape(side, side) as Tensor<[number, number]>;
}

const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
const layers = (depth: number): string => `${depth} hidden ${depth === 1 ? "layer" : "layers"}`;

await run(program, (values) => {
  seed(values.seed);
  const [train, test] = [spirals(600, values.turns), spirals(2000, values.turns)];
  const results = depths.map((depth) => {
    const width = widthFor(depth, values.parameters);
    const runs = Array.from({ length: values.runs }, () => {
      const net = network(depth, width);
      const losses = learn(net, train, values.steps, values.lr);
      return { losses, accuracy: share(net, test), silent: silence(net, test), region: region(net) };
    });
    const accuracy = mean(runs.map((one) => one.accuracy));
    const silent = mean(runs.map((one) => one.silent));
    const loss = mean(runs.map((one) => one.losses.at(-1)!));
    const size = `${layers(depth)} of ${width}: ${count(depth, width)} parameters`;
    console.log(
      `${size}, loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)} % of new points right; at ${(100 * silent).toFixed(1)} % some layer is silent`,
    );
    return { depth, width, parameters: count(depth, width), loss, accuracy, silent, first: runs[0]! };
  });
  console.log();
  const name = ({ depth, width }: { depth: number; width: number }): string => `${layers(depth)} of ${width}`;
  const curves = results.map((one) => [name(one), one.first.losses] as const);
  const [points, turns] = [train.x.dataSync(), `two spirals of ${values.turns} turns`];
  const half = (which: number, axis: number): number[] =>
    Array.from({ length: 300 }, (_, i) => points[2 * (2 * i + which) + axis]!);
  show(
    {
      "depth-spirals": scatter(
        { "one spiral": { x: half(0, 0), y: half(0, 1) }, "the other": { x: half(1, 0), y: half(1, 1) } },
        { title: `To be told apart: ${turns}`, width: 480, height: 480 },
      ),
      "depth-loss": lines(curves, {
        title: `About ${values.parameters} parameters, deeper and deeper`,
        x: "step",
        y: "loss",
        log: "y",
        smooth: Math.max(1, Math.round(values.steps / 60)),
      }),
      "depth-regions": images(stack(results.map((one) => one.first.region) as never) as Tensor, {
        title: "Where each network sees the other spiral",
        labels: results.map((one) => layers(one.depth)),
        columns: results.length,
        scale: 2,
        range: [0, 1],
      }),
    },
    values.svg,
  );
  return { results: results.map(({ first: _, ...rest }) => rest) };
});
