// Beam search against every text there is, and against a search that reads each text anew.
import {
  type BeamOptions,
  beamSearch,
  type CausalModel,
  GPT2,
  Llama,
  type NablaError,
  noGrad,
  Seq2Seq,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => seed(8));

const sizes = { vocabSize: 5, contextLength: 10, layers: 2, heads: 2, width: 8 };
const ids = (rows: number[][]) => tensor(rows, { dtype: "i32" }) as Tensor;
const source = [3, 1, 4, 1];
/** A model, and what it is when it has one prompt: an encoder-decoder model then has one source. */
const makers: Record<string, () => { model: CausalModel; alone: (i: number) => CausalModel }> = {
  GPT2: () => {
    const model = new GPT2({ ...sizes, std: 0.6 }).eval();
    return { model, alone: () => model };
  },
  Llama: () => {
    const model = new Llama({ ...sizes, heads: 4, keyValueHeads: 2, hidden: 12, std: 0.6 }).eval();
    return { model, alone: () => model };
  },
  Seq2Seq: () => {
    const model = new Seq2Seq({ ...sizes, paddingIndex: 0 }).eval();
    const rows = [source, [2, 2, 0, 0], [4, 0, 0, 0]];
    return { model: model.given(ids(rows)), alone: (i) => model.given(ids([rows[i]!])) };
  },
};
const prompts = [[1], [2, 3, 1], [4, 4]];

/** Log-probabilities of the token after a text. */
function next(model: CausalModel, text: readonly number[]): number[] {
  const logits = noGrad(() => model.forward(ids([[...text]]), { last: true }));
  return [...(logits.logSoftmax().contiguous().dataSync() as Float32Array)];
}
interface Text {
  readonly tokens: readonly number[];
  readonly sum: number;
}
const ends = (tokens: readonly number[], stop: readonly (number | readonly number[])[]) =>
  stop.some((s) => [s].flat().join() === tokens.slice(-[s].flat().length).join());

/** Every text of at most `length` tokens that has ended, or is so long. */
function* every(
  model: CausalModel,
  prompt: readonly number[],
  length: number,
  stop: readonly (number | readonly number[])[],
): Generator<Text> {
  const walk = function* ({ tokens, sum }: Text): Generator<Text> {
    if (tokens.length === length || (tokens.length > 0 && ends(tokens, stop))) {
      yield { tokens, sum };
      return;
    }
    for (const [token, p] of next(model, [...prompt, ...tokens]).entries())
      yield* walk({ tokens: [...tokens, token], sum: sum + p });
  };
  yield* walk({ tokens: [], sum: 0 });
}
/** The search as the paper tells it, without a cache, for one prompt. */
function plain(
  model: CausalModel,
  prompt: readonly number[],
  {
    width,
    maxTokens,
    stop,
    lengthPenalty,
    earlyStopping,
  }: Required<Omit<BeamOptions, "signal">> & {
    width: number;
    maxTokens: number;
    lengthPenalty: number;
    stop: number[];
  },
) {
  const score = ({ tokens, sum }: Text) => sum / tokens.length ** lengthPenalty;
  const best = (texts: readonly Text[]) => [...texts].sort((a, b) => score(b) - score(a)).slice(0, width);
  let live: Text[] = [{ tokens: [], sum: 0 }];
  let done: Text[] = [];
  for (let n = 1; n <= maxTokens && live.length > 0; n++) {
    const all = live.flatMap(({ tokens, sum }) =>
      next(model, [...prompt, ...tokens]).map((p, t) => ({ tokens: [...tokens, t], sum: sum + p })),
    );
    all.sort((a, b) => b.sum - a.sum);
    done = best([...done, ...all.slice(0, width).filter((t) => ends(t.tokens, stop))]);
    live = all.filter((t) => !ends(t.tokens, stop)).slice(0, width);
    if (done.length === width && earlyStopping) return done.map((t) => ({ ...t, score: score(t) }));
  }
  return best([...done, ...live]).map((t) => ({ ...t, score: score(t) }));
}

describe.each(Object.entries(makers))("%s", (_, make) => {
  it.each([
    [1, [0]],
    [0, [0, 3]],
    [-1.5, [[2, 1], 0]],
    [2, []],
  ] as const)(
    "is exact when it is as wide as there are texts (length penalty %d, stop %j)",
    async (lengthPenalty, stop) => {
      const { model, alone } = make();
      const found = await beamSearch(model, prompts, { width: 125, maxTokens: 3, stop, lengthPenalty });
      for (const [i, prompt] of prompts.entries()) {
        const texts = [...every(alone(i), prompt, 3, stop)].map((t) => ({
          ...t,
          score: t.sum / t.tokens.length ** lengthPenalty,
        }));
        texts.sort((a, b) => b.score - a.score);
        expect(found[i]!.slice(0, 40).map((h) => h.tokens)).toEqual(texts.slice(0, 40).map((t) => t.tokens));
        for (const [k, h] of found[i]!.slice(0, 40).entries()) {
          expect(h.score).toBeCloseTo(texts[k]!.score, 4);
          expect(h.logProbability).toBeCloseTo(texts[k]!.sum, 4);
        }
      }
    },
  );
  it.each([
    [1, false],
    [2, false],
    [3, true],
    [4, false],
  ])("finds what a search without a cache finds (width %d, early stopping %j)", async (width, earlyStopping) => {
    const { model, alone } = make();
    const options = { width, maxTokens: 7, stop: [0, 2], lengthPenalty: 0.7, earlyStopping };
    const found = await beamSearch(model, prompts, options);
    for (const [i, prompt] of prompts.entries()) {
      const expected = plain(alone(i), prompt, options);
      expect(found[i]!.map((h) => h.tokens)).toEqual(expected.map((t) => t.tokens));
      for (const [k, h] of found[i]!.entries()) expect(h.score).toBeCloseTo(expected[k]!.score, 4);
    }
  });
});

it("ends where the context is full, and leaves the model's mode alone", async () => {
  const model = new GPT2({ ...sizes, dropout: 0.5, std: 0.6 });
  const [found] = await beamSearch(model, [[1, 2, 3]], { width: 2 });
  // 10 places, and a last token that is not read any more.
  expect(found!.map((h) => h.tokens.length)).toEqual([8, 8]);
  expect(model.training).toBe(true);
});
it("refuses bad options and stops when told", async () => {
  const model = new GPT2(sizes);
  const code = (options: BeamOptions, texts: number[][] = [[1]]) =>
    beamSearch(model, texts, options).then(
      () => undefined,
      (e: NablaError) => e.code,
    );
  for (const options of [{ width: 0 }, { width: 1.5 }, { maxTokens: 0 }, { lengthPenalty: Number.NaN }])
    expect(await code(options)).toBe("ERR_NABLA_VALUE");
  for (const texts of [[], [[]], [[5]], [Array(11).fill(1)]]) expect(await code({}, texts)).toBe("ERR_NABLA_VALUE");
  expect(await code({ signal: AbortSignal.abort() })).toBe("ERR_NABLA_ABORTED");
});
