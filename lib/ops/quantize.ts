// Linear maps with weights of 8 bits, for inference.
import { fail } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { gradEnabled } from "../engine/tape.ts";
import { K } from "../native.gen.ts";
import { contiguous } from "./arithmetic.ts";

/** Weights [out, in] as whole numbers from -127 to 127 with a scale for each output. */
export interface Quantized {
  readonly shape: readonly [out: number, width: number];
  /** In the order of the kernel: [out / 16, in / 4, 16, 4], filled up with zeros. */
  readonly q: Value;
  /** [out] */
  readonly scale: Value;
  /** [out], the sums of q: what a zero of the input is multiplied with. */
  readonly sum: Value;
}
/** Terms of a sum that 32 bits hold: 2^31 / (255 · 127). */
const longest = 66311;

/** weight [out, in] ≈ q scale, scale = max |weight| / 127 of each output. */
export function quantizeWeight(weight: Value): Quantized {
  const [out, width] = weight.shape;
  const values = { weight };
  if (weight.ndim !== 2) fail("ERR_NABLA_SHAPE", "quantize", "takes a weight [out, in]", { values });
  if (weight.dtype !== "f32")
    fail("ERR_NABLA_DTYPE", "quantize", `the weight is ${weight.dtype}`, { values, hint: 'cast first: x.to("f32")' });
  if (width > longest)
    fail("ERR_NABLA_SHAPE", "quantize", `sums of ${width} products of bytes do not fit into 32 bits`, {
      values,
      expected: longest,
    });
  const bytes = 64 * Math.ceil(out / 16) * Math.ceil(width / 4);
  const [q, scale, sum] = [emptyValue([bytes], "i8"), emptyValue([out], "f32"), emptyValue([out], "i32")];
  launch(K.quantize_weight, "f32", [bytes, out, width], [q, scale, sum, { value: weight, steps: weight.strides }]);
  return { shape: [out, width], q, scale, sum };
}

/**
 * y = x Wᵀ + bias: x [..., in]. Each row of x becomes whole numbers from 0 to 255 with a scale and a zero of its own, sums are
 * exact, and the same on every instruction set.
 */
export function linearQuantized(x: Value, weight: Quantized, bias?: Value): Value {
  const [out, width] = weight.shape;
  const values = { x, bias };
  if (x.ndim === 0 || x.shape.at(-1) !== width)
    fail("ERR_NABLA_SHAPE", "linear", `last size must be ${width}, got ${x.ndim ? x.shape.at(-1) : "a scalar"}`, {
      values,
      expected: width,
      actual: x.shape.at(-1),
    });
  if (x.dtype !== "f32")
    fail("ERR_NABLA_DTYPE", "linear", `input is ${x.dtype}, quantized weights take f32`, {
      values,
      hint: 'cast the input: x.to("f32")',
    });
  if (gradEnabled() && x.requiresGrad)
    fail("ERR_NABLA_GRAD", "linear", "no gradient flows through quantized weights", {
      values,
      hint: "run it inside noGrad()",
    });
  const y = emptyValue([...x.shape.slice(0, -1), out], "f32");
  const rows = numel(x.shape.slice(0, -1));
  const { q, scale, sum } = weight;
  const operands = [y, contiguous(x), q, scale, sum, bias ? contiguous(bias) : null];
  if (numel(y.shape) > 0) launch(K.linear_i8, "f32", [rows, out, width, q.size], operands);
  return y;
}
