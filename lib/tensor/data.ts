import { checkStored, type DType as Known, type TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { elementsOf } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { cast, contiguous, copy } from "../ops/index.ts";
import type { DType, Shape, TypedArrayOf } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import { print } from "./print.ts";
import type { Tensor } from "./tensor.ts";

/** Nested lists of numbers or booleans, as deep as the shape is long. */
export type NestedList = number | boolean | NestedList[];

/** Elements read from JavaScript, element types changed, memory given back. */
export interface Data {
  /**
   * The only element, as a number; bool gives 0 or 1. `torch.Tensor.item`. Throws ERR_NABLA_SHAPE for any other count.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2, 3]).sum().item()); // 6
   * ```
   */
  item(this: Tensor): number;
  /**
   * A copy of the elements in row-major order, once all work in flight on them is done.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(await tensor([[1, 2], [3, 4]]).mT().data()); // Float32Array(4) [ 1, 3, 2, 4 ]
   * ```
   */
  data<E extends DType>(this: Tensor<Shape, E>): Promise<TypedArrayOf<E>>;
  /**
   * The same at once: where work is in flight, the thread waits for it.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([true, false]).dataSync()); // Uint8Array(2) [ 1, 0 ]
   * ```
   */
  dataSync<E extends DType>(this: Tensor<Shape, E>): TypedArrayOf<E>;
  /**
   * The elements as nested lists, of booleans for bool. `torch.Tensor.tolist`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
   * ```
   */
  toArray(this: Tensor): NestedList;
  /**
   * The elements as console.log shows them: four digits, the ends of what is long.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(`${tensor([1, 2.5])}`); // tensor([1.0000, 2.5000])
   * ```
   */
  toString(this: Tensor): string;
  /**
   * The same numbers in another element type; itself where it has that type. Floats go to integers towards zero, to bool
   * everything but 0 is true. bf16 is f32 rounded to its upper half, to store weights in: half the bytes. matmul and linear take
   * it as their second operand, all other arithmetic refuses it; data() gives its bits. `torch.Tensor.to`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1.7, -1.7]).to("i32")); // tensor([ 1, -1], { dtype: "i32" })
   * ```
   */
  to<A extends Shape, const E extends DType>(this: Tensor<A>, dtype: E): Tensor<A, E>;
  /**
   * to("f32"). `torch.Tensor.float`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([true, false]).float()); // tensor([1., 0.])
   * ```
   */
  float<A extends Shape>(this: Tensor<A>): Tensor<A, "f32">;
  /**
   * to("f64"). `torch.Tensor.double`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).double()); // tensor([1., 2.], { dtype: "f64" })
   * ```
   */
  double<A extends Shape>(this: Tensor<A>): Tensor<A, "f64">;
  /**
   * to("i32"). `torch.Tensor.int`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1.5, 2.5]).int()); // tensor([1, 2], { dtype: "i32" })
   * ```
   */
  int<A extends Shape>(this: Tensor<A>): Tensor<A, "i32">;
  /**
   * to("bool"). `torch.Tensor.bool`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 2]).bool()); // tensor([false, true])
   * ```
   */
  bool<A extends Shape>(this: Tensor<A>): Tensor<A, "bool">;
  /**
   * A copy in memory of its own; gradients flow back through it. `torch.clone`.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([1, 2]);
   * console.log(x.clone().equal(x)); // true
   * ```
   */
  clone<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, E>;
  /**
   * Itself where its memory is in row-major order, else a copy that is. `torch.Tensor.contiguous`.
   * ```ts
   * import { tensor } from "nabla";
   * const x = tensor([[1, 2], [3, 4]]);
   * console.log(x.contiguous() === x, x.mT().contiguous().isContiguous); // true true
   * ```
   */
  contiguous<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, E>;
  /**
   * The number of elements. `torch.numel`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).numel()); // 4
   * ```
   */
  numel(this: Tensor): number;
}

/** The elements in order: a window on the tensor's own memory where that is in order, else a copy. */
function read(op: string, x: Value): TypedArray {
  return elementsOf(
    op,
    withGrad(false, () => contiguous(x)),
  );
}

/** As numbers: bf16 in f32. */
const plain = (x: Value): Value => (x.dtype === "bf16" ? withGrad(false, () => cast(x, "f32")) : x);

function item(x: Value): number {
  if (x.size === 1) return read("item", plain(x))[0];
  return fail("ERR_NABLA_SHAPE", "item", `a tensor of ${x.size} elements is not one number`, {
    values: { x },
    expected: 1,
    actual: x.size,
    hint: "reduce it with sum() or mean(), or read them all with toArray()",
  });
}

function nest(from: TypedArray, shape: readonly number[], bool: boolean): NestedList {
  let level: NestedList[] = Array.from(from, (v) => (bool ? v !== 0 : v));
  for (let d = shape.length - 1; d > 0; d--) {
    const size = shape[d];
    const rows = numel(shape.slice(0, d));
    level = Array.from({ length: rows }, (_, i) => level.slice(i * size, (i + 1) * size));
  }
  return shape.length ? level : level[0];
}

export const data: Methods<Data> = {
  item,
  data: async (x) => read("data", x).slice(),
  dataSync: (x) => read("dataSync", x).slice(),
  toArray: (x) => nest(read("toArray", plain(x)), x.shape, x.dtype === "bool"),
  toString: (x) => print(x, read("toString", plain(x))),
  to: (x, dtype: Known) => cast(x, checkStored("to", dtype)),
  float: (x) => cast(x, "f32"),
  double: (x) => cast(x, "f64"),
  int: (x) => cast(x, "i32"),
  bool: (x) => cast(x, "bool"),
  clone: (x) => copy(x),
  contiguous: (x) => contiguous(x),
  numel: (x) => numel(x.shape),
};
