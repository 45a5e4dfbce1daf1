// Recurrent layers and their cells; weights are inputs, by PyTorch's names.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Result, type Table } from "../args.ts";
import { call } from "../library.ts";

interface Weights {
  readonly weightIh: Value;
  readonly weightHh: Value;
  readonly biasIh: Value | undefined;
  readonly biasHh: Value | undefined;
}
const weights = (a: Args, suffix: string): Weights => ({
  weightIh: a.tensor(`weight_ih${suffix}`),
  weightHh: a.tensor(`weight_hh${suffix}`),
  biasIh: a.optional(`bias_ih${suffix}`),
  biasHh: a.optional(`bias_hh${suffix}`),
});
function layers(a: Args): Weights[][] {
  const suffixes = a.flag("bidirectional") ? ["", "_reverse"] : [""];
  return Array.from({ length: a.number("num_layers", 1) }, (_, l) => suffixes.map((s) => weights(a, `_l${l}${s}`)));
}

function layer(op: string, run: (results: Record<string, Value>) => Result): Entry {
  return entry("input h0 c0", (a) => {
    const states = a.has("c0") ? [a.tensor("h0"), a.tensor("c0")] : a.optional("h0");
    a.ignore("bias");
    const options = {
      batchFirst: a.flag("batch_first"),
      ...(a.has("nonlinearity") ? { nonlinearity: a.word("nonlinearity", "tanh") } : {}),
    };
    return run(call(op, [a.tensor("input")], layers(a), states, options));
  });
}
const plain = ({ y, hn }: Record<string, Value>): Result => ({ output: y!, h_n: hn! });

export const recurrent: Table = {
  RNN: layer("rnn", plain),
  GRU: layer("gru", plain),
  LSTM: layer("lstm", ({ y, hn, cn }) => ({ output: y!, h_n: hn!, c_n: cn! })),
  RNNCell: entry("input h", (a) =>
    call("rnnCell", [a.tensor("input")], weights(a, ""), a.optional("h"), a.word("nonlinearity", "tanh")),
  ),
  GRUCell: entry("input h", (a) => call("gruCell", [a.tensor("input")], weights(a, ""), a.optional("h"))),
  LSTMCell: entry("input h c", (a) => {
    const [h, c] = call<[Value, Value]>(
      "lstmCell",
      [a.tensor("input")],
      weights(a, ""),
      a.has("h") ? [a.tensor("h"), a.tensor("c")] : undefined,
    );
    return { h, c };
  }),
};
