// The networks of the model specs, their sizes taken from the weights they are given.
import type { Value } from "../../lib/core/value.ts";
import { call, create, lookup } from "./library.ts";
import type { Parameters } from "./optim.ts";
import { Skip } from "./outcome.ts";
import type { Stored, Tensors } from "./reader.ts";
import { fromStored } from "./values.ts";

interface Layer {
  forward(x: Value): Value;
}
interface Module {
  namedParameters(): Parameters;
  loadStateDict(dict: ReadonlyMap<string, Value>): unknown;
}
export interface Net {
  readonly module: Module;
  forward(x: Value): Value;
  /** What the expected logits are of. */
  logits(x: Value): Value;
  /** Input and target of step t. */
  batches(data: Tensors, t: number): [Value, Value];
}

const tensor = (from: Tensors, name: string): Value => fromStored(from.get(name) as Stored);
const at = (x: Value, t: number): Value => call("select", [x], 0, t % x.shape[0]!);
/** x and y of the whole file, or of batch t. */
const pair =
  (counted: boolean) =>
  (data: Tensors, t: number): [Value, Value] => {
    const [x, y] = [tensor(data, "x"), tensor(data, "y")];
    return counted ? [at(x, t), at(y, t)] : [x, y];
  };
const shape = (weights: Tensors, name: string): number[] => {
  const found = weights.get(name);
  if (!found) throw new Skip(`no ${name} in its weights`);
  return found.shape;
};
const linear = (weights: Tensors, name: string): Layer => {
  const [out, width] = shape(weights, `${name}.weight`);
  return create("Linear", width, out, { bias: weights.has(`${name}.bias`) });
};

/** Linear layers at 0, 2, 4, ... with an activation between them. */
function sequential(weights: Tensors, activation: string): Layer & Module {
  const places = [...weights.keys()].flatMap((name) => (name.endsWith(".weight") ? [Number.parseInt(name, 10)] : []));
  const last = Math.max(...places);
  const layers = Array.from({ length: last + 1 }, (_, i) =>
    i % 2 === 0 ? linear(weights, `${i}`) : create<Layer>(activation),
  );
  return create("Sequential", ...layers);
}

interface Deep {
  readonly activation: string;
  readonly residual: boolean;
}
/** inp, then blocks x + act(fc(norm(x))), or act(fc(x)), then head. */
function deep(weights: Tensors, { activation, residual }: Deep): Layer & Module {
  const Module = lookup<new () => object>("Module");
  const depth = new Set([...weights.keys()].flatMap((name) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? [])).size;
  class Block extends Module {
    norm?: Layer;
    fc: Layer;
    constructor(i: number) {
      super();
      const width = shape(weights, `blocks.${i}.fc.weight`)[1];
      if (weights.has(`blocks.${i}.norm.weight`)) this.norm = create("LayerNorm", width);
      this.fc = linear(weights, `blocks.${i}.fc`);
    }
    forward(x: Value): Value {
      const y = call(activation, [this.fc.forward(this.norm && residual ? this.norm.forward(x) : x)]);
      return residual ? call("add", [x, y]) : y;
    }
  }
  class Network extends Module {
    inp = linear(weights, "inp");
    blocks = Array.from({ length: depth }, (_, i) => new Block(i));
    head = linear(weights, "head");
    forward(x: Value): Value {
      return this.head.forward(this.blocks.reduce((y, block) => block.forward(y), this.inp.forward(x)));
    }
  }
  return new Network() as never;
}

/** Two convolutions, a max and a mean pooling, three linear layers. */
function lenet(weights: Tensors): Layer & Module {
  const Module = lookup<new () => object>("Module");
  const conv = (name: string, options: object): Layer => {
    const [out, width, kernel] = shape(weights, `${name}.weight`);
    return create("Conv2d", width, out, kernel, options);
  };
  const active = (x: Value): Value => call("relu", [x]);
  class Network extends Module {
    conv1 = conv("conv1", { padding: 2 });
    conv2 = conv("conv2", {});
    fc1 = linear(weights, "fc1");
    fc2 = linear(weights, "fc2");
    fc3 = linear(weights, "fc3");
    forward(x: Value): Value {
      const first = call("maxPool2d", [active(this.conv1.forward(x))], 2);
      const second = call("avgPool2d", [active(this.conv2.forward(first))], 2);
      const hidden = active(this.fc1.forward(call("flatten", [second], 1)));
      return this.fc3.forward(active(this.fc2.forward(hidden)));
    }
  }
  return new Network() as never;
}

/** emb, then a recurrent layer called by its kind, then head: logits for every position. */
function characters(weights: Tensors, kind: "LSTM" | "GRU"): Layer & Module {
  const Module = lookup<new () => object>("Module");
  const name = kind.toLowerCase();
  const [tokens, width] = shape(weights, "emb.weight");
  const hidden = shape(weights, `${name}.weight_hh_l0`)[1];
  class Network extends Module {
    emb = create<Layer>("Embedding", tokens, width);
    layer = create<{ forward(x: Value): [Value] }>(kind, width, hidden, { batchFirst: true });
    head = linear(weights, "head");
    children(): [string, unknown][] {
      return [
        ["emb", this.emb],
        [name, this.layer],
        ["head", this.head],
      ];
    }
    forward(x: Value): Value {
      const [y] = this.layer.forward(this.emb.forward(x));
      return this.head.forward(y);
    }
  }
  return new Network() as never;
}
/** The characters of step t and the ones that follow them. */
function shifted(data: Tensors, t: number): [Value, Value] {
  const ids = at(tensor(data, "ids"), t);
  return [call("slice", [ids], 1, 0, -1), call("slice", [ids], 1, 1)];
}

function made(name: string, weights: Tensors, variant: Deep): { net: Layer & Module; batches: Net["batches"] } {
  if (name === "xor-mlp") return { net: sequential(weights, "Tanh"), batches: pair(false) };
  if (name === "mlp-classifier") return { net: sequential(weights, "ReLU"), batches: pair(true) };
  if (name === "deep-residual-mlp") return { net: deep(weights, variant), batches: pair(true) };
  if (name === "lenet-cnn") return { net: lenet(weights), batches: pair(true) };
  if (name === "char-lstm") return { net: characters(weights, "LSTM"), batches: shifted };
  if (name === "char-gru") return { net: characters(weights, "GRU"), batches: shifted };
  throw new Skip(`no network ${name}`);
}

/** A network of the specs with these weights. */
export function build(name: string, weights: Tensors, variant: Deep = { activation: "relu", residual: true }): Net {
  const { net, batches } = made(name, weights, variant);
  net.loadStateDict(new Map([...weights].map(([key, x]) => [key, fromStored(x)])));
  const forward = (x: Value) => net.forward(x);
  return { module: net, forward, logits: forward, batches };
}
