import { expect, it } from "vitest";
import { type Point, pathOf } from "../../lib/plot/path.ts";

const read = (path: string): number[][] =>
  [...path.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

it("leaves out what a straight line passes, keeps gaps, dots and ways back", () => {
  const line: Point[] = [0, 1, 2, 3].map((x) => [x, x]);
  expect(pathOf([...line, [4, 0], null, [5, 1], null, [9, 9], [8, 8], [9, 7]])).toBe("M0 0L3 3L4 0M5 1h0M9 9L8 8L9 7");
  expect(pathOf([])).toBe("");
});
it("passes every point within a third of a pixel", () => {
  const points = Array.from({ length: 600 }, (_, i): Point => [i, 100 * Math.exp(-i / 100) + 20 * Math.sin(i / 9)]);
  const kept = read(pathOf(points));
  expect(kept.length).toBeLessThan(300);
  let k = 0;
  for (const [x, y] of points) {
    while (kept[k + 1]![0]! < x) k++;
    const [[x0, y0], [x1, y1]] = [kept[k]!, kept[k + 1]!] as [[number, number], [number, number]];
    expect(Math.abs(y0 + ((y1 - y0) * (x - x0)) / (x1 - x0) - y)).toBeLessThan(0.34);
  }
});
it("of a crowd in one column keeps first, highest, lowest and last", () => {
  const crowd = Array.from({ length: 100 }, (_, i): Point => [5 + i / 200, (i * 37) % 100]);
  const rows = read(pathOf(crowd)).map(([, y]) => y);
  expect([rows.length <= 4, Math.min(...(rows as number[])), Math.max(...(rows as number[]))]).toEqual([true, 0, 99]);
});
