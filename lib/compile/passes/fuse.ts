import { type Graph, isStraight, type Slot, type Step, totalOf, touched, walkOf } from "../graph.ts";
import { conflicts } from "./check.ts";

const longest = 16; // steps of a group: their tiles must stay in L1 and L2
const lookback = 8; // groups a step may move up past

interface Group {
  readonly steps: Step[];
  readonly total: number; // elements of the iteration; 0 where the group takes no more steps
}

/**
 * Inside a group, tile follows tile: a slot that one step writes and another touches must be walked alike by both, in
 * memory order from the same element, so that a tile of one is the tile of the other.
 */
function walkAlike(a: Step, b: Step): boolean {
  for (const x of touched(a)) {
    for (const y of touched(b)) {
      if (x.slot !== y.slot || !(x.writes || y.writes)) continue;
      if (!isStraight(a, x.index) || !isStraight(b, y.index)) return false;
      if (walkOf(a, x.index)?.offset !== walkOf(b, y.index)?.offset) return false;
    }
  }
  return true;
}

/**
 * Elementwise steps over the same number of elements run as one pass: what one writes the next reads from L1. A step moves
 * up to an earlier group if nothing in between touches what it touches. Bits do not change: every element is still the
 * same chain of operations.
 */
export function fuseMaps(g: Graph): Graph {
  const groups: Group[] = [];
  for (const s of g.steps) {
    const total = s.kernel.driver === "Map" ? totalOf(s) : 0;
    const home = total > 1 ? homeOf(groups, s, total) : undefined;
    if (home) home.steps.push(s);
    else groups.push({ steps: [s], total });
  }
  return { ...g, steps: groups.flatMap((x) => x.steps), group: groups.flatMap((x, i) => x.steps.map(() => i)) };
}

function homeOf(groups: readonly Group[], s: Step, total: number): Group | undefined {
  for (let i = groups.length - 1; i >= Math.max(0, groups.length - lookback); i--) {
    const group = groups[i];
    const fits = group.total === total && group.steps.length < longest;
    if (fits && group.steps.every((t) => walkAlike(t, s))) return group;
    if (group.steps.some((t) => conflicts(t, s))) return undefined;
  }
  return undefined;
}

/** Without fusion: every step a group of its own. */
export function singleSteps(g: Graph): Graph {
  return { ...g, group: g.steps.map((_, i) => i) };
}

/** Slots that live inside one group only, walked straight over their whole length: they need a tile, not memory. */
export function tileSlots(g: Graph): Set<Slot> {
  const tiles = new Map<Slot, number | undefined>();
  const size = new Map<number, number>();
  for (const group of g.group ?? []) size.set(group, (size.get(group) ?? 0) + 1);
  const outputs = new Set(g.outputs);
  g.steps.forEach((s, i) => {
    const group = g.group?.[i] ?? i;
    for (const { slot, index, reads } of touched(s)) {
      const first = !tiles.has(slot);
      const fits =
        slot.role === "temp" &&
        !outputs.has(slot) &&
        (size.get(group) ?? 1) > 1 &&
        isMapOver(s, slot, index) &&
        !(first && reads);
      if (!fits || (!first && tiles.get(slot) !== group)) tiles.set(slot, undefined);
      else tiles.set(slot, group);
    }
  });
  return new Set([...tiles].flatMap(([slot, group]) => (group === undefined ? [] : [slot])));
}

const isMapOver = (s: Step, slot: Slot, index: number): boolean =>
  s.kernel.driver === "Map" && slot.length === totalOf(s) && isStraight(s, index) && walkOf(s, index)?.offset === 0;
