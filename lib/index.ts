export { type ErrorCode, NablaError } from "./core/errors.ts";
export { isa, setThreads, threads } from "./core/native.ts";
export { arange, empty, eye, full, linspace, type Options, ones, tensor, zeros } from "./tensor/create.ts";
export { Tensor } from "./tensor/tensor.ts";
export type { DType, Shape } from "./types/shape.ts";
