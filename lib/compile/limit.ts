// What a step takes at its fullest, and how little of it must be computed again to stay within a limit.
import { bytesOf } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { threads } from "../core/native.ts";
import { sizeText } from "./explain.ts";
import { type Graph, isHeld, isProduct, nameOf, type Slot, touched, writes } from "./graph.ts";
import { type Layout, livesOf, planMemory } from "./memory.ts";
import { optimize } from "./passes/order.ts";
import { segmentsOf, store } from "./passes/recompute.ts";
import { atOnce, type Slices } from "./slices.ts";

/** Bytes of a step by use. */
export interface Peak {
  /** Weights, optimizer state and all else it uses by reference. */
  readonly state: number;
  /** Arguments and everything temporary. */
  readonly arena: number;
  /** Weights once more, in the order in which products of few rows read them; plans share them. */
  readonly packed: number;
  /** Copies of arguments and results on their way. */
  readonly copies: number;
  readonly results: number;
  /** Packed operands of matrix products and tiles of groups, kept by the threads for whatever runs next. */
  readonly scratch: number;
  readonly total: number;
}
export interface Planned {
  readonly graph: Graph;
  readonly layout: Layout;
  readonly peak: Peak;
}
export interface Limits {
  readonly fuse?: boolean | undefined;
  readonly prepack?: boolean | undefined;
  readonly memoryLimit?: number | undefined;
}

const sizeOf = (s: Slot): number => s.length * bytesOf(s.dtype);
const sum = (slots: Iterable<Slot>): number => [...slots].reduce((n, s) => n + sizeOf(s), 0);

function* planned(g: Graph, limits: Limits): Slices<Planned> {
  const graph = optimize(g, limits);
  yield;
  const layout = planMemory(graph);
  yield;
  const held = new Set(graph.steps.flatMap((s) => touched(s).flatMap((u) => (isHeld(u.slot) ? [u.slot] : []))));
  const copies = (graph.packed ?? []).reduce((n, p) => n + p.copy.bytes, 0);
  const results = sum(graph.outputs);
  const peak = {
    state: sum(held) - copies,
    arena: layout.arenaBytes,
    packed: copies,
    copies: sum(graph.inputs) + results,
    results,
    scratch: scratchOf(graph),
  };
  return { graph, layout, peak: { ...peak, total: Object.values(peak).reduce((n, x) => n + x) } };
}

// Of native/kernels/product.h: depth and columns of the block of B that is packed, floats of the block of A.
const [deep, wide, area] = [1024, 2048, 184320];
const tiles = 24 * 8192;
/** At most: the largest blocks that a product asks for, in the thread that runs it; a block of A and tiles in each. */
function scratchOf(g: Graph): number {
  const packed = g.steps.flatMap((s) => {
    const [, , m, n, k] = s.words;
    return isProduct(s) && m > 16 && k * n > 4096 ? [Math.min(k, deep) * Math.min(n, wide) * 4] : [];
  });
  return Math.max(0, ...packed) + threads() * ((packed.length ? area * 4 : 0) + tiles);
}

/**
 * Without a limit every checkpointed segment is computed again. With one, weights are packed if it allows that, and as few segments as possible: those first that free the most
 * for their work, the earliest of equals, because backward comes to them last.
 */
export function* planWithin(g: Graph, limits: Limits): Slices<Planned> {
  const { memoryLimit } = limits;
  if (memoryLimit === undefined) return yield* planned(g, limits);
  const order = byGain(g);
  const within = (again: number) => {
    const stored = store(g, new Set(order.slice(again)));
    const full = atOnce(planned(stored, limits));
    return full.peak.total <= memoryLimit ? full : atOnce(planned(stored, { ...limits, prepack: false }));
  };
  let [low, high] = [0, order.length];
  let best = within(0);
  if (best.peak.total <= memoryLimit) return best;
  best = within(high);
  if (best.peak.total > memoryLimit) refuse(best, memoryLimit, order.length);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const tried = within(middle);
    if (tried.peak.total <= memoryLimit) [high, best] = [middle, tried];
    else low = middle;
  }
  return best;
}

/** The segments, by bytes stored for each byte that computing them again writes. */
function byGain(g: Graph): number[] {
  const stored = store(g, new Set(segmentsOf(g)));
  const lastUse = new Map<Slot, number>();
  stored.steps.forEach((s, i) => {
    for (const u of touched(s)) lastUse.set(u.slot, i);
  });
  const gain = (id: number): number => {
    const steps = stored.steps.flatMap((s, i) => (s.within.includes(id) ? [{ s, i }] : []));
    const end = steps.at(-1)?.i ?? 0;
    const made = new Set(
      steps.flatMap(({ s }) => touched(s).flatMap((u) => (u.writes && u.slot.role === "temp" ? [u.slot] : []))),
    );
    const kept = [...made].filter((slot) => (lastUse.get(slot) ?? 0) > end);
    return sum(kept) / Math.max(1, sum(made));
  };
  const forward = new Map<number, number>();
  g.steps.forEach((s, i) => {
    for (const id of s.within) if (!forward.has(id)) forward.set(id, i);
  });
  const gains = new Map(segmentsOf(g).map((id) => [id, gain(id)]));
  const first = (id: number) => forward.get(id) ?? 0;
  return [...gains.keys()].sort((a, b) => (gains.get(b) as number) - (gains.get(a) as number) || first(a) - first(b));
}

function refuse({ graph, peak }: Planned, limit: number, segments: number): never {
  const rows: [string, number, string][] = [
    ["state", peak.state, "weights, optimizer state and what else the step uses"],
    ["temporaries", peak.arena, "arguments and what the step computes, at its fullest:"],
    ...fullest(graph),
    ["copies", peak.copies, "arguments and results on their way"],
    ["results", peak.results, ""],
    ["scratch", peak.scratch, "operands of matrix products in the order kernels read them"],
  ];
  const sizes = rows.map(([, bytes]) => sizeText(bytes));
  const [wide, names] = [Math.max(...sizes.map((s) => s.length)), Math.max(...rows.map(([name]) => name.length))];
  const table = rows.map(([name, , what], i) =>
    `\n    ${name.padEnd(names)}  ${sizes[i].padStart(wide)}  ${what}`.trimEnd(),
  );
  const hint = segments
    ? `all ${segments} checkpointed segments are computed again already: use smaller batches, or checkpoint more`
    : "put blocks into checkpoint(), or use smaller batches";
  return fail(
    "ERR_NABLA_MEMORY",
    "compile",
    `the step needs ${sizeText(peak.total)}, the limit is ${sizeText(limit)}${table.join("")}`,
    { expected: limit, actual: peak.total, hint },
  );
}

/** The largest slots of the moment at which most lives. */
function fullest(g: Graph): [string, number, string][] {
  const lives = [...livesOf(g)];
  const at = (time: number) => lives.filter(([, l]) => l.from <= time && time <= l.to);
  const bytes = (time: number) => at(time).reduce((n, [, l]) => n + l.bytes, 0);
  const times = [...new Set(g.group ?? g.steps.map((_, i) => i))];
  const time = times.reduce((a, b) => (bytes(b) > bytes(a) ? b : a), times[0] ?? 0);
  return at(time)
    .sort((a, b) => b[1].bytes - a[1].bytes)
    .slice(0, 5)
    .map(([slot, l]) => {
      const maker = g.steps.find((s) => s.operands.some((x, i) => x === slot && writes(s, i)));
      return [`  ${nameOf(slot)}`, l.bytes, maker ? `${maker.kernel.name} at ${maker.where()}` : "an argument"];
    });
}
