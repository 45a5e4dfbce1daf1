import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import type { Storage } from "../core/storage.ts";
import { Value } from "../core/value.ts";
import { checkPrecision, type Precision, withPrecision } from "../engine/precision.ts";
import { Cache, type Entry } from "./cache.ts";
import { checkSame } from "./diff.ts";
import { type Explanation, explain } from "./explain.ts";
import { Plan } from "./plan.ts";
import { checkFunction, promote, type Recording, record, seal } from "./record.ts";
import { checkRepeat, joinRuns, sliceAt, sliceFrom } from "./repeat.ts";
import { atOnce, inTurns, type Slices } from "./slices.ts";

export interface CompileOptions {
  /** Join steps into one pass over memory. Default true; the bits are the same without. */
  fuse?: boolean;
  /**
   * Keep a second copy of weights that no step of it writes, in the order in which products of up to 64 rows read them: such a
   * product takes 0.55 to 0.95 of its time, and the bits are the same. Made once two runs have found a weight unchanged, and anew when it
   * has changed. Default: where half of the free memory holds the copies.
   */
  prepack?: boolean | undefined;
  /** Cancels runs that have not begun. */
  signal?: AbortSignal;
  /**
   * Bytes that the step may take: its arena, the state it uses, what it returns. What it needs is known before it runs; of the
   * segments in checkpoint() as few as possible are then computed again. Without a limit, all of them are.
   */
  memoryLimit?: number;
  /** What matrix products, convolutions and attention multiply in it: that of the call unless given. "bf16" is the step inside {@link autocast}. */
  precision?: Precision;
}

/** A step that runs as one native call. */
export interface Compiled<A extends readonly Value[], R> {
  /** On the runner thread: the event loop stays free. Arguments are copied before the call returns. */
  (...args: A): Promise<R>;
  /** On this thread. */
  sync(...args: A): R;
  /**
   * Records and plans now what the first call with such arguments would, in slices of a few milliseconds with turns of the event
   * loop between. What the function reads in JavaScript is not to change meanwhile.
   */
  prepare(...args: A): Promise<void>;
  /** n steps in one call: each argument has a leading dimension of n, one slice a step, and so has each result. */
  repeat(n: number, ...args: A): Promise<R>;
  /** What the step consists of and what it costs; with profile(true) also the time of each kind of kernel. */
  explain(): Explanation;
  /** Has the next call of each plan record the function again and compare: what it reads in JavaScript may have changed. */
  check(): void;
  /** Turns the clock of every kernel on or off; explain() then tells how long each kind takes. */
  profile(on: boolean): void;
  /** Gives the memory back, once runs in flight are over. */
  [Symbol.dispose](): void;
}

/** The second may find what the first made, state that begins in the first step; then a third must do the same. */
const mostRecordings = 3;
/** NABLA_CHECK=n records every n-th call again, to find what changes later than in the second. */
const checked = Number(process.env.NABLA_CHECK ?? 0);
const isDue = (call: number): boolean => call === 2 || (checked > 0 && call % checked === 0);

