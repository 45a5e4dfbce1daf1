// Going downhill: the learning rate, mini-batches against all data at once, and three rules on the same network.
import {
  Adam,
  compile,
  crossEntropy,
  digits,
  Linear,
  noGrad,
  type Optimizer,
  Parameter,
  ReLU,
  randperm,
  Sequential,
  SGD,
  seed,
  type Tensor,
  type Trainable,
  tensor,
} from "nabla";
import { type Line, lines } from "nabla/plot";
import { integer, real, run } from "./options.ts";
import { show, svg } from "./show.ts";

const program = {
  call: "npx tsx examples/descent.ts",
  about:
    "Trains one network of digits with several learning rates, sizes of batches and rules, from the same first weights.",
  options: {
    digits: integer(2000, "digits to learn from", { min: 64, max: 100_000 }),
    hidden: integer(32, "size of the two hidden layers", { max: 4096 }),
    steps: integer(300, "steps of training"),
    passes: integer(10, "passes through the digits, for mini-batches against all at once", { max: 1000 }),
    batch: integer(32, "digits in a mini-batch", { max: 100_000 }),
    lr: real(0.1, "the learning rate that is right; a hundredth and sixty times of it are not", { max: 100 }),
    seed: integer(0, "seed of digits, weights and order", { min: 0, max: 2 ** 32 - 1 }),
    svg,
  },
} as const;

type Pixels = Tensor<[number, 784], "f32">;
type Labels = Tensor<[number], "i32">;
interface Data {
  readonly x: Pixels;
  readonly y: Labels;
}
function load(count: number, from: number): Data {
  const { images, labels } = digits(count, { seed: from });
  const x = tensor(Float32Array.from(images.data, (byte) => byte / 255)).reshape(count, 784);
  return { x: x as Pixels, y: tensor(Int32Array.from(labels.data)) };
}

type Rule = "SGD" | "momentum" | "Adam";
interface Plan {
  readonly rule: Rule;
  readonly lr: number;
  readonly batch: number;
  readonly steps: number;
  readonly hidden: number;
  readonly seed: number;
}
function optimizer(of: Trainable, rule: Rule, lr: number): Optimizer {
  if (rule === "Adam") return new Adam(of, { lr });
  return new SGD(of, { lr, momentum: rule === "momentum" ? 0.9 : 0 });
}

interface Course {
  /** The loss of each step's batch. */
  readonly losses: number[];
  /** The loss of all digits at the end. */
  readonly end: number;
}
/** Trains from the first weights of `seed`. A run whose loss is no number any more stops there. */
function descend({ x, y }: Data, { rule, lr, batch, steps, hidden, seed: from }: Plan): Course {
  seed(from);
  const net = new Sequential(
    new Linear(784, hidden),
    new ReLU(),
    new Linear(hidden, hidden),
    new ReLU(),
    new Linear(hidden, 10),
  );
  const opt = optimizer(net, rule, lr);
  const step = compile((pixels: Pixels, truth: Labels) => {
    const loss = crossEntropy(net.forward(pixels), truth);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  });
  const count = x.shape[0];
  const perPass = Math.floor(count / batch);
  const losses: number[] = [];
  let order = randperm(count);
  for (let i = 0; i < steps; i++) {
    if (i > 0 && i % perPass === 0) order = randperm(count);
    const some = order.slice(0, (i % perPass) * batch, ((i % perPass) + 1) * batch);
    const loss = step.sync(x.indexSelect(0, some) as Pixels, y.indexSelect(0, some) as Labels).item();
    losses.push(loss);
    if (!Number.isFinite(loss)) break;
  }
  return { losses, end: noGrad(() => crossEntropy(net.forward(x), y)).item() };
}

/** How much the loss jumps from step to step: the mean |difference| of the second half. */
function roughness(losses: readonly number[]): number {
  const half = losses.slice(Math.floor(losses.length / 2));
  return half.slice(1).reduce((sum, loss, i) => sum + Math.abs(loss - half[i]!) / (half.length - 1), 0);
}

