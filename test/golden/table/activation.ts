// Activations.
import { type Args, type Entry, entry, type Table } from "../args.ts";
import { call } from "../library.ts";

const plain = (name: string): Entry => entry("input", (a) => call(name, [a.tensor("input")]));
/** f(x, number, ...): torch's names with their presets, in the order both have them. */
const withNumbers = (name: string, presets: Record<string, number>): Entry =>
  entry(["input", ...Object.keys(presets)].join(" "), (a) =>
    call(name, [a.tensor("input")], ...Object.entries(presets).map(([key, preset]) => a.number(key, preset))),
  );

/** The halves of a dimension: first sigmoid(second). */
function glu(a: Args) {
  return call("glu", [a.tensor("input")], a.number("dim", -1));
}

export const activation: Table = {
  relu: plain("relu"),
  relu6: plain("relu6"),
  silu: plain("silu"),
  sigmoid: plain("sigmoid"),
  tanh: plain("tanh"),
  selu: plain("selu"),
  mish: plain("mish"),
  softsign: plain("softsign"),
  tanhshrink: plain("tanhshrink"),
  hardsigmoid: plain("hardsigmoid"),
  hardswish: plain("hardswish"),
  logsigmoid: plain("logSigmoid"),
  leaky_relu: withNumbers("leakyRelu", { negative_slope: 0.01 }),
  elu: withNumbers("elu", { alpha: 1 }),
  celu: withNumbers("celu", { alpha: 1 }),
  softplus: withNumbers("softplus", { beta: 1, threshold: 20 }),
  hardtanh: withNumbers("hardtanh", { min_val: -1, max_val: 1 }),
  hardshrink: withNumbers("hardshrink", { lambd: 0.5 }),
  softshrink: withNumbers("softshrink", { lambd: 0.5 }),
  threshold: withNumbers("threshold", { threshold: 0, value: 0 }),
  gelu: entry("input approximate", (a) =>
    call("gelu", [a.tensor("input")], { approximate: a.word("approximate", "none") }),
  ),
  prelu: entry("input weight", (a) => call("prelu", [a.tensor("input"), a.tensor("weight")])),
  glu: entry("input dim", glu),
};
