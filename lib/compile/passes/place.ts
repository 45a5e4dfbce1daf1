import { K } from "../../native.gen.ts";
import { type Graph, isWhole, type Slot, type Step, usersOf, walkOf } from "../graph.ts";

const gradients = new Set<Step["kernel"]>([K.attention_grad, K.attention_grad_bf16]);
/** Their results: where their offset and four steps stand, and which of the extents b m q e g k v are theirs. */
const results = [
  { at: 7, letters: [0, 1, 2, 3] },
  { at: 12, letters: [0, 4, 5, 3] },
  { at: 17, letters: [0, 4, 5, 6] },
];

/** Columns [from, from + cols) of rows of `width`, from row 0 on, that a step copies all of x to. */
interface Part {
  readonly from: number;
  readonly cols: number;
  readonly width: number;
}
function partOf(s: Step): Part | undefined {
  const walk = s.kernel === K.copy && isWhole(s, 1) ? walkOf(s, 0) : undefined;
  if (walk?.extents.length !== 2) return undefined;
  const [[, cols], [width, step], from] = [walk.extents, walk.steps, walk.offset];
  return step === 1 && from + cols <= width ? { from, cols, width } : undefined;
}
const apart = (a: Part, b: Part | undefined): boolean =>
  a.width === b?.width && (a.from + a.cols <= b.from || b.from + b.cols <= a.from);

/** The words of attention's gradient with result k in that part instead of in rows of their own. */
function moved({ words }: Step, k: number, { from, cols, width }: Part): Float64Array | undefined {
  const { at, letters } = results[k];
  const out = words.slice();
  if (words[at] !== 0) return undefined;
  let reach = 0;
  for (const [d, letter] of letters.entries()) {
    const step = words[at + 1 + d];
    if (step % cols === 0) out[at + 1 + d] = (step / cols) * width;
    else reach += step * (words[letter] - 1);
  }
  out[at] = from;
  return reach < cols ? out : undefined;
}

/** Gradients of q, k and v that are only joined to rows [q | k | v] are written there. */
export function placeGradients(g: Graph): Graph {
  const steps: (Step | null)[] = [...g.steps];
  const users = usersOf(g.steps);
  const outputs = new Set(g.outputs);
  g.steps.forEach((s, i) => {
    const part = partOf(s);
    const [y, x] = s.operands as [Slot, Slot];
    if (!part || x.role !== "temp" || y.role !== "temp" || outputs.has(x)) return;
    const [m, reader, ...others] = users.get(x) as number[];
    const maker = steps[m];
    const k = maker?.operands.indexOf(x) ?? -1;
    if (reader !== i || others.length > 0 || !maker || !gradients.has(maker.kernel) || maker.again !== s.again) return;
    const between = (users.get(y) ?? []).filter((j) => j > m && j < i);
    const words = k >= 0 && k < results.length ? moved(maker, k, part) : undefined;
    const beside = (t: Step) => t.operands[0] === y && t.operands[1] !== y && apart(part, partOf(t));
    if (!words || !between.every((j) => beside(g.steps[j]))) return;
    steps[m] = { ...maker, operands: maker.operands.with(k, y), words };
    steps[i] = null;
  });
  return { ...g, steps: steps.filter((s) => s !== null) };
}
