// Losses.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { camel } from "./elementwise.ts";

type Reader = (a: Args, name: string) => unknown;
const value: Reader = (a, name) => a.optional(name);
const number: Reader = (a, name) => a.number(name);
const flag: Reader = (a, name) => (a.has(name) ? a.flag(name) : undefined);

/** f(tensors..., { reduction, ... }): options keep torch's names in camelCase. */
function loss(name: string, tensors: string, options: Record<string, Reader> = {}): Entry {
  const names = tensors.split(" ");
  return entry(`${tensors} ${Object.keys(options).join(" ")}`.trim(), (a) => {
    const given = Object.entries(options).map(([key, read]) => [camel(key), read(a, key)] as const);
    const reduction = a.word("reduction", "mean");
    return call(
      name,
      names.map((n) => a.tensor(n)),
      { reduction, ...Object.fromEntries(given) },
    );
  });
}

/** torch counts classes along dimension 1, or 0 where there is no batch. */
function classes(a: Args): { classDim: number } {
  return { classDim: a.tensor("input").ndim === 1 ? 0 : 1 };
}
const classification = (name: string): Entry =>
  entry("input target weight", (a) =>
    call(name, [a.tensor("input"), a.tensor("target")], {
      ...classes(a),
      weight: a.optional("weight"),
      reduction: a.word("reduction", "mean"),
      ...(a.has("ignore_index") ? { ignoreIndex: a.number("ignore_index") } : {}),
      ...(a.has("label_smoothing") ? { labelSmoothing: a.number("label_smoothing") } : {}),
    }),
  );
function similarity(a: Args): Value {
  return call("cosineSimilarity", [a.tensor("x1"), a.tensor("x2")], {
    dim: a.number("dim", 1),
    eps: a.number("eps", 1e-8),
  });
}
function triplet(a: Args): Value {
  if (a.flag("swap")) throw new Skip("no swap");
  return loss("tripletMargin", "anchor positive negative", { margin: number, p: number, eps: number }).run(a) as Value;
}

export const losses: Table = {
  mse_loss: loss("mse", "input target"),
  l1_loss: loss("l1", "input target"),
  smooth_l1_loss: loss("smoothL1", "input target", { beta: number }),
  huber_loss: loss("huber", "input target", { delta: number }),
  cross_entropy: classification("crossEntropy"),
  nll_loss: classification("nll"),
  binary_cross_entropy: loss("bce", "input target", { weight: value }),
  binary_cross_entropy_with_logits: loss("bceWithLogits", "input target", { weight: value, pos_weight: value }),
  kl_div: loss("klDiv", "input target", { log_target: flag }),
  soft_margin_loss: loss("softMargin", "input target"),
  hinge_embedding_loss: loss("hingeEmbedding", "input target", { margin: number }),
  poisson_nll_loss: loss("poissonNll", "input target", { log_input: flag, full: flag, eps: number }),
  gaussian_nll_loss: loss("gaussianNll", "input target var", { full: flag, eps: number }),
  cosine_similarity: entry("x1 x2 dim eps", similarity),
  cosine_embedding_loss: loss("cosineEmbedding", "input1 input2 target", { margin: number }),
  margin_ranking_loss: loss("marginRanking", "input1 input2 target", { margin: number }),
  triplet_margin_loss: entry("anchor positive negative margin p eps", triplet),
};
