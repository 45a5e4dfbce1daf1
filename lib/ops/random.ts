// Random numbers of one generator: its state, the seed and a counter, is a tensor that only kernels write, so a compiled
// step draws new numbers each time it is replayed. Number e of a call depends on seed, counter and e alone: the same bits
// with any number of threads and on any instruction set.
import { checkKind, checkPlain } from "../core/boundary.ts";
import type { DType } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { checkShape, type Dims, numel, sameShape } from "../core/shape.ts";
import { emptyValue, type Value, wrapArray } from "../core/value.ts";
import { isRecording, launch } from "../engine/launch.ts";
import { elementwise, op, type Spec } from "../engine/op.ts";
import { withGrad } from "../engine/tape.ts";
import { K, type Kernel } from "../native.gen.ts";
import { assign, cast, contiguous, copy, lt } from "./arithmetic.ts";

/** Seed low, seed high, counter low, counter high. A program that never calls manualSeed draws the numbers of seed 0. */
let state: Value = wrapArray(new Int32Array(4), [4], "i32");
state.label = "generator";

/** The words of a generator that begins with this seed. */
function seeded(op: string, seed: number | bigint): Value {
  const whole = typeof seed === "bigint" ? seed >= 0n && seed < 2n ** 64n : Number.isSafeInteger(seed) && seed >= 0;
  if (!whole)
    fail("ERR_NABLA_VALUE", op, `${String(seed)} is not a seed`, {
      expected: "a whole number from 0 to 2^53 - 1, or a bigint below 2^64",
      actual: seed,
    });
  const words = BigInt.asUintN(64, BigInt(seed));
  const halves = [Number(words & 0xffffffffn), Number(words >> 32n), 0, 0];
  return wrapArray(
    Int32Array.from(halves, (w) => w | 0),
    [4],
    "i32",
  );
}

/** Starts the generator anew: the numbers that follow are a function of the seed. */
export function manualSeed(seed: number | bigint): void {
  assign(state, seeded("manualSeed", seed));
}
/** Calls f with a generator of its own; that of before goes on afterwards as if f had drawn nothing. */
export function forkRng<R>(seed: number | bigint, f: () => R): R {
  if (isRecording())
    fail("ERR_NABLA_COMPILE", "forkRng", "the numbers drawn inside would be the same in every run of the step", {
      hint: "call it outside of the compiled step",
    });
  checkKind("forkRng", "the second argument", f, "function");
  const before = state;
  state = seeded("forkRng", seed);
  try {
    const y = f();
    if (y instanceof Promise)
      fail("ERR_NABLA_TYPE", "forkRng", "takes no async function: others would draw its numbers", { actual: y });
    return y;
  } finally {
    state = before;
  }
}
/** A copy of the generator's state, for setRngState. */
export const getRngState = (): Value => copy(state);
export function setRngState(saved: Value): void {
  if (saved.dtype !== "i32" || !sameShape(saved.shape, state.shape))
    fail("ERR_NABLA_VALUE", "setRngState", "this is not a state of the generator", {
      values: { saved },
      expected: "the i32 [4] that getRngState gave",
    });
  assign(state, saved);
}

/** Changes whenever numbers are drawn. */
export const rngVersion = (): number => state.storage.version;

/** Moves the counter past n numbers. */
function advance(n: number): void {
  launch(K.advance, "f32", [4], [state], [n]);
  state.storage.version++;
}
function draw(kernel: Kernel, y: Value, scalars: readonly number[], row = y.dtype): Value {
  const n = numel(y.shape);
  if (n === 0) return y;
  launch(kernel, row, [n, 4], [y, state], scalars);
  advance(n);
  return y;
}

/** An uninitialised float tensor. */
function floats(op: string, shape: Dims, dtype: DType): Value {
  if (dtype !== "f32" && dtype !== "f64")
    fail("ERR_NABLA_DTYPE", op, `draws floats, not ${dtype}`, { expected: ["f32", "f64"], actual: dtype });
  return emptyValue(checkShape(op, shape), dtype);
}

