import { fail } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { assign, le, logicalAnd } from "../ops/arithmetic.ts";
import { writeSlots } from "../ops/attention.ts";
import { arange, zeros } from "../ops/create.ts";
import { indexSelect } from "../ops/select.ts";
import { reshape, unsqueeze } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { KeysValues } from "./attention.ts";

/** Sizes of a {@link KVCache}. */
export interface CacheSizes {
  readonly layers: number;
  readonly batch: number;
  /** Heads of keys and values. */
  readonly heads: number;
  /** Slots for tokens. */
  readonly capacity: number;
  /** Numbers a head. */
  readonly width: number;
}

/**
 * The keys and values of tokens already seen, so that a new token costs one row and not all of them again. Its memory has one
 * size from the beginning: a step that adds a token is always the same step, and can be compiled.
 * @example
 * ```ts
 * import { KVCache, randn, tensor } from "nabla";
 * const cache = new KVCache({ layers: 1, batch: 1, heads: 2, capacity: 8, width: 4 });
 * const slots = tensor([0, 1, 2], { dtype: "i32" });
 * const { k } = cache.store(0, slots, randn(1, 2, 3, 4), randn(1, 2, 3, 4));
 * console.log(k.shape, cache.visible(slots).shape); // [ 1, 2, 8, 4 ] [ 3, 8 ]
 * ```
 */
export class KVCache {
  readonly sizes: CacheSizes;
  /** Booleans [batch, capacity], false in slots that only fill up a batch; undefined where all count. */
  readonly keyMask: Tensor | undefined;
  readonly #memory: readonly KeysValues[];

  constructor(sizes: CacheSizes, keyMask?: Tensor) {
    const { layers, batch, heads, capacity, width } = sizes;
    checkShape("KVCache", [layers, batch, heads, capacity, width]);
    this.sizes = sizes;
    this.keyMask = keyMask;
    const empty = () => zeros([batch, heads, capacity, width]) as Tensor;
    this.#memory = Array.from({ length: layers }, () => ({ k: empty(), v: empty() }));
  }
  /** Bytes of a cache of these sizes. */
  static bytes({ layers, batch, heads, capacity, width }: CacheSizes): number {
    return 2 * 4 * layers * batch * heads * capacity * width;
  }
  /** Writes k and v [batch, heads, time, width] into slots [time] of a layer, and gives all that layer has. */
  store(layer: number, slots: Tensor, k: Tensor, v: Tensor): KeysValues {
    const memory = this.#memory[layer];
    if (!memory)
      return fail("ERR_NABLA_INDEX", "KVCache", `there is no layer ${layer}`, {
        expected: [0, this.sizes.layers - 1],
        actual: layer,
      });
    for (const [to, x] of [
      [memory.k, k],
      [memory.v, v],
    ] as const)
      writeSlots(to, slots, x);
    return memory;
  }
  /**
   * Takes over rows [batch of this cache] of another cache with the same layers and capacity, or puts its own rows in another
   * order, as beams of a search are.
   */
  copy(from: KVCache, rows: Tensor): void {
    for (const [layer, memory] of this.#memory.entries())
      for (const part of ["k", "v"] as const)
        assign(memory[part], indexSelect((from.#memory[layer] as KeysValues)[part], 0, rows));
  }
  /** What queries in these slots may look at: all slots up to their own, [time, capacity], or [batch, 1, time, capacity]. */
  visible(slots: Tensor): Tensor {
    const past = le({ a: arange(0, this.sizes.capacity), b: unsqueeze(slots, 1) });
    if (!this.keyMask) return past as Tensor;
    const keys = reshape(this.keyMask, [this.sizes.batch, 1, 1, this.sizes.capacity]);
    return logicalAnd({ a: keys, b: past }) as Tensor;
  }
}
