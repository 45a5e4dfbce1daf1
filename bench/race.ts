// The digit classifier against JavaScript alone: the same first weights, the same batches, in turns, so that a slow
// moment of the machine meets both.
import {
  compile,
  crossEntropy,
  digits,
  Linear,
  ReLU,
  Sequential,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "nabla";
import { median } from "./clock.ts";
import { Mlp, type Rule } from "./javascript.ts";
import type { Found } from "./kernels.ts";
import { optimizer } from "./models.ts";

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
  /** Of the compiled step, which is what fit() runs. */
  stepsPerSecond: number;
  eagerStepsPerSecond: number;
  jsStepsPerSecond: number;
  /** Of the compiled step. */
  speedupOverJs: number;
  /** The largest distance of the two losses, as a share of the loss, over the first round. */
  lossDifference: number;
  /** The losses after the last step. */
  losses: [nabla: number, javascript: number];
}

type Step = (i: number) => number;

/** Steps of nabla, one loss read per step, as the other side gives one; each call trains a net of its own from `weights`. */
function nabla({ inputs, hidden, classes, batch, batches, rule }: Course): {
  weights: [Float32Array, Float32Array][];
  eager: Step;
  compiled: Step;
} {
  const data = batches.map(({ x, labels }) => ({ x: tensor(x).reshape(batch, inputs), labels: tensor(labels) }));
  const net = () => new Sequential(new Linear(inputs, hidden), new ReLU(), new Linear(hidden, classes));
  const [first, second] = [net(), net()];
  second.loadStateDict(first.stateDict());
  const training = (model: typeof first) => {
    const opt = optimizer(model, rule);
    return (x: (typeof data)[0]["x"], labels: (typeof data)[0]["labels"]) => {
      const loss = crossEntropy(model.forward(x), labels);
      opt.zeroGrad();
      loss.backward();
      opt.step();
      return loss;
    };
  };
  const eager = training(first);
  const compiled = compile(training(second));
  const at = (i: number) => data[i % data.length]!;
  const weights = [0, 2].map((i): [Float32Array, Float32Array] => {
    const { weight, bias } = first.layers[i] as Linear;
    return [weight.dataSync() as Float32Array, (bias as Tensor).dataSync() as Float32Array];
  });
  return {
    weights,
    eager: (i) => eager(at(i).x, at(i).labels).item(),
    compiled: (i) => compiled.sync(at(i).x, at(i).labels).item(),
  };
}

const turnOf = (step: Step, from: number): { time: number; losses: number[] } => {
  const start = performance.now();
  const losses = Array.from({ length: 20 }, (_, i) => step(from + i));
  return { time: performance.now() - start, losses };
};

/** Runs the three in turns of 20 steps for about `seconds`; a rate is that of the median turn. */
export function race(course: Course, seconds = 3): Result {
  const ours = nabla(course);
  const mlp = new Mlp(ours.weights, course.batch, course.rule);
  const javascript = (i: number) => {
    const { x, labels } = course.batches[i % course.batches.length]!;
    return mlp.step(x, labels);
  };
  const sides = [ours.compiled, ours.eager, javascript];
  const times: number[][] = sides.map(() => []);
  let lossDifference = 0;
  let losses: [number, number] = [0, 0];
  const end = performance.now() + 1000 * seconds;
  // The first two turns warm the compiler up and are not timed.
  for (let round = 0; round < 5 || performance.now() < end; round++) {
    const turns = sides.map((step) => turnOf(step, 20 * round));
    const [fast, , slow] = turns.map((t) => t.losses) as [number[], number[], number[]];
    if (round === 0) lossDifference = Math.max(...fast.map((loss, i) => Math.abs(loss - slow[i]!) / slow[i]!));
    if (round >= 2) turns.forEach(({ time }, i) => void times[i]!.push(time));
    losses = [fast.at(-1)!, slow.at(-1)!];
  }
  const [stepsPerSecond, eagerStepsPerSecond, jsStepsPerSecond] = times.map((t) => 20_000 / median(t)) as [
    number,
    number,
    number,
  ];
  const speedupOverJs = stepsPerSecond / jsStepsPerSecond;
  return { stepsPerSecond, eagerStepsPerSecond, jsStepsPerSecond, speedupOverJs, lossDifference, losses };
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
      r.eagerStepsPerSecond,
      r.stepsPerSecond,
      r.jsStepsPerSecond,
      r.eagerStepsPerSecond / r.jsStepsPerSecond,
      r.speedupOverJs,
      r.lossDifference.toExponential(1),
    ]);
    figures[`digits speed-up, ${n} threads`] = r.speedupOverJs;
  }
  setThreads(before);
  const columns = [
    "digit MLP 784-128-10, batch 32, Adam",
    "eager steps/s",
    "compiled steps/s",
    "JavaScript steps/s",
    "eager / JavaScript",
    "compiled / JavaScript",
    "largest loss difference",
  ];
  return { tables: [{ title: "Training against pure JavaScript", columns, rows }], bars: [], figures };
}
