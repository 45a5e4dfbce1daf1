// Draws of categories by their probabilities.
import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { elementsOf, isRecording } from "../engine/launch.ts";
import { withGrad } from "../engine/tape.ts";
import { gt } from "./arithmetic.ts";
import { amin } from "./extreme.ts";
import { minus, over, times } from "./formula.ts";
import { log } from "./math.ts";
import { uniform } from "./random.ts";
import { countNonzero, sum } from "./reduce.ts";
import { cumsum } from "./scan.ts";
import { searchsorted, topk } from "./sort.ts";
import { slice } from "./view.ts";

function checkWeights(p: Value, samples: number, replacement: boolean): void {
  if (p.ndim < 1 || p.ndim > 2 || !p.isFloat)
    fail("ERR_NABLA_SHAPE", "multinomial", "takes a vector or rows of float weights", { values: { p } });
  checkPlain("multinomial", { samples });
  if (!Number.isInteger(samples) || samples < 1)
    fail("ERR_NABLA_VALUE", "multinomial", `${samples} is not a number of draws`, { actual: samples });
  if (isRecording() || p.size === 0) return;
  const least = elementsOf("multinomial", amin(p))[0];
  const total = elementsOf("multinomial", amin(sum(p, -1)))[0];
  if (!(least >= 0) || !(total > 0) || total === Number.POSITIVE_INFINITY)
    fail("ERR_NABLA_VALUE", "multinomial", "weights must be finite, from 0, and some above 0 in each row", {
      values: { p },
    });
  const drawable = elementsOf("multinomial", amin(countNonzero(gt({ a: p, b: 0 }), -1)))[0];
  if (!replacement && samples > drawable)
    fail("ERR_NABLA_VALUE", "multinomial", `${samples} draws without replacement of ${drawable} weights above 0`, {
      values: { p },
      hint: "pass { replacement: true }",
    });
}

/**
 * Categories drawn with probability p / Σ p, [..., samples], i32. With replacement: where a uniform number falls in the
 * running sum. Without: the first of a race, whose arrival times -log(u) / p are exponential with rate p.
 */
export function multinomial(p: Value, samples: number, options: Replacement = {}): Value {
  const { replacement = false } = only("multinomial", options, ["replacement"]);
  checkWeights(p, samples, replacement);
  return withGrad(false, () => {
    if (!replacement) {
      const u = uniform(p.shape, 0, 1, p.dtype);
      return topk(over(p, minus(0, log({ x: u }))), samples).indices;
    }
    const sums = cumsum(p, -1);
    const u = uniform([...p.shape.slice(0, -1), samples], 0, 1, p.dtype);
    return searchsorted(sums, times(u, slice(sums, -1, -1)), { right: true });
  });
}
export interface Replacement {
  readonly replacement?: boolean;
}
