import { checkPlain } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { mul } from "../ops/arithmetic.ts";
import { ones } from "../ops/create.ts";
import { dropout } from "../ops/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DType, Shape } from "../types/shape.ts";
import { Module } from "./module.ts";

/**
 * In training each element is 0 with probability p, and else divided by 1 - p, so that sums keep their size; in evaluation
 * nothing changes (Srivastava et al., 2014). The random numbers are the global generator's: seed() fixes them.
 *
 * PyTorch: `torch.nn.Dropout`.
 * @example
 * ```ts
 * import { Dropout, ones } from "nabla";
 * const drop = new Dropout(0.5);
 * console.log(drop.eval().forward(ones(4))); // tensor([1., 1., 1., 1.])
 * ```
 */
export class Dropout extends Module {
  declare readonly gives: "same";
  readonly p: number;

  constructor(p = 0.5) {
    super();
    checkPlain(new.target.name, { p });
    if (!(p >= 0 && p <= 1))
      fail("ERR_NABLA_VALUE", "Dropout", `${p} is not a probability`, { expected: "a number from 0 to 1", actual: p });
    this.p = p;
  }
  override describe(): string {
    return `${this.p}`;
  }
  forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return dropout(x, this.p, this.training) as Tensor<S, D>;
  }
}

/**
 * {@link Dropout} of whole channels of x [batch, channels, ...]: neighbouring pixels say almost the same, so that dropping them one
 * by one would hide little (Tompson et al., 2015).
 *
 * PyTorch: `torch.nn.Dropout2d`.
 * @example
 * ```ts
 * import { Dropout2d, ones } from "nabla";
 * console.log(new Dropout2d(0.5).eval().forward(ones(1, 1, 1, 2))); // tensor([[[[1., 1.]]]])
 * ```
 */
export class Dropout2d extends Dropout {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    if (x.ndim < 3)
      fail("ERR_NABLA_SHAPE", "Dropout2d", `needs [batch, channels, ...], got ${showShape(x.shape)}`, {
        values: { x },
      });
    if (!this.training || this.p === 0) return x;
    const channels = [...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)];
    return mul({ a: x, b: dropout(ones(channels, x.dtype), this.p) }) as Tensor<S, D>;
  }
}
