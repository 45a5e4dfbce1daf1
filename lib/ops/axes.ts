// Dimensions moved, split and spread over a grid.
import { fail } from "../core/errors.ts";
import { checkDim, type Dims } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { expand, permute, reshape } from "./view.ts";

/** Dims at `source` go to `destination`; the others keep their order. */
export function movedim(x: Value, source: number | Dims, destination: number | Dims): Value {
  const check = (dims: number | Dims) => [dims].flat().map((d) => checkDim("movedim", d, x.ndim));
  const [from, to] = [check(source), check(destination)];
  if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length)
    fail("ERR_NABLA_VALUE", "movedim", `dims [${from.join(", ")}] cannot go to [${to.join(", ")}]`, {
      values: { x },
      actual: [source, destination],
    });
  const rest = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
  return permute(
    x,
    x.shape.map((_, i) => (to.includes(i) ? from[to.indexOf(i)] : (rest.shift() as number))),
  );
}

/** One dim as several; one of the sizes may be -1. */
export function unflatten(x: Value, dim: number, sizes: Dims): Value {
  const d = checkDim("unflatten", dim, x.ndim);
  const known = sizes.reduce((n, size) => (size === -1 ? n : n * size), 1);
  const solved = sizes.map((size) => (size === -1 ? (x.shape[d] ?? 1) / known : size));
  if (sizes.filter((s) => s === -1).length > 1 || solved.reduce((a, b) => a * b, 1) !== (x.shape[d] ?? 1))
    fail("ERR_NABLA_SHAPE", "unflatten", `dim ${d} of size ${x.shape[d]} is not [${sizes.join(", ")}]`, {
      values: { x },
      expected: x.shape[d],
      actual: sizes,
    });
  return reshape(x, x.shape.toSpliced(d, 1, ...solved));
}

/** Vectors spread over their grid: result i has vector i along dim i. */
export function meshgrid(xs: readonly Value[], indexing: "ij" | "xy" = "ij"): Value[] {
  if (xs.some((x) => x.ndim > 1))
    fail("ERR_NABLA_SHAPE", "meshgrid", "takes vectors", {
      values: Object.fromEntries(xs.map((x, i) => [`x${i}`, x])),
    });
  const order = xs.map((_, i) => (indexing === "xy" && i < 2 && xs.length > 1 ? 1 - i : i));
  const shape = order.map((i) => xs[i].size);
  return xs.map((x, i) =>
    expand(
      reshape(
        x,
        shape.map((_, d) => (order[d] === i ? x.size : 1)),
      ),
      shape,
    ),
  );
}
