import { countWrites, type Graph, isSlot, isWhole, type Slot, type Step, usersOf } from "../graph.ts";

/** Words of both pooling rows: five extents, then offset and three steps of each array. */
const arrayAt = (k: number): number => 5 + 4 * k;

/** Does array k, of these extents, lie in memory order and fill its slot? */
function fills(s: Step, k: number, extents: readonly number[]): boolean {
  const at = arrayAt(k);
  let expected = 1;
  for (let d = 2; d >= 0; d--) {
    if (extents[d] !== 1 && s.words[at + 1 + d] !== expected) return false;
    expected *= extents[d];
  }
  return s.words[at] === 0 && (s.operands[k] as Slot).length === expected;
}

/**
 * max_pool(relu(x)) reads x and takes relu of each value; where relu's gradient follows that of the pool, that one takes the
 * slope at the largest value: elsewhere the gradient is 0. So neither relu(x) nor the gradient between the two is ever written.
 * Only for windows that do not overlap: the slope multiplies one gradient and no sum.
 */
export function rectifyPools(g: Graph): Graph {
  const steps: (Step | null)[] = [...g.steps];
  const users = usersOf(g.steps);
  const written = countWrites(g);
  const kept = new Set(g.outputs);
  const fresh = (x: Slot) => x.role === "temp" && written.get(x) === 1;
  const readersOf = (x: Slot, maker: number) => (users.get(x) ?? []).filter((i) => i !== maker);

  /** The pool's gradient and relu's behind it, if nobody else reads what is between. */
  const backward = (slope: number, pool: Step, z: Slot): number | undefined => {
    const s = g.steps[slope];
    const [dz, dy, at] = s.operands as Slot[];
    if (s.kernel.name !== "relu_grad" || at !== z || ![0, 1, 2].every((k) => isWhole(s, k))) return undefined;
    const [grad, ...others] = readersOf(dy, slope);
    const m = g.steps[grad];
    const alone = fresh(dy) && fresh(dz) && others.length === 0 && !kept.has(dy);
    if (!alone || m?.kernel.name !== "max_pool_grad" || m.again !== s.again || m.operands[3] !== null) return undefined;
    const [a, h, w] = m.words;
    const beside = m.words[m.words.length - 2] > 0;
    return beside && m.operands[2] === pool.operands[1] && fills(m, 0, [a, h, w]) ? grad : undefined;
  };

  g.steps.forEach((relu, i) => {
    const [z, x] = relu.operands;
    if (relu.kernel.name !== "relu" || !isSlot(z) || !isSlot(x) || !fresh(z) || !fresh(x) || kept.has(z)) return;
    const [at, slope, ...others] = readersOf(z, i);
    const pool = g.steps[at];
    if (pool?.kernel.name !== "max_pool" || others.length > 0 || !isWhole(relu, 0) || !isWhole(relu, 1)) return;
    const [a, p, q, h, w] = pool.words;
    const y = pool.operands[0] as Slot;
    if (pool.again !== relu.again || !fills(pool, 2, [a, h, w]) || !fills(pool, 0, [a, p, q]) || !fresh(y)) return;
    const grad = slope === undefined ? undefined : backward(slope, pool, z);
    if (slope !== undefined && grad === undefined) return;
    steps[i] = null;
    const words = pool.words.slice();
    words[words.length - 1] = 1;
    steps[at] = { ...pool, operands: [y, pool.operands[1], x], words };
    if (slope === undefined || grad === undefined) return;
    const m = g.steps[grad];
    const head = m.words.subarray(0, arrayAt(3));
    const walk = pool.words.subarray(arrayAt(0), arrayAt(1));
    steps[slope] = null;
    steps[grad] = {
      ...m,
      operands: [g.steps[slope].operands[0], m.operands[1], m.operands[2], y],
      words: Float64Array.from([...head, ...walk, ...m.words.subarray(arrayAt(3))]),
    };
  });
  return { ...g, steps: steps.filter((s) => s !== null) };
}
