import { only } from "../core/boundary.ts";
import { Conv2d } from "../nn/conv.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { relu } from "../ops/activation.ts";
import { maxPool2d } from "../ops/pool.ts";
import { flatten } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";

const active = (x: Tensor): Tensor => relu({ x }) as Tensor;
const pooled = (x: Tensor): Tensor => maxPool2d(active(x), 2) as Tensor;

/**
 * LeNet-5 (LeCun et al., 1998) with ReLU and max pooling: two convolutions of 5 x 5 with pooling, then three linear layers. Pictures
 * [batch, channels, 28, 28] give scores [batch, classes]; 61,706 parameters.
 * @example
 * ```ts
 * import { LeNet, zeros } from "nabla";
 * console.log(new LeNet().forward(zeros(2, 1, 28, 28)).shape); // [ 2, 10 ]
 * ```
 */
export class LeNet extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;

  constructor(options: { classes?: number; inputs?: number } = {}) {
    const { classes = 10, inputs = 1 } = only("LeNet", options, ["classes", "inputs"]);
    super();
    this.conv1 = new Conv2d(inputs, 6, 5, { padding: 2 });
    this.conv2 = new Conv2d(6, 16, 5);
    this.fc1 = new Linear(400, 120);
    this.fc2 = new Linear(120, 84);
    this.fc3 = new Linear(84, classes);
  }
  /** Scores [batch, classes]. */
  forward(x: Tensor): Tensor<[number, number], "f32"> {
    const maps = pooled(this.conv2.forward(pooled(this.conv1.forward(x))));
    const hidden = active(this.fc1.forward(flatten(maps, 1) as Tensor));
    return this.fc3.forward(active(this.fc2.forward(hidden))) as never;
  }
}
