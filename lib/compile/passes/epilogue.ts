import { activations } from "../../ops/matmul.ts";
import { countWrites, type Graph, isSlot, isWhole, type Slot, type Step, touched, usersOf } from "../graph.ts";

/** Extents, then offset and four steps of c, a and b, the offset of a bias, and the activation. */
const cAt = 5;
const plainWords = 20;

/** A product that writes all of c in memory order and ends with nothing but a bias. */
function plainProduct(s: Step): Slot | undefined {
  const [c, , , bias, z, at] = s.operands;
  if (!/^matmul/.test(s.kernel.name) || !isSlot(c) || z !== null || at !== null) return undefined;
  const act = plainWords + (bias === null ? 0 : 1);
  if (s.words[act] !== activations.none || s.words[cAt] !== 0) return undefined;
  let expected = 1;
  for (let d = 3; d >= 0; d--) {
    if (s.words[d] !== 1 && s.words[cAt + 1 + d] !== expected) return undefined;
    expected *= s.words[d];
  }
  return expected === c.length ? c : undefined;
}

/** The product with another result y and an end of its own: z takes what there was before act, `at` is what its slope is taken at. */
function finished(s: Step, y: Slot, act: number, z: Slot | null, at: Slot | null): Step {
  const walk = s.words.subarray(cAt, cAt + 5);
  const head = s.words.subarray(0, s.words.length - 1);
  const words = Float64Array.from([...head, ...(z ? walk : []), ...(at ? walk : []), act]);
  const [, a, b, bias] = s.operands;
  return { ...s, operands: [y, a, b, bias, z, at], words };
}

/** relu(x) or gelu_grad(dy, x): the number of its activation. */
function activationOf(s: Step, suffix: "" | "_grad"): number | undefined {
  const { name } = s.kernel;
  if (!name.endsWith(suffix)) return undefined;
  const act = activations[name.slice(0, name.length - suffix.length) as keyof typeof activations];
  return act === undefined || act === activations.none ? undefined : act;
}

/**
 * An activation of a product becomes its end, and so does the product with an activation's slope: the tile is still in
 * registers. Every element is the same chain of operations as in two steps.
 */
export function finishProducts(g: Graph): Graph {
  const steps: (Step | null)[] = [...g.steps];
  const users = usersOf(g.steps);
  const written = countWrites(g);
  const kept = new Set(g.outputs);
  const lastWrite = (x: Slot, before: number) =>
    users.get(x)?.findLast((i) => i < before && touched(g.steps[i]).some((u) => u.slot === x && u.writes)) ?? -1;

  g.steps.forEach((s, i) => {
    const c = plainProduct(s);
    if (c?.role !== "temp" || written.get(c) !== 1) return;
    const readers = (users.get(c) ?? []).filter((k) => k !== i);
    const alone = readers.length === 1 && !kept.has(c);
    for (const k of readers) {
      const r = g.steps[k];
      const y = r.operands[0] as Slot;
      const fresh = y.role === "temp" && written.get(y) === 1 && r.dtype === s.dtype && r.again === s.again;
      if (!fresh || r.kernel.driver !== "Map" || !isWhole(r, 0) || !isWhole(r, 1) || r.operands[1] !== c) continue;
      const act = activationOf(r, "");
      const slope = activationOf(r, "_grad");
      const at = r.operands[2] as Slot;
      if (act !== undefined) steps[i] = finished(s, y, act, alone ? null : c, null);
      else if (slope !== undefined && alone && isWhole(r, 2) && lastWrite(at, k) < i)
        steps[i] = finished(s, y, slope, null, at);
      else continue;
      steps[k] = null;
      return;
    }
  });
  return { ...g, steps: steps.filter((s) => s !== null) };
}
