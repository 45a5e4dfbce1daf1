import { type DType, isFloat, type TypedArray } from "./dtype.ts";
import { fail } from "./errors.ts";
import { contiguousStrides, type Dims, isContiguous, numel } from "./shape.ts";
import { allocate, Storage } from "./storage.ts";

/** The step of the tape that made a value; what the engine puts there is in engine/tape.ts. */
export interface Origin {
  readonly name: string;
}

/** A strided window on a storage. Element (i, j, ...) is array[offset + i * strides[0] + j * strides[1] + ...]. */
export class Value {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: number[];
  readonly strides: Dims;
  readonly dtype: DType;
  /** Who made it, where gradients flow through it; index tells which output. */
  node: Origin | null = null;
  index = 0;
  /** d loss / d this after backward(), for leaves that require it. */
  grad: Value | null = null;
  /** A name for error messages: "fc1.weight". */
  label: string | undefined = undefined;
  /** Made as a window on the memory of another. */
  isView = false;
  #requiresGrad = false;
  #contiguous: boolean | undefined;

  constructor(storage: Storage, offset: number, shape: number[], strides: Dims, dtype: DType) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
    this.dtype = dtype;
  }

  /** Whether operations on this are recorded for backward(). `torch.Tensor.requires_grad`. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }
  set requiresGrad(on: boolean) {
    if (on && !this.isFloat)
      fail("ERR_NABLA_DTYPE", "requiresGrad", `only floats have gradients, this tensor is ${this.dtype}`, {
        values: { tensor: this },
        hint: 'cast it first: x.to("f32")',
      });
    if (!on && this.node)
      fail("ERR_NABLA_GRAD", "requiresGrad", `this tensor is the output of ${this.node.name}, not a leaf`, {
        values: { tensor: this },
        hint: "use detach(), or compute it inside noGrad()",
      });
    this.#requiresGrad = on;
  }
  get ndim(): number {
    return this.shape.length;
  }
  get size(): number {
    return numel(this.shape);
  }
  get isContiguous(): boolean {
    this.#contiguous ??= isContiguous(this.shape, this.strides);
    return this.#contiguous;
  }
  get isLeaf(): boolean {
    return this.node === null;
  }
  get isFloat(): boolean {
    return isFloat(this.dtype);
  }
}

// Ops make the class that users see without importing it: tensor.ts adopts its class here.
let Made: typeof Value = Value;
export function adopt(cls: typeof Value): void {
  Made = cls;
}

export function makeValue(storage: Storage, offset: number, shape: number[], strides: Dims, dtype: DType): Value {
  return new Made(storage, offset, shape, strides, dtype);
}

/** Uninitialised, contiguous. */
export function emptyValue(shape: number[], dtype: DType): Value {
  return new Made(allocate(dtype, numel(shape)), 0, shape, contiguousStrides(shape), dtype);
}

/** Over a typed array as it is, without a copy. */
export function wrapArray(array: TypedArray, shape: number[], dtype: DType): Value {
  return new Made(new Storage(dtype, array), 0, shape, contiguousStrides(shape), dtype);
}

/** A window on the same memory. */
export function viewValue(x: Value, shape: number[], strides: Dims, offset: number): Value {
  const y = new Made(x.storage, offset, shape, strides, x.dtype);
  y.isView = true;
  return y;
}
