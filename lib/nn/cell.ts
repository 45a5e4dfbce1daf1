// Recurrent layers one step at a time, for loops that decide on each step what comes next.
import { only } from "../core/boundary.ts";
import { checkShape } from "../core/shape.ts";
import { gruCell } from "../ops/gru.ts";
import { lstmCell } from "../ops/lstm.ts";
import { type Nonlinearity, rnnCell } from "../ops/rnn.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LastIs, ReplaceLast, Shape, Str } from "../types/shape.ts";
import { Module } from "./module.ts";
import { type Gates, gatesOf, named } from "./recurrent.ts";

/** Options of the cells. */
export interface CellOptions {
  bias?: boolean;
}
type Next<S extends Shape, H extends number> = Tensor<ReplaceLast<S, H>, "f32">;

abstract class Cell<I extends number, H extends number> extends Module {
  readonly inputSize: I;
  readonly hiddenSize: H;
  protected readonly weights: Gates;

  constructor(gates: number, inputSize: I, hiddenSize: H, options: CellOptions) {
    const { bias = true } = only(new.target.name, options, ["bias"]);
    super();
    checkShape(new.target.name, [inputSize, hiddenSize]);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.weights = gatesOf(gates, inputSize, hiddenSize, bias);
  }
  override children(): Iterable<readonly [string, unknown]> {
    return named(this.weights);
  }
  override describe(): string {
    return `${this.inputSize}, ${this.hiddenSize}`;
  }
}

/**
 * One step of {@link RNN}: x [batch, in] and h [batch, hidden], zeros unless given, to the next h. Weights are called weight_ih,
 * weight_hh, bias_ih, bias_hh.
 *
 * PyTorch: `torch.nn.RNNCell`.
 * @example
 * ```ts
 * import { RNNCell, zeros } from "nabla";
 * const cell = new RNNCell(3, 4);
 * const h = cell.forward(zeros(2, 3));
 * console.log(cell.forward(zeros(2, 3), h).shape); // [ 2, 4 ]
 * ```
 */
export class RNNCell<I extends number = number, H extends number = number> extends Cell<I, H> {
  readonly nonlinearity: Nonlinearity;

  constructor(inputSize: I, hiddenSize: H, given: CellOptions & { nonlinearity?: Nonlinearity } = {}) {
    const { nonlinearity = "tanh", ...options } = only("RNNCell", given, ["nonlinearity", "bias"]);
    super(1, inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }
  forward<S extends Shape>(x: Tensor<S> & LastIs<`RNNCell(${Str<I>}, ${Str<H>})`, S, I>, h?: Tensor): Next<S, H> {
    return rnnCell(x, this.weights, h, this.nonlinearity) as never;
  }
}

/**
 * One step of {@link LSTM}: x [batch, in] and [h, c], zeros unless given, to the next [h, c].
 *
 * PyTorch: `torch.nn.LSTMCell`.
 * @example
 * ```ts
 * import { LSTMCell, zeros } from "nabla";
 * const [h, c] = new LSTMCell(3, 4).forward(zeros(2, 3));
 * console.log(h.shape, c.shape); // [ 2, 4 ] [ 2, 4 ]
 * ```
 */
export class LSTMCell<I extends number = number, H extends number = number> extends Cell<I, H> {
  constructor(inputSize: I, hiddenSize: H, options: CellOptions = {}) {
    super(4, inputSize, hiddenSize, options);
  }
  forward<S extends Shape>(
    x: Tensor<S> & LastIs<`LSTMCell(${Str<I>}, ${Str<H>})`, S, I>,
    states?: readonly [h: Tensor, c: Tensor],
  ): [h: Next<S, H>, c: Next<S, H>] {
    return lstmCell(x, this.weights, states) as never;
  }
}

/**
 * One step of {@link GRU}: x [batch, in] and h [batch, hidden], zeros unless given, to the next h.
 *
 * PyTorch: `torch.nn.GRUCell`.
 * @example
 * ```ts
 * import { GRUCell, zeros } from "nabla";
 * console.log(new GRUCell(3, 4).forward(zeros(2, 3)).shape); // [ 2, 4 ]
 * ```
 */
export class GRUCell<I extends number = number, H extends number = number> extends Cell<I, H> {
  constructor(inputSize: I, hiddenSize: H, options: CellOptions = {}) {
    super(3, inputSize, hiddenSize, options);
  }
  forward<S extends Shape>(x: Tensor<S> & LastIs<`GRUCell(${Str<I>}, ${Str<H>})`, S, I>, h?: Tensor): Next<S, H> {
    return gruCell(x, this.weights, h) as never;
  }
}
