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

/** Nanoseconds of one call of each candidate: the median of `rounds` slices of `ms`, taken in turns. */
export function interleave(candidates: readonly (() => void)[], { rounds = 9, ms = 20 } = {}): number[] {
  const counts = candidates.map((f) => calibrate(f, ms));
  const times = candidates.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    candidates.forEach((f, i) => {
      const start = performance.now();
      for (let k = 0; k < counts[i]!; k++) f();
      times[i]!.push(((performance.now() - start) * 1e6) / counts[i]!);
    });
  }
  return times.map(median);
}
