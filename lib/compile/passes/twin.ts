import { countWrites, type Graph, isSlot, type Operand, type Slot, type Step, touched, writes } from "../graph.ts";

/**
 * Of two steps that compute the same from the same, the second goes and its users read the first's result. Only steps
 * whose results are temporaries written once are looked at, so a shared result never changes underneath.
 */
export function shareTwins(g: Graph): Graph {
  const writers = countWrites(g);
  const outputs = new Set(g.outputs);
  const instead = new Map<Slot, Slot>();
  const version = new Map<Slot, number>();
  const seen = new Map<string, Step>();
  const resolve = (x: Operand): Operand => (isSlot(x) ? (instead.get(x) ?? x) : x);
  const once = (s: Step, i: number) => {
    const slot = s.operands[i] as Slot;
    return slot.role === "temp" && s.kernel.access[i] === "w" && writers.get(slot) === 1 && !outputs.has(slot);
  };
  const steps: Step[] = [];
  for (const before of g.steps) {
    const s: Step = { ...before, operands: before.operands.map((x, i) => (writes(before, i) ? x : resolve(x))) };
    const pure = s.operands.every((x, i) => x === null || !writes(s, i) || once(s, i));
    const key = pure ? keyOf(s, version) : "";
    const twin = pure ? seen.get(key) : undefined;
    if (twin) {
      s.operands.forEach((x, i) => {
        if (isSlot(x) && writes(s, i)) instead.set(x, twin.operands[i] as Slot);
      });
      continue;
    }
    if (pure) seen.set(key, s);
    for (const u of touched(s)) if (u.writes) version.set(u.slot, (version.get(u.slot) ?? 0) + 1);
    steps.push(s);
  }
  return { ...g, steps };
}

/** Equal keys: same kernel, same words, inputs with the same contents, results of the same size; both computed once, or again. */
function keyOf(s: Step, version: ReadonlyMap<Slot, number>): string {
  const operands = s.operands.map((x, i) => {
    if (!isSlot(x)) return Object.is(x, -0) ? "-0" : String(x);
    return writes(s, i) ? `w${x.length}` : `${x.id}@${version.get(x) ?? 0}`;
  });
  return `${s.row}|${s.again}|${Array.from(s.words, (w) => (Object.is(w, -0) ? "-0" : w)).join(",")}|${operands.join(",")}`;
}
