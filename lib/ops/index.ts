// Loads every family, so that the registry is whole, and gives the tape the arithmetic it needs.
import { useArithmetic } from "../engine/tape.ts";
import { add, cast, copy } from "./arithmetic.ts";
import { zeros } from "./create.ts";
import { sumTo } from "./reduce.ts";

useArithmetic({ add: (a, b) => add({ a, b }), cast, copy, sumTo, zeros });

export * from "./activation.ts";
export * from "./arithmetic.ts";
export * from "./axes.ts";
export * from "./binary.ts";
export * from "./choice.ts";
export * from "./clamp.ts";
export * from "./compare.ts";
export * from "./create.ts";
export * from "./diagonal.ts";
export * from "./einsum.ts";
export * from "./extreme.ts";
export * from "./join.ts";
export * from "./loss.ts";
export * from "./margin.ts";
export * from "./math.ts";
export * from "./matmul.ts";
export * from "./moment.ts";
export * from "./nested.ts";
export * from "./norm.ts";
export * from "./pad.ts";
export * from "./position.ts";
export * from "./product.ts";
export * from "./random.ts";
export * from "./reduce.ts";
export * from "./repeat.ts";
export * from "./scan.ts";
export * from "./select.ts";
export * from "./softmax.ts";
export * from "./sort.ts";
export * from "./triangle.ts";
export * from "./view.ts";
