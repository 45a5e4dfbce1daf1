// First values of parameters. Each function fills the tensor it is given, in its own memory, and returns it; the random
// numbers are those of the global generator, so seed() fixes them.

import { only, operand, value } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { assign, cast } from "../ops/arithmetic.ts";
import { fromNested } from "../ops/nested.ts";
import * as random from "../ops/random.ts";
import { reshape } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";

function fill<T extends Value>(x: T, from: Value | number): T {
  const y = operand("init", from, "value");
  assign(value("init", "x", x), typeof y === "number" ? y : cast(y, x.dtype));
  return x;
}

/** Inputs and outputs that a weight [out, in, ...window] joins to each element. */
function fans(op: string, x: Value): { in: number; out: number } {
  if (value(op, "x", x).ndim < 2)
    fail("ERR_NABLA_SHAPE", op, `needs a weight [out, in, ...], got ${showShape(x.shape)}`, {
      values: { x },
      hint: "fill vectors with init.zeros, init.constant or init.uniform",
    });
  const window = numel(x.shape.slice(2));
  return { in: x.shape[1] * window, out: x.shape[0] * window };
}

/** Activations that a gain is known for. */
export type Nonlinearity = "linear" | "conv" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";
/**
 * What to multiply a standard deviation by so that it survives the activation: 1, tanh 5/3, relu √2, leakyRelu
 * √(2 / (1 + slope²)), selu 3/4. PyTorch: `nn.init.calculate_gain`.
 * @example
 * ```ts
 * import { init } from "nabla";
 * console.log(init.gain("relu")); // 1.4142135623730951
 * ```
 */
export function gain(of: Nonlinearity, slope = 0.01): number {
  switch (of) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + slope ** 2));
    case "selu":
      return 3 / 4;
    case "linear":
    case "conv":
    case "sigmoid":
      return 1;
    default:
      return fail("ERR_NABLA_VALUE", "init.gain", `no gain is known for ${String(of)}`, { actual: of });
  }
}

/**
 * Uniform in [low, high). PyTorch: `nn.init.uniform_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * console.log(init.uniform(zeros(3), -1, 1).shape); // [ 3 ]
 * ```
 */
export function uniform<T extends Tensor>(x: T, low = 0, high = 1): T {
  return fill(x, random.uniform(value("init.uniform", "x", x).shape, low, high));
}
/**
 * Normal with a mean and a standard deviation. PyTorch: `nn.init.normal_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * console.log(init.normal(zeros(3), 0, 0.02).shape); // [ 3 ]
 * ```
 */
export function normal<T extends Tensor>(x: T, mean = 0, std = 1): T {
  return fill(x, random.normal(value("init.normal", "x", x).shape, mean, std));
}
/** Every element the same. PyTorch: `nn.init.constant_`. */
export function constant<T extends Tensor>(x: T, value: number): T {
  return fill(x, value);
}
/** All 0. PyTorch: `nn.init.zeros_`. */
export function zeros<T extends Tensor>(x: T): T {
  return fill(x, 0);
}
/** All 1. PyTorch: `nn.init.ones_`. */
export function ones<T extends Tensor>(x: T): T {
  return fill(x, 1);
}

/** Options of the Kaiming initialisers. */
export interface KaimingOptions {
  /** Slope of the leaky ReLU that follows; 0 for ReLU. */
  a?: number;
  /** Keep the size of activations (fanIn) or of gradients (fanOut). */
  mode?: "fanIn" | "fanOut";
  nonlinearity?: Nonlinearity;
}
function kaimingStd(op: string, x: Value, options: KaimingOptions): number {
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = only(op, options, ["a", "mode", "nonlinearity"]);
  const fan = fans(op, x);
  return gain(nonlinearity, a) / Math.sqrt(Math.max(1, mode === "fanIn" ? fan.in : fan.out));
}
/**
 * Uniform in ±√3 gain / √fan: the size of activations survives layers of ReLU (He et al., 2015). Linear's own weights are
 * drawn with a = √5, which is ±1 / √in. PyTorch: `nn.init.kaiming_uniform_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * init.kaimingUniform(zeros(64, 32), { nonlinearity: "relu" });
 * ```
 */
export function kaimingUniform<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  const bound = Math.sqrt(3) * kaimingStd("init.kaimingUniform", x, options);
  return uniform(x, -bound, bound);
}
/**
 * Normal with standard deviation gain / √fan. PyTorch: `nn.init.kaiming_normal_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * init.kaimingNormal(zeros(64, 32), { mode: "fanOut", nonlinearity: "relu" });
 * ```
 */
export function kaimingNormal<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return normal(x, 0, kaimingStd("init.kaimingNormal", x, options));
}

