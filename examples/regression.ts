// A function from noisy points: a small network, and a picture of what it found.
import { Adam, cosine, Linear, linspace, mse, noGrad, randn, Sequential, seed, Tanh } from "nabla";
import { lines } from "nabla/plot";
import { integer, real, run } from "./options.ts";

const options = {
  points: integer(60, "noisy points to learn from", { min: 2, max: 100_000 }),
  noise: real(0.15, "standard deviation of the noise", { max: 10 }),
  hidden: integer(32, "size of the two hidden layers", { max: 4096 }),
  steps: integer(1500, "steps of training"),
  lr: real(0.02, "highest learning rate", { max: 10 }),
  seed: integer(0, "seed of points and weights", { min: 0 }),
};
await run(
  { call: "npx tsx examples/regression.ts", about: "Fits sin(2x) + x/2 from noisy points.", options },
  (values) => {
    seed(values.seed);
    const curve = (x: number): number => Math.sin(2 * x) + x / 2;
    const x = linspace(-3, 3, values.points).reshape(values.points, 1);
    const y = x.mul(2).sin().add(x.div(2)).add(randn(values.points, 1).mul(values.noise));
    const { hidden } = values;
    const net = new Sequential(
      new Linear(1, hidden),
      new Tanh(),
      new Linear(hidden, hidden),
      new Tanh(),
      new Linear(hidden, 1),
    );
    const optimizer = new Adam(net, { lr: values.lr });
    const rate = cosine({ from: values.lr, steps: values.steps });
    let loss = Number.NaN;
    for (let step = 0; step < values.steps; step++) {
      optimizer.lr = rate(step);
      const error = mse(net.forward(x), y);
      optimizer.zeroGrad();
      error.backward();
      optimizer.step();
      loss = error.item();
    }
    const grid = linspace(-3, 3, 200).reshape(200, 1);
    const [at, fit] = [grid.dataSync(), noGrad(() => net.forward(grid)).dataSync()];
    const error = Math.sqrt(fit.reduce((sum, value, i) => sum + (value - curve(at[i]!)) ** 2, 0) / fit.length);
    const points = { x: x.dataSync(), y: y.dataSync(), points: true };
    console.log(lines({ points, fit: { x: at, y: fit } }).text({ width: 72 }));
    console.log(`\nloss ${loss.toFixed(4)} on the points; distance of the fit from the true curve ${error.toFixed(3)}`);
    return { loss, error };
  },
);
