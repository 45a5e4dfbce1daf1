// The models folder: a network with given weights, trained for some steps on given batches.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Value } from "../../lib/core/value.ts";
import { compare, type Tolerance } from "./comparison.ts";
import { gpt, pretrained } from "./language.ts";
import { call, lookup, method } from "./library.ts";
import { build, type Net } from "./networks.ts";
import { optimizer, type Parameters } from "./optim.ts";
import { Miss, type Report, Skip } from "./outcome.ts";
import { readJson, readSafetensors, type Stored, type Tensors } from "./reader.ts";
import { fromStored, numbers } from "./values.ts";

interface PerStep {
  readonly ref: readonly number[];
  readonly tol_abs: readonly number[];
}
interface Expected {
  readonly tensor: string;
  readonly cmp: Tolerance;
}
export interface Spec {
  readonly name: string;
  readonly architecture: string;
  readonly loss_function: string;
  readonly optimizer: {
    readonly name: string;
    readonly args: Readonly<Record<string, unknown>>;
    readonly no_decay?: string[];
  };
  readonly steps: number;
  readonly grad_clip_norm: number | null;
  readonly lr_per_step: number | readonly number[];
  readonly loss_steps: readonly number[];
  readonly loss_per_step: PerStep;
  readonly grad_norm_per_step?: PerStep;
  readonly expected: {
    readonly initial_logits: Expected;
    readonly final_logits: Expected;
    readonly step1_gradients: Readonly<Record<string, Expected>>;
    readonly final_weights: Readonly<Record<string, Expected>>;
  };
  readonly variants?: readonly Variant[];
}

const backward = (loss: Value): void => method(loss, "backward");

/** The loss named by a spec: its first word. */
function lossOf(spec: { loss_function: string }): (logits: Value, target: Value) => Value {
  const name = /^\w+/.exec(spec.loss_function)![0];
  if (name === "cross_entropy") return (logits, target) => call("crossEntropy", [logits, target]);
  if (name === "binary_cross_entropy_with_logits") return (logits, target) => call("bceWithLogits", [logits, target]);
  throw new Skip(`no loss ${name}`);
}

function expectClose(what: string, got: Value | null | undefined, expected: Expected, tensors: Tensors): void {
  const ref = tensors.get(expected.tensor);
  if (!ref || !got) throw new Miss(`${what} is missing`);
  const miss = compare(numbers(got), ref.data, expected.cmp);
  if (miss) throw new Miss(`${what}: ${miss}`);
}
function within(what: string, t: number, got: number, spec: Spec, { ref, tol_abs }: PerStep): void {
  const i = spec.loss_steps.indexOf(t);
  if (i < 0) return;
  const near = Math.abs(got - ref[i]!) <= tol_abs[i]!;
  if (!near) throw new Miss(`${what} of step ${t}: got ${got}, expected ${ref[i]} within ${tol_abs[i]}`);
}
export function norm(parameters: Iterable<Value & { grad: Value | null }>): number {
  let sum = 0;
  for (const { grad } of parameters) for (const g of grad ? numbers(grad) : []) sum += g * g;
  return Math.sqrt(sum);
}

/** An optimizer whose parameters without decay are in a group of their own. */
function trainer({ optimizer: { name, args, no_decay = [] } }: Spec, parameters: Parameters) {
  const exempt = [...parameters.keys()].filter((p) => no_decay.includes(p));
  return optimizer(name, parameters, args, exempt.length > 0 ? [{ params: exempt, weight_decay: 0 }] : []);
}

function train(spec: Spec, net: Net, data: Tensors, expected: Tensors): void {
  const { forward, batches } = net;
  const parameters = net.module.namedParameters();
  const loss = lossOf(spec);
  const opt = trainer(spec, parameters);
  const { initial_logits, final_logits, step1_gradients, final_weights } = spec.expected;
  const [first] = batches(data, 0);
  expectClose("initial logits", net.logits(first), initial_logits, expected);
  for (let t = 0; t < spec.steps; t++) {
    const [x, target] = batches(data, t);
    const value = loss(forward(x), target);
    opt.zeroGrad();
    backward(value);
    within("loss", t, numbers(value)[0]!, spec, spec.loss_per_step);
    if (spec.grad_norm_per_step) within("gradient norm", t, norm(parameters.values()), spec, spec.grad_norm_per_step);
    if (t === 0)
      for (const [name, e] of Object.entries(step1_gradients))
        expectClose(`first gradient of ${name}`, parameters.get(name)?.grad, e, expected);
    if (spec.grad_clip_norm !== null)
      lookup<(p: Parameters, max: number) => Value>("clipGradNorm")(parameters, spec.grad_clip_norm);
    opt.lr = typeof spec.lr_per_step === "number" ? spec.lr_per_step : spec.lr_per_step[t]!;
    opt.step();
  }
  for (const [name, e] of Object.entries(final_weights))
    expectClose(`final ${name}`, parameters.get(name), e, expected);
  expectClose("final logits", net.logits(first), final_logits, expected);
}

interface Variant {
  readonly id: string;
  readonly activation: string;
  readonly residual: boolean;
  readonly prefix: string;
  readonly loss: number;
  readonly grad_norm_blocks: readonly number[];
  readonly grad_norm_inp: number;
  readonly grad_norm_head: number;
  readonly torch32_max_rel_err: number;
}
/** One batch through a deep network; the norms of the gradients, layer by layer. */
function vanishing(spec: Spec, v: Variant, init: Tensors, data: Tensors): void {
  const own = [...init].filter(([name]) => name.startsWith(v.prefix));
  const weights = new Map(own.map(([name, x]) => [name.slice(v.prefix.length), x]));
  const net = build("deep-residual-mlp", weights, v);
  const value = lossOf(spec)(net.forward(whole(data, "x")), whole(data, "y"));
  backward(value);
  const parameters = net.module.namedParameters();
  const rtol = Math.max(1e-4, 16 * v.torch32_max_rel_err);
  const expectNear = (what: string, got: number, ref: number) => {
    if (!(Math.abs(got - ref) <= rtol * Math.abs(ref))) throw new Miss(`${what}: got ${got}, expected ${ref}`);
  };
  const gradientNorm = (name: string) => norm([parameters.get(`${name}.weight`)!]);
  expectNear("loss", numbers(value)[0]!, v.loss);
  expectNear("gradient norm of inp", gradientNorm("inp"), v.grad_norm_inp);
  v.grad_norm_blocks.forEach((ref, i) => {
    expectNear(`gradient norm of block ${i}`, gradientNorm(`blocks.${i}.fc`), ref);
  });
  expectNear("gradient norm of head", gradientNorm("head"), v.grad_norm_head);
}

const whole = (data: Tensors, name: string): Value => fromStored(data.get(name) as Stored);

/** Runs models/NAME. */
export async function model(at: string, name: string, report: Report): Promise<void> {
  const folder = join(at, "models", name);
  const read = (file: string) => readSafetensors(join(folder, `${file}.safetensors`));
  if (!existsSync(join(folder, "spec.json"))) {
    await pretrained(folder, name, report);
    return;
  }
  const spec = readJson<Spec>(folder, "spec.json");
  if (spec.variants) {
    for (const v of spec.variants)
      await report.run("models", `${name}/${v.id}`, name, () => vanishing(spec, v, read("init"), read("data")));
    return;
  }
  await report.run("models", name, name, () => {
    const net = existsSync(join(folder, "config.json")) ? gpt(folder, read("init")) : build(name, read("init"));
    train(spec, net, read("data"), read("expected"));
  });
}
