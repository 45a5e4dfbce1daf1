// A program that trains with fit(): node --import tsx test/resume/program.ts FOLDER goes on from the checkpoint in the folder.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  AdamW,
  accuracy,
  BatchNorm1d,
  batches,
  cosine,
  crossEntropy,
  DataLoader,
  Dropout,
  type EpochEvent,
  type FitEvent,
  Linear,
  ReLU,
  randint,
  randn,
  Sequential,
  seed,
  type Tensor,
  fit as train,
  transforms,
} from "nabla";

export type Kind = "batches" | "loader" | "array";
export const epochs = 3;
/** Everything a program makes before it calls fit: 23 pictures in batches of 5 and one of 3. */
export function program(kind: Kind, accumulate = 1) {
  seed(5);
  const [x, y] = [randn(23, 1, 3, 3), randint(0, 3, [23])];
  const noise = transforms.gaussianNoise({ sigma: 0.3, clip: false });
  const options = { size: 5, shuffle: true };
  const samples = { length: 23, get: (i: number) => [x.select(0, i), y.select(0, i)] as const };
  const data = {
    batches: () => batches(x as never, y, { ...options, transform: noise as never }),
    loader: () =>
      new DataLoader(samples as never, {
        ...options,
        transform: (([a, b]: Tensor[]) => [noise(a as never), b]) as never,
      }),
    array: () => [...batches(x as never, y, { size: 5 })],
  }[kind]();
  const norm = new BatchNorm1d(8);
  const model = new Sequential(new Linear(9, 8), norm, new ReLU(), new Dropout(0.3), new Linear(8, 3));
  const net = Object.assign(model, {
    forward: (a: Tensor) => Sequential.prototype.forward.call(model, a.flatten(1) as never),
  });
  const optimizer = new AdamW(model, { lr: 0.05, amsgrad: true });
  const validation = batches(x as never, y, { size: 7, shuffle: true });
  const fitting = {
    ...{ loss: crossEntropy, optimizer, epochs, accumulate, validation, clip: 1 },
    metrics: { accuracy, never: (o: Tensor) => o.sum().mul(Number.NaN) },
    schedule: cosine({ from: 0.05, steps: 15, warmup: 2 }),
  };
  return { net, data, optimizer, fitting };
}
export type Program = ReturnType<typeof program>;
export const start = ({ net, data, fitting }: Program, more: object = {}) =>
  train(net as never, data as never, { ...fitting, ...more } as never);

const bits = (state: ReadonlyMap<string, Tensor>) =>
  [...state].map(([name, t]) => [name, [...t.contiguous().dataSync()]]);
export interface End {
  readonly events: FitEvent[];
  readonly history: readonly EpochEvent[];
  readonly weights: unknown;
  readonly moments: unknown;
  readonly next: number[];
}
export async function finish(p: Program, more: object = {}, seen = async (_: FitEvent) => {}): Promise<End> {
  const run = start(p, more);
  const events: FitEvent[] = [];
  for await (const e of run) {
    events.push(e);
    await seen(e);
  }
  const [weights, moments] = [bits(p.net.stateDict()), bits(p.optimizer.stateDict())];
  return { events, history: run.history, weights, moments, next: [...(randn(4) as Tensor).dataSync()] };
}
/** Takes so many steps and is gone. */
export async function stopped(p: Program, steps: number, more: object): Promise<void> {
  for await (const e of start(p, more)) if (e.done === "step" && e.step === steps) return;
}
/** The whole end as a text; JSON alone has no NaN. */
export const told = ({ history, weights, moments, next }: End): string =>
  JSON.stringify({ history, weights, moments, next }, (_, x) => (Number.isNaN(x) ? "NaN" : x));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const checkpoint = { path: process.argv[2] as string, every: 1 };
  // Slow enough to be killed between any two steps, and in the middle of one.
  const slowly = async (e: FitEvent) => {
    console.log(`step ${e.step}`);
    await sleep(15);
  };
  console.log(told(await finish(program("loader"), { checkpoint, resume: true }, slowly)));
}
