import type { TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { emptyLike, isDense } from "../core/layout.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { elementsOf, isRecording } from "../engine/launch.ts";
import type { Kernel } from "../native.gen.ts";
import type { Parameter } from "../nn/parameter.ts";

// The state of a group, as native/kernels/optimizer.h reads it: 12 numbers.
const slots = {
  lr: 0,
  weightDecay: 1,
  maximize: 2,
  eps: 3,
  beta1: 4,
  beta2: 5,
  extra: 6,
  flag: 7,
  step: 8,
  product: 11,
} as const;
export const hyperWords = 12;
export type Slot = keyof typeof slots;
export type Slots = Partial<Record<Slot, number>>;

/** The options of every optimizer. */
export interface Common {
  /** Learning rate. */
  lr?: number;
  weightDecay?: number;
  /** Climb instead of descend. */
  maximize?: boolean;
}

/** An update rule: a native row, the state it keeps for each parameter, and where its hyper-parameters stand. */
export interface Rule<O extends Common> {
  readonly name: string;
  readonly kernel: Kernel;
  readonly defaults: Required<O>;
  /** State tensors by the names PyTorch gives them, in the order of the row; null for one these options do not need. */
  state(o: Required<O>): readonly (string | null)[];
  hyper(o: Required<O>): Slots;
  /** Numbers that the row counts on, besides the steps, by PyTorch's names. */
  readonly counts?: Readonly<Record<string, Slot>>;
  /** What the state begins with, 0 unless given. */
  initial?(o: Required<O>): number;
  /** What is wrong with the options. */
  check?(o: Required<O>): string | undefined;
}

export interface Member {
  readonly name: string;
  readonly parameter: Parameter;
  readonly state: readonly (Value | null)[];
}
/** Parameters that took their first step together: they share a step count and all that follows from it. */
export interface Cohort {
  readonly hyper: Value;
  readonly members: Member[];
}

function write(hyper: Value, values: Slots): void {
  if (isRecording())
    fail(
      "ERR_NABLA_COMPILE",
      "optimizer",
      `${Object.keys(values).join(", ")} would be set once, when the step is recorded`,
      {
        hint: "set it between calls of the compiled step: opt.lr = schedule(i) before step()",
      },
    );
  put(elementsOf("optimizer", hyper), values);
  hyper.storage.version++;
}
function put(words: TypedArray, values: Slots): void {
  for (const [slot, x] of Object.entries(values)) words[slots[slot as Slot]] = x;
}
export function readSlot(hyper: Value, slot: Slot): number {
  return elementsOf("optimizer", hyper)[slots[slot]];
}

/** Fills a dense value from JavaScript, not with a kernel: a step that is recorded finds it as state and does not make it again. */
export function filled(x: Value, value: number): Value {
  x.storage.array.fill(value, x.offset, x.offset + x.size);
  return x;
}

export function checkRate(op: string, name: string, x: unknown): number {
  if (typeof x === "number" && Number.isFinite(x) && x >= 0) return x;
  return fail("ERR_NABLA_VALUE", op, `${name} must be a number from 0, got ${String(x)}`, {
    expected: "from 0",
    actual: x,
  });
}

/** Parameters that share hyper-parameters. What is written here holds from the next step on, in compiled steps too. */
export class ParameterGroup<O extends Common = Common> {
  /** What the group was made with. */
  readonly options: Required<O>;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly cohorts: Cohort[] = [];
  readonly #rule: Rule<O>;
  readonly #values: Partial<Record<Slot, number | undefined>>;

  constructor(rule: Rule<O>, options: Required<O>, parameters: ReadonlyMap<string, Parameter>) {
    for (const [name, x] of Object.entries(options)) if (typeof x === "number") checkRate(rule.name, name, x);
    const complaint = rule.check?.(options);
    if (complaint) fail("ERR_NABLA_VALUE", rule.name, complaint, { actual: options });
    this.options = options;
    this.parameters = parameters;
    this.#rule = rule;
    this.#values = {
      lr: options.lr,
      weightDecay: options.weightDecay,
      maximize: options.maximize ? 1 : 0,
      ...rule.hyper(options),
    };
    this.begin((p) => p.requiresGrad);
  }

  #set(values: Slots): void {
    Object.assign(this.#values, values);
    for (const { hyper } of this.cohorts) write(hyper, values);
  }
  get lr(): number {
    return this.#values.lr ?? 0;
  }
  set lr(lr: number) {
    this.#set({ lr: checkRate(this.#rule.name, "lr", lr) });
  }
  get weightDecay(): number {
    return this.#values.weightDecay ?? 0;
  }
  set weightDecay(weightDecay: number) {
    this.#set({ weightDecay: checkRate(this.#rule.name, "weightDecay", weightDecay) });
  }

  get members(): Member[] {
    return this.cohorts.flatMap((c) => c.members);
  }
  /** Makes state for those of the parameters that have none yet; their first step is the next. */
  begin(which: (p: Parameter, name: string) => boolean): void {
    const known = new Set(this.members.map((m) => m.name));
    const fresh = [...this.parameters].filter(([name, p]) => !known.has(name) && which(p, name));
    if (fresh.length > 0)
      this.cohorts.push({ hyper: this.#hyper(), members: fresh.map(([name, p]) => this.#member(name, p)) });
  }
  #hyper(): Value {
    const hyper = filled(emptyValue([hyperWords], "f64"), 0);
    hyper.label = `hyper-parameters of ${this.#rule.name}`;
    put(hyper.storage.array.subarray(hyper.offset), this.#values as Slots);
    return hyper;
  }
  #member(name: string, parameter: Parameter): Member {
    if (!isDense(parameter.shape, parameter.strides))
      fail("ERR_NABLA_VALUE", this.#rule.name, `${name} is a window on a larger tensor`, {
        values: { [name]: parameter },
        hint: "make the parameter of a copy: new Parameter(x.clone())",
      });
    const initial = this.#rule.initial?.(this.options) ?? 0;
    const state = this.#rule.state(this.options).map((kind) => {
      if (kind === null) return null;
      const x = filled(emptyLike(parameter), initial);
      x.label = `${kind}.${name}`;
      return x;
    });
    return { name, parameter, state };
  }

  /** Gives each parameter the steps it had taken; those that differ part ways. */
  restore(counts: ReadonlyMap<string, Slots>): void {
    const { members } = this;
    const spare = this.cohorts.splice(0).map((c) => c.hyper);
    for (const member of members) {
      const own = counts.get(member.name) ?? {};
      const mates = this.cohorts.find((c) => readSlot(c.hyper, "step") === own.step);
      if (mates) {
        mates.members.push(member);
        continue;
      }
      const hyper = spare.shift() ?? this.#hyper();
      write(hyper, own);
      this.cohorts.push({ hyper, members: [member] });
    }
  }
}
