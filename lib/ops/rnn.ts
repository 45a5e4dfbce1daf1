// The plain recurrent layer (Elman, 1990): h_t = act(W x_t + b + U h_(t-1) + c).
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op } from "../engine/op.ts";
import { gradEnabled } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { assign, cast, gt } from "./arithmetic.ts";
import { zeros } from "./create.ts";
import { plus, times } from "./formula.ts";
import { stack } from "./join.ts";
import {
  at,
  atOrNull,
  cell,
  choose,
  type Direction,
  inferLayer,
  type Layer,
  laid,
  layerInputs,
  live,
  order,
  project,
  projectBack,
  type Ran,
  type Stacking,
  selected,
  sentBack,
  stacked,
  stepOf,
  tanhSlope,
  throughWeights,
  type Weights,
} from "./recurrent.ts";

interface Attrs extends Direction {
  readonly relu: boolean;
}
interface Flow {
  readonly h?: Value;
  readonly hn?: Value;
}
type Kept = Layer & { readonly h: Value };

/** The gradient of all pre-activations, and of the initial state. */
const rnnGrad = op({
  name: "rnn_grad",
  inputs: ["dh?", "dhn?", "h", "weightHh", "lengths?"],
  outputs: ["dz", "dh0"],
  prepare: laid,
  infer: ({ h }, _: Attrs) => [
    { shape: h.shape, dtype: h.dtype },
    { shape: h.shape.slice(1), dtype: h.dtype },
  ],
  forward({ dz, dh0 }, { dh, dhn, h, weightHh, lengths }, { reverse, relu }) {
    if (h.size === 0) return;
    const [time, batch, hidden] = h.shape;
    assign(dh0, dhn ?? 0);
    for (const t of order(time, !reverse)) {
      const operands = [at(dz, t), dh0, at(h, t), atOrNull(dh, t), lengths ?? null];
      launch(K.rnn_cell_grad, h.dtype, [batch, hidden], operands, [Number(relu), t]);
      projectBack(dh0, at(dz, t), weightHh);
    }
  },
  cases: [
    {
      inputs: { dh: [3, 2, 5], dhn: [2, 5], h: [3, 2, 5], weightHh: [5, 5] },
      attrs: { reverse: false, relu: false },
      order: 0,
    },
  ],
});
/** The same of ops. */
function rnnBack(gy: Flow, { h, h0, weightHh, lengths }: Kept, { reverse, relu }: Attrs) {
  const dz: Value[] = [];
  let dh = gy.hn ?? zeros(h0.shape, h0.dtype);
  for (const t of order(h.shape[0], !reverse)) {
    const [y, on, up] = [selected(h, t), live(lengths, t), stepOf(gy.h, t)];
    if (up) dh = plus(dh, up);
    dz[t] = times(choose(on, dh, 0), relu ? cast(gt({ a: y, b: 0 }), y.dtype) : tanhSlope(y));
    dh = sentBack(dz[t], weightHh, on, dh);
  }
  return { dz: stack(dz), dh0: dh };
}

const sizes = { x: [3, 2, 4], weightIh: [5, 4], weightHh: [5, 5], h0: [2, 5] };
const rnnOp = op({
  name: "rnn",
  inputs: layerInputs,
  outputs: ["h", "hn"],
  keep: ["x", "weightIh", "weightHh", "h0", "lengths", "h"],
  prepare: laid,
  infer(x, _: Attrs) {
    const { sequence, state } = inferLayer("rnn", 1, x);
    return [sequence, state];
  },
  forward({ h, hn }, { x, weightIh, weightHh, biasIh, biasHh, h0, lengths }, { reverse, relu }) {
    if (h.size === 0) return;
    const [time, batch, hidden] = h.shape;
    project(h, x, weightIh, biasIh);
    let state = h0;
    for (const t of order(time, reverse)) {
      const y = at(h, t);
      project(y, state, weightHh, biasHh, true);
      launch(K.rnn_cell, h.dtype, [batch, hidden], [y, state, lengths ?? null], [Number(relu), t]);
      state = y;
    }
    assign(hn, state);
  },
  grad(gy, kept: Kept, attrs, needs) {
    const { h, weightHh, lengths } = kept;
    const { dz, dh0 } = gradEnabled()
      ? rnnBack(gy, kept, attrs)
      : rnnGrad({ dh: gy.h, dhn: gy.hn, h, weightHh, lengths }, attrs);
    return { ...throughWeights(dz, dz, kept, attrs, needs), h0: dh0 };
  },
  cases: [
    { inputs: { ...sizes, biasIh: [5], biasHh: [5] }, attrs: { reverse: false, relu: false } },
    {
      inputs: { ...sizes, lengths: { shape: [2], dtype: "i32", data: [3, 1] } },
      attrs: { reverse: true, relu: false },
    },
    {
      inputs: { ...sizes, x: { shape: [3, 2, 4], low: 0.2, high: 1 }, weightIh: { shape: [5, 4], low: 0.5, high: 1 } },
      attrs: { reverse: false, relu: true },
    },
  ],
});

const runs =
  (relu: boolean) =>
  (x: Value, weights: Weights, [h0]: readonly Value[], lengths: Value | undefined, { reverse }: Direction): Ran => {
    const { h, hn } = rnnOp({ x, ...weights, h0, lengths }, { reverse, relu });
    return { h, last: [hn] };
  };
/** What a plain layer's states go through. */
export type Nonlinearity = "tanh" | "relu";

/** torch.nn.RNN: the output of the last layer, and the last states [layers directions, batch, hidden]. */
export function rnn(
  x: Value,
  weights: readonly (readonly Weights[])[],
  h0?: Value,
  { nonlinearity = "tanh", ...options }: Stacking & { readonly nonlinearity?: Nonlinearity } = {},
): { y: Value; hn: Value } {
  const { y, last } = stacked("rnn", runs(nonlinearity === "relu"), x, weights, h0 && [h0], 1, options);
  return { y, hn: last[0] };
}
/** torch.nn.RNNCell: the next state [batch, hidden]. */
export function rnnCell(x: Value, weights: Weights, h?: Value, nonlinearity: Nonlinearity = "tanh"): Value {
  return cell("rnnCell", runs(nonlinearity === "relu"), x, weights, h && [h])[0];
}
