// Training steps, eager and compiled, beside the floor of the machine and the peers: the same first weights, the same
// batches, losses compared before a time counts, then everybody in turns, so that a slow moment meets all.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Compiled, compile, ones, saveSafetensors, seed, setThreads, stack, type Tensor } from "nabla";
import { interleave, median, turns } from "./clock.ts";
import { type Found, peakOf } from "./kernels.ts";
import { type Batch, type Model, models, trainer } from "./models.ts";
import { known, Peer } from "./peers.ts";

const batchCount = 8;
const checkedSteps = 4;

/** Somebody who trains: milliseconds of n more steps. */
interface Candidate {
  name: string;
  run(n: number): Promise<number>;
}
interface Time {
  median: number;
  best: number;
}

/** Milliseconds of one step over about `ms`, but at least a step. */
async function sliceOf(candidate: Candidate, ms: number): Promise<() => Promise<number>> {
  let n = 1;
  let took = await candidate.run(n);
  while (took < ms / 4) {
    n *= 4;
    took = await candidate.run(n);
  }
  const count = Math.max(1, Math.round((n * ms) / took));
  return async () => (await candidate.run(count)) / count;
}

const clocked = async (work: () => void | Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

/** What the peers begin with: the first weights and the batches. */
async function writeCase(file: string, model: Model, batches: readonly Batch[]): Promise<number> {
  const weights = trainer(model).net.stateDict() as ReadonlyMap<string, Tensor>;
  const tensors = new Map(weights);
  batches.forEach(({ x, y }, i) => {
    tensors.set(`x.${i}`, x);
    tensors.set(`y.${i}`, y);
  });
  const metadata = { name: model.name, rule: JSON.stringify(model.rule), batches: `${batches.length}` };
  await saveSafetensors(file, tensors, { metadata });
  return [...weights.values()].reduce((sum, w) => sum + w.size, 0);
}

/** nabla's four ways through the same step. */
function ours(model: Model, batches: readonly Batch[]): { candidates: Candidate[]; losses: number[] } {
  const eager = trainer(model);
  const step: Compiled<[Tensor, Tensor], Tensor> = compile(trainer(model).step);
  const at = (i: number) => batches[i % batches.length]!;
  const losses: number[] = [];
  for (let i = 0; i < checkedSteps; i++) {
    const { x, y } = at(i);
    losses.push(eager.step(x, y).item());
    const compiled = step.sync(x, y).item();
    if (compiled !== losses[i])
      throw new Error(`${model.name}: step ${i} loses ${losses[i]} eager, ${compiled} compiled`);
  }
  const many = Array.from({ length: model.repeat }, (_, i) => at(i));
  const [xs, ys] = [stack(many.map((b) => b.x) as never), stack(many.map((b) => b.y) as never)] as [Tensor, Tensor];
  const repeat = async (n: number) => {
    for (let i = 0; i < n; i += model.repeat) await step.repeat(model.repeat, xs, ys);
  };
  const candidates: Candidate[] = [
    {
      name: "eager",
      run: (n) =>
        clocked(() => {
          for (let i = 0; i < n; i++) eager.step(at(i).x, at(i).y);
        }),
    },
    {
      name: "sync",
      run: (n) =>
        clocked(() => {
          for (let i = 0; i < n; i++) step.sync(at(i).x, at(i).y);
        }),
    },
    {
      name: "awaited",
      run: (n) =>
        clocked(async () => {
          for (let i = 0; i < n; i++) await step(at(i).x, at(i).y);
        }),
    },
    {
      name: "repeat",
      run: async (n) => ((await clocked(() => repeat(n))) * n) / (Math.ceil(n / model.repeat) * model.repeat),
    },
  ];
  return { candidates, losses };
}

/**
 * Milliseconds that a step takes at least: its flops at the measured peak, and the optimizer's 28 bytes a parameter (Adam; 12
 * for SGD) as fast as a copy of as many, at most 128 MiB at a time. Fewer than 4 MiB may stay in L2 and count nothing.
 */
function floorOf({ flops, rule }: Model, parameters: number, threads: number): number {
  const peak = peakOf();
  const bytes = (rule.name === "sgd" ? 12 : 28) * parameters;
  const piece = Math.min(bytes, 2 ** 27);
  const numbers = ones(Math.ceil(piece / 8));
  const [time, copy] = interleave([peak.run, () => numbers.clone()[Symbol.dispose]()]) as [number, number];
  const arithmetic = (flops * time) / (peak.flops * threads * 1e6);
  return bytes < 2 ** 22 ? arithmetic : arithmetic + (copy * bytes) / (piece * 1e6);
}

async function peersOf(file: string, threads: number, losses: readonly number[], names: readonly string[]) {
  const present: Peer[] = [];
  const notes: string[] = [];
  for (const peer of known) {
    if (!names.includes(peer.name) || (threads > 1 && !peer.threaded)) continue;
    const started = await Peer.start(peer, file, threads);
    if (typeof started === "string") {
      if (started) notes.push(`${peer.name}: ${started}`);
      continue;
    }
    try {
      const theirs = await started.losses(checkedSteps);
      const apart = Math.max(...theirs.map((l, i) => Math.abs(l - losses[i]!) / losses[i]!));
      if (!started.apart && !(apart < 1e-3)) throw new Error(`its losses ${theirs} are not ours, ${losses}: not timed`);
      present.push(started);
    } catch (error) {
      notes.push(`${peer.name}: ${(error as Error).message}`);
      started.stop();
    }
  }
  return { present, notes };
}

interface Measured {
  floor: number;
  /** In the order of `ways`. */
  times: Time[];
  peers: { name: string; time: Time }[];
  notes: string[];
}
const ways = ["eager", "sync", "awaited", "repeat"] as const;

async function measure(model: Model, threads: number, options: Required<TrainingOptions>): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "nabla-bench-"));
  try {
    seed(0);
    const batches = Array.from({ length: batchCount }, () => model.batch());
    const file = join(folder, "case.safetensors");
    const parameters = await writeCase(file, model, batches);
    const { candidates, losses } = ours(model, batches);
    const { present, notes } = await peersOf(file, threads, losses, options.peers);
    const slices: (() => Promise<number>)[] = [];
    for (const candidate of [...candidates, ...present]) slices.push(await sliceOf(candidate, options.turn));
    const times = (await turns(slices, options.rounds)).map((t) => ({ median: median(t), best: Math.min(...t) }));
    for (const peer of present) peer.stop();
    const peers = present.map(({ name }, i) => ({ name, time: times[ways.length + i]! }));
    return { floor: floorOf(model, parameters, threads), times: times.slice(0, ways.length), peers, notes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const show = (ms: number): string => (ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));
const cell = ({ median, best }: Time): string => `${show(median)} (${show(best)})`;

export interface TrainingOptions {
  /** Names of models and of peers; all unless given. */
  models?: readonly string[];
  peers?: readonly string[];
  /** Turns of each, and milliseconds of a turn. */
  rounds?: number;
  turn?: number;
}

/** The tables for one number of threads. */
export async function training(threads: number, given: TrainingOptions = {}): Promise<Found> {
  const all = { models: models.map((m) => m.name), peers: known.map((p) => p.name), rounds: 7, turn: 250 };
  const options = { ...all, ...given };
  const rows: (string | number)[][] = [];
  const against: (string | number)[][] = [];
  const notes = new Set<string>();
  const found: Found = { tables: [], bars: [], figures: {} };
  setThreads(threads);
  for (const model of models.filter((m) => options.models.includes(m.name))) {
    const { floor, times, peers, notes: absent } = await measure(model, threads, options);
    for (const note of absent) notes.add(note);
    const [eager, sync] = times as [Time, Time];
    const share = floor / sync.median;
    rows.push([model.about, model.flops / 1e9, show(floor), ...times.map(cell), `${(100 * share).toFixed(0)} %`]);
    for (const { name, time } of peers) {
      const ratio = (by: Time) => `${show(time.median / by.median)}x (${show(time.best / by.best)}x)`;
      against.push([`${model.name}: ${name}`, cell(time), ratio(eager), ratio(sync)]);
      found.figures[`${model.name} against ${name}, ${threads} threads`] = time.median / sync.median;
    }
    ways.forEach((way, i) => {
      found.figures[`${model.name} ${way} ms, ${threads} threads`] = times[i]!.median;
    });
    found.bars.push({ label: `${model.name}, ${threads} threads`, share, text: `${show(sync.median)} ms` });
  }
  const on = `${threads} thread${threads > 1 ? "s" : ""}`;
  found.tables.push({
    title: `Training steps, ${on}: ms, median (best)`,
    columns: ["step", "GFLOP", "floor", ...ways, "floor / sync"],
    rows,
  });
  const columns = ["peer", "ms, median (best)", "nabla eager is faster by", "nabla compiled (sync) by"];
  for (const note of notes) against.push([`not measured: ${note}`, "", "", ""]);
  if (against.length > 0) found.tables.push({ title: `Peers, ${on}`, columns, rows: against });
  return found;
}
