import { checkIterable, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { emptyLike, isDense, sameLayout } from "../core/layout.ts";
import { emptyValue, type Value, viewValue } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import type { NamedTensors } from "../io/safetensors.ts";
import { K } from "../native.gen.ts";
import { Module, type ParameterFilter, picks } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { type LoadOptions, match } from "../nn/state.ts";
import { assign, cast } from "../ops/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  type Common,
  checkRate,
  filled,
  hyperWords,
  type Member,
  ParameterGroup,
  type Rule,
  readSlot,
} from "./group.ts";

/** What an optimizer changes: a module, parameters by name, or a list of them (called "0", "1", ...). */
export type Trainable = Module | ReadonlyMap<string, Parameter> | Iterable<Parameter>;

/** The parameters behind it, by name. */
export function parametersOf(op: string, from: Trainable): Map<string, Parameter> {
  if (from instanceof Module) return from.namedParameters();
  checkIterable(op, "what it trains", from);
  const list = from instanceof Map ? [...from] : [...(from as Iterable<Parameter>)].map((p, i) => [`${i}`, p] as const);
  for (const [name, p] of list) {
    if (!p?.isParameter)
      fail("ERR_NABLA_TYPE", op, `${name} is not a parameter`, { actual: p, hint: "new Parameter(tensor) makes one" });
  }
  return new Map(list);
}

/** Parameters with hyper-parameters of their own; what is not given is the optimizer's. */
export type GroupOptions<O> = Partial<O> & { readonly parameters: ParameterFilter };
export interface Grouping<O> {
  /** A parameter belongs to the first group that picks it, or else to the optimizer's own. */
  groups?: readonly GroupOptions<O>[];
  /** Which parameters weightDecay applies to: all unless given. Often `(p) => p.ndim >= 2`. */
  decay?: ParameterFilter;
}

/** Options given as undefined do not hide defaults. */
function defined<O extends object>(given: O): O {
  return Object.fromEntries(Object.entries(given).filter(([, x]) => x !== undefined)) as O;
}

function makeGroups<O extends Common>(
  rule: Rule<O>,
  own: Required<O>,
  from: Trainable,
  { groups = [], decay }: Grouping<O>,
) {
  let left = [...parametersOf(rule.name, from)];
  if (left.length === 0) fail("ERR_NABLA_VALUE", rule.name, "there are no parameters to optimize");
  const made: ParameterGroup<O>[] = [];
  const add = (options: Required<O>, all: [string, Parameter][]) => {
    const decays = ([name, p]: [string, Parameter]) => picks(decay, p, name);
    const exempt = { ...options, weightDecay: 0 };
    for (const [o, list] of [
      [options, all.filter(decays)],
      [exempt, all.filter((entry) => !decays(entry))],
    ] as const)
      if (list.length > 0) made.push(new ParameterGroup(rule, o, new Map(list)));
  };
  for (const group of groups) {
    only(rule.name, group, [...Object.keys(rule.defaults), "parameters"] as never);
    const { parameters, ...options } = group;
    const mine = left.filter(([name, p]) => picks(parameters, p, name));
    if (mine.length === 0)
      fail("ERR_NABLA_VALUE", rule.name, `the group ${String(parameters)} has no parameters`, {
        expected: left.map(([name]) => name),
        actual: parameters,
      });
    left = left.filter((entry) => !mine.includes(entry));
    add({ ...own, ...defined(options) } as Required<O>, mine);
  }
  add(own, left);
  return made;
}

/** The gradient with its elements in the order of the parameter's memory. */
function aligned(p: Value, g: Value): Value {
  if (sameLayout(p, g) && isDense(g.shape, g.strides)) return g;
  const y = emptyLike(p, g.dtype);
  assign(y, g);
  return y;
}

/**
 * What all optimizers have: groups, a learning rate that can be set at any time, and a state that is saved under the names of
 * the parameters. Parameters without a gradient are left alone.
 *
 * PyTorch: `torch.optim.Optimizer`.
 * @example
 * ```ts
 * import { AdamW, Linear, mse, ones, zeros } from "nabla";
 * const model = new Linear(3, 1);
 * const opt = new AdamW(model, { lr: 1e-2, weightDecay: 0.1, decay: (p) => p.ndim >= 2 });
 * for (let i = 0; i < 10; i++) {
 *   opt.lr = 1e-2 * (1 - i / 10);
 *   const loss = mse(model.forward(ones(4, 3)), zeros(4, 1));
 *   opt.zeroGrad();
 *   loss.backward();
 *   opt.step();
 * }
 * ```
 */
export abstract class Optimizer<O extends Common = Common> {
  readonly groups: readonly ParameterGroup<O>[];
  readonly #rule: Rule<O>;
  readonly #first: number;
  #lr: number;

