import { type Graph, isWhole, type Slot, touched } from "../graph.ts";

/** A result that is a copy of something nobody writes afterwards is read where that lies. */
export function shareResults(g: Graph): Graph {
  const last = new Map<Slot, number>();
  g.steps.forEach((s, i) => {
    for (const u of touched(s)) if (u.writes) last.set(u.slot, i);
  });
  const instead = new Map<Slot, Slot>();
  const steps = g.steps.filter((s, i) => {
    const [y, x] = s.operands as [Slot, Slot];
    if (s.kernel.name !== "copy" || !g.outputs.includes(y) || typeof x !== "object" || x.role === "constant")
      return true;
    if (x.length !== y.length || !isWhole(s, 0) || !isWhole(s, 1) || (last.get(x) ?? -1) > i || last.get(y) !== i)
      return true;
    instead.set(y, x);
    return false;
  });
  return { ...g, steps, outputs: g.outputs.map((y) => instead.get(y) ?? y) };
}
