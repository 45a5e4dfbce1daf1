// What a convolutional network of digits looks for: edges in its first layer, what tells the digits apart in its second.
import {
  AdamW,
  accuracy,
  batches,
  Conv2d,
  crossEntropy,
  digits,
  evaluate,
  Flatten,
  fit,
  Linear,
  MaxPool2d,
  noGrad,
  ReLU,
  Sequential,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { embedding, featureMaps, filters, images } from "nabla/plot";
import { integer, real, run } from "./options.ts";
import { show, svg } from "./show.ts";

const program = {
  call: "npx tsx examples/filters.ts",
  about: "Trains a small convolutional network on drawn digits, and shows its filters and what they see.",
  options: {
    digits: integer(4000, "digits to learn from", { min: 100, max: 200_000 }),
    epochs: integer(6, "times through them", { max: 1000 }),
    lr: real(0.003, "learning rate", { max: 10 }),
    seed: integer(0, "seed of weights and digits", { min: 0, max: 2 ** 32 - 1 }),
    svg,
  },
} as const;

type Pictures = Tensor<[number, 1, 28, 28], "f32">;
type Labels = Tensor<[number], "i32">;
function load(count: number, from: number): [x: Pictures, y: Labels] {
  const { images, labels } = digits(count, { seed: from });
  const x = Float32Array.from(images.data, (byte) => byte / 255);
  return [tensor(x).reshape(count, 1, 28, 28) as Pictures, tensor(Int32Array.from(labels.data))];
}

const size = 5;
/** Straight edges through the middle of a window, one for each of 16 directions: 1 on one side, -1 on the other, length 1. */
const edges: readonly Float32Array[] = Array.from({ length: 16 }, (_, i) => {
  const angle = (Math.PI * i) / 8;
  const side = Float32Array.from({ length: size * size }, (_, p) => {
    const [x, y] = [(p % size) - (size - 1) / 2, Math.floor(p / size) - (size - 1) / 2];
    return Math.max(-1, Math.min(1, 2 * (x * Math.cos(angle) + y * Math.sin(angle))));
  });
  const length = Math.hypot(...side);
  return side.map((value) => value / length);
});
/** For each filter [5, 5] its likeness (cosine) with the edge that it is most like, brightness aside. */
function edgeLikeness(weights: Tensor): number[] {
  const flat = weights.dataSync();
  return Array.from({ length: weights.shape[0]! }, (_, i) => {
    const own = Array.from(flat.slice(i * size * size, (i + 1) * size * size), Number);
    const mean = own.reduce((sum, value) => sum + value / own.length, 0);
    const centered = own.map((value) => value - mean);
    const length = Math.hypot(...centered) || 1;
    return Math.max(...edges.map((edge) => edge.reduce((sum, e, p) => sum + (e * centered[p]!) / length, 0)));
  });
}

/** The share of the variance of each column that lies between classes, 0 to 1; its mean over the columns. */
function classShare(x: Tensor, y: Labels): number {
  const [n = 0, columns = 0] = x.shape;
  const [values, labels] = [x.dataSync(), y.dataSync()];
  const share = (column: number): number => {
    const sums = new Float64Array(10);
    const counts = new Float64Array(10);
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      const value = Number(values[i * columns + column]);
      sums[labels[i]!]! += value;
      counts[labels[i]!]! += 1;
      sum += value;
      squares += value * value;
    }
    const total = squares - (sum * sum) / n;
    const between = sums.reduce((all, s, c) => all + (counts[c] ? (s * s) / counts[c]! : 0), 0) - (sum * sum) / n;
    return total > 0 ? between / total : 0;
  };
  return Array.from({ length: columns }, (_, c) => share(c) / columns).reduce((a, b) => a + b, 0);
}
const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value / list.length, 0);

await run(program, async (values) => {
  seed(values.seed);
  const [x, y] = load(values.digits, values.seed);
  const [testX, testY] = load(1000, (values.seed + 1) % 2 ** 32);
  const first = new Conv2d(1, 16, 5, { padding: 2 });
  const second = new Conv2d(16, 24, 5, { padding: 2 });
  const seeing = new Sequential(first, new ReLU(), new MaxPool2d(2));
  const parts = new Sequential(second, new ReLU(), new MaxPool2d(2));
  const reading = new Sequential(new Flatten(), new Linear(24 * 49, 32), new ReLU());
  const model = new Sequential(seeing, parts, reading, new Linear(32, 10));
  const before = { likeness: edgeLikeness(first.weight), weights: first.weight.detach().clone() };

  const data = batches(x, y, { size: 64, shuffle: true, dropLast: true });
  const optimizer = new AdamW(model, { lr: values.lr, weightDecay: 0.1 });
  for await (const event of fit(model, data, {
    loss: crossEntropy,
    optimizer,
    epochs: values.epochs,
    metrics: { accuracy },
  })) {
    if (event.done === "epoch") {
      const { epoch, loss, metrics } = event;
      console.log(`epoch ${epoch + 1}  loss ${loss.toFixed(4)}  accuracy ${(100 * metrics.accuracy!).toFixed(1)} %`);
    }
  }
  model.eval();
  const scores = await evaluate(model, batches(testX, testY, { size: 200 }), {
    loss: crossEntropy,
    metrics: { accuracy },
  });
  const [edge, edgeBefore] = [mean(edgeLikeness(first.weight)), mean(before.likeness)];

  const [maps, later, hidden] = noGrad(() => {
    const a = seeing.forward(testX);
    const b = parts.forward(a);
    return [a, b, reading.forward(b)] as const;
  });
  // How well the pixels, and each layer's numbers, tell the classes apart, one by one.
  const classes = [testX, maps, later, hidden].map((layer) => classShare(layer.flatten(1), testY));
  const accuracyOf = scores.metrics.accuracy!;
  console.log(`\ntest accuracy ${(100 * accuracyOf).toFixed(1)} %`);
  console.log(
    `filters are ${(100 * edge).toFixed(0)} % like an edge, before training ${(100 * edgeBefore).toFixed(0)} %`,
  );
  const shares = classes.map((share) => `${(100 * share).toFixed(0)} %`);
  console.log(`of the variance lies between the digits: ${shares.join(", ")} (pixels, first layer, second, hidden)\n`);

  const chosen = [0, 1, 2, 3, 4, 5].map((digit) => testY.dataSync().indexOf(digit)).filter((i) => i >= 0);
  const one = chosen[3] ?? 0;
  const sees = (layer: Tensor): Tensor => layer.select(0, one) as Tensor;
  show(
    {
      "filters-before": filters(before.weights, { title: "First layer before training", columns: 8, scale: 9 }),
      "filters-first": filters(first.weight, { title: "First layer after training", columns: 8, scale: 9 }),
      "filters-digit": images(testX.select(0, one), { title: "A digit", scale: 4 }),
      "filters-maps": featureMaps(sees(maps), {
        title: "What each filter of the first layer sees in it",
        columns: 8,
        scale: 4,
      }),
      "filters-parts": featureMaps(sees(later), { title: "What each of the second layer sees", columns: 8, scale: 7 }),
      "filters-embedding": embedding(hidden.slice(0, 0, 400), {
        labels: testY.slice(0, 0, 400).dataSync(),
        title: "400 new digits in the hidden layer",
      }),
    },
    values.svg,
  );
  return { accuracy: accuracyOf, loss: scores.loss, edge, edgeBefore, classes };
});
