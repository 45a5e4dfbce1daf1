import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import { empty } from "../ops/create.ts";
import { gru } from "../ops/gru.ts";
import { lstm } from "../ops/lstm.ts";
import { type Nonlinearity, rnn } from "../ops/rnn.ts";
import { transpose } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LastIs, ReplaceLast, Shape, Str } from "../types/shape.ts";
import { uniform } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Weights of one layer in one direction. */
export interface Gates {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh?: Parameter;
  readonly biasHh?: Parameter;
}
/** As many gates as asked, uniform in ±1 / √hidden. Weights lie in memory as [in, out], as those of {@link Linear} do. */
export function gatesOf(gates: number, width: number, hidden: number, bias: boolean): Gates {
  const bound = 1 / Math.sqrt(Math.max(hidden, 1));
  const drawn = (x: unknown) => new Parameter(uniform(x as Tensor, -bound, bound));
  const weight = (size: number) => drawn(transpose(empty([size, gates * hidden])));
  const weights = { weightIh: weight(width), weightHh: weight(hidden) };
  const vector = () => drawn(empty([gates * hidden]));
  return bias ? { ...weights, biasIh: vector(), biasHh: vector() } : weights;
}
/** Their names in a state dict. */
export function named({ weightIh, weightHh, biasIh, biasHh }: Gates, suffix = ""): [string, Parameter | undefined][] {
  const all = { weight_ih: weightIh, weight_hh: weightHh, bias_ih: biasIh, bias_hh: biasHh };
  return Object.entries(all).map(([name, x]) => [`${name}${suffix}`, x]);
}

/** Options of the recurrent layers; the names are PyTorch's. */
export interface RecurrentOptions<B extends boolean = boolean> {
  /** Layers one on top of the other; 1 unless given. */
  numLayers?: number;
  bias?: boolean;
  /** Input and output are [batch, time, ...] instead of [time, batch, ...]. States keep their order. */
  batchFirst?: boolean;
  /** Probability of dropout after each layer but the last, in training. */
  dropout?: number;
  /** A second layer reads each sequence from its end; the output has the states of both side by side. */
  bidirectional?: B;
}
/** What else a call takes. */
export interface SequenceOptions {
  /**
   * Steps of each sequence of the batch: what follows is not read, the output there is 0, and last states are those at each
   * sequence's own end. PyTorch's packed sequences, without packing.
   */
  lengths?: Tensor | readonly number[];
}

type Sides<H extends number, B extends boolean> = B extends false ? H : number;
type Output<S extends Shape, H extends number, B extends boolean> = Tensor<ReplaceLast<S, Sides<H, B>>, "f32">;
type State<H extends number> = Tensor<[number, number, H], "f32">;

/** What the three layers have in common. */
abstract class Recurrent<I extends number, H extends number, B extends boolean> extends Module {
  readonly inputSize: I;
  readonly hiddenSize: H;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** By layer and direction. */
  protected readonly weights: Gates[][];

  constructor(gates: number, inputSize: I, hiddenSize: H, options: RecurrentOptions<B>) {
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout = 0,
      bidirectional,
    } = only(new.target.name, options, ["numLayers", "bias", "batchFirst", "dropout", "bidirectional"]);
    super();
    const { name } = new.target;
    checkShape(name, [inputSize, hiddenSize, numLayers]);
    if (numLayers === 0 || hiddenSize === 0)
      fail("ERR_NABLA_VALUE", name, "needs at least one layer of at least one state", {
        actual: [numLayers, hiddenSize],
      });
    if (!(dropout >= 0 && dropout <= 1))
      fail("ERR_NABLA_VALUE", name, `${dropout} is not a probability`, {
        expected: "a number from 0 to 1",
        actual: dropout,
      });
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional === true;
    const directions = this.bidirectional ? 2 : 1;
    const width = (layer: number) => (layer === 0 ? inputSize : directions * hiddenSize);
    this.weights = Array.from({ length: numLayers }, (_, layer) =>
      Array.from({ length: directions }, () => gatesOf(gates, width(layer), hiddenSize, bias)),
    );
  }
  override children(): Iterable<readonly [string, unknown]> {
    return this.weights.flatMap((layer, l) =>
      layer.flatMap((gates, d) => named(gates, `_l${l}${d === 1 ? "_reverse" : ""}`)),
    );
  }
  override describe(): string {
    const { numLayers, bidirectional } = this;
    const more = [...(numLayers > 1 ? [`numLayers: ${numLayers}`] : []), ...(bidirectional ? ["bidirectional"] : [])];
    return [this.inputSize, this.hiddenSize, ...more].join(", ");
  }
  protected stacking(options: SequenceOptions) {
    const { lengths } = only(this.constructor.name, options, ["lengths"]);
    return { batchFirst: this.batchFirst, dropout: this.training ? this.dropout : 0, lengths };
  }
}

