// ONNX normalisation over batch, groups, neighbours.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Result, Table } from "../args.ts";
import { call } from "../library.ts";
import { node, x0 } from "./node.ts";

const affine = (a: Args) => ({ weight: a.tensor("x1"), bias: a.tensor("x2"), eps: a.number("epsilon", 1e-5) });

/**
 * Momentum is the share of what there was: nabla's is 1 - momentum. ONNX's fresh variance is that of n values over n,
 * nabla's over n - 1: what training added to the running one has the factor (n - 1) / n.
 */
function batchNorm(a: Args): Result {
  a.ignore("is_test");
  const [x, momentum, runningMean, runningVar] = [x0(a), a.number("momentum", 0.9), a.tensor("x3"), a.tensor("x4")];
  const running = { runningMean, runningVar };
  if (!a.flag("training_mode")) return call("batchNorm", [x], { ...affine(a), ...running });
  const old = call("mul", [runningVar, momentum]);
  const y = call("batchNorm", [x], { ...affine(a), ...running, training: true, momentum: 1 - momentum });
  const n = x.size / x.shape[1]!;
  const added = call("mul", [call("sub", [runningVar, old]), (n - 1) / n]);
  return [y, runningMean, call("add", [old, added])];
}

/** Of an even size ONNX has one neighbour more behind, nabla before. */
function response(a: Args): Value {
  const [x, size] = [x0(a), a.number("size", 1)];
  const options = { alpha: a.number("alpha", 1e-4), beta: a.number("beta", 0.75), k: a.number("bias", 1) };
  if (size % 2 === 1) return call("localResponseNorm", [x], size, options);
  return call("flip", [call("localResponseNorm", [call("flip", [x], [1])], size, options)], [1]);
}
function standard(a: Args): Value {
  const [x, dims] = [x0(a), a.numbers("axes") ?? [0, 2, 3]];
  const spread = call("sqrt", [call("variance", [x], dims, { correction: 0, keepdim: true })]);
  return call("div", [call("sub", [x, call("mean", [x], dims, true)]), call("add", [spread, 1e-9])]);
}

export const norms: Table = {
  BatchNormalization: node(batchNorm),
  InstanceNormalization: node((a) => call("instanceNorm", [x0(a)], affine(a))),
  GroupNormalization: node((a) => call("groupNorm", [x0(a)], a.number("num_groups"), affine(a))),
  LRN: node(response),
  MeanVarianceNormalization: node(standard),
};
