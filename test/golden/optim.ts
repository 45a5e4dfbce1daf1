// The optim folder: steps on fixed gradients, clipping, learning rates.
import { join } from "node:path";
import { Value } from "../../lib/core/value.ts";
import { compare, type Tolerance } from "./comparison.ts";
import { create, lookup } from "./library.ts";
import { Miss, type Report, Skip } from "./outcome.ts";
import { readJson, readSafetensors, type Tensors } from "./reader.ts";
import { schedule, scheduleName } from "./schedule.ts";
import { camel } from "./table/elementwise.ts";
import { fromStored, numbers } from "./values.ts";

export interface Optimizer {
  lr: number;
  step(): void;
  zeroGrad(): void;
  stateDict(): ReadonlyMap<string, Value>;
  readonly groups: readonly { readonly options: Readonly<Record<string, unknown>> }[];
}
export type Parameters = ReadonlyMap<string, Value & { grad: Value | null }>;
type Options = Readonly<Record<string, unknown>>;

/** torch's options in nabla's spelling. One that is off and unknown here changes nothing; one that is on does. */
function options(name: string, given: Options, known: Options): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, x] of Object.entries(given)) {
    if (camel(key) in known) out[camel(key)] = x;
    else if (x && !(name === "AdamW" && key === "decoupled_weight_decay")) throw new Skip(`no ${key}`);
  }
  return out;
}
interface Group {
  readonly params: readonly string[];
  readonly [option: string]: unknown;
}
/** "torch.optim.AdamW" with its arguments. */
export function optimizer(
  torch: string,
  parameters: Parameters,
  hyper: Options,
  groups: readonly Group[] = [],
): Optimizer {
  const name = torch.split(/[.:]/).at(-1)!;
  const known = create<Optimizer>(name, parameters).groups[0]!.options;
  const own = groups.map(({ params, ...rest }) => ({
    parameters: (_: unknown, p: string) => params.includes(p),
    ...options(name, rest, known),
  }));
  return create(name, parameters, { ...options(name, hyper, known), ...(own.length > 0 ? { groups: own } : {}) });
}

const expectClose = (what: string, got: ArrayLike<number>, name: string, tensors: Tensors, cmp: Tolerance): void => {
  const ref = tensors.get(name);
  const miss = ref ? compare(got, ref.data, cmp) : `${name} is not in the file`;
  if (miss) throw new Miss(`${what}: ${miss}`);
};
const near = (what: string, got: number, ref: number, rtol: number): void => {
  const miss = compare([got], [ref], { mode: "close", atol: 1e-30, rtol });
  if (miss) throw new Miss(`${what}: ${miss}`);
};

function load(tensors: Tensors, name: string): Value {
  const stored = tensors.get(name);
  if (!stored) throw new Miss(`${name} is not in the file`);
  return fromStored(stored);
}
function parameter(x: Value): Value & { grad: Value | null } {
  return create("Parameter", x);
}

interface Clip {
  readonly norm?: { readonly max_norm: number; readonly norm_type?: number | "inf" };
  readonly value?: number;
}
/** Clips and returns the norm from before, where there is one. */
export function clip(parameters: Parameters, { norm, value }: Clip): number | undefined {
  if (value !== undefined) lookup<(p: Parameters, max: number) => void>("clipGradValue")(parameters, value);
  if (!norm) return undefined;
  const type = norm.norm_type === "inf" ? Number.POSITIVE_INFINITY : (norm.norm_type ?? 2);
  const byNorm = lookup<(p: Parameters, max: number, options: object) => Value>("clipGradNorm");
  return numbers(byNorm(parameters, norm.max_norm, { norm: type }))[0];
}

interface Snapshot {
  readonly step: number;
  readonly param: string;
  readonly tensor: string;
  readonly cmp: Tolerance;
}
interface Trajectory {
  readonly id: string;
  readonly optimizer: string;
  readonly hyper_full: Options;
  readonly groups?: readonly Group[];
  readonly sequence: string;
  readonly params: readonly string[];
  readonly snapshots: readonly Snapshot[];
  readonly state_after_50: readonly (Omit<Snapshot, "step"> & { readonly state: string })[];
  readonly clip?: Clip;
  readonly grad_norms?: readonly number[];
  readonly grad_norms_torch32_max_rel?: number;
  readonly lr_per_step?: readonly number[];
}

