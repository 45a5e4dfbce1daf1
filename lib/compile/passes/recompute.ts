import { type Graph, isSlot, type Operand, type Slot, type Step, touched } from "../graph.ts";

/** The checkpointed segments of a step that backward computes again. */
export function segmentsOf(g: Graph): number[] {
  return [...new Set(g.steps.flatMap((s) => (s.again === undefined ? [] : [s.again])))];
}

/** Of these segments the first computation is stored after all, and the second goes. */
export function store(g: Graph, segments: ReadonlySet<number>): Graph {
  const instead = new Map<Slot, Slot>();
  const gone = new Set<Step>();
  for (const id of segments) {
    const first = g.steps.filter((s) => s.within.includes(id));
    const second = g.steps.filter((s) => s.again === id);
    if (first.length !== second.length || first.some((s, i) => s.row !== second[i].row)) continue;
    second.forEach((s, i) => {
      gone.add(s);
      const before = touched(first[i]);
      touched(s).forEach((u, k) => {
        if (u.writes && u.slot.role !== "state") instead.set(u.slot, before[k].slot);
      });
    });
  }
  const resolve = (x: Operand): Operand => {
    let at = x;
    while (isSlot(at) && instead.has(at)) at = instead.get(at) as Slot;
    return at;
  };
  const steps = g.steps.filter((s) => !gone.has(s)).map((s) => ({ ...s, operands: s.operands.map(resolve) }));
  return { ...g, steps };
}
