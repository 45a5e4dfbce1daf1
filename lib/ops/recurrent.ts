// What recurrent layers share. A layer in one direction is one op over the whole sequence [time, batch, features]: the products
// with the input at once, then for each step one product with the state and one pointwise row. Its gradient goes the
// same way back and leaves the gradients of all pre-activations, so that weights get theirs from one product each.
// Where gradients are themselves recorded, the way back is made of ops instead.
import { fail, showShape } from "../core/errors.ts";
import { numel, sameShape } from "../core/shape.ts";
import { type Value, viewValue, wrapArray } from "../core/value.ts";
import { elementsOf, isRecording, launch } from "../engine/launch.ts";
import type { Spec } from "../engine/op.ts";
import { cast, contiguous, gt, lt, where } from "./arithmetic.ts";
import { arange, zeros } from "./create.ts";
import { added, minus, times } from "./formula.ts";
import { cat, stack } from "./join.ts";
import { matmul, products } from "./matmul.ts";
import { dropout } from "./random.ts";
import { sum } from "./reduce.ts";
import { reshape, select, slice, transpose, unsqueeze } from "./view.ts";

/** Weights of one layer in one direction, gates stacked in PyTorch's order: [gates hidden, in], [gates hidden, hidden]. */
export interface Weights {
  readonly weightIh: Value;
  readonly weightHh: Value;
  readonly biasIh?: Value | undefined;
  readonly biasHh?: Value | undefined;
}
/** Inputs of a layer's op: x [time, batch, in], h0 [batch, hidden], lengths i32 [batch] of sequences that end before the last step. */
export interface Layer extends Weights {
  readonly x: Value;
  readonly h0: Value;
  readonly lengths?: Value | undefined;
}
export interface Direction {
  readonly reverse: boolean;
}
export const layerInputs = ["x", "weightIh", "weightHh", "biasIh?", "biasHh?", "h0", "lengths?"] as const;

/** Everything in memory order but the weights, which the products read as they lie. */
export function laid<X extends object>(x: X): X {
  const whole = (name: string, v: Value | undefined) => (v && !name.startsWith("weight") ? contiguous(v) : v);
  return Object.fromEntries(Object.entries(x).map(([name, v]) => [name, whole(name, v)])) as X;
}

/** The steps in the order they are taken. */
export function order(count: number, reverse: boolean): number[] {
  const steps = Array.from({ length: count }, (_, t) => t);
  return reverse ? steps.reverse() : steps;
}
/** A step of [time, ...], for launching. */
export const at = (x: Value, t: number): Value =>
  viewValue(x, x.shape.slice(1), x.strides.slice(1), x.offset + t * x.strides[0]);
/** The same where it may be absent. */
export const atOrNull = (x: Value | undefined, t: number): Value | null => (x ? at(x, t) : null);
export const stepOf = (x: Value | undefined, t: number): Value | undefined => x && select(x, 0, t);
export const sigmoidSlope = (y: Value): Value => times(y, minus(1, y));
export const tanhSlope = (y: Value): Value => minus(1, times(y, y));
/** The state that step t begins with; `step` takes it out of all states h. */
export function before(t: number, h: Value, h0: Value, reverse: boolean, step = at): Value {
  const from = reverse ? t + 1 : t - 1;
  return from < 0 || from === h.shape[0] ? h0 : step(h, from);
}
export const selected = (x: Value, t: number): Value => select(x, 0, t);

/** y = x Wᵀ + bias, or y += of it: x [..., k], weight [n, k]. */
export function project(y: Value, x: Value, weight: Value, bias: Value | undefined, onto = false): void {
  const [n, k] = weight.shape;
  const rows = numel(y.shape) / n;
  const steps = [0, 0, weight.strides[1], weight.strides[0]];
  product(y, [rows, n, k], x, { value: weight, steps }, bias, onto);
}
/** y += z W: z [rows, n], weight [n, k]. */
export function projectBack(y: Value, z: Value, weight: Value): void {
  const [n, k] = weight.shape;
  product(y, [numel(z.shape) / n, k, n], z, { value: weight, steps: [0, 0, ...weight.strides] }, undefined, true);
}
function product(
  y: Value,
  [m, n, k]: [number, number, number],
  a: Value,
  b: { value: Value; steps: readonly number[] },
  bias: Value | undefined,
  onto: boolean,
): void {
  const operands = [{ value: y, steps: [0, 0, n, 1] }, { value: a, steps: [0, 0, k, 1] }, b, bias ?? null, null, null];
  const scalars = onto ? [0, 1] : [0];
  launch(products(y.dtype)[onto ? "gemm" : "matmul"], y.dtype, [1, 1, m, n, k], operands, scalars);
}

