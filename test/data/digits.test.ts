import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digits } from "../../lib/data/digits.ts";

test("a seed draws the same pictures everywhere, and a longer set begins with the shorter", () => {
  const { images, labels } = digits(64, { seed: 3 });
  expect([images.shape, labels.shape]).toEqual([[64, 28, 28], [64]]);
  expect(createHash("sha256").update(images.data).update(labels.data).digest("hex")).toMatchInlineSnapshot(
    `"4cd51db6a3dab1ddec60577d169db8fb034a8097fa1f85bfac651e8cb29ddd72"`,
  );
  const longer = digits(80, { seed: 3 });
  expect(longer.images.data.subarray(0, images.data.length)).toEqual(images.data);
  expect(digits(64, { seed: 4 }).images.data).not.toEqual(images.data);
});

test("every picture has ink inside its margin, and every digit is drawn about equally often", () => {
  const { images, labels } = digits(2000, { seed: 1 });
  const counts = new Array<number>(10).fill(0);
  for (const label of labels.data) counts[label]!++;
  for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(60);
  for (let i = 0; i < 2000; i++) {
    const dark = images.data.subarray(i * 784, (i + 1) * 784).filter((value) => value > 100).length;
    expect(dark).toBeGreaterThan(8);
    expect(dark).toBeLessThan(300);
  }
});

test("a wrong count or seed is refused", () => {
  expect(() => digits(-1)).toThrow("digits: count must be an integer from 0 to 1000000, got -1");
  expect(() => digits(1, { seed: 0.5 })).toThrow("digits: seed must be an integer from 0 to 4294967295, got 0.5");
});
