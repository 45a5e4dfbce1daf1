// Steps to compile: a model, its optimizer and its data, made anew from one seed so that several copies do the same.
import {
  AdamW,
  type Compiled,
  type CompileOptions,
  compile,
  crossEntropy,
  Linear,
  type Module,
  mse,
  type Optimizer,
  ReLU,
  randint,
  randn,
  Sequential,
  SGD,
  seed,
  Tanh,
  type Tensor,
  tensor,
} from "nabla";

export interface Training {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly step: (...args: Tensor[]) => unknown;
  readonly args: readonly Tensor[];
}

/** XOR, 2-8-1, SGD: closes over its data. */
export function xor(): Training {
  seed(4);
  const x = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const y = tensor([[0], [1], [1], [0]]);
  const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
  const optimizer = new SGD(model, { lr: 0.3 });
  const step = () => {
    const loss = mse(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { model, optimizer, step, args: [] };
}

/** A classifier, its batch given as arguments. */
export function classifier(
  layers: () => Module = () => new Sequential(new Linear(12, 16), new ReLU(), new Linear(16, 5)),
  optimizerOf: (model: Module) => Optimizer = (model) => new AdamW(model, { lr: 0.01 }),
): Training {
  seed(5);
  const model = layers();
  const optimizer = optimizerOf(model);
  const args = [randn(9, 12), randint(0, 5, [9])] as const;
  const step = (x: Tensor, y: Tensor) => {
    const loss = crossEntropy((model as unknown as { forward(x: Tensor): Tensor }).forward(x), y as never);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { model, optimizer, step: step as Training["step"], args: args as unknown as Tensor[] };
}

/** All that a training has learned and counted, bit by bit. */
export function stateOf({ model, optimizer }: Pick<Training, "model" | "optimizer">): Record<string, string> {
  const all = [...model.stateDict(), ...optimizer.stateDict()] as unknown as [string, Tensor][];
  const text = (x: Tensor) => Buffer.from((x.dataSync() as Float32Array).buffer).toString("base64");
  return Object.fromEntries(all.map(([name, x]) => [name, text(x)]));
}

export type Step = Compiled<Tensor[], unknown>;
export const compiled = (t: Training, options?: CompileOptions): Step => compile(t.step, options) as Step;

/** Every tensor in what a step returned, in order, as numbers. */
export function numbersOf(x: unknown): number[][] {
  if (typeof x !== "object" || x === null) return [];
  if ("dataSync" in x) return [[...(x as Tensor).dataSync()].map(Number)];
  return Object.values(x).flatMap(numbersOf);
}
