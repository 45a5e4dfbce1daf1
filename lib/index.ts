export { type ErrorCode, NablaError } from "./core/errors.ts";
export { isa, setThreads, threads } from "./core/native.ts";
export {
  type CheckOptions,
  checkGradient,
  enableGrad,
  type GradientOptions,
  grad,
  gradients,
  noGrad,
  type TransformOptions,
  valueAndGrad,
} from "./grad.ts";
export { arange, empty, eye, full, linspace, type Options, ones, tensor, zeros } from "./tensor/create.ts";
export { cat, diag, einsum, meshgrid, stack, tensordot, where } from "./tensor/functional.ts";
export { type Memory, memory } from "./tensor/memory.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { DType, Shape } from "./types/shape.ts";
