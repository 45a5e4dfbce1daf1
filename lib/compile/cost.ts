// What a kernel call costs: operations and bytes from its words, and the time these need at least on this machine.
import { bytesOf } from "../core/dtype.ts";
import { threads } from "../core/native.ts";
import { emptyValue } from "../core/value.ts";
import { withGrad } from "../engine/tape.ts";
import { assign } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { isProduct, isSlot, type Slot, type Step, totalOf, touched, walkOf } from "./graph.ts";

export interface Cost {
  readonly flops: number;
  /** Read and written in memory. */
  readonly bytes: number;
}

/** Extents of a Rows or Call step by the letters of its shapes. */
function extentsOf(s: Step): Map<string, number> {
  const letters = [...new Set(s.kernel.shapes.match(/[a-z]/g))];
  return new Map(letters.map((letter, i) => [letter, s.words[i]]));
}
const product = (numbers: Iterable<number>): number => [...numbers].reduce((n, x) => n * x, 1);

/** Kernels that read or write only those places of their long operand that an index names. */
const indexed = new Set(["gather", "index_select", "scatter_add", "scatter", "index_add", "index_copy"]);

/** Elements of its slot that a step touches through operand i. */
export function elementsOf(s: Step, index: number): number {
  const slot = s.operands[index];
  // A packed copy is read instead of the weight.
  if (!isSlot(slot) || slot.role === "packed") return 0;
  if (s.kernel.driver === "Map") {
    const walk = walkOf(s, index);
    return Math.min(slot.length, product(walk?.extents.filter((_, d) => walk.steps[d] !== 0) ?? []));
  }
  const extents = extentsOf(s);
  const words = s.kernel.shapes.replaceAll("?", "").split(" ");
  const of = (word: string) => product([...word].map((letter) => extents.get(letter) ?? 1));
  const most = indexed.has(s.kernel.name) ? Math.min(of("anb"), of("akb")) : slot.length;
  return Math.min(slot.length, most, of(words[index]));
}

/** Multiply-adds count two; elementwise and row kernels count one operation an element. */
export function flopsOf(s: Step): number {
  const { name, driver, shapes } = s.kernel;
  if (driver === "Map") return totalOf(s);
  const extents = extentsOf(s);
  if (isProduct(s)) return 2 * product([..."pqmnk"].map((letter) => extents.get(letter) ?? 1));
  // Every result of a convolution, n o p q, sums over a filter, f k l.
  if (name.startsWith("conv")) return 2 * product([..."nopqfkl"].map((letter) => extents.get(letter) ?? 1));
  // Each score sums over e, each result over the keys; backward computes the scores again and has four products. The words end
  // with causal, which halves them, and the scale.
  if (name.startsWith("attention")) {
    const [scores, e, v] = ["bmqk", "e", "v"].map((word) =>
      product([...word].map((letter) => extents.get(letter) ?? 1)),
    );
    const sums = name.startsWith("attention_grad") ? 3 * e + 2 * v : e + v;
    return (2 * scores * sums) / (s.words.at(-2) ? 2 : 1);
  }
  return Math.max(0, ...shapes.split(" ").map((_, i) => elementsOf(s, i)));
}

/**
 * The cost of steps that run as one. A slot is read and written once, however many of them touch it; what needs only a tile never
 * reaches memory.
 */
export function costOf(steps: readonly Step[], tiles: { has(slot: Slot): boolean }): Cost {
  const lines = new Map<string, number>();
  let flops = 0;
  for (const [i, s] of steps.entries()) {
    flops += flopsOf(s);
    for (const { slot, index, reads, writes } of touched(s)) {
      if (tiles.has(slot)) continue;
      // Pieces of an update go over the same slots side by side.
      const piece = s.kernel.driver === "Call" ? i : 0;
      const bytes = elementsOf(s, index) * bytesOf(slot.dtype);
      for (const [mode, on] of [
        ["r", reads],
        ["w", writes],
      ] as const) {
        const key = `${slot.id}${mode}${piece}`;
        if (on) lines.set(key, Math.max(bytes, lines.get(key) ?? 0));
      }
    }
  }
  return { flops, bytes: [...lines.values()].reduce((n, x) => n + x, 0) };
}

/** The least of several times of f, in seconds. */
function least(times: number, f: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    f();
    best = Math.min(best, performance.now() - start);
  }
  return Math.max(best, 1e-6) / 1000;
}

const measured = new Map<string, number>();
function once(name: string, measure: () => number): number {
  const key = `${name} by ${threads()}`;
  const known = measured.get(key);
  if (known !== undefined) return known;
  const found = withGrad(false, measure);
  measured.set(key, found);
  return found;
}

/** Operations a second: what a product of two matrices 384 x 384 reaches. */
export function peakFlops(): number {
  return once("flops", () => {
    const [a, b] = [1, 2].map((value) => filled(384 * 384, value, [384, 384]));
    return (2 * 384 ** 3) / least(8, () => void matmul(a, b));
  });
}
/** Bytes a second, read and written, among as much memory as a step uses: caches are faster than memory. Up to 64 MiB are tried. */
export function bandwidth(workingSet: number): number {
  const bytes = 2 ** Math.min(26, Math.max(15, Math.ceil(Math.log2(workingSet))));
  return once(`bytes among ${bytes}`, () => {
    const [from, to] = [1, 2].map((value) => filled(bytes / 8, value));
    const passes = Math.ceil(2 ** 21 / bytes);
    const copy = () => {
      for (let i = 0; i < passes; i++) assign(to, from);
    };
    return (passes * bytes) / least(5, copy);
  });
}
function filled(n: number, value: number, shape: number[] = [n]) {
  const x = emptyValue(shape, "f32");
  assign(x, value);
  return x;
}

/** Nanoseconds at least: operations at the peak rate, and bytes at that of the memory they are in. */
export const leastTime = ({ flops, bytes }: Cost, workingSet: number): number =>
  1e9 * (flops / peakFlops() + bytes / bandwidth(workingSet));