function trajectory(c: Trajectory, steps: number, tensors: Tensors): void {
  const at = (kind: string, p: string) => load(tensors, `seq/${c.sequence}/${kind}.${p}`);
  const parameters = new Map(c.params.map((p) => [p, parameter(at("param", p))]));
  const gradients = new Map(c.params.map((p) => [p, numbers(at("grad", p))]));
  const opt = optimizer(c.optimizer, parameters, c.hyper_full, c.groups);
  for (let t = 0; t < steps; t++) {
    for (const [p, x] of parameters) {
      const data = gradients.get(p)!.slice(t * x.size, (t + 1) * x.size) as Float32Array;
      x.grad = fromStored({ dtype: x.dtype, shape: x.shape, data });
    }
    if (c.lr_per_step) opt.lr = c.lr_per_step[t]!;
    const norm = c.clip && clip(parameters, c.clip);
    const rtol = Math.max(1e-6, 16 * (c.grad_norms_torch32_max_rel ?? 0));
    if (c.grad_norms && norm !== undefined) near(`norm of step ${t}`, norm, c.grad_norms[t]!, rtol);
    opt.step();
    for (const { step, param, tensor, cmp } of c.snapshots)
      if (step === t + 1)
        expectClose(`${param} after step ${step}`, numbers(parameters.get(param)!), tensor, tensors, cmp);
  }
  const state = opt.stateDict();
  for (const { param, state: kind, tensor, cmp } of c.state_after_50) {
    const x = state.get(`${kind}.${param}`);
    if (!(x instanceof Value)) throw new Miss(`there is no state ${kind}.${param}`);
    expectClose(`${kind} of ${param}`, numbers(x), tensor, tensors, cmp);
  }
}

interface Clipping {
  readonly id: string;
  readonly kind: string;
  readonly args: { readonly max_norm: number; readonly norm_type?: number; readonly clip_value?: number };
  readonly grads: readonly {
    readonly param: string;
    readonly input: string;
    readonly output: string;
    readonly cmp: Tolerance;
  }[];
  readonly total_norm?: number;
}
function clipping(c: Clipping, tensors: Tensors): void {
  const parameters = new Map(
    c.grads.map(({ param, input }) => {
      const grad = load(tensors, input);
      return [param, Object.assign(parameter(load(tensors, input)), { grad })];
    }),
  );
  const { clip_value: value, max_norm, norm_type } = c.args;
  const norm = clip(parameters, value === undefined ? { norm: { max_norm, norm_type: norm_type ?? 2 } } : { value });
  if (c.total_norm !== undefined) near("total norm", norm!, c.total_norm, 1e-6);
  for (const { param, output, cmp } of c.grads)
    expectClose(`gradient of ${param}`, numbers(parameters.get(param)!.grad!), output, tensors, cmp);
}

export interface ScheduleCase {
  readonly schedule: string;
  readonly base_lr: number;
  readonly args: Readonly<Record<string, unknown>>;
  readonly lr: readonly number[];
  /** What ReduceLROnPlateau is told after each step. */
  readonly metrics?: readonly number[];
}

/** Runs the folder's three files; `part` is the name of one. */
export async function optim(at: string, part: string, report: Report): Promise<void> {
  const family = `optim/${part}`;
  if (part === "schedules") {
    const { cases, rtol } = readJson<{ cases: ScheduleCase[]; rtol: number }>(at, "optim", "schedules.json");
    for (const [i, c] of cases.entries()) {
      const name = scheduleName(c.schedule);
      await report.run(family, `schedule.${i}.${name}`, name, () => {
        const rate = schedule(c);
        c.lr.forEach((lr, t) => {
          near(`step ${t}`, rate(t), lr, rtol);
        });
      });
    }
    return;
  }
  const file = readJson<{ tensors: string; cases: never[]; sequences?: Record<string, { steps: number }> }>(
    at,
    "optim",
    `${part}.json`,
  );
  const tensors = readSafetensors(join(at, "optim", file.tensors));
  for (const c of file.cases as (Trajectory | Clipping)[]) {
    if ("kind" in c) await report.run(family, c.id, c.kind.split(".").at(-1)!, () => clipping(c, tensors));
    else {
      const steps = file.sequences![c.sequence]!.steps;
      await report.run(family, c.id, c.optimizer.split(/[.:]/).at(-1)!, () => trajectory(c, steps, tensors));
    }
  }
}
