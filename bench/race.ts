// The digit classifier against JavaScript alone: the same first weights, the same batches, in turns, so that a slow
// moment of the machine meets both.
import {
  Adam,
  AdamW,
  crossEntropy,
  digits,
  Linear,
  type Module,
  ReLU,
  Sequential,
  SGD,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "nabla";
import { median } from "./clock.ts";
import { Mlp, type Rule } from "./javascript.ts";
import type { Found } from "./kernels.ts";

/** What both sides train on: x [batches, batch, inputs] and a label for each row. */
export interface Course {
  inputs: number;
  hidden: number;
  classes: number;
  batch: number;
  batches: { x: Float32Array; labels: Int32Array }[];
  rule: Rule;
}

export interface Result {
  stepsPerSecond: number;
  jsStepsPerSecond: number;
  speedupOverJs: number;
  /** The largest distance of the two losses, as a share of the loss, over the first round. */
  lossDifference: number;
  /** Both losses after the last step. */
  losses: [nabla: number, javascript: number];
}

/** The optimizer of nabla that follows a rule. */
export function optimizer(model: Module, { name, lr, momentum = 0 }: Rule): SGD | Adam | AdamW {
  if (name === "sgd") return new SGD(model, { lr, momentum });
  return name === "adam" ? new Adam(model, { lr }) : new AdamW(model, { lr });
}

/** Steps of nabla: eager, one loss read per step, as the other side gives one. */
function nabla({ inputs, hidden, classes, batch, batches, rule }: Course): {
  weights: [Float32Array, Float32Array][];
  step(i: number): number;
} {
  const [first, second] = [new Linear(inputs, hidden), new Linear(hidden, classes)];
  const model = new Sequential(first, new ReLU(), second);
  const opt = optimizer(model, rule);
  const data = batches.map(({ x, labels }) => ({ x: tensor(x).reshape(batch, inputs), labels: tensor(labels) }));
  const weights = [first, second].map(({ weight, bias }): [Float32Array, Float32Array] => [
    weight.dataSync() as Float32Array,
    (bias as Tensor).dataSync() as Float32Array,
  ]);
  const step = (i: number): number => {
    const { x, labels } = data[i % data.length]!;
    const loss = crossEntropy(model.forward(x), labels);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss.item();
  };
  return { weights, step };
}

/** Runs both sides in turns of 20 steps for about `seconds`; a rate is that of the median turn. */
export function race(course: Course, seconds = 3): Result {
  const ours = nabla(course);
  const theirs = new Mlp(ours.weights, course.batch, course.rule);
  const turn = (step: (i: number) => number, from: number): { time: number; losses: number[] } => {
    const start = performance.now();
    const losses = Array.from({ length: 20 }, (_, i) => step(from + i));
    return { time: performance.now() - start, losses };
  };
  const [ourTimes, theirTimes]: [number[], number[]] = [[], []];
  let lossDifference = 0;
  let losses: [number, number] = [0, 0];
  const end = performance.now() + 1000 * seconds;
  // The first two turns warm the compiler up and are not timed.
  for (let round = 0; round < 5 || performance.now() < end; round++) {
    const a = turn(ours.step, 20 * round);
    const b = turn((i) => {
      const { x, labels } = course.batches[i % course.batches.length]!;
      return theirs.step(x, labels);
    }, 20 * round);
    const apart = a.losses.map((loss, i) => Math.abs(loss - b.losses[i]!) / b.losses[i]!);
    if (round === 0) lossDifference = Math.max(...apart);
    if (round >= 2) {
      ourTimes.push(a.time);
      theirTimes.push(b.time);
    }
    losses = [a.losses.at(-1)!, b.losses.at(-1)!];
  }
  const [stepsPerSecond, jsStepsPerSecond] = [20_000 / median(ourTimes), 20_000 / median(theirTimes)];
  return { stepsPerSecond, jsStepsPerSecond, speedupOverJs: stepsPerSecond / jsStepsPerSecond, lossDifference, losses };
}

/** The digit MLP, 784-128-10, batch 32, Adam: steps a second against the same training in typed arrays. */
export function raceDigits(seconds: number): Found {
  const batch = 32;
  const { images, labels } = digits(batch * 40, { seed: 1 });
  const pixels = Float32Array.from(images.data, (p) => p / 255);
  const marks = Int32Array.from(labels.data);
  const batches = Array.from({ length: 40 }, (_, i) => ({
    x: pixels.slice(i * batch * 784, (i + 1) * batch * 784),
    labels: marks.slice(i * batch, (i + 1) * batch),
  }));
  const course = { inputs: 784, hidden: 128, classes: 10, batch, batches, rule: { name: "adam", lr: 0.001 } as const };
  const before = threads();
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const n of new Set([1, before])) {
    setThreads(n);
    const r = race(course, seconds);
    rows.push([
      `${n} thread${n > 1 ? "s" : ""}`,
      r.stepsPerSecond,
      r.jsStepsPerSecond,
      r.speedupOverJs,
      r.lossDifference.toExponential(1),
    ]);
    figures[`digits speed-up, ${n} threads`] = r.speedupOverJs;
  }
  setThreads(before);
  const columns = [
    "digit MLP 784-128-10, batch 32, Adam",
    "nabla steps/s",
    "JavaScript steps/s",
    "ratio",
    "largest loss difference",
  ];
  return { tables: [{ title: "Training against pure JavaScript", columns, rows }], bars: [], figures };
}
