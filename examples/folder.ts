// Trains a small convolutional network on pictures in folders named by their classes.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AdamW,
  accuracy,
  Conv2d,
  cosine,
  crossEntropy,
  DataLoader,
  Dropout,
  digits,
  evaluate,
  Flatten,
  fit,
  type ImageFolder,
  imageFolder,
  isa,
  Linear,
  MaxPool2d,
  noGrad,
  ReLU,
  Sequential,
  seed,
  setThreads,
  type Tensor,
  type Transform,
  transforms,
} from "nabla";
import { confusion } from "nabla/plot";
import { choice, flag, integer, path, Refusal, real, run } from "./options.ts";
import { duration, machine, Progress } from "./terminal.ts";

const program = {
  call: "node --import tsx examples/folder.ts",
  about: "Trains a classifier on DIR/cat/1.png, DIR/dog/2.jpg and so on; needs the package sharp (npm install sharp).",
  options: {
    data: path(
      "DIR",
      undefined,
      "a folder with a folder of PNG or JPEG for each class; without it digits are drawn here",
    ),
    size: integer(28, "height and width the pictures are brought to", { min: 8, max: 512 }),
    colors: choice(["gray", "rgb"], "what the network sees"),
    share: real(0.2, "share of the pictures to validate with", { min: 0.01, max: 0.9 }),
    epochs: integer(5, "times through the training pictures", { max: 10_000 }),
    batch: integer(32, "pictures per step", { max: 65536 }),
    lr: real(0.002, "highest learning rate, after a warm-up and before a cosine", { max: 10 }),
    still: flag("do not turn, shift and scale pictures at random"),
    flip: flag("mirror pictures left to right at random"),
    count: integer(2000, "digits to draw without --data", { min: 100, max: 100_000 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights, the split, the order and the drawn digits", { min: 0, max: 2 ** 31 - 1 }),
    save: path("FILE", undefined, "where the model goes"),
  },
} as const;

/** Draws digits and writes each into the folder of its name. */
async function draw(root: string, count: number, from: number): Promise<void> {
  const { default: sharp } = await import("sharp").catch(() => {
    throw new Refusal("writing pictures needs the package sharp: npm install sharp");
  });
  const { images, labels } = digits(count, { seed: from });
  const [, height, width] = images.shape as [number, number, number];
  for (let digit = 0; digit < 10; digit++) mkdirSync(join(root, String(digit)));
  const write = (i: number) => {
    const pixels = images.data.subarray(i * height * width, (i + 1) * height * width);
    const picture = sharp(pixels, { raw: { width, height, channels: 1 } });
    return picture.toFile(join(root, String(labels.data[i]), `${i}.png`));
  };
  for (let i = 0; i < count; i += 64)
    await Promise.all(Array.from({ length: Math.min(64, count - i) }, (_, k) => write(i + k)));
}

type Pictures = Tensor<[number, number, number, number], "f32">;
type Batch = [Pictures, Tensor<[number], "i32">];
/** What is done to pictures in training; from 0 .. 1 they go to -1 .. 1. */
function augmentation({ still, flip }: { still: boolean; flip: boolean }, normalize: Transform): Transform {
  const moves = still ? [] : [transforms.randomAffine({ degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1] })];
  return transforms.compose(...moves, ...(flip ? [transforms.randomHorizontalFlip()] : []), normalize);
}

function network(channels: number, size: number, classes: number) {
  return new Sequential(
    new Conv2d(channels, 16, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Dropout(0.2),
    new Linear(32 * (size >> 2) ** 2, 128),
    new ReLU(),
    new Linear(128, classes),
  );
}

await run(program, async (options) => {
  const { epochs, batch, lr, size } = options;
  if (options.threads !== undefined) setThreads(options.threads);
  seed(options.seed);
  const made = options.data === undefined ? mkdtempSync(join(tmpdir(), "nabla-digits-")) : undefined;
  try {
    if (made !== undefined) await draw(made, options.count, options.seed);
    const channels = options.colors === "gray" ? 1 : 3;
    const folder = await imageFolder(options.data ?? (made as string), { size: [size, size], channels });
    const [train, valid] = folder.split([1 - options.share, options.share], { seed: options.seed }) as ImageFolder[];
    const classes = folder.classes.length;
    if (train!.length < batch || valid!.length === 0)
      throw new Refusal(`${folder.length} pictures are too few for batches of ${batch} and a share to validate with`);
    console.log(`data    ${folder}: ${train!.length} to train, ${valid!.length} to validate`);
    console.log(`on      ${machine()}`);
    const half = new Array<number>(channels).fill(0.5);
    const normalize = transforms.normalize(half, half);
    const augment = augmentation(options, normalize);
    const data = new DataLoader<readonly [Tensor, number], Batch>(train as never, {
      size: batch,
      shuffle: true,
      seed: options.seed,
      dropLast: true,
      transform: ([x, y]) => [augment(x), y],
    });
    const held = new DataLoader<readonly [Tensor, number], Batch>(valid as never, {
      size: batch,
      transform: ([x, y]) => [normalize(x), y],
    });
    const model = network(channels, size, classes);
    console.log(`${model}\n`);
    const steps = epochs * data.length;
    const loss = (logits: Tensor, target: Tensor) => crossEntropy(logits as never, target as never) as Tensor;
    const optimizer = new AdamW(model, { lr, weightDecay: 0.01 });
    const schedule = cosine({ from: lr, steps, warmup: Math.min(50, Math.floor(steps / 5)) });
    const progress = new Progress(steps * batch);
    const begun = performance.now();
    let trainLoss = Number.NaN;
    for await (const e of fit(model as never, data as never, {
      loss,
      optimizer,
      epochs,
      schedule,
      metrics: { accuracy },
    })) {
      trainLoss = e.loss;
      const share = (100 * e.metrics.accuracy!).toFixed(1);
      const news = () => `epoch ${e.epoch + 1}/${epochs}  loss ${e.loss.toFixed(4)}  accuracy ${share}%`;
      if (e.done === "step") progress.update(e.step * batch, news);
    }
    const seconds = (performance.now() - begun) / 1000;
    const scores = await evaluate(model as never, held as never, { loss, metrics: { accuracy } });
    const validAccuracy = scores.metrics.accuracy!;
    console.log(`\nvalidation accuracy ${(100 * validAccuracy).toFixed(2)}%, ${duration(seconds)} of training`);
    if (classes <= 20) console.log(`\n${confusion(await confused(model as never, held, classes)).text()}`);
    console.log(`\nclasses ${folder.classes.map((name, i) => `${i} ${name}`).join(", ")}`);
    if (options.save !== undefined)
      await model.save(options.save, { metadata: { classes: JSON.stringify(folder.classes) } });
    const perSecond = Math.round((steps * batch) / seconds);
    return { validAccuracy, trainLoss, classes, pictures: folder.length, epochs, seconds, perSecond, isa: isa() };
  } finally {
    if (made !== undefined) rmSync(made, { recursive: true });
  }
});

/** How often each class was taken for each. */
async function confused(
  model: { forward(x: Tensor): Tensor; eval(): unknown },
  data: AsyncIterable<Batch>,
  classes: number,
) {
  model.eval();
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for await (const [x, y] of data) {
    const found = noGrad(() => model.forward(x).argmax(1)).dataSync();
    for (const [i, label] of y.dataSync().entries()) counts[label]![found[i]!]!++;
  }
  return counts;
}
