// brain.js: brain.mjs CASE. It trains one sample after the other with its own first weights and its own error, so its
// losses cannot be compared; a step is one pass over the four samples of XOR.
import { absent, readCase, serve, unable } from "./protocol.mjs";

const library = await import("brain.js").catch(() => absent("npm run bench:peers installs brain.js"));
const { NeuralNetwork } = library.default ?? library;
const { name, rule } = readCase(process.argv[2]);
if (name !== "xor") unable();
const net = new NeuralNetwork({
  inputSize: 2,
  hiddenLayers: [8],
  outputSize: 1,
  activation: "tanh",
  learningRate: rule.lr,
});
const samples = [0, 1, 2, 3].map((i) => ({ input: [i >> 1, i & 1], output: [(i >> 1) ^ (i & 1)] }));
// Passes in one call, so that the preparation of its data is spread.
const passes = 200;
await serve((i, wanted) => {
  if (i % passes === 0 || wanted)
    net.train(samples, { iterations: wanted ? 1 : passes, errorThresh: 1e-300, log: false });
  return null;
});