/** The complaints of all layers; the shapes [time, batch, hidden] and [time, batch, gates hidden]. */
export function inferLayer(op: string, gates: number, layer: Layer, more: Readonly<Record<string, Value>> = {}) {
  const { x, weightIh, weightHh, biasIh, biasHh, h0, lengths } = layer;
  const hidden = weightHh.shape[1];
  const values = { x, weightIh, weightHh, biasIh, biasHh, h0, ...more, lengths };
  const expect = (name: string, v: Value | undefined, shape: readonly number[]) => {
    if (v && !sameShape(v.shape, shape))
      fail("ERR_NABLA_SHAPE", op, `${name} must be ${showShape(shape)}, got ${showShape(v.shape)}`, {
        values,
        expected: shape,
        actual: v.shape,
      });
  };
  if (x.ndim !== 3)
    fail("ERR_NABLA_SHAPE", op, "takes sequences [time, batch, features]", {
      values,
      expected: 3,
      actual: x.ndim,
      hint: "one sequence is a batch of one: x.unsqueeze(1)",
    });
  const [time, batch, width] = x.shape;
  if (time === 0) fail("ERR_NABLA_SHAPE", op, "a sequence needs at least one step", { values });
  if (width !== weightIh.shape[1])
    fail("ERR_NABLA_SHAPE", op, `takes ${weightIh.shape[1]} features a step, got ${width}`, {
      values,
      expected: weightIh.shape[1],
      actual: width,
    });
  expect("weightIh", weightIh, [gates * hidden, width]);
  expect("weightHh", weightHh, [gates * hidden, hidden]);
  for (const [name, bias] of [["biasIh", biasIh] as const, ["biasHh", biasHh] as const])
    expect(name, bias, [gates * hidden]);
  for (const [name, state] of Object.entries({ h0, ...more })) expect(name, state, [batch, hidden]);
  expect("lengths", lengths, [batch]);
  for (const v of [weightIh, weightHh, biasIh, biasHh, h0, ...Object.values(more)])
    if (v && v.dtype !== x.dtype)
      fail("ERR_NABLA_DTYPE", op, `input is ${x.dtype}, weights or state ${v.dtype}`, {
        values,
        expected: v.dtype,
        actual: x.dtype,
        hint: `cast the input: x.to("${v.dtype}")`,
      });
  const spec = (...shape: number[]): Spec => ({ shape, dtype: x.dtype });
  return {
    sequence: spec(time, batch, hidden),
    state: spec(batch, hidden),
    gates: spec(time, batch, gates * hidden),
  };
}

type Asked = (name: "x" | "weightIh" | "weightHh" | "biasIh" | "biasHh") => boolean;
/** dW [n, k] = dzᵀ x over all steps, in the order of the weight's memory, so that an optimizer walks both alike. */
function weightGrad(dz: Value, x: Value, weight: Value): Value {
  const flat = (v: Value) => reshape(v, [-1, v.shape[2]]);
  const [z, from] = [flat(dz), flat(x)];
  if (weight.strides[0] < weight.strides[1]) return transpose(matmul(transpose(from), z));
  return matmul(transpose(z), from);
}
/** Gradients of input and weights from those of the input's and of the state's share of the pre-activations. */
export function throughWeights(dx: Value, dt: Value, kept: Layer & { h: Value }, { reverse }: Direction, needs: Asked) {
  const { x, weightIh, weightHh, h, h0 } = kept;
  const time = h.shape[0];
  const bias = needs("biasIh") || needs("biasHh") ? sum(dx, [0, 1]) : undefined;
  const first = unsqueeze(h0, 0);
  const states = () => (reverse ? cat([slice(h, 0, 1), first]) : cat([first, slice(h, 0, 0, time - 1)]));
  return {
    x: needs("x") ? matmul(dx, weightIh) : undefined,
    weightIh: needs("weightIh") ? weightGrad(dx, x, weightIh) : undefined,
    weightHh: needs("weightHh") ? weightGrad(dt, states(), weightHh) : undefined,
    biasIh: bias,
    biasHh: needs("biasHh") && dt !== dx ? sum(dt, [0, 1]) : bias,
  };
}

/** What dh, the gradient of a state, sends to the state before: through the product, and as it is from sequences that have ended. */
export const sentBack = (dz: Value, weight: Value, on: Value | undefined, dh: Value): Value =>
  added(matmul(dz, weight), on && where({ condition: on, a: 0, b: dh }));
/** true [batch, 1] where the sequence has not ended at step t. */
export function live(lengths: Value | undefined, t: number): Value | undefined {
  return lengths && unsqueeze(gt({ a: lengths, b: t }), 1);
}
/** a where condition, else b; a where there is no condition. */
export function choose(condition: Value | undefined, a: Value, b: Value | number): Value {
  return condition ? where({ condition, a, b }) : a;
}

