// Steady state: ten thousand steps take no memory that the first few did not.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { memory, ones, type Tensor, tensor } from "nabla";
import { afterEach, describe, expect, test, vi } from "vitest";
import { classifier, compiled, xor } from "./program.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const steps = 10_000;
const resident = (): number => {
  collect();
  return process.memoryUsage().rss;
};

describe("10,000 steps", () => {
  afterEach(() => vi.restoreAllMocks());
  /** Runs f often, in rounds, and tells what the best of them took: a leak is in all. The heap of V8 grows in the first. */
  async function measure(f: (i: number) => unknown): Promise<{ buffers: number; grown: number }> {
    for (let i = 0; i < 2000; i++) await f(i);
    const allocate = vi.spyOn(Buffer, "allocUnsafeSlow");
    const best = { buffers: Number.POSITIVE_INFINITY, grown: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 3; round++) {
      const [rss, buffers] = [resident(), process.memoryUsage().arrayBuffers];
      let most = 0;
      for (let i = 0; i < steps; i++) {
        await f(i);
        if (i % 500 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - buffers);
      }
      best.buffers = Math.min(best.buffers, most);
      best.grown = Math.min(best.grown, resident() - rss);
    }
    expect(allocate).not.toHaveBeenCalled();
    return best;
  }
  // A buffer of the smallest slab has 32 KiB; a step that kept 1 KiB would grow by 10 MiB a round.
  const below = (limit: number) => expect.toSatisfy((n: number) => n < limit);
  const flat = { buffers: below(1024), grown: below(2 ** 21) };

  test("awaited, the loss read each time", async () => {
    const step = compiled(xor());
    let loss = 0;
    expect(await measure(async () => (loss = ((await step()) as Tensor).item()))).toEqual(flat);
    expect(loss).toBeGreaterThan(0);
  });
  test("on this thread, with arguments", async () => {
    const t = classifier();
    const step = compiled(t);
    expect(await measure(() => step.sync(...t.args))).toEqual(flat);
  });
  test("several in flight", async () => {
    const t = classifier();
    const step = compiled(t);
    expect(await measure((i) => (i % 8 === 7 ? step(...t.args) : void step(...t.args)))).toEqual(flat);
  });
  test("results too large for V8's own heap come from what was given back", async () => {
    const step = compiled({ ...xor(), step: (x: Tensor) => x.mul(2) });
    const x = ones(64, 64) as Tensor;
    await measure(() => (step.sync(x) as Tensor)[Symbol.dispose]());
  });
});

test("memory() tells of arenas until they are given back", () => {
  const before = memory().planned;
  const step = compiled(classifier());
  for (let i = 0; i < 2; i++) step.sync(...classifier().args);
  expect(memory().planned).toBeGreaterThan(before);
  expect(memory().planned).toBe(before + step.explain().plans[0]!.arenaBytes);
  step[Symbol.dispose]();
  expect(memory().planned).toBe(before);
});
test("a tensor made inside a step takes nothing once the plan stands", () => {
  const step = compiled({ ...xor(), step: () => tensor([1, 2, 3]).add(1) });
  for (let i = 0; i < 4; i++) expect((step.sync() as Tensor).toArray()).toEqual([2, 3, 4]);
});
