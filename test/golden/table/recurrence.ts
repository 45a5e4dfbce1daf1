// ONNX recurrent nodes. What torch's cells can say runs on nabla's layers, with the rows of the weights in torch's order of
// gates; a GRU whose reset gate stands before the product and an LSTM with peepholes are composed of nabla's ops, step by step.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Result, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { node, x0 } from "./node.ts";

interface Weights {
  readonly weightIh: Value;
  readonly weightHh: Value;
  readonly biasIh?: Value;
  readonly biasHh?: Value;
}
interface Sequence {
  /** [time, batch, in] */
  readonly x: Value;
  /** One for each direction. */
  readonly weights: readonly Weights[];
  /** [directions, batch, hidden] each, zeros where the node has none. */
  readonly states: readonly Value[];
  readonly lengths: Value | undefined;
  readonly direction: string;
}
interface Ran {
  /** [time, batch, directions hidden] */
  readonly y: Value;
  /** [directions, batch, hidden] each */
  readonly last: readonly Value[];
}

/** Rows of `count` gates in another order. */
function gates(x: Value, order: readonly number[]): Value {
  const parts = call<Value[]>("chunk", [x], order.length);
  return call(
    "cat",
    [],
    order.map((g) => parts[g]!),
  );
}
/** order: which of the node's gates stands at each place of torch's. */
function weightsOf(a: Args, order: readonly number[]): Weights[] {
  const [w, r, b] = [a.tensor("x1"), a.tensor("x2"), a.optional("x3")];
  return Array.from({ length: w.shape[0]! }, (_, d) => {
    const own = (x: Value) => call<Value>("select", [x], 0, d);
    const both = { weightIh: gates(own(w), order), weightHh: gates(own(r), order) };
    if (!b) return both;
    const [biasIh, biasHh] = call<Value[]>("chunk", [own(b)], 2);
    return { ...both, biasIh: gates(biasIh!, order), biasHh: gates(biasHh!, order) };
  });
}
function sequence(a: Args, order: readonly number[], states: readonly string[]): Sequence {
  const turned = (x: Value): Value => (a.flag("layout") ? call("transpose", [x], 0, 1) : x);
  const [x, weights] = [turned(x0(a)), weightsOf(a, order)];
  const hidden = weights[0]!.weightHh.shape[1]!;
  if (a.number("hidden_size", hidden) !== hidden) throw new Skip("a hidden size that is not the weights'");
  const zero = () => call<Value>("zeros", [], [weights.length, x.shape[1], hidden]);
  return {
    x,
    weights,
    states: states.map((name) => (a.has(name) ? turned(a.tensor(name)) : zero())),
    lengths: a.optional("x4"),
    direction: a.word("direction", "forward"),
  };
}
/** The names of activations, where they are given, must be those of torch's cell. */
function usual(a: Args, ...names: string[]): void {
  const given = (a.get("activations") ?? names) as string[];
  if (given.some((name, i) => name !== names[i % names.length])) throw new Skip(`no ${given} in these cells`);
}

/** One of nabla's layers. Reverse alone is the second direction of a layer that has the same weights in both. */
function layer(op: string, s: Sequence, options: object = {}): Ran {
  const alone = s.direction === "reverse";
  const twice = (x: Value): Value => (alone ? call("cat", [], [x, x]) : x);
  const states = s.states.map(twice);
  const { y, hn, cn } = call<{ y: Value; hn: Value; cn?: Value }>(
    op,
    [s.x],
    [alone ? [...s.weights, ...s.weights] : s.weights],
    states.length > 1 ? states : states[0],
    { ...options, lengths: s.lengths },
  );
  const last = cn ? [hn, cn] : [hn];
  if (!alone) return { y, last };
  return {
    y: call("slice", [y], 2, y.shape[2]! / 2),
    last: last.map((x) => call("slice", [x], 0, 1)),
  };
}

