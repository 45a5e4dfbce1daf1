import type { Step } from "../graph.ts";

const updates = new Set([
  "sgd",
  "adam",
  "adamw",
  "rmsprop",
  "adagrad",
  "adadelta",
  "adamax",
  "nadam",
  "radam",
  "lion",
  "rprop",
]);
/** A row of native/kernels/optimizer.h: parameter and state, then gradient, hyper-parameters, clip factor. */
export const isUpdate = (s: Step): boolean => updates.has(s.kernel.name);

/** Elements of a piece: some tens of microseconds, and whole cache lines. */
const piece = 65536;

/**
 * An update cut into pieces that can run side by side: every element is updated by itself. The extent n comes first; all
 * operands but the last two are as long.
 */
export function piecesOf(s: Step): Step[] {
  const [n, ...rest] = s.words;
  if (n <= piece) return [s];
  const long = s.operands.slice(0, -2).filter((x) => x !== null).length;
  const firstOffset = 2; // after the extents h and s
  return Array.from({ length: Math.ceil(n / piece) }, (_, i) => {
    const from = i * piece;
    const words = rest.map((w, k) => (k >= firstOffset && k < firstOffset + long ? w + from : w));
    return { ...s, words: Float64Array.of(Math.min(piece, n - from), ...words) };
  });
}
