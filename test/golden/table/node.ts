// What every ONNX node is read with.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Result } from "../args.ts";

/** Every node says how many outputs it wants and by which opset it is meant; most need neither. */
export const node = (run: (a: Args) => Result): Entry =>
  entry("", (a) => {
    a.ignore("opset", "outputs");
    return run(a);
  });
export const x0 = (a: Args): Value => a.tensor("x0");
