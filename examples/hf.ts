// Continues a text with a model in a Hugging Face folder, and prints it as it comes.
import { createInterface } from "node:readline";
import { ContinuousBatch, detokenize, isa, KVCache, quantizeDynamic, seed, setThreads, threads } from "nabla";
import { choice, flag, integer, path, real, run } from "./options.ts";
import { machine } from "./terminal.ts";
import { loaded } from "./writer.ts";

const program = {
  call: "node --import tsx examples/hf.ts",
  about: "Continues texts with a GPT-2 or Llama from a Hugging Face folder, and prints them as they come.",
  argument: { shape: "DIR", about: "config.json, model.safetensors or its parts, tokenizer.json" },
  options: {
    prompt: path("TEXT", undefined, "what to continue; without it each line of the input, until its end"),
    ids: flag("prompts and texts are numbers of tokens; needs no tokenizer.json"),
    tokens: integer(100, "the most tokens to write", { max: 1_000_000 }),
    temperature: real(0.8, "how freely it writes; 0 takes the likeliest", { max: 100 }),
    "top-k": integer(undefined, "draws from so many of the likeliest tokens"),
    "top-p": real(undefined, "draws from the likeliest that make up this probability", { max: 1 }),
    "min-p": real(undefined, "draws from tokens that are so likely beside the likeliest", { max: 1 }),
    "repetition-penalty": real(1, "above 1 turns from tokens that were there", { max: 100 }),
    stop: path("TEXT", undefined, "ends before this text"),
    weights: choice(["f32", "bf16", "i8"], "how linear layers keep their weights"),
    context: integer(1024, "tokens it may look back on", { max: 10_000_000 }),
    seed: integer(0, "seed of what is drawn", { min: 0, max: 2 ** 31 - 1 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
  },
} as const;

interface Spent {
  tokens: number;
  /** Milliseconds to the first token, and from there to the last. */
  first: number;
  rest: number;
}
async function* timed(tokens: AsyncIterable<number>, spent: Spent): AsyncGenerator<number> {
  let [at, first] = [performance.now(), true];
  for await (const token of tokens) {
    const now = performance.now();
    spent.tokens++;
    if (first) spent.first = now - at;
    else spent.rest += now - at;
    [at, first] = [now, false];
    yield token;
  }
}

/** Prints the pieces of a text as they come, and gives it. */
async function printed(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) {
    process.stdout.write(piece);
    text += piece;
  }
  process.stdout.write("\n");
  return text;
}
async function* prompts(given: string | undefined): AsyncGenerator<string> {
  if (given !== undefined) yield given;
  else for await (const line of createInterface({ input: process.stdin })) if (line !== "") yield line;
}

await run(program, async ({ argument, prompt, ids, tokens, stop, context, ...options }) => {
  if (options.threads !== undefined) setThreads(options.threads);
  seed(options.seed);
  const start = performance.now();
  const { model, tokenizer, ends } = await loaded(argument as string, ids);
  const parameters = model.parameters().reduce((sum, p) => sum + p.size, 0);
  if (options.weights !== "f32") quantizeDynamic(model, { dtype: options.weights });
  using batch = new ContinuousBatch(model, { streams: 1, contextLength: context });
  const cache = KVCache.bytes(model.cache(1, batch.contextLength).sizes);
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  console.log(`${model.describe()}: ${parameters.toLocaleString("en")} parameters, ${megabytes(4 * parameters)},`);
  console.log(
    `read in ${((performance.now() - start) / 1000).toFixed(1)} s; keys and values of ${batch.contextLength} tokens ${megabytes(cache)}`,
  );
  console.log(`on ${machine()}\n`);
  const how = {
    maxTokens: tokens,
    temperature: options.temperature,
    topK: options["top-k"],
    topP: options["top-p"],
    minP: options["min-p"],
    repetitionPenalty: options["repetition-penalty"],
    seed: options.seed,
  };
  const spent: Spent = { tokens: 0, first: 0, rest: 0 };
  const texts: string[] = [];
  const endings = [...ends, ...(stop === undefined ? [] : [stop])];
  for await (const text of prompts(prompt)) {
    process.stdout.write(ids ? `${text} ` : text);
    const behind = tokenizer.encode(text);
    const added = timed(batch.generate(behind, how), spent);
    texts.push(await printed(detokenize(added, tokenizer, { stop: endings, behind })));
  }
  const speed = ((spent.tokens - texts.length) * 1000) / spent.rest;
  console.log(`\n${spent.tokens} tokens, ${speed.toFixed(1)} tokens/s, the first after ${spent.first.toFixed(0)} ms`);
  const figures = { tokens: spent.tokens, tokensPerSecond: speed, firstToken: spent.first };
  return { texts, ...figures, parameters, isa: isa(), threads: threads() };
});
