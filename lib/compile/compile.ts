import { fail } from "../core/errors.ts";
import type { Storage } from "../core/storage.ts";
import { Value } from "../core/value.ts";
import { Cache, type Entry } from "./cache.ts";
import { checkSame } from "./diff.ts";
import { type Explanation, explain } from "./explain.ts";
import { Plan } from "./plan.ts";
import { checkFunction, type Recording, record, seal } from "./record.ts";
import { checkRepeat, joinRuns, sliceAt, sliceFrom } from "./repeat.ts";

export interface CompileOptions {
  /** Join steps into one pass over memory. Default true; the bits are the same without. */
  fuse?: boolean;
  /** Cancels runs that have not begun. */
  signal?: AbortSignal;
  /**
   * Bytes that the step may take: its arena, the state it uses, what it returns. What it needs is known before it runs; of the
   * segments in checkpoint() as few as possible are then computed again. Without a limit, all of them are.
   */
  memoryLimit?: number;
}

/** A step that runs as one native call. */
export interface Compiled<A extends readonly Value[], R> {
  /** On the runner thread: the event loop stays free. Arguments are copied before the call returns. */
  (...args: A): Promise<R>;
  /** On this thread. */
  sync(...args: A): R;
  /** n steps in one call: each argument has a leading dimension of n, one slice a step, and so has each result. */
  repeat(n: number, ...args: A): Promise<R>;
  /** What the step consists of and what it costs; with profile(true) also the time of each kind of kernel. */
  explain(): Explanation;
  /** Turns the clock of every kernel on or off; explain() then tells how long each kind takes. */
  profile(on: boolean): void;
  /** Gives the memory back, once runs in flight are over. */
  [Symbol.dispose](): void;
}

/** The second may find what the first made, state that begins in the first step; then a third must do the same. */
const mostRecordings = 3;

/**
 * Makes one native program of a training or inference step. The first two calls run eagerly and are recorded; if they did
 * the same, every later call replays the recording: no JavaScript, no allocation, bit for bit the eager result.
 *
 * @example
 * ```ts
 * import { Linear, SGD, Sequential, Tanh, compile, mse, tensor } from "nabla";
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const y = tensor([[0], [1], [1], [0]]);
 * const net = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
 * const opt = new SGD(net, { lr: 0.3 });
 * const step = compile(() => {
 *   const loss = mse(net.forward(x), y);
 *   opt.zeroGrad();
 *   loss.backward();
 *   opt.step();
 *   return loss;
 * });
 * for (let i = 0; i < 10; i++) await step();
 * ```
 */
export function compile<A extends readonly Value[], R>(
  f: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, Awaited<R>> {
  checkFunction(f);
  const { signal, memoryLimit } = options;
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    fail("ERR_NABLA_VALUE", "compile", `memoryLimit ${memoryLimit} is no number of bytes`, { actual: memoryLimit });
  const cache = new Cache();
  let disposed = false;

  /** The plan for these arguments, or the result of a recorded run while there is none yet. */
  const prepare = (args: readonly Value[]): { plan: Plan } | { result: unknown } => {
    if (disposed) fail("ERR_NABLA_DISPOSED", "compile", "the compiled step was disposed");
    args.forEach(checkArgument);
    const known = cache.find(args);
    if (known?.plan) return { plan: known.plan };
    const dry = memoryLimit !== undefined;
    for (let entry = known; ; ) {
      const recording = record(f as never, args, dry);
      entry ??= cache.add(args);
      if (settle(entry, recording, dry)) replace(entry, new Plan(recording, options));
      if (!dry) return { result: recording.result };
      if (entry.plan) return { plan: entry.plan };
    }
  };

  const run = (...args: A): Promise<unknown> => {
    try {
      const ready = prepare(args);
      return "plan" in ready ? ready.plan.run(args, undefined, signal) : Promise.resolve(ready.result);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const sync = (...args: A) => {
    const ready = prepare(args);
    return "plan" in ready ? ready.plan.runSync(args) : ready.result;
  };
  const repeat = async (n: number, ...args: A) => {
    checkRepeat(n, args);
    const results: unknown[] = [];
    for (let i = 0; i < n; i++) {
      const ready = prepare(sliceAt(args, i));
      if ("plan" in ready) return joinRuns(results, await ready.plan.run(sliceFrom(args, i), n - i, signal));
      results.push(ready.result);
    }
    return joinRuns(results, undefined);
  };
  const dispose = () => {
    cache.clear();
    disposed = true;
  };
  const profile = (on: boolean) => {
    for (const p of cache.plans) p.profile(on);
  };
  return Object.assign(run, {
    sync,
    repeat,
    profile,
    explain: () => explain(cache.plans),
    [Symbol.dispose]: dispose,
  }) as unknown as Compiled<A, Awaited<R>>;
}

/** Whether the recording is what every later run will do: the same as the one before it. */
function settle(entry: Entry, recording: Recording, dry: boolean): boolean {
  const [first, before] = [entry.recordings[0], entry.recordings.at(-1)];
  entry.guards = recording.guards;
  entry.recordings.push(recording);
  if (!before) return false;
  try {
    checkSame(before, recording);
    return true;
  } catch (error) {
    const made = recording.graph.slots.filter((s) => s.role === "state" && s.storage.serial >= first.born);
    const computed =
      dry && before.graph.slots.some((s) => s.role === "temp" && made.some((m) => m.storage === s.storage));
    if (made.length > 0 && !computed && entry.recordings.length < mostRecordings) return false;
    throw error;
  }
}

/** A plan stands for the function now: what recorded runs left behind is no longer brought up to date. */
function replace(entry: Entry, plan: Plan): void {
  const kept = new Set<Storage>(plan.graph.slots.flatMap((s) => (s.role === "state" ? [s.storage] : [])));
  for (const recording of entry.recordings.splice(0)) seal(recording, kept);
  entry.plan = plan;
}

function checkArgument(x: unknown, i: number): void {
  if (x instanceof Value) return;
  fail(
    "ERR_NABLA_TYPE",
    "compile",
    `argument ${i} of the step is ${typeof x === "object" ? "no tensor" : `a ${typeof x}`}`,
    {
      actual: x,
      hint: "a step takes tensors: tensor(x) makes one; what never changes can be closed over",
    },
  );
}
