// Products, convolutions and attention of less precision than the tensors they are of.
import { checkKind } from "./core/boundary.ts";
import { fail } from "./core/errors.ts";
import { checkPrecision, type Precision, withPrecision } from "./engine/precision.ts";

export type { Precision };

/**
 * Runs f with matrix products, convolutions and attention in bf16: operands of `matmul`, `linear`, `conv2d` and its kind,
 * recurrent layers, `scaledDotProductAttention` and the fused head are rounded to bf16 (8 bits of significand, the range of f32)
 * as they are read, products are summed in f32, and results are f32. So are weights, norms, softmax, losses, optimizers, and
 * convolutions of one channel a group. Backward of what ran inside has its products in bf16 too, wherever it is called. On processors with AVX512-BF16 a product takes little more than half the time;
 * on all others it gives the same bits in about the time of f32. Gradients need no scaling: bf16 has the range of f32. f64 is
 * left alone; autocast("f32", ...) inside turns it off.
 *
 * PyTorch: `torch.autocast("cpu", dtype=torch.bfloat16)`. Throws ERR_NABLA_VALUE for another precision, ERR_NABLA_TYPE for an
 * async function, which would go on outside.
 * @example
 * ```ts
 * import { autocast, tensor } from "nabla";
 * const x = tensor([[1 + 2 ** -9]]);
 * console.log(x.matmul(x).item(), autocast("bf16", () => x.matmul(x)).item()); // 1.0039100646972656 1
 * ```
 */
export function autocast<R>(precision: Precision, f: () => R): R {
  checkKind("autocast", "the second argument", f, "function");
  const result = withPrecision(checkPrecision("autocast", precision), f);
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function")
    fail("ERR_NABLA_TYPE", "autocast", "takes a function that returns at once, this one gives a promise", {
      hint: "what follows an await would run outside: wrap the parts between them",
    });
  return result;
}
