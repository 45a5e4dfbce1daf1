import { bytesOf } from "../core/dtype.ts";
import { type Graph, isHeld, isWhole, type Slot, touched, type Use } from "./graph.ts";
import { tileSlots } from "./passes/fuse.ts";

export interface Layout {
  /** Byte offset of each argument and temporary in the arena. */
  readonly offsets: ReadonlyMap<Slot, number>;
  /** Slots of fused groups that never reach memory: byte offset among the tiles of a thread. */
  readonly tiles: ReadonlyMap<Slot, number>;
  readonly arenaBytes: number;
}

const align = 64;
/** native/args.h: bytes of a tile, and how many a thread has. */
const tileBytes = 8192;
const tileCount = 24;

/** From when to when a slot holds something; groups count as moments. */
export interface Life {
  readonly bytes: number;
  from: number;
  to: number;
}

/** Places every temporary so that no two that live at the same time overlap. Largest first, each at the lowest free offset. */
export function planMemory(g: Graph): Layout {
  const tiles = placeTiles(g);
  const lives = livesOf(g, tiles);
  const roots = shareInPlace(g, lives);
  const placed: { offset: number; life: Life }[] = [];
  const offsets = new Map<Slot, number>();
  let arenaBytes = 0;
  for (const [slot, life] of [...lives].sort((a, b) => b[1].bytes - a[1].bytes || a[0].id - b[0].id)) {
    if (roots.has(slot)) continue;
    const near = placed
      .filter((p) => p.life.from <= life.to && life.from <= p.life.to)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const p of near) {
      if (offset + life.bytes <= p.offset) break;
      offset = Math.max(offset, p.offset + p.life.bytes);
    }
    placed.push({ offset, life });
    offsets.set(slot, offset);
    arenaBytes = Math.max(arenaBytes, offset + life.bytes);
  }
  for (const slot of lives.keys()) offsets.set(slot, offsets.get(rootOf(slot, roots)) as number);
  return { offsets, tiles, arenaBytes };
}

const timeOf = (g: Graph, i: number): number => g.group?.[i] ?? i;

/** When each slot is first and last used. A group is one moment: its tiles interleave. Arguments live from before the first. */
export function livesOf(g: Graph, tiles: ReadonlyMap<Slot, number> = placeTiles(g)): Map<Slot, Life> {
  const lives = new Map<Slot, Life>();
  const end = g.steps.length;
  const see = (slot: Slot, time: number) => {
    if (isHeld(slot) || tiles.has(slot)) return;
    const life = lives.get(slot);
    const bytes = Math.ceil((slot.length * bytesOf(slot.dtype)) / align) * align;
    if (!life) lives.set(slot, { bytes, from: time, to: time });
    else life.to = Math.max(life.to, time);
  };
  for (const slot of g.inputs) see(slot, -1);
  g.steps.forEach((s, i) => {
    for (const { slot } of touched(s)) see(slot, timeOf(g, i));
  });
  for (const slot of g.outputs) see(slot, end);
  return lives;
}

function rootOf(slot: Slot, roots: ReadonlyMap<Slot, Slot>): Slot {
  let at = slot;
  for (let up = roots.get(at); up; up = roots.get(at)) at = up;
  return at;
}

/**
 * An elementwise result may lie where an operand lay that dies in the same group: both are gone through alike, and no tile
 * of the operand is read after that of the result is written.
 */
function shareInPlace(g: Graph, lives: Map<Slot, Life>): Map<Slot, Slot> {
  const roots = new Map<Slot, Slot>();
  let begin = 0;
  for (let end = 1; end <= g.steps.length; end++) {
    if (end < g.steps.length && timeOf(g, end) === timeOf(g, begin)) continue;
    const members = g.steps.slice(begin, end);
    const uses = members.flatMap((s, i) =>
      touched(s).map((u) => ({ ...u, i, whole: isWhole(s, u.index) && s.kernel.driver === "Map" })),
    );
    if (members.some((s) => s.kernel.driver === "Map")) shareInGroup(uses, timeOf(g, begin), lives, roots);
    begin = end;
  }
  return roots;
}

type Place = Use & { readonly i: number; readonly whole: boolean };
function shareInGroup(uses: readonly Place[], time: number, lives: Map<Slot, Life>, roots: Map<Slot, Slot>): void {
  const of = (slot: Slot) => uses.filter((u) => u.slot === slot);
  const taken = new Set<Slot>();
  for (const slot of new Set(uses.map((u) => u.slot))) {
    const [born, made] = [lives.get(slot), of(slot)];
    if (!born || born.from !== time || slot.role !== "temp" || made[0].reads || made.some((u) => !u.whole)) continue;
    const dies = (x: Slot) => {
      const [life, root] = [lives.get(x), lives.get(rootOf(x, roots))];
      if (!life || !root || taken.has(rootOf(x, roots))) return false;
      if (x === slot || x.dtype !== slot.dtype || root.bytes !== born.bytes) return false;
      return life.to === time && root.to === time && life.from < time;
    };
    const x = uses.find((u) => dies(u.slot) && of(u.slot).every((v) => v.whole && !v.writes && v.i <= made[0].i))?.slot;
    if (!x) continue;
    const root = rootOf(x, roots);
    taken.add(root);
    roots.set(slot, root);
    (lives.get(root) as Life).to = Math.max(time, born.to);
  }
}

/** Tiles of a group are reused once their last reader has run. Slots that find none free stay in memory. */
function placeTiles(g: Graph): Map<Slot, number> {
  const candidates = tileSlots(g);
  const last = new Map<Slot, number>();
  g.steps.forEach((s, i) => {
    for (const { slot } of touched(s)) last.set(slot, i);
  });
  const tiles = new Map<Slot, number>();
  let free: number[] = [];
  g.steps.forEach((s, i) => {
    if (i === 0 || timeOf(g, i - 1) !== timeOf(g, i))
      free = Array.from({ length: tileCount }, (_, k) => (tileCount - 1 - k) * tileBytes);
    const uses = touched(s);
    for (const { slot } of uses) {
      if (!candidates.has(slot) || tiles.has(slot)) continue;
      const tile = free.pop();
      if (tile === undefined) candidates.delete(slot);
      else tiles.set(slot, tile);
    }
    for (const { slot } of uses) if (tiles.has(slot) && last.get(slot) === i) free.push(tiles.get(slot) as number);
  });
  return tiles;
}
