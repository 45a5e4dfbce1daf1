import { fail, showShape } from "../core/errors.ts";
import { emptyValue, Value } from "../core/value.ts";
import { assign } from "../ops/arithmetic.ts";
import { select, slice } from "../ops/view.ts";

export function checkRepeat(n: number, args: readonly unknown[]): void {
  if (!Number.isInteger(n) || n < 1)
    fail("ERR_NABLA_VALUE", "repeat", `cannot run ${n} times`, { expected: "a whole number from 1", actual: n });
  args.forEach((x, i) => {
    if (x instanceof Value && x.shape[0] === n) return;
    fail("ERR_NABLA_SHAPE", "repeat", `argument ${i} needs a leading size of ${n}, one slice a step`, {
      expected: n,
      actual: x instanceof Value ? showShape(x.shape) : typeof x,
    });
  });
}

export const sliceAt = (args: readonly Value[], i: number): Value[] => args.map((x) => select(x, 0, i));
export const sliceFrom = (args: readonly Value[], i: number): Value[] => args.map((x) => slice(x, 0, i));

/** The result of a first run, then those of the rest, which are stacked: as one structure of stacked tensors. */
export function joinRuns(first: unknown, rest: unknown): unknown {
  if (first instanceof Value) {
    const tail = rest as Value | undefined;
    const y = emptyValue([1 + (tail?.shape[0] ?? 0), ...first.shape], first.dtype);
    assign(select(y, 0, 0), first);
    if (tail) assign(slice(y, 0, 1), tail);
    return y;
  }
  if (Array.isArray(first)) return first.map((x, i) => joinRuns(x, (rest as unknown[] | undefined)?.[i]));
  if (first === null || typeof first !== "object") return first;
  const tails = rest as Record<string, unknown> | undefined;
  return Object.fromEntries(Object.entries(first).map(([name, x]) => [name, joinRuns(x, tails?.[name])]));
}
