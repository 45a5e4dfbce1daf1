import { expect, test } from "vitest";
import { duration, Progress } from "../../examples/terminal.ts";

test("times are short", () => {
  const written = ["0.0s", "59.9s", "1m00s", "1m05s", "1h00m", "2h03m"];
  expect([0, 59.9, 59.99, 65, 3600, 7380].map(duration)).toEqual(written);
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
