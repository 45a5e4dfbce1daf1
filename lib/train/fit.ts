import { type Compiled, compile } from "../compile/compile.ts";
import { only, value } from "../core/boundary.ts";
import { fail, type NablaError } from "../core/errors.ts";
import { type Precision, withPrecision } from "../engine/precision.ts";
import { withGrad } from "../engine/tape.ts";
import type { Module } from "../nn/module.ts";
import { clipGradNorm } from "../optim/clip.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkBatch, checkCall, checkFinite, checkOptions, checkSignal, fitNames } from "./check.ts";
import type { Metric } from "./metric.ts";
import { Checkpoints, type FitCheckpoint, Progress, restOf, Tally } from "./progress.ts";
import { Watch } from "./watch.ts";

/** Pairs of inputs and targets; each iteration is an epoch. {@link batches} makes them of tensors in memory. */
export type Data<X, Y> = Iterable<readonly [X, Y]> | AsyncIterable<readonly [X, Y]>;
/** What fit trains: a module whose forward takes the inputs. */
export type Trained<X, O> = Module & { forward(x: X): O };

/** Options of {@link fit}. */
export interface FitOptions<Y, O> {
  /** One number from outputs and targets, to be made small. */
  loss: (output: O, target: Y) => Tensor;
  optimizer: Optimizer;
  /** Times through the data; 1 unless given. */
  epochs?: number;
  /** Measured after each epoch, in evaluation mode. */
  validation?: Data<unknown, Y>;
  /** Numbers to report besides the loss: { accuracy }. */
  metrics?: Readonly<Record<string, Metric>>;
  /** Batches whose gradients make one step; 1 unless given. */
  accumulate?: number;
  /** The largest norm of all gradients together. */
  clip?: number;
  /** The learning rate of each step. */
  schedule?: Schedule;
  /**
   * Make one native program of the step, which leaves the event loop free and gives the same bits; see {@link compile}. Unless
   * said, it is made for the first eight sizes of batches, and a step that cannot be compiled runs eagerly after one warning;
   * with `true` it is made for every size, and that is an error.
   */
  compile?: boolean;
  /** What matrix products, convolutions and attention multiply: "f32" unless given; "bf16" as in {@link autocast}, with f32 weights. */
  precision?: Precision;
  /**
   * Saves everything the run goes on from, with {@link saveCheckpoint}: after every so many steps, at the end of each epoch, and when
   * `signal` ends it. Data and validation with a state are part of it, as {@link Batches} and {@link DataLoader} are.
   */
  checkpoint?: FitCheckpoint;
  /**
   * Goes on from the last checkpoint, or begins where there is none: in the middle of an epoch too, with the same bits as if it
   * had never stopped. Data without a state is read from the beginning of its epoch, and what was taken is passed over.
   */
  resume?: boolean;
  /** Ends the run after the step it is in. */
  signal?: AbortSignal;
}

/** Means over samples. */
export interface Scores {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}
/** After a step: the scores of its batches. */
export interface StepEvent extends Scores {
  readonly done: "step";
  /** From 0. */
  readonly epoch: number;
  /** Steps taken, from 1, over all epochs. */
  readonly step: number;
  /** Samples seen in this epoch. */
  readonly samples: number;
  readonly lr: number;
  /** The norm of the gradients before clipping, where `clip` is given. */
  readonly norm?: number;
}
/** After an epoch: the scores of all its batches, as they were when each was trained on. */
export interface EpochEvent extends Scores {
  readonly done: "epoch";
  readonly epoch: number;
  readonly step: number;
  readonly samples: number;
  readonly lr: number;
  readonly validation?: Scores;
}
export type FitEvent = StepEvent | EpochEvent;

type Pair = readonly [Tensor, Tensor];
type Runs = Trained<Tensor, Tensor>;
type Plain = FitOptions<Tensor, Tensor>;

