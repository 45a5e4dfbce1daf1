import { bytesOf, type DType, type TypedArray, viewOf } from "../core/dtype.ts";
import { fail, NablaError } from "../core/errors.ts";
import { native, type Program, rethrow } from "../core/native.ts";
import { contiguousStrides, numel } from "../core/shape.ts";
import { plan as planned, Storage } from "../core/storage.ts";
import { emptyValue, makeValue, type Value } from "../core/value.ts";
import { withGrad } from "../engine/tape.ts";
import { contiguous } from "../ops/arithmetic.ts";
import type { Graph } from "./graph.ts";
import { type Limits, type Peak, type Planned, planWithin } from "./limit.ts";
import { type Lowered, lower } from "./lower.ts";
import type { Layout } from "./memory.ts";
import { beginRuns, type Packed } from "./packed.ts";
import { type Recording, rebuild, type Shape } from "./record.ts";
import type { Slices } from "./slices.ts";

/** Runs of one plan waiting or running at once, and the bytes they may take: the next is refused, so memory stays bounded. */
const maxInFlight = 1024;
const maxBytes = 2 ** 30;
/** V8 keeps typed arrays up to this size in its own heap: a loss costs no array buffer. */
const smallBytes = 64;

interface Result {
  readonly shape: number[];
  readonly dtype: DType;
  /** Where native writes a small result. */
  readonly landing: TypedArray | null;
}

/** A recorded step as a native program. */
export class Plan {
  readonly graph: Graph;
  readonly peak: Peak;
  /** Slots that never reach memory. */
  readonly tiles: Layout["tiles"];
  readonly #program: Program;
  readonly #lowered: Lowered;
  readonly #returns: Shape;
  readonly #results: readonly Result[];
  #inFlight = 0;
  /** How the next run reads packed weights: given to the program behind the arguments. */
  readonly #how: Int32Array;
  #timed = 0;
  #profiling = false;
  #disposed = false;

  static *make(recording: Recording, options: Limits): Slices<Plan> {
    const within = yield* planWithin(recording.graph, options);
    return new Plan(recording, within);
  }
  private constructor(recording: Recording, { graph, layout, peak }: Planned) {
    this.graph = graph;
    this.peak = peak;
    this.tiles = layout.tiles;
    this.#lowered = lower(graph, layout);
    this.#returns = recording.returns;
    this.#results = resultsOf(recording.returns);
    this.#how = new Int32Array(this.#packed.length);
    try {
      this.#program = new native.Program(this.#lowered.plan);
    } catch (e) {
      rethrow(e);
    }
    planned(this.peak.arena);
  }

