import { bytesOf } from "../core/dtype.ts";
import { type Graph, isStraight, type Slot, touched, walkOf } from "./graph.ts";
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

interface Life {
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
function livesOf(g: Graph, tiles: ReadonlyMap<Slot, number>): Map<Slot, Life> {
  const lives = new Map<Slot, Life>();
  const end = g.steps.length;
  const see = (slot: Slot, time: number) => {
    if (slot.role === "state" || slot.role === "constant" || tiles.has(slot)) return;
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

/** A lone elementwise step may write where the operand that dies in it lay: both are walked alike, so it is in place. */
function shareInPlace(g: Graph, lives: Map<Slot, Life>): Map<Slot, Slot> {
  const roots = new Map<Slot, Slot>();
  const whole = (i: number, index: number) => isStraight(g.steps[i], index) && walkOf(g.steps[i], index)?.offset === 0;
  g.steps.forEach((s, i) => {
    if (s.kernel.driver !== "Map") return;
    const time = timeOf(g, i);
    if (timeOf(g, i - 1) === time || timeOf(g, i + 1) === time) return;
    const uses = [...touched(s)];
    const y = uses.find((u) => u.writes);
    const born = y && lives.get(y.slot);
    if (!y || !born || y.reads || born.from !== time || y.slot.role !== "temp" || !whole(i, y.index)) return;
    const x = uses.find((u) => {
      if (u.writes || u.slot === y.slot || !whole(i, u.index)) return false;
      const root = lives.get(rootOf(u.slot, roots));
      const life = lives.get(u.slot);
      return (
        life !== undefined &&
        life.to === time &&
        root !== undefined &&
        root.to === time &&
        root.bytes === born.bytes &&
        u.slot.dtype === y.slot.dtype
      );
    });
    if (!x) return;
    const root = rootOf(x.slot, roots);
    roots.set(y.slot, root);
    (lives.get(root) as Life).to = Math.max(time, born.to);
  });
  return roots;
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
    const uses = [...touched(s)];
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