/**
 * Makes one native program of a training or inference step. The first call records what the function does, twice, without doing
 * it; the second call once more. If that was the same each time, every call runs the recording: no JavaScript, no allocation, bit
 * for bit the eager result.
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
  const { signal, memoryLimit } = only("compile", options, ["fuse", "prepack", "signal", "memoryLimit", "precision"]);
  const step = within(f, options.precision);
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    fail("ERR_NABLA_VALUE", "compile", `memoryLimit ${memoryLimit} is no number of bytes`, { actual: memoryLimit });
  const cache = new Cache();
  let disposed = false;

  const checkCall = (args: readonly Value[]): void => {
    if (disposed) fail("ERR_NABLA_DISPOSED", "compile", "the compiled step was disposed");
    args.forEach(checkArgument);
  };
  const prepare = async (...args: A): Promise<void> => {
    checkCall(args);
    if (cache.find(args)) return;
    const made = await inTurns(begin(step as never, args, options));
    if (!disposed && !cache.find(args)) {
      cache.add(args, made);
      return;
    }
    made.plan.dispose();
    made.first?.dispose();
  };
  /** What the function does with these arguments; recorded, or recorded again and compared. */
  const found = (args: readonly Value[]): Entry => {
    checkCall(args);
    const entry = cache.find(args) ?? cache.add(args, atOnce(begin(step as never, args, options)));
    if (isDue(++entry.calls)) {
      try {
        again(step as never, args, entry);
      } catch (error) {
        cache.remove(entry);
        throw error;
      }
    }
    return entry;
  };
  const run = (...args: A): Promise<unknown> => {
    try {
      const entry = found(args);
      return entry.first ? runFirst(entry, args) : entry.plan.run(args, undefined, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const runFirst = async (entry: Entry, args: readonly Value[]): Promise<unknown> => {
    const { first } = entry;
    entry.first = null;
    try {
      const result = await first?.run(args, undefined, signal);
      first?.dispose();
      return result;
    } catch (error) {
      entry.first = first;
      throw error;
    }
  };
  const sync = (...args: A) => {
    const entry = found(args);
    if (!entry.first) return entry.plan.runSync(args);
    const result = entry.first.runSync(args);
    entry.first.dispose();
    entry.first = null;
    return result;
  };
  const repeat = async (n: number, ...args: A) => {
    checkRepeat(n, args);
    const entry = found(sliceAt(args, 0));
    if (!entry.first) return entry.plan.run(args, n, signal);
    const first = await runFirst(entry, sliceAt(args, 0));
    return joinRuns(first, n > 1 ? await entry.plan.run(sliceFrom(args, 1), n - 1, signal) : undefined);
  };
  const dispose = () => {
    cache.clear();
    disposed = true;
  };
  const profile = (on: boolean) => {
    for (const p of cache.plans) p.profile(on);
  };
  const check = () => {
    for (const e of cache.entries) e.calls = Math.min(e.calls, 1);
  };
  return Object.assign(run, {
    sync,
    prepare,
    repeat,
    check,
    profile,
    explain: () => explain(cache.plans),
    [Symbol.dispose]: dispose,
  }) as unknown as Compiled<A, Awaited<R>>;
}

type Step = (...args: Value[]) => unknown;

/** Records until two runs in a row do the same. */
function* begin(
  f: Step,
  args: readonly Value[],
  options: CompileOptions,
): Slices<Pick<Entry, "recording" | "plan" | "first">> {
  const recordings = [record(f, args)];
  let kept: ReadonlySet<Storage> | undefined;
  try {
    do {
      yield;
      recordings.push(record(f, args));
      yield;
    } while (!agree(recordings));
    const recording = recordings.at(-1) as Recording;
    const plan = yield* Plan.make(recording, options);
    kept = statesOf(recording);
    const [{ graph, ...rest }] = recordings;
    const first = recordings.length === mostRecordings ? { ...rest, graph: promote(graph, kept) } : undefined;
    return { recording, plan, first: first ? yield* Plan.make(first, options) : null };
  } finally {
    for (const { graph } of recordings) seal(graph.slots, kept);
  }
}
const statesOf = ({ graph }: Recording): Set<Storage> =>
  new Set(graph.slots.flatMap((s) => (s.role === "state" ? [s.storage] : [])));

/** Whether the latest recording is what every later run will do. */
function agree(recordings: readonly Recording[]): boolean {
  const [before, latest] = recordings.slice(-2);
  try {
    checkSame(before, latest);
    return true;
  } catch (error) {
    const begun = latest.graph.slots.some((s) => s.role === "state" && s.storage.serial >= recordings[0].born);
    if (begun && recordings.length < mostRecordings) return false;
    throw error;
  }
}

function again(f: Step, args: readonly Value[], { recording }: Entry): void {
  const { graph, ...rest } = record(f, args);
  try {
    checkSame(recording, { graph, ...rest });
  } finally {
    seal(graph.slots);
  }
}

/** f with its products in this precision. */
function within<A extends readonly Value[], R>(f: (...args: A) => R, p: Precision | undefined): (...args: A) => R {
  if (p === undefined) return f;
  checkPrecision("compile", p);
  return (...args) => withPrecision(p, () => f(...args));
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
