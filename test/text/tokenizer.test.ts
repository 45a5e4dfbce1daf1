// Tokenizers: what goes in comes out, merges as the plain definition has them, files refused or read.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BPETokenizer, CharTokenizer } from "nabla";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniforms } from "../../lib/models/sample.ts";
import { learn, merge, pairOf } from "../../lib/text/merges.ts";
import { code } from "../code.ts";

/** Merges counted anew for every one. */
function plain(words: { tokens: number[]; count: number }[], first: number, most: number): [number, number][] {
  const merges: [number, number][] = [];
  for (; merges.length < most; ) {
    const counts = new Map<number, number>();
    for (const { tokens, count } of words)
      for (let i = 1; i < tokens.length; i++) {
        const pair = pairOf(tokens[i - 1]!, tokens[i]!);
        counts.set(pair, (counts.get(pair) ?? 0) + count);
      }
    const [best] = [...counts].sort(([p, m], [q, n]) => n - m || p - q);
    if (!best || best[1] < 2) break;
    const [a, b] = [Math.floor(best[0] / 2 ** 21), best[0] % 2 ** 21];
    for (const word of words) replace(word.tokens, a, b, first + merges.length);
    merges.push([a, b]);
  }
  return merges;
}
function replace(tokens: number[], a: number, b: number, id: number): void {
  for (let i = 0; i + 1 < tokens.length; i++) if (tokens[i] === a && tokens[i + 1] === b) tokens.splice(i, 2, id);
}
const random = uniforms(8);
const below = (n: number) => Math.floor(random() * n);
const words = (count: number, letters: number) =>
  Array.from({ length: count }, () => ({
    tokens: Array.from({ length: 1 + below(12) }, () => below(letters)),
    count: 1 + below(5),
  }));
const copy = (all: { tokens: number[]; count: number }[]) => all.map((w) => ({ ...w, tokens: [...w.tokens] }));

describe("merges", () => {
  it.each([2, 3, 5])("learned from %i letters are those of the plain count", (letters) => {
    for (let n = 0; n < 20; n++) {
      const all = words(30, letters);
      expect(learn(copy(all), letters, 25, 2)).toEqual(plain(copy(all), letters, 25));
    }
  });
  it("are applied in their order", () => {
    const all = words(60, 3);
    const merges = learn(copy(all), 3, 30, 2);
    const ranks = new Map(merges.map(([a, b], rank) => [pairOf(a, b), rank]));
    const results = merges.map((_, rank) => 3 + rank);
    for (const { tokens } of words(100, 3)) {
      const expected = [...tokens];
      for (const [rank, [a, b]] of merges.entries()) replace(expected, a, b, 3 + rank);
      expect(merge([...tokens], { ranks, results })).toEqual(expected);
    }
  });
});

describe("BPETokenizer", () => {
  const text = "It's 12 o'clock; the cat, the hat and the rat sat.\n\n  They’re 3 - naïve 😀 cats!\t日本語 the end";
  const tokenizer = BPETokenizer.train(text.repeat(3), { vocabSize: 300, special: ["<|end|>", "<|endoftext|>"] });
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nabla-text-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("gives back every text", () => {
    for (const t of [text, "", " ", "\u0000\uFEFF x", "never seen: Ünïcödé 𝒳 \r\n", "a".repeat(5000)]) {
      const ids = tokenizer.encode(t);
      expect(tokenizer.decode(ids)).toBe(t);
      expect(Math.max(-1, ...ids)).toBeLessThan(tokenizer.vocabSize);
    }
    expect(tokenizer.vocabSize).toBe(300);
    expect(tokenizer.encode(" the")).toHaveLength(1);
  });
  it("has GPT-2's ids of bytes behind the special tokens, then the merges", () => {
    expect(tokenizer.tokens.slice(0, 3)).toEqual(["<|end|>", "<|endoftext|>", "!"]);
    expect(tokenizer.tokens[2 + 220]).toBe("Ġ");
    expect(tokenizer.tokens[258]).toBe(tokenizer.merges[0]!.join(""));
  });
  it("takes special tokens for themselves, unless told not to", () => {
    const ids = tokenizer.encode("a<|endoftext|>b");
    expect(ids).toEqual([...tokenizer.encode("a"), 1, ...tokenizer.encode("b")]);
    const plainText = tokenizer.encode("<|endoftext|>", { special: false });
    expect(plainText).not.toContain(1);
    expect(tokenizer.decode(plainText)).toBe("<|endoftext|>");
  });
  it("streams whole characters", () => {
    const next = tokenizer.stream();
    const parts = tokenizer.encode("😀日").map((id) => next(id));
    expect(parts.join("") + next()).toBe("😀日");
    expect(parts.some((p) => p.includes("\uFFFD"))).toBe(false);
    expect(tokenizer.decode(tokenizer.encode("😀").slice(0, 1))).toBe(
      tokenizer.encode("😀").length > 1 ? "\uFFFD" : "😀",
    );
  });
  it("is written and read back", async () => {
    const path = join(folder, "tokenizer.json");
    await tokenizer.save(path);
    const again = await BPETokenizer.load(path);
    expect(again.encode(`${text}<|end|>`)).toEqual(tokenizer.encode(`${text}<|end|>`));
    expect(again.toJSON()).toEqual(tokenizer.toJSON());
  });
  it.each([
    ["model", { type: "WordPiece" }],
    ["model", 5],
    ["pre_tokenizer", { type: "Whitespace" }],
    ["normalizer", { type: "NFC" }],
    ["added_tokens", [{ id: 5 }]],
    ["added_tokens", [{ id: -1, content: "x" }]],
  ])("refuses a file whose %s is %j", async (name, x) => {
    const path = join(folder, "bad.json");
    writeFileSync(path, JSON.stringify({ ...tokenizer.toJSON(), [name]: x }));
    await expect(BPETokenizer.load(path)).rejects.toMatchObject({ code: "ERR_NABLA_FILE" });
  });
  it.each([
    ["vocab", { a: 0 }],
    ["vocab", { "!": 1e9 }],
    ["merges", [["a"]]],
    ["merges", [["Ġ", "no such token"]]],
    ["merges", "a b"],
    ["byte_fallback", true],
  ])("refuses a model whose %s is %j", async (name, x) => {
    const path = join(folder, "bad.json");
    const json = tokenizer.toJSON() as { model: object };
    writeFileSync(path, JSON.stringify({ ...json, model: { ...json.model, [name]: x } }));
    await expect(BPETokenizer.load(path)).rejects.toMatchObject({ code: "ERR_NABLA_FILE" });
  });
  it("refuses ids and sizes that are none", () => {
    expect(code(() => tokenizer.decode([300]))).toBe("ERR_NABLA_INDEX");
    expect(code(() => BPETokenizer.train("x", { vocabSize: 100 }))).toBe("ERR_NABLA_VALUE");
  });
});

describe("CharTokenizer", () => {
  it("has one id for each character", () => {
    const tokenizer = CharTokenizer.from("b😀a\nab");
    expect(tokenizer.characters).toEqual(["\n", "a", "b", "😀"]);
    expect(tokenizer.decode(tokenizer.encode("😀\nb"))).toBe("😀\nb");
    expect(() => tokenizer.encode("c")).toThrow('does not know the character "c"');
    expect(() => tokenizer.decode([4])).toThrow("4 is outside 0..3");
    expect(() => new CharTokenizer(["a", "a"])).toThrow("each once");
  });
});
