// Long short-term memory (Hochreiter & Schmidhuber, 1997; forget gate of Gers et al., 2000): gates z = W x_t + b + U h_(t-1) + c in
// the order i, f, g, o; c_t = sigmoid(f) c_(t-1) + sigmoid(i) tanh(g), h_t = sigmoid(o) tanh(c_t).
import { emptyValue, type Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op } from "../engine/op.ts";
import { gradEnabled } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { tanh } from "./activation.ts";
import { assign } from "./arithmetic.ts";
import { zeros } from "./create.ts";
import { added, plus, times } from "./formula.ts";
import { cat, chunk, stack } from "./join.ts";
import {
  at,
  atOrNull,
  before,
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
  sigmoidSlope,
  stacked,
  stepOf,
  tanhSlope,
  throughWeights,
  type Weights,
} from "./recurrent.ts";

/** Gradients of what the layer gives: all states, the last ones, and the gates and cells that are kept. */
interface Flow {
  readonly h?: Value;
  readonly hn?: Value;
  readonly cn?: Value;
  readonly gates?: Value;
  readonly c?: Value;
}
type Kept = Layer & { readonly c0: Value; readonly h: Value; readonly gates: Value; readonly c: Value };

/** The gradient of all pre-activations, and of the initial states. */
const lstmGrad = op({
  name: "lstm_grad",
  inputs: ["dh?", "dhn?", "dcn?", "dgates?", "dc?", "gates", "c", "c0", "weightHh", "lengths?"],
  outputs: ["dz", "dh0", "dc0"],
  prepare: laid,
  infer: ({ gates, c0 }, _: Direction) => [gates, c0, c0].map(({ shape, dtype }) => ({ shape, dtype })),
  forward({ dz, dh0, dc0 }, { dh, dhn, dcn, dgates, dc, gates, c, c0, weightHh, lengths }, { reverse }) {
    if (c.size === 0) return;
    const [time, batch, hidden] = c.shape;
    assign(dh0, dhn ?? 0);
    assign(dc0, dcn ?? 0);
    for (const t of order(time, !reverse)) {
      const z = at(dz, t);
      const kept = [at(gates, t), at(c, t), before(t, c, c0, reverse)];
      const given = [atOrNull(dh, t), atOrNull(dgates, t), atOrNull(dc, t), lengths ?? null];
      launch(K.lstm_cell_grad, c.dtype, [batch, gates.shape[2], hidden], [z, dh0, dc0, ...kept, ...given], [t]);
      projectBack(dh0, z, weightHh);
    }
  },
  cases: [
    {
      inputs: { dh: [3, 2, 5], dcn: [2, 5], gates: [3, 2, 20], c: [3, 2, 5], c0: [2, 5], weightHh: [20, 5] },
      attrs: { reverse: false },
      order: 0,
    },
  ],
});
/** The same of ops. */
function lstmBack(gy: Flow, { gates, c, c0, weightHh, lengths }: Kept, { reverse }: Direction) {
  const dz: Value[] = [];
  const zero = zeros(c0.shape, c0.dtype);
  let [dh, dc] = [gy.hn ?? zero, gy.cn ?? zero];
  for (const t of order(c.shape[0], !reverse)) {
    const [i, f, g, o] = chunk(selected(gates, t), 4, 1);
    const [state, from, on] = [tanh({ x: selected(c, t) }), before(t, c, c0, reverse, selected), live(lengths, t)];
    dh = added(dh, stepOf(gy.h, t));
    dc = added(dc, stepOf(gy.c, t));
    const through = plus(dc, times(times(dh, o), tanhSlope(state)));
    const pulled = cat([times(through, g), times(through, from), times(through, i), times(dh, state)], 1);
    const slopes = cat([sigmoidSlope(i), sigmoidSlope(f), tanhSlope(g), sigmoidSlope(o)], 1);
    dz[t] = choose(on, times(added(pulled, stepOf(gy.gates, t)), slopes), 0);
    dh = sentBack(dz[t], weightHh, on, dh);
    dc = choose(on, times(through, f), dc);
  }
  return { dz: stack(dz), dh0: dh, dc0: dc };
}

const sizes = { x: [3, 2, 4], weightIh: [20, 4], weightHh: [20, 5], h0: [2, 5], c0: [2, 5] };
const lstmOp = op({
  name: "lstm",
  inputs: [...layerInputs, "c0"],
  outputs: ["h", "hn", "cn", "gates", "c"],
  keep: ["x", "weightIh", "weightHh", "h0", "c0", "lengths", "h", "gates", "c"],
  prepare: laid,
  infer(x, _: Direction) {
    const { sequence, state, gates } = inferLayer("lstm", 4, x, { c0: x.c0 });
    return [sequence, state, state, gates, sequence];
  },
  forward({ h, hn, cn, gates, c }, { x, weightIh, weightHh, biasIh, biasHh, h0, c0, lengths }, { reverse }) {
    if (h.size === 0) return;
    const [time, batch, hidden] = h.shape;
    project(gates, x, weightIh, biasIh);
    const turned = emptyValue([batch, 4 * hidden], h.dtype);
    let [state, memory] = [h0, c0];
    for (const t of order(time, reverse)) {
      const [z, y, m] = [at(gates, t), at(h, t), at(c, t)];
      project(turned, state, weightHh, biasHh);
      const operands = [z, y, m, turned, state, memory, lengths ?? null];
      launch(K.lstm_cell, h.dtype, [batch, 4 * hidden, hidden], operands, [t]);
      [state, memory] = [y, m];
    }
    assign(hn, state);
    assign(cn, memory);
  },
  grad(gy, kept: Kept, attrs, needs) {
    const { gates, c, c0, weightHh, lengths } = kept;
    const flow = { dh: gy.h, dhn: gy.hn, dcn: gy.cn, dgates: gy.gates, dc: gy.c };
    const { dz, dh0, dc0 } = gradEnabled()
      ? lstmBack(gy, kept, attrs)
      : lstmGrad({ ...flow, gates, c, c0, weightHh, lengths }, attrs);
    return { ...throughWeights(dz, dz, kept, attrs, needs), h0: dh0, c0: dc0 };
  },
  cases: [
    { inputs: { ...sizes, biasIh: [20], biasHh: [20] }, attrs: { reverse: false } },
    { inputs: { ...sizes, lengths: { shape: [2], dtype: "i32", data: [3, 1] } }, attrs: { reverse: true } },
  ],
});

function run(
  x: Value,
  weights: Weights,
  [h0, c0]: readonly Value[],
  lengths: Value | undefined,
  { reverse }: Direction,
): Ran {
  const { h, hn, cn } = lstmOp({ x, ...weights, h0, c0, lengths }, { reverse });
  return { h, last: [hn, cn] };
}
/** torch.nn.LSTM: the output of the last layer, and the last states and cells [layers directions, batch, hidden]. */
export function lstm(
  x: Value,
  weights: readonly (readonly Weights[])[],
  states?: readonly [Value, Value],
  options: Stacking = {},
): { y: Value; hn: Value; cn: Value } {
  const { y, last } = stacked("lstm", run, x, weights, states, 2, options);
  return { y, hn: last[0], cn: last[1] };
}
/** torch.nn.LSTMCell: the next state and cell [batch, hidden]. */
export function lstmCell(x: Value, weights: Weights, states?: readonly [Value, Value]): [Value, Value] {
  const [h, c] = cell("lstmCell", run, x, weights, states, 2);
  return [h, c];
}