/**
 * h_t = tanh(W x_t + b + U h_(t-1) + c): x [time, batch, in] to all states [time, batch, hidden] and the last ones [layers
 * directions, batch, hidden]. `nonlinearity: "relu"` in place of tanh. Weights begin uniform in ±1 / √hidden and are called
 * weight_ih_l0 (W), weight_hh_l0 (U), bias_ih_l0, bias_hh_l0, and so on, with _reverse behind those of the other direction.
 *
 * PyTorch: `torch.nn.RNN`. Throws ERR_NABLA_SHAPE for other sizes and sequences without a step, ERR_NABLA_VALUE for lengths
 * outside of 1 to time.
 * @example
 * ```ts
 * import { RNN, zeros } from "nabla";
 * const layer = new RNN(8, 16);
 * const [y, hn] = layer.forward(zeros(5, 2, 8));
 * console.log(y.shape, hn.shape); // [ 5, 2, 16 ] [ 1, 2, 16 ]
 * ```
 */
export class RNN<I extends number = number, H extends number = number, B extends boolean = false> extends Recurrent<
  I,
  H,
  B
> {
  readonly nonlinearity: Nonlinearity;

  constructor(inputSize: I, hiddenSize: H, given: RecurrentOptions<B> & { nonlinearity?: Nonlinearity } = {}) {
    const { nonlinearity = "tanh", ...options } = only("RNN", given, [
      "nonlinearity",
      "numLayers",
      "bias",
      "batchFirst",
      "dropout",
      "bidirectional",
    ]);
    super(1, inputSize, hiddenSize, options);
    if (nonlinearity !== "tanh" && nonlinearity !== "relu")
      fail("ERR_NABLA_VALUE", "RNN", `there is no nonlinearity ${String(nonlinearity)}`, {
        expected: ["tanh", "relu"],
        actual: nonlinearity,
      });
    this.nonlinearity = nonlinearity;
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`RNN(${Str<I>}, ${Str<H>})`, S, I>,
    h0?: Tensor,
    options: SequenceOptions = {},
  ): [y: Output<S, H, B>, hn: State<H>] {
    const by = { ...this.stacking(options), nonlinearity: this.nonlinearity };
    const { y, hn } = rnn(x, this.weights, h0, by);
    return [y, hn] as never;
  }
}

/**
 * Long short-term memory (Hochreiter & Schmidhuber, 1997): with z = W x_t + b + U h_(t-1) + c in four parts i, f, g, o,
 * c_t = σ(f) c_(t-1) + σ(i) tanh(g) and h_t = σ(o) tanh(c_t). x [time, batch, in] to all h [time, batch, hidden] and the last
 * h and c [layers directions, batch, hidden]. A whole sequence is one op: one product with the input, then for each step
 * one with the state and one pointwise kernel. Weights have the names of {@link RNN}, their parts PyTorch's order.
 *
 * PyTorch: `torch.nn.LSTM`. Throws as {@link RNN} does.
 * @example
 * ```ts
 * import { LSTM, zeros } from "nabla";
 * const layer = new LSTM(8, 16, { batchFirst: true });
 * const [y, [hn, cn]] = layer.forward(zeros(2, 5, 8), undefined, { lengths: [5, 3] });
 * console.log(y.shape, hn.shape, cn.shape); // [ 2, 5, 16 ] [ 1, 2, 16 ] [ 1, 2, 16 ]
 * console.log([...layer.stateDict().keys()].join(" ")); // weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0
 * ```
 */
export class LSTM<I extends number = number, H extends number = number, B extends boolean = false> extends Recurrent<
  I,
  H,
  B
> {
  constructor(inputSize: I, hiddenSize: H, options: RecurrentOptions<B> = {}) {
    super(4, inputSize, hiddenSize, options);
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`LSTM(${Str<I>}, ${Str<H>})`, S, I>,
    states?: readonly [h0: Tensor, c0: Tensor],
    options: SequenceOptions = {},
  ): [y: Output<S, H, B>, last: [hn: State<H>, cn: State<H>]] {
    const { y, hn, cn } = lstm(x, this.weights, states, this.stacking(options));
    return [y, [hn, cn]] as never;
  }
}

/**
 * Gated recurrent unit (Cho et al., 2014): with x' = W x_t + b and h' = U h_(t-1) + c in three parts, r = σ(x'_r + h'_r),
 * z = σ(x'_z + h'_z), n = tanh(x'_n + r h'_n), h_t = (1 - z) n + z h_(t-1). x [time, batch, in] to all h [time, batch,
 * hidden] and the last ones [layers directions, batch, hidden].
 *
 * PyTorch: `torch.nn.GRU`. Throws as {@link RNN} does.
 * @example
 * ```ts
 * import { GRU, zeros } from "nabla";
 * const [y, hn] = new GRU(8, 16, { numLayers: 2, bidirectional: true }).forward(zeros(5, 2, 8));
 * console.log(y.shape, hn.shape); // [ 5, 2, 32 ] [ 4, 2, 16 ]
 * ```
 */
export class GRU<I extends number = number, H extends number = number, B extends boolean = false> extends Recurrent<
  I,
  H,
  B
> {
  constructor(inputSize: I, hiddenSize: H, options: RecurrentOptions<B> = {}) {
    super(3, inputSize, hiddenSize, options);
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`GRU(${Str<I>}, ${Str<H>})`, S, I>,
    h0?: Tensor,
    options: SequenceOptions = {},
  ): [y: Output<S, H, B>, hn: State<H>] {
    const { y, hn } = gru(x, this.weights, h0, this.stacking(options));
    return [y, hn] as never;
  }
}
