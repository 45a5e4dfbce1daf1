import { fail } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Final, First, Links, Through } from "../types/layer.ts";
import type { LastIs, Shape } from "../types/shape.ts";
import { Module } from "./module.ts";

interface Layer extends Module {
  forward(x: Tensor): Tensor;
  readonly inFeatures?: number;
  readonly outFeatures?: number;
}
function checkLayer(x: unknown, i: number): void {
  if (x instanceof Module && typeof (x as Layer).forward === "function") return;
  fail("ERR_NABLA_TYPE", "Sequential", `layer ${i} is not a module with a forward()`, {
    actual: x,
    hint: "functions become modules like this: class Half extends Module { forward(x) { return x.mul(0.5); } }",
  });
}

/**
 * Layers one after the other; their names are "0", "1", ... The compiler checks that each takes the features that the one
 * before gives, and says so under the layer at fault.
 *
 * PyTorch: `torch.nn.Sequential`.
 * @example
 * ```ts
 * import { Linear, Sequential, Tanh, zeros } from "nabla";
 * const net = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
 * console.log(net.forward(zeros(4, 2)).shape); // [ 4, 1 ]
 * console.log([...net.stateDict().keys()]); // [ '0.weight', '0.bias', '2.weight', '2.bias' ]
 * ```
 */
export class Sequential<L extends Module[] = Module[]> extends Module {
  readonly layers: L;

  constructor(...layers: { [K in keyof L]: L[K] & Links<L>[K & keyof Links<L>] }) {
    super();
    layers.forEach(checkLayer);
    this.layers = layers as unknown as L;
  }
  /** The size of the last dim that goes in; undefined if no layer says. */
  get inFeatures(): First<L> {
    return (this.layers as unknown as Layer[]).find((l) => l.inFeatures !== undefined)?.inFeatures as never;
  }
  /** The size of the last dim that comes out; undefined if no layer says. */
  get outFeatures(): Final<L> {
    return (this.layers as unknown as Layer[]).findLast((l) => l.outFeatures !== undefined)?.outFeatures as never;
  }
  override children(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.layers);
  }
  forward<S extends Shape>(x: Tensor<S> & LastIs<"Sequential", S, First<L>>): Tensor<Through<L, S>, "f32"> {
    let y: Tensor = x;
    for (const layer of this.layers) y = (layer as Layer).forward(y);
    return y as never;
  }
}
