// Timing that holds on a busy machine: candidates in turns, medians of many short slices.

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Repetitions of f that fill about `ms` milliseconds. */
export function calibrate(f: () => void, ms: number): number {
  f();
  let n = 1;
  for (;;) {
    const start = performance.now();
    for (let i = 0; i < n; i++) f();
    const took = performance.now() - start;
    if (took >= ms / 4) return Math.max(1, Math.round((n * ms) / took));
    n *= 4;
  }
}

/** A slice of about `ms` milliseconds: nanoseconds of one call of f. */
export function slice(f: () => void, ms: number): () => number {
  const count = calibrate(f, ms);
  return () => {
    const start = performance.now();
    for (let k = 0; k < count; k++) f();
    return ((performance.now() - start) * 1e6) / count;
  };
}

/** Nanoseconds of one call of each candidate: the median of `rounds` slices of `ms`, taken in turns. */
export function interleave(candidates: readonly (() => void)[], { rounds = 9, ms = 20 } = {}): number[] {
  const slices = candidates.map((f) => slice(f, ms));
  const times = Array.from({ length: rounds }, () => slices.map((time) => time()));
  return candidates.map((_, i) => median(times.map((round) => round[i]!)));
}

/** What each slice gives in `rounds` turns, where some are taken in other processes. */
export async function turns(slices: readonly (() => number | Promise<number>)[], rounds: number): Promise<number[][]> {
  const times = slices.map((): number[] => []);
  for (let round = 0; round < rounds; round++) for (const [i, time] of slices.entries()) times[i]!.push(await time());
  return times;
}
