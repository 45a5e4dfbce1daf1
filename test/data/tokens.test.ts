// Token files: windows, shuffles, separators, files larger than what is read at once, and files that are not as they should be.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BPETokenizer,
  CharTokenizer,
  DataLoader,
  NablaError,
  openTokens,
  readText,
  type TokenOptions,
  writeTokens,
} from "nabla";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-tokens-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
function file(name: string, array: ArrayBufferView): string {
  writeFileSync(at(name), array as Uint8Array);
  return at(name);
}
const counted = (n: number, from = 0) => Uint16Array.from({ length: n }, (_, i) => from + i);
async function refused(f: () => unknown): Promise<string> {
  try {
    await f();
  } catch (e) {
    if (e instanceof NablaError) return `${e.code} ${e.message.replaceAll(folder, "FOLDER").split("\n")[0]}`;
    throw e;
  }
  return "nothing was thrown";
}
async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const x of from) out.push(x);
  return out;
}

describe("windows", () => {
  it.each<[number, Partial<TokenOptions>, number[][]]>([
    [
      9,
      {},
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ],
    ],
    [8, {}, [[0, 1, 2, 3]]],
    [5, {}, [[0, 1, 2, 3]]],
    [
      8,
      { stride: 1 },
      [
        [0, 1, 2, 3],
        [1, 2, 3, 4],
        [2, 3, 4, 5],
        [3, 4, 5, 6],
      ],
    ],
    [
      20,
      { range: [10, 19] },
      [
        [10, 11, 12, 13],
        [14, 15, 16, 17],
      ],
    ],
    [20, { range: [10, 15] }, [[10, 11, 12, 13]]],
  ])("of %d tokens, %j", async (n, options, expected) => {
    await using tokens = await openTokens(file("a", counted(n)), { context: 4, ...options });
    const pairs = await Promise.all(Array.from({ length: tokens.length }, (_, i) => tokens.get(i)));
    expect(pairs.map(([x]) => x.toArray())).toEqual(expected);
    expect(pairs.map(([, y]) => y.toArray())).toEqual(expected.map((row) => row.map((id) => id + 1)));
    expect(pairs[0]?.map(({ dtype }) => dtype)).toEqual(["i32", "i32"]);
  });
  it("of 32 bits", async () => {
    await using tokens = await openTokens(file("a", Uint32Array.of(1, 70_000, 2 ** 31 - 1)), {
      context: 2,
      dtype: "u32",
    });
    const [x, y] = await tokens.get(0);
    expect([x.toArray(), y.toArray()]).toEqual([
      [1, 70_000],
      [70_000, 2 ** 31 - 1],
    ]);
  });
  it("have no target behind a separator", async () => {
    await using tokens = await openTokens(file("a", Uint16Array.of(5, 6, 0, 7, 0)), { context: 4, separator: 0 });
    const [x, y] = await tokens.get(0);
    expect([x.toArray(), y.toArray()]).toEqual([
      [5, 6, 0, 7],
      [6, 0, -100, 0],
    ]);
  });
  it("are shuffled by the seed, each once, and go on where they stopped", async () => {
    await using tokens = await openTokens(file("a", counted(4 * 25 + 1)), { context: 4 });
    const loader = (seed: number) => new DataLoader(tokens, { size: 3, shuffle: true, seed });
    const rows = async (data: AsyncIterable<readonly [{ toArray(): unknown }, unknown]>) =>
      (await all(data)).map(([x]) => x.toArray() as number[][]);
    const [first, again, other] = [await rows(loader(1)), await rows(loader(1)), await rows(loader(2))];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.flat(2).sort((a, b) => a - b)).toEqual([...counted(100)]);
    const stopped = loader(1);
    for await (const _ of stopped) if (stopped.position === 4) break;
    expect(await rows(loader(9).load(JSON.parse(JSON.stringify(stopped.state()))))).toEqual(first.slice(4));
  });
});

