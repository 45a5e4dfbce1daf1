// A model that reads one sequence and writes another.
import {
  AdamW,
  compile,
  generateBatch,
  noGrad,
  randint,
  Seq2Seq,
  type Seq2SeqConfig,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { beforeEach, expect, it } from "vitest";
import { code } from "../code.ts";

beforeEach(() => seed(5));

const ids = (rows: number[][]) => tensor(rows, { dtype: "i32" }) as Tensor;
const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
const small = { vocabSize: 12, contextLength: 8, layers: [1, 2], heads: 2, width: 16, hidden: 24 } as const;

it("has one embedding for sources, targets and the head", () => {
  const model = new Seq2Seq(small);
  const names = [...model.stateDict().keys()];
  expect(names.filter((n) => !n.startsWith("transformer."))).toEqual(["embedding.weight"]);
  expect(model.generator.weight).toBe(model.embedding.weight);
});

it.each<Partial<Seq2SeqConfig>>([{}, { positions: "learned", layers: 2 }])("summary is what it has: %o", (more) => {
  const config: Seq2SeqConfig = { ...small, ...more };
  const count = new Seq2Seq(config).parameters().reduce((n, p) => n + p.size, 0);
  expect(Seq2Seq.summary(config).parameters).toBe(count);
  // Keys and values of each decoder layer, of the target and of the source.
  const { batch, time } = { batch: 3, time: 5 };
  const decoders = typeof config.layers === "number" ? config.layers : config.layers[1];
  expect(Seq2Seq.summary(config, { batch, time }).cache).toBe(4 * batch * time * decoders * 4 * config.width);
});

it("continues targets with the bits of the whole pass, whatever fills up the sources", () => {
  const model = new Seq2Seq({ ...small, paddingIndex: 0 }).eval();
  const source = ids([
    [3, 4, 5, 6],
    [7, 8, 0, 0],
  ]);
  const target = ids([
    [1, 3, 9],
    [1, 8, 2],
  ]);
  const whole = noGrad(() => model.forward(source, target));
  const given = model.given(source);
  expect(list(noGrad(() => given.forward(target)))).toEqual(list(whole));
  const cache = given.cache(2, 8);
  const rows = [0, 1, 2].map((t) =>
    noGrad(() =>
      given.forward(target.slice(1, t, t + 1).contiguous() as Tensor, { cache, slots: ids([[t]]).reshape(1) }),
    ),
  );
  for (const [t, row] of rows.entries()) expect(list(row)).toEqual(list(whole.slice(1, t, t + 1) as Tensor));
  const alone = noGrad(() => model.forward(ids([[7, 8]]), ids([[1, 8, 2]])));
  list(whole.select(0, 1) as Tensor).forEach((x, i) => {
    expect(x).toBeCloseTo(list(alone)[i]!, 4);
  });
});

it("learns to turn sequences round", async () => {
  const [start, end, length] = [0, 1, 5];
  const model = new Seq2Seq({ vocabSize: 8, contextLength: 8, layers: 1, heads: 2, width: 32, positions: "learned" });
  const opt = new AdamW(model, { lr: 4e-3 });
  using step = compile((source: Tensor, target: Tensor, labels: Tensor) => {
    const loss = model.loss(source, target, labels);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  });
  const batch = (size: number) => {
    const rows = randint(2, 8, [size, length]).toArray() as number[][];
    const turned = rows.map((row) => row.toReversed());
    return { rows, turned, source: ids(rows) };
  };
  for (let i = 0; i < 400; i++) {
    const { source, turned } = batch(32);
    await step(source, ids(turned.map((row) => [start, ...row])), ids(turned.map((row) => [...row, end])));
  }
  const { source, turned } = batch(50);
  const answers = turned.map((): number[] => []);
  const prompts = turned.map(() => [start]);
  for await (const tokens of generateBatch(model.given(source), prompts, { temperature: 0, stop: [end], maxTokens: 7 }))
    for (const [i, t] of tokens.entries()) if (t !== undefined) answers[i]!.push(t);
  const right = answers.filter((a, i) => a.join() === [...turned[i]!, end].join()).length;
  expect(right).toBeGreaterThanOrEqual(45);
  expect(model.training).toBe(true);
});

it("refuses what does not fit", () => {
  expect(code(() => new Seq2Seq({ ...small, heads: 3 }))).toBe("ERR_NABLA_VALUE");
  expect(code(() => new Seq2Seq({ ...small, layers: [0, 1] }))).toBe("ERR_NABLA_VALUE");
  const model = new Seq2Seq(small);
  expect(code(() => model.forward(ids([[1, 2, 3, 4, 5, 6, 7, 8, 9]]), ids([[1]])))).toBe("ERR_NABLA_SHAPE");
});
