// One token chosen from logits. Plain numbers: a row is read once a step.
import { fail } from "../core/errors.ts";

/** How the next token is chosen. */
export interface SampleOptions {
  /** 0 always takes the likeliest token; 1, unless given, draws from the model's own distribution; more flattens it. */
  readonly temperature?: number | undefined;
  /** Draws from the k likeliest tokens alone. */
  readonly topK?: number | undefined;
  /** Draws from the likeliest tokens whose probabilities first add up to p (Holtzman et al., 2019). */
  readonly topP?: number | undefined;
  /** Draws from tokens with at least p times the probability of the likeliest. */
  readonly minP?: number | undefined;
  /** Divides logits above 0 of tokens seen before, and multiplies those below (Keskar et al., 2019); 1 unless given. */
  readonly repetitionPenalty?: number | undefined;
}

function check({ temperature = 1, topK, topP, minP, repetitionPenalty = 1 }: SampleOptions): void {
  const refuse = (name: string, actual: unknown, expected: string): never =>
    fail("ERR_NABLA_VALUE", "generate", `${name} must be ${expected}, got ${actual}`, { expected, actual });
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY))
    refuse("temperature", temperature, "a number from 0");
  if (topK !== undefined && !(Number.isInteger(topK) && topK > 0)) refuse("topK", topK, "a whole number from 1");
  if (topP !== undefined && !(topP > 0 && topP <= 1)) refuse("topP", topP, "above 0 and at most 1");
  if (minP !== undefined && !(minP >= 0 && minP <= 1)) refuse("minP", minP, "from 0 to 1");
  if (!(repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY))
    refuse("repetitionPenalty", repetitionPenalty, "above 0");
}

/** Numbers in [0, 1) from a seed: sfc32 (Doty-Humphrey), 32 bits each. */
export function uniforms(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, 0, 1];
  const next = () => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

function likeliest(logits: Float32Array | Float64Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}
function penalize(logits: Float64Array, seen: Iterable<number>, penalty: number): void {
  for (const token of new Set(seen)) {
    const x = logits[token];
    logits[token] = x > 0 ? x / penalty : x * penalty;
  }
}

/** The tokens that may be drawn, likeliest first where that matters, and their weights relative to the likeliest. */
function candidates(
  logits: Float64Array,
  { topK, topP, minP }: SampleOptions,
): { tokens: Uint32Array; weights: Float64Array } {
  const top = logits[likeliest(logits)];
  const weights = logits.map((x) => Math.exp(x - top));
  let tokens = Uint32Array.from(logits.keys());
  if (minP) tokens = tokens.filter((t) => weights[t] >= minP);
  if ((topK === undefined || topK >= tokens.length) && (topP === undefined || topP === 1)) return { tokens, weights };
  tokens.sort((a, b) => weights[b] - weights[a] || a - b);
  if (topK !== undefined) tokens = tokens.subarray(0, topK);
  if (topP === undefined) return { tokens, weights };
  const total = tokens.reduce((s, t) => s + weights[t], 0);
  let sum = 0;
  const last = tokens.findIndex((t) => {
    sum += weights[t];
    return sum >= topP * total;
  });
  return { tokens: last < 0 ? tokens : tokens.subarray(0, last + 1), weights };
}

/** Chooses a token from a row of logits; `seen` are those before it, `random` gives numbers in [0, 1). */
export type Sampler = (logits: Float32Array, seen: Iterable<number>, random: () => number) => number;
export function sampler(options: SampleOptions): Sampler {
  check(options);
  const { temperature = 1, repetitionPenalty = 1 } = options;
  return (row, seen, random) => {
    if (temperature === 0 && repetitionPenalty === 1) return likeliest(row);
    const logits = Float64Array.from(row);
    if (repetitionPenalty !== 1) penalize(logits, seen, repetitionPenalty);
    if (temperature === 0) return likeliest(logits);
    for (let i = 0; i < logits.length; i++) logits[i] /= temperature;
    const { tokens, weights } = candidates(logits, options);
    const total = tokens.reduce((s, t) => s + weights[t], 0);
    let left = random() * total;
    for (const t of tokens) {
      left -= weights[t];
      if (left < 0) return t;
    }
    return tokens[tokens.length - 1] as number;
  };
}
