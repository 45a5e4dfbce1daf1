// Memory without dispose: loops that never yield to the event loop stay bounded.
import { memory, noGrad, randn, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

const megabytes = () => process.memoryUsage.rss() / 2 ** 20;

/** The highest resident size, above that at the start, while f runs n times. */
function growth(n: number, f: (i: number) => void): number {
  const before = megabytes();
  let peak = before;
  for (let i = 0; i < n; i++) {
    f(i);
    if (i % 1000 === 0) peak = Math.max(peak, megabytes());
  }
  return peak - before;
}

describe("memory is bounded in a loop that never yields", () => {
  test("one million ops on small tensors", () => {
    let x = randn(8, 8);
    const y = randn(8, 8).mul(1e-3);
    const grew = growth(500_000, () => {
      x = x.add(y).mul(0.999);
    });
    console.log(`1,000,000 ops on 8 x 8: resident memory grew by ${grew.toFixed(0)} MB`);
    expect(x.isfinite().all().item()).toBe(1);
    expect(grew).toBeLessThan(300);
  });

  test("3,000 temporaries of 1 MB", () => {
    const x = zeros(512, 512);
    const grew = growth(3000, () => x.add(1));
    console.log(`3,000 x 1 MB: resident memory grew by ${grew.toFixed(0)} MB`);
    expect(grew).toBeLessThan(600);
  });

  test("20,000 forward and backward passes", () => {
    const w = randn([16, 16], { requiresGrad: true });
    const x = randn(4, 16);
    const grew = growth(20_000, () => {
      w.grad = null;
      x.matmul(w).square().sum().backward();
    });
    console.log(`20,000 backward passes: resident memory grew by ${grew.toFixed(0)} MB`);
    expect(grew).toBeLessThan(300);
  });

  test("disposed memory comes back from the free list", () => {
    const before = memory();
    const x = zeros(1024, 1024);
    x[Symbol.dispose]();
    expect(memory().pooled).toBeGreaterThanOrEqual(before.pooled);
    const y = noGrad(() => tensor([1]).add(1));
    expect(y.item()).toBe(2);
  });
});
