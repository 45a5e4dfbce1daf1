// Learns to read digits with a convolutional network, and shows what its first layer looks for.
import {
  AdamW,
  accuracy,
  batches,
  Conv2d,
  cosine,
  crossEntropy,
  Dropout,
  digits,
  Flatten,
  type Idx,
  isa,
  Linear,
  MaxPool2d,
  mnist,
  noGrad,
  ReLU,
  Sequential,
  seed,
  setThreads,
  stack,
  type Tensor,
  tensor,
  threads,
  fit as train,
} from "nabla";
import { confusion, images } from "nabla/plot";
import { choice, integer, path, Refusal, real, run } from "./options.ts";
import { duration, machine, Progress, thousands } from "./terminal.ts";

const program = {
  call: "node --import tsx examples/cnn.ts",
  about: "Trains a convolutional classifier of handwritten digits: two layers of 3 x 3 with pooling, two linear ones.",
  options: {
    data: path("DIR", undefined, "folder of the MNIST files (IDX, plain or .gz); without it digits are drawn here"),
    epochs: integer(10, "times through the training digits", { max: 1000 }),
    batch: integer(32, "digits per step", { max: 65536 }),
    lr: real(0.002, "highest learning rate, after a warm-up and before a cosine", { max: 10 }),
    precision: choice(["f32", "bf16"], "what convolutions and products multiply while it trains"),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights, the order and the drawn digits", { min: 0, max: 2 ** 32 - 1 }),
    save: path("FILE", undefined, "where the model goes; it is not kept unless given"),
  },
} as const;

type Bytes = Idx<Uint8Array<ArrayBuffer>>;
interface Part {
  images: Bytes;
  labels: Bytes;
}

/** The files of `dir`, or 10,000 drawn digits to train and 2,000 to test. */
function load(dir: string | undefined, from: number): { train: Part; test: Part; origin: string } {
  if (dir !== undefined) return { ...mnist(dir), origin: dir };
  const { images, labels } = digits(12_000, { seed: from });
  const [, rows, columns] = images.shape as [number, number, number];
  const part = (begin: number, end: number): Part => ({
    images: {
      shape: [end - begin, rows, columns],
      data: images.data.slice(begin * rows * columns, end * rows * columns),
    },
    labels: { shape: [end - begin], data: labels.data.slice(begin, end) },
  });
  return { train: part(0, 10_000), test: part(10_000, 12_000), origin: `drawn here with seed ${from}` };
}

/** Pictures [count, 1, rows, columns] of mean 0 and deviation 1, as MNIST's are with these two numbers; labels [count]. */
function tensors({ images, labels }: Part): [Tensor<[number, number, number, number]>, Tensor<[number], "i32">] {
  const [count, rows, columns] = images.shape as [number, number, number];
  const x = Float32Array.from(images.data, (byte) => (byte / 255 - 0.1307) / 0.3081);
  return [tensor(x).reshape(count, 1, rows, columns), tensor(Int32Array.from(labels.data))];
}

/** What the model takes each digit for. */
function predict(model: { forward(x: Tensor): Tensor }, x: Tensor): Int32Array {
  const found = new Int32Array(x.shape[0]!);
  for (let from = 0; from < found.length; from += 500) {
    const logits = noGrad(() => model.forward(x.slice(0, from, from + 500)));
    found.set(logits.argmax(1).dataSync() as Int32Array, from);
  }
  return found;
}

/** A digit and what the four most awake filters of the first layer see in it, each by its own largest. */
function features(layer: { forward(x: Tensor): Tensor }, x: Tensor): string {
  const digit = x.select(0, 0) as Tensor;
  const maps = noGrad(() => layer.forward(x.slice(0, 0, 1)).relu()).select(0, 0) as Tensor;
  const awake = maps.mean([1, 2]).dataSync() as Float32Array;
  const order = Array.from(awake.keys()).sort((a, b) => awake[b]! - awake[a]!);
  const chosen = order.slice(0, 4).sort((a, b) => a - b);
  const pictures = stack([digit.select(0, 0), ...chosen.map((i) => maps.select(0, i))] as never) as Tensor;
  const labels = ["digit", ...chosen.map((i) => `filter ${i}`)];
  return images(pictures.relu(), { labels, each: true }).text({ width: 5 * x.shape[3]! + 8 });
}

await run(program, async (options) => {
  const { epochs, batch, lr, precision } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  seed(options.seed);
  const { train: learned, test, origin } = load(options.data, options.seed);
  const [count, rows, columns] = learned.images.shape as [number, number, number];
  if (batch > count) throw new Refusal(`--batch must be at most ${count}, the number of training digits, got ${batch}`);
  if (rows < 4 || columns < 4) throw new Refusal(`pictures of ${rows} x ${columns} are too small to pool twice`);
  const [held, of] = [test.images.shape[0]!, `${rows} x ${columns}`];
  console.log(`data    ${thousands(count)} digits of ${of} to train, ${thousands(held)} to test, ${origin}`);
  console.log(`on      ${machine()}`);

  const [x, y] = tensors(learned);
  const [testX, testY] = tensors(test);
  const first = new Conv2d(1, 16, 3, { padding: 1 });
  const classes =
    1 + [learned, test].reduce((most, part) => part.labels.data.reduce((a, b) => Math.max(a, b), most), 0);
  const model = new Sequential(
    first,
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Dropout(0.4),
    new Linear(32 * (rows >> 2) * (columns >> 2), 128),
    new ReLU(),
    new Dropout(0.4),
    new Linear(128, classes),
  );
  console.log(`${model}\n`);

  const perEpoch = Math.floor(count / batch);
  const schedule = cosine({ from: lr, steps: epochs * perEpoch, warmup: Math.min(100, perEpoch / 2) });
  const progress = new Progress(epochs * perEpoch * batch);
  const begun = performance.now();
  let trainLoss = Number.NaN;
  const loss = (logits: Tensor, target: Tensor) => crossEntropy(logits as never, target as never) as Tensor;
  const data = batches(x, y, { size: batch, shuffle: true, dropLast: true });
  const optimizer = new AdamW(model, { lr });
  const training = { loss, optimizer, epochs, schedule, precision, metrics: { accuracy } };
  for await (const event of train(model as never, data, training)) {
    trainLoss = event.loss;
    const share = (100 * event.metrics.accuracy!).toFixed(1);
    const news = () => `epoch ${event.epoch + 1}/${epochs}  loss ${event.loss.toFixed(4)}  accuracy ${share}%`;
    if (event.done === "step") progress.update(event.step * batch, news);
  }
  const seconds = (performance.now() - begun) / 1000;
  const msPerStep = (1000 * seconds) / (epochs * perEpoch);

  model.eval();
  const found = predict(model as never, testX);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const truth = testY.dataSync();
  for (const [i, guess] of found.entries()) counts[truth[i]!]![guess]!++;
  const testAccuracy = counts.reduce((sum, row, i) => sum + row[i]!, 0) / held;
  console.log(`\ntest accuracy ${(100 * testAccuracy).toFixed(2)}%, ${duration(seconds)} of training\n`);
  console.log(`${confusion(counts).text()}\n`);
  console.log(`${features(first as never, testX)}\n`);
  if (options.save !== undefined) {
    await model.save(options.save);
    console.log(`saved   ${options.save}`);
  }
  return { testAccuracy, trainLoss, epochs, seconds, msPerStep, isa: isa(), threads: threads() };
});
