import { checkKind, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { replaceText } from "../io/file.ts";
import { readObject } from "../io/shards.ts";
import { learn, merge, pairOf, type Ranks } from "./merges.ts";
import { checkId, type Tokenizer } from "./tokenizer.ts";

// GPT-2's words: contractions, then letters, digits or signs with the space before them, then space.
const words = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** A printable character for each byte, as GPT-2 writes them: itself where it is printable, else U+0100 and on. */
function byteCharacters(): string[] {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let more = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : more++));
}
const characters = byteCharacters();
const byteOf: ReadonlyMap<string, number> = new Map(characters.map((c, b) => [c, b]));
/** The 256 bytes in the order of their characters: the first ids, as in GPT-2. */
const alphabet = [...characters].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0));
const utf8 = new TextEncoder();
/** Words that are cached while encoding; a text of ever new words does not grow it further. */
const cached = 50_000;

/** Options of {@link BPETokenizer.train}. */
export interface BPEOptions {
  /** Ids in all: special tokens, 256 bytes, and one for each merge. */
  readonly vocabSize: number;
  /** Tokens that stand for themselves, as "<|endoftext|>"; they have the first ids. */
  readonly special?: readonly string[];
  /** A pair becomes a token if it occurs so often; 2 unless given. */
  readonly least?: number;
}

function unique(vocab: ReadonlyMap<string, number>): readonly string[] {
  const tokens: string[] = [];
  for (const [token, id] of vocab) {
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 21 || tokens[id] !== undefined)
      fail("ERR_NABLA_VALUE", "BPETokenizer", `the id of ${JSON.stringify(token)} is ${id}`, {
        expected: "whole numbers, each once",
        actual: id,
      });
    tokens[id] = token;
  }
  for (let id = 0; id < tokens.length; id++)
    if (tokens[id] === undefined) fail("ERR_NABLA_VALUE", "BPETokenizer", `no token has the id ${id}`, { actual: id });
  return tokens;
}

/**
 * Byte-pair encoding over the bytes of a text, so that every text has an encoding: words (GPT-2's rule) are cut into bytes, and
 * the most frequent neighbours, learned by {@link train}, become one token, again and again.
 *
 * Hugging Face: `tokenizers.ByteLevelBPETokenizer`; {@link save} and {@link load} use its tokenizer.json.
 * @example
 * ```ts
 * import { BPETokenizer } from "nabla";
 * const tokenizer = BPETokenizer.train("the cat and the hat and the rat", { vocabSize: 260 });
 * const ids = tokenizer.encode("the rat");
 * console.log(ids.length < 7, tokenizer.decode(ids)); // true the rat
 * ```
 */
export class BPETokenizer implements Tokenizer {
  /** Tokens by id, their bytes written in GPT-2's characters. */
  readonly tokens: readonly string[];
  readonly special: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #ranks: Ranks;
  readonly #bytes: readonly Uint8Array[];
  readonly #cache: Map<string, readonly number[]> = new Map();
  readonly #cut: RegExp | undefined;

  constructor(
    vocab: ReadonlyMap<string, number>,
    merges: readonly (readonly [string, string])[],
    special: ReadonlyMap<string, number> = new Map(),
  ) {
    this.tokens = unique(new Map([...vocab, ...special]));
    this.special = special;
    this.merges = merges;
    this.#ids = vocab;
    const idOf = (token: string): number =>
      vocab.get(token) ??
      fail("ERR_NABLA_VALUE", "BPETokenizer", `a merge needs ${JSON.stringify(token)}`, { actual: token });
    for (const c of alphabet) idOf(c);
    const results = merges.map(([a, b]) => idOf(a + b));
    this.#ranks = { ranks: new Map(merges.map(([a, b], rank) => [pairOf(idOf(a), idOf(b)), rank])), results };
    this.#bytes = this.tokens.map((token, id) => (special.get(token) === id ? utf8.encode(token) : bytesOf(token)));
    const longestFirst = [...special.keys()].sort((a, b) => b.length - a.length);
    this.#cut = longestFirst.length > 0 ? new RegExp(`(${longestFirst.map(escaped).join("|")})`, "g") : undefined;
  }
  get vocabSize(): number {
    return this.tokens.length;
  }

  /** Learns merges from a text until there are `vocabSize` tokens, or no pair occurs often enough. */
  static train(text: string, options: BPEOptions): BPETokenizer {
    checkKind("BPETokenizer", "the text", text, "string");
    const { vocabSize, special = [], least = 2 } = only("BPETokenizer", options, ["vocabSize", "special", "least"]);
    if (!Array.isArray(special) || !special.every((s) => typeof s === "string"))
      fail("ERR_NABLA_TYPE", "BPETokenizer", "special is a list of texts", { actual: special });
    const first = special.length + alphabet.length;
    if (!(Number.isInteger(vocabSize) && vocabSize >= first && vocabSize < 2 ** 21))
      fail("ERR_NABLA_VALUE", "BPETokenizer", `vocabSize must be a whole number from ${first}, got ${vocabSize}`, {
        expected: `from ${first}`,
        actual: vocabSize,
      });
    const counts = new Map<string, number>();
    for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const tokens = [...special, ...alphabet];
    const ids = new Map(alphabet.map((c, i) => [c, special.length + i]));
    const cut = [...counts].map(([word, count]) => ({ tokens: byteIds(word, ids), count }));
    const merges = learn(cut, first, vocabSize - first, Math.max(1, least)).map(([a, b]): [string, string] => {
      tokens.push(tokens[a] + tokens[b]);
      return [tokens[a], tokens[b]];
    });
    const all = tokens.map((token, id) => [token, id] as const);
    return new BPETokenizer(new Map(all.slice(special.length)), merges, new Map(all.slice(0, special.length)));
  }

