// Continuing texts: the cache against the whole pass, and the ways to choose a token.
import {
  type CausalModel,
  GPT2,
  generate,
  generateBatch,
  Llama,
  type NablaError,
  noGrad,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";
import { sampler, uniforms } from "../../lib/models/sample.ts";

beforeEach(() => seed(3));

const gpt2 = () =>
  new GPT2({ vocabSize: 31, contextLength: 12, layers: 2, heads: 2, width: 16, std: 0.3, dropout: 0.1 });
const llama = () =>
  new Llama({
    vocabSize: 31,
    contextLength: 12,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    width: 16,
    hidden: 24,
    std: 0.3,
  });
const ids = (rows: number[][]) => tensor(rows, { dtype: "i32" }) as Tensor;
const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
async function all(tokens: AsyncIterable<number>): Promise<number[]> {
  const out: number[] = [];
  for await (const t of tokens) out.push(t);
  return out;
}

describe.each([
  ["GPT2", gpt2],
  ["Llama", llama],
] as const)("%s", (_, make) => {
  const model: CausalModel = make().eval();

  it("has the logits of the whole pass, bit for bit, when tokens come one by one", () => {
    const text = [5, 9, 2, 30, 7, 1, 1, 12];
    const whole = noGrad(() => model.forward(ids([text])));
    const cache = model.cache(1, 12);
    const slots = (from: number, to: number) => ids([text.map((_, i) => i).slice(from, to)]).reshape(-1);
    const first = noGrad(() => model.forward(ids([text.slice(0, 3)]), { cache }));
    const rows = [first];
    for (let i = 3; i < text.length; i++)
      rows.push(noGrad(() => model.forward(ids([[text[i]!]]), { cache, slots: slots(i, i + 1) })));
    expect(rows.flatMap(list)).toEqual(list(whole));
  });

  it("takes what the whole pass finds likeliest, also when the context is full", async () => {
    const text = [4, 8];
    const found = await all(generate(model, text, { temperature: 0, maxTokens: 20 }));
    expect(found).toHaveLength(20);
    let seen = [...text];
    for (const token of found) {
      if (seen.length === 12 + 1) seen = seen.slice(-6);
      const row = list(noGrad(() => model.forward(ids([seen.slice(-12)]), { last: true })));
      expect(token).toBe(row.indexOf(Math.max(...row)));
      seen.push(token);
    }
  });

  it("continues texts of different length together as it does alone", async () => {
    const prompts = [[1, 2, 3, 4, 5], [6], [7, 8]];
    const options = { temperature: 0, maxTokens: 6 };
    const together: number[][] = prompts.map(() => []);
    for await (const tokens of generateBatch(model, prompts, options))
      tokens.forEach((t, i) => {
        if (t !== undefined) together[i]!.push(t);
      });
    expect(together).toEqual(await Promise.all(prompts.map((p) => all(generate(model, p, options)))));
  });
});

describe("generate", () => {
  const model = gpt2();

  it("draws the same with the same seed, in evaluation mode, and leaves the mode as it was", async () => {
    const draw = (n: number) => all(generate(model, [1], { seed: n, maxTokens: 15, temperature: 2 }));
    const first = await draw(11);
    expect(await draw(11)).toEqual(first);
    expect(await draw(12)).not.toEqual(first);
    expect(model.training).toBe(true);
  });

  it("ends behind a sequence, at the limit, or when aborted", async () => {
    const options = { seed: 4, temperature: 3, maxTokens: 10 };
    const free = await all(generate(model, [1], options));
    const stop = [free.slice(4, 6)];
    const at = free.findIndex((_, i) => `${free.slice(i - 1, i + 1)}` === `${stop[0]}`);
    expect(at).toBeGreaterThan(0);
    expect(await all(generate(model, [1], { ...options, stop }))).toEqual(free.slice(0, at + 1));
    expect(await all(generate(model, [...(stop[0] as number[])], { ...options, stop, maxTokens: 1 }))).toHaveLength(1);
    expect(await all(generate(model, [1], { maxTokens: 0 }))).toEqual([]);
    const controller = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      for await (const t of generate(model, [1], { signal: controller.signal }))
        if (seen.push(t) === 4) controller.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: "ERR_NABLA_ABORTED" });
    expect(seen).toHaveLength(4);
  });

  it("lets several texts grow at the same time, and the event loop run between tokens", async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const draw = (n: number) => all(generate(model, [n], { seed: n, maxTokens: 12 }));
    const alone: number[][] = [];
    for (const n of seeds) alone.push(await draw(n));
    let turns = 0;
    let turn = setImmediate(function again() {
      turns++;
      turn = setImmediate(again);
    });
    expect(await Promise.all(seeds.map(draw))).toEqual(alone);
    clearImmediate(turn);
    expect(turns).toBeGreaterThan(3);
  });

  it.each([
    [[], {}],
    [[1, 31], {}],
    [[1.5], {}],
    [Array.from({ length: 13 }, () => 1), {}],
    [[1], { temperature: -1 }],
    [[1], { topK: 0 }],
    [[1], { topP: 1.5 }],
    [[1], { minP: -0.1 }],
    [[1], { repetitionPenalty: 0 }],
    [[1], { maxTokens: 1.5 }],
    [[1], { seed: 0.5 }],
    [[1], { seed: Number.NaN }],
  ])("refuses %j %j", async (prompt, options) => {
    const error = (await all(generate(model, prompt, options)).catch((e) => e)) as NablaError;
    expect(error.code).toBe("ERR_NABLA_VALUE");
  });
});

