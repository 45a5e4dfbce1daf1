import { fail, NablaError } from "../core/errors.ts";
import { native, type Program, rethrow } from "../core/native.ts";
import { plan as planned } from "../core/storage.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { contiguous } from "../ops/arithmetic.ts";
import type { Graph } from "./graph.ts";
import { type Lowered, lower } from "./lower.ts";
import { planMemory } from "./memory.ts";
import { shareCommon } from "./passes/common.ts";
import { removeDead } from "./passes/dead.ts";
import { fuseMaps, singleSteps } from "./passes/fuse.ts";
import { type Recording, rebuild, type Shape } from "./record.ts";

/** Most runs of one plan waiting or running at once; the next is refused, so memory stays bounded. */
const maxInFlight = 1024;

/** A recorded step as a native program. */
export class Plan {
  readonly graph: Graph;
  readonly arenaBytes: number;
  readonly #program: Program;
  readonly #lowered: Lowered;
  readonly #returns: Shape;
  readonly #outputs: { shape: number[]; dtype: Value["dtype"] }[] = [];
  #inFlight = 0;
  #timed = 0;
  #profiling = false;

  constructor(recording: Recording, options: { fuse?: boolean | undefined }) {
    const clean = shareCommon(removeDead(recording.graph));
    this.graph = options.fuse === false ? singleSteps(clean) : fuseMaps(clean);
    const layout = planMemory(this.graph);
    this.arenaBytes = layout.arenaBytes;
    this.#lowered = lower(this.graph, layout);
    this.#returns = recording.returns;
    collect(recording.returns, this.#outputs);
    try {
      this.#program = new native.Program(this.#lowered.plan);
    } catch (e) {
      rethrow(e);
    }
    planned(this.arenaBytes);
  }

  get program(): Program {
    return this.#program;
  }
  get stateBytes(): number {
    return this.#lowered.state.reduce((n, s) => n + s.bytes, 0);
  }
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Runs on this thread, n times over n slices of the arguments. */
  runSync(args: readonly Value[], repeat: number | undefined): unknown {
    const outputs = this.#fresh(repeat);
    try {
      this.#program.run(arraysOf(args), arraysOf(outputs), repeat ?? 1);
    } catch (e) {
      rethrow(e);
    }
    this.#wrote();
    if (this.#profiling) this.#timed += repeat ?? 1;
    return rebuild(this.#returns, outputs);
  }

  /** Runs on the runner thread. The arguments are copied before this returns. */
  run(args: readonly Value[], repeat: number | undefined, signal: AbortSignal | undefined): Promise<unknown> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (this.#inFlight >= maxInFlight) {
      return Promise.reject(
        new NablaError("ERR_NABLA_STATE", "compile", `${maxInFlight} runs of this step are in flight`, {
          hint: "await each step, or every few",
        }),
      );
    }
    const outputs = this.#fresh(repeat);
    return new Promise((resolve, reject) => {
      let ticket = 0;
      const cancel = () => native.cancel(ticket);
      const done = (code?: string) => {
        this.#release();
        if (this.#profiling) this.#timed += repeat ?? 1;
        signal?.removeEventListener("abort", cancel);
        if (code === undefined) resolve(rebuild(this.#returns, outputs));
        else if (code === "ERR_NABLA_ABORTED") reject(aborted(signal));
        else
          reject(
            new NablaError(code as "ERR_NABLA_MEMORY", "compile", "the step could not run", {
              hint: "not enough memory for a kernel's scratch, or a result's array was detached",
            }),
          );
      };
      try {
        ticket = this.#program.runAsync(arraysOf(args), arraysOf(outputs), repeat ?? 1, done);
      } catch (e) {
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

  dispose(): void {
    if (this.#inFlight > 0) fail("ERR_NABLA_STATE", "dispose", "the step is in flight", { hint: "await it first" });
    planned(-this.arenaBytes);
  }

  #fresh(repeat: number | undefined): Value[] {
    return this.#outputs.map(({ shape, dtype }) =>
      emptyValue(repeat === undefined ? [...shape] : [repeat, ...shape], dtype),
    );
  }
  #hold(): void {
    this.#inFlight++;
    for (const s of this.#lowered.state) {
      s.holds++;
      s.wait = native.drain;
    }
  }
  #release(): void {
    this.#inFlight--;
    for (const s of this.#lowered.state) s.holds--;
    this.#wrote();
  }
  #wrote(): void {
    for (const s of this.#lowered.written) s.version++;
  }
}

const aborted = (signal: AbortSignal | undefined) =>
  new NablaError("ERR_NABLA_ABORTED", "compile", "the step was aborted before it began", { cause: signal?.reason });

const arraysOf = (values: readonly Value[]) =>
  values.map((v) => contiguous(v)).map((v) => v.storage.array.subarray(v.offset, v.offset + v.size));

function collect(returns: Shape, out: { shape: number[]; dtype: Value["dtype"] }[]): void {
  if (returns.kind === "tensor") out[returns.index] = { shape: returns.shape, dtype: returns.dtype };
  else if (returns.kind === "list") for (const r of returns.items) collect(r, out);
  else if (returns.kind === "record") for (const r of Object.values(returns.items)) collect(r, out);
}
