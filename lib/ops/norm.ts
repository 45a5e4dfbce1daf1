// What users call of normalisation: the shapes, the statistics that batch norm keeps, and the checks.
import { fail, showShape } from "../core/errors.ts";
import { numel, sameShape } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { recomputing } from "../engine/recompute.ts";
import { withGrad } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { assign, cast, contiguous } from "./arithmetic.ts";
import { pow } from "./binary.ts";
import { minus, over, plus, times } from "./formula.ts";
import { rsqrt } from "./math.ts";
import { layerNormRows, rmsNormRows } from "./normalize.ts";
import { pad } from "./pad.ts";
import { avgPool2d } from "./pool.ts";
import { mean } from "./reduce.ts";
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

/** Statistics that follow those of the batches. */
interface Running {
  /** Statistics for evaluation, which training moves; [channels] each. */
  readonly runningMean?: Value | undefined;
  readonly runningVar?: Value | undefined;
  /** Share of the new statistics in the running ones; null: the mean of all batches, which `batches` counts. */
  readonly momentum?: number | null | undefined;
  /** How many batches were seen, [] i32; training counts on. */
  readonly batches?: Value | undefined;
}
export interface BatchNormOptions extends Affine, Running {
  /** Normalise by the statistics of this batch. */
  readonly training?: boolean | undefined;
}
/** Normalises by statistics that are known. */
function evaluated(op: string, x: Value, options: Affine & Running): Value {
  const { runningMean, runningVar, eps = 1e-5 } = options;
  if (!runningMean || !runningVar)
    return fail("ERR_NABLA_VALUE", op, "evaluation needs runningMean and runningVar", { values: { x } });
  const scale = rsqrt({ x: plus(runningVar, eps) });
  return applied(times(minus(x, perChannel(runningMean, x)), perChannel(scale, x)), options);
}
/** Layer norm over batch and positions of each channel; x [batch, channels, ...] */
export function batchNorm(x: Value, options: BatchNormOptions = {}): Value {
  const { runningMean, runningVar, training = false, eps = 1e-5 } = options;
  const channels = channelsOf("batchNorm", x);
  checkAffine("batchNorm", x, [channels], options);
  checkAffine("batchNorm", x, [channels], { weight: runningMean, bias: runningVar });
  if (!training) return evaluated("batchNorm", x, options);
  const count = channels === 0 ? 0 : x.size / channels;
  if (count < 2)
    fail("ERR_NABLA_VALUE", "batchNorm", `training needs two values or more for each channel, got ${count}`, {
      values: { x },
      hint: "leave out a last batch of one: batches(..., { dropLast: true })",
    });
  const swapped = transpose(x, 0, 1);
  const rows = contiguous(reshape(swapped, [channels, count]));
  const { y, mean: means } = layerNormRows({ x: rows }, { eps });
  follow(options, rows, means);
  return applied(transpose(reshape(y, swapped.shape), 0, 1), options);
}

export interface InstanceNormOptions extends Affine, Running {
  /** Normalise by the statistics of each picture; true unless said. */
  readonly useInputStats?: boolean | undefined;
}
/** Layer norm over the positions of each channel; x [batch, channels, ...] */
export function instanceNorm(x: Value, options: InstanceNormOptions = {}): Value {
  const channels = channelsOf("instanceNorm", x);
  checkAffine("instanceNorm", x, [channels], options);
  checkAffine("instanceNorm", x, [channels], { weight: options.runningMean, bias: options.runningVar });
  if (options.useInputStats === false) return evaluated("instanceNorm", x, options);
  const count = numel(x.shape.slice(2));
  if (count < 2)
    fail("ERR_NABLA_VALUE", "instanceNorm", `needs two positions or more for each channel, got ${count}`, {
      values: { x },
    });
  const rows = contiguous(reshape(x, [x.shape[0] * channels, count]));
  const { y, mean: means } = layerNormRows({ x: rows }, { eps: options.eps ?? 1e-5 });
  follow(options, rows, means);
  return applied(reshape(y, x.shape), options);
}

/** running += momentum (fresh - running), fresh: what `rows` [n * channels, count] have, averaged over n. */
function follow({ runningMean, runningVar, momentum = 0.1, batches }: Running, rows: Value, means: Value): void {
  if (recomputing() !== undefined) return;
  const move = (running: Value | undefined, fresh: () => Value): void => {
    if (!running) return;
    const perBatch = reshape(fresh(), [rows.shape[0] / running.size, running.size]);
    const now = perBatch.shape[0] === 1 ? reshape(perBatch, [running.size]) : mean(perBatch, 0);
    if (momentum !== null) assign(running, plus(times(running, 1 - momentum), times(now, momentum)));
    else if (batches) assign(running, plus(running, over(minus(now, running), cast(batches, running.dtype))));
  };
  withGrad(false, () => {
    if (batches) assign(batches, plus(batches, 1));
    move(runningMean, () => means);
    move(runningVar, () => variance(rows, means));
  });
}
/** Of each row, unbiased. */
function variance(rows: Value, mean: Value): Value {
  const [r, c] = rows.shape;
  const y = emptyValue([r], rows.dtype);
  launch(K.sum_squares, rows.dtype, [r, 1, c], [y, { value: rows, steps: [c, 1, 0] }, mean], [c - 1]);
  return y;
}

/** Which channels a norm reaches, and how strongly. */
export interface ResponseOptions {
  readonly alpha?: number | undefined;
  readonly beta?: number | undefined;
  readonly k?: number | undefined;
}
/** y = x / (k + alpha / size sum of x^2 over `size` neighbouring channels)^beta; x [batch, channels, ...] (AlexNet's) */
export function localResponseNorm(x: Value, size: number, options: ResponseOptions = {}): Value {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  const channels = channelsOf("localResponseNorm", x);
  if (!Number.isInteger(size) || size < 1)
    fail("ERR_NABLA_VALUE", "localResponseNorm", `size must be a whole number from 1, got ${size}`, { actual: size });
  if (x.size === 0) return x;
  const squares = reshape(times(x, x), [x.shape[0], 1, channels, x.size / x.shape[0] / channels]);
  const before = Math.floor(size / 2);
  const padded = pad(squares, [0, 0, before, size - 1 - before]);
  const near = reshape(avgPool2d(padded, [size, 1], { stride: 1 }), x.shape);
  return over(x, pow({ a: plus(times(near, alpha), k), b: beta }));
}
