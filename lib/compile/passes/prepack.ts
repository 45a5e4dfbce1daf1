import { availableMemory } from "node:process";
import { Storage } from "../../core/storage.ts";
import { K } from "../../native.gen.ts";
import { countWrites, type Graph, isSlot, type Role, type Slot, type Step } from "../graph.ts";
import { type Packed, packedOf } from "../packed.ts";

/** Rows up to which a packed weight gains: 1.1 to 1.9 times with 16, 1.0 to 1.35 with 64, within the noise from 128 on. */
const mostRows = 64;
/** Elements from which it does: a smaller weight stays in L1. And a panel is filled up to 48 columns. */
const [fewest, narrowest] = [2 ** 14, 48];
/** Words of a product: p, q, m, n, k, and behind the walks of c, a and b the other operands. */
const [bAt, restAt] = [15, 20];

/** The weight that a product of few rows reads and no step writes, as a copy to be packed. */
function packedIn(s: Step, written: ReadonlyMap<Slot, number>): Packed | undefined {
  const b = s.operands[2];
  const [p, q, m, n, k] = s.words;
  if (s.kernel !== K.matmul || s.dtype !== "f32" || !isSlot(b) || b.role !== "state" || written.has(b))
    return undefined;
  if (p * q !== 1 || m > mostRows || n < narrowest || n * k < fewest) return undefined;
  const [offset, , , stepK, stepN] = s.words.subarray(bAt, restAt);
  return packedOf(b.storage, { n, k, offset, steps: [stepK, stepN] });
}

/** The product that reads b where it lies or from the copy, as word `at` of `how` says. */
function reading(s: Step, copy: Slot, how: Slot, at: number): Step {
  const [c, a, b, ...rest] = s.operands;
  const extents = [...s.words.subarray(0, 5), copy.length, 1];
  const walks = [...s.words.subarray(5, restAt), 0, at, ...s.words.subarray(restAt)];
  const words = Float64Array.from([...extents, ...walks]);
  const kernel = K.matmul_packed;
  return { ...s, kernel, row: kernel.id.f32, operands: [c, a, b, copy, how, ...rest], words };
}

/**
 * Products of few rows get a second copy of a weight, in the order in which the kernel reads it. Without being asked for only
 * where half the memory that is free holds all copies.
 */
export function prepackWeights(g: Graph, wanted: boolean | undefined): Graph {
  if (wanted === false) return g;
  const written = countWrites(g);
  const of = new Map(g.steps.map((s) => [s, packedIn(s, written)] as const));
  const packed = [...new Set([...of.values()].flatMap((p) => p ?? []))];
  const bytes = packed.reduce((sum, p) => sum + p.copy.bytes, 0);
  if (packed.length === 0 || (!wanted && bytes > availableMemory() / 2)) return g;

  const slot = (role: Role, storage: Storage, i: number): Slot => {
    const { dtype, length } = storage;
    return { id: g.slots.length + i, role, dtype, length, storage, label: undefined, data: undefined };
  };
  const copies = packed.map((p, i) => slot("packed", p.copy, i));
  const how = slot("argument", new Storage("i32", null, false, packed.length), packed.length);
  const steps = g.steps.map((s) => {
    const at = packed.indexOf(of.get(s) as Packed);
    return at < 0 ? s : reading(s, copies[at], how, at);
  });
  return { ...g, slots: [...g.slots, ...copies, how], steps, inputs: [...g.inputs, how], packed };
}
