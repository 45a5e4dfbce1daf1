import { type Graph, type Slot, touched } from "../graph.ts";

/** Steps that no result and no state depends on go: gradients nobody asked for, values only shapes were read of. */
export function removeDead(g: Graph): Graph {
  const live = new Set<Slot>(g.outputs);
  const kept = g.steps.filter(() => false);
  for (let i = g.steps.length - 1; i >= 0; i--) {
    const s = g.steps[i];
    const uses = [...touched(s)];
    if (!uses.some((u) => u.writes && (u.slot.role === "state" || live.has(u.slot)))) continue;
    for (const u of uses) if (u.reads) live.add(u.slot);
    kept.unshift(s);
  }
  return { ...g, steps: kept };
}
