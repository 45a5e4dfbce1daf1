import { only } from "../core/boundary.ts";
import { checkCount, fail } from "../core/errors.ts";
import { KVCache } from "../nn/cache.ts";
import { ContinuousBatch } from "./batch.ts";
import { type CausalModel, checkPrompts, type Prompts } from "./causal.ts";
import { type GenerateOptions, generateNames, seedOf } from "./stream.ts";

// Batches of a model by what they hold, the latest used last: their plans and memory serve the next call too.
const batches = new WeakMap<CausalModel, ContinuousBatch[]>();
/** Batches that nobody uses and that are kept all the same. */
const mostIdle = 2;
/** Bytes of keys and values that calls may share. A text that needs more has a batch of its own. */
const sharedBytes = 2 ** 28;

/** A batch with places for so many texts of so many tokens. Few sizes, so that calls meet in one batch. */
function batchFor(model: CausalModel, texts: number, tokens: number): ContinuousBatch {
  if (model.texts !== undefined && texts > model.texts)
    fail("ERR_NABLA_VALUE", "generate", `${texts} prompts for a model that has ${model.texts} texts to continue`, {
      expected: model.texts,
      actual: texts,
    });
  const contextLength = Math.min(model.contextLength, Math.max(64, 2 ** Math.ceil(Math.log2(tokens))));
  const known = batches.get(model) ?? [];
  batches.set(model, known);
  const found = known.find((b) => b.contextLength === contextLength && b.free >= texts);
  const batch = found ?? new ContinuousBatch(model, { streams: streamsOf(model, texts, contextLength), contextLength });
  known.splice(0, known.length, ...known.filter((b) => b !== batch), batch);
  const idle = known.filter((b) => b.active === 0 && b !== batch);
  for (const b of idle.slice(0, Math.max(0, idle.length - mostIdle + 1))) {
    known.splice(known.indexOf(b), 1);
    b[Symbol.dispose]();
  }
  return batch;
}
/** 8, or as many as the memory allows. */
function streamsOf(model: CausalModel, texts: number, contextLength: number): number {
  const fit = Math.floor(sharedBytes / KVCache.bytes(model.cache(1, contextLength).sizes));
  return Math.max(texts, Math.min(8, fit));
}

/**
 * Continues several texts at once, each with its own random numbers: gives one list a step, with the next token of each text,
 * or undefined where the text has ended. Options as {@link generate}; the k-th text is drawn with seed + k.
 * @example
 * ```ts
 * import { GPT2, generateBatch } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * for await (const tokens of generateBatch(model, [[1, 2, 3], [4]], { maxTokens: 3 })) console.log(tokens.length); // 2
 * ```
 */
export async function* generateBatch(
  model: CausalModel,
  prompts: Prompts,
  options: GenerateOptions = {},
): AsyncGenerator<(number | undefined)[], void, undefined> {
  const { maxTokens = 100 } = only("generate", options, generateNames);
  checkCount("generate", "maxTokens", maxTokens, 0);
  checkPrompts("generate", model, prompts);
  const seed = seedOf(options);
  const batch = batchFor(model, prompts.length, Math.max(...prompts.map((p) => p.length)) + maxTokens);
  const texts = prompts.map((prompt, i) => batch.generate(prompt, { ...options, seed: seed + i }));
  try {
    for (;;) {
      const tokens = (await Promise.all(texts.map((t) => t.next()))).map((t) => t.value as number | undefined);
      if (tokens.every((t) => t === undefined)) return;
      yield tokens;
    }
  } finally {
    await Promise.all(texts.map((t) => t.return()));
  }
}

/**
 * Continues a text token by token, as they come. Keys and values of earlier tokens are kept, so that a token costs one compiled
 * step, which runs off the main thread. Texts of one model that grow at the same time share that step, and each gets the tokens
 * it would get alone. Where the context is full, its later half is read again and the text goes on.
 *
 * Hugging Face: `generate` with a streamer. Bad options and prompts are an ERR_NABLA_VALUE.
 * @example
 * ```ts
 * import { GPT2, generate } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const tokens = [];
 * for await (const token of generate(model, [1, 2, 3], { maxTokens: 5, temperature: 0.8, topK: 10 })) tokens.push(token);
 * console.log(tokens.length); // 5
 * ```
 */
export async function* generate(
  model: CausalModel,
  prompt: readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<number, void, undefined> {
  const { maxTokens = 100 } = only("generate", options, generateNames);
  checkCount("generate", "maxTokens", maxTokens, 0);
  checkPrompts("generate", model, [prompt]);
  yield* batchFor(model, 1, prompt.length + maxTokens).generate(prompt, options);
}
