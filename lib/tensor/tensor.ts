import { inspect } from "node:util";
import { adopt, Value } from "../core/value.ts";
import type { DType, Shape } from "../types/shape.ts";
import { type Activations, activations } from "./activation.ts";
import { type Arithmetic, arithmetic } from "./arithmetic.ts";
import { type Autograd, autograd } from "./autograd.ts";
import { type Comparisons, comparisons } from "./compare.ts";
import { type Data, data } from "./data.ts";
import { install } from "./install.ts";
import { type Layout, layout } from "./layout.ts";
import { type MathFunctions, mathFunctions } from "./math.ts";
import { type Normalizations, normalizations } from "./normalize.ts";
import { type Orders, orders } from "./order.ts";
import { type Products, products } from "./product.ts";
import { type Reductions, reductions } from "./reduce.ts";
import { type Selections, selections } from "./select.ts";
import { type Views, views } from "./view.ts";

/**
 * An array of numbers of one element type: Tensor<[32, 784], "f32">. A literal size is checked by the compiler, `number`
 * is left to run time, plain `Tensor` takes any. Made by tensor(), zeros(), randn(), ...; `torch.Tensor`.
 * ```ts
 * import { type Tensor, zeros } from "nabla";
 * const rows = (x: Tensor<[number, 784]>) => x.shape[0];
 * console.log(rows(zeros(32, 784))); // 32
 * ```
 */
export interface Tensor<out S extends Shape = Shape, out D extends DType = DType>
  extends Value,
    Activations,
    Arithmetic,
    Autograd,
    Comparisons,
    Data,
    Layout,
    MathFunctions,
    Normalizations,
    Orders,
    Products,
    Reductions,
    Selections,
    Views,
    Disposable {
  readonly shape: S;
  readonly dtype: D;
  /** d loss / d this, which backward() adds to. Null until then. `torch.Tensor.grad`. */
  grad: Tensor<S, D> | null;
}

/** All tensors are instances: `x instanceof Tensor`. Not to be constructed: tensor() does. */
export const Tensor: abstract new (...args: never) => Tensor = class Tensor extends Value {
  /**
   * Gives the memory back at once, also that of its views; on a view it does nothing. Never needed: what nobody can reach
   * is collected.
   * ```ts
   * import { zeros } from "nabla";
   * using x = zeros(1000, 1000);
   * console.log(x.size); // 1000000
   * ```
   */
  [Symbol.dispose](): void {
    if (!this.isView) this.storage.dispose();
  }
  [inspect.custom](depth: number): string {
    if (depth < 0) return `[Tensor ${this.dtype} [${this.shape.join(", ")}]]`;
    return this.storage.disposed ? "tensor(disposed)" : String(this);
  }
} as never;

install(
  Tensor.prototype,
  activations,
  arithmetic,
  autograd,
  comparisons,
  data,
  layout,
  mathFunctions,
  normalizations,
  orders,
  products,
  reductions,
  selections,
  views,
);
adopt(Tensor as never);
