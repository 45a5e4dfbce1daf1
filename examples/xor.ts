// XOR: what one neuron cannot learn, two layers can.
import { Adam, Linear, mse, Sequential, seed, Tanh, tensor } from "nabla";
import { integer, run } from "./options.ts";

const options = { steps: integer(300, "steps of training"), seed: integer(0, "seed of the weights", { min: 0 }) };
await run({ call: "npx tsx examples/xor.ts", about: "Learns XOR with two layers.", options }, (values) => {
  seed(values.seed);
  // biome-ignore format: a truth table
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const y = tensor([[0], [1], [1], [0]]);
  const net = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
  const optimizer = new Adam(net, { lr: 0.05 });
  for (let step = 0; step < values.steps; step++) {
    const loss = mse(net.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  const outputs = [...net.forward(x).dataSync()];
  for (const [i, output] of outputs.entries()) console.log(`${i >> 1} xor ${i & 1} = ${output.toFixed(3)}`);
  return { loss: mse(net.forward(x), y).item(), outputs };
});
