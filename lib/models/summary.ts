// What a model costs, told before it is made, and how its configuration is read.
import { checkCount, fail } from "../core/errors.ts";

/** Sizes that every transformer has. */
export interface BlockConfig {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  /** Width between the two linear maps; 4 times the width unless given. */
  readonly hidden?: number;
  /** The standard deviation of first weights; 0.02 unless given. */
  readonly std?: number;
}
/** Sizes that every transformer of tokens has. */
export interface TokenConfig extends BlockConfig {
  readonly vocabSize: number;
  readonly contextLength: number;
}

export const blockNames = ["layers", "heads", "width", "hidden", "std"] as const;
export const tokenNames = [...blockNames, "vocabSize", "contextLength"] as const;

/** A configuration, or that of a preset by its name. */
export function presetOf<C>(op: string, given: C | string, presets: Readonly<Record<string, C>>): C {
  if (typeof given !== "string") return given;
  if (Object.hasOwn(presets, given)) return presets[given] as C;
  return fail("ERR_NABLA_VALUE", op, `there is no preset ${given}`, { expected: Object.keys(presets), actual: given });
}
/** Every size is a whole number from 1, and heads divide what they are heads of. */
export function checkSizes(op: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(sizes)) checkCount(op, name, n, 1);
}

/** Sizes of a model whose width is cut into heads. */
export function checkWidth(
  op: string,
  { layers, heads, width }: Readonly<Record<"layers" | "heads" | "width", number>>,
): void {
  checkSizes(op, { layers, heads, width });
  if (width % heads !== 0)
    fail("ERR_NABLA_VALUE", op, `width ${width} does not divide into ${heads} heads`, { actual: { width, heads } });
}
/** Parameters of attention, two linear maps and two norms, all with biases. */
export function blockParameters(width: number, hidden: number): number {
  return 4 * width * width + 2 * width * hidden + 9 * width + hidden;
}
/** Numbers that backward keeps of one token in such a block, besides attention weights. */
export const blockKept = (width: number, hidden: number): number => 8 * width + 2 * hidden;

/** What a model takes, before it is made. Bytes of f32. */
export interface Summary {
  readonly parameters: number;
  readonly weights: number;
  /** Weights, gradients, two moments of AdamW, and what backward keeps of a batch. */
  readonly training: number;
  /** What backward keeps of a batch, and its logits. */
  readonly activations: number;
  /** Keys and values of a batch. */
  readonly cache: number;
}
/** Tokens worked on at once: 1 x the context unless given. */
export interface Workload {
  readonly batch?: number;
  readonly time?: number;
}
interface Costs {
  readonly parameters: number;
  /** Numbers that backward keeps of one token in one layer, besides attention weights. */
  readonly kept: number;
  readonly layers: number;
  readonly heads: number;
  /** The probability with which weights of attention are dropped: only then are they stored. */
  readonly dropout: number;
  /** Numbers of keys and values of one token in one layer. */
  readonly remembered: number;
  readonly vocabSize: number;
}
export function summarize(costs: Costs, batch: number, time: number): Summary {
  const { parameters, kept, layers, heads, dropout, remembered, vocabSize } = costs;
  const tokens = batch * time;
  const weights = 4 * parameters;
  // Of a token and a head: one number for the kernel that computes scores again; with dropout, for each key, the weight and what
  // became of it in f32 and whether it was dropped.
  const attention = heads * (dropout > 0 ? 9 * time : 4);
  // Logits, their slope and their gradient.
  const activations = tokens * (layers * (4 * kept + attention) + 4 * 3 * vocabSize);
  return {
    parameters,
    weights,
    activations,
    training: 4 * weights + activations,
    cache: 4 * tokens * layers * remembered,
  };
}
