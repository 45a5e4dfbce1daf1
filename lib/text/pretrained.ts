// The tokenizer of a Hugging Face folder: read here where it is GPT-2's kind, else by their own package.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkKind } from "../core/boundary.ts";
import { fail, NablaError } from "../core/errors.ts";
import { readObject } from "../io/shards.ts";
import { BPETokenizer } from "./bpe.ts";
import { checkId, type Tokenizer } from "./tokenizer.ts";

/** What is used of @huggingface/tokenizers. */
interface Foreign {
  encode(text: string): { readonly ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  get_vocab(added: boolean): Map<string, number>;
}
type Make = new (tokenizer: object, config: object) => Foreign;

class ForeignTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly #foreign: Foreign;

  constructor(foreign: Foreign) {
    this.#foreign = foreign;
    let last = -1;
    for (const id of foreign.get_vocab(true).values()) last = Math.max(last, id);
    this.vocabSize = last + 1;
  }
  encode(text: string): number[] {
    return this.#foreign.encode(text).ids;
  }
  decode(ids: Iterable<number>): string {
    const all = [...ids];
    for (const id of all) checkId("loadTokenizer", id, this.vocabSize);
    if (all.length === 0) return "";
    return this.#foreign.decode(all, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }
  /** The text of an id depends on those before it, and bytes of several make a character: what is new is told from two decodings. */
  stream(behind: Iterable<number> = []): (id?: number) => string {
    let known: number[] = [...behind].slice(-16);
    let pending: number[] = [];
    return (id) => {
      if (id !== undefined) pending.push(id);
      const before = this.decode(known);
      const now = this.decode([...known, ...pending]);
      if (id !== undefined && (now.length <= before.length || now.endsWith("\uFFFD"))) return "";
      known = pending;
      pending = [];
      return now.slice(before.length);
    };
  }
}

async function foreign(): Promise<Make> {
  try {
    return (await import("@huggingface/tokenizers")).Tokenizer as unknown as Make;
  } catch (cause) {
    return fail(
      "ERR_NABLA_STATE",
      "loadTokenizer",
      "this kind of tokenizer.json needs the package @huggingface/tokenizers",
      {
        hint: "npm install @huggingface/tokenizers",
        cause,
      },
    );
  }
}

/**
 * The tokenizer of a folder as Hugging Face transformers saves it. A byte-level BPE as GPT-2 has it is read here; for any other
 * kind of tokenizer.json the package @huggingface/tokenizers is to be installed beside nabla.
 *
 * A file that is none is an ERR_NABLA_FILE; without the package, ERR_NABLA_STATE. Hugging Face: `AutoTokenizer.from_pretrained`.
 * @example
 * ```ts
 * import { BPETokenizer, loadTokenizer } from "nabla";
 * await BPETokenizer.train("the cat and the hat", { vocabSize: 260 }).save("tokenizer.json");
 * const tokenizer = await loadTokenizer(".");
 * console.log(tokenizer.decode(tokenizer.encode("the hat"))); // the hat
 * ```
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  checkKind("loadTokenizer", "the folder", folder, "string");
  const path = join(folder, "tokenizer.json");
  const file = await readObject(path);
  try {
    return BPETokenizer.from(path, file);
  } catch (error) {
    if (!(error instanceof NablaError && error.code === "ERR_NABLA_FILE")) throw error;
  }
  const config = join(folder, "tokenizer_config.json");
  const settings = existsSync(config) ? await readObject(config) : new Map();
  const Make = await foreign();
  try {
    return new ForeignTokenizer(new Make(Object.fromEntries(file), Object.fromEntries(settings)));
  } catch (cause) {
    return fail("ERR_NABLA_FILE", "loadTokenizer", `${path}: @huggingface/tokenizers cannot read it`, { cause });
  }
}
