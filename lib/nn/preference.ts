// Learning from which of two answers is preferred.
import { enter, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { logSigmoid } from "../ops/activation.ts";
import { sub } from "../ops/arithmetic.ts";
import { minus, times } from "../ops/formula.ts";
import { crossEntropy } from "../ops/loss.ts";
import { mean, sum } from "../ops/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * log p of each text, [batch]: Σ log softmax(logits)[label] over its labels. logits [batch, time, vocabSize], labels [batch,
 * time], -100 where a token is not part of the answer.
 * @example
 * ```ts
 * import { sequenceLogProb, tensor, zeros } from "nabla";
 * const labels = tensor([[3, 1, 2], [-100, -100, 0]], { dtype: "i32" });
 * console.log(sequenceLogProb(zeros(2, 3, 4), labels)); // tensor([-4.1589, -1.3863])
 * ```
 */
export function sequenceLogProb(logits: Tensor, labels: Tensor): Tensor<[number], "f32"> {
  const losses = () => crossEntropy(logits, labels, { reduction: "none" });
  return times(sum(enter("sequenceLogProb", [logits, labels], losses), -1), -1) as Tensor<[number], "f32">;
}

/** log p [batch] of preferred answers and of the others, under one model. */
export interface Preference {
  readonly chosen: Tensor;
  readonly rejected: Tensor;
}
/** Options of {@link dpo}. */
export interface DPOOptions {
  /** How strongly the model is held to the reference; 0.1 unless given. */
  readonly beta?: number;
  /** The share of pairs whose order is taken to be wrong; 0 unless given. */
  readonly labelSmoothing?: number;
}
/**
 * Direct preference optimisation: -log σ(β h), h = (log p - log r)(chosen) - (log p - log r)(rejected), with p the model that
 * learns and r a frozen copy of it from before (Rafailov et al., 2023); the mean over pairs. With label smoothing ε it is
 * -(1 - ε) log σ(β h) - ε log σ(-β h).
 *
 * TRL: `DPOTrainer`. Texts are given by {@link sequenceLogProb}.
 * @example
 * ```ts
 * import { dpo, tensor } from "nabla";
 * const reference = { chosen: tensor([-4]), rejected: tensor([-4]) };
 * console.log(dpo(reference, reference)); // tensor(0.6931)
 * console.log(dpo({ chosen: tensor([-2]), rejected: tensor([-9]) }, reference, { beta: 1 })); // tensor(0.0009)
 * ```
 */
export function dpo(policy: Preference, reference: Preference, options: DPOOptions = {}): Tensor<[], "f32"> {
  const { beta = 0.1, labelSmoothing = 0 } = only("dpo", options, ["beta", "labelSmoothing"]);
  if (!(beta > 0 && labelSmoothing >= 0 && labelSmoothing < 0.5))
    fail("ERR_NABLA_VALUE", "dpo", `beta ${beta}, labelSmoothing ${labelSmoothing}`, {
      expected: "beta above 0, labelSmoothing from 0 to 0.5",
      actual: { beta, labelSmoothing },
    });
  only("dpo", policy, ["chosen", "rejected"]);
  only("dpo", reference, ["chosen", "rejected"]);
  const gain = (of: keyof Preference) => sub({ a: policy[of], b: reference[of] });
  const margin = times(minus(gain("chosen"), gain("rejected")), beta);
  const right = logSigmoid({ x: margin });
  const loss = labelSmoothing
    ? minus(times(right, labelSmoothing - 1), times(logSigmoid({ x: times(margin, -1) }), labelSmoothing))
    : times(right, -1);
  return mean(loss) as Tensor<[], "f32">;
}
