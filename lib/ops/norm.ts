// What users call of normalisation: the shapes, the statistics that batch norm keeps, and the checks.
import { fail, showShape } from "../core/errors.ts";
import { numel, sameShape } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { recomputing } from "../engine/recompute.ts";
import { withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { assign, contiguous } from "./arithmetic.ts";
import { minus, plus, times } from "./formula.ts";
import { rsqrt } from "./math.ts";
import { layerNormRows, rmsNormRows } from "./normalize.ts";
import { reshape, transpose } from "./view.ts";

/** Scale and shift after normalisation, and what is added to the variance. */
export interface Affine {
  readonly weight?: Value | undefined;
  readonly bias?: Value | undefined;
  readonly eps?: number | undefined;
}

function checkAffine(op: string, x: Value, shape: readonly number[], { weight, bias, eps = 0 }: Affine): void {
  if (!x.isFloat)
    fail("ERR_NABLA_DTYPE", op, `normalises floats, not ${x.dtype}`, {
      values: { x },
      hint: 'cast first: x.to("f32")',
    });
  for (const p of [weight, bias]) {
    if (!p) continue;
    if (!sameShape(p.shape, shape))
      fail("ERR_NABLA_SHAPE", op, `weight and bias must have the shape ${showShape(shape)}`, {
        values: { x, weight, bias },
        expected: shape,
        actual: p.shape,
      });
    if (p.dtype !== x.dtype)
      fail("ERR_NABLA_DTYPE", op, `input is ${x.dtype}, weight or bias ${p.dtype}`, {
        values: { x, weight, bias },
        expected: x.dtype,
        actual: p.dtype,
      });
  }
  if (!(eps >= 0 && eps < Number.POSITIVE_INFINITY))
    fail("ERR_NABLA_VALUE", op, `eps must be a number from 0, got ${eps}`, { expected: "from 0", actual: eps });
}
function checkTail(op: string, x: Value, shape: readonly number[]): void {
  if (shape.length === 0 || !sameShape(x.shape.slice(-shape.length), shape))
    fail("ERR_NABLA_SHAPE", op, `the last sizes must be ${showShape(shape)}, got ${showShape(x.shape)}`, {
      values: { x },
      expected: shape,
      actual: x.shape,
    });
}
/** x with its last dimensions, of this shape, as the columns of a matrix. */
function asRows(x: Value, shape: readonly number[]): Value {
  return reshape(x, [numel(x.shape.slice(0, x.ndim - shape.length)), numel(shape)]);
}
const flat = (x: Value | undefined): Value | undefined => x && reshape(x, [x.size]);

/** y = (x - mean) / sqrt(var + eps) w + b over the last dimensions, which have this shape */
export function layerNorm(x: Value, shape: readonly number[], affine: Affine = {}): Value {
  checkTail("layerNorm", x, shape);
  checkAffine("layerNorm", x, shape, affine);
  const rows = { x: asRows(x, shape), weight: flat(affine.weight), bias: flat(affine.bias) };
  return reshape(layerNormRows(rows, { eps: affine.eps ?? 1e-5 }).y, x.shape);
}
/** y = x / sqrt(mean x^2 + eps) w over the last dimensions; eps is the smallest step of the dtype above 1 unless given */
export function rmsNorm(x: Value, shape: readonly number[], affine: Omit<Affine, "bias"> = {}): Value {
  checkTail("rmsNorm", x, shape);
  checkAffine("rmsNorm", x, shape, affine);
  const eps = affine.eps ?? (x.dtype === "f64" ? 2 ** -52 : 2 ** -23);
  const { y } = rmsNormRows({ x: asRows(x, shape), weight: flat(affine.weight) }, { eps });
  return reshape(y, x.shape);
}

/** A vector over dimension 1 of x, to be broadcast. */
const perChannel = (v: Value, x: Value): Value => reshape(v, [v.size, ...x.shape.slice(2).map(() => 1)]);
function channelsOf(op: string, x: Value): number {
  if (x.ndim < 2)
    fail("ERR_NABLA_SHAPE", op, `needs [batch, channels, ...], got ${showShape(x.shape)}`, { values: { x } });
  return x.shape[1];
}
function applied(x: Value, { weight, bias }: Affine): Value {
  const scaled = weight ? times(x, perChannel(weight, x)) : x;
  return bias ? plus(scaled, perChannel(bias, x)) : scaled;
}

/** Layer norm over groups of neighbouring channels and all positions; x [batch, channels, ...] */
export function groupNorm(x: Value, groups: number, affine: Affine = {}): Value {
  const channels = channelsOf("groupNorm", x);
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    fail("ERR_NABLA_VALUE", "groupNorm", `${channels} channels do not make ${groups} groups`, { values: { x } });
  checkAffine("groupNorm", x, [channels], affine);
  const rows = reshape(x, [x.shape[0] * groups, (channels / groups) * numel(x.shape.slice(2))]);
  const { y } = layerNormRows({ x: rows }, { eps: affine.eps ?? 1e-5 });
  return applied(reshape(y, x.shape), affine);
}
/** Layer norm over the positions of each channel; x [batch, channels, ...] */
export function instanceNorm(x: Value, affine: Affine = {}): Value {
  return groupNorm(x, channelsOf("instanceNorm", x), affine);
}

export interface BatchNormOptions extends Affine {
  /** Statistics for evaluation, which training moves; [channels] each. */
  readonly runningMean?: Value | undefined;
  readonly runningVar?: Value | undefined;
  /** Normalise by the statistics of this batch. */
  readonly training?: boolean | undefined;
  /** Share of the new statistics in the running ones. */
  readonly momentum?: number | undefined;
}
/** Layer norm over batch and positions of each channel; x [batch, channels, ...] */
export function batchNorm(x: Value, options: BatchNormOptions = {}): Value {
  const { runningMean, runningVar, training = false, momentum = 0.1, eps = 1e-5 } = options;
  const channels = channelsOf("batchNorm", x);
  checkAffine("batchNorm", x, [channels], options);
  checkAffine("batchNorm", x, [channels], { weight: runningMean, bias: runningVar });
  if (!training) {
    if (!runningMean || !runningVar)
      return fail("ERR_NABLA_VALUE", "batchNorm", "evaluation needs runningMean and runningVar", { values: { x } });
    const scale = rsqrt({ x: plus(runningVar, eps) });
    return applied(times(minus(x, perChannel(runningMean, x)), perChannel(scale, x)), options);
  }
  const count = channels === 0 ? 0 : x.size / channels;
  if (count === 1)
    fail("ERR_NABLA_VALUE", "batchNorm", "training needs more than one value for each channel", { values: { x } });
  const swapped = transpose(x, 0, 1);
  const rows = contiguous(reshape(swapped, [channels, count]));
  const { y, mean } = layerNormRows({ x: rows }, { eps });
  if (recomputing() === undefined)
    withGrad(false, () => {
      if (runningMean) follow(runningMean, mean, momentum);
      if (runningVar) follow(runningVar, variance(rows, mean), momentum);
    });
  return applied(transpose(reshape(y, swapped.shape), 0, 1), options);
}
/** Of each row, unbiased. */
function variance(rows: Value, mean: Value): Value {
  const [r, c] = rows.shape;
  const y = emptyValue([r], rows.dtype);
  launch(K.sum_squares, rows.dtype, [r, 1, c], [y, { value: rows, steps: [c, 1, 0] }, mean], [c - 1]);
  return y;
}
/** running += share (fresh - running) */
function follow(running: Value, fresh: Value, share: number): void {
  assign(running, plus(times(running, 1 - share), times(fresh, share)));
}