describe("a file that is not as it should be", () => {
  const open = (path: string, options: Partial<TokenOptions> = {}) =>
    refused(async () => {
      await using tokens = await openTokens(path, { context: 4, ...options });
      await tokens.get(0);
    });
  it("is named", async () => {
    expect(await open(file("odd", new Uint8Array(13)))).toBe(
      "ERR_NABLA_FILE tokens: FOLDER/odd: has 13 bytes, no multiple of the 2 of u16",
    );
    expect(await open(file("short", counted(4)))).toBe(
      "ERR_NABLA_VALUE openTokens: 4 tokens of FOLDER/short make no window of 4 and one more",
    );
    expect(await open(file("empty", counted(0)))).toContain("0 tokens of FOLDER/empty make no window");
    execFileSync("mkfifo", [at("pipe")]);
    expect(await open(at("pipe"))).toBe("ERR_NABLA_FILE tokens: FOLDER/pipe is not a regular file");
    expect(await open(folder)).toContain("is not a regular file");
    await expect(open(at("none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
  it("is told by its first token outside of the vocabulary", async () => {
    const path = file("a", Uint16Array.of(1, 2, 9, 3, 4, 5));
    expect(await open(path, { vocabSize: 9 })).toBe("ERR_NABLA_FILE tokens: FOLDER/a: token 2 is 9");
    expect(await open(path, { vocabSize: 10 })).toBe("nothing was thrown");
    expect(await open(file("big", Uint32Array.of(1, 2 ** 31, 0, 0, 0)), { dtype: "u32" })).toContain(
      "token 1 is 2147483648",
    );
  });
  it("may be cut while it is read", async () => {
    await using tokens = await openTokens(file("a", counted(50)), { context: 4 });
    truncateSync(at("a"), 30);
    expect((await tokens.get(0))[0].toArray()).toEqual([0, 1, 2, 3]);
    expect(await refused(() => tokens.get(5))).toBe(
      "ERR_NABLA_FILE tokens: FOLDER/a: has no byte 40: it was cut while it was read",
    );
    expect(await refused(() => tokens.get(12))).toContain("there is no window 12 of 12");
  });
  it.each<[Partial<TokenOptions>, string]>([
    [{ context: 0 }, "context must be a whole number from 1, got 0"],
    [{ stride: 0 }, "stride must be a whole number from 1, got 0"],
    [{ separator: -1 }, "separator must be a whole number from 0, got -1"],
    [{ vocabSize: Number.NaN }, "vocabSize must be a whole number from 1, got NaN"],
    [{ range: [0, 51] }, "[0, 51] is no range of the 50 tokens"],
    [{ range: [9, 3] }, "[9, 3] is no range of the 50 tokens"],
    [{ dtype: "u8" as never }, 'dtype is "u16" or "u32", not u8'],
    [{ dtype: "__proto__" as never }, 'dtype is "u16" or "u32"'],
  ])("or asked for what cannot be: %j", async (options, sentence) => {
    expect(await open(file("a", counted(50)), options)).toContain(`ERR_NABLA_VALUE openTokens: ${sentence}`);
  });
});

const read = (path: string) => readFileSync(path);
describe("writeTokens", () => {
  it("writes documents one by one, each with its separator, in the bits the vocabulary needs", async () => {
    const chars = CharTokenizer.from("\0abc");
    async function* documents() {
      yield "ab";
      yield "";
      yield "c";
    }
    const told = await writeTokens(at("a"), documents(), chars, { separator: 0 });
    expect(told).toEqual({ tokens: 6, documents: 3, dtype: "u16" });
    expect([...read(at("a"))]).toEqual([1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
    const wide = { vocabSize: 65_537, encode: () => [65_536] };
    expect(await writeTokens(at("b"), ["x"], wide)).toEqual({ tokens: 1, documents: 1, dtype: "u32" });
    expect([...read(at("b"))]).toEqual([0, 0, 1, 0]);
  });
  it("leaves nothing behind when a document fails", async () => {
    const chars = CharTokenizer.from("ab");
    await expect(writeTokens(at("a"), ["ab", "x"], chars)).rejects.toThrow('does not know the character "x"');
    expect(readdirSync(folder)).toEqual([]);
    expect(await refused(() => writeTokens(at("a"), [], chars, { separator: 2 }))).toContain(
      "the separator 2 is not in the vocabulary of 2",
    );
  });
});

describe("readText", () => {
  const story = `${"A line of words, and more.\n".repeat(40)}\n\n  indented\n\nü é 🙂 end\r\n${"last lines\n".repeat(9)}`;
  it("gives the text in pieces that a tokenizer turns into the same tokens", async () => {
    writeFileSync(at("a"), story);
    const tokenizer = BPETokenizer.train(story, { vocabSize: 300 });
    for (const bytes of [1, 7, 64, 1000, 1e6]) {
      const pieces = await all(readText(at("a"), { bytes }));
      expect(pieces.join("")).toBe(story);
      expect(pieces.flatMap((piece) => tokenizer.encode(piece))).toEqual(tokenizer.encode(story));
      if (bytes === 64) expect(pieces.length).toBeGreaterThan(10);
    }
  });
  it("cuts a line without end, and gives nothing of an empty file", async () => {
    writeFileSync(at("long"), "x".repeat(1000));
    const pieces = await all(readText(at("long"), { bytes: 4 }));
    expect([pieces.length > 2, pieces.join("").length]).toEqual([true, 1000]);
    writeFileSync(at("empty"), "");
    expect(await all(readText(at("empty")))).toEqual([]);
  });
  it("names what is not UTF-8, or no file", async () => {
    const drain = (path: string, bytes = 4) => refused(() => all(readText(path, { bytes })));
    expect(await drain(file("bad", Uint8Array.of(97, 98, 99, 100, 101, 0xff, 10)))).toBe(
      "ERR_NABLA_FILE readText: FOLDER/bad: bytes 4 to 7 are not UTF-8",
    );
    expect(await drain(file("cut", Buffer.from("abcdü").subarray(0, 5)))).toContain("are not UTF-8");
    expect(await drain(folder)).toContain("is not a regular file");
    expect(await drain(at("bad"), 0)).toContain("bytes must be a whole number from 1");
  });
});

it("a file of 128 MB is written and read in windows with half the memory", () => {
  const index = new URL("../../lib/index.ts", import.meta.url).href;
  const code = `
    import { DataLoader, openTokens, writeTokens } from ${JSON.stringify(index)};
    const block = Uint16Array.from({ length: 1 << 19 }, (_, i) => i & 1023);
    const tokenizer = { vocabSize: 1024, encode: () => block };
    const { tokens } = await writeTokens("big.bin", Array.from({ length: 128 }, () => ""), tokenizer);
    const before = process.resourceUsage().maxRSS;
    await using file = await openTokens("big.bin", { context: 256, vocabSize: 1024 });
    let [seen, good] = [0, 0];
    for await (const [x, y] of new DataLoader(file, { size: 16, shuffle: true, seed: 1 })) {
      good += y.sub(x).eq(1).sum().item() + y.eq(0).sum().item() === y.size ? 1 : 0;
      if (++seen === 200) break;
    }
    const grown = (process.resourceUsage().maxRSS - before) / 1024;
    console.log(JSON.stringify({ megabytes: (2 * tokens) / 2 ** 20, seen, good, grown }));`;
  writeFileSync(at("big.mts"), code);
  const told = execFileSync(process.execPath, ["--import", import.meta.resolve("tsx"), at("big.mts")], {
    cwd: folder,
    encoding: "utf8",
  });
  const { megabytes, seen, good, grown } = JSON.parse(told) as Record<string, number>;
  expect([megabytes, seen, good]).toEqual([128, 200, 200]);
  expect(grown).toBeLessThan(64);
});
