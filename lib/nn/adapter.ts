// Small matrices beside the large ones of a trained model, which learn in their place.
import { only } from "../core/boundary.ts";
import { fail, show } from "../core/errors.ts";
import { noGrad } from "../grad.ts";
import { assign } from "../ops/arithmetic.ts";
import { empty, zeros } from "../ops/create.ts";
import { plus, times } from "../ops/formula.ts";
import { linear, matmul } from "../ops/matmul.ts";
import { transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Dropout } from "./dropout.ts";
import { exchange } from "./exchange.ts";
import { kaimingUniform } from "./init.ts";
import { checkModel, Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** A linear map: {@link Linear}, or one that keeps its weight as [in, out]. */
export interface LinearMap extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly transposed?: boolean;
  forward(x: Tensor): Tensor;
}
const isMap = (m: Module): m is LinearMap => {
  const { inFeatures, outFeatures, weight } = m as LinearMap;
  return Number.isInteger(inFeatures) && Number.isInteger(outFeatures) && weight?.isParameter && weight.ndim === 2;
};

/** Options of {@link LoRA} and {@link addAdapters}. */
export interface LoRAOptions {
  /** Rows of the small matrices; 8 unless given. */
  readonly rank?: number;
  /** Times alpha / rank; alpha is the rank unless given. */
  readonly alpha?: number;
  /** The probability that an input of the small matrices is dropped; 0 unless given. */
  readonly dropout?: number;
}
const loraNames = ["rank", "alpha", "dropout"] as const;

/**
 * y = W x + b + (alpha / rank) B A x, with A [rank, in], B [out, rank], B = 0 at first (Hu et al., 2021). W and b are those of
 * another layer, which it stands in for.
 *
 * PEFT: `LoraConfig`, with its names: base_layer, lora_A.weight, lora_B.weight.
 * @example
 * ```ts
 * import { Linear, LoRA, ones } from "nabla";
 * const layer = new Linear(64, 64);
 * const adapted = new LoRA(layer, { rank: 4 });
 * console.log(adapted.forward(ones(1, 64)).equal(layer.forward(ones(1, 64)))); // true
 * console.log([...adapted.stateDict().keys()]); // [ 'base_layer.weight', 'base_layer.bias', 'lora_A.weight', 'lora_B.weight' ]
 * ```
 */
export class LoRA extends Module {
  readonly base_layer: LinearMap;
  readonly lora_A: { readonly weight: Parameter };
  readonly lora_B: { readonly weight: Parameter };
  readonly dropout: Dropout;
  readonly scale: number;

  constructor(base: LinearMap, options: LoRAOptions = {}) {
    const { rank = 8, alpha = rank, dropout = 0 } = only("LoRA", options, loraNames);
    super();
    if (!(base instanceof Module && isMap(base)))
      fail("ERR_NABLA_TYPE", "LoRA", `${show(base)} is no linear map`, { expected: "a Linear", actual: base });
    if (!(Number.isInteger(rank) && rank > 0))
      fail("ERR_NABLA_VALUE", "LoRA", `rank is ${rank}`, { expected: "a whole number from 1", actual: rank });
    this.base_layer = base;
    const first = kaimingUniform(empty([rank, base.inFeatures]) as Tensor, { a: Math.sqrt(5) });
    this.lora_A = { weight: new Parameter(first) };
    this.lora_B = { weight: new Parameter(zeros([base.outFeatures, rank]) as Tensor) };
    this.dropout = new Dropout(dropout);
    this.scale = alpha / rank;
  }
  override describe(): string {
    return `${this.lora_A.weight.shape[0]}, times ${this.scale}`;
  }
  forward(x: Tensor): Tensor {
    const inner = linear(this.dropout.forward(x), this.lora_A.weight);
    return this.base_layer.forward(x).add(times(linear(inner, this.lora_B.weight), this.scale) as Tensor);
  }
  /** Adds (alpha / rank) B A to the weight of the layer; a factor of -1 takes it out again, to rounding. */
  merge(factor: 1 | -1 = 1): LinearMap {
    const { weight, transposed } = this.base_layer;
    noGrad(() => {
      const change = times(matmul(this.lora_B.weight, this.lora_A.weight), factor * this.scale);
      assign(weight, plus(weight, transposed ? transpose(change) : change));
    });
    return this.base_layer;
  }
}