interface Measured {
  readonly loss: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
}
function measure(output: Tensor, target: Tensor, loss: Tensor, metrics: Readonly<Record<string, Metric>>): Measured {
  value("evaluate", "what loss gives", loss);
  const all = withGrad(false, () => Object.entries(metrics).map(([name, f]) => [name, f(output, target)] as const));
  return { loss: loss.detach(), metrics: Object.fromEntries(all) };
}
const numbers = ({ loss, metrics }: Measured): Scores => ({
  loss: loss.item(),
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, x]) => [name, x.item()])),
});

interface Stepped {
  readonly measured: Measured[];
  readonly norm: Tensor | null;
}
type Stepping = (...tensors: Tensor[]) => Stepped | Promise<Stepped>;
/**
 * One step on one or several batches, x1, y1, x2, y2, ..., whose gradients add up to that of their mean. Nothing in it depends on
 * numbers in tensors, so it can be compiled.
 */
function stepOf(model: Runs, { loss, optimizer, metrics = {}, clip }: Plain): (...tensors: Tensor[]) => Stepped {
  const parameters = model.namedParameters();
  return (...tensors) => {
    // Of all parameters: those that no optimizer moves would add theirs up from step to step.
    model.zeroGrad();
    optimizer.zeroGrad();
    const measured: Measured[] = [];
    for (let i = 0; i < tensors.length; i += 2) {
      const output = model.forward(tensors[i]);
      const l = loss(output, tensors[i + 1]);
      value("fit", "what loss gives", l);
      (tensors.length > 2 ? l.div(tensors.length / 2) : l).backward();
      measured.push(measure(output, tensors[i + 1], l, metrics));
    }
    const norm = clip === undefined ? null : clipGradNorm(parameters, clip);
    optimizer.step();
    return { measured, norm };
  };
}

/** The eager step where the compiled one was refused; what the model kept of the recorded steps for this one is not there. */
function insteadOf<R>(refusal: unknown, f: () => R): R {
  try {
    return f();
  } catch (error) {
    if ((error as NablaError).code !== "ERR_NABLA_COMPILE") throw error;
    return fail("ERR_NABLA_COMPILE", "fit", "the step uses a tensor that an earlier step made", {
      cause: refusal,
      hint: "fit(model, data, { ..., compile: false }) runs it eagerly from the beginning",
    });
  }
}
/** Sizes of batches that get a program each; batches that all differ in size would pay for theirs and not use it again. */
const mostSizes = 8;
const sizesOf = (tensors: readonly Tensor[]): string => tensors.map((x) => x.shape.join()).join(";");

/** The step as one program; where that cannot be and need not be, the step itself. */
function compiledStep(
  eager: Stepping,
  { compile: asked }: Plain,
): Stepping & Partial<Pick<Compiled<[], unknown>, "check" | typeof Symbol.dispose>> {
  if (asked === false) return eager;
  const compiled = compile(eager as never) as unknown as Compiled<Tensor[], Stepped>;
  if (asked) return compiled;
  const sizes = new Set<string>();
  let refused = false;
  const run: Stepping = async (...tensors) => {
    if (sizes.size < mostSizes) sizes.add(sizesOf(tensors));
    if (refused || !sizes.has(sizesOf(tensors))) return eager(...tensors);
    try {
      return await compiled(...tensors);
    } catch (error) {
      // Thrown while the step is recorded, so nothing has changed yet and the same batch can be taken again.
      if ((error as NablaError).code !== "ERR_NABLA_COMPILE") throw error;
      refused = true;
      process.emitWarning(`fit: the step runs eagerly, because it cannot be compiled. ${(error as Error).message}`, {
        type: "NablaWarning",
        code: "NABLA_EAGER",
        detail: "{ compile: false } says that this is wanted; { compile: true } makes it an error.",
      });
      return insteadOf(error, () => eager(...tensors));
    }
  };
  return Object.assign(run, { check: compiled.check, [Symbol.dispose]: compiled[Symbol.dispose] });
}

/** Keeps timers, sockets and signals alive while steps follow each other: at most this many milliseconds between turns. */
const turn = 10;
function breather(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < turn) return undefined;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      last = performance.now();
    });
  };
}

