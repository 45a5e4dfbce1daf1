import { type Graph, type Step, touched } from "../graph.ts";

/** Do two steps have to stay in order? */
export function conflicts(a: Step, b: Step): boolean {
  for (const x of touched(a)) for (const y of touched(b)) if (x.slot === y.slot && (x.writes || y.writes)) return true;
  return false;
}

/**
 * Checks run first, with what they depend on, so that a run that fails has not changed anything yet. One that depends on
 * what comes after a change of state stays where it is; what was changed before it is saved (lower.ts).
 */
export function hoistChecks(g: Graph): Graph {
  const early = new Set<number>();
  for (const [i, s] of g.steps.entries()) {
    if (!s.complain) continue;
    const needed = new Set<number>([i]);
    for (let k = i - 1; k >= 0; k--) {
      if (early.has(k)) continue;
      if ([...needed].some((n) => conflicts(g.steps[k], g.steps[n]))) needed.add(k);
    }
    const pure = [...needed].every((n) => touched(g.steps[n]).every((u) => !u.writes || u.slot.role !== "state"));
    if (pure) for (const n of needed) early.add(n);
  }
  if (early.size === 0) return g;
  return { ...g, steps: [...g.steps.filter((_, i) => early.has(i)), ...g.steps.filter((_, i) => !early.has(i))] };
}