/** From x [batch, in] and the states [batch, hidden] to the next ones, of which the first is the output. */
type Cell = (x: Value, states: readonly Value[], weights: Weights, direction: number) => Value[];
/** A cell over all steps; a sequence that has ended keeps its states and gives zeros. */
function steps(s: Sequence, cell: Cell): Ran {
  const directions = s.weights.map((weights, d) => {
    const reverse = s.direction === "reverse" || d === 1;
    let states = s.states.map((x) => call<Value>("select", [x], 0, d));
    const rows: Value[] = [];
    const time = s.x.shape[0]!;
    for (let i = 0; i < time; i++) {
      const t = reverse ? time - 1 - i : i;
      const next = cell(call("select", [s.x], 0, t), states, weights, d);
      const on = s.lengths && call<Value>("unsqueeze", [call("gt", [s.lengths, t])], 1);
      const kept = (x: Value, past: Value | number): Value => (on ? call("where", [on, x, past]) : x);
      rows[t] = kept(next[0]!, 0);
      states = next.map((x, k) => kept(x, states[k]!));
    }
    return { y: call<Value>("stack", [], rows), states };
  });
  const all = directions.map(({ y }) => y);
  const ends = s.states.map((_, k) => directions.map(({ states }) => states[k]!));
  return { y: call("cat", [], all, 2), last: ends.map((list) => call("stack", [], list)) };
}
const sigmoid = (x: Value): Value => call("sigmoid", [x]);
const tanh = (x: Value): Value => call("tanh", [x]);
const add = (...terms: Value[]): Value => terms.reduce((x, y) => call("add", [x, y]));
const mul = (x: Value, y: Value): Value => call("mul", [x, y]);
const chunks = (x: Value, count: number): Value[] => call("chunk", [x], count, 1);

/** n = tanh(W x + U (r h) + b), where torch has r (U h + b'): h' = n + z (h - n). */
const resetFirst: Cell = (x, [h], { weightIh, weightHh, biasIh, biasHh }) => {
  const [xr, xz, xn] = chunks(call("linear", [x, weightIh, biasIh]), 3) as [Value, Value, Value];
  const [hr, hz] = chunks(call("linear", [h, weightHh, biasHh]), 3) as [Value, Value];
  const [r, z] = [sigmoid(add(xr, hr)), sigmoid(add(xz, hz))];
  const [un, bn] = [weightHh, biasHh].map((w) => w && call<Value[]>("chunk", [w], 3)[2]);
  const n = tanh(add(xn, call("linear", [mul(r, h!), un, bn])));
  return [add(n, mul(z, call("sub", [h, n])))];
};
/** Gates that see the cell as well: i and f the last one, o the next. p [directions, 3 hidden] of i, o, f. */
const peeping =
  (p: Value): Cell =>
  (x, [h, c], { weightIh, weightHh, biasIh, biasHh }, d) => {
    const z = add(call("linear", [x, weightIh, biasIh]), call("linear", [h, weightHh, biasHh]));
    const [zi, zf, zg, zo] = chunks(z, 4) as [Value, Value, Value, Value];
    const [pi, po, pf] = call<[Value, Value, Value]>("chunk", [call("select", [p], 0, d)], 3);
    const [i, f] = [sigmoid(add(zi, mul(pi, c!))), sigmoid(add(zf, mul(pf, c!)))];
    const next = add(mul(f, c!), mul(i, tanh(zg)));
    const o = sigmoid(add(zo, mul(po, next)));
    return [mul(o, tanh(next)), next];
  };

/** Y [time, directions, batch, hidden] and the last states; layout 1 has the batch in front. */
function results(a: Args, { weights }: Sequence, { y, last }: Ran): Result {
  const [time, batch] = y.shape as [number, number];
  const apart = call<Value>("reshape", [y], [time, batch, weights.length, -1]);
  if (!a.flag("layout")) return [call("permute", [apart], [0, 2, 1, 3]), ...last];
  return [call("transpose", [apart], 0, 1), ...last.map((x) => call<Value>("transpose", [x], 0, 1))];
}

function rnn(a: Args): Result {
  const s = sequence(a, [0], ["x5"]);
  const nonlinearity = (a.numbers("activations") as unknown as string[] | undefined)?.[0] === "Relu" ? "relu" : "tanh";
  usual(a, nonlinearity === "relu" ? "Relu" : "Tanh");
  return results(a, s, layer("rnn", s, { nonlinearity }));
}
/** z r h here, r z n in torch. */
function gru(a: Args): Result {
  const s = sequence(a, [1, 0, 2], ["x5"]);
  usual(a, "Sigmoid", "Tanh");
  return results(a, s, a.flag("linear_before_reset") ? layer("gru", s) : steps(s, resetFirst));
}
/** i o f c here, i f g o in torch. */
function lstm(a: Args): Result {
  const s = sequence(a, [0, 2, 3, 1], ["x5", "x6"]);
  usual(a, "Sigmoid", "Tanh", "Tanh");
  return results(a, s, a.has("x7") ? steps(s, peeping(a.tensor("x7"))) : layer("lstm", s));
}

export const recurrence: Table = { RNN: node(rnn), GRU: node(gru), LSTM: node(lstm) };