describe("sampler", () => {
  const logits = Float32Array.from([1, 3, 2, 0]);
  const counts = (options: Parameters<typeof sampler>[0], seen: number[] = []) => {
    const [choose, random, found] = [sampler(options), uniforms(5), [0, 0, 0, 0]];
    for (let i = 0; i < 20000; i++) found[choose(logits, seen, random)]!++;
    return found.map((n) => n / 20000);
  };
  const shares = (x: readonly number[]) => {
    const total = x.reduce((s, v) => s + Math.exp(v), 0);
    return x.map((v) => Math.exp(v) / total);
  };
  const near = (got: number[], ref: number[]) => {
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(ref[i]!, 1.7);
    });
  };
  const none = Number.NEGATIVE_INFINITY;

  it("draws from the softmax of logits / temperature", () => {
    near(counts({}), shares([1, 3, 2, 0]));
    near(counts({ temperature: 2 }), shares([0.5, 1.5, 1, 0]));
  });
  it("keeps the k likeliest, those that make up p, those near the likeliest", () => {
    const two = shares([none, 3, 2, none]);
    for (const options of [{ topK: 2 }, { topP: 0.7 }, { minP: 0.3 }, { topK: 3, topP: 0.8 }]) {
      const found = counts(options);
      near(found, two);
      expect([found[0], found[3]]).toEqual([0, 0]);
    }
    expect(counts({ topP: 1e-9 })).toEqual([0, 1, 0, 0]);
  });
  it.each([
    ["flat", 0.3],
    ["steep", 4],
  ])("keeps of 5,000 tokens, %s, those that sorting all would keep", (_, spread) => {
    const random = uniforms(3);
    const many = Float32Array.from({ length: 5000 }, () => spread * Math.log(random() + 1e-9));
    const sorted = [...many.keys()].sort((a, b) => many[b]! - many[a]! || a - b);
    const weight = (t: number) => Math.exp(many[t]! - many[sorted[0]!]!);
    const until = (share: number, of: number[]) => {
      const enough = share * of.reduce((sum, t) => sum + weight(t), 0);
      let sum = 0;
      const last = of.findIndex((t) => {
        sum += weight(t);
        return sum >= enough;
      });
      return of.slice(0, last + 1);
    };
    const drawn = (options: Parameters<typeof sampler>[0]) => {
      const choose = sampler(options);
      return new Set(Array.from({ length: 300 }, (_, i) => choose(many, [], () => (i + 0.5) / 300)));
    };
    const inside = (found: Set<number>, allowed: number[]) => {
      expect([...found].filter((t) => !allowed.includes(t))).toEqual([]);
      // What has a 150th of the whole is met by 300 even steps.
      const whole = allowed.reduce((sum, t) => sum + weight(t), 0);
      expect(allowed.filter((t) => weight(t) * 150 > whole && !found.has(t))).toEqual([]);
    };
    inside(drawn({ topK: 40 }), sorted.slice(0, 40));
    inside(drawn({ topP: 0.2 }), until(0.2, sorted));
    inside(drawn({ topP: 0.9 }), until(0.9, sorted));
    for (const topK of [300, 700]) {
      inside(drawn({ topK }), sorted.slice(0, topK));
      inside(drawn({ topK, topP: 0.5 }), until(0.5, sorted.slice(0, topK)));
    }
    inside(
      drawn({ minP: 0.4, topK: 50 }),
      sorted.slice(0, 50).filter((t) => weight(t) >= 0.4),
    );
  });
  it("refuses logits that have no largest, and passes over single NaNs", () => {
    for (const bad of [
      [Number.NaN, 1],
      [1, Number.POSITIVE_INFINITY],
    ])
      expect(() => sampler({})(Float32Array.from(bad), [], () => 0.5)).toThrow("the largest logit is");
    expect(sampler({ topP: 0.99 })(Float32Array.from([1, Number.NaN]), [], () => 0.999)).toBe(0);
  });
  it("turns from what it has seen", () => {
    near(counts({ repetitionPenalty: 2 }, [1, 1]), shares([1, 1.5, 2, 0]));
    expect(sampler({ temperature: 0, repetitionPenalty: 2 })(logits, [1], () => 0)).toBe(2);
  });
});
