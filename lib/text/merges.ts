// Byte-pair encoding (Sennrich et al., 2016): which neighbours become one token, learned from a text and applied to one.
import { Heap } from "./heap.ts";

/** Two ids as one number; ids are below 2^21. */
const width = 2 ** 21;
export const pairOf = (a: number, b: number): number => a * width + b;
const partsOf = (pair: number): [number, number] => [Math.floor(pair / width), pair % width];

/** A word of the text, its tokens so far, and how often it occurs. */
interface Word {
  readonly tokens: number[];
  readonly count: number;
}

/** How often each pair occurs, where, and which is most frequent: of equals the one of lower ids, as Hugging Face's trainer has it. */
class Pairs {
  readonly #counts: Map<number, number> = new Map();
  readonly #places: Map<number, Set<number>> = new Map();
  // Entries are not taken out when a count falls: one that is out of date goes back with the count of now.
  readonly #heap: Heap<{ pair: number; count: number }> = new Heap(
    (a, b) => a.count > b.count || (a.count === b.count && a.pair < b.pair),
  );

  add(pair: number, by: number, word: number): void {
    const count = (this.#counts.get(pair) ?? 0) + by;
    this.#counts.set(pair, count);
    if (by < 0) return;
    const places = this.#places.get(pair);
    if (places) places.add(word);
    else this.#places.set(pair, new Set([word]));
  }
  /** Offers pairs whose count has grown. */
  offer(pairs: Iterable<number>): void {
    for (const pair of pairs) this.#heap.push({ pair, count: this.#counts.get(pair) ?? 0 });
  }
  all(): Iterable<number> {
    return this.#counts.keys();
  }
  /** Takes the most frequent pair out; undefined where none occurs `least` times. */
  take(least: number): { pair: number; words: Iterable<number> } | undefined {
    for (let top = this.#heap.pop(); top; top = this.#heap.pop()) {
      const { pair } = top;
      const count = this.#counts.get(pair) ?? 0;
      if (count < top.count) {
        if (count >= least) this.#heap.push({ pair, count });
        continue;
      }
      if (count < least) return undefined;
      const words = this.#places.get(pair) ?? [];
      this.#counts.delete(pair);
      this.#places.delete(pair);
      return { pair, words };
    }
    return undefined;
  }
}

/** Joins every a, b in the word to one id, and tells what pairs that makes and ends. */
function join(
  { tokens, count }: Word,
  [a, b]: [number, number],
  id: number,
  change: (pair: number, by: number) => void,
): void {
  let to = 0;
  for (let from = 0; from < tokens.length; from++) {
    if (tokens[from] !== a || tokens[from + 1] !== b) {
      tokens[to++] = tokens[from];
      continue;
    }
    if (to > 0) {
      change(pairOf(tokens[to - 1], a), -count);
      change(pairOf(tokens[to - 1], id), count);
    }
    const next = tokens[from + 2];
    if (next !== undefined) {
      change(pairOf(b, next), -count);
      change(pairOf(id, next), count);
    }
    tokens[to++] = id;
    from++;
  }
  tokens.length = to;
}

/**
 * Learns at most `most` merges from words and how often they occur. Only words that have the pair are looked at again, so that
 * a merge costs what it changes. Ids of merges follow `first`.
 */
export function learn(words: readonly Word[], first: number, most: number, least: number): [number, number][] {
  const pairs = new Pairs();
  words.forEach(({ tokens, count }, w) => {
    for (let i = 1; i < tokens.length; i++) pairs.add(pairOf(tokens[i - 1], tokens[i]), count, w);
  });
  pairs.offer(pairs.all());
  const merges: [number, number][] = [];
  while (merges.length < most) {
    const best = pairs.take(least);
    if (!best) break;
    const parts = partsOf(best.pair);
    const grown = new Set<number>();
    for (const w of best.words)
      join(words[w], parts, first + merges.length, (pair, by) => {
        if (pair === best.pair) return;
        pairs.add(pair, by, w);
        if (by > 0) grown.add(pair);
      });
    pairs.offer(grown);
    merges.push(parts);
  }
  return merges;
}

/** Merges in order of rank: the token each makes, by pair. */
export interface Ranks {
  readonly ranks: ReadonlyMap<number, number>;
  readonly results: readonly number[];
}
interface Meeting {
  readonly rank: number;
  readonly at: number;
  readonly pair: number;
}
/** The tokens of a word: the merge of lowest rank first, of equals the first, until there is none. n log n in its length. */
export function merge(tokens: number[], { ranks, results }: Ranks): number[] {
  const next = Int32Array.from(tokens, (_, i) => (i + 1 < tokens.length ? i + 1 : -1));
  const before = Int32Array.from(tokens, (_, i) => i - 1);
  const heap = new Heap<Meeting>((a, b) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at));
  const meet = (at: number) => {
    if (at < 0 || next[at] < 0) return;
    const pair = pairOf(tokens[at], tokens[next[at]]);
    const rank = ranks.get(pair);
    if (rank !== undefined) heap.push({ rank, at, pair });
  };
  for (let i = 0; i < tokens.length; i++) meet(i);
  for (let top = heap.pop(); top; top = heap.pop()) {
    const { at, pair, rank } = top;
    const second = next[at];
    if (tokens[at] < 0 || second < 0 || pairOf(tokens[at], tokens[second]) !== pair) continue;
    tokens[at] = results[rank];
    tokens[second] = -1;
    next[at] = next[second];
    if (next[at] >= 0) before[next[at]] = at;
    meet(before[at]);
    meet(at);
  }
  return tokens.filter((t) => t >= 0);
}
