import { value } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";
import { addmm, bmm, dot, matmul, mm, mv, outer, type Scales } from "../ops/index.ts";
import type { Mixed } from "../types/element.ts";
import type { CanMatmul, DType, Last, Matmul, Shape } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Multiplying } from "./signature.ts";
import type { Tensor } from "./tensor.ts";

/** Products of matrices and vectors, in f32 or f64; integers are multiplied as f32. */
export interface Products {
  /**
   * y[..., m, n] = Σₖ x[..., m, k] · other[..., k, n]. Batch dims broadcast; a vector is a row on the left and a
   * column on the right, and that dim goes away. `torch.matmul`. Throws ERR_NABLA_SHAPE where inner or batch sizes
   * differ.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).matmul(tensor([[1], [1]]))); // tensor([[3.], [7.]])
   * ```
   */
  readonly matmul: Multiplying;
  /**
   * matmul() of two matrices. `torch.mm`. Throws ERR_NABLA_SHAPE for other ranks.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2]]).mm(tensor([[3], [4]]))); // tensor([[11.]])
   * ```
   */
  readonly mm: Multiplying;
  /**
   * matmul() of two batches of matrices, of three dims each. `torch.bmm`. Throws ERR_NABLA_SHAPE for other ranks or
   * batch sizes.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[[2]], [[3]]]).bmm(tensor([[[4]], [[5]]]))); // tensor([[[ 8.]], [[15.]]])
   * ```
   */
  readonly bmm: Multiplying;
  /**
   * matmul() of a matrix and a vector. `torch.mv`. Throws ERR_NABLA_SHAPE for other ranks.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([[1, 2], [3, 4]]).mv(tensor([1, 1]))); // tensor([3., 7.])
   * ```
   */
  readonly mv: Multiplying;
  /**
   * y = Σ x · other, of two vectors. `torch.dot`. Throws ERR_NABLA_SHAPE for other ranks.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).dot(tensor([3, 4]))); // tensor(11.)
   * ```
   */
  readonly dot: Multiplying;
  /**
   * y[i, j] = x[i] · other[j], of two vectors. `torch.outer`. Throws ERR_NABLA_SHAPE for other ranks.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).outer(tensor([3, 4]))); // tensor([[3., 4.], [6., 8.]])
   * ```
   */
  outer<A extends Shape, E extends DType, B extends Shape, F extends DType>(
    this: Tensor<A, E>,
    other: Tensor<B, F>,
  ): Tensor<[Last<A>, Last<B>], Mixed<E, F>>;
  /**
   * y = beta · x + alpha · a b, of matrices a and b; where beta is 0, x is not read. `torch.addmm`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 1]).addmm(tensor([[1, 2]]), tensor([[1, 0], [0, 1]]), { alpha: 10 })); // tensor([[11., 21.]])
   * ```
   */
  addmm<E extends DType, A extends Shape, B extends Shape>(
    this: Tensor<Shape, E>,
    a: Tensor<A>,
    b: Tensor<B> & CanMatmul<A, B>,
    options?: Scales,
  ): Tensor<Matmul<A, B>, E>;
}

export const products: Methods<Products> = {
  matmul: (a, b: Value) => matmul(a, value("matmul", "other", b)),
  mm: (a, b: Value) => mm(a, value("mm", "other", b)),
  bmm: (a, b: Value) => bmm(a, value("bmm", "other", b)),
  mv: (a, b: Value) => mv(a, value("mv", "other", b)),
  dot: (a, b: Value) => dot(a, value("dot", "other", b)),
  outer: (a, b: Value) => outer(a, value("outer", "other", b)),
  addmm: (x, a: Value, b: Value, options?: Scales) => addmm(x, value("addmm", "a", a), value("addmm", "b", b), options),
};
