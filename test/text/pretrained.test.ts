// Tokenizers of folders: read here, read by @huggingface/tokenizers, refused.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BPETokenizer, loadTokenizer } from "nabla";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

let folder: string;
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-tokenizer-"));
  folders.push(folder);
});
afterAll(() => {
  for (const f of folders) rmSync(f, { recursive: true });
});

const hex = (b: number) => b.toString(16).toUpperCase().padStart(2, "0");
/** A tokenizer as Llama 2 has it: pieces of words behind a bar for the space, bytes for what is none, a token at the beginning. */
function sentencepiece(): object {
  const merges = ["▁ t", "h e", "▁t he", "c a", "▁ ca", "▁ca t"];
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${hex(b)}>`);
  const pieces = ["▁", "t", "h", "e", "c", "a", ...merges.map((m) => m.replace(" ", ""))];
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...pieces];
  const special = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  return {
    version: "1.0",
    added_tokens: [special("<unk>", 0), special("<s>", 1), special("</s>", 2)],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((t, id) => [t, id])),
      merges,
    },
  };
}
const write = (file: object, name = "tokenizer.json") => writeFileSync(join(folder, name), JSON.stringify(file));

describe("loadTokenizer", () => {
  it("reads GPT-2's kind itself", async () => {
    const tokenizer = BPETokenizer.train("the cat and the hat", { vocabSize: 262, special: ["<|end|>"] });
    await tokenizer.save(join(folder, "tokenizer.json"));
    const found = await loadTokenizer(folder);
    expect(found).toBeInstanceOf(BPETokenizer);
    expect(found.encode("the hat<|end|>")).toEqual(tokenizer.encode("the hat<|end|>"));
  });
  it("leaves other kinds to the package that knows them", async () => {
    write(sentencepiece());
    write({ add_bos_token: true, unk_token: "<unk>" }, "tokenizer_config.json");
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.vocabSize).toBe(3 + 256 + 12);
    const ids = tokenizer.encode("the cat");
    expect(ids).toEqual([1, 3 + 256 + 8, 3 + 256 + 11]);
    expect(tokenizer.decode(ids)).toBe("the cat");
    expect(() => tokenizer.decode([271])).toThrow("271 is outside 0..270");
  });
  it("streams what such a tokenizer decodes, bytes of one character together", async () => {
    write(sentencepiece());
    const tokenizer = await loadTokenizer(folder);
    for (const text of ["the cat the cat", "cat é 日本 😀 the", "  the   cat", "é"]) {
      const ids = tokenizer.encode(text);
      const next = tokenizer.stream();
      const parts = [...ids.map((id) => next(id)), next()];
      expect(parts.join("")).toBe(tokenizer.decode(ids));
      expect(parts.join("")).toBe(text);
      expect(parts.filter((p) => p.includes("\uFFFD"))).toEqual([]);
    }
    const [begin, rest] = [tokenizer.encode("the"), tokenizer.encode("the cat").slice(2)];
    const behind = tokenizer.stream(begin);
    expect(rest.map((id) => behind(id)).join("")).toBe(" cat");
    const cut = tokenizer.stream();
    const bytes = tokenizer.encode("é");
    expect(
      bytes
        .slice(0, -1)
        .map((id) => cut(id))
        .join("") + cut(),
    ).toContain("\uFFFD");
  });
  it.each([
    ["is not JSON", "{", "is not JSON"],
    ["has no model", "{}", "@huggingface/tokenizers cannot read it"],
    ["has a model nobody knows", '{"model":{"type":"Magic","vocab":{}}}', "@huggingface/tokenizers cannot read it"],
  ])("refuses a file that %s", async (_, text, sentence) => {
    writeFileSync(join(folder, "tokenizer.json"), text);
    await expect(loadTokenizer(folder)).rejects.toMatchObject({
      code: "ERR_NABLA_FILE",
      message: expect.stringContaining(sentence),
    });
  });
  it("does not take a post-processor that adds tokens for GPT-2's", async () => {
    const path = join(folder, "tokenizer.json");
    await BPETokenizer.train("the cat", { vocabSize: 258, special: ["<s>"] }).save(path);
    const { post_processor } = sentencepiece() as { post_processor: object };
    const json = { ...BPETokenizer.train("the cat", { vocabSize: 258, special: ["<s>"] }).toJSON(), post_processor };
    write({
      ...json,
      post_processor: { ...post_processor, special_tokens: { "<s>": { id: "<s>", ids: [0], tokens: ["<s>"] } } },
    });
    await expect(BPETokenizer.load(path)).rejects.toMatchObject({ message: expect.stringContaining("post_processor") });
    copyFileSync(path, join(folder, "copy.json"));
    expect((await loadTokenizer(folder)).encode("the")[0]).toBe(0);
  });
});
