// From tokens to text: whole characters, endings that may come in pieces, places given back.
import { CharTokenizer, ContinuousBatch, detokenize, GPT2, generateText, seed, type Tokenizer } from "nabla";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => seed(4));

const tokenizer = CharTokenizer.from("abcdefgh \n");
async function* stream(text: string, seen: { given: number; closed: boolean } = { given: 0, closed: false }) {
  try {
    for (const token of tokenizer.encode(text)) {
      seen.given++;
      yield token;
    }
  } finally {
    seen.closed = true;
  }
}
async function pieces(texts: AsyncIterable<string>): Promise<string[]> {
  const out: string[] = [];
  for await (const piece of texts) out.push(piece);
  return out;
}

describe("detokenize", () => {
  it.each([
    ["abcab\nfg", ["\n"], "abcab"],
    ["aabaabaac", ["aabaac"], "aab"],
    ["abab", ["abc"], "abab"],
    ["abcd", ["cd", "bc"], "a"],
    ["abcd", ["abcd"], ""],
    ["abc", [], "abc"],
    ["abc", [""], "abc"],
    ["abcdabcd", [tokenizer.encode("d")[0]!], "abc"],
    ["abcdefab", ["xyz", tokenizer.encode("f")[0]!], "abcde"],
  ])("of %j with stop %j is %j", async (text, stop, expected) => {
    const seen = { given: 0, closed: false };
    expect((await pieces(detokenize(stream(text, seen), tokenizer, { stop }))).join("")).toBe(expected);
    expect(seen.closed).toBe(true);
  });
  it("gives what is certain at once, and holds back what may end it", async () => {
    expect(await pieces(detokenize(stream("cbabdab"), tokenizer, { stop: ["abx"] }))).toEqual(["c", "b", "abd", "ab"]);
  });
  it("takes no token behind the end", async () => {
    const seen = { given: 0, closed: false };
    await pieces(detokenize(stream("abcdefgh", seen), tokenizer, { stop: ["cd"] }));
    expect(seen).toEqual({ given: 4, closed: true });
  });
  it("passes over ids that the tokenizer does not have", async () => {
    async function* tokens() {
      yield* [...tokenizer.encode("ab"), 10, 50_000, ...tokenizer.encode("c")];
    }
    expect((await pieces(detokenize(tokens(), tokenizer))).join("")).toBe("abc");
  });
  it("gives out what the tokenizer still holds", async () => {
    const late: Tokenizer = { ...tokenizer, vocabSize: 10, encode: () => [], decode: () => "", stream: () => held() };
    function held() {
      let text = "";
      return (id?: number) => {
        if (id === undefined) return text;
        text += tokenizer.decode([id]);
        return "";
      };
    }
    expect(await pieces(detokenize(stream("abc"), late))).toEqual(["abc"]);
    expect(await pieces(detokenize(stream("abcd"), late, { stop: ["bc"] }))).toEqual(["a"]);
  });
});

describe("generateText", () => {
  const model = new GPT2({ vocabSize: 10, contextLength: 32, layers: 1, heads: 2, width: 8, std: 0.3 }).eval();
  it("is the text of what generate gives, up to what ends it", async () => {
    const options = { seed: 3, maxTokens: 40, temperature: 2 };
    const free = (await pieces(generateText(model, tokenizer, "abc", options))).join("");
    expect(free).toHaveLength(40);
    const stop = free.slice(11, 14);
    const found = (await pieces(generateText(model, tokenizer, "abc", { ...options, stop: [stop] }))).join("");
    expect(found).toBe(free.slice(0, free.indexOf(stop)));
  });
  it("gives the place in a batch back when a text ends it", async () => {
    using batch = new ContinuousBatch(model, { streams: 1 });
    const texts = detokenize(batch.generate([1], { seed: 1, maxTokens: 1000 }), tokenizer, { stop: ["a", "b", "c"] });
    await pieces(texts);
    expect(batch.active).toBe(0);
  });
});
