// Language models that write: time to the first token, tokens a second beside the floor of memory, and the event loop meanwhile.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { GPT2, type GPT2Config, generate, KVCache, noGrad, randn, seed, type Tensor, tensor } from "nabla";
import type { Found } from "./kernels.ts";

interface Case {
  readonly name: string;
  readonly about: string;
  readonly config: GPT2Config;
  readonly prompt: number;
  readonly tokens: number;
}
const cases: readonly Case[] = [
  {
    name: "gpt",
    about: "GPT, 4 layers, width 256, context 256",
    config: { vocabSize: 4096, contextLength: 256, layers: 4, heads: 8, width: 256 },
    prompt: 20,
    tokens: 200,
  },
  {
    name: "gpt2",
    about: "GPT-2, 124 M",
    config: { vocabSize: 50257, contextLength: 1024, layers: 12, heads: 12, width: 768 },
    prompt: 32,
    tokens: 16,
  },
];

/** Bytes a second at which memory is read: 256 MiB summed. */
function bandwidth(): number {
  const x = randn(2 ** 26) as Tensor;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    x.sum();
    best = Math.min(best, performance.now() - start);
  }
  return (2 ** 28 * 1000) / best;
}

interface Written {
  /** Milliseconds to the first token of all texts. */
  readonly first: number;
  /** Tokens a second behind that, of all texts together. */
  readonly rate: number;
  /** Delay of the event loop in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}
/** So many texts at once. */
async function write(model: GPT2, { prompt, tokens }: Case, texts: number): Promise<Written> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await wait(20);
  delay.enable();
  const start = performance.now();
  const one = async (k: number): Promise<number> => {
    const ids = Array.from({ length: prompt }, (_, i) => (i * 7 + k) % model.vocabSize);
    let first = 0;
    for await (const _ of generate(model, ids, { maxTokens: tokens, temperature: 0.8, topK: 40, seed: k }))
      first ||= performance.now() - start;
    return first;
  };
  const first = Math.max(...(await Promise.all(Array.from({ length: texts }, (_, k) => one(k)))));
  const rate = (texts * (tokens - 1) * 1000) / (performance.now() - start - first);
  delay.disable();
  // The sampler's own period is 1 ms: what is over it is delay.
  const loop = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1);
  return { first, rate, p50: loop(delay.percentile(50)), p99: loop(delay.percentile(99)), worst: loop(delay.max) };
}
/** Tokens a second when every token reads the whole text again. */
function uncached(model: GPT2, { prompt, tokens }: Case): number {
  const text = Array.from({ length: prompt + tokens / 2 }, (_, i) => (i * 7) % model.vocabSize);
  const once = () => noGrad(() => model.forward(tensor([text], { dtype: "i32" }) as Tensor, { last: true }));
  once();
  const start = performance.now();
  for (let i = 0; i < 3; i++) once();
  return 3000 / (performance.now() - start);
}

/** One text, for the first time and again, and eight at once. The best of several rounds counts, each beside an idle loop. */
export async function generation(threads: number, only?: readonly string[], rounds = 3): Promise<Found> {
  const found: Found = { tables: [], bars: [], figures: {} };
  const speed = bandwidth();
  for (const c of cases.filter(({ name }) => only?.includes(name) ?? true)) {
    seed(1);
    const model = new GPT2(c.config).eval();
    const bytes = 4 * model.parameters().reduce((sum, p) => sum + p.size, 0);
    const cache = KVCache.bytes(model.cache(1, c.config.contextLength).sizes);
    const rows: (string | number)[][] = [];
    const measure = async (label: string, texts: number, times: number) => {
      const all: Written[] = [];
      for (let i = 0; i < times; i++) all.push(await write(model, c, texts));
      const least = (key: keyof Written) => Math.min(...all.map((w) => w[key]));
      const rate = Math.max(...all.map((w) => w.rate));
      // A step reads every weight once, whatever the number of texts.
      const share = rate / texts / (speed / bytes);
      rows.push([
        label,
        least("first"),
        rate,
        `${(100 * share).toFixed(0)} %`,
        least("p50"),
        least("p99"),
        least("worst"),
      ]);
      found.figures[`${c.name}, ${threads} threads: ${label}, tokens/s`] = rate;
      found.figures[`${c.name}, ${threads} threads: ${label}, event loop p99 ms`] = least("p99");
    };
    await measure("first call", 1, 1);
    await measure("one text", 1, rounds);
    await measure("first eight texts", 8, 1);
    await measure("eight texts", 8, rounds);
    rows.push(["without a cache", "", uncached(model, c), "", "", "", ""]);
    const sizes = `weights ${(bytes / 2 ** 20).toFixed(0)} MiB, keys and values ${(cache / 2 ** 20).toFixed(0)} MiB a text`;
    const title = `${c.about}, ${threads} threads: ${sizes}, memory read at ${(speed / 1e9).toFixed(1)} GB/s`;
    const loop = ["event loop p50, ms", "p99", "worst"];
    found.tables.push({ title, columns: ["", "first token, ms", "tokens/s", "of the floor", ...loop], rows });
  }
  found.figures[`process peak, MiB`] = process.resourceUsage().maxRSS / 1024;
  return found;
}
