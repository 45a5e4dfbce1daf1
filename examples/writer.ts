// What programs that write text write with: a small model that has just learned one, or a Hugging Face folder.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AdamW,
  type CausalModel,
  CharTokenizer,
  compile,
  GPT2,
  loadPretrained,
  loadTokenizer,
  randint,
  type Tensor,
  type Tokenizer,
  tensor,
} from "nabla";
import { Refusal } from "./options.ts";
import { Progress } from "./terminal.ts";

const answers = [
  ["hello", "hello! what shall we talk about?"],
  ["what is a neuron?", "a weighted sum of its inputs, bent by an activation."],
  ["what is a gradient?", "the direction in which the loss grows fastest."],
  ["how does a network learn?", "it takes small steps against the gradient."],
  ["what is a token?", "a piece of text with a number."],
  ["what is attention?", "each token looks at those before it and takes what it needs."],
  ["who are you?", "a very small network that knows eight answers."],
  ["goodbye", "goodbye, and good luck with your network."],
];
/** The conversation that a model continues. */
export const turn = (role: string, content: string): string => `${role}: ${content}\n`;
export const conversation = answers.map(([q, a]) => turn("user", q!) + turn("assistant", a!)).join("");
const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");

/** A model and its tokens. */
export interface Writer {
  readonly name: string;
  readonly model: CausalModel;
  readonly tokenizer: Tokenizer;
  /** Tokens that end every text. */
  readonly ends: readonly number[];
}

/** Pieces of `time` tokens that begin at these places, and the tokens after each. */
export function pieces(tokens: Int32Array, from: ArrayLike<number>, time: number): [Tensor, Tensor] {
  const cut = (shift: number) => {
    const all = new Int32Array(from.length * time);
    for (let i = 0; i < from.length; i++) all.set(tokens.subarray(from[i]! + shift, from[i]! + shift + time), i * time);
    return tensor(all).reshape(from.length, time);
  };
  return [cut(0), cut(1)];
}

/** A small model of letters. */
export async function learned(text: string, steps: number): Promise<Writer> {
  const tokenizer = CharTokenizer.from(`${text}${printable}\n`);
  const all = Int32Array.from(tokenizer.encode(text.length > 66 ? text : text.repeat(66)));
  const [batch, time] = [16, Math.min(64, all.length - 2)];
  const sizes = { layers: 2, heads: 4, width: 64, contextLength: 256 };
  const model = new GPT2({ vocabSize: tokenizer.vocabSize, ...sizes });
  const opt = new AdamW(model, { lr: 3e-3 });
  using step = compile((x: Tensor, y: Tensor) => {
    const loss = model.loss(x, y);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  });
  const progress = new Progress(steps);
  for (let i = 0; i < steps; i++) {
    const from = randint(0, all.length - time, [batch]).dataSync();
    const loss = (await step(...pieces(all, from, time))).item();
    progress.update(i + 1, () => `loss ${loss.toFixed(3)}`);
  }
  return { name: "small", model: model.eval(), tokenizer, ends: [] };
}

/** The tokens that end a text, as a folder has them. */
function endsOf(folder: string): number[] {
  for (const name of ["generation_config.json", "config.json"]) {
    const file = join(folder, name);
    const id: unknown = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).eos_token_id : undefined;
    if (id !== undefined && id !== null) return [id].flat().filter((x): x is number => typeof x === "number");
  }
  return [];
}
/** Numbers of tokens instead of text, for a folder without a tokenizer. */
class Ids implements Tokenizer {
  readonly vocabSize: number;
  constructor(vocabSize: number) {
    this.vocabSize = vocabSize;
  }
  encode(text: string): number[] {
    return (text.match(/[^\s,]+/g) ?? []).map(Number);
  }
  decode(ids: Iterable<number>): string {
    return Array.from(ids, (id) => `${id} `).join("");
  }
  stream(): (id?: number) => string {
    return (id) => (id === undefined ? "" : `${id} `);
  }
}
/** A GPT-2 or Llama of a folder; with `ids` texts are numbers of tokens. */
export async function loaded(folder: string, ids = false): Promise<Writer> {
  if (!existsSync(join(folder, "config.json"))) throw new Refusal(`${folder} has no config.json`);
  const model = await loadPretrained(folder);
  if (!("cache" in model)) throw new Refusal(`${folder} holds no model that continues a text`);
  const tokenizer = ids ? new Ids(model.vocabSize) : await loadTokenizer(folder);
  return { name: folder, model, tokenizer, ends: endsOf(folder) };
}
