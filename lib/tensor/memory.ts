import { plannedBytes, pooledBytes } from "../core/storage.ts";

/** Bytes by use. */
export interface Memory {
  /** Array buffers of the process that are not collected yet, nabla's and others, without those kept for reuse. */
  readonly live: number;
  /** Given back by dispose() and kept for reuse. */
  readonly pooled: number;
  /** Arenas of compiled steps, outside of array buffers. */
  readonly planned: number;
}

/**
 * What memory is in use. `torch.cuda.memory_allocated`, for a machine whose memory V8 collects.
 * ```ts
 * import { memory, zeros } from "nabla";
 * const before = memory().pooled;
 * zeros(1000, 1000)[Symbol.dispose]();
 * console.log(memory().pooled - before >= 4e6); // true
 * ```
 */
export function memory(): Memory {
  const pooled = pooledBytes();
  return { live: process.memoryUsage().arrayBuffers - pooled, pooled, planned: plannedBytes() };
}
