// Texts that grow together: who comes, who goes, and that nobody changes what another gets.
import {
  type CausalModel,
  ContinuousBatch,
  full,
  type GenerateOptions,
  GPT2,
  generate,
  generateBatch,
  init,
  KVCache,
  Llama,
  noGrad,
  ones,
  quantizeDynamic,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";
import { Rows } from "../../lib/models/rows.ts";
import { code } from "../code.ts";

beforeEach(() => seed(5));

const sizes = { vocabSize: 61, contextLength: 96, layers: 2, heads: 4, width: 16, std: 0.3 };
const models = [
  ["GPT2", () => new GPT2(sizes)],
  ["Llama", () => new Llama({ ...sizes, keyValueHeads: 2, hidden: 24 })],
] as const;
/** Tokens that look drawn. */
const text = (length: number, k: number): number[] => Array.from({ length }, (_, i) => (i * i * 7 + k * 13 + 3) % 61);
async function all(tokens: AsyncIterable<number>): Promise<number[]> {
  const out: number[] = [];
  for await (const t of tokens) out.push(t);
  return out;
}
/** Logits behind a text, from one pass over all of it. */
function whole(model: CausalModel, tokens: readonly number[]): number[] {
  const ids = tensor([[...tokens]], { dtype: "i32" }) as Tensor;
  return [
    ...(noGrad(() => model.forward(ids, { last: true }))
      .contiguous()
      .dataSync() as Float32Array),
  ];
}

it("a cache is zeros where nobody wrote, and refuses slots and rows that are none", () => {
  for (let i = 0; i < 4; i++) full([2, 2, 300, 8], Number.NaN)[Symbol.dispose]();
  const cache = new KVCache({ layers: 1, batch: 2, heads: 2, capacity: 300, width: 8 });
  const ids = (rows: number[][]) => tensor(rows, { dtype: "i32" }) as Tensor;
  const [one, few] = [ones(1, 2, 1, 8) as Tensor, ones(2, 2, 1, 8) as Tensor];
  const place = cache.at(ids([[5]]), ids([[1]]).reshape(1) as Tensor);
  expect(place.store(0, one, one).k.sum().item()).toBe(16);
  expect(
    cache
      .at(ids([[0], [7]]))
      .store(0, few, few)
      .v.sum()
      .item(),
  ).toBe(16 + 32);
  expect(code(() => cache.at(ids([[300]])))).toBe("ERR_NABLA_INDEX");
  expect(code(() => cache.at(ids([[0]]), ids([[2]]).reshape(1) as Tensor))).toBe("ERR_NABLA_INDEX");
  expect(code(() => cache.at(ids([[0], [0], [0]])))).toBe("ERR_NABLA_SHAPE");
  expect(code(() => place.store(1, one, one))).toBe("ERR_NABLA_INDEX");
  expect(code(() => place.store(0, few, few))).toBe("ERR_NABLA_SHAPE");
});

describe.each(models)("Rows of %s", (_, make) => {
  it("gives the bits of the whole pass, wherever a text stands and whoever is beside it", async () => {
    const model = make().eval();
    using rows = new Rows(model, 4, 96);
    // A prompt of one token, of less than a piece, of several pieces, and one that fills the memory.
    const texts = [text(1, 0), text(9, 1), text(70, 2), text(93, 3)];
    for (const [row, t] of texts.entries())
      for (let from = 0; from < t.length - 1; ) from = await rows.read(row, t, from, t.length - 1);
    for (let n = 0; n < 3; n++) {
      const logits = await rows.add(texts.map((t) => ({ token: t.at(-1)!, slot: t.length - 1 })));
      for (const [row, t] of texts.entries()) {
        expect([...logits.subarray(row * 61, (row + 1) * 61)]).toEqual(whole(model, t));
        t.push((t.at(-1)! * 5 + n) % 61);
      }
    }
  });
});

describe.each(models)("ContinuousBatch of %s", (_, make) => {
  const requests: readonly (readonly [number[], GenerateOptions])[] = [
    [text(1, 0), { seed: 1, maxTokens: 12 }],
    [text(40, 1), { seed: 2, maxTokens: 30, temperature: 1.5, topK: 20 }],
    [text(5, 2), { temperature: 0, maxTokens: 7 }],
    [text(90, 3), { seed: 4, maxTokens: 25, topP: 0.9 }],
    [text(17, 4), { seed: 5, maxTokens: 3, minP: 0.05 }],
    [text(2, 5), { seed: 6, maxTokens: 20, repetitionPenalty: 1.3 }],
  ];
  it("gives each text the tokens it gets alone, in a batch too small for all", async () => {
    const model = make().eval();
    const alone: number[][] = [];
    for (const [prompt, options] of requests) {
      using batch = new ContinuousBatch(model, { streams: 1 });
      alone.push(await all(batch.generate(prompt, options)));
    }
    using batch = new ContinuousBatch(model, { streams: 3 });
    const together = Promise.all(requests.map(([prompt, options]) => all(batch.generate(prompt, options))));
    expect([batch.active, batch.waiting, batch.free]).toEqual([3, 3, 0]);
    expect(await together).toEqual(alone);
    expect([batch.active, batch.waiting, batch.free]).toEqual([0, 0, 3]);
    expect(batch.tokens).toBe(alone.flat().length);
  });
});

describe.each(["bf16", "i8"] as const)("with weights of %s", (dtype) => {
  it.each(models)("%s gives each text the tokens it gets alone", async (_, make) => {
    const model = quantizeDynamic(make().eval(), { dtype });
    const draw = (k: number) => all(generate(model, text(3 + 9 * k, k), { seed: k, maxTokens: 12 }));
    const alone = [await draw(0), await draw(1), await draw(2)];
    expect(await Promise.all([0, 1, 2].map(draw))).toEqual(alone);
  });
});

describe("ContinuousBatch", () => {
  const model = new GPT2(sizes).eval();
  const started = async (batch: ContinuousBatch, options: GenerateOptions = {}) => {
    const tokens = batch.generate(text(4, 1), { maxTokens: 1000, seed: 1, ...options });
    await tokens.next();
    return tokens;
  };

  it("aborts one and leaves the others their tokens, also one that waits for a place", async () => {
    const expected = await all(generate(model, text(8, 2), { seed: 3, maxTokens: 40 }));
    using batch = new ContinuousBatch(model, { streams: 2 });
    const [first, second] = [new AbortController(), new AbortController()];
    const options = { maxTokens: 1000, seed: 9 };
    const endless = all(batch.generate(text(3, 0), { ...options, signal: first.signal }));
    const kept = batch.generate(text(8, 2), { seed: 3, maxTokens: 40 });
    const tokens = [(await kept.next()).value as number];
    const queued = all(batch.generate(text(3, 0), { ...options, signal: second.signal }));
    expect(batch.waiting).toBe(1);
    second.abort(new Error("no longer wanted"));
    await expect(queued).rejects.toMatchObject({ code: "ERR_NABLA_ABORTED", cause: second.signal.reason });
    expect(batch.waiting).toBe(0);
    first.abort();
    await expect(endless).rejects.toMatchObject({ code: "ERR_NABLA_ABORTED" });
    expect([...tokens, ...(await all(kept))]).toEqual(expected);
    await expect(all(batch.generate([1], { signal: first.signal }))).rejects.toMatchObject({
      code: "ERR_NABLA_ABORTED",
    });
    expect(batch.active).toBe(0);
  });
  it("lets a text wait whose reader does not ask, and gives the place of one that is left to the next", async () => {
    using batch = new ContinuousBatch(model, { streams: 2 });
    const slow = await started(batch);
    const expected = await all(generate(model, text(6, 2), { seed: 3, maxTokens: 30 }));
    expect(await all(batch.generate(text(6, 2), { seed: 3, maxTokens: 30 }))).toEqual(expected);
    const rest = [(await slow.next()).value, (await slow.next()).value];
    const alone = await all(generate(model, text(4, 1), { seed: 1, maxTokens: 3 }));
    expect(rest).toEqual(alone.slice(1));
    expect(batch.active).toBe(1);
    await slow.return();
    expect(batch.active).toBe(0);
  });
  it("goes on behind a full context as one text alone does, while others grow", async () => {
    using batch = new ContinuousBatch(model, { streams: 4, contextLength: 16 });
    const options = { temperature: 0, maxTokens: 50 };
    const found = await Promise.all([1, 2, 3].map((k) => all(batch.generate(text(10, k), options))));
    for (const [i, tokens] of found.entries()) {
      let seen = text(10, i + 1);
      for (const token of tokens) {
        if (seen.length === 17) seen = seen.slice(-8);
        const row = whole(model, seen);
        expect(token).toBe(row.indexOf(Math.max(...row)));
        seen.push(token);
      }
    }
  });
  it("ends all texts when it is disposed, and takes no more", async () => {
    const batch = new ContinuousBatch(model, { streams: 1 });
    const [running, queued] = [all(batch.generate([1], { maxTokens: 1e6 })), all(batch.generate([2]))];
    await new Promise((resolve) => setTimeout(resolve, 20));
    batch[Symbol.dispose]();
    const code = { code: "ERR_NABLA_DISPOSED" };
    await expect(running).rejects.toMatchObject(code);
    await expect(queued).rejects.toMatchObject(code);
    await expect(all(batch.generate([1]))).rejects.toMatchObject(code);
  });
  it("ends those who wait with the error of a step, and works again behind it", async () => {
    const bad = new GPT2(sizes).eval();
    using batch = new ContinuousBatch(bad, { streams: 2 });
    const good = await all(batch.generate([1], { seed: 1, maxTokens: 4 }));
    const weight = bad.transformer.ln_f.weight as Tensor;
    init.constant(weight, Number.NaN);
    const failing = [[1], [2, 3]].map((prompt) => all(batch.generate(prompt, { maxTokens: 4 })));
    for (const found of await Promise.allSettled(failing))
      expect(found).toMatchObject({ status: "rejected", reason: { code: "ERR_NABLA_VALUE" } });
    init.ones(weight);
    expect(await all(batch.generate([1], { seed: 1, maxTokens: 4 }))).toEqual(good);
  });
  it.each([
    [{ streams: 0 }, "streams must be a whole number from 1, got 0"],
    [{ streams: 1.5 }, "streams must be"],
    [{ contextLength: -1 }, "contextLength must be"],
  ])("refuses %j", (options, sentence) => {
    expect(() => new ContinuousBatch(model, options)).toThrow(sentence);
  });
});

describe("generate", () => {
  it("shares one step among concurrent calls, and its plans with the next", async () => {
    const model = new GPT2(sizes).eval();
    let passes = 0;
    const forward = model.forward.bind(model);
    model.forward = (...args) => {
      passes++;
      return forward(...args);
    };
    const draw = (n: number) => all(generate(model, text(5, n), { seed: n, maxTokens: 20 }));
    const alone = [await draw(1), await draw(2)];
    const recorded = passes;
    expect(await draw(1)).toEqual(alone[0]);
    expect(passes).toBe(recorded);
    expect((await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(draw))).slice(0, 2)).toEqual(alone);
    // A plan for two, four and eight texts each; recorded three times at most.
    expect(passes).toBeLessThanOrEqual(recorded + 9);
  });
  it("has places for more texts than one batch", async () => {
    const model = new GPT2(sizes).eval();
    const options = { temperature: 0, maxTokens: 5 };
    const prompts = Array.from({ length: 11 }, (_, k) => text(1 + k, k));
    const lists: number[][] = prompts.map(() => []);
    for await (const tokens of generateBatch(model, prompts, options))
      for (const [i, t] of tokens.entries()) if (t !== undefined) lists[i]!.push(t);
    expect(await Promise.all(prompts.map((p) => all(generate(model, p, options))))).toEqual(lists);
  });
});
