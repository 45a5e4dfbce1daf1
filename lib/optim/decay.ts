import { Embedding } from "../nn/embedding.ts";
import { checkModel, type Module, type ParameterFilter } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";

/**
 * Picks the parameters that weight decay is meant for: matrices and kernels of maps. Biases, gains of norms and embeddings, and a
 * head that shares its weight with an embedding, keep their size.
 *
 * nanoGPT picks all of two dimensions and more instead, embeddings too: `decay: (p) => p.ndim >= 2`.
 * @example
 * ```ts
 * import { AdamW, decayed, GPT2 } from "nabla";
 * const model = new GPT2({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 });
 * const opt = new AdamW(model, { lr: 3e-4, weightDecay: 0.1, decay: decayed(model) });
 * console.log(opt.groups.map((g) => `${g.weightDecay}: ${g.parameters.size}`)); // [ '0.1: 4', '0: 12' ]
 * ```
 */
export function decayed(model: Module): ParameterFilter {
  checkModel("decayed", model);
  const tables = new Set<Parameter>();
  model.apply((m) => {
    if (m instanceof Embedding) tables.add(m.weight);
  });
  return (p) => p.ndim >= 2 && !tables.has(p);
}
