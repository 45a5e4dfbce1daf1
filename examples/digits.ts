// Learns to read digits, and says what it did.
import { statSync } from "node:fs";
import {
  type Adam,
  type AdamW,
  accuracy,
  batches,
  cosine,
  crossEntropy,
  digits,
  fit,
  isa,
  Linear,
  type Module,
  mnist,
  noGrad,
  ReLU,
  Sequential,
  type SGD,
  seed,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "nabla";
import { confusion, images } from "nabla/plot";
import type { Rule } from "../bench/javascript.ts";
import { optimizer } from "../bench/models.ts";
import { type Result, race } from "../bench/race.ts";
import { choice, integer, path, Refusal, real, run } from "./options.ts";
import { fingerprint, machine, Progress, thousands } from "./terminal.ts";

const program = {
  call: "npm run demo --",
  about: "Trains a classifier of handwritten digits: pixels, a hidden layer with ReLU, one output per digit.",
  options: {
    data: path("DIR", undefined, "folder of the MNIST files (IDX, plain or .gz); without it digits are drawn here"),
    epochs: integer(10, "times through the training digits", { max: 1000 }),
    hidden: integer(128, "size of the hidden layer", { max: 65536 }),
    optimizer: choice(["adamw", "adam", "sgd"], "rule of the steps; sgd has momentum 0.9"),
    lr: real(undefined, "highest learning rate, after a warm-up and before a cosine (0.005, sgd 0.1)", { max: 100 }),
    batch: integer(32, "digits per step", { max: 65536 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights, the order and the drawn digits", { min: 0, max: 2 ** 32 - 1 }),
    save: path("FILE", "digits.safetensors", "where the model goes"),
  },
} as const;

interface Part {
  pixels: Uint8Array;
  x: Float32Array; // [count, size], 0 to 1
  labels: Int32Array;
  count: number;
}

interface Data {
  train: Part;
  test: Part;
  rows: number;
  columns: number;
  classes: number;
  origin: string;
}

function part(pixels: Uint8Array, labels: Uint8Array): Part {
  return {
    pixels,
    x: Float32Array.from(pixels, (value) => value / 255),
    labels: Int32Array.from(labels),
    count: labels.length,
  };
}

/** The files of `dir`, or 10,000 drawn digits to train and 2,000 to test. */
function load(dir: string | undefined, from: number): Data {
  if (dir === undefined) {
    const { images, labels } = digits(12_000, { seed: from });
    const cut = 10_000;
    const train = part(images.data.subarray(0, cut * 784), labels.data.subarray(0, cut));
    const test = part(images.data.subarray(cut * 784), labels.data.subarray(cut));
    return { train, test, rows: 28, columns: 28, classes: 10, origin: `drawn here with seed ${from}` };
  }
  const set = mnist(dir);
  const [count, rows, columns] = set.train.images.shape as [number, number, number];
  const test = set.test.images.shape;
  if (test[1] !== rows || test[2] !== columns) {
    throw new Refusal(`${dir}: training digits are ${rows} x ${columns}, test digits ${test[1]} x ${test[2]}`);
  }
  if (count * test[0]! * rows * columns === 0) throw new Refusal(`${dir}: there are no digits in it`);
  const classes =
    1 +
    set.train.labels.data.reduce(
      (a, b) => Math.max(a, b),
      set.test.labels.data.reduce((a, b) => Math.max(a, b)),
    );
  const parts = [set.train, set.test].map(({ images, labels }) => part(images.data, labels.data)) as [Part, Part];
  return { train: parts[0], test: parts[1], rows, columns, classes, origin: dir };
}

type Model = Module & { forward(x: Tensor<[number, number]>): Tensor };

/** What the model takes each digit for. */
function predict(model: Model, { x, count }: Part, size: number): Int32Array {
  const found = new Int32Array(count);
  for (let from = 0; from < count; from += 1000) {
    const some = tensor(x.slice(from * size, (from + 1000) * size)).reshape(-1, size);
    found.set(
      noGrad(() => model.forward(some).argmax(1).dataSync()),
      from,
    );
  }
  return found;
}

interface Plan {
  epochs: number;
  batch: number;
  lr: number;
}

/** Trains, showing how far it is; the mean loss of the last epoch. */
async function train(
  model: Model,
  optimizer: SGD | Adam | AdamW,
  { x, labels, count }: Part,
  { epochs, batch, lr }: Plan,
): Promise<number> {
  const data = batches(tensor(x).reshape(count, -1), tensor(labels), { size: batch, shuffle: true, dropLast: true });
  const perEpoch = Math.floor(count / batch);
  const schedule = cosine({ from: lr, steps: epochs * perEpoch, warmup: Math.min(100, perEpoch / 2) });
  const progress = new Progress(epochs * perEpoch * batch);
  let mean = Number.NaN;
  const training = { loss: crossEntropy, optimizer, epochs, schedule, metrics: { accuracy } };
  for await (const { done, epoch, step, loss, metrics } of fit(model, data, training)) {
    const news = () =>
      `epoch ${epoch + 1}/${epochs}  loss ${loss.toFixed(4)}  accuracy ${(100 * metrics.accuracy!).toFixed(1)}%`;
    if (done === "step") progress.update(step * batch, news);
    else mean = loss;
  }
  return mean;
}

/** Three digits the model reads right and up to three it reads wrong. */
function gallery({ test, rows, columns }: Data, found: Int32Array): string {
  const size = rows * columns;
  const all = Array.from(found, (_, i) => i);
  const right = all.filter((i) => found[i] === test.labels[i]).slice(0, 3);
  const wrong = all.filter((i) => found[i] !== test.labels[i]).slice(0, 3);
  const chosen = [...right, ...wrong];
  const data = chosen.flatMap((i) => [...test.pixels.subarray(i * size, (i + 1) * size)]);
  const labels = chosen.map((i) =>
    found[i] === test.labels[i] ? `read ${found[i]}` : `read ${found[i]}, is ${test.labels[i]}`,
  );
  return images({ shape: [chosen.length, rows, columns], data }, { labels, range: [0, 255], columns: 3 }).text({
    width: 100,
  });
}

/** Steps per second beside JavaScript alone, on the first of the training digits. */
function compare({ train, rows, columns, classes }: Data, batch: number, hidden: number, rule: Rule): Result {
  const inputs = rows * columns;
  const list = Array.from({ length: Math.min(16, Math.floor(train.count / batch)) }, (_, i) => ({
    x: train.x.slice(i * batch * inputs, (i + 1) * batch * inputs),
    labels: train.labels.slice(i * batch, (i + 1) * batch),
  }));
  const result = race({ inputs, hidden, classes, batch, batches: list, rule });
  const { stepsPerSecond, eagerStepsPerSecond, jsStepsPerSecond, speedupOverJs } = result;
  const [compiled, eager, alone] = [stepsPerSecond, eagerStepsPerSecond, jsStepsPerSecond].map((rate) =>
    thousands(Math.round(rate)),
  );
  const slower = (eagerStepsPerSecond / jsStepsPerSecond).toFixed(1);
  console.log(
    `speed   ${compiled} steps/s compiled, ${eager} eager, JavaScript alone ${alone}: ${speedupOverJs.toFixed(1)} and ${slower} times`,
  );
  const apart = result.lossDifference.toExponential(0);
  console.log(`        same first weights and batches: losses of the first 20 steps are within ${apart} of each other`);
  return result;
}

await run(program, async (options) => {
  const { hidden, batch, save } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  seed(options.seed);
  const data = load(options.data, options.seed);
  const { test, rows, columns, classes } = data;
  const count = data.train.count;
  if (batch > count) throw new Refusal(`--batch must be at most ${count}, the number of training digits, got ${batch}`);
  const images = `${rows} x ${columns}`;
  console.log(
    `data    ${thousands(count)} digits of ${images} to train, ${thousands(test.count)} to test, ${data.origin}`,
  );
  console.log(`on      ${machine()}`);

  const sgd = options.optimizer === "sgd";
  const { lr = sgd ? 0.1 : 0.005 } = options;
  const model = new Sequential(new Linear(rows * columns, hidden), new ReLU(), new Linear(hidden, classes));
  console.log(`${model}\n`);
  const rule = { name: options.optimizer, lr, momentum: sgd ? 0.9 : 0 };
  const trainLoss = await train(model, optimizer(model, rule), data.train, { ...options, lr });

  model.eval();
  const found = predict(model, test, rows * columns);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, guess] of found.entries()) counts[test.labels[i]!]![guess]!++;
  const testAccuracy = counts.reduce((sum, row, i) => sum + row[i]!, 0) / test.count;
  console.log(`\ntest accuracy ${(100 * testAccuracy).toFixed(2)}%\n\n${confusion(counts).text()}\n`);
  console.log(`${gallery(data, found)}\n`);

  const weightsSha256 = fingerprint(model.stateDict());
  await model.save(save);
  console.log(`saved   ${save}, ${thousands(statSync(save).size)} bytes, sha256 of the weights ${weightsSha256}`);
  const { losses: _, ...speed } = compare(data, batch, hidden, { ...rule, lr: lr / 10 });
  return { testAccuracy, weightsSha256, ...speed, isa: isa(), threads: threads(), trainLoss };
});
