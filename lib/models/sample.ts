// One token chosen from logits. Plain numbers: a row is read once a step.
import { fail } from "../core/errors.ts";
import { Heap } from "../text/heap.ts";

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
  if (!Number.isFinite(logits[best]))
    fail("ERR_NABLA_VALUE", "generate", `the largest logit is ${logits[best]}`, {
      actual: logits[best],
      hint: "weights that are NaN or too large give no next token",
    });
  return best;
}
function penalized(row: Float32Array, seen: Iterable<number>, penalty: number): Float64Array {
  const logits = space("logits", row.length);
  logits.set(row);
  for (const token of new Set(seen)) {
    const x = logits[token];
    logits[token] = x > 0 ? x / penalty : x * penalty;
  }
  return logits;
}

// One row is worked on at a time, so what belongs to it always lies here.
const scratch = { logits: new Float64Array(0), gaps: new Float64Array(0), weights: new Float64Array(0) };
function space(name: keyof typeof scratch, n: number): Float64Array {
  if (scratch[name].length < n) scratch[name] = new Float64Array(n);
  return scratch[name].subarray(0, n);
}

/** Tokens that may be drawn (without a list 0, 1, ...), their weights relative to the likeliest, and the sum of these. */
interface Choice {
  readonly tokens?: readonly number[];
  readonly weights: ArrayLike<number>;
  readonly total: number;
}
/** All of weight `least` and more; any other weighs 0. */
function all(gaps: Float64Array, least: number): Choice {
  let total = 0;
  const weights = space("weights", gaps.length);
  for (let t = 0; t < gaps.length; t++) {
    const weight = Math.exp(-gaps[t]);
    weights[t] = weight >= least ? weight : 0;
    total += weights[t];
  }
  return { weights, total };
}

// Sorting 50,000 tokens takes longer than a step. They are told apart by 64ths of their gaps, those behind 16 not at all, and
// only the part in which the last one falls is sorted. Of a few tokens there is one part.
const [fineness, range, few] = [64, 16, 512];

/** The likeliest: at most `most`, and those whose weights first add up to `enough`. */
function top(gaps: Float64Array, { weights }: Choice, most: number, enough: number): Choice {
  const parts = gaps.length > few ? range * fineness : 0;
  const partOf = (gap: number): number => Math.min(parts, Math.floor(gap * fineness));
  const [counts, sums] = [new Uint32Array(parts + 1), new Float64Array(parts + 1)];
  for (let t = 0; t < gaps.length; t++) {
    if (weights[t] === 0) continue;
    const part = partOf(gaps[t]);
    counts[part]++;
    sums[part] += weights[t];
  }
  let [edge, count, sum] = [0, 0, 0];
  while (edge < parts && count + counts[edge] < most && sum + sums[edge] < enough) {
    count += counts[edge];
    sum += sums[edge++];
  }
  const [tokens, last]: [number[], number[]] = [[], []];
  for (let t = 0; t < gaps.length; t++) {
    if (weights[t] === 0) continue;
    const part = partOf(gaps[t]);
    if (part < edge) tokens.push(t);
    else if (part === edge) last.push(t);
  }
  for (const t of last.sort((a, b) => gaps[a] - gaps[b] || a - b)) {
    if (tokens.length >= most || sum >= enough) break;
    tokens.push(t);
    sum += weights[t];
  }
  return { tokens, weights: tokens.map((t) => weights[t]), total: sum };
}
function among(gaps: Float64Array, { topK = gaps.length, topP = 1, minP = 0 }: SampleOptions): Choice {
  const none = Number.POSITIVE_INFINITY;
  const every = all(gaps, minP);
  const kept = topK < gaps.length ? top(gaps, every, topK, none) : every;
  return topP < 1 ? top(gaps, every, topK, topP * kept.total) : kept;
}

/** The k likeliest, in their order, of equals the first: nearly all tokens cost one comparison. */
function greatest(logits: Float32Array | Float64Array, k: number): number[] {
  const heap = new Heap<number>((a, b) => logits[a] < logits[b] || (logits[a] === logits[b] && a > b));
  let [count, least] = [0, Number.NEGATIVE_INFINITY];
  for (let t = 0; t < logits.length; t++) {
    if (!(count < k ? !Number.isNaN(logits[t]) : logits[t] > least)) continue;
    if (count++ >= k) heap.pop();
    heap.push(t);
    if (count >= k) least = logits[heap.first as number];
  }
  return Array.from({ length: Math.min(count, k) }, () => heap.pop() as number).reverse();
}
/** Of the k likeliest, for a small k. */
function amongFew(logits: Float32Array | Float64Array, k: number, options: SampleOptions): Choice {
  const { temperature = 1, topP = 1, minP = 0 } = options;
  const tokens = greatest(logits, k);
  const largest = logits[tokens[0]];
  const weights = tokens.map((t) => Math.exp((logits[t] - largest) / temperature)).filter((w) => w >= minP);
  const enough = topP < 1 ? topP * weights.reduce((sum, w) => sum + w, 0) : Number.POSITIVE_INFINITY;
  let [count, total] = [0, 0];
  while (count < weights.length && total < enough) total += weights[count++];
  return { tokens, weights: weights.slice(0, count), total };
}
/** The token at which the weights, added up, pass `share` of their total. */
function drawn({ tokens, weights, total }: Choice, share: number): number {
  let left = share * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    last = i;
    left -= weights[i] as number;
    if (left < 0) break;
  }
  return tokens ? (tokens[last] as number) : last;
}

/** Chooses a token from a row of logits; `seen` are those before it, `random` gives numbers in [0, 1). */
export type Sampler = (logits: Float32Array, seen: Iterable<number>, random: () => number) => number;
export function sampler(options: SampleOptions): Sampler {
  check(options);
  const { temperature = 1, repetitionPenalty = 1, topK = Number.POSITIVE_INFINITY } = options;
  return (row, seen, random) => {
    const logits = repetitionPenalty === 1 ? row : penalized(row, seen, repetitionPenalty);
    const best = likeliest(logits);
    if (temperature === 0) return best;
    if (topK <= few && topK < row.length) return drawn(amongFew(logits, topK, options), random());
    const largest = logits[best];
    // How far below the largest, in units of the temperature: a weight is exp(-gap).
    const gaps = space("gaps", row.length);
    for (let i = 0; i < gaps.length; i++) gaps[i] = (largest - logits[i]) / temperature;
    return drawn(among(gaps, options), random());
  };
}
