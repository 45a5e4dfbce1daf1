// Where a run of fit stands, and how it is saved and found again.
import { checkCount, fail } from "../core/errors.ts";
import { Epochs } from "../data/epochs.ts";
import { lastStep, loadCheckpoint, type Parts, type Placed, type Stateful, saveCheckpoint } from "../io/checkpoint.ts";
import type { Data, EpochEvent, Scores } from "./fit.ts";

/** Where {@link fit} saves what it goes on from. */
export interface FitCheckpoint {
  /** The folder. */
  readonly path: string;
  /** Steps between two checkpoints; at the end of each epoch there is one anyway. */
  readonly every?: number;
  /** How many stay in the folder; 3 unless given. */
  readonly keep?: number;
}

/** Sums of scores weighted by samples. */
export class Tally {
  samples = 0;
  readonly sums: Map<string, number> = new Map();
  add(samples: number, scores: Scores): void {
    this.samples += samples;
    for (const [name, x] of [["", scores.loss] as const, ...Object.entries(scores.metrics)])
      this.sums.set(name, (this.sums.get(name) ?? 0) + x * samples);
  }
  get scores(): Scores {
    const means = [...this.sums].map(([name, sum]) => [name, sum / this.samples] as const);
    return { loss: new Map(means).get("") ?? Number.NaN, metrics: Object.fromEntries(means.filter(([n]) => n !== "")) };
  }
}

interface Saved {
  readonly epoch: number;
  readonly batches: number;
  readonly lr: number;
  readonly samples: number;
  readonly sums: readonly [string, number][];
  readonly history: readonly EpochEvent[];
}
// JSON has no NaN and no infinities, and a metric may be one.
const exact = (_: string, x: unknown) => (typeof x === "number" && !Number.isFinite(x) ? { number: String(x) } : x);
const revived = (_: string, x: unknown) =>
  typeof x === "object" && x !== null && "number" in x ? Number(x.number) : x;

/** All that is in no model, optimizer, loader or generator: with them it is the whole run. */
export class Progress {
  epoch = 0;
  /** Steps taken, over all epochs. */
  step = 0;
  /** Batches of this epoch that were taken. */
  batches = 0;
  tally: Tally = new Tally();
  readonly history: EpochEvent[] = [];

  /** An epoch is over. */
  end(event: EpochEvent): void {
    this.history.push(event);
    this.epoch++;
    this.batches = 0;
    this.tally = new Tally();
  }
  save(lr: number): string {
    const { epoch, batches, history, tally } = this;
    const { samples, sums } = tally;
    return JSON.stringify({ epoch, batches, lr, samples, sums: [...sums], history } satisfies Saved, exact);
  }
  /** Gives the learning rate of then. */
  load(step: number, text: string): number {
    const { epoch, batches, lr, samples, sums, history } = JSON.parse(text, revived) as Saved;
    Object.assign(this, { epoch, batches, step });
    this.tally.samples = samples;
    for (const [name, sum] of sums) this.tally.sums.set(name, sum);
    this.history.push(...history);
    return lr;
  }
}

const isPlaced = (x: unknown): x is Placed =>
  typeof (x as Partial<Placed>)?.state === "function" && typeof (x as Partial<Placed>).load === "function";

/** The checkpoints of a run. */
export class Checkpoints {
  readonly #parts: Parts;
  readonly #options: FitCheckpoint;
  readonly #optimizer: Stateful & { lr: number };

  constructor(
    options: FitCheckpoint,
    parts: { model: Stateful; optimizer: Stateful & { lr: number }; data: unknown; validation: unknown },
  ) {
    const { every, keep } = options;
    for (const [name, x] of Object.entries({ every, keep }))
      if (x !== undefined) checkCount("fit", `${name} of checkpoint`, x, 1);
    const { model, optimizer, ...loaders } = parts;
    this.#options = options;
    this.#optimizer = optimizer;
    this.#parts = { model, optimizer, ...Object.fromEntries(Object.entries(loaders).filter(([, x]) => isPlaced(x))) };
  }
  /** Puts everything back to where the last checkpoint was made, if there is one; without `resume` there must be none. */
  async begin(progress: Progress, resume: boolean): Promise<void> {
    const { path } = this.#options;
    if (!resume) {
      const step = await lastStep(path);
      if (step === undefined) return;
      fail("ERR_NABLA_STATE", "fit", `${path} has a checkpoint of step ${step}`, {
        actual: step,
        hint: "{ resume: true } goes on from it; another run wants a folder of its own",
      });
    }
    const found = await loadCheckpoint(path, this.#parts);
    if (!found) return;
    if (typeof found.values.fit !== "string")
      fail("ERR_NABLA_STATE", "fit", `${found.path} is of no run of fit`, { hint: "loadCheckpoint reads it" });
    const lr = progress.load(found.step, found.values.fit);
    if (lr !== this.#optimizer.lr) this.#optimizer.lr = lr;
  }
  due(step: number): boolean {
    return this.#options.every !== undefined && step % this.#options.every === 0;
  }
  async save(progress: Progress): Promise<void> {
    const { path, keep } = this.#options;
    const values = { fit: progress.save(this.#optimizer.lr) };
    await saveCheckpoint(path, this.#parts, { step: progress.step, values, ...(keep && { keep }) });
  }
}

/** What is left of the epoch. Loaders know where they were; of other data, what was taken is passed over. */
export async function* restOf<X, Y>(data: Data<X, Y>, { batches }: Progress): AsyncGenerator<readonly [X, Y]> {
  // A loader that has given its last batch would begin the next epoch.
  if (batches > 0 && data instanceof Epochs && data.position === data.length) return;
  let before = isPlaced(data) ? 0 : batches;
  for await (const pair of data) if (before-- <= 0) yield pair;
}
