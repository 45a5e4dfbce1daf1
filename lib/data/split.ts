import { checkCount, fail } from "../core/errors.ts";
import { elementsOf } from "../engine/launch.ts";
import { permutation } from "./epochs.ts";

/** How {@link deal} deals. */
export interface Deal {
  readonly seed: number;
  /** What row i counts as; each part gets its share of every stratum. */
  readonly strata?: ((i: number) => unknown) | undefined;
}

/**
 * Deals rows out like cards: shuffled, rows of one stratum one after the other, each goes to the part that is furthest
 * behind its share. So whole and every stratum are shared within one row a part. Parts keep the order of the rows.
 */
export function deal(count: number, shares: readonly number[], { seed, strata: of }: Deal): number[][] {
  const sum = shares.reduce((a, b) => a + b, 0);
  if (shares.length === 0 || !shares.every((s) => s > 0) || Math.abs(sum - 1) > 1e-9)
    fail("ERR_NABLA_VALUE", "split", `shares are numbers above 0 that add up to 1, got [${shares.join(", ")}]`, {
      expected: 1,
      actual: sum,
    });
  checkCount("split", "seed", seed, 0);
  const parts: number[][] = shares.map(() => []);
  if (count === 0) return parts;
  const strata = new Map<unknown, number[]>();
  for (const i of elementsOf("split", permutation(count, seed, 0))) {
    const key = of?.(i);
    const stratum = strata.get(key);
    if (stratum) stratum.push(i);
    else strata.set(key, [i]);
  }
  [...strata.values()].flat().forEach((row, n) => {
    const behind = shares.map((share, p) => share * (n + 1) - (parts[p] as number[]).length);
    parts[behind.indexOf(Math.max(...behind))]?.push(row);
  });
  return parts.map((rows) => rows.sort((a, b) => a - b));
}
