// Recorded steps as listings, for tests that show what a pass does.
import { type Tensor, tensor } from "nabla";
import { type Graph, print } from "../../lib/compile/graph.ts";
import { record } from "../../lib/compile/record.ts";
import type { Value } from "../../lib/core/value.ts";

export type Step = (...args: Tensor[]) => unknown;
const args = (...xs: Tensor[]): Value[] =>
  xs.map((x, i) => {
    x.label = "xyz"[i];
    return x;
  });
export const matrix = () =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]) as Tensor;
export const graphOf = (f: Step, ...xs: Tensor[]): Graph => record(f as never, args(...xs)).graph;
/** Both listings, the arrow between them. */
export const shown = (before: Graph, after: Graph): string => `\n${print(before)}\n->\n${print(after)}`;
