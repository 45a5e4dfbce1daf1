import { copyOf, type Graph, type Operand, type Slot, type Step, touched } from "../graph.ts";

/** A constant that a step writes in begins each run anew: the step gets a copy made at its start. */
export function copyConstants(g: Graph): Graph {
  const slots = [...g.slots];
  const copies = new Map<Slot, Slot>();
  const first: Step[] = [];
  for (const s of g.steps) {
    for (const { slot, writes } of touched(s)) {
      if (!writes || slot.role !== "constant" || copies.has(slot)) continue;
      const copy: Slot = { ...slot, id: slots.length, role: "temp", data: undefined };
      slots.push(copy);
      copies.set(slot, copy);
      first.push({ ...copyOf(copy, slot), where: s.where, within: [], again: undefined });
    }
  }
  if (first.length === 0) return g;
  const instead = (x: Operand) => copies.get(x as Slot) ?? x;
  const steps = g.steps.map((s) => ({ ...s, operands: s.operands.map(instead) }));
  return { ...g, slots, steps: [...first, ...steps], outputs: g.outputs.map((x) => instead(x) as Slot) };
}
