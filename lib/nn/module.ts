import { guarded } from "../core/boundary.ts";
import { fail, show } from "../core/errors.ts";
import { observe } from "../core/guard.ts";
import { Value } from "../core/value.ts";
import { type NamedTensors, openSafetensors, type SaveOptions, saveSafetensors } from "../io/safetensors.ts";
import type { TensorSource } from "../io/shards.ts";
import { assign, cast } from "../ops/arithmetic.ts";
import { transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType } from "../types/shape.ts";
import { type Parameter, retype, role } from "./parameter.ts";
import { type LoadOptions, type LoadReport, type Match, match, type Slot } from "./state.ts";

/** Picks parameters: a name or a path above it ("fc1" stands for fc1.weight and fc1.bias), a pattern, or a function. */
export type ParameterFilter = string | RegExp | ((parameter: Parameter, name: string) => boolean);

export function picks(pick: ParameterFilter | undefined, p: Parameter, name: string): boolean {
  if (pick === undefined) return true;
  if (typeof pick === "string") return name === pick || name.startsWith(`${pick}.`);
  return typeof pick === "function" ? pick(p, name) : name.search(pick) >= 0;
}

const join = (path: string, name: string) => (path ? `${path}.${name}` : name);

function isPlain(x: unknown): x is Record<string, unknown> {
  if (typeof x !== "object" || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

interface Place {
  readonly name: string;
  readonly x: Module | Value;
}

/** Everything in x, in order, with its path. `above` are the objects it stands in: a reference back to one is not followed. */
function* walk(x: unknown, name: string, above: readonly object[]): Generator<Place> {
  if (x instanceof Value) {
    yield { name, x };
    return;
  }
  const inside =
    x instanceof Module ? x.children() : Array.isArray(x) ? x.entries() : isPlain(x) ? Object.entries(x) : null;
  if (!inside || above.includes(x as object)) return;
  if (x instanceof Module) yield { name, x };
  for (const [key, child] of inside) yield* walk(child, join(name, String(key)), [...above, x as object]);
}

const guardedClasses = new WeakSet<object>();
const guardedForwards = new WeakSet<object>();
/** Modules are called by their forward, so that is where wrong arguments come in: guarded once for each class that has one. */
function guardForward(prototype: object): void {
  if (guardedClasses.has(prototype)) return;
  guardedClasses.add(prototype);
  for (let p = prototype; p && p !== Module.prototype; p = Object.getPrototypeOf(p) as object) {
    const own = Object.getOwnPropertyDescriptor(p, "forward");
    if (typeof own?.value !== "function" || guardedForwards.has(own.value)) continue;
    const forward = guarded(p.constructor.name, own.value as (...args: never[]) => unknown);
    guardedForwards.add(forward);
    Object.defineProperty(p, "forward", { ...own, value: forward });
  }
}

/**
 * A layer or a whole network. Its parameters are found where they stand: in its properties, and in modules, arrays and plain
 * objects there, in the order of their creation. A parameter is called by its path, "blocks.0.fc1.weight", as in PyTorch.
 *
 * PyTorch: `torch.nn.Module`.
 * @example
 * ```ts
 * import { Linear, Module, type Tensor, zeros } from "nabla";
 * class Net extends Module {
 *   fc1 = new Linear(4, 8);
 *   fc2 = new Linear(8, 2);
 *   forward(x: Tensor<[number, 4]>) {
 *     return this.fc2.forward(this.fc1.forward(x).relu());
 *   }
 * }
 * const net = new Net();
 * console.log(net.forward(zeros(3, 4)).shape); // [ 3, 2 ]
 * console.log([...net.stateDict().keys()]); // [ 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias' ]
 * ```
 */
export abstract class Module {
  #training = true;

  constructor() {
    guardForward(new.target.prototype);
  }

  /** Whether dropout drops and batch normalisation measures. Setting it changes this module alone, {@link train} all inside too. */
  get training(): boolean {
    return observe("training", () => this.#training);
  }
  set training(on: boolean) {
    this.#training = on;
  }

  /** What stands in the module, by name; a module that keeps its children elsewhere says so here. */
  children(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** What the constructor was given, for {@link toString}: "784, 128". */
  describe(): string {
    return "";
  }

  /** Every tensor of the state once, with all its names; walking gives them their labels. */
  #slots(wanted: readonly ReturnType<typeof role>[]): Slot[] {
    const found = new Map<Value, string[]>();
    for (const { name, x } of walk(this, "", [])) {
      if (x instanceof Module || !wanted.includes(role(x))) continue;
      const names = found.get(x);
      if (names) names.push(name);
      else {
        found.set(x, [name]);
        if (x.label === undefined || name.endsWith(`.${x.label}`)) x.label = name;
      }
    }
    return [...found].map(([tensor, names]) => ({ names, tensor }));
  }

  /**
   * The parameters by name, shared ones once.
   *
   * PyTorch: `named_parameters`.
   */
  namedParameters(pick?: ParameterFilter): Map<string, Parameter> {
    const all = this.#slots(["parameter"]).map(
      ({ names: [name = ""], tensor }) => [name, tensor as Parameter] as const,
    );
    return new Map(all.filter(([name, p]) => picks(pick, p, name)));
  }
  /**
   * The parameters, shared ones once.
   *
   * PyTorch: `parameters`.
   */
  parameters(pick?: ParameterFilter): Parameter[] {
    return [...this.namedParameters(pick).values()];
  }
  /**
   * The module itself, under "", and all modules in it by name.
   *
   * PyTorch: `named_modules`.
   */
  namedModules(): Map<string, Module> {
    const out = new Map<Module, string>();
    for (const { name, x } of walk(this, "", [])) if (x instanceof Module && !out.has(x)) out.set(x, name);
    return new Map([...out].map(([module, name]) => [name, module]));
  }

  /**
   * Calls f with this module and every module inside, each once, the outer before the inner.
   *
   * PyTorch: `apply`.
   * @example
   * ```ts
   * import { init, Linear, ReLU, Sequential } from "nabla";
   * const net = new Sequential(new Linear(2, 4), new ReLU(), new Linear(4, 1));
   * net.apply((m) => { if (m instanceof Linear) init.xavierUniform(m.weight); });
   * ```
   */
  apply(f: (module: Module) => void): this {
    for (const module of this.namedModules().values()) f(module);
    return this;
  }

  /**
   * Turns training mode on (or off) here and in all modules inside.
   *
   * PyTorch: `train`.
   */
  train(on = true): this {
    for (const module of this.namedModules().values()) module.training = on;
    return this;
  }
  /**
   * Turns training mode off: dropout passes everything, batch normalisation uses what it has measured.
   *
   * PyTorch: `eval`.
   */
  eval(): this {
    return this.train(false);
  }

  /**
   * Stops learning of the picked parameters, or all: no gradients are computed for them, optimizers leave them alone.
   *
   * PyTorch: `requires_grad_(False)`.
   * @example
   * ```ts
   * import { Linear, Sequential } from "nabla";
   * const net = new Sequential(new Linear(2, 4), new Linear(4, 1));
   * net.freeze("0");
   * console.log([...net.namedParameters((p) => p.requiresGrad).keys()]); // [ '1.weight', '1.bias' ]
   * ```
   */
  freeze(pick?: ParameterFilter): this {
    for (const p of this.parameters(pick)) {
      p.requiresGrad = false;
      p.grad = null;
    }
    return this;
  }
  /** The opposite of {@link freeze}. */
  unfreeze(pick?: ParameterFilter): this {
    for (const p of this.parameters(pick)) p.requiresGrad = true;
    return this;
  }

  /**
   * Converts parameters and buffers of floats to another element type, in place. Make optimizers afterwards.
   *
   * PyTorch: `to(dtype)`.
   */
  to(dtype: Extract<DType, "f32" | "f64">): this {
    for (const { tensor } of this.#slots(["parameter", "buffer", "transient"]))
      if (tensor.isFloat && tensor.dtype !== dtype) retype(tensor, dtype);
    return this;
  }

  /**
   * Forgets the gradients of all parameters.
   *
   * PyTorch: `zero_grad`.
   */
  zeroGrad(): void {
    for (const p of this.parameters()) p.grad = null;
  }

  /**
   * Parameters and persistent buffers by name, shared ones once. They are the module's own memory, not copies.
   *
   * PyTorch: `state_dict`.
   */
  stateDict(): Map<string, Tensor> {
    const slots = this.#slots(["parameter", "buffer"]);
    return new Map(slots.map(({ names: [name = ""], tensor }) => [name, (tensor as Tensor).detach()]));
  }

  /**
   * Copies tensors into the parameters and buffers of the same names. Everything that does not fit is reported in one error,
   * before anything is written; numbers of another element type are converted.
   *
   * PyTorch: `load_state_dict`.
   * @example
   * ```ts
   * import { Linear } from "nabla";
   * const [a, b] = [new Linear(2, 1), new Linear(2, 1)];
   * b.loadStateDict(a.stateDict());
   * console.log(b.loadStateDict({ weight: a.weight }, { strict: false }).missing); // [ 'bias' ]
   * ```
   */
  loadStateDict(dict: NamedTensors, options: LoadOptions = {}): LoadReport {
    const given = dict instanceof Map ? dict : new Map(Object.entries(dict as Record<string, Tensor>));
    const { pairs, report } = match("loadStateDict", this.#slots(["parameter", "buffer"]), given, options);
    for (const pair of pairs) put(pair, given.get(pair.key) as Tensor);
    return report;
  }

  /**
   * Writes {@link stateDict} to a safetensors file, whole or not at all, with the values of now.
   * @example
   * ```ts
   * import { Linear } from "nabla";
   * const a = new Linear(2, 1);
   * await a.save("linear.safetensors");
   * await new Linear(2, 1).load("linear.safetensors");
   * ```
   */
  async save(path: string, options?: SaveOptions): Promise<void> {
    await saveSafetensors(path, this.stateDict(), options);
  }
  /**
   * Reads a safetensors file, or what is open already, into the parameters and buffers, one tensor at a time; options as
   * {@link loadStateDict}.
   */
  async load(from: string | TensorSource, options: LoadOptions = {}): Promise<LoadReport> {
    if (typeof from !== "string") {
      const { pairs, report } = match("load", this.#slots(["parameter", "buffer"]), from.tensors, options);
      for (const pair of pairs) put(pair, await from.read(pair.key));
      return report;
    }
    const file = await openSafetensors(from);
    try {
      return await this.load(file, options);
    } finally {
      await file.close();
    }
  }

  /** The tree of modules with the number of parameters of each. */
  toString(): string {
    return `${tree(this, "")}\n${count(this.parameters())} parameters`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Refuses what is no model, for functions that take one. */
export function checkModel(op: string, x: unknown): asserts x is Module {
  if (x instanceof Module) return;
  fail("ERR_NABLA_TYPE", op, `takes a model, not ${show(x)}`, { expected: "a Module", actual: x });
}

function put({ slot, transposed }: Match, x: Value): void {
  const from = cast(x, slot.tensor.dtype);
  assign(slot.tensor, transposed ? transpose(from, -2, -1) : from);
}

const count = (parameters: readonly Parameter[]): string =>
  parameters.reduce((n, p) => n + p.size, 0).toLocaleString("en-US");

/** One line a module: its class and arguments, its parameters at the end; what stands in it below, indented. */
function tree(module: Module, margin: string): string {
  const inside = [...module.namedModules()].filter(([name]) => name !== "");
  const direct = inside.filter(([name]) => !inside.some(([other]) => name.startsWith(`${other}.`)));
  const head = `${module.constructor.name}(${module.describe()})`;
  const own = module.parameters();
  const total = own.length > 0 ? `  ${count(own)}` : "";
  return [
    `${head}${total}`,
    ...direct.map(([name, child]) => `${margin}  ${name}: ${tree(child, `${margin}  `)}`),
  ].join("\n");
}
