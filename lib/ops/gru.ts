// Gated recurrent units (Cho et al., 2014), with the reset gate behind the product as in PyTorch and cuDNN. With x' = W x_t + b and
// h' = U h_(t-1) + c: r = sigmoid(x'_r + h'_r), z = sigmoid(x'_z + h'_z), n = tanh(x'_n + r h'_n), h_t = (1 - z) n + z h_(t-1).
import { emptyValue, type Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op } from "../engine/op.ts";
import { gradEnabled } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { assign } from "./arithmetic.ts";
import { zeros } from "./create.ts";
import { added, minus, times } from "./formula.ts";
import { cat, chunk, stack } from "./join.ts";
import { matmul } from "./matmul.ts";
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
  sigmoidSlope,
  stacked,
  stepOf,
  tanhSlope,
  throughWeights,
  type Weights,
} from "./recurrent.ts";

/** Gradients of what the layer gives: all states, the last one, and the gates and q = h'_n that are kept. */
interface Flow {
  readonly h?: Value;
  readonly hn?: Value;
  readonly gates?: Value;
  readonly q?: Value;
}
type Kept = Layer & { readonly h: Value; readonly gates: Value; readonly q: Value };

/** The gradients of x' and h' at all steps, and of the initial state. */
const gruGrad = op({
  name: "gru_grad",
  inputs: ["dh?", "dhn?", "dgates?", "dq?", "gates", "q", "h", "h0", "weightHh", "lengths?"],
  outputs: ["dx", "dt", "dh0"],
  prepare: laid,
  infer: ({ gates, h0 }, _: Direction) => [gates, gates, h0].map(({ shape, dtype }) => ({ shape, dtype })),
  forward({ dx, dt, dh0 }, { dh, dhn, dgates, dq, gates, q, h, h0, weightHh, lengths }, { reverse }) {
    if (h.size === 0) return;
    const [time, batch, hidden] = h.shape;
    assign(dh0, dhn ?? 0);
    for (const t of order(time, !reverse)) {
      const made = [at(dx, t), at(dt, t), dh0];
      const kept = [at(gates, t), at(q, t), before(t, h, h0, reverse)];
      const given = [atOrNull(dh, t), atOrNull(dgates, t), atOrNull(dq, t), lengths ?? null];
      launch(K.gru_cell_grad, h.dtype, [batch, 3 * hidden, hidden], [...made, ...kept, ...given], [t]);
      projectBack(dh0, at(dt, t), weightHh);
    }
  },
  cases: [
    {
      inputs: {
        dh: [3, 2, 5],
        dq: [3, 2, 5],
        gates: [3, 2, 15],
        q: [3, 2, 5],
        h: [3, 2, 5],
        h0: [2, 5],
        weightHh: [15, 5],
      },
      attrs: { reverse: false },
      order: 0,
    },
  ],
});
/** The same of ops. */
function gruBack(gy: Flow, { gates, q, h, h0, weightHh, lengths }: Kept, { reverse }: Direction) {
  const [dx, dt]: [Value[], Value[]] = [[], []];
  let dh = gy.hn ?? zeros(h0.shape, h0.dtype);
  for (const t of order(h.shape[0], !reverse)) {
    const [r, z, n] = chunk(selected(gates, t), 3, 1);
    const up = gy.gates && chunk(selected(gy.gates, t), 3, 1);
    const [from, on] = [before(t, h, h0, reverse, selected), live(lengths, t)];
    dh = added(dh, stepOf(gy.h, t));
    const dn = times(added(times(dh, minus(1, z)), up?.[2]), tanhSlope(n));
    const dr = times(added(times(dn, selected(q, t)), up?.[0]), sigmoidSlope(r));
    const dz = times(added(times(dh, minus(from, n)), up?.[1]), sigmoidSlope(z));
    dx[t] = choose(on, cat([dr, dz, dn], 1), 0);
    dt[t] = choose(on, cat([dr, dz, added(times(dn, r), stepOf(gy.q, t))], 1), 0);
    dh = added(matmul(dt[t], weightHh), choose(on, times(dh, z), dh));
  }
  return { dx: stack(dx), dt: stack(dt), dh0: dh };
}

const sizes = { x: [3, 2, 4], weightIh: [15, 4], weightHh: [15, 5], h0: [2, 5] };
const gruOp = op({
  name: "gru",
  inputs: layerInputs,
  outputs: ["h", "hn", "gates", "q"],
  keep: ["x", "weightIh", "weightHh", "h0", "lengths", "h", "gates", "q"],
  prepare: laid,
  infer(x, _: Direction) {
    const { sequence, state, gates } = inferLayer("gru", 3, x);
    return [sequence, state, gates, sequence];
  },
  forward({ h, hn, gates, q }, { x, weightIh, weightHh, biasIh, biasHh, h0, lengths }, { reverse }) {
    if (h.size === 0) return;
    const [time, batch, hidden] = h.shape;
    project(gates, x, weightIh, biasIh);
    const turned = emptyValue([batch, 3 * hidden], h.dtype);
    let state = h0;
    for (const t of order(time, reverse)) {
      project(turned, state, weightHh, biasHh);
      const operands = [at(gates, t), at(h, t), at(q, t), turned, state, lengths ?? null];
      launch(K.gru_cell, h.dtype, [batch, 3 * hidden, hidden], operands, [t]);
      state = at(h, t);
    }
    assign(hn, state);
  },
  grad(gy, kept: Kept, attrs, needs) {
    const { gates, q, h, h0, weightHh, lengths } = kept;
    const flow = { dh: gy.h, dhn: gy.hn, dgates: gy.gates, dq: gy.q };
    const { dx, dt, dh0 } = gradEnabled()
      ? gruBack(gy, kept, attrs)
      : gruGrad({ ...flow, gates, q, h, h0, weightHh, lengths }, attrs);
    return { ...throughWeights(dx, dt, kept, attrs, needs), h0: dh0 };
  },
  cases: [
    { inputs: { ...sizes, biasIh: [15], biasHh: [15] }, attrs: { reverse: false } },
    { inputs: { ...sizes, lengths: { shape: [2], dtype: "i32", data: [3, 1] } }, attrs: { reverse: true } },
  ],
});

function run(
  x: Value,
  weights: Weights,
  [h0]: readonly Value[],
  lengths: Value | undefined,
  { reverse }: Direction,
): Ran {
  const { h, hn } = gruOp({ x, ...weights, h0, lengths }, { reverse });
  return { h, last: [hn] };
}
/** torch.nn.GRU: the output of the last layer, and the last states [layers directions, batch, hidden]. */
export function gru(
  x: Value,
  weights: readonly (readonly Weights[])[],
  h0?: Value,
  options: Stacking = {},
): { y: Value; hn: Value } {
  const { y, last } = stacked("gru", run, x, weights, h0 && [h0], 1, options);
  return { y, hn: last[0] };
}
/** torch.nn.GRUCell: the next state [batch, hidden]. */
export function gruCell(x: Value, weights: Weights, h?: Value): Value {
  return cell("gruCell", run, x, weights, h && [h])[0];
}
