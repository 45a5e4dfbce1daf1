// js-pytorch: jspytorch.mjs CASE. Nested arrays; it has Adam and ReLU alone, so it runs the classifiers only.
import { absent, readCase, serve, transposed, unable } from "./protocol.mjs";

const library = await import("js-pytorch").catch(() => absent("npm run bench:peers installs js-pytorch"));
const torch = library.torch ?? library.default.torch;
const { name, rule, batches, tensors } = readCase(process.argv[2]);
if (name !== "mlp" && name !== "digits") unable();

const nested = ({ shape: [rows, columns], data }) =>
  Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns)));
const keys = [...tensors.keys()].filter((k) => /^\d+\.weight$/.test(k)).map((k) => k.split(".")[0]);

class Net extends torch.nn.Module {
  constructor() {
    super();
    this.relu = new torch.nn.ReLU();
    keys.forEach((key, i) => {
      const weight = tensors.get(`${key}.weight`);
      const [out, inputs] = weight.shape;
      const layer = new torch.nn.Linear(inputs, out, "cpu");
      layer.W._data = nested(transposed(weight));
      layer.b._data = Array.from(tensors.get(`${key}.bias`).data);
      this[`layer${i}`] = layer;
    });
  }
  forward(x) {
    let y = x;
    for (let i = 0; i < keys.length; i++) {
      y = this[`layer${i}`].forward(y);
      if (i < keys.length - 1) y = this.relu.forward(y);
    }
    return y;
  }
}
const net = new Net();
const entropy = new torch.nn.CrossEntropyLoss();
const optimizer = new torch.optim.Adam(net.parameters(), rule.lr, 0);
const data = Array.from({ length: batches }, (_, i) => [
  torch.tensor(nested(tensors.get(`x.${i}`))),
  torch.tensor(Array.from(tensors.get(`y.${i}`).data)),
]);
await serve((i) => {
  const [x, y] = data[i % batches];
  const loss = entropy.forward(net.forward(x), y);
  loss.backward();
  optimizer.step();
  optimizer.zero_grad();
  return loss.data[0] ?? loss.data;
});
