import { checkIterable, checkKind } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { withGrad } from "../engine/tape.ts";
import { checkModel, type Module } from "../nn/module.ts";
import { cast, ne } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkBatch } from "./check.ts";
import type { Data } from "./fit.ts";

/** What {@link perplexity} measures: {@link GPT2}, {@link Llama} and what has a loss like theirs. */
export interface LanguageModel extends Module {
  /** The mean cross-entropy of the targets that are not -100. */
  loss(ids: Tensor, targets: Tensor): Tensor;
}
/** What a text costs a model. */
export interface Perplexity {
  /** The mean of -log p over all tokens that count. */
  readonly loss: number;
  /** e^loss: the model is as unsure as among so many tokens alike. */
  readonly perplexity: number;
  /** Tokens that count. */
  readonly tokens: number;
}

/**
 * Evaluates a language model on pairs of ids and targets [batch, time], in evaluation mode and without gradients. Batches weigh
 * as many tokens as they have targets other than -100, so that the result does not depend on how texts were batched.
 * @example
 * ```ts
 * import { GPT2, perplexity, tensor } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const text = tensor([[1, 2, 3, 4]], { dtype: "i32" });
 * const targets = tensor([[2, 3, 4, -100]], { dtype: "i32" });
 * const found = await perplexity(model, [[text, targets]]);
 * console.log(found.tokens, found.perplexity === Math.exp(found.loss)); // 3 true
 * ```
 */
export async function perplexity(model: LanguageModel, data: Data<Tensor, Tensor>): Promise<Perplexity> {
  checkModel("perplexity", model);
  checkKind("perplexity", "loss of the model", model.loss, "function");
  checkIterable("perplexity", "the data", data);
  const modes = [...model.namedModules().values()].map((m) => [m, m.training] as const);
  let [total, tokens] = [0, 0];
  try {
    model.eval();
    for await (const pair of data) {
      const [ids, targets] = checkBatch("perplexity", pair);
      const counted = withGrad(false, () => sum(cast(ne({ a: targets, b: -100 }), "i32")) as Tensor);
      const n = Number(counted.item());
      if (n === 0) continue;
      const loss = withGrad(false, () => model.loss(ids, targets));
      total += n * ((await loss.data())[0] as number);
      tokens += n;
    }
  } finally {
    for (const [module, on] of modes) module.training = on;
  }
  if (tokens === 0) fail("ERR_NABLA_VALUE", "perplexity", "the data has no token that counts");
  const loss = total / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}
