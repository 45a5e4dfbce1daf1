import type { FileHandle } from "node:fs/promises";
import { checkIterable, checkKind, only } from "../core/boundary.ts";
import { checkCount, fail } from "../core/errors.ts";
import { emptyValue } from "../core/value.ts";
import { fill, openFile, replaceFile } from "../io/file.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./loader.ts";

/** Element types of token files: 16 bits hold vocabularies of up to 65,536, 32 bits all. The lowest byte comes first. */
export type TokenType = "u16" | "u32";
const arrays = { u16: Uint16Array, u32: Uint32Array } as const;

/** Options of {@link openTokens}. */
export interface TokenOptions<T extends number = number> {
  /** Tokens of a window. */
  context: T;
  /** How the file holds them; "u16" unless given. */
  dtype?: TokenType;
  /** Tokens from the begin of a window to that of the next; the context unless given, so that none overlap. */
  stride?: number;
  /** The part of the file to use, in tokens: [0, all] unless given. */
  range?: readonly [begin: number, end: number];
  /** The token between documents: what follows it is no target, as nothing before tells of it. */
  separator?: number;
  /** Tokens from this number on are refused: the file is another vocabulary's, or not of this type. */
  vocabSize?: number;
}

function refuse(path: string, what: string): never {
  return fail("ERR_NABLA_FILE", "tokens", `${path}: ${what}`);
}

/**
 * A file of tokens as windows of equal length, read one by one: the file may be larger than memory. Made by {@link openTokens};
 * a {@link Dataset}, so a {@link DataLoader} shuffles the windows and makes batches of them. A sample is [ids, targets], both i32
 * [context]: targets are the tokens that follow, -100 behind a separator.
 */
