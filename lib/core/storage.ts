import { bytesOf, type DType, type TypedArray, viewOf } from "./dtype.ts";
import { type ErrorCode, fail } from "./errors.ts";
import { native } from "./native.ts";

let made = 0;
export function storagesMade(): number {
  return made;
}

/**
 * Memory of one or more values: a typed array over a buffer that V8 owns, so an unreachable tensor is collected like any
 * object and nothing must be disposed.
 */
export class Storage {
  /** Storages made later have higher numbers: a recording tells what a step made from what it found. */
  readonly serial: number = made++;
  readonly dtype: DType;
  /** Elements. */
  readonly length: number;
  readonly bytes: number;
  /** Counts writes, so that backward can tell that a value it saved was changed since. */
  version = 0;
  /** Programs in flight that use the memory, those of them that write it, and how to wait for them. */
  holds = 0;
  writers = 0;
  wait: (() => void) | null = null;
  #array: TypedArray | null;
  readonly #reusable: boolean;
  #gone: Gone = disposed;

  /** reusable: the whole buffer is this storage's, of a size that allocate() asks for. Without an array, memory comes at first use. */
  constructor(dtype: DType, array: TypedArray | null, reusable = false, length: number = array?.length ?? 0) {
    this.dtype = dtype;
    this.length = length;
    this.bytes = length * bytesOf(dtype);
    this.#array = array;
    this.#reusable = reusable;
    if (array === null) this.#gone = unborn;
  }

  get array(): TypedArray {
    return this.#array ?? this.#missing();
  }
  #missing(): TypedArray {
    const { gone } = this;
    if (gone) fail(gone.code, "tensor", `the memory of this tensor ${gone.why}`, gone.details);
    const buffer = new ArrayBuffer(this.bytes + align);
    this.#array = viewOf(this.dtype, buffer, native.lead(buffer), this.length);
    return this.#array;
  }

  /** Why the memory is not there, or null. */
  get gone(): Gone | null {
    return this.#array === null && this.#gone !== unborn ? this.#gone : null;
  }
  get disposed(): boolean {
    return this.gone !== null;
  }

  dispose(): void {
    if (this.disposed) return;
    if (this.holds > 0)
      fail("ERR_NABLA_STATE", "dispose", "a program in flight still uses this tensor", {
        hint: "await the step first",
      });
    const array = this.#array;
    this.#array = null;
    this.#gone = disposed;
    if (this.#reusable && array) release(array.buffer as ArrayBuffer);
  }
  /** Lets go of the memory; whoever reads it later is told why it is not there. */
  seal(why: Gone): void {
    if (this.disposed) return;
    this.#array = null;
    this.#gone = why;
  }
}

/** Why memory is not there. */
export interface Gone {
  readonly code: ErrorCode;
  /** Goes on after "the memory of this tensor". */
  readonly why: string;
  readonly details: { readonly hint?: string };
}
const disposed: Gone = {
  code: "ERR_NABLA_DISPOSED",
  why: "was given back by dispose()",
  details: {},
};
const unborn: Gone = { ...disposed };

// Fresh memory costs page faults: 1 MiB takes 40 us to touch the first time and 13 us the second. Small tensors share a slab,
// because a buffer of their own costs 1.5 us; big ones come back through a free list by size class when disposed.
const slabBytes = 32768;
const slabLimit = 1024;
const align = 64;
const poolLimit = 256 * 2 ** 20;

let slab = new ArrayBuffer(0);
let slabNext = 0;
const free = new Map<number, ArrayBuffer[]>();
let pooled = 0;

/** Sizes of pooled buffers: powers of two and the steps of an eighth between them, at most 12.5 % waste. */
function sizeClass(bytes: number): number {
  const step = Math.max(align, 2 ** Math.floor(Math.log2(bytes)) / 8);
  return Math.ceil(bytes / step) * step;
}

function raw(bytes: number): ArrayBuffer {
  try {
    return Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer;
  } catch (cause) {
    return fail("ERR_NABLA_MEMORY", "allocate", `no memory for ${bytes} bytes`, {
      cause,
      actual: bytes,
      hint: "use smaller batches, or free tensors that are still referenced",
    });
  }
}

let lazy = false;
/** Runs f with memory that is only promised: what no kernel and no JavaScript touches takes none. */
export function withoutMemory<R>(f: () => R): R {
  const before = lazy;
  lazy = true;
  try {
    return f();
  } finally {
    lazy = before;
  }
}

/** Uninitialised memory for n elements, 64-byte aligned. */
export function allocate(dtype: DType, n: number): Storage {
  if (lazy) return new Storage(dtype, null, false, n);
  const bytes = n * bytesOf(dtype);
  if (bytes <= slabLimit) {
    const room = (bytes + align - 1) & -align;
    if (slabNext + room > slab.byteLength) {
      slab = raw(slabBytes);
      slabNext = native.lead(slab);
    }
    const at = slabNext;
    slabNext += room;
    return new Storage(dtype, viewOf(dtype, slab, at, n));
  }
  const size = sizeClass(bytes);
  let buffer = free.get(size)?.pop();
  if (buffer) pooled -= buffer.byteLength;
  else buffer = raw(size + align);
  return new Storage(dtype, viewOf(dtype, buffer, native.lead(buffer), n), true);
}

function release(buffer: ArrayBuffer): void {
  if (pooled + buffer.byteLength > poolLimit || buffer.byteLength === 0) return;
  const size = buffer.byteLength - align;
  const list = free.get(size);
  if (list) list.push(buffer);
  else free.set(size, [buffer]);
  pooled += buffer.byteLength;
}

let planned = 0;
/** Tells of memory that compiled steps have taken (or, negative, given back). */
export function plan(bytes: number): void {
  planned += bytes;
}
/** Bytes of the arenas of compiled steps. */
export function plannedBytes(): number {
  return planned;
}
/** Bytes waiting in the free list for reuse. */
export function pooledBytes(): number {
  return pooled;
}