  constructor(rule: Rule<O>, from: Trainable, options: O & Grouping<O>) {
    only(rule.name, options, [...Object.keys(rule.defaults), "groups", "decay"] as never);
    const { groups, decay, ...given } = options;
    if (groups !== undefined) checkIterable(rule.name, "groups", groups);
    const own = { ...rule.defaults, ...defined(given) } as Required<O>;
    this.#rule = rule;
    this.#first = this.#lr = checkRate(rule.name, "lr", own.lr);
    this.groups = makeGroups(rule, own, from, defined({ groups, decay }) as Grouping<O>);
  }

  /** The learning rate. Setting it sets that of every group, in the proportions they were made with. */
  get lr(): number {
    return this.#lr;
  }
  set lr(lr: number) {
    this.#lr = checkRate(this.#rule.name, "lr", lr);
    for (const group of this.groups)
      group.lr = this.#first > 0 ? (lr * (group.options.lr as number)) / this.#first : lr;
  }

  /**
   * One step against the gradients.
   *
   * PyTorch: `step`.
   */
  step(): void {
    for (const group of this.groups) {
      group.begin((p) => p.grad !== null && p.requiresGrad);
      for (const { hyper, members } of group.cohorts) {
        const ready = members.filter(({ parameter: p }) => p.grad !== null && p.requiresGrad);
        if (ready.length === 0) continue;
        launch(K.tick, "f32", [hyperWords], [hyper]);
        hyper.storage.version++;
        for (const member of ready) this.#update(member, hyper);
      }
    }
  }
  #update({ name, parameter: p, state }: Member, hyper: Value): void {
    const stale = state.find((s) => s && s.dtype !== p.dtype);
    if (stale)
      fail("ERR_NABLA_DTYPE", this.#rule.name, `${name} is ${p.dtype} now, its state ${stale.dtype}`, {
        hint: "make the optimizer after model.to(dtype)",
      });
    const g = aligned(p, p.grad as Value);
    launch(this.#rule.kernel, p.dtype, [p.size, hyperWords, 1], [p, ...state, g, hyper, null]);
    p.storage.version++;
    for (const s of state) if (s) s.storage.version++;
  }

  /**
   * Forgets the gradients.
   *
   * PyTorch: `zero_grad`.
   */
  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const p of parameters.values()) p.grad = null;
  }

  /** The numbers counted for each parameter, by their names in the state dict. */
  *#counters() {
    for (const { cohorts } of this.groups)
      for (const { hyper, members } of cohorts)
        for (const { name } of members)
          for (const [kind, slot] of Object.entries({ step: "step", ...this.#rule.counts } as const))
            yield { name, key: `${kind}.${name}`, slot, count: readSlot(hyper, slot) };
  }
  /**
   * The state by name, "exp_avg.fc1.weight" as PyTorch calls it, and "step.fc1.weight", the steps a parameter has taken. With
   * the model's {@link Module.stateDict} it makes a checkpoint. Hyper-parameters are not part of it.
   *
   * PyTorch: `state_dict`.
   */
  stateDict(): Map<string, Tensor> {
    const out = new Map<string, Value>();
    for (const { state } of this.groups.flatMap((g) => g.members))
      for (const s of state) if (s?.label) out.set(s.label, viewValue(s, s.shape, s.strides, s.offset));
    for (const { key, count } of this.#counters()) out.set(key, filled(emptyValue([], "f64"), count));
    return out as Map<string, Tensor>;
  }
  /**
   * Takes over a saved state. Reports everything that does not fit in one error, before anything is written. A file that holds
   * the model too is read with `rename: (key) => /^(step|exp_avg|exp_avg_sq)\./.test(key) ? key : undefined`.
   *
   * PyTorch: `load_state_dict`.
   */
  loadStateDict(dict: NamedTensors, options: LoadOptions = {}): void {
    const given = dict instanceof Map ? dict : new Map(Object.entries(dict as Record<string, Value>));
    for (const group of this.groups) group.begin((_, name) => given.has(`step.${name}`));
    const targets = this.stateDict();
    const wanted = [...targets].map(([name, tensor]) => ({ names: [name], tensor }));
    const { pairs } = match("loadStateDict", wanted, given, options);
    for (const { slot, key } of pairs) assign(slot.tensor, cast(given.get(key) as Value, slot.tensor.dtype));
    const counts = new Map<string, Record<string, number>>();
    for (const { name, key, slot } of this.#counters())
      counts.set(name, { ...counts.get(name), [slot]: (targets.get(key) as Tensor).item() });
    for (const group of this.groups) group.restore(counts);
  }
}
