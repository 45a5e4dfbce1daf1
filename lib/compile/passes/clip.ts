import {
  countWrites,
  type Graph,
  isSlot,
  isWhole,
  type Operand,
  type Slot,
  type Step,
  touched,
  usersOf,
  walkOf,
} from "../graph.ts";
import { isUpdate } from "./update.ts";

interface Factor {
  readonly slot: Slot;
  readonly offset: number;
  /** The step that read it. */
  readonly reader: Step;
}

/**
 * Clipped gradients need no pass of their own: g * factor inside the update, in f32 as before, instead of a product that is
 * written and read again.
 */
export function clipInUpdates(g: Graph): Graph {
  const users = usersOf(g.steps);
  const written = countWrites(g);
  const maker = new Map<Slot, Step>();
  for (const s of g.steps) for (const u of touched(s)) if (u.writes) maker.set(u.slot, s);

  /** The f64 number that operand 2 of a product repeats, if it is one: behind a cast for f32. */
  const factorOf = (s: Step): Factor | undefined => {
    const [slot, walk] = [s.operands[2], walkOf(s, 2)];
    if (!isSlot(slot) || !walk?.steps.every((step, d) => step === 0 || walk.extents[d] === 1)) return undefined;
    if (slot.dtype === "f64") return { slot, offset: walk.offset, reader: s };
    const cast = maker.get(slot);
    if (cast?.kernel.name !== "cast_f32" || written.get(slot) !== 1 || slot.length !== 1) return undefined;
    const [from, source] = [cast.operands[1], walkOf(cast, 1)];
    return isSlot(from) && from.dtype === "f64" && source
      ? { slot: from, offset: source.offset, reader: cast }
      : undefined;
  };
  const gone = new Set<Step>();
  const steps = g.steps.map((s, i) => {
    if (!isUpdate(s)) return s;
    const at = s.operands.length - 3;
    const clipped = s.operands[at];
    const product = isSlot(clipped) ? maker.get(clipped) : undefined;
    if (
      !isSlot(clipped) ||
      !product ||
      product.kernel.name !== "mul" ||
      clipped.role !== "temp" ||
      written.get(clipped) !== 1
    )
      return s;
    const whole = isWhole(product, 0) && isWhole(product, 1) && clipped.length === s.words[0];
    const free = users.get(clipped)?.length === 2 && !g.outputs.includes(clipped) && s.operands[at + 2] === null;
    const factor = whole && free ? factorOf(product) : undefined;
    if (!factor) return s;
    const still = (x: Operand, since: Step) => {
      const changes = (k: number) => touched(g.steps[k]).some((u) => u.slot === x && u.writes);
      return isSlot(x) && !users.get(x)?.some((k) => k > g.steps.indexOf(since) && k < i && changes(k));
    };
    if (!still(product.operands[1], product) || !still(factor.slot, factor.reader)) return s;
    gone.add(product);
    const operands = s.operands.with(at, product.operands[1]).with(at + 2, factor.slot);
    return { ...s, operands, words: Float64Array.of(...s.words, factor.offset) };
  });
  return { ...g, steps: steps.filter((s) => !gone.has(s)) };
}