  get #packed(): readonly Packed[] {
    return this.graph.packed ?? [];
  }
  get program(): Program {
    return this.#program;
  }

  /** Runs on this thread. */
  runSync(args: readonly Value[]): unknown {
    this.#checkState();
    const fresh = this.#fresh(undefined);
    const given = arraysOf(args);
    const made = beginRuns(this.#packed, this.#how);
    let failed: readonly [number, number] | undefined = [0, 0];
    try {
      failed = this.#program.run(this.#given(given, this.#how), this.#arrays(fresh), 1);
    } catch (e) {
      rethrow(e);
    } finally {
      for (const p of made) p.end(failed === undefined);
    }
    if (failed) this.#complain(...failed);
    this.#wrote();
    if (this.#profiling) this.#timed++;
    return this.#collect(fresh);
  }

  /** Runs on the runner thread, n times over n slices of the arguments, which are copied before this returns. */
  run(args: readonly Value[], repeat: number | undefined, signal: AbortSignal | undefined): Promise<unknown> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    const n = repeat ?? 1;
    const bytes = n * this.peak.copies * (this.#inFlight + 1);
    if (this.#inFlight >= maxInFlight || (this.#inFlight > 0 && bytes > maxBytes))
      return Promise.reject(
        new NablaError("ERR_NABLA_STATE", "compile", `${this.#inFlight} runs of this step are in flight`, {
          hint: "await each step, or every few",
        }),
      );
    this.#checkState();
    const fresh = this.#fresh(repeat);
    const given = arraysOf(args);
    const how = repeat === undefined ? this.#how : new Int32Array(n * this.#how.length);
    const made = beginRuns(this.#packed, how);
    return new Promise((resolve, reject) => {
      let ticket = 0;
      const cancel = () => native.cancel(ticket);
      const done = (code: string | undefined, check: number, found: number) => {
        this.#release();
        for (const p of made) p.end(code === undefined);
        signal?.removeEventListener("abort", cancel);
        if (this.#profiling) this.#timed += n;
        try {
          if (code !== undefined) this.#fail(code, check, found, signal);
          resolve(this.#collect(fresh));
        } catch (error) {
          reject(error);
        }
      };
      try {
        ticket = this.#program.runAsync(this.#given(given, how), this.#arrays(fresh), n, done);
      } catch (e) {
        for (const p of made) p.end(false);
        rethrow(e);
      }
      this.#hold();
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Runs since the clocks were turned on. */
  get timed(): number {
    return this.#timed;
  }
  profile(on: boolean): void {
    this.#program.profile(on);
    this.#timed = 0;
    this.#profiling = on;
  }

  /** Runs in flight still land. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#program.dispose();
    planned(-this.peak.arena);
  }

  /** Memory for the results of a run; null where they are small enough to be made when it lands. */
  #fresh(repeat: number | undefined): (Value | null)[] {
    return this.#results.map(({ shape, dtype, landing }) => {
      if (repeat !== undefined) return emptyValue([repeat, ...shape], dtype);
      return landing ? null : emptyValue([...shape], dtype);
    });
  }
  #given(args: TypedArray[], how: Int32Array): TypedArray[] {
    return how.length > 0 ? [...args, how] : args;
  }
  #arrays(fresh: readonly (Value | null)[]): TypedArray[] {
    return fresh.map((y, i) => y?.storage.array ?? (this.#results[i].landing as TypedArray));
  }
  #collect(fresh: readonly (Value | null)[]): unknown {
    const outputs = this.#results.map(({ shape, dtype, landing }, i) => {
      const y = fresh[i];
      if (y || !landing) return y as Value;
      return makeValue(new Storage(dtype, landing.slice()), 0, [...shape], contiguousStrides(shape), dtype);
    });
    return rebuild(this.#returns, outputs);
  }
  #hold(): void {
    this.#inFlight++;
    for (const s of this.#lowered.state) {
      s.holds++;
      s.wait = native.drain;
    }
    for (const s of this.#lowered.written) s.writers++;
  }
  #release(): void {
    this.#inFlight--;
    for (const s of this.#lowered.state) s.holds--;
    for (const s of this.#lowered.written) s.writers--;
    this.#wrote();
  }
  #wrote(): void {
    for (const s of this.#lowered.written) s.version++;
  }
  #checkState(): void {
    for (const s of this.#lowered.state) if (s.disposed) this.#lost();
  }
  #lost(): never {
    const slot = this.graph.slots.find((x) => x.role === "state" && x.storage.disposed);
    return fail("ERR_NABLA_DISPOSED", "compile", `${slot?.label ?? "a tensor"} was given back, and the step uses it`, {
      hint: "keep what a step closes over, or pass it as an argument",
    });
  }
  #complain(check: number, at: number): never {
    return this.#lowered.complaints[check](at, undefined);
  }
  #fail(code: string, check: number, found: number, signal: AbortSignal | undefined): never {
    if (code === "ERR_NABLA_INDEX") this.#complain(check, found);
    if (code === "ERR_NABLA_ABORTED") throw aborted(signal);
    const why =
      code === "ERR_NABLA_MEMORY" ? "there was no memory for a kernel's scratch" : "the array of a result was detached";
    return fail(code as "ERR_NABLA_MEMORY", "compile", `the step could not run: ${why}`);
  }
}

const aborted = (signal: AbortSignal | undefined) =>
  new NablaError("ERR_NABLA_ABORTED", "compile", "the step was aborted before it began", { cause: signal?.reason });

/** The elements of arguments as they lie in memory, once nothing in flight writes them. */
const arraysOf = (values: readonly Value[]): TypedArray[] =>
  values.map((v) => {
    if (v.storage.writers > 0) v.storage.wait?.();
    const x = v.isContiguous ? v : withGrad(false, () => contiguous(v));
    const { array } = x.storage;
    if (array.length < x.offset + x.size)
      fail(
        "ERR_NABLA_DETACHED",
        "compile",
        "an argument has lost its memory: its array buffer was detached or shrunk",
        {
          values: { argument: x },
        },
      );
    return x.size === array.length ? array : array.subarray(x.offset, x.offset + x.size);
  });

function resultsOf(returns: Shape, out: Result[] = []): Result[] {
  if (returns.kind === "tensor") {
    const { index, shape, dtype } = returns;
    const bytes = numel(shape) * bytesOf(dtype);
    const landing = bytes <= smallBytes ? viewOf(dtype, new ArrayBuffer(bytes), 0, numel(shape)) : null;
    out[index] = { shape, dtype, landing };
  } else if (returns.kind === "list") for (const r of returns.items) resultsOf(r, out);
  else if (returns.kind === "record") for (const r of Object.values(returns.items)) resultsOf(r, out);
  return out;
}
