// What fit, evaluate and perplexity refuse.
import { checkIterable, checkKind, only } from "../core/boundary.ts";
import { checkCount, fail, show } from "../core/errors.ts";
import { Value } from "../core/value.ts";
import { checkPrecision } from "../engine/precision.ts";
import { checkModel } from "../nn/module.ts";
import { Optimizer } from "../optim/optimizer.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { EvaluateOptions, FitOptions } from "./fit.ts";

type Pair = readonly [Tensor, Tensor];

const lookNames = ["loss", "metrics", "precision", "signal"] as const;
const runNames = ["optimizer", "epochs", "validation", "accumulate", "clip", "schedule", "compile"] as const;
/** The options of fit, and of evaluate, which leaves the last two rows aside: both may be given one object. */
export const fitNames = [...lookNames, ...runNames, "checkpoint", "resume"] as const;

/** What fit and evaluate take, whatever the types were told. */
export function checkCall(op: string, model: unknown, data: unknown, options: EvaluateOptions<Tensor, Tensor>): void {
  checkModel(op, model);
  checkIterable(op, "the data", data);
  checkKind(op, "loss", options.loss, "function");
  const { metrics = {} } = options;
  checkKind(op, "metrics", metrics, "object");
  for (const [name, f] of Object.entries(metrics)) checkKind(op, `the metric ${name}`, f, "function");
  checkPrecision(op, options.precision ?? "f32");
}
export function checkOptions(options: FitOptions<Tensor, Tensor>): void {
  const { epochs = 1, accumulate = 1, optimizer, schedule, validation, checkpoint, resume } = options;
  if (!(optimizer instanceof Optimizer))
    fail("ERR_NABLA_TYPE", "fit", `optimizer is ${show(optimizer)}`, { expected: "an Optimizer", actual: optimizer });
  if (checkpoint !== undefined) {
    only("fit", checkpoint, ["path", "every", "keep"]);
    checkKind("fit", "path of checkpoint", checkpoint.path, "string");
  }
  if (resume && !checkpoint)
    fail("ERR_NABLA_VALUE", "fit", "there is nothing to resume from", {
      hint: "{ checkpoint: { path }, resume: true }",
    });
  if (schedule !== undefined) checkKind("fit", "schedule", schedule, "function");
  if (validation !== undefined) checkIterable("fit", "validation", validation);
  checkCount("fit", "epochs", epochs, 1);
  checkCount("fit", "accumulate", accumulate, 1);
}
export function checkBatch(op: string, pair: Pair): Pair {
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((x) => x instanceof Value))
    fail("ERR_NABLA_TYPE", op, "the data does not give pairs [x, y] of tensors", {
      actual: pair,
      hint: "batches(x, y, { size }) does",
    });
  return pair;
}
export function checkFinite(loss: number, step: number): void {
  if (!Number.isFinite(loss))
    fail("ERR_NABLA_VALUE", "fit", `the loss is ${loss} at step ${step}`, {
      actual: loss,
      hint: "lower the learning rate, clip the gradients ({ clip: 1 }), or look for NaN in the data",
    });
}
export function checkSignal(signal: AbortSignal | undefined, step: number): void {
  if (signal?.aborted)
    fail("ERR_NABLA_ABORTED", "fit", `aborted after ${step} steps`, { cause: signal.reason as unknown });
}