/** The data in groups of n batches; the last may be smaller. */
async function* grouped(data: Data<Tensor, Tensor>, n: number): AsyncGenerator<Pair[]> {
  let group: Pair[] = [];
  for await (const pair of data) {
    group.push(checkBatch("fit", pair));
    if (group.length < n) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

interface Standing {
  readonly progress: Progress;
  readonly watch: Watch;
  readonly saves: Checkpoints | undefined;
}
/** The steps that are left of an epoch. */
async function* epochOf(
  step: ReturnType<typeof compiledStep>,
  data: Data<Tensor, Tensor>,
  { progress, watch, saves }: Standing,
  { optimizer, accumulate = 1, schedule, signal }: Plain,
): AsyncGenerator<StepEvent, void, undefined> {
  const breathe = breather();
  const { epoch, tally } = progress;
  for await (const group of grouped(restOf(data, progress), accumulate)) {
    checkSignal(signal, progress.step);
    if (watch.due(progress.step) || tally.samples === 0) step.check?.();
    if (schedule) optimizer.lr = schedule(progress.step);
    const { measured, norm } = await step(...group.flat());
    progress.step++;
    progress.batches += group.length;
    const own = new Tally();
    for (const [i, m] of measured.entries()) own.add(group[i][0].shape[0] ?? 1, numbers(m));
    tally.add(own.samples, own.scores);
    checkFinite(own.scores.loss, progress.step);
    if (saves?.due(progress.step)) await saves.save(progress);
    const at = { epoch, step: progress.step, samples: tally.samples, lr: optimizer.lr };
    yield { done: "step", ...at, ...own.scores, ...(norm && { norm: norm.item() }) };
    await breathe();
    // Here and not before the next step, for which the data has gone on.
    if (signal?.aborted) await saves?.save(progress);
    checkSignal(signal, progress.step);
  }
}

async function* run(
  model: Runs,
  data: Data<Tensor, Tensor>,
  options: Plain,
  progress: Progress,
): AsyncGenerator<FitEvent, void, undefined> {
  only("fit", options, fitNames);
  checkCall("fit", model, data, options);
  checkOptions(options);
  const { optimizer, epochs = 1, validation, precision = "f32", checkpoint, resume = false } = options;
  const saves = checkpoint && new Checkpoints(checkpoint, { model, optimizer, data, validation });
  await saves?.begin(progress, resume);
  const plain = stepOf(model, options);
  const step = compiledStep((...tensors) => withPrecision(precision, () => plain(...tensors)), options);
  const standing = { progress, watch: new Watch(model), saves };
  const modes = [...model.namedModules().values()].map((m) => [m, m.training] as const);
  try {
    while (progress.epoch < epochs) {
      model.train();
      yield* epochOf(step, data, standing, options);
      const { epoch, tally } = progress;
      if (tally.samples === 0) fail("ERR_NABLA_VALUE", "fit", `the data gave no batch in epoch ${epoch}`);
      const measured = validation && (await evaluate(model, validation as Data<Tensor, Tensor>, options));
      const at = { epoch, step: progress.step, samples: tally.samples, lr: optimizer.lr };
      const event: EpochEvent = { done: "epoch", ...at, ...tally.scores, ...(measured && { validation: measured }) };
      progress.end(event);
      await saves?.save(progress);
      yield event;
    }
  } finally {
    step[Symbol.dispose]?.();
    model.zeroGrad();
    for (const [module, on] of modes) module.training = on;
  }
}

/** A run of {@link fit}: a sequence of events to iterate, or a promise of the last one. */
export class Fit implements AsyncIterable<FitEvent>, PromiseLike<EpochEvent> {
  /** The epochs so far, also those before it was resumed. */
  readonly history: readonly EpochEvent[];
  readonly #events: AsyncGenerator<FitEvent, void, undefined>;
  #last: Promise<EpochEvent> | undefined;

  constructor(events: AsyncGenerator<FitEvent, void, undefined>, history: readonly EpochEvent[]) {
    this.#events = events;
    this.history = history;
  }
  [Symbol.asyncIterator](): AsyncGenerator<FitEvent, void, undefined> {
    return this.#events;
  }
  async #drain(): Promise<EpochEvent> {
    for await (const _ of this.#events);
    return this.history.at(-1) ?? fail("ERR_NABLA_STATE", "fit", "the run has ended already");
  }
  // biome-ignore lint/suspicious/noThenProperty: await fit(...) runs it to its end
  then<A = EpochEvent, B = never>(
    resolve?: ((event: EpochEvent) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#last ??= this.#drain();
    return this.#last.then(resolve, reject);
  }
}

/**
 * Trains a model: forward, loss, backward and one optimizer step for each batch, an event after each step and each epoch.
 * Iterate over the events and `break` to stop early, or `await` the whole run for its last event. A loss that is not finite is
 * an error. The step is compiled, so gradients can be read in the body only with `{ compile: false }`; none are left at the end.
 * With `{ checkpoint: { path, every }, resume: true }` the same program, started again after a crash, goes on from its last checkpoint.
 *
 * Keras: `Model.fit` with `BackupAndRestore`. Lightning: `Trainer.fit(ckpt_path="last")`.
 * @example
 * ```ts
 * import { Adam, batches, fit, Linear, mse, Sequential, Tanh, tensor } from "nabla";
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const y = tensor([[0], [1], [1], [0]]);
 * const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
 * const data = batches(x, y, { size: 4 });
 * for await (const e of fit(model, data, { loss: mse, optimizer: new Adam(model, { lr: 0.05 }), epochs: 1000 })) {
 *   if (e.done === "epoch" && e.loss < 0.01) break;
 * }
 * console.log(model.forward(x).gt(0.5).toArray()); // [ [ false ], [ true ], [ true ], [ false ] ]
 * ```
 */
export function fit<X, Y, O>(model: Trained<X, O>, data: Data<X, Y>, options: FitOptions<Y, O>): Fit {
  const [runs, pairs, plain] = [model as unknown as Runs, data as Data<Tensor, Tensor>, options as unknown as Plain];
  const progress = new Progress();
  return new Fit(run(runs, pairs, plain, progress), progress.history);
}

/** What {@link evaluate} needs of the options of fit. */
export type EvaluateOptions<Y, O> = Pick<FitOptions<Y, O>, "loss" | "metrics" | "precision" | "signal">;
/**
 * The mean loss and metrics over data, in evaluation mode and without gradients.
 * @example
 * ```ts
 * import { batches, evaluate, Linear, mse, ones, zeros } from "nabla";
 * const { loss } = await evaluate(new Linear(2, 1), batches(ones(8, 2), zeros(8, 1)), { loss: mse });
 * console.log(Number.isFinite(loss)); // true
 * ```
 */
export async function evaluate<X, Y, O>(
  model: Trained<X, O>,
  data: Data<X, Y>,
  options: EvaluateOptions<Y, O>,
): Promise<Scores> {
  const plain = options as unknown as EvaluateOptions<Tensor, Tensor>;
  only("evaluate", plain as Plain, fitNames);
  checkCall("evaluate", model, data, plain);
  const { loss, metrics = {}, precision = "f32", signal } = plain;
  const modes = [...model.namedModules().values()].map((m) => [m, m.training] as const);
  const breathe = breather();
  const tally = new Tally();
  try {
    model.eval();
    for await (const pair of data as unknown as Data<Tensor, Tensor>) {
      checkSignal(signal, 0);
      const [x, y] = checkBatch("evaluate", pair);
      const measured = withPrecision(precision, () =>
        withGrad(false, () => {
          const output = (model as unknown as Runs).forward(x);
          return measure(output, y, loss(output, y), metrics);
        }),
      );
      tally.add(x.shape[0] ?? 1, numbers(measured));
      await breathe();
    }
  } finally {
    for (const [module, on] of modes) module.training = on;
  }
  return tally.scores;
}