/** Uniform in [low, high). */
export function uniform(shape: Dims, low = 0, high = 1, dtype: DType = "f32"): Value {
  const y = floats("uniform", shape, dtype);
  checkPlain("uniform", { low, high });
  const span = dtype === "f32" ? Math.fround(Math.fround(high) - Math.fround(low)) : high - low;
  if (!(span >= 0 && span < Number.POSITIVE_INFINITY))
    fail("ERR_NABLA_VALUE", "uniform", `there is no range from ${low} to ${high}`, {
      expected: "finite low <= high",
      actual: [low, high],
    });
  return draw(K.uniform, y, [low, high]);
}
/** Normal with this mean and standard deviation. */
export function normal(shape: Dims, mean = 0, std = 1, dtype: DType = "f32"): Value {
  const y = floats("normal", shape, dtype);
  checkPlain("normal", { mean, std });
  if (!(std >= 0 && std < Number.POSITIVE_INFINITY && Number.isFinite(mean)))
    fail("ERR_NABLA_VALUE", "normal", `there is no normal distribution of mean ${mean} and deviation ${std}`, {
      expected: "a finite mean, a finite deviation from 0",
      actual: [mean, std],
    });
  return draw(K.normal, y, [mean, std]);
}

const isI32 = (x: number): boolean => x === (x | 0);
/** Whole numbers from low to high - 1, i32. */
export function randint(shape: Dims, low: number, high: number): Value {
  checkPlain("randint", { low, high });
  if (!isI32(low) || !isI32(high) || low >= high)
    fail("ERR_NABLA_VALUE", "randint", `there are no 32-bit integers from ${low} to below ${high}`, {
      expected: "whole numbers low < high",
      actual: [low, high],
    });
  return draw(K.randint, emptyValue(checkShape("randint", shape), "i32"), [low, high], "f32");
}
/** 0, ..., n - 1 in random order, i32. */
export function randperm(n: number): Value {
  return draw(K.permutation, emptyValue(checkShape("randperm", [n]), "i32"), [], "f32");
}

function checkProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1))
    fail("ERR_NABLA_VALUE", op, `${p} is not a probability`, { expected: "a number from 0 to 1", actual: p });
}
/** True with probability p; or, for a tensor of probabilities, 1 with that of each element and else 0, in its dtype. */
export function bernoulli(p: Value): Value;
export function bernoulli(shape: Dims, p: number): Value;
export function bernoulli(of: Value | Dims, p = 0.5): Value {
  if ("storage" in of) {
    const u = uniform(of.shape, 0, 1, of.dtype);
    return withGrad(false, () => cast(lt({ a: u, b: of }), of.dtype));
  }
  checkProbability("bernoulli", p);
  return draw(K.bernoulli, emptyValue(checkShape("bernoulli", of), "bool"), [p]);
}

/** dx = mask dy / (1 - p) */
const dropoutGrad = elementwise({
  name: "dropout_grad",
  kernel: K.dropout_grad,
  inputs: ["dy", "mask"],
  keep: ["mask"],
  infer: ({ dy }): Spec => dy as Value,
  scalars: ({ p }: { p: number }) => [p],
  grad: { dy: (g, { mask }, attrs): Value => dropoutGrad({ dy: g, mask }, attrs) },
  cases: [{ inputs: { dy: [3, 5], mask: { shape: [3, 5], dtype: "bool" } }, attrs: { p: 0.25 } }],
});
/** y = mask x / (1 - p), each element of mask true with probability 1 - p. Reads the state; dropout() moves it on. */
const dropoutOp = op({
  name: "dropout",
  inputs: ["x", "state"],
  outputs: ["y", "mask"],
  keep: ["mask"],
  prepare: ({ x, state }) => ({ x: contiguous(x), state: contiguous(state) }),
  infer: ({ x }, _: { p: number }): Spec[] => [
    { shape: x.shape, dtype: x.dtype },
    { shape: x.shape, dtype: "bool" },
  ],
  forward: ({ y, mask }, { x, state }, { p }) => {
    if (x.size > 0) launch(K.dropout, x.dtype, [x.size, 4], [y, mask, x, state], [p]);
  },
  grad: { x: ({ y }, { mask }, attrs) => y && dropoutGrad({ dy: y, mask }, attrs) },
  cases: [
    {
      inputs: { x: [4, 20], state: { shape: [4], dtype: "i32", data: [7, 0, 5, 0] } },
      attrs: { p: 0.3 },
    },
  ],
});
/** In training, each element is 0 with probability p and else x / (1 - p); otherwise x itself. */
export function dropout(x: Value, p = 0.5, training = true): Value {
  checkProbability("dropout", p);
  if (!x.isFloat)
    fail("ERR_NABLA_DTYPE", "dropout", `scales floats, not ${x.dtype}`, { values: { x }, hint: 'x.to("f32")' });
  if (!training || p === 0) return x;
  const { y } = dropoutOp({ x, state }, { p });
  advance(x.size);
  return y;
}
