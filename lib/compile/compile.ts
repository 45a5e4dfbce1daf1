import { fail, showShape } from "../core/errors.ts";
import { native } from "../core/native.ts";
import { Value } from "../core/value.ts";
import { gradEnabled } from "../engine/tape.ts";
import { checkSame } from "./diff.ts";
import { type Explanation, explain } from "./explain.ts";
import { Plan } from "./plan.ts";
import { type Recording, record } from "./record.ts";
import { checkRepeat, joinRuns, sliceAt, sliceFrom } from "./repeat.ts";

export interface CompileOptions {
  /** Join elementwise steps into one pass. Default true; the bits are the same without. */
  fuse?: boolean;
  /** Cancels runs that have not begun. */
  signal?: AbortSignal;
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
  /** Gives the arenas back. */
  [Symbol.dispose](): void;
}

interface Entry {
  readonly first: Recording;
  plan: Plan | null;
}
const maxPlans = 8;

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
  if (typeof f !== "function") fail("ERR_NABLA_TYPE", "compile", "takes a function", { actual: typeof f });
  const cache = new Map<string, Entry[]>();
  let disposed = false;
  const count = () => [...cache.values()].reduce((n, e) => n + e.length, 0);

  const find = (args: readonly Value[]): Entry | undefined =>
    cache.get(signature(args))?.find((e) => e.first.guards.every((g) => Object.is(g.read(), g.value)));

  /** The plan for these arguments, or the result of a recorded run while there is none yet. */
  const prepare = (args: readonly Value[]): { plan: Plan } | { result: unknown } => {
    if (disposed) fail("ERR_NABLA_DISPOSED", "compile", "the compiled step was disposed");
    args.forEach(checkArgument);
    const entry = find(args);
    if (entry?.plan) return { plan: entry.plan };
    const recording = record(f as never, args);
    if (!entry) {
      const key = signature(args);
      cache.set(key, [...(cache.get(key) ?? []), { first: recording, plan: null }]);
      if (count() > maxPlans) evict(cache);
    } else {
      checkSame(entry.first, recording);
      entry.plan = new Plan(recording, options);
    }
    return { result: recording.result };
  };

  const run = async (...args: A) => {
    const ready = prepare(args);
    return "plan" in ready ? ready.plan.run(args, undefined, options.signal) : ready.result;
  };
  const sync = (...args: A) => {
    const ready = prepare(args);
    return "plan" in ready ? ready.plan.runSync(args, undefined) : ready.result;
  };
  const repeat = async (n: number, ...args: A) => {
    checkRepeat(n, args);
    const results: unknown[] = [];
    for (let i = 0; i < n; i++) {
      const ready = prepare(sliceAt(args, i));
      if ("plan" in ready) return joinRuns(results, await ready.plan.run(sliceFrom(args, i), n - i, options.signal));
      results.push(ready.result);
    }
    return joinRuns(results, undefined);
  };
  const dispose = () => {
    for (const list of cache.values()) for (const e of list) e.plan?.dispose();
    cache.clear();
    disposed = true;
  };
  const plans = () => [...cache.values()].flat().flatMap((e) => (e.plan ? [e.plan] : []));
  const profile = (on: boolean) => {
    for (const p of plans()) p.profile(on);
  };
  return Object.assign(run, {
    sync,
    repeat,
    profile,
    explain: () => explain(plans()),
    [Symbol.dispose]: dispose,
  }) as unknown as Compiled<A, Awaited<R>>;
}

/** What a plan depends on besides its guards. */
function signature(args: readonly Value[]): string {
  return `${args.map((x) => `${x.dtype}${showShape(x.shape)}`).join(" ")} ${gradEnabled()} ${native.isa()}`;
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

/** Too many plans: the oldest goes, and the size that keeps changing is named once. */
function evict(cache: Map<string, Entry[]>): void {
  const [oldest, list] = cache.entries().next().value as [string, Entry[]];
  const newest = [...cache.keys()].at(-1) as string;
  const before = oldest.split(" ");
  const differs = newest.split(" ").find((word, i) => word !== before[i]);
  process.emitWarning(
    `compile: more than ${maxPlans} plans for one step; arguments keep changing (${differs ?? "a guard"})`,
    {
      code: "NABLA_PLANS",
      detail: "Give batches one size (dropLast), or pad them.",
    },
  );
  const gone = list.shift();
  if (gone?.plan && gone.plan.inFlight === 0) gone.plan.dispose();
  if (list.length === 0) cache.delete(oldest);
}
