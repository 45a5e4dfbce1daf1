// Trains the model that is named with a limit and prints what was predicted to be taken and what was; without a name, the
// names. A process for each: memory that another model gave back would count as its own.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  Adam,
  checkpoint,
  compile,
  crossEntropy,
  Dropout,
  GELU,
  LayerNorm,
  Linear,
  Module,
  type Optimizer,
  ReLU,
  randint,
  randn,
  Sequential,
  SGD,
  setThreads,
  Tanh,
  type Tensor,
} from "../../lib/index.ts";

interface Config {
  readonly name: string;
  readonly model: () => Module;
  readonly optimizer: (model: Module) => Optimizer;
  readonly batch: number;
  readonly width: number;
  /** MiB, where segments are to be computed again. */
  readonly limit?: number;
}
type Forward = { forward(x: Tensor): Tensor };

/** x + down(act(up(norm(x)))), its inside computed again where memory is short. */
class Block extends Module {
  readonly norm: LayerNorm;
  readonly up: Linear;
  readonly down: Linear;
  readonly inner: (x: Tensor) => Tensor;
  constructor(width: number) {
    super();
    this.norm = new LayerNorm(width);
    this.up = new Linear(width, 4 * width);
    this.down = new Linear(4 * width, width);
    const f = (x: Tensor) =>
      this.down.forward(this.up.forward(this.norm.forward(x as never) as never).gelu() as never) as Tensor;
    this.inner = checkpoint(f);
  }
  forward(x: Tensor): Tensor {
    return x.add(this.inner(x) as never) as Tensor;
  }
}
const mlp =
  (act: () => Module, ...sizes: number[]) =>
  () =>
    new Sequential(
      ...(sizes.slice(1).flatMap((n, i) => [new Linear(sizes[i]!, n), act()]) as unknown as [Module]),
      new Linear(sizes.at(-1)!, 10),
    );
const blocks = (width: number, count: number) => () =>
  new Sequential(
    ...(Array.from({ length: count }, () => new Block(width)) as unknown as [Module]),
    new Linear(width, 10),
  );
const adam = (m: Module) => new Adam(m, { lr: 1e-3 });
const sgd = (m: Module) => new SGD(m, { lr: 1e-3 });
const momentum = (m: Module) => new SGD(m, { lr: 1e-3, momentum: 0.9 });

const relu = () => new ReLU();
const layer = (name: string, act: () => Module): Config => {
  const model = mlp(act, 768, 768, 768, 768);
  return { name: `mlp ${name}`, model, optimizer: sgd, batch: 5000, width: 768 };
};
const configs: Config[] = [
  ...[4096, 6000, 8192].map((batch) => {
    return { name: `mlp batch ${batch}`, model: mlp(relu, 784, 1024, 1024), optimizer: adam, batch, width: 784 };
  }),
  ...[1536, 2048, 2500].map((n) => {
    return { name: `mlp width ${n}`, model: mlp(relu, 784, n, n, n), optimizer: adam, batch: 512, width: 784 };
  }),
  ...[8, 12, 16].map((depth) => {
    const model = mlp(relu, 512, ...Array<number>(depth).fill(512));
    return { name: `mlp depth ${depth}`, model, optimizer: momentum, batch: 4096, width: 512 };
  }),
  layer("gelu", () => new GELU()),
  layer("tanh", () => new Tanh()),
  layer("norm", () => new LayerNorm(768)),
  layer("dropout", () => new Dropout(0.2)),
  ...[sgd, momentum, adam].map((optimizer, i) => {
    return { name: `mlp optimizer ${i}`, model: mlp(relu, 2500, 2500, 2500), optimizer, batch: 512, width: 2500 };
  }),
  ...[4, 8].flatMap((n) =>
    [undefined, n === 4 ? 150 : 240, n === 4 ? 200 : 360].map((limit) => {
      const name = `${n} blocks${limit ? ` within ${limit}` : ""}`;
      return { name, model: blocks(256, n), optimizer: adam, batch: 5000, width: 256, ...(limit && { limit }) };
    }),
  ),
];

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const status = (field: string): number =>
  1024 * Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+)`))![1]);
/** Resident bytes once garbage has gone back to the system. */
async function settled(): Promise<number> {
  for (let last = 0, now = status("VmRSS"); now !== last; ) {
    for (let i = 0; i < 3; i++) {
      collect();
      await pause(30);
    }
    [last, now] = [now, status("VmRSS")];
  }
  return status("VmRSS");
}

async function measure({
  model: make,
  optimizer: rule,
  batch,
  width,
  limit = 2 ** 20,
}: Config): Promise<{ predicted: number; measured: number }> {
  const before = await settled();
  const heap = process.memoryUsage().heapTotal;
  const model = make();
  const optimizer = rule(model);
  const [x, y] = [randn(batch, width) as Tensor, randint(0, 10, [batch]) as Tensor];
  const step = compile(
    (a: Tensor, b: Tensor) => {
      const loss = crossEntropy((model as unknown as Forward).forward(a), b as never);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    { memoryLimit: limit * 2 ** 20 },
  );
  await step(x, y);
  await settled();
  const idle = process.memoryUsage().heapTotal;
  writeFileSync("/proc/self/clear_refs", "5");
  for (let i = 0; i < 2; i++) await step(x, y);
  // Recording and planning let V8's heap grow by some megabytes: no part of the step.
  const grown = Math.max(idle, process.memoryUsage().heapTotal) - heap;
  const measured = status("VmHWM") - before - grown - x.storage.bytes - y.storage.bytes;
  const predicted = step.explain().plans[0]!.peakBytes;
  step[Symbol.dispose]();
  return { predicted, measured };
}

/** Code, threads and the heap of V8 are there before anything is measured. */
const warm: Config = { name: "warm", model: blocks(32, 2), optimizer: adam, batch: 8, width: 32 };

setThreads(1);
const [asked] = process.argv.slice(2);
if (asked === undefined) console.log(JSON.stringify(configs.map((c) => c.name)));
else {
  await measure(warm);
  console.log(JSON.stringify(await measure(configs.find((c) => c.name === asked) ?? warm)));
}
