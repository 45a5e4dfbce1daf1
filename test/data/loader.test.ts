// The loader: every sample once, the same batches for the same seed, reading ahead, stopping, failing, going on.
import { setTimeout as sleep } from "node:timers/promises";
import { collate, DataLoader, type LoaderOptions, NablaError, rand, type Sample, type Tensor, tensor } from "nabla";
import { describe, expect, it } from "vitest";

type Numbered = readonly [Tensor<[2], "f32">, number];
/** Samples [[i, -i], i] that arrive late and out of order, with a diary of what was asked for. */
function numbered(length: number) {
  const asked: number[] = [];
  let [open, most] = [0, 0];
  const get = async (i: number): Promise<Numbered> => {
    asked.push(i);
    most = Math.max(most, ++open);
    await sleep((i * 7) % 5);
    open--;
    return [tensor([i, -i]), i];
  };
  return { length, get, asked, most: () => most, open: () => open };
}
const loader = (length: number, options: LoaderOptions<Numbered> = {}) => new DataLoader(numbered(length), options);
async function labels(data: AsyncIterable<readonly Tensor[]>, upTo = Number.POSITIVE_INFINITY): Promise<number[][]> {
  const out: number[][] = [];
  for await (const [x, y] of data) {
    expect(x!.toArray()).toEqual((y!.toArray() as number[]).map((i) => [i, -i]));
    out.push(y!.toArray() as number[]);
    if (out.length >= upTo) break;
  }
  return out;
}
const sorted = (x: number[][]): number[] => x.flat().sort((a, b) => a - b);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("order", () => {
  it("is that of the samples, with a smaller batch at the end, or without it", async () => {
    expect(await labels(loader(5, { size: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await labels(loader(5, { size: 2, dropLast: true }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(loader(5, { size: 2, dropLast: true })).toMatchObject({ length: 2, samples: 4 });
  });
  it("is new in each epoch and follows from the seed", async () => {
    const data = loader(20, { size: 6, shuffle: true, seed: 3 });
    const [first, second] = [await labels(data), await labels(data)];
    expect([sorted(first), sorted(second)]).toEqual([range(20), range(20)]);
    expect(second).not.toEqual(first);
    expect(await labels(loader(20, { size: 6, shuffle: true, seed: 3 }))).toEqual(first);
    expect(await labels(loader(20, { size: 6, shuffle: true, seed: 4 }))).not.toEqual(first);
  });
  it("does not depend on how much is read ahead or at once", async () => {
    const options = { size: 3, shuffle: true, seed: 1 };
    const [first, ...others] = await Promise.all(
      [
        { prefetch: 0, concurrency: 1 },
        { prefetch: 9, concurrency: 7 },
        { prefetch: 1, concurrency: 2 },
      ].map((more) => labels(loader(17, { ...options, ...more }))),
    );
    for (const other of others) expect(other).toEqual(first);
  });
});

describe("reading ahead", () => {
  it("goes on while a batch is in use, as far as told and no further", async () => {
    const source = numbered(40);
    const reader = new DataLoader(source, { size: 4, prefetch: 2, concurrency: 3 })[Symbol.asyncIterator]();
    await reader.next();
    await sleep(60);
    expect(sorted([source.asked])).toEqual(range(12));
    expect(source.most()).toBe(3);
    await reader.next();
    await sleep(40);
    expect(sorted([source.asked])).toEqual(range(16));
    await reader.return();
  });
  it("reads nothing ahead when told so", async () => {
    const source = numbered(40);
    const reader = new DataLoader(source, { size: 4, prefetch: 0 })[Symbol.asyncIterator]();
    await reader.next();
    await sleep(20);
    expect(source.asked.length).toBe(4);
    await reader.return();
  });
  it("ends with the loop", async () => {
    const source = numbered(40);
    for await (const _ of new DataLoader(source, { size: 4, prefetch: 3 })) break;
    expect(source.open()).toBe(0);
    const asked = source.asked.length;
    await sleep(30);
    expect(source.asked.length).toBe(asked);
    expect(asked).toBeLessThanOrEqual(8);
  });
});

describe("errors", () => {
  it("come where their batch would come, and no sample is read after them", async () => {
    const source = numbered(40);
    const asked: number[] = [];
    const get = async (i: number) => {
      asked.push(i);
      if (i === 9) throw new Error("sample 9 is broken");
      return source.get(i);
    };
    const seen: number[] = [];
    const walk = async () => {
      for await (const [, y] of new DataLoader({ length: 40, get }, { size: 4, prefetch: 5 })) seen.push(y.shape[0]);
    };
    await expect(walk()).rejects.toThrow("sample 9 is broken");
    expect(seen).toEqual([4, 4]);
    expect(source.open()).toBe(0);
    expect(Math.max(...asked)).toBeLessThan(16);
  });
  it("of the dataset are thrown though they are thrown at once", async () => {
    const get = (): Numbered => {
      throw new Error("nothing here");
    };
    await expect(labels(new DataLoader({ length: 3, get }))).rejects.toThrow("nothing here");
  });
  it.each<[LoaderOptions<Numbered>, string]>([
    [{ size: 0 }, "size must be a whole number from 1, got 0"],
    [{ size: Number.NaN }, "size must be a whole number from 1, got NaN"],
    [{ size: 30, dropLast: true }, "10 samples make no batch of 30"],
    [{ prefetch: -1 }, "prefetch must be a whole number from 0"],
    [{ concurrency: 0 }, "concurrency must be a whole number from 1"],
    [{ seed: -1 }, "seed must be a whole number from 0"],
  ])("refuses %j", (options, sentence) => {
    expect(() => loader(10, options)).toThrow(sentence);
  });
  it("refuses data without samples, or without a length", () => {
    expect(() => loader(0)).toThrow("0 samples make no batch");
    expect(() => new DataLoader({ length: undefined as never, get: () => [1] })).toThrow("the length of the data");
  });
});

describe("going on", () => {
  const options = { size: 3, shuffle: true, seed: 8 };
  it("gives the rest of the epoch and the next ones, from JSON, into a loader of another seed", async () => {
    const whole = loader(17, options);
    const epochs = [await labels(whole), await labels(whole), await labels(whole)];
    const stopped = loader(17, options);
    await labels(stopped);
    await labels(stopped, 2);
    const state = JSON.parse(JSON.stringify(stopped.state()));
    expect(state).toEqual({ epoch: 1, position: 2, seed: 8, shuffle: true, count: 17, size: 3, dropLast: false });
    const later = loader(17, { size: 3, shuffle: true, prefetch: 5 }).load(state);
    expect(later.state()).toEqual(state);
    expect([await labels(later), await labels(later)]).toEqual([epochs[1]!.slice(2), epochs[2]]);
  });
  it("at the end of an epoch begins the next", async () => {
    const whole = loader(6, options);
    const [, second] = [await labels(whole), await labels(whole)];
    const later = loader(6, options).resume({ epoch: 0, position: 2 });
    expect(await labels(later)).toEqual(second);
  });
  it("draws the same random numbers for a batch, whatever was read ahead", async () => {
    type B = [Tensor, Tensor];
    const noisy = (batch: B): B => [batch[0].add(rand(...batch[0].shape)) as Tensor, batch[1]];
    const data = (prefetch: number) =>
      new DataLoader<Numbered, B>(numbered(12), { ...options, prefetch, transform: noisy });
    const values = async (from: AsyncIterable<B>) => {
      const out: unknown[] = [];
      for await (const [x] of from) out.push(x.toArray());
      return out;
    };
    const first = await values(data(0));
    expect(await values(data(4))).toEqual(first);
    expect(await values(data(1).resume({ epoch: 0, position: 2 }))).toEqual(first.slice(2));
    expect(await values(data(1).resume({ epoch: 1, position: 0 }))).not.toEqual(first);
  });
  it.each<[object, string, string]>([
    [{ count: 18 }, "ERR_NABLA_STATE", "count was 18 in the saved state and is 17"],
    [{ size: 4 }, "ERR_NABLA_STATE", "size was 4 in the saved state and is 3"],
    [{ shuffle: false }, "ERR_NABLA_STATE", "shuffle was false in the saved state and is true"],
    [{ seed: "8" }, "ERR_NABLA_VALUE", "seed must be a whole number"],
    [{ epoch: -1 }, "ERR_NABLA_VALUE", "epoch must be a whole number"],
    [{ position: 7 }, "ERR_NABLA_VALUE", "position 7 lies behind the 6 batches"],
  ])("refuses %j, and stays where it was", (change, code, sentence) => {
    const data = loader(17, options);
    const before = data.state();
    const load = () => data.load({ ...before, ...change });
    expect(load).toThrow(NablaError);
    expect(load).toThrow(expect.objectContaining({ code }));
    expect(load).toThrow(sentence);
    expect(data.state()).toEqual(before);
    expect(() => data.load(null)).toThrow("count was undefined");
  });
});

describe("collate", () => {
  it("stacks tensors of any element type, views too, and makes numbers i32", () => {
    const turned = tensor([
      [1, 2],
      [3, 4],
    ]).mT();
    const bytes = tensor(new Uint8Array([7, 8]));
    const [x, b, y] = collate([
      [turned, bytes, 3],
      [turned.contiguous(), bytes, -1],
    ] as const);
    expect(x.toArray()).toEqual([
      [
        [1, 3],
        [2, 4],
      ],
      [
        [1, 3],
        [2, 4],
      ],
    ]);
    expect([b.dtype, b.shape, y.dtype, y.toArray()]).toEqual(["u8", [2, 2], "i32", [3, -1]]);
  });
  const one = tensor([1]);
  it.each<[Sample[], string]>([
    [[], "a sample is a list"],
    [[[]], "a sample is a list"],
    [[[1], [1, 2]], "in all samples as long"],
    [[[one], [tensor([1, 2])]], "samples of shapes [1] and [2]"],
    [[[one], [tensor([1], { dtype: "i32" })]], "needs tensors of one element type"],
    [[[one], [1]], "needs tensors of one element type"],
    [[[1.5]], "numbers are classes, 32-bit integers, and 1.5 is none"],
    [[[1], [2 ** 31]], "2147483648 is none"],
    [[["a"]] as never, "needs tensors"],
    [[7] as never, "a sample is a list"],
  ])("refuses %#", (samples, sentence) => {
    expect(() => collate(samples)).toThrow(sentence);
  });
});
