// Work that is done in one go, or in slices with turns of the event loop between.
import { setImmediate } from "node:timers/promises";

/** Yields where it may be interrupted. */
export type Slices<R> = Generator<void, R, undefined>;

export function atOnce<R>(work: Slices<R>): R {
  for (;;) {
    const slice = work.next();
    if (slice.done) return slice.value;
  }
}
export async function inTurns<R>(work: Slices<R>): Promise<R> {
  for (;;) {
    const slice = work.next();
    if (slice.done) return slice.value;
    await setImmediate();
  }
}
