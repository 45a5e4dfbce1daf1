// OR with a single neuron: two weights and a bias, and the line they draw.
import { bceWithLogits, Linear, SGD, seed, tensor } from "nabla";
import { integer, real, run } from "./options.ts";

const options = {
  steps: integer(200, "steps of training"),
  lr: real(1, "learning rate", { max: 100 }),
  seed: integer(0, "seed of the weights", { min: 0 }),
};
await run({ call: "npx tsx examples/or.ts", about: "Teaches one neuron OR.", options }, (values) => {
  seed(values.seed);
  // biome-ignore format: a truth table
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const y = tensor([[0], [1], [1], [1]]);
  const neuron = new Linear(2, 1);
  const optimizer = new SGD(neuron, { lr: values.lr });
  const loss = () => bceWithLogits(neuron.forward(x), y);
  for (let step = 0; step < values.steps; step++) {
    if (step % Math.ceil(values.steps / 5) === 0) console.log(`step ${step}  loss ${loss().item().toFixed(4)}`);
    optimizer.zeroGrad();
    loss().backward();
    optimizer.step();
  }
  const [[a, b], bias] = [[...neuron.weight.dataSync()], neuron.bias!.item()];
  const outputs = [...neuron.forward(x).sigmoid().dataSync()];
  console.log(`\nneuron: sigmoid(${a!.toFixed(2)} a + ${b!.toFixed(2)} b + ${bias.toFixed(2)})`);
  for (const [i, output] of outputs.entries()) console.log(`${i >> 1} or ${i & 1} = ${output.toFixed(3)}`);
  return { loss: loss().item(), weights: [a, b], bias, outputs };
});
