// Words hidden from a model that is to guess them.
import { enter, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { eq, ge, logicalAnd, logicalNot, logicalOr, lt, where } from "../ops/arithmetic.ts";
import { randint, uniform } from "../ops/random.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Options of {@link maskTokens}. */
export interface MaskOptions {
  /** The token that stands for a hidden one: 103 in BERT's vocabularies. */
  readonly maskToken: number;
  readonly vocabSize: number;
  /** The share of tokens that are to be guessed; 0.15 unless given. */
  readonly probability?: number;
  /** Tokens that never are: padding, beginning and end. */
  readonly special?: readonly number[];
}

/**
 * Hides tokens of ids [batch, time] at random for BERT's training: of those chosen, 8 in 10 become `maskToken`, 1 in 10 any token,
 * 1 in 10 stays. labels have the tokens that were chosen, and -100, which {@link crossEntropy} passes over, elsewhere. Inside a
 * compiled step every run hides others.
 *
 * Hugging Face: `DataCollatorForLanguageModeling`. A probability outside 0 to 1 is an ERR_NABLA_VALUE.
 * @example
 * ```ts
 * import { Bert, crossEntropy, maskTokens, tensor } from "nabla";
 * const model = new Bert({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const text = tensor([[1, 20, 21, 22, 23, 2], [1, 30, 31, 32, 33, 2]], { dtype: "i32" });
 * const { ids, labels } = maskTokens(text, { maskToken: 3, vocabSize: 50, probability: 0.5, special: [1, 2] });
 * const loss = crossEntropy(model.forward(ids).predictions, labels);
 * console.log(labels.shape, loss.shape); // [ 2, 6 ] []
 * ```
 */
export function maskTokens(ids: Tensor, options: MaskOptions): { ids: Tensor; labels: Tensor } {
  return enter("maskTokens", [ids, options], () => masked(ids, options));
}
function masked(ids: Tensor, options: MaskOptions) {
  const {
    maskToken,
    vocabSize,
    probability = 0.15,
    special = [],
  } = only("maskTokens", options, ["maskToken", "vocabSize", "probability", "special"]);
  if (!(probability >= 0 && probability <= 1))
    fail("ERR_NABLA_VALUE", "maskTokens", `probability is ${probability}`, { expected: [0, 1], actual: probability });
  const drawn = lt({ a: uniform(ids.shape), b: probability });
  const kept = special.map((token) => eq({ a: ids, b: token }));
  const chosen = kept.reduce((a, b) => logicalAnd({ a, b: logicalNot({ x: b }) }), drawn);
  // 0 .. 0.8 the mask, 0.8 .. 0.9 any token, 0.9 .. 1 as it was.
  const fate = uniform(ids.shape);
  const other = where({ condition: lt({ a: fate, b: 0.8 }), a: maskToken, b: randint(ids.shape, 0, vocabSize) });
  const stays = logicalOr({ a: logicalNot({ x: chosen }), b: ge({ a: fate, b: 0.9 }) });
  return {
    ids: where({ condition: stays, a: ids, b: other }) as Tensor,
    labels: where({ condition: chosen, a: ids, b: -100 }) as Tensor,
  };
}