  #word(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known) return known;
    const ids = merge(byteIds(word, this.#ids), this.#ranks);
    if (this.#cache.size < cached && word.length < 64) this.#cache.set(word, ids);
    return ids;
  }
  /** Special tokens in the text become their ids; with `special: false` they are text like any other. */
  encode(text: string, options: { special?: boolean } = {}): number[] {
    const { special = true } = only("encode", options, ["special"]);
    const out: number[] = [];
    for (const part of special && this.#cut ? text.split(this.#cut) : [text]) {
      const id = special ? this.special.get(part) : undefined;
      if (id !== undefined) out.push(id);
      else for (const [word] of part.matchAll(words)) for (const t of this.#word(word)) out.push(t);
    }
    return out;
  }
  /** The text of ids; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>): string {
    const next = this.stream();
    let text = "";
    for (const id of ids) text += next(id);
    return text + next();
  }
  stream(): (id?: number) => string {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return (id) => {
      if (id === undefined) return decoder.decode();
      checkId("BPETokenizer", id, this.vocabSize);
      return decoder.decode(this.#bytes[id], { stream: true });
    };
  }

  /** What tokenizer.json holds. */
  toJSON(): object {
    const level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    return {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: [...this.special].map(([content, id]) => ({ id, content, ...flags })),
      normalizer: null,
      pre_tokenizer: level,
      post_processor: null,
      decoder: level,
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(this.#ids),
        merges: this.merges,
      },
    };
  }
  /** Writes a tokenizer.json. */
  async save(path: string): Promise<void> {
    await replaceText(path, `${JSON.stringify(this, null, 1)}\n`);
  }
  /** Reads the tokenizer.json of a byte-level BPE, from here or from Hugging Face. Another kind is an ERR_NABLA_FILE. */
  static async load(path: string): Promise<BPETokenizer> {
    return fromFile(path, await readObject(path));
  }
  /** As {@link load}, of what the file at `path` holds. */
  static from(path: string, file: ReadonlyMap<string, unknown>): BPETokenizer {
    return fromFile(path, file);
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

function byteIds(word: string, ids: ReadonlyMap<string, number>): number[] {
  return Array.from(utf8.encode(word), (b) => ids.get(characters[b]) as number);
}
function bytesOf(token: string): Uint8Array {
  return Uint8Array.from(token, (c) => {
    const b = byteOf.get(c);
    return (
      b ??
      fail("ERR_NABLA_VALUE", "BPETokenizer", `the token ${JSON.stringify(token)} is not written in bytes`, {
        actual: token,
      })
    );
  });
}

type Json = { readonly [key: string]: unknown };
const isObject = (x: unknown): x is Json => typeof x === "object" && x !== null && !Array.isArray(x);

function fromFile(path: string, file: ReadonlyMap<string, unknown>): BPETokenizer {
  const refuse = (what: string): never =>
    fail("ERR_NABLA_FILE", "BPETokenizer", `${path}: ${what}`, {
      hint: "read here is byte-level BPE without normalizer, as GPT-2 has it",
    });
  const [model, level] = [file.get("model"), file.get("pre_tokenizer")];
  if (!isObject(model) || (model.type !== undefined && model.type !== "BPE")) return refuse("its model is no BPE");
  if (!isObject(level) || level.type !== "ByteLevel" || level.add_prefix_space === true || level.use_regex === false)
    return refuse("its pre_tokenizer is not GPT-2's");
  if (file.get("normalizer")) return refuse("it has a normalizer");
  const after = file.get("post_processor");
  if (after && !(isObject(after) && after.type === "ByteLevel")) return refuse("its post_processor adds tokens");
  for (const name of ["byte_fallback", "ignore_merges", "continuing_subword_prefix", "end_of_word_suffix"])
    if (model[name]) return refuse(`its ${name} is on`);
  const { vocab, merges } = model;
  if (!isObject(vocab) || !Object.values(vocab).every((id) => typeof id === "number"))
    return refuse("its vocab is no map of ids");
  if (!Array.isArray(merges)) return refuse("its merges are no list");
  const pairs = merges.map((m: unknown): [string, string] => {
    const parts: unknown = typeof m === "string" ? m.split(" ") : m;
    const right = Array.isArray(parts) && parts.length === 2 && parts.every((p) => typeof p === "string");
    return right ? (parts as [string, string]) : refuse(`${JSON.stringify(m)} is no merge`);
  });
  const added = file.get("added_tokens") ?? [];
  if (!Array.isArray(added)) return refuse("its added_tokens are no list");
  const special = added.map((t: unknown): [string, number] =>
    isObject(t) && typeof t.content === "string" && t.content !== "" && typeof t.id === "number"
      ? [t.content, t.id]
      : refuse(`${JSON.stringify(t)} is no added token`),
  );
  try {
    const own = new Map(special);
    const rest = Object.entries(vocab as Record<string, number>).filter(([token]) => !own.has(token));
    return new BPETokenizer(new Map(rest), pairs, own);
  } catch (cause) {
    return fail("ERR_NABLA_FILE", "BPETokenizer", `${path}: its vocab and merges do not fit`, { cause });
  }
}
