import { fail, NablaError } from "../core/errors.ts";
import { randint } from "../ops/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type SampleOptions, type Sampler, sampler, uniforms } from "./sample.ts";

/** Options of {@link generate}. */
export interface GenerateOptions extends SampleOptions {
  /** The most tokens to add; 100 unless given. */
  readonly maxTokens?: number | undefined;
  /** Tokens, or sequences of them, that end the text. They are given out too. */
  readonly stop?: readonly (number | readonly number[])[] | undefined;
  /** Fixes what is drawn; otherwise the global generator does, and seed() fixes that. */
  readonly seed?: number | undefined;
  /** Ends it with ERR_NABLA_ABORTED before the next token. */
  readonly signal?: AbortSignal | undefined;
}
const sampling = ["temperature", "topK", "topP", "minP", "repetitionPenalty"] as const;
export const generateNames = ["maxTokens", "stop", "seed", "signal", ...sampling] as const;

/** The seed of a call: its own, or one that the global generator draws. */
export function seedOf({ seed }: GenerateOptions): number {
  if (seed === undefined) return (randint([1], 0, 2 ** 31 - 1) as Tensor).item();
  if (Number.isSafeInteger(seed)) return seed;
  return fail("ERR_NABLA_VALUE", "generate", `seed must be a whole number, got ${seed}`, { actual: seed });
}

interface Waiting {
  readonly resolve: (token: number) => void;
  readonly reject: (error: unknown) => void;
}

/** A text that grows in one row of a {@link Rows}: what is written there, and who waits for the next token. */
export class Stream {
  /** The tokens that stand in the row from slot 0: all, or behind a full context its later half. */
  #text: number[];
  readonly #all: number[];
  /** Slots that are filled. */
  used = 0;
  readonly #capacity: number;
  readonly #choose: Sampler;
  readonly #random: () => number;
  #waiting: Waiting | undefined;

  constructor(prompt: readonly number[], capacity: number, options: GenerateOptions) {
    this.#text = [...prompt];
    this.#all = [...prompt];
    this.#capacity = capacity;
    this.#choose = sampler(options);
    this.#random = uniforms(seedOf(options));
  }
  get wanted(): boolean {
    return this.#waiting !== undefined;
  }
  get text(): readonly number[] {
    return this.#text;
  }
  /** Whether only the last token is not in the row yet, so that a step can add it. */
  get ready(): boolean {
    return this.used === this.#text.length - 1;
  }
  /** The last token and its slot. */
  get last(): { token: number; slot: number } {
    return { token: this.#text.at(-1) as number, slot: this.#text.length - 1 };
  }
  /** A slot that the next token of its own overwrites. */
  get spare(): number {
    return Math.min(this.used, this.#capacity - 1);
  }
  /** The next token, once the batch has chosen it. */
  next(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
  /** Where the context is full, its later half stays and is read anew. */
  turn(): void {
    if (this.#text.length <= this.#capacity) return;
    this.#text = this.#text.slice(-Math.ceil(this.#capacity / 2));
    this.used = 0;
  }
  /** Chooses a token from the logits of what follows the last. */
  give(logits: Float32Array): void {
    this.used++;
    try {
      const token = this.#choose(logits, this.#all, this.#random);
      this.#text.push(token);
      this.#all.push(token);
      this.#waiting?.resolve(token);
      this.#waiting = undefined;
    } catch (error) {
      this.fail(error);
    }
  }
  fail(error: unknown): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

export const aborted = (signal: AbortSignal, tokens: number): NablaError =>
  new NablaError("ERR_NABLA_ABORTED", "generate", `aborted after ${tokens} tokens`, { cause: signal.reason });
