// How far the f32 functions are from the true values, in ulp: the bounds that native/simd states, over all exponents.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { native } from "../lib/core/native.ts";
import { K, type Kernel } from "../lib/native.gen.ts";
import { random } from "./sample.ts";
import { rows, scalarsOf, write } from "./signature.ts";

const best = native.isa();
beforeAll(() => native.use("scalar"));
afterAll(() => native.use(best));

function f32(kernel: Kernel, ...inputs: Float32Array[]): Float32Array {
  const y = new Float32Array(inputs[0]!.length);
  const words = [1, y.length, 0, 1, ...inputs.flatMap(() => [0, 1]), ...scalarsOf(rows[kernel.id.f32!]!)];
  native.run(kernel.id.f32!, write(words), y, ...inputs);
  return y;
}
/** The same function of the f64 table, which is the C library's. */
function f64(kernel: Kernel): (x: number) => number {
  const [x, y] = [new Float64Array(1), new Float64Array(1)];
  const words = [1, 1, 0, 1, 0, 1, ...scalarsOf(rows[kernel.id.f64!]!)];
  return (at) => {
    x[0] = at;
    native.run(kernel.id.f64!, write(words), y, x);
    return y[0]!;
  };
}

/** The spacing of floats at x; below 2^-126 it no longer shrinks. */
function ulp(x: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(x)));
  return 2 ** (Math.max(exponent, -126) - 23);
}
/** The error in ulp; 0 where both are NaN or the same infinity. */
function error(got: number, ref: number): number {
  if (Object.is(got, Math.fround(ref)) || (Number.isNaN(got) && Number.isNaN(ref))) return 0;
  return Number.isFinite(got) && Number.isFinite(ref) ? Math.abs(got - ref) / ulp(ref) : Number.POSITIVE_INFINITY;
}

/** Every 4093rd float by its bits: all signs and exponents, NaN and infinities. */
function floats(): Float32Array {
  const bits = new Uint32Array(2 ** 32 / 4093);
  for (let i = 0; i < bits.length; i++) bits[i] = i * 4093;
  return new Float32Array(bits.buffer);
}
/** Where results are neither flat nor out of range: [-24, 24), evenly. */
function near(): Float32Array {
  const next = random(11);
  return Float32Array.from({ length: 200_000 }, () => 48 * (next() - 0.5));
}

interface Worst {
  error: number;
  text: string;
}
function worst(x: Float32Array, y: Float32Array, reference: (x: number) => number): Worst {
  let out = { error: 0, text: "" };
  for (let i = 0; i < x.length; i++) {
    const ref = reference(x[i]!);
    const e = error(y[i]!, ref);
    if (e > out.error) out = { error: e, text: `at ${x[i]}: ${y[i]}, expected ${ref}` };
  }
  return out;
}

const { exp, log, sinh, cosh, tanh } = Math;
const bounds: readonly [name: keyof typeof K, ulp: number, reference: (x: number) => number, from?: number][] = [
  ["sqrt", 0.5, Math.sqrt],
  ["rsqrt", 1.5, (x) => 1 / Math.sqrt(x)],
  ["reciprocal", 0.5, (x) => 1 / x],
  ["exp", 0.9, exp],
  ["exp2", 0.92, (x) => 2 ** x],
  ["expm1", 1.5, Math.expm1],
  ["log", 0.92, log],
  ["log2", 1.5, Math.log2],
  ["log10", 1.3, Math.log10],
  ["log1p", 1.5, Math.log1p],
  ["sin", 1.6, Math.sin],
  ["cos", 1.6, Math.cos],
  ["tan", 2.4, Math.tan],
  ["asin", 2.1, Math.asin],
  ["acos", 1.1, Math.acos],
  ["atan", 1.3, Math.atan],
  ["sinh", 1.7, sinh],
  ["cosh", 1.4, cosh],
  ["asinh", 2, Math.asinh],
  ["acosh", 2.3, Math.acosh],
  ["atanh", 2.3, Math.atanh],
  ["erf", 1.2, f64(K.erf)],
  ["erfc", 4.2, f64(K.erfc)],
  ["erfinv", 3.7, f64(K.erfinv)],
  ["sigmoid", 2.4, (x) => (x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)))],
  ["tanh", 1.9, tanh],
  ["gelu", 5, f64(K.gelu)],
  ["silu", 3, (x) => x / (1 + exp(-x)), -87],
  ["mish", 5, (x) => x * tanh(Math.log1p(exp(Math.min(x, 50)))), -87],
];

describe("errors in ulp", () => {
  const [all, some] = [floats(), near()];
  it.each(bounds)("%s is within %f ulp", (name, bound, reference, from = Number.NEGATIVE_INFINITY) => {
    for (const inputs of [all, some]) {
      const x = inputs.filter((e) => !(e < from));
      const found = worst(x, f32(K[name], x), reference);
      expect(found.error, found.text).toBeLessThanOrEqual(bound);
    }
  });

  it("pow is within 1.1 ulp", () => {
    const next = random(5);
    const n = 500_000;
    const x = Float32Array.from({ length: n }, () => 2 ** (40 * (next() - 0.5)));
    const y = Float32Array.from(x, (e) => (240 * (next() - 0.5)) / Math.log2(e));
    const got = f32(K.pow, x, y);
    let at = 0;
    const found = worst(x, got, (e) => e ** y[at++]!);
    expect(found.error, found.text).toBeLessThanOrEqual(1.1);
  });

  it("sees an error of a bit more than the bound", () => {
    expect(error(1, 1)).toBe(0);
    expect(error(Math.fround(1 + 2 ** -23), 1)).toBe(1);
    expect(error(2 ** -149, 0)).toBe(1);
    expect(error(Number.NaN, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(error(0, -0)).toBe(0);
    expect(worst(Float32Array.of(1), Float32Array.of(1.0000002), (x) => x).error).toBeGreaterThan(1);
  });
});