/** Options of the Xavier initialisers. */
export interface XavierOptions {
  gain?: number;
}
function xavierStd(op: string, x: Value, options: XavierOptions): number {
  const { gain: factor = 1 } = only(op, options, ["gain"]);
  const fan = fans(op, x);
  return factor * Math.sqrt(2 / (fan.in + fan.out));
}
/**
 * Uniform in ±gain √(6 / (in + out)) (Glorot and Bengio, 2010). PyTorch: `nn.init.xavier_uniform_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * init.xavierUniform(zeros(64, 32), { gain: init.gain("tanh") });
 * ```
 */
export function xavierUniform<T extends Tensor>(x: T, options: XavierOptions = {}): T {
  const bound = Math.sqrt(3) * xavierStd("init.xavierUniform", x, options);
  return uniform(x, -bound, bound);
}
/**
 * Normal with standard deviation gain √(2 / (in + out)). PyTorch: `nn.init.xavier_normal_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * init.xavierNormal(zeros(64, 32));
 * ```
 */
export function xavierNormal<T extends Tensor>(x: T, options: XavierOptions = {}): T {
  return normal(x, 0, xavierStd("init.xavierNormal", x, options));
}

/** Options of {@link truncNormal}. */
export interface TruncOptions {
  mean?: number;
  std?: number;
  /** Nothing is drawn outside [low, high]; -2 and 2 unless given. */
  low?: number;
  high?: number;
}
/**
 * Normal without its ends: what falls outside [low, high] is drawn again. PyTorch: `nn.init.trunc_normal_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * init.truncNormal(zeros(64, 32), { std: 0.02 });
 * ```
 */
export function truncNormal<T extends Tensor>(x: T, options: TruncOptions = {}): T {
  const { mean = 0, std = 1, low = -2, high = 2 } = only("init.truncNormal", options, ["mean", "std", "low", "high"]);
  if (!(std > 0 && low < high && mean - low > -4 * std && high - mean > -4 * std))
    fail("ERR_NABLA_VALUE", "init.truncNormal", `cannot draw from N(${mean}, ${std}²) within [${low}, ${high}]`, {
      expected: "std > 0, low < high, and the mean at most 4 std outside",
      actual: { mean, std, low, high },
    });
  const out = new Float64Array(value("init.truncNormal", "x", x).size);
  // Of a window narrower than the deviation the normal would hardly ever hit anything: even numbers, thinned out.
  const narrow = high - low < std;
  const top = (Math.min(Math.max(mean, low), high) - mean) / std;
  const height = (v: number) => Math.exp((top ** 2 - ((v - mean) / std) ** 2) / 2);
  for (let at = 0; at < out.length; ) {
    const drawn = narrow ? random.uniform([out.length], low, high, "f64") : random.normal([out.length], mean, std);
    const luck = narrow ? (random.uniform([out.length], 0, 1) as Tensor).dataSync() : [];
    for (const [i, v] of (drawn as Tensor).dataSync().entries())
      if (v >= low && v <= high && at < out.length && !(luck[i]! > height(v))) out[at++] = v;
  }
  return fill(x, reshape(fromNested(out), x.shape));
}

/**
 * A matrix with orthonormal rows, or columns where it has more rows than columns; further dims count as columns (Saxe et al.,
 * 2013). PyTorch: `nn.init.orthogonal_`.
 * @example
 * ```ts
 * import { init, zeros } from "nabla";
 * const q = init.orthogonal(zeros(3, 3));
 * console.log(q.matmul(q.mT()).sum().item().toFixed(4)); // 3.0000
 * ```
 */
export function orthogonal<T extends Tensor>(x: T, options: { gain?: number } = {}): T {
  const { gain: factor = 1 } = only("init.orthogonal", options, ["gain"]);
  fans("init.orthogonal", x);
  const rows = x.shape[0];
  const columns = x.size / Math.max(rows, 1);
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const drawn = Float64Array.from((random.normal([count * length], 0, 1) as Tensor).dataSync());
  const vectors = Array.from({ length: count }, (_, i) => drawn.subarray(i * length, (i + 1) * length));
  orthonormalize(vectors);
  const q = new Float64Array(x.size);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < length; j++) q[rows <= columns ? i * columns + j : j * columns + i] = factor * vectors[i][j];
  return fill(x, reshape(fromNested(q), x.shape));
}

/** Gram-Schmidt, twice over each vector: once leaves errors of the size of the cancellation. */
function orthonormalize(vectors: readonly Float64Array[]): void {
  vectors.forEach((v, i) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const u of vectors.slice(0, i)) {
        let dot = 0;
        for (let j = 0; j < v.length; j++) dot += u[j] * v[j];
        for (let j = 0; j < v.length; j++) v[j] -= dot * u[j];
      }
      const norm = Math.sqrt(v.reduce((s, a) => s + a * a, 0));
      for (let j = 0; j < v.length; j++) v[j] /= norm;
    }
  });
}
