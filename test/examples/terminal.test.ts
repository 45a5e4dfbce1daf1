import { expect, test } from "vitest";
import { bars, beside, confusion, duration, Progress, picture, plot, short } from "../../examples/terminal.ts";

test("numbers and times are short", () => {
  expect([0, 1234.5, 0.00123, 1e-9, 1e7, Number.NaN].map(short)).toEqual([
    "0",
    "1230",
    "0.00123",
    "1.0e-9",
    "1.0e+7",
    "NaN",
  ]);
  expect([0, 59.9, 59.99, 65, 3600, 7380].map(duration)).toEqual(["0.0s", "59.9s", "1m00s", "1m05s", "1h00m", "2h03m"]);
});

test("bars are as long as their values, or as the powers of ten of them", () => {
  expect(
    bars(
      [
        ["a", 4],
        ["bb", 1],
        ["c", 0],
      ],
      { width: 4 },
    ),
  ).toEqual([" a ████ 4", "bb █    1", " c      0"]);
  expect(
    bars(
      [
        ["a", 1],
        ["b", 1e-6],
      ],
      { width: 4, log: true },
    ),
  ).toEqual(["a ████ 1", "b ██   1.0e-6"]);
});

test("a picture has two pixels in each cell, and pictures stand side by side", () => {
  const lines = picture([255, 0, 255, 0, 255, 255, 255, 0, 0], 3, 3);
  expect(lines).toEqual(["▀▄█", "▀  "]);
  expect(beside([lines, ["x"]], 1)).toEqual(["▀▄█ x", "▀"]);
});

test("a confusion matrix gives the share of each row that was found", () => {
  expect(
    confusion([
      [3, 1],
      [0, 0],
    ]),
  ).toEqual([
    "is\\as │   0   1 │  found",
    "──────┼─────────┼───────",
    "    0 │   3   1 │  75.0%",
    "    1 │   ·   · │      -",
  ]);
});

test("a plot draws lines of dots and marks, and skips what is not finite", () => {
  const line = { x: [0, 2], y: [0, 2] };
  expect(plot([line, { x: [0, 0], y: [2, Number.NaN], mark: "o" }], { width: 4, height: 2 })).toEqual([
    "       2 │o ⡠⠊",
    "       0 │⡠⠊",
    "         └────",
    "          0  2",
  ]);
});

test("progress is one line drawn again on a terminal, plain lines at every tenth elsewhere", () => {
  const draw = (isTTY: boolean): string[] => {
    const written: string[] = [];
    let time = 0;
    const out = { isTTY, columns: 80, write: (text: string) => written.push(text) };
    const progress = new Progress(1000, out, () => time);
    for (let done = 1; done <= 1000; done++) {
      time += 1;
      progress.update(done, () => "loss 1");
    }
    return written;
  };
  const plain = draw(false);
  expect(plain).toHaveLength(10);
  expect([plain[0], plain[9]]).toEqual([
    " 10%  loss 1  1,000 samples/s  ETA 0.9s\n",
    "100%  loss 1  1,000 samples/s  took 1.0s\n",
  ]);
  const drawn = draw(true);
  expect(drawn.length).toBeGreaterThan(9);
  expect(drawn.length).toBeLessThan(13);
  expect(drawn.every((text) => text.startsWith("\r\x1b[K▕"))).toBe(true);
  expect(drawn.filter((text) => text.endsWith("\n"))).toHaveLength(1);
});
