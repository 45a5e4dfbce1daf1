import { type Graph, type Slot, type Step, touched } from "../graph.ts";

/** Steps that no result, no state and no check depends on go: gradients nobody asked for, values only shapes were read of. */
export function removeDead(g: Graph): Graph {
  const live = new Set<Slot>(g.outputs);
  const kept: Step[] = [];
  for (const s of g.steps.toReversed()) {
    const uses = touched(s);
    if (!s.complain && !uses.some((u) => u.writes && (u.slot.role === "state" || live.has(u.slot)))) continue;
    for (const u of uses) if (u.reads) live.add(u.slot);
    kept.push(s);
  }
  return { ...g, steps: kept.reverse() };
}
