import { K } from "../../native.gen.ts";
import {
  copyOf,
  countWrites,
  type Graph,
  isSlot,
  isWhole,
  type Operand,
  type Slot,
  type Step,
  usersOf,
} from "../graph.ts";

/** The slots that hold nothing but 1: the gradient of a loss by itself. */
function onesOf(g: Graph): Set<Operand> {
  const written = countWrites(g);
  const filled = g.steps.filter((s) => s.kernel === K.copy && s.operands[1] === 1 && isWhole(s, 0));
  return new Set<Operand>([1, ...filled.map((s) => s.operands[0]).filter((y) => isSlot(y) && written.get(y) === 1)]);
}

/** 1 x is x, to the bit: a product with ones is a copy. */
export function copyOnes(g: Graph): Graph {
  const ones = onesOf(g);
  const steps = g.steps.map((s): Step => {
    const [y, a, b] = s.operands;
    const x = ones.has(b) ? a : b;
    const by = ones.has(b) ? 1 : 2;
    if (s.kernel !== K.mul || !isSlot(y) || !isSlot(x) || !(ones.has(a) || ones.has(b))) return s;
    if (y === x || !isWhole(s, 0) || !isWhole(s, by)) return s;
    return { ...s, ...copyOf(y, x) };
  });
  return { ...g, steps };
}

/** A copy of a temporary that nobody uses afterwards is that temporary: what writes in the copy writes in it. */
export function takeOver(g: Graph): Graph {
  const users = usersOf(g.steps);
  const outputs = new Set(g.outputs);
  const instead = new Map<Slot, Slot>();
  const resolve = (x: Operand): Operand => (isSlot(x) ? (instead.get(x) ?? x) : x);
  const steps = g.steps.flatMap((s, i): Step[] => {
    const [y, x] = s.operands;
    const taken =
      s.kernel === K.copy &&
      isSlot(x) &&
      isSlot(y) &&
      x !== y &&
      x.role === "temp" &&
      y.role === "temp" &&
      !outputs.has(x) &&
      isWhole(s, 0) &&
      isWhole(s, 1) &&
      users.get(x)?.at(-1) === i &&
      users.get(y)?.[0] === i;
    if (!taken) return [{ ...s, operands: s.operands.map(resolve) }];
    instead.set(y as Slot, resolve(x) as Slot);
    return [];
  });
  return { ...g, steps, outputs: g.outputs.map((y) => resolve(y) as Slot) };
}
