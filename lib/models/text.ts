import { checkIterable, checkKind, checkPlain, only } from "../core/boundary.ts";
import { checkTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import type { CausalModel } from "./causal.ts";
import { generate } from "./generate.ts";
import { type GenerateOptions, generateNames } from "./stream.ts";

/** Options of {@link generateText}. */
export interface TextOptions extends Omit<GenerateOptions, "stop"> {
  /** Texts and tokens that end it; what ends it is not given out. */
  readonly stop?: readonly (string | number)[] | undefined;
}

/** Options of {@link detokenize}. */
export interface DetokenizeOptions extends Pick<TextOptions, "stop"> {
  /** The tokens that these stand behind: with some tokenizers a text that goes on begins otherwise than one alone. */
  readonly behind?: readonly number[] | undefined;
}

/** Characters at the end of a text with which one of the endings may begin. */
function doubtful(text: string, endings: readonly string[]): number {
  let most = 0;
  for (const e of endings)
    for (let n = Math.min(text.length, e.length - 1); n > most; n--) if (text.endsWith(e.slice(0, n))) most = n;
  return most;
}
/** Where the first of the endings begins; -1 without one. */
function endOf(text: string, endings: readonly string[]): number {
  const places = endings.map((e) => text.indexOf(e)).filter((at) => at >= 0);
  return places.length > 0 ? Math.min(...places) : -1;
}

/**
 * The text of tokens as they come, in pieces of whole characters. It ends before the first of the texts or tokens in `stop`: what
 * may be the beginning of one is held back until that is known.
 * @example
 * ```ts
 * import { CharTokenizer, detokenize } from "nabla";
 * const tokenizer = CharTokenizer.from("abcd");
 * async function* tokens() {
 *   yield* tokenizer.encode("abacad");
 * }
 * let text = "";
 * for await (const piece of detokenize(tokens(), tokenizer, { stop: ["ad"] })) text += piece;
 * console.log(text); // abac
 * ```
 */
export async function* detokenize(
  tokens: AsyncIterable<number>,
  tokenizer: Tokenizer,
  options: DetokenizeOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { stop = [], behind = [] } = only("detokenize", options, ["stop", "behind"]);
  checkTokenizer("detokenize", tokenizer);
  checkIterable("detokenize", "what comes first", tokens);
  checkIterable("detokenize", "stop", stop);
  const next = tokenizer.stream(behind);
  const ends = new Set(stop.filter((s) => typeof s === "number"));
  const endings = stop.filter((s): s is string => typeof s === "string" && s !== "");
  let held = "";
  for await (const token of tokens) {
    checkPlain("detokenize", { token });
    if (ends.has(token)) break;
    // Models often have a few more ids than their tokenizer, to a round number: they have no text.
    if (token < tokenizer.vocabSize) held += next(token);
    const end = endOf(held, endings);
    if (end === 0) return;
    const sure = end > 0 ? end : held.length - doubtful(held, endings);
    if (sure > 0) yield held.slice(0, sure);
    if (end > 0) return;
    held = held.slice(sure);
  }
  const rest = held + next();
  const end = endOf(rest, endings);
  if (rest !== "" && end !== 0) yield end < 0 ? rest : rest.slice(0, end);
}

/**
 * Continues a text: {@link generate} from text to pieces of text.
 * @example
 * ```ts
 * import { CharTokenizer, generateText, GPT2 } from "nabla";
 * const tokenizer = CharTokenizer.from("abcdefgh ");
 * const model = new GPT2({ vocabSize: tokenizer.vocabSize, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * let text = "";
 * for await (const piece of generateText(model, tokenizer, "a cab", { maxTokens: 10 })) text += piece;
 * console.log(text.length); // 10
 * ```
 */
export async function* generateText(
  model: CausalModel,
  tokenizer: Tokenizer,
  prompt: string,
  given: TextOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { stop, ...options } = only("generateText", given, generateNames);
  checkTokenizer("generateText", tokenizer);
  checkKind("generateText", "the prompt", prompt, "string");
  const behind = tokenizer.encode(prompt);
  yield* detokenize(generate(model, behind, options), tokenizer, { stop, behind });
}
