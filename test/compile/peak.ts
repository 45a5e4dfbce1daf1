// Trains models and compares what was predicted to be taken with what was, from before compile() to the second step. A process
// for each model: memory that another gave back would count as its own. Fails where they differ by more than 5 %.
//   npm run test:peak                 all of them
//   npm run test:peak -- resnet-20    one
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { text as read } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  Adam,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  checkpoint,
  compile,
  crossEntropy,
  Dropout,
  Flatten,
  GELU,
  GPT2,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  memory,
  type Optimizer,
  ReLU,
  randint,
  randn,
  resnet20,
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
  /** Of the inputs: floats, or with `tokens` integers below that. */
  readonly shape: readonly number[];
  readonly tokens?: number;
  readonly labels: readonly number[];
  readonly classes: number;
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

/** The last of a sequence's states, classified. */
class Recurrent extends Module {
  readonly lstm: LSTM<number, number>;
  readonly head: Linear<number, number>;
  constructor(width: number) {
    super();
    this.lstm = new LSTM(width, width, { batchFirst: true });
    this.head = new Linear(width, 10);
  }
  forward(x: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(x as never)[0].select(1, -1) as never) as Tensor;
  }
}
const convolutions = () =>
  new Sequential(
    ...([
      new Conv2d(3, 16, 3, { padding: 1 }),
      new BatchNorm2d(16),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(16, 32, 3, { padding: 1 }),
      new ReLU(),
      new AvgPool2d(2),
      new Flatten(),
      new Linear(32 * 64, 10),
    ] as unknown as [Module]),
  );

