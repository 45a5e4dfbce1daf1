import { checkKind } from "../core/boundary.ts";
import { checkCount, fail } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import { emptyValue, type Value, wrapArray } from "../core/value.ts";
import { elementsOf, launch } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { forkRng, randint } from "../ops/random.ts";

/** How samples become batches. */
export interface BatchOptions {
  /** Samples in a batch; 32 unless given. */
  size?: number;
  /** A new order in each epoch. */
  shuffle?: boolean;
  /** What the orders follow from; drawn from the global generator unless given. */
  seed?: number;
  /** Leave out a last batch that is not full. */
  dropLast?: boolean;
}
export const batchNames = ["size", "shuffle", "seed", "dropLast", "transform"] as const;
/** Where a run stands: batches already taken in this epoch. */
export interface Position {
  readonly epoch: number;
  readonly position: number;
}
/** A {@link Position} with what it is a position in: plain numbers, made for JSON. */
export interface EpochsState extends Position {
  readonly seed: number;
  readonly shuffle: boolean;
  readonly count: number;
  readonly size: number;
  readonly dropLast: boolean;
}

// The generator's counter is 64 bits. Epoch e has the numbers from e 2^32 on: words of state are low, high.
const begins = (seed: number, low: number, epoch: number): Int32Array<ArrayBuffer> =>
  Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32), low | 0, epoch);

/** 0 .. n - 1 in an order of its own for each seed and epoch: the generator's counter begins at epoch 2^32. */
export function permutation(n: number, seed: number, epoch: number): Value {
  const state = wrapArray(begins(seed, 0, epoch), [4], "i32");
  const y = emptyValue([n], "i32");
  if (numel(y.shape) > 0) launch(K.permutation, "f32", [n, 4], [y, state]);
  return y;
}

/** The seed of batch i of an epoch: two words of a stream apart from that of the permutations, whose seeds are below 2^53. */
function batchSeed(seed: number, epoch: number, i: number): bigint {
  const state = begins(seed, i, epoch);
  state[1]! |= 1 << 31;
  const words = emptyValue([2], "i32");
  launch(K.randint, "f32", [2, 4], [words, wrapArray(state, [4], "i32")], [-(2 ** 31), 2 ** 31 - 1]);
  const [low, high] = words.storage.array.subarray(words.offset) as Int32Array;
  return (BigInt(high! >>> 0) << 32n) | BigInt(low! >>> 0);
}

/**
 * The order in which samples come, epoch after epoch, and a place in it: what {@link Batches} and {@link DataLoader} have in common.
 * The order of an epoch follows from the seed and its number alone, and so do the random numbers of each batch: a run goes
 * on where another stopped, with `load(state)` or, given the same seed, `resume({ epoch, position })`.
 */
export abstract class Epochs {
  /** Batches of an epoch. */
  readonly length: number;
  /** Samples of an epoch. */
  readonly samples: number;
  readonly size: number;
  readonly #op: string;
  readonly #count: number;
  readonly #shuffle: boolean;
  readonly #dropLast: boolean;
  #seed: number;
  #at: Position = { epoch: 0, position: 0 };
  #next: Position = { epoch: 0, position: 0 };

  constructor(op: string, count: number, options: BatchOptions & { readonly transform?: unknown }) {
    if (options.transform !== undefined) checkKind(op, "transform", options.transform, "function");
    const { size = 32, shuffle = false, seed, dropLast = false, transform } = options;
    this.size = checkCount(op, "size", size, 1);
    this.length = dropLast ? Math.floor(count / size) : Math.ceil(count / size);
    if (this.length === 0) fail("ERR_NABLA_VALUE", op, `${count} samples make no batch of ${size}`, { actual: count });
    this.samples = Math.min(count, this.length * size);
    this.#op = op;
    this.#count = count;
    this.#shuffle = shuffle;
    this.#dropLast = dropLast;
    this.#seed = seed === undefined ? drawSeed(shuffle || transform !== undefined) : checkCount(op, "seed", seed, 0);
  }

  get seed(): number {
    return this.#seed;
  }
  /** The epoch of the batch that was taken last, from 0. */
  get epoch(): number {
    return this.#at.epoch;
  }
  /** How many batches of that epoch were taken. */
  get position(): number {
    return this.#at.position;
  }
  /** The next loop goes on from here. */
  resume({ epoch, position }: Position): this {
    checkCount(this.#op, "epoch", epoch, 0);
    if (checkCount(this.#op, "position", position, 0) > this.length)
      fail("ERR_NABLA_VALUE", this.#op, `position ${position} lies behind the ${this.length} batches of an epoch`, {
        expected: this.length,
        actual: position,
      });
    this.#at = { epoch, position };
    this.#next = position < this.length ? this.#at : { epoch: epoch + 1, position: 0 };
    return this;
  }
  /** Where it stands, for JSON: with it {@link load} gives the same batches that would follow here. */
  state(): EpochsState {
    const [seed, shuffle, count, dropLast] = [this.#seed, this.#shuffle, this.#count, this.#dropLast];
    return { ...this.#at, seed, shuffle, count, size: this.size, dropLast };
  }
  /**
   * Goes on from what {@link state} gave: seed, epoch and position. Throws ERR_NABLA_STATE where the samples are not as many, or
   * are not cut into the same batches.
   */
  load(state: unknown): this {
    const given = (state ?? {}) as Partial<EpochsState>;
    const own = this.state();
    for (const name of ["count", "size", "shuffle", "dropLast"] as const)
      if (given[name] !== own[name])
        fail("ERR_NABLA_STATE", this.#op, `${name} was ${String(given[name])} in the saved state and is ${own[name]}`, {
          expected: own[name],
          actual: given[name],
          hint: "a run goes on with the data and the batches it began with",
        });
    const seed = checkCount(this.#op, "seed", given.seed, 0);
    this.resume(given as EpochsState);
    this.#seed = seed;
    return this;
  }

  /** A new loop: the place it begins at, and the order of its epoch, null for that of the samples. */
  protected begin(): Position & { readonly order: Value | null } {
    const { epoch, position } = this.#next;
    this.#next = { epoch: epoch + 1, position: 0 };
    return { epoch, position, order: this.#shuffle ? permutation(this.#count, this.#seed, epoch) : null };
  }
  protected took(epoch: number, i: number): void {
    this.#at = { epoch, position: i + 1 };
  }
  /** f(x) with random numbers that follow from the seed, the epoch and the number of the batch, and from nothing else. */
  protected transformed<X>(f: ((x: X) => X) | undefined, x: X, epoch: number, i: number): X {
    return f ? forkRng(batchSeed(this.#seed, epoch, i), () => withGrad(false, () => f(x))) : x;
  }
}

const drawSeed = (used: boolean): number => (used ? elementsOf("batches", randint([1], 0, 2 ** 31 - 1))[0]! : 0);
