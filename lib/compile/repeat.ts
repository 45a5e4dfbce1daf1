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

/** Results of single runs, then those of the rest stacked, as one structure of stacked tensors. */
export function joinRuns(singles: readonly unknown[], rest: unknown): unknown {
  const model = singles[0] ?? rest;
  if (singles.length === 0) return rest;
  if (model instanceof Value) {
    const tail = rest as Value | undefined;
    const y = emptyValue([singles.length + (tail?.shape[0] ?? 0), ...model.shape], model.dtype);
    singles.forEach((s, i) => {
      assign(select(y, 0, i), s as Value);
    });
    if (tail) assign(slice(y, 0, singles.length), tail);
    return y;
  }
  if (Array.isArray(model))
    return model.map((_, i) =>
      joinRuns(
        singles.map((s) => (s as unknown[])[i]),
        (rest as unknown[] | undefined)?.[i],
      ),
    );
  if (model !== null && typeof model === "object") {
    return Object.fromEntries(
      Object.keys(model).map((k) => [
        k,
        joinRuns(
          singles.map((s) => (s as Record<string, unknown>)[k]),
          (rest as Record<string, unknown> | undefined)?.[k],
        ),
      ]),
    );
  }
  return model;
}
