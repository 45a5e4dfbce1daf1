import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape, sameShape } from "../core/shape.ts";
import { withoutMemory } from "../core/storage.ts";
import { assign, le, logicalAnd } from "../ops/arithmetic.ts";
import { arange, empty } from "../ops/create.ts";
import { indexSelect } from "../ops/select.ts";
import { checkSlots, placesOf, rowsOf, type Slots, writePlaces } from "../ops/slots.ts";
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
/** Where the tokens of one call stand in a {@link KVCache}. */
export interface CachePlace {
  /** What its queries may look at, all slots up to their own: booleans [time, capacity], or [batch, 1, time, capacity]. */
  readonly visible: Tensor;
  /** Writes k and v [batch, heads, time, width] of a layer, and gives all that layer has in these rows. */
  store(layer: number, k: Tensor, v: Tensor): KeysValues;
}

/**
 * The keys and values of tokens already seen, so that a new token costs one row and not all of them again. Its memory has one
 * size from the beginning: a step that adds a token is always the same step, and can be compiled. The system gives the memory
 * when it is first written: slots that are never used cost nothing.
 * @example
 * ```ts
 * import { KVCache, randn, tensor } from "nabla";
 * const cache = new KVCache({ layers: 1, batch: 1, heads: 2, capacity: 8, width: 4 });
 * const place = cache.at(tensor([0, 1, 2], { dtype: "i32" }));
 * const { k } = place.store(0, randn(1, 2, 3, 4), randn(1, 2, 3, 4));
 * console.log(k.shape, place.visible.shape); // [ 1, 2, 8, 4 ] [ 3, 8 ]
 * ```
 */
export class KVCache {
  readonly sizes: CacheSizes;
  /** Booleans [batch, capacity], false in slots that only fill up a batch; undefined where all count. */
  readonly keyMask: Tensor | undefined;
  readonly #memory: readonly KeysValues[];
  /** Where each head of each row begins, [batch, heads, 1], in memory seen as one list of vectors. */
  readonly #first: Tensor;

  constructor(sizes: CacheSizes, keyMask?: Tensor) {
    const names = ["layers", "batch", "heads", "capacity", "width"] as const;
    const { layers, batch, heads, capacity, width } = only("KVCache", sizes, names);
    checkShape("KVCache", [layers, batch, heads, capacity, width]);
    this.sizes = sizes;
    this.keyMask = keyMask;
    // Promised memory is zeros when it comes: a slot nobody has written yet weighs 0, and must not be a NaN.
    const zeros = () => withoutMemory(() => empty([batch, heads, capacity, width])) as Tensor;
    this.#memory = Array.from({ length: layers }, () => ({ k: zeros(), v: zeros() }));
    this.#first = reshape(arange(0, batch * heads * capacity, capacity), [batch, heads, 1]) as Tensor;
  }
  /** Bytes of a cache of these sizes. */
  static bytes({ layers, batch, heads, capacity, width }: CacheSizes): number {
    return 2 * 4 * layers * batch * heads * capacity * width;
  }
  /**
   * A place for tokens: slots [time], the same in every row, or [batch, time], each row its own; then `rows` [batch] may say
   * which rows these are, 0, 1, ... unless given. Others than there are is an ERR_NABLA_INDEX.
   */
  at(slots: Tensor, rows?: Tensor): CachePlace {
    const { batch, capacity, width } = this.sizes;
    if (slots.ndim < 1 || slots.ndim > 2 || (rows && slots.ndim !== 2) || (slots.ndim === 2 && slots.shape[0] > batch))
      fail("ERR_NABLA_SHAPE", "KVCache", `slots are [time], or [batch, time] of at most ${batch} rows`, {
        values: { slots, rows },
      });
    const where = checkSlots(slots, rows, batch, capacity);
    const places = placesOf(this.#first, where);
    return {
      visible: this.#visible(where),
      store: (layer, k, v) => {
        const memory = this.#layer(layer);
        if (!sameShape(k.shape, [...places.shape, width]) || !sameShape(v.shape, k.shape))
          fail("ERR_NABLA_SHAPE", "KVCache", "takes keys and values [batch, heads, time, width] of the slots", {
            values: { k, v },
            expected: [...places.shape, width],
          });
        writePlaces(memory.k, places, k);
        writePlaces(memory.v, places, v);
        return { k: rowsOf(memory.k, where) as Tensor, v: rowsOf(memory.v, where) as Tensor };
      },
    };
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
  #visible(where: Slots): Tensor {
    const { batch, capacity } = this.sizes;
    const own = where.slots.ndim === 1 ? where.slots : unsqueeze(where.slots, 1);
    const past = le({ a: arange(0, capacity), b: unsqueeze(own, -1) }) as Tensor;
    if (!this.keyMask) return past;
    const keys = rowsOf(reshape(this.keyMask, [batch, 1, 1, capacity]), where);
    return logicalAnd({ a: keys, b: past }) as Tensor;
  }
  #layer(layer: number): KeysValues {
    return (
      this.#memory[layer] ??
      fail("ERR_NABLA_INDEX", "KVCache", `there is no layer ${layer}`, {
        expected: [0, this.sizes.layers - 1],
        actual: layer,
      })
    );
  }
}