const relu = () => new ReLU();
const labelled = (batch: number) => ({ labels: [batch], classes: 10 });
const rows = (batch: number, width: number) => ({ shape: [batch, width], ...labelled(batch) });
const layer = (name: string, act: () => Module): Config => {
  return { name: `mlp ${name}`, model: mlp(act, 256, 256, 256, 256), optimizer: sgd, ...rows(16384, 256) };
};
const text = (batch: number, time: number, layers: number): Config => ({
  name: `gpt-2 ${layers} layers, ${batch} x ${time}`,
  model: () => new GPT2({ vocabSize: 8000, contextLength: time, layers, heads: 8, width: 256, dropout: 0.1 }),
  optimizer: adam,
  shape: [batch, time],
  tokens: 8000,
  labels: [batch, time],
  classes: 8000,
});
const pictures = (batch: number, size: number) => ({ shape: [batch, 3, size, size], ...labelled(batch) });
const configs: Config[] = [
  ...[8192, 16384, 24576].map((batch) => {
    return { name: `mlp batch ${batch}`, model: mlp(relu, 128, 256, 256), optimizer: adam, ...rows(batch, 128) };
  }),
  ...[1536, 2048, 2500].map((n) => {
    return { name: `mlp width ${n}`, model: mlp(relu, 784, n, n), optimizer: adam, ...rows(64, 784) };
  }),
  ...[8, 16].map((depth) => {
    const model = mlp(relu, 256, ...Array<number>(depth).fill(256));
    return { name: `mlp depth ${depth}`, model, optimizer: momentum, ...rows(8192, 256) };
  }),
  layer("gelu", () => new GELU()),
  layer("tanh", () => new Tanh()),
  layer("norm", () => new LayerNorm(256)),
  layer("dropout", () => new Dropout(0.2)),
  ...[sgd, momentum, adam].map((optimizer, i) => {
    return { name: `mlp optimizer ${i}`, model: mlp(relu, 2500, 2500, 2500), optimizer, ...rows(64, 2500) };
  }),
  ...[undefined, 120, 180].map((limit) => {
    const name = `blocks${limit ? ` within ${limit}` : ""}`;
    return { name, model: blocks(128, 6), optimizer: adam, ...rows(8192, 128), ...(limit && { limit }) };
  }),
  { name: "convolutions", model: convolutions, optimizer: momentum, ...pictures(128, 32) },
  { name: "resnet-20", model: () => resnet20(), optimizer: momentum, ...pictures(64, 32) },
  { name: "lstm", model: () => new Recurrent(128), optimizer: adam, shape: [256, 64, 128], ...labelled(256) },
  text(4, 128, 4),
  text(24, 64, 2),
];

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const status = (field: string): number =>
  1024 * Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+)`))![1]);
/** Resident bytes once garbage has gone back to the system and tensors of `live` bytes are left. */
async function settled(live: number): Promise<number> {
  const most = live + memory().pooled + 2 ** 20;
  for (let i = 0, last = 0, now = status("VmRSS"); i < 50; i++) {
    if (now === last && process.memoryUsage().arrayBuffers < most) break;
    for (let k = 0; k < 3; k++) {
      collect();
      await pause(10);
    }
    [last, now] = [now, status("VmRSS")];
  }
  return status("VmRSS");
}

async function measure(c: Config): Promise<{ name: string; predicted: number; measured: number }> {
  const model = c.model();
  const optimizer = c.optimizer(model);
  const x = (c.tokens ? randint(0, c.tokens, [...c.shape]) : randn(...c.shape)) as Tensor;
  const y = randint(0, c.classes, [...c.labels]) as Tensor;
  const taken = [model.stateDict(), optimizer.stateDict()].flatMap((d) => [...d.values()]) as Tensor[];
  const bytes = [...new Set(taken.map((t) => t.storage))].reduce((sum, s) => sum + s.bytes, 0);
  const before = (await settled(bytes + x.storage.bytes + y.storage.bytes)) - bytes;
  const heap = process.memoryUsage().heapTotal;
  const step = compile(
    (a: Tensor, b: Tensor) => {
      const logits = (model as unknown as Forward).forward(a);
      const loss = crossEntropy(logits.reshape(-1, c.classes) as never, b.reshape(-1) as never);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
    { memoryLimit: (c.limit ?? 2 ** 20) * 2 ** 20 },
  );
  writeFileSync("/proc/self/clear_refs", "5");
  for (let i = 0; i < 2; i++) await step(x, y);
  // Recording and planning let V8's heap grow by some megabytes: no part of the step.
  const grown = Math.max(0, process.memoryUsage().heapTotal - heap);
  const measured = status("VmHWM") - before - grown;
  const [{ peakBytes, scratchBytes }] = step.explain().plans as unknown as [
    { peakBytes: number; scratchBytes: number },
  ];
  const predicted = peakBytes - scratchBytes;
  step[Symbol.dispose]();
  return { name: c.name, predicted, measured };
}

/** Code, threads and the heap of V8 are there before anything is measured, and the scratch that threads keep. */
async function warm(): Promise<void> {
  for (let i = 0; i < 3; i++) await measure({ name: "warm", model: blocks(32, 2), optimizer: adam, ...rows(64, 32) });
  // The largest block of B that is packed; convolutions.
  const [a, b] = [randn(1024, 1024), randn(1024, 2048)];
  for (const t of [a.matmul(b), a, b]) t[Symbol.dispose]();
  (resnet20().forward(randn(32, 3, 32, 32)) as Tensor).sum().backward();
}

type Outcome = Awaited<ReturnType<typeof measure>>;
/** The measurement of one model by a process of its own: every large block goes back to the system at once, V8's heap stays small. */
async function apart(name: string): Promise<Outcome> {
  const args = [
    "--single-threaded-gc",
    "--max-semi-space-size=1",
    "--import",
    "tsx",
    import.meta.filename,
    "--one",
    name,
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: "65536" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text, [code]] = await Promise.all([read(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(text);
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--one") {
  setThreads(1);
  await warm();
  console.log(JSON.stringify(await measure(configs.find((c) => c.name === rest[0])!)));
} else {
  const names = configs.map((c) => c.name).filter((name) => first === undefined || name === first);
  const mebibytes = (n: number) => (n / 2 ** 20).toFixed(1).padStart(7);
  for (const name of names) {
    const { predicted, measured } = await apart(name);
    const apartBy = measured / predicted - 1;
    if (!(Math.abs(apartBy) <= 0.05)) process.exitCode = 1;
    const percent = `${(100 * apartBy).toFixed(1)} %`.padStart(8);
    console.log(
      `${name.padEnd(26)} predicted ${mebibytes(predicted)} MiB  measured ${mebibytes(measured)} MiB ${percent}`,
    );
  }
}
