import { type Graph, isSlot, isStraight, type Slot, type Step, totalOf, touched, walkOf } from "../graph.ts";
import { conflicts } from "./check.ts";
import { isUpdate, piecesOf } from "./update.ts";

const longest = 16; // steps of a tiled group: their tiles must stay in L1 and L2
const widest = 1024; // elements of a row that fits a tile: native/args.h
const lookback = 8; // groups a step may move up past

/** Steps that run as one: tile after tile (over `total` elements, in rows of `width` where it has row kernels), or side by side. */
interface Group {
  readonly steps: Step[];
  readonly kind: "tiled" | "apart" | "single";
  readonly total: number;
  width: number;
}

/** Rows kernels over [r, c]: their first two extents. */
const isRows = (s: Step): boolean =>
  s.kernel.driver === "Rows" &&
  new Set(s.kernel.shapes.match(/[a-z]/g)).size === 2 &&
  s.words[1] > 0 &&
  s.words[1] <= widest;
const widthOf = (s: Step): number => (s.kernel.driver === "Rows" ? s.words[1] : 1);
const elementsOf = (s: Step): number => (s.kernel.driver === "Rows" ? s.words[0] * s.words[1] : totalOf(s));

/** How a step goes through an operand as its tiles go on: element by element, row by row, or otherwise (undefined). */
export function courseOf(
  s: Step,
  index: number,
): { readonly by: "element" | "row"; readonly offset: number } | undefined {
  if (s.kernel.driver === "Map") {
    return isStraight(s, index) ? { by: "element", offset: walkOf(s, index)?.offset ?? 0 } : undefined;
  }
  if (!isRows(s)) return undefined;
  const words = s.kernel.shapes.replaceAll("?", "").split(" ");
  const [word, row] = [words[index], words[0][0]];
  const offset = s.words[2 + s.operands.slice(0, index).filter(isSlot).length];
  if (!word.startsWith(row)) return undefined;
  return { by: word.length === 2 ? "element" : "row", offset };
}

/** Inside a group a slot that one step writes and another touches must be gone through alike, so that a tile of one is the tile of the other. */
function goAlike(a: Step, b: Step): boolean {
  for (const x of touched(a)) {
    for (const y of touched(b)) {
      if (x.slot !== y.slot || !(x.writes || y.writes)) continue;
      const [p, q] = [courseOf(a, x.index), courseOf(b, y.index)];
      if (!p || !q || p.by !== q.by || p.offset !== q.offset) return false;
    }
  }
  return true;
}

/**
 * Elementwise steps and row kernels over the same elements run as one pass: what one writes the next reads from L1. Updates
 * of several parameters run side by side. A step moves up to an earlier group if nothing in between touches what it
 * touches. Bits do not change: every element is still the same chain of operations.
 */
export function fuseSteps(g: Graph): Graph {
  const groups: Group[] = [];
  for (const s of g.steps) {
    const made = groupOf(s);
    const home = made.kind === "single" ? undefined : homeOf(groups, made, s);
    if (home) {
      home.steps.push(s);
      home.width = Math.max(home.width, made.width);
    } else groups.push(made);
  }
  const pieces = groups.map((x) => (x.kind === "apart" && x.steps.length > 1 ? x.steps.flatMap(piecesOf) : x.steps));
  return { ...g, steps: pieces.flat(), group: pieces.flatMap((x, i) => x.map(() => i)) };
}

function groupOf(s: Step): Group {
  const steps = [s];
  if (isUpdate(s)) return { steps, kind: "apart", total: 0, width: 1 };
  if ((s.kernel.driver === "Map" || isRows(s)) && elementsOf(s) > 1)
    return { steps, kind: "tiled", total: elementsOf(s), width: widthOf(s) };
  return { steps, kind: "single", total: 0, width: 1 };
}

function homeOf(groups: readonly Group[], { kind, total, width }: Group, s: Step): Group | undefined {
  for (let i = groups.length - 1; i >= Math.max(0, groups.length - lookback); i--) {
    const home = groups[i];
    const alike = home.kind === kind && home.total === total && home.steps[0].again === s.again;
    if (alike && kind === "apart" && !home.steps.some((t) => conflicts(t, s))) return home;
    if (alike && kind === "tiled" && home.steps.length < longest) {
      const wide = width === 1 || home.width === 1 || width === home.width;
      if (wide && home.steps.every((t) => goAlike(t, s))) return home;
    }
    if (home.steps.some((t) => conflicts(t, s))) return undefined;
  }
  return undefined;
}

/** Without fusion: every step a group of its own. */
export function singleSteps(g: Graph): Graph {
  return { ...g, group: g.steps.map((_, i) => i) };
}

/** Slots that live inside one group only, gone through straight over their whole length: they need a tile, not memory. */
export function tileSlots(g: Graph): Set<Slot> {
  const tiles = new Map<Slot, number | undefined>();
  const size = new Map<number, number>();
  for (const group of g.group ?? []) size.set(group, (size.get(group) ?? 0) + 1);
  const outputs = new Set(g.outputs);
  g.steps.forEach((s, i) => {
    const group = g.group?.[i] ?? i;
    for (const { slot, index, reads } of touched(s)) {
      const first = !tiles.has(slot);
      const course = courseOf(s, index);
      const whole = course?.by === "element" && course.offset === 0 && slot.length === elementsOf(s);
      const fits =
        slot.role === "temp" && !outputs.has(slot) && (size.get(group) ?? 1) > 1 && whole && !(first && reads);
      if (!fits || (!first && tiles.get(slot) !== group)) tiles.set(slot, undefined);
      else tiles.set(slot, group);
    }
  });
  return new Set([...tiles].flatMap(([slot, group]) => (group === undefined ? [] : [slot])));
}
