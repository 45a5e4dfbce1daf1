// Language models: folders of Hugging Face, and the GPT-2 that is trained.
import { join } from "node:path";
import type { Value } from "../../lib/core/value.ts";
import { compare, type Tolerance } from "./comparison.ts";
import { call, create, lookup, method } from "./library.ts";
import type { Net } from "./networks.ts";
import { Miss, type Report } from "./outcome.ts";
import { readJson, readSafetensors, type Stored, type Tensors } from "./reader.ts";
import { fromStored, numbers } from "./values.ts";

interface Expected {
  readonly tensor: string;
  readonly cmp: Tolerance;
}
interface Greedy {
  readonly prompt: number[];
  readonly tokens: number[];
}
interface Outputs {
  readonly logits?: Expected;
  readonly logits_left_padded?: Expected;
  readonly prediction_logits?: Expected;
  readonly seq_relationship_logits?: Expected;
  readonly pooler_output?: Expected;
  readonly hidden_states: readonly Expected[];
  readonly loss: { readonly value: number };
  readonly gradients: Readonly<Record<string, Expected>>;
  readonly greedy?: readonly Greedy[];
}
type Parameters = ReadonlyMap<string, Value & { grad: Value | null }>;
interface Model {
  namedParameters(): Parameters;
  forward(ids: Value, options?: object): unknown;
  loadStateDict(dict: ReadonlyMap<string, Value>): unknown;
}
type Bert = Record<"hidden" | "pooled" | "predictions" | "relationship", Value>;

const tensor = (from: Tensors, name: string): Value => fromStored(from.get(name) as Stored);
const truth = (x: Value): Value => call("ne", [x, 0]);
const slice = (x: Value, dim: number, from: number, to?: number): Value => call("slice", [x], dim, from, to);
/** Mean cross-entropy of the token after each. */
const loss = (logits: Value, ids: Value): Value => call("crossEntropy", [slice(logits, 1, 0, -1), slice(ids, 1, 1)]);

class Comparison {
  readonly #tensors: Tensors;
  constructor(tensors: Tensors) {
    this.#tensors = tensors;
  }
  close(what: string, got: Value | null | undefined, { tensor: name, cmp }: Expected): void {
    const ref = this.#tensors.get(name);
    if (!ref || !got) throw new Miss(`${what} is missing`);
    const miss = compare(numbers(got), ref.data, cmp);
    if (miss) throw new Miss(`${what}: ${miss}`);
  }
  backward(value: Value, model: Model, { loss: { value: ref }, gradients }: Outputs): void {
    const got = numbers(value)[0]!;
    if (!(Math.abs(got - ref) <= 1e-6 * ref)) throw new Miss(`loss: got ${got}, expected ${ref}`);
    method(value, "backward");
    const parameters = model.namedParameters();
    for (const [name, e] of Object.entries(gradients)) this.close(`gradient of ${name}`, parameters.get(name)?.grad, e);
  }
}

/** What is not padding; the expected numbers are 0 there. */
function causal(model: Model, expected: Outputs, tensors: Tensors): void {
  const check = new Comparison(tensors);
  const ids = tensor(tensors, "input_ids");
  const logits = model.forward(ids) as Value;
  check.close("logits", logits, expected.logits!);
  const keyMask = truth(tensor(tensors, "attention_mask"));
  const padded = model.forward(ids, { keyMask, positions: tensor(tensors, "position_ids") }) as Value;
  const shown = call("mul", [padded, call("unsqueeze", [call("cast", [keyMask], "f32")], 2)]);
  check.close("left-padded logits", shown, expected.logits_left_padded!);
  check.backward(loss(logits, ids), model, expected);
}
function bert(model: Model, expected: Outputs, tensors: Tensors): void {
  const check = new Comparison(tensors);
  const [ids, types, mask] = ["input_ids", "token_type_ids", "attention_mask"].map((name) => tensor(tensors, name));
  const out = model.forward(ids!, { types, keyMask: truth(mask!) }) as Bert;
  check.close("predictions", out.predictions, expected.prediction_logits!);
  check.close("relationship", out.relationship, expected.seq_relationship_logits!);
  check.close("pooled", out.pooled, expected.pooler_output!);
  check.close("hidden", out.hidden, expected.hidden_states.at(-1)!);
  const words = call("crossEntropy", [out.predictions, tensor(tensors, "labels")]);
  const follows = call("crossEntropy", [out.relationship, tensor(tensors, "next_sentence_label")]);
  check.backward(call("add", [words, follows]), model, expected);
}

async function greedy(model: Model, { greedy: cases = [] }: Outputs): Promise<void> {
  if (cases.length === 0) return;
  const generate = lookup<(model: Model, prompt: number[], options: object) => AsyncIterable<number>>("generate");
  for (const { prompt, tokens } of cases) {
    const got = [...prompt];
    for await (const token of generate(model, prompt, { temperature: 0, maxTokens: tokens.length - prompt.length }))
      got.push(token);
    if (`${got}` !== `${tokens}`) throw new Miss(`greedy tokens ${got}, expected ${tokens}`);
  }
}

/** Runs models/NAME, a folder of Hugging Face with what its model gives. */
export async function pretrained(folder: string, name: string, report: Report): Promise<void> {
  await report.run("models", name, name, async () => {
    const model = await lookup<(folder: string) => Promise<Model>>("loadPretrained")(folder);
    const { expected, expected_in } = readJson<{ expected?: Outputs; expected_in?: string }>(folder, "expected.json");
    const at = expected ? folder : join(folder, expected_in!, "..");
    const outputs = expected ?? readJson<{ expected: Outputs }>(at, "expected.json").expected;
    const tensors = readSafetensors(join(at, "expected.safetensors"));
    if (outputs.prediction_logits) bert(model, outputs, tensors);
    else causal(model, outputs, tensors);
    await greedy(model, outputs);
  });
}

/** GPT-2 with these weights, to be trained on the ids of each step. */
export function gpt(folder: string, weights: Tensors): Net {
  const c = readJson<Record<string, number>>(folder, "config.json");
  const module = create<Model>("GPT2", {
    vocabSize: c.vocab_size,
    contextLength: c.n_positions,
    layers: c.n_layer,
    heads: c.n_head,
    width: c.n_embd,
  });
  module.loadStateDict(new Map([...weights].map(([name, x]) => [name, fromStored(x)])));
  const logits = (ids: Value) => module.forward(ids) as Value;
  return {
    module,
    logits,
    forward: (ids) => slice(logits(ids), 1, 0, -1),
    batches: (data, t) => {
      const ids = call<Value>("select", [tensor(data, "ids")], 0, t);
      return [ids, slice(ids, 1, 1)];
    },
  };
}