export class TokenFile<T extends number = number>
  implements Dataset<readonly [Tensor<[T], "i32">, Tensor<[T], "i32">]>, AsyncDisposable
{
  readonly path: string;
  /** Tokens of the file. */
  readonly tokens: number;
  /** Windows. */
  readonly length: number;
  readonly #handle: FileHandle;
  readonly #options: Required<Omit<TokenOptions<T>, "separator">> & { readonly separator: number | undefined };

  constructor(path: string, handle: FileHandle, tokens: number, options: TokenOptions<T>) {
    const { context, dtype = "u16", stride = context, range = [0, tokens], separator, vocabSize = 2 ** 31 } = options;
    const [begin, end] = range;
    this.path = path;
    this.tokens = tokens;
    this.length = Math.max(0, Math.floor((end - begin - 1 - context) / stride) + 1);
    this.#handle = handle;
    this.#options = { context, dtype, stride, range, separator, vocabSize };
  }

  /** Window i. Throws ERR_NABLA_FILE, naming file and token, for one that is not in the vocabulary, or a file that was cut. */
  async get(i: number): Promise<readonly [Tensor<[T], "i32">, Tensor<[T], "i32">]> {
    const { context, stride, range, separator } = this.#options;
    if (!(Number.isInteger(i) && i >= 0 && i < this.length))
      fail("ERR_NABLA_INDEX", "tokens", `there is no window ${i} of ${this.length}`, { actual: i });
    const tokens = await this.#read(range[0] + i * stride, context + 1);
    const [x, y] = [emptyValue([context], "i32"), emptyValue([context], "i32")];
    x.storage.array.set(tokens.subarray(0, context), x.offset);
    const targets = y.storage.array.subarray(y.offset, y.offset + context);
    targets.set(tokens.subarray(1));
    if (separator !== undefined) for (let t = 0; t < context; t++) if (tokens[t] === separator) targets[t] = -100;
    return [x as Tensor<[T], "i32">, y as Tensor<[T], "i32">];
  }
  async #read(from: number, count: number): Promise<Uint16Array | Uint32Array> {
    const { dtype, vocabSize } = this.#options;
    const tokens = new arrays[dtype](count);
    const bytes = new Uint8Array(tokens.buffer);
    await fill(this.#handle, bytes, from * tokens.BYTES_PER_ELEMENT, (end) =>
      refuse(this.path, `has no byte ${end}: it was cut while it was read`),
    );
    const odd = tokens.findIndex((id) => id >= vocabSize);
    if (odd >= 0)
      fail("ERR_NABLA_FILE", "tokens", `${this.path}: token ${from + odd} is ${tokens[odd]}`, {
        expected: `below ${vocabSize}`,
        actual: tokens[odd],
        hint: "another vocabulary's file, or one of another dtype?",
      });
    return tokens;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function checkOptions(path: string, tokens: number, options: TokenOptions): void {
  const { context, stride = context, range = [0, tokens], vocabSize = 1, separator = 0 } = options;
  for (const [name, x, low] of [
    ["context", context, 1],
    ["stride", stride, 1],
    ["vocabSize", vocabSize, 1],
    ["separator", separator, 0],
  ] as const)
    checkCount("openTokens", name, x, low);
  if (!Array.isArray(range)) fail("ERR_NABLA_VALUE", "openTokens", "the range is [begin, end]", { actual: range });
  const [begin, end] = range;
  if (!(Number.isInteger(begin) && Number.isInteger(end) && begin >= 0 && begin <= end && end <= tokens))
    fail("ERR_NABLA_VALUE", "openTokens", `[${range.join(", ")}] is no range of the ${tokens} tokens of ${path}`, {
      expected: [0, tokens],
      actual: range,
    });
  if (end - begin <= context)
    fail(
      "ERR_NABLA_VALUE",
      "openTokens",
      `${end - begin} tokens of ${path} make no window of ${context} and one more`,
      {
        expected: `more than ${context}`,
        actual: end - begin,
      },
    );
}

/**
 * Opens a file of tokens, as {@link writeTokens} makes them and others do: nothing but whole numbers of 16 or 32 bits. Close it at
 * the end.
 *
 * Throws ERR_NABLA_FILE for a file whose size is no multiple of theirs, or that is no file; ERR_NABLA_VALUE where it has no window.
 * @example
 * ```ts
 * import { CharTokenizer, DataLoader, openTokens, writeTokens } from "nabla";
 * const text = "to be or not to be";
 * const tokenizer = CharTokenizer.from(text);
 * const { dtype } = await writeTokens("be.bin", [text], tokenizer);
 * await using file = await openTokens("be.bin", { context: 4, dtype });
 * const [ids, targets] = await file.get(0);
 * console.log(tokenizer.decode(ids.dataSync()), tokenizer.decode(targets.dataSync())); // to b o be
 * const data = new DataLoader(file, { size: 2, shuffle: true, seed: 1 });
 * for await (const [x, y] of data) console.log(x.shape, y.shape); // [ 2, 4 ] [ 2, 4 ]
 * ```
 */
export async function openTokens<const T extends number>(
  path: string,
  options: TokenOptions<T>,
): Promise<TokenFile<T>> {
  const names = ["context", "dtype", "stride", "range", "separator", "vocabSize"] as const;
  const { dtype = "u16" } = only("openTokens", options, names);
  if (!Object.hasOwn(arrays, dtype))
    fail("ERR_NABLA_VALUE", "openTokens", `dtype is "u16" or "u32", not ${String(dtype)}`, { actual: dtype });
  const { handle, size } = await openFile("tokens", path);
  try {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    if (size % width !== 0) refuse(path, `has ${size} bytes, no multiple of the ${width} of ${dtype}`);
    checkOptions(path, size / width, options);
    return new TokenFile(path, handle, size / width, options);
  } catch (e) {
    await handle.close();
    throw e;
  }
}

/** What {@link writeTokens} needs of a tokenizer. */
export interface TextEncoding {
  readonly vocabSize: number;
  encode(text: string): ArrayLike<number>;
}
/** What {@link writeTokens} has written. */
export interface WrittenTokens {
  readonly tokens: number;
  readonly documents: number;
  readonly dtype: TokenType;
}

/** Tokens of documents as bytes, as they come. */
async function* packed(
  documents: Iterable<string> | AsyncIterable<string>,
  tokenizer: TextEncoding,
  separator: number | undefined,
  written: { tokens: number; documents: number; dtype: TokenType },
): AsyncGenerator<Uint8Array> {
  for await (const text of documents) {
    checkKind("writeTokens", `document ${written.documents}`, text, "string");
    const ids = tokenizer.encode(text);
    if (!Number.isSafeInteger(ids?.length))
      fail("ERR_NABLA_TYPE", "writeTokens", "encode gives no list of tokens", { actual: ids });
    const tokens = new arrays[written.dtype](ids.length + (separator === undefined ? 0 : 1));
    tokens.set(ids);
    if (separator !== undefined) tokens[ids.length] = separator;
    written.tokens += tokens.length;
    written.documents++;
    yield new Uint8Array(tokens.buffer);
  }
}

/**
 * Writes the tokens of documents one after the other into a file, each followed by the separator if there is one. Documents are
 * taken one by one, so that all together may be larger than memory; {@link readText} gives the pieces of a large text. The
 * file appears when it is whole. Tokens have 16 bits where the vocabulary allows it, else 32.
 * @example
 * ```ts
 * import { BPETokenizer, writeTokens } from "nabla";
 * const documents = ["one fish", "two fish"];
 * const tokenizer = BPETokenizer.train(documents.join(" "), { vocabSize: 261, special: ["<end>"] });
 * const { dtype } = await writeTokens("fish.bin", documents, tokenizer, { separator: 0 }); // "<end>" is token 0
 * console.log(dtype); // u16
 * ```
 */
export async function writeTokens(
  path: string,
  documents: Iterable<string> | AsyncIterable<string>,
  tokenizer: TextEncoding,
  options: { separator?: number } = {},
): Promise<WrittenTokens> {
  const { separator } = only("writeTokens", options, ["separator"]);
  checkKind("writeTokens", "the tokenizer", tokenizer, "object");
  checkKind("writeTokens", "encode", tokenizer.encode, "function");
  checkIterable("writeTokens", "the documents", documents);
  const { vocabSize } = tokenizer;
  if (separator !== undefined && !(Number.isInteger(separator) && separator >= 0 && separator < vocabSize))
    fail("ERR_NABLA_VALUE", "writeTokens", `the separator ${separator} is not in the vocabulary of ${vocabSize}`, {
      expected: `below ${vocabSize}`,
      actual: separator,
    });
  const written = { tokens: 0, documents: 0, dtype: vocabSize <= 2 ** 16 ? ("u16" as const) : ("u32" as const) };
  await replaceFile(path, packed(documents, tokenizer, separator, written));
  return written;
}
