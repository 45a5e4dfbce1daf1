import { setImmediate } from "node:timers/promises";
import { only } from "../core/boundary.ts";
import { checkCount, fail, NablaError } from "../core/errors.ts";
import { Module } from "../nn/module.ts";
import { type CausalModel, checkPrompts, endingOf } from "./causal.ts";

import { Rows } from "./rows.ts";
import { aborted, type GenerateOptions, generateNames, Stream } from "./stream.ts";

/** Sizes of a {@link ContinuousBatch}. */
export interface BatchSizes {
  /** Texts that grow at once; more wait. 8 unless given. */
  readonly streams?: number | undefined;
  /** The most tokens a text may look back on: the model's context unless given. */
  readonly contextLength?: number | undefined;
  /** Whether weights are kept once more in the order products read them, as the option of compile(). */
  readonly prepack?: boolean | undefined;
}

/** Milliseconds of choosing tokens before the event loop has its turn. */
const patience = 1;

/**
 * Texts that grow together: each token of all of them is one step that reads the weights once. A text joins when there is a
 * place, between two tokens of the others, and leaves when it ends; each has its own options, seed and signal. Its tokens are,
 * to the bit of every logit, those it would get alone. Long prompts are read piece by piece, while the others go on. A text
 * whose reader does not ask for its next token waits, and costs nothing.
 *
 * Hugging Face: `ContinuousBatchingManager`.
 * @example
 * ```ts
 * import { ContinuousBatch, GPT2 } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const batch = new ContinuousBatch(model, { streams: 4 });
 * const write = async (prompt: number[]) => {
 *   const tokens = [];
 *   for await (const token of batch.generate(prompt, { maxTokens: 5, seed: 1 })) tokens.push(token);
 *   return tokens.length;
 * };
 * console.log(await Promise.all([write([1, 2, 3]), write([4])])); // [ 5, 5 ]
 * ```
 */
export class ContinuousBatch {
  readonly model: CausalModel;
  readonly contextLength: number;
  readonly #kept: Rows;
  /** The texts by row. */
  readonly #rows: (Stream | undefined)[];
  readonly #queue: Stream[] = [];
  #running: Promise<void> | undefined;
  #disposed = false;
  #tokens = 0;

  constructor(model: CausalModel, options: BatchSizes = {}) {
    const {
      streams = 8,
      contextLength = model?.contextLength,
      prepack,
    } = only("ContinuousBatch", options, ["streams", "contextLength", "prepack"]);
    if (!(model instanceof Module && typeof model.cache === "function"))
      fail("ERR_NABLA_TYPE", "ContinuousBatch", "takes a model that continues texts", { actual: model });
    checkCount("generate", "streams", streams, 1);
    checkCount("generate", "contextLength", contextLength, 1);
    this.model = model;
    this.contextLength = Math.min(contextLength, model.contextLength);
    const rows = model.texts ?? streams;
    this.#kept = new Rows(model, rows, this.contextLength, { prepack });
    this.#rows = Array.from({ length: rows });
  }
  get vocabSize(): number {
    return this.model.vocabSize;
  }
  /** Texts that have a place. */
  get active(): number {
    return this.#rows.filter((s) => s !== undefined).length;
  }
  /** Texts that wait for one. */
  get waiting(): number {
    return this.#queue.length;
  }
  /** Places that are free. */
  get free(): number {
    return this.#rows.length - this.active;
  }
  /** Tokens given out so far. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Continues a text as {@link generate} does. */
  async *generate(prompt: readonly number[], options: GenerateOptions = {}): AsyncGenerator<number, void, undefined> {
    const { maxTokens = 100, signal } = only("generate", options, generateNames);
    checkCount("generate", "maxTokens", maxTokens, 0);
    checkPrompts("generate", this, [prompt]);
    const stream = new Stream(prompt, this.contextLength, options);
    const ends = endingOf(options.stop);
    const added: number[] = [];
    const abort = () => stream.fail(aborted(signal as AbortSignal, added.length));
    signal?.addEventListener("abort", abort);
    try {
      this.#join(stream);
      while (added.length < maxTokens && !ends(added)) {
        if (signal?.aborted) throw aborted(signal, added.length);
        if (this.#disposed) fail("ERR_NABLA_DISPOSED", "generate", gone);
        const token = stream.next();
        this.#start();
        added.push(await token);
        yield added.at(-1) as number;
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#leave(stream);
    }
  }

  /** Takes the first free row, so that the rows in use stay together, or waits for one in the order of coming. */
  #join(stream: Stream): void {
    if (this.#disposed) fail("ERR_NABLA_DISPOSED", "generate", gone);
    this.#queue.push(stream);
    this.#seat();
  }
  #leave(stream: Stream): void {
    const [row, place] = [this.#rows.indexOf(stream), this.#queue.indexOf(stream)];
    if (row >= 0) this.#rows[row] = undefined;
    if (place >= 0) this.#queue.splice(place, 1);
    this.#seat();
  }
  #seat(): void {
    for (
      let row = this.#rows.indexOf(undefined);
      row >= 0 && this.#queue.length > 0;
      row = this.#rows.indexOf(undefined)
    )
      this.#rows[row] = this.#queue.shift();
  }
  /** Those that have a place and are asked for a token. */
  #wanted(): Stream[] {
    return this.#rows.filter((s) => s?.wanted === true) as Stream[];
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }
  /** Works as long as a text is asked for a token; those who ask between two turns of the event loop share a step. */
  async #run(): Promise<void> {
    await setImmediate();
    for (let wanted = this.#wanted(); wanted.length > 0; wanted = this.#wanted()) {
      try {
        await this.#read(wanted);
        await this.#add(wanted.filter((s) => s.ready));
      } catch (error) {
        for (const s of wanted) s.fail(error);
      }
      await setImmediate();
    }
  }
  /** One piece of the prompt of the text that has waited longest for it. */
  async #read(wanted: readonly Stream[]): Promise<void> {
    for (const s of wanted) s.turn();
    const reader = wanted.find((s) => !s.ready);
    if (!reader) return;
    const row = this.#rows.indexOf(reader);
    reader.used = await this.#kept.read(row, reader.text, reader.used, reader.text.length - 1);
  }
  /** A token for each. */
  async #add(ready: readonly Stream[]): Promise<void> {
    if (ready.length === 0) return;
    const places = ready.map((s) => this.#rows.indexOf(s));
    const count = Math.min(this.#rows.length, 2 ** Math.ceil(Math.log2(Math.max(...places) + 1)));
    // A row that has no part in this step gets a token where its own next one will overwrite it.
    const rows = this.#rows.slice(0, count);
    const logits = await this.#kept.add(
      rows.map((s) => (s && ready.includes(s) ? s.last : { token: 0, slot: s?.spare ?? 0 })),
    );
    const { vocabSize } = this;
    let begin = performance.now();
    for (const [i, stream] of ready.entries()) {
      if (!stream.wanted) continue;
      stream.give(logits.subarray(places[i] * vocabSize, (places[i] + 1) * vocabSize));
      this.#tokens++;
      if (performance.now() - begin < patience) continue;
      await setImmediate();
      begin = performance.now();
    }
  }

  /** Texts that still grow end with an ERR_NABLA_DISPOSED. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const s of [...this.#rows, ...this.#queue]) s?.fail(new NablaError("ERR_NABLA_DISPOSED", "generate", gone));
    this.#kept[Symbol.dispose]();
  }
}
const gone = "the batch was disposed";
