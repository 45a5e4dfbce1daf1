// When a compiled step of fit is recorded once more, because a number in JavaScript may have changed.
import type { Module } from "../nn/module.ts";

// Steps 1, 2, 4, ..., 2048, and every 2048 from there: by count and not by time, so that equal runs stay equal.
const most = 2048;
const isDue = (n: number): boolean => n > 0 && (n < most ? (n & (n - 1)) === 0 : n % most === 0);

/**
 * Numbers, texts and switches that stand in modules are looked at before every step: 0.04 µs for a small network, 1.1 for a GPT of 4
 * layers, 0.04 to 0.2 % of a step. Others, in a loss or a closure, show only when the step is recorded again, which takes as
 * long as 2 to 21 steps of such models: every 2048 steps that is 0.1 to 1 % of the time.
 */
export class Watch {
  readonly #seen: { readonly module: Record<string, unknown>; readonly key: string; value: unknown }[];

  constructor(model: Module) {
    this.#seen = [...model.namedModules().values()].flatMap((module) =>
      Object.entries(module)
        .filter(([, value]) => value !== null && typeof value !== "object" && typeof value !== "function")
        .map(([key, value]) => ({ module: module as unknown as Record<string, unknown>, key, value })),
    );
  }
  #changed(): boolean {
    let changed = false;
    for (const x of this.#seen) {
      const now = x.module[x.key];
      if (Object.is(now, x.value)) continue;
      x.value = now;
      changed = true;
    }
    return changed;
  }
  /** Whether to record before the step that follows so many. */
  due(steps: number): boolean {
    return this.#changed() || isDue(steps);
  }
}
