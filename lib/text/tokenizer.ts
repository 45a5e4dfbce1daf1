import { fail, show } from "../core/errors.ts";

/** Text as numbers, and back. */
export interface Tokenizer {
  /** Ids are 0 .. vocabSize - 1. */
  readonly vocabSize: number;
  encode(text: string): number[];
  decode(ids: Iterable<number>): string;
  /**
   * A function that gives the text of ids as they come, and of what is left without one: a character is never cut in two. With
   * some tokenizers the text of an id depends on those it stands behind.
   */
  stream(behind?: Iterable<number>): (id?: number) => string;
}

/** What reads and writes texts here: an encode and a stream. */
export function checkTokenizer(op: string, x: unknown): asserts x is Tokenizer {
  const { encode, stream } = (x ?? {}) as Partial<Tokenizer>;
  if (typeof encode !== "function" || typeof stream !== "function")
    fail("ERR_NABLA_TYPE", op, `${show(x)} is no tokenizer`, { expected: "a tokenizer", actual: x });
}
export function checkId(op: string, id: number, size: number): void {
  if (!(Number.isInteger(id) && id >= 0 && id < size))
    fail("ERR_NABLA_INDEX", op, `${id} is outside 0..${size - 1}`, { expected: [0, size - 1], actual: id });
}

/**
 * One id for each character (code point) of a text, in their order in Unicode. A character it does not know is an
 * ERR_NABLA_VALUE.
 * @example
 * ```ts
 * import { CharTokenizer } from "nabla";
 * const tokenizer = CharTokenizer.from("hello");
 * console.log(tokenizer.encode("hole"), tokenizer.decode([1, 0, 2])); // [ 1, 3, 2, 0 ] hel
 * ```
 */
export class CharTokenizer implements Tokenizer {
  readonly characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  constructor(characters: readonly string[]) {
    if (!Array.isArray(characters) || !characters.every((c) => typeof c === "string"))
      fail("ERR_NABLA_TYPE", "CharTokenizer", "takes a list of characters", { actual: characters });
    this.characters = [...characters];
    this.#ids = new Map(characters.map((c, i) => [c, i]));
    if (this.#ids.size !== characters.length || characters.some((c) => [...c].length !== 1))
      fail("ERR_NABLA_VALUE", "CharTokenizer", "takes single characters, each once", { actual: characters });
  }
  /** The characters that occur in a text. */
  static from(text: string): CharTokenizer {
    const points = [...new Set(text)].sort((a, b) => (a.codePointAt(0) as number) - (b.codePointAt(0) as number));
    return new CharTokenizer(points);
  }
  get vocabSize(): number {
    return this.characters.length;
  }
  encode(text: string): number[] {
    return Array.from(text, (c) => {
      const id = this.#ids.get(c);
      if (id === undefined)
        return fail("ERR_NABLA_VALUE", "CharTokenizer", `does not know the character ${JSON.stringify(c)}`, {
          actual: c,
        });
      return id;
    });
  }
  decode(ids: Iterable<number>): string {
    let text = "";
    for (const id of ids) {
      checkId("CharTokenizer", id, this.vocabSize);
      text += this.characters[id];
    }
    return text;
  }
  stream(): (id?: number) => string {
    return (id) => (id === undefined ? "" : this.decode([id]));
  }
}
