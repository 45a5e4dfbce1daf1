// The border between JavaScript and C++: whatever is handed over gives a result or an error with a code.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { type Handed, native } from "../lib/core/native.ts";
import { K } from "../lib/native.gen.ts";
import {
  canaries,
  clone,
  difference,
  lettersOf,
  makeCall,
  type Row,
  rows,
  scalarsOf,
  wild,
  write,
} from "./signature.ts";

const add = K.add.id.f32;
const softmax = K.softmax.id.f32;
const gemm = K.gemm.id.f32;
const f32 = (...x: number[]): Float32Array => Float32Array.of(...x);

/** What a call throws, as code and sentence. */
function complaint(row: number, words: readonly number[], ...arrays: unknown[]): string {
  try {
    native.run(row, write(words), ...(arrays as Handed[]));
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  return "nothing";
}
const flat = [1, 4, 0, 1, 0, 1, 0, 1];
const four = (): Float32Array => new Float32Array(4);

describe("a call that is wrong", () => {
  it("is answered by its row and its number of arrays", () => {
    for (const row of [-1, 2 ** 31, Number.NaN, rows.length]) {
      expect(complaint(row, flat, four(), four(), four())).toMatch(/^ERR_NABLA_TYPE/);
    }
    expect(complaint(add, flat, four(), four())).toBe("ERR_NABLA_TYPE add: takes 3 arrays");
    expect(complaint(add, flat, four(), four(), four(), four())).toBe("ERR_NABLA_TYPE add: takes 3 arrays");
    expect(() => native.run(add, 100_000, four(), four(), four())).toThrow("too many words");
    expect(() => (native.run as () => void)()).toThrow("no such row");
    expect(() => (native.run as (x: unknown) => void)({})).toThrow("no such row");
  });

  it("is answered by the type of what was handed", () => {
    const say = (x: unknown) => complaint(add, flat, four(), x, four());
    expect(say(new Float64Array(4))).toBe("ERR_NABLA_TYPE add: a must be an array of f32, got f64");
    expect(say(new Int32Array(4))).toBe("ERR_NABLA_TYPE add: a must be an array of f32, got i32");
    for (const x of [null, undefined, "f32", {}, [1, 2, 3, 4], Symbol("x"), 5n, new DataView(new ArrayBuffer(16))]) {
      expect(say(x)).toBe("ERR_NABLA_TYPE add: a must be an array of f32, got nothing");
    }
    expect(complaint(add, flat, 1, four(), four())).toBe("ERR_NABLA_TYPE add: y must be an array of f32, got a number");
  });

  it("is answered by the length of an array", () => {
    const say = (...words: number[]) => complaint(add, words, four(), f32(1, 2, 3), four());
    expect(say(...flat)).toBe("ERR_NABLA_SHAPE add: a reaches past the end of its array");
    expect(say(1, 3, 0, 1, 1, 1, 0, 1)).toBe("ERR_NABLA_SHAPE add: a reaches past the end of its array");
    expect(say(1, 3, 0, 1, 0, -1, 0, 1)).toBe("ERR_NABLA_SHAPE add: a reaches past the end of its array");
    expect(say(1, 3, 0, 1, 2, -1, 0, 1)).toBe("nothing");
  });

  it("is answered by memory that is gone", () => {
    const lost = four();
    structuredClone(lost.buffer, { transfer: [lost.buffer as ArrayBuffer] });
    expect(complaint(add, flat, four(), lost, four())).toBe(
      "ERR_NABLA_DETACHED add: a has lost its memory: its array buffer was detached",
    );
    const Resizable = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer & { resize(n: number): void };
    const buffer = new Resizable(16, { maxByteLength: 32 });
    const shrunk = new Float32Array(buffer);
    buffer.resize(8);
    expect(complaint(add, flat, four(), shrunk, four())).toMatch(/^ERR_NABLA_(SHAPE|DETACHED) add: a /);
  });

  it("is answered by arrays that overlap", () => {
    const x = new Float32Array(8);
    expect(complaint(add, flat, x, x, four())).toBe("nothing");
    expect(complaint(add, [1, 4, 1, 1, 0, 1, 0, 1], x, x, four())).toBe(
      "ERR_NABLA_OVERLAP add: y and a overlap in memory",
    );
    expect(complaint(add, flat, x.subarray(0, 4), x.subarray(1, 5), four())).toMatch(/^ERR_NABLA_OVERLAP/);
    expect(complaint(add, [1, 4, 0, 0, 0, 1, 0, 1], four(), four(), four())).toMatch(/^ERR_NABLA_OVERLAP/);
    expect(complaint(softmax, [2, 2, 0, 0], x, x)).toBe("nothing");
    expect(complaint(softmax, [2, 2, 0, 1], x, x)).toMatch(/^ERR_NABLA_OVERLAP/);
    const steps = [0, 0, 2, 1];
    const words = [1, 1, 2, 2, 2, 0, ...steps, 0, ...steps, 4, ...steps, 0, 0];
    expect(complaint(gemm, words, x, x, x, null, null, null)).toBe("ERR_NABLA_OVERLAP gemm: c and a overlap in memory");
  });

  it("is answered by the number of its words", () => {
    expect(complaint(add, flat.slice(0, -1), four(), four(), four())).toMatch(/^ERR_NABLA_SHAPE.*too few words/);
    expect(complaint(add, [...flat, 0], four(), four(), four())).toMatch(/^ERR_NABLA_SHAPE.*too many words/);
    expect(complaint(add, [9, ...flat], four(), four(), four())).toMatch(/^ERR_NABLA_SHAPE.*bad rank/);
  });

  it("writes nothing", () => {
    const y = f32(1, 2, 3, 4);
    complaint(add, flat, y, f32(1, 2, 3), four());
    expect(y).toEqual(f32(1, 2, 3, 4));
  });
});

describe("hostile words", () => {
  const hostile = [
    Number.NaN,
    -1,
    2 ** 60,
    -(2 ** 60),
    2 ** 53,
    2 ** 32,
    2 ** 31,
    0.5,
    1e308,
    Number.POSITIVE_INFINITY,
  ];
  const label = (row: Row) => ({ row, title: `${row.name} ${row.dtype}` });

  /** A correct call: three elements in every direction. */
  function correct(row: Row, seed: number): { words: number[]; arrays: readonly Handed[] } {
    if (row.driver === "Map") {
      const arrays = row.arrays.map((p, i) => wild(p.dtype, 3 + canaries, seed + i));
      return { words: [1, 3, ...row.arrays.flatMap(() => [0, 1]), ...scalarsOf(row)], arrays };
    }
    const call = makeCall(row, new Map(lettersOf(row).map((l) => [l, 3])), seed);
    return { words: [...call.words], arrays: call.arrays };
  }
  it.each(rows.map(label))("$title", ({ row }) => {
    const { words, arrays } = correct(row, 3);
    expect(complaint(row.id, words, ...arrays)).toBe("nothing");
    for (let i = 0; i < words.length; i++) {
      for (const x of hostile) {
        const said = complaint(
          row.id,
          words.with(i, x),
          ...arrays.map((a) => (a && typeof a === "object" ? clone(a) : a)),
        );
        expect(said).toMatch(/^(nothing|ERR_NABLA_(SHAPE|VALUE|INDEX|OVERLAP) )/);
      }
    }
  });

  it.each(rows.filter((r) => r.arrays.some((p) => p.dtype === "i32" && p.reads)).map(label))(
    "indices of $title",
    ({ row }) => {
      for (let seed = 1; seed < 20; seed++) {
        const { words, arrays } = correct(row, seed);
        const given = row.arrays.map((p, i) =>
          arrays[i] && p.reads ? wild(p.dtype, 27 + canaries, seed * 7 + i) : arrays[i]!,
        );
        complaint(row.id, words, ...given);
        row.arrays.forEach((p, i) => {
          const [x, before] = [given[i], arrays[i]];
          if (!p.writes || p.reads || typeof x !== "object" || !x || typeof before !== "object" || !before) return;
          expect(difference(x.subarray(-canaries), before.subarray(-canaries))).toBeUndefined();
        });
      }
    },
  );
});

const root = fileURLToPath(new URL("..", import.meta.url));
const find = createRequire(import.meta.url)("node-gyp-build") as { path(dir: string): string };
const addon = JSON.stringify(find.path(root));
/** Sums of products over many elements, in a loop; the answer is the same wherever it runs. */
const work = `
  const native = require(${addon});
  const n = 300000, x = new Float32Array(n), y = new Float32Array(n);
  for (let i = 0; i < n; i++) x[i] = Math.sin(i);
  function product() {
    native.words.set([1, n, 0, 1, 0, 1, 0, 1]);
    native.run(${K.mul.id.f32}, 8, y, x, x);
    native.words.set([1, 1, n, 0, 0, n, 1, 1, 1]);
    const sum = new Float32Array(1);
    native.run(${K.sum.id.f32}, 9, sum, y);
    return sum[0];
  }`;

describe("threads of JavaScript", () => {
  it("load the addon eight times and compute the same", async () => {
    const code = `${work}
      let last; for (let i = 0; i < 50; i++) last = product();
      require("node:worker_threads").parentPort.postMessage(last);`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => {
        const worker = new Worker(code, { eval: true });
        return new Promise<number>((resolve, reject) => worker.once("message", resolve).once("error", reject));
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toBeGreaterThan(100_000);
  });

  it("may be terminated in the middle of an operation", async () => {
    const endless = `${work} require("node:worker_threads").parentPort.postMessage("runs"); for (;;) product();`;
    for (let i = 0; i < 4; i++) {
      const worker = new Worker(endless, { eval: true });
      await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
      expect(await worker.terminate()).toBe(1);
    }
  });

  it("may be cut off by process.exit()", () => {
    const program = `
      const { Worker } = require("node:worker_threads");
      const code = ${JSON.stringify(`${work} require("node:worker_threads").parentPort.postMessage(1); for (;;) product();`)};
      let running = 0;
      for (let i = 0; i < 3; i++) new Worker(code, { eval: true }).once("message", () => { if (++running === 3) setTimeout(() => process.exit(7), 20); });`;
    for (let i = 0; i < 3; i++) {
      const { status, signal, stderr } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
      expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: "" });
    }
  });
});