/** What a layer in one direction gives: the states of all steps [time, batch, hidden], and those after the last one. */
export interface Ran {
  readonly h: Value;
  readonly last: readonly Value[];
}
type Run = (x: Value, weights: Weights, state: readonly Value[], lengths: Value | undefined, by: Direction) => Ran;
/** How layers are stacked. */
export interface Stacking {
  /** x and the output are [batch, time, ...]. */
  readonly batchFirst?: boolean;
  /** Probability of dropout between layers; 0 outside of training. */
  readonly dropout?: number;
  /** How many steps each sequence has. */
  readonly lengths?: Value | readonly number[] | undefined;
}

/** Lengths as i32 [batch], each in 1 .. time. In a step that is being recorded nothing can be read; the kernels take any. */
function checkLengths(op: string, given: Value | readonly number[], time: number): Value {
  const lengths = Array.isArray(given) ? fromList(op, given) : cast(given as Value, "i32");
  if (isRecording()) return lengths;
  const bad = elementsOf(op, contiguous(lengths)).find((n) => n < 1 || n > time);
  if (bad !== undefined)
    fail("ERR_NABLA_VALUE", op, `a sequence of length ${bad} in a batch of ${time} steps`, {
      values: { lengths },
      expected: [1, time],
      actual: bad,
    });
  return lengths;
}
function fromList(op: string, list: readonly number[]): Value {
  if (!list.every(Number.isInteger))
    fail("ERR_NABLA_VALUE", op, `lengths are whole numbers, got [${list.join(", ")}]`, { actual: list });
  return wrapArray(Int32Array.from(list), [list.length], "i32");
}
/** x [time, batch, ...] with zeros behind the end of each sequence. */
function cut(x: Value, lengths: Value | undefined): Value {
  if (!lengths) return x;
  const steps = reshape(arange(0, x.shape[0]), [-1, 1]);
  return choose(unsqueeze(lt({ a: steps, b: lengths }), 2), x, 0);
}

/** Layers one after the other, each in one direction or in both, whose states then stand side by side. */
export function stacked(
  op: string,
  run: Run,
  x: Value,
  weights: readonly (readonly Weights[])[],
  given: readonly Value[] | undefined,
  states: number,
  { batchFirst = false, dropout: p = 0, lengths: raw }: Stacking,
): { y: Value; last: Value[] } {
  if (x.ndim !== 3)
    fail("ERR_NABLA_SHAPE", op, `takes sequences [${batchFirst ? "batch, time" : "time, batch"}, features]`, {
      values: { x },
      expected: 3,
      actual: x.ndim,
    });
  let y = batchFirst ? transpose(x, 0, 1) : x;
  const [time, batch] = y.shape;
  const hidden = weights[0][0].weightHh.shape[1];
  const directions = weights[0].length;
  checkStates(op, given, [weights.length * directions, batch, hidden], x);
  const lengths = raw && checkLengths(op, raw, time);
  const zero = given ? undefined : zeros([batch, hidden], x.dtype);
  const last: (readonly Value[])[] = [];
  weights.forEach((layer, l) => {
    const from = l > 0 ? dropout(y, p) : y;
    const both = layer.map((w, d) => {
      const state = Array.from({ length: states }, (_, s) => zero ?? select(given![s], 0, l * directions + d));
      return run(from, w, state, lengths, { reverse: d === 1 });
    });
    y = cut(
      both.length > 1
        ? cat(
            both.map(({ h }) => h),
            2,
          )
        : both[0].h,
      lengths,
    );
    last.push(...both.map((b) => b.last));
  });
  return {
    y: batchFirst ? transpose(y, 0, 1) : y,
    last: Array.from({ length: states }, (_, s) => stack(last.map((all) => all[s]))),
  };
}
function checkStates(op: string, given: readonly Value[] | undefined, shape: readonly number[], x: Value): void {
  for (const state of given ?? []) {
    if (sameShape(state.shape, shape)) continue;
    fail("ERR_NABLA_SHAPE", op, `an initial state must be ${showShape(shape)}, got ${showShape(state.shape)}`, {
      values: { x, state },
      expected: shape,
      actual: state.shape,
      hint: "[layers times directions, batch, hidden]",
    });
  }
}

/** One step of one layer: x [batch, in] and a state [batch, hidden] to the next state. */
export function cell(
  op: string,
  run: Run,
  x: Value,
  weights: Weights,
  given: readonly Value[] | undefined,
  states = 1,
) {
  if (x.ndim !== 2)
    fail("ERR_NABLA_SHAPE", op, "takes one step of a batch [batch, features]", {
      values: { x },
      expected: 2,
      actual: x.ndim,
    });
  const zero = given ? undefined : zeros([x.shape[0], weights.weightHh.shape[1]], x.dtype);
  const state = given ?? Array.from({ length: states }, () => zero as Value);
  return run(unsqueeze(x, 0), weights, state, undefined, { reverse: false }).last;
}