/** The ways of three rules down a valley that is 25 times steeper across than along. */
function valley(): Record<Rule, Line> {
  const way = (rule: Rule, lr: number): Line => {
    const place = new Parameter(tensor([-4, 1.5]));
    const opt = optimizer([place], rule, lr);
    const steep = tensor([0.2, 5]);
    const points = [place.dataSync().slice()];
    for (let i = 0; i < 60; i++) {
      opt.zeroGrad();
      place.square().mul(steep).sum().backward();
      opt.step();
      points.push(place.dataSync().slice());
    }
    return { x: points.map((p) => p[0]!), y: points.map((p) => p[1]!) };
  };
  return { SGD: way("SGD", 0.17), momentum: way("momentum", 0.03), Adam: way("Adam", 0.3) };
}

await run(program, (values) => {
  const data = load(values.digits, values.seed);
  const { steps, hidden, lr, seed: from } = values;
  const batch = Math.min(values.batch, values.digits);
  const base = { rule: "SGD" as Rule, lr, batch, steps, hidden, seed: from };
  const say = (name: string, { end, losses }: Course): void => {
    const stopped =
      losses.length < steps && !Number.isFinite(losses.at(-1)) ? `, no number after ${losses.length} steps` : "";
    console.log(`${name}: loss ${losses[0]!.toFixed(3)} -> ${end.toFixed(3)}${stopped}`);
  };

  const rates = [lr / 100, lr, lr * 60].map((rate) => ({ rate, ...descend(data, { ...base, lr: rate }) }));
  for (const one of rates) say(`learning rate ${Number(one.rate.toPrecision(3))}`, one);

  const sizes = [batch, values.digits].map((size) => {
    const course = descend(data, { ...base, batch: size, steps: values.passes * Math.floor(values.digits / size) });
    return { size, roughness: roughness(course.losses), ...course };
  });
  console.log();
  for (const one of sizes) {
    const rough = one.roughness.toFixed(4);
    console.log(
      `batches of ${one.size}: ${one.losses.length} steps in ${values.passes} passes, loss ${one.end.toFixed(3)}, a step changes it by ${rough}`,
    );
  }

  const grid: Record<Rule, number[]> = {
    SGD: [0.03, 0.1, 0.3],
    momentum: [0.01, 0.03, 0.1],
    Adam: [0.001, 0.003, 0.01],
  };
  const rules = (Object.keys(grid) as Rule[]).map((rule) => {
    const courses = grid[rule].map((rate) => ({ rule, rate, ...descend(data, { ...base, rule, lr: rate }) }));
    return courses.reduce((a, b) => (b.end < a.end ? b : a));
  });
  console.log();
  for (const one of rules) say(`${one.rule}, the best of three rates, ${one.rate}`, one);
  console.log();

  const smooth = Math.max(1, Math.round(steps / 30));
  const seen = ({ size, losses }: (typeof sizes)[number]): Line => ({ x: losses.map((_, i) => i * size), y: losses });
  show(
    {
      "descent-rate": lines(
        rates.map(
          ({ rate, losses }, i) =>
            [`${["too small", "right", "too large"][i]}: ${Number(rate.toPrecision(3))}`, losses] as const,
        ),
        { title: "Learning rate", x: "step", y: "loss", log: "y", smooth },
      ),
      "descent-batch": lines(
        sizes.map(
          (one) =>
            [one.size === values.digits ? `all ${one.size} at once` : `batches of ${one.size}`, seen(one)] as const,
        ),
        { title: "Mini-batches and all digits at once, at equal work", x: "digits seen", y: "loss" },
      ),
      "descent-rules": lines(
        rules.map(({ rule, rate, losses }) => [`${rule}, lr ${rate}`, losses] as const),
        { title: "Three rules, each at its best rate", x: "step", y: "loss", log: "y", smooth },
      ),
      "descent-valley": lines(valley(), {
        title: "Three ways down a valley: the lowest point is at 0, 0",
        height: 300,
        xRange: [-4.2, 1],
        yRange: [-1.6, 1.8],
      }),
    },
    values.svg,
  );
  const brief = <T extends Course>({ losses, ...rest }: T) => ({ ...rest, steps: losses.length });
  return { rates: rates.map(brief), sizes: sizes.map(brief), rules: rules.map(brief) };
});
