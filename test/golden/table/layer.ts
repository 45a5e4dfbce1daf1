// Normalisation and embedding.
import { type Args, entry, type Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";

function affine(a: Args) {
  const eps = a.number("eps");
  if (eps !== undefined && eps < 0) throw new Skip("no eps below 0");
  return { weight: a.optional("weight"), bias: a.optional("bias"), ...(eps === undefined ? {} : { eps }) };
}
function batchNorm(a: Args) {
  if (a.tensor("input").ndim < 2) throw new Skip("no batch norm of a vector");
  const [runningMean, runningVar] = [a.optional("running_mean"), a.optional("running_var")];
  const [training, momentum] = [a.flag("training"), a.number("momentum", 0.1)];
  const out = call("batchNorm", [a.tensor("input")], { ...affine(a), runningMean, runningVar, training, momentum });
  return { out, ...(runningMean && runningVar ? { running_mean: runningMean, running_var: runningVar } : {}) };
}
function embedding(a: Args) {
  const [x, y] = [a.tensor("input"), a.tensor("weight")];
  const [index, weight] = x.isFloat ? [y, x] : [x, y];
  return call("embedding", [weight, index, a.number("padding_idx")]);
}

export const layer: Table = {
  layer_norm: entry("input normalized_shape weight bias eps", (a) =>
    call("layerNorm", [a.tensor("input")], a.numbers("normalized_shape"), affine(a)),
  ),
  rms_norm: entry("input normalized_shape weight eps", (a) =>
    call("rmsNorm", [a.tensor("input")], a.numbers("normalized_shape"), affine(a)),
  ),
  group_norm: entry("input num_groups weight bias eps", (a) =>
    call("groupNorm", [a.tensor("input")], a.number("num_groups"), affine(a)),
  ),
  instance_norm: entry("input running_mean running_var weight bias use_input_stats momentum eps", (a) =>
    call("instanceNorm", [a.tensor("input")], {
      ...affine(a),
      runningMean: a.optional("running_mean"),
      runningVar: a.optional("running_var"),
      useInputStats: a.flag("use_input_stats", true),
      momentum: a.number("momentum", 0.1),
    }),
  ),
  batch_norm: entry("input running_mean running_var weight bias training momentum eps", batchNorm),
  local_response_norm: entry("input size alpha beta k", (a) =>
    call("localResponseNorm", [a.tensor("input")], a.number("size"), {
      alpha: a.number("alpha", 1e-4),
      beta: a.number("beta", 0.75),
      k: a.number("k", 1),
    }),
  ),
  embedding: entry("input weight", embedding),
};
