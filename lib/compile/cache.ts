import type { DType } from "../core/dtype.ts";
import { native } from "../core/native.ts";
import { sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { type Precision, precision } from "../engine/precision.ts";
import { gradEnabled } from "../engine/tape.ts";
import type { Plan } from "./plan.ts";
import type { Recording } from "./record.ts";

/** What a plan depends on, besides what the step read (its guards). */
interface Signature {
  readonly args: readonly {
    readonly shape: readonly number[];
    readonly dtype: DType;
    readonly requiresGrad: boolean;
  }[];
  readonly grad: boolean;
  readonly precision: Precision;
  readonly isa: string;
}
/** What a step does when it is called like this. */
export interface Entry extends Signature {
  readonly recording: Recording;
  readonly plan: Plan;
  /** The first call, where it differs from all others: state begins in it. */
  first: Plan | null;
  calls: number;
}

const signatureOf = (args: readonly Value[]): Signature => ({
  args: args.map(({ shape, dtype, requiresGrad }) => ({ shape: [...shape], dtype, requiresGrad })),
  grad: gradEnabled(),
  precision: precision(),
  isa: native.isa(),
});

function fits(e: Entry, args: readonly Value[]): boolean {
  if (e.args.length !== args.length || e.grad !== gradEnabled() || e.isa !== native.isa()) return false;
  if (e.precision !== precision()) return false;
  for (let i = 0; i < args.length; i++) {
    const [a, b] = [e.args[i], args[i]];
    if (a.dtype !== b.dtype || a.requiresGrad !== b.requiresGrad || !sameShape(a.shape, b.shape)) return false;
  }
  return e.recording.guards.every((g) => Object.is(g.read(), g.value));
}

/** Plans a step may have: one for each set of shapes, dtypes and modes it is called with. */
const most = 8;

/** The plans of one step, latest used first. */
export class Cache {
  readonly entries: Entry[] = [];
  #warned = false;

  find(args: readonly Value[]): Entry | undefined {
    const at = this.entries.findIndex((e) => fits(e, args));
    if (at > 0) this.entries.unshift(...this.entries.splice(at, 1));
    return at < 0 ? undefined : this.entries[0];
  }
  add(args: readonly Value[], made: Pick<Entry, "recording" | "plan" | "first">): Entry {
    const entry: Entry = { ...signatureOf(args), ...made, calls: 0 };
    this.entries.unshift(entry);
    if (this.entries.length > most) {
      this.#warn();
      this.remove(this.entries[most]);
    }
    return entry;
  }
  remove(entry: Entry): void {
    this.entries.splice(this.entries.indexOf(entry), 1);
    entry.plan.dispose();
    entry.first?.dispose();
  }
  clear(): void {
    for (const e of [...this.entries]) this.remove(e);
  }
  get plans(): Plan[] {
    return this.entries.map((e) => e.plan);
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(`compile: more than ${most} plans for one step: ${changing(this.entries)}`, {
      type: "NablaWarning",
      code: "NABLA_PLANS",
      detail:
        "Each new size is recorded and planned anew. Give batches one size: dropLast leaves a short last one out, padding fills it.",
    });
  }
}

/** Names what differs from call to call. */
function changing(entries: readonly Entry[]): string {
  const [first] = entries;
  for (let i = 0; i < first.args.length; i++) {
    const shapes = entries.map((e) => e.args[i]?.shape ?? []);
    const seen = (d: number) => [...new Set(shapes.map((s) => s[d]))];
    const d = first.args[i].shape.findIndex((_, dim) => seen(dim).length > 1);
    if (d >= 0) return `size ${d} of argument ${i} keeps changing (${seen(d).slice(0, 4).join(", ")}, ...)`;
  }
  for (const g of first.recording.guards) if (!Object.is(g.read(), g.value)) return `${g.name} keeps changing`;
  return "what it is called with keeps changing";
}