type Picked = string | RegExp | ((name: string, module: Module) => boolean);
const picked = (pick: Picked, name: string, module: Module): boolean =>
  typeof pick === "function" ? pick(name, module) : typeof pick === "string" ? name.endsWith(pick) : pick.test(name);

/**
 * Freezes a model and puts a {@link LoRA} in the place of each linear map whose name `pick` ends, matches or accepts: only these
 * learn, an optimizer keeps no state for the rest, and {@link adapterState} is all there is to save. Make optimizers and compiled
 * steps afterwards.
 *
 * PEFT: `get_peft_model`. A pick of nothing is an ERR_NABLA_VALUE.
 * @example
 * ```ts
 * import { adapterState, addAdapters, GPT2, loadSafetensors, mergeAdapters, saveSafetensors } from "nabla";
 * const make = () => new GPT2({ vocabSize: 50, contextLength: 16, layers: 2, heads: 2, width: 8 });
 * const model = make();
 * addAdapters(model, /attn\.c_attn$/, { rank: 2, alpha: 4 });
 * await saveSafetensors("adapters.safetensors", adapterState(model));
 * const file = await loadSafetensors("adapters.safetensors");
 * console.log([...file.keys()][0]); // transformer.h.0.attn.c_attn.lora_A.weight
 * console.log(model.loadStateDict(file, { strict: false }).unexpected); // []
 * mergeAdapters(model);
 * console.log(model.stateDict().size === make().stateDict().size); // true
 * ```
 */
export function addAdapters(model: Module, pick: Picked, options: LoRAOptions = {}): Map<string, LoRA> {
  only("addAdapters", options, loraNames);
  checkModel("addAdapters", model);
  if (!(typeof pick === "string" || typeof pick === "function" || pick instanceof RegExp))
    fail("ERR_NABLA_TYPE", "addAdapters", `${show(pick)} picks nothing`, {
      expected: "a name, a pattern or a function",
      actual: pick,
    });
  const maps = mapsOf(model);
  const chosen = maps.filter(([name, map]) => picked(pick, name, map));
  if (chosen.length === 0)
    fail("ERR_NABLA_VALUE", "addAdapters", `${String(pick)} picks no linear map`, {
      expected: maps.map(([name]) => name),
      actual: pick,
    });
  const made = new Map(chosen.map(([, map]) => [map as Module, new LoRA(map, options)]));
  model.freeze();
  exchange(model, (m) => made.get(m));
  return adaptersOf(model);
}
/** The linear maps that can be exchanged, by name. */
function mapsOf(model: Module): [string, LinearMap][] {
  const held = new Set<Module>();
  exchange(model, (m) => {
    held.add(m);
    return undefined;
  });
  return [...model.namedModules()].flatMap(([name, m]) =>
    held.has(m) && isMap(m) ? [[name, m] as [string, LinearMap]] : [],
  );
}
function adaptersOf(model: Module): Map<string, LoRA> {
  return new Map([...model.namedModules()].flatMap(([name, m]) => (m instanceof LoRA ? [[name, m] as const] : [])));
}

/** The part of {@link Module.stateDict} that adapters have: all that fine-tuning changes. */
export function adapterState(model: Module): Map<string, Tensor> {
  checkModel("adapterState", model);
  return new Map([...model.stateDict()].filter(([name]) => /(^|\.)lora_[AB]\.weight$/.test(name)));
}

/**
 * Adds what adapters have learned to the weights beside them, and takes the adapters out: the model is as large and as fast as
 * before, and learns as a whole again.
 *
 * PEFT: `merge_and_unload`.
 */
export function mergeAdapters<M extends Module>(model: M): M {
  checkModel("mergeAdapters", model);
  const others = new Map([...adaptersOf(model).values()].map((lora) => [lora as Module, lora.merge() as Module]));
  exchange(model, (m) => others.get(m));
  return model.unfreeze() as M;
}
