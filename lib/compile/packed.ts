import { allocate, type Storage } from "../core/storage.ts";

/** How a run reads a weight (native/kernels/prepack.h): where it lies, from the packed copy, or from a copy it makes first. */
const [inPlace, ready, making] = [0, 1, 2];
/** Columns of a panel there, the last one filled up. */
const panel = 48;

/** [k, n] on a weight's memory. */
export interface Matrix {
  readonly n: number;
  readonly k: number;
  readonly offset: number;
  readonly steps: readonly [k: number, n: number];
}

/** A weight once more, in the order in which products of few rows read it. */
export class Packed {
  readonly weight: Storage;
  readonly copy: Storage;
  /** Versions of the weight: of which the copy is, which the run in flight that makes it found, which the latest run found. */
  #held = -1;
  #making = -1;
  #seen = -1;

  constructor(weight: Storage, { n, k }: Matrix) {
    this.weight = weight;
    this.copy = allocate("f32", Math.ceil(n / panel) * panel * k);
  }

  /**
   * How the run that is asked for now reads it. A copy costs as much as several products, so it is made by the second run that
   * finds the weight unchanged: never where training takes turns with single runs.
   */
  begin(): number {
    const { version, writers } = this.weight;
    const settled = writers === 0 && version === this.#seen;
    this.#seen = version;
    if (!settled || this.#making >= 0) return inPlace;
    if (this.#held === version) return ready;
    this.#held = -1;
    this.#making = version;
    return making;
  }
  /** The run that makes the copy is over. */
  end(done: boolean): void {
    if (done) this.#held = this.#making;
    this.#making = -1;
  }
}

/** Copies by weight and by how it is read: all plans share them, and they go with the last plan. */
const known = new WeakMap<Storage, Map<string, WeakRef<Packed>>>();
export function packedOf(weight: Storage, matrix: Matrix): Packed {
  const copies = known.get(weight) ?? new Map<string, WeakRef<Packed>>();
  known.set(weight, copies);
  const { n, k, offset, steps } = matrix;
  const key = [n, k, offset, ...steps].join();
  const packed = copies.get(key)?.deref() ?? new Packed(weight, matrix);
  copies.set(key, new WeakRef(packed));
  return packed;
}

/** Fills in how each of the runs that `how` has room for reads the weights; gives those whose copies they make. */
export function beginRuns(all: readonly Packed[], how: Int32Array): Packed[] {
  for (let i = 0; i < how.length; i++) {
    const before = i < all.length ? all[i].begin() : how[i - all.length];
    how[i] = i >= all.length && before === making ? ready : before;
  }
  return all.filter((_, i) => how[i] === making);
}
