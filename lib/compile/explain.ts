import { costOf, leastTime } from "./cost.ts";
import { print, type Step } from "./graph.ts";
import type { Plan } from "./plan.ts";

/** What runs as one: a kernel call, or several that were fused. */
export interface GroupCost {
  /** "matmul", or "fused add+mul". */
  readonly kernel: string;
  /** The line that asked for it: "train.ts:20:113". */
  readonly where: string;
  /** Operations; a multiply-add counts two. */
  readonly flops: number;
  /** Read and written in memory. */
  readonly bytes: number;
  /** Nanoseconds that operations and bytes take at the peak rates of this machine. */
  readonly predicted: number;
  /** Nanoseconds of one run, measured while profile was on; undefined before. */
  readonly nanoseconds: number | undefined;
}
/** All groups of a step that run the same kernels. */
export interface KernelCost extends Omit<GroupCost, "where"> {
  readonly calls: number;
}
export interface PlanCost {
  readonly steps: number;
  /** Groups of steps that run as one. */
  readonly fusedGroups: number;
  readonly arenaBytes: number;
  readonly stateBytes: number;
  /** Weights once more, in the order in which products of few rows read them. All steps share them. */
  readonly packedBytes: number;
  /** All that the step takes at its fullest: state, arena, packed weights, results, copies on their way, scratch. */
  readonly peakBytes: number;
  /** Of these, at most, what kernels need beside operands; threads keep it, and all steps share it. */
  readonly scratchBytes: number;
  readonly flops: number;
  readonly bytes: number;
  readonly predicted: number;
  readonly nanoseconds: number | undefined;
  /** By kind, those that take longest first. */
  readonly kernels: readonly KernelCost[];
  /** In the order they run in. */
  readonly groups: readonly GroupCost[];
  readonly listing: string;
}
export interface Explanation {
  readonly plans: readonly PlanCost[];
  toString(): string;
}

/** Neighbours with the same number. */
function membersOf({ steps, group = [] }: Plan["graph"]): Step[][] {
  const members: Step[][] = [];
  steps.forEach((s, i) => {
    if (i > 0 && group[i - 1] === group[i]) members.at(-1)?.push(s);
    else members.push([s]);
  });
  return members;
}
const nameOf = (members: readonly Step[]): string => {
  const names = [...new Set(members.map((s) => s.kernel.name))].join("+");
  return members.length > 1 ? `fused ${names}` : names;
};

type Sums = Pick<GroupCost, "flops" | "bytes" | "predicted" | "nanoseconds">;
function sum(costs: readonly Sums[]): Sums {
  const total = (of: (c: Sums) => number) => costs.reduce((n, c) => n + of(c), 0);
  const timed = costs.some((c) => c.nanoseconds !== undefined);
  return {
    flops: total((c) => c.flops),
    bytes: total((c) => c.bytes),
    predicted: total((c) => c.predicted),
    nanoseconds: timed ? total((c) => c.nanoseconds ?? 0) : undefined,
  };
}
const time = (c: Sums): number => c.nanoseconds ?? c.predicted;

function planCost(plan: Plan): PlanCost {
  const { peak, graph, tiles, timed } = plan;
  const times = timed > 0 ? plan.program.times() : undefined;
  const members = membersOf(graph);
  const groups = members.map((steps, i): GroupCost => {
    const cost = costOf(steps, tiles);
    const predicted = leastTime(cost, peak.arena + peak.state);
    return {
      kernel: nameOf(steps),
      where: steps[0].where(),
      ...cost,
      predicted,
      nanoseconds: times && times[i] / timed,
    };
  });
  const kinds = new Map<string, GroupCost[]>();
  for (const c of groups) kinds.set(c.kernel, [...(kinds.get(c.kernel) ?? []), c]);
  return {
    steps: graph.steps.length,
    fusedGroups: members.filter((m) => m.length > 1).length,
    arenaBytes: peak.arena,
    stateBytes: peak.state,
    packedBytes: peak.packed,
    peakBytes: peak.total,
    scratchBytes: peak.scratch,
    ...sum(groups),
    kernels: [...kinds]
      .map(([kernel, costs]) => ({ kernel, calls: costs.length, ...sum(costs) }))
      .sort((a, b) => time(b) - time(a)),
    groups,
    listing: print(graph),
  };
}

export function explain(plans: readonly Plan[]): Explanation {
  const costs = plans.map(planCost);
  return {
    plans: costs,
    toString: () => costs.map(table).join("\n\n") || "not called yet",
  };
}

const numbers = (c: Sums): string[] => [
  (c.flops / 1e6).toFixed(3),
  (c.bytes / 1024).toFixed(1),
  (c.predicted / 1000).toFixed(2),
  c.nanoseconds === undefined ? "" : (c.nanoseconds / 1000).toFixed(2),
];
const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
const heads = ["MFLOP", "KiB", "predicted µs", "measured µs"];

function columns(rows: readonly (readonly string[])[]): string {
  const wide = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  const numeric = (r: readonly string[], x: string, i: number) => (r === rows[0] ? rows[1]?.[i] : x)?.match(/^[\d.]*$/);
  return rows
    .map((r) =>
      r
        .map((x, i) => (numeric(r, x, i) ? x.padStart(wide[i]) : x.padEnd(wide[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Kinds of kernels, then the single groups that take longest with the line that asked for each. */
function table(c: PlanCost): string {
  const slowest = [...c.groups].sort((a, b) => time(b) - time(a)).slice(0, 8);
  const total = numbers(c);
  return [
    `${c.steps} steps, ${c.fusedGroups} fused groups, arena ${sizeText(c.arenaBytes)}, state ${sizeText(c.stateBytes)}, at most ${sizeText(c.peakBytes)}`,
    columns([
      ["kernel", "calls", ...heads],
      ...c.kernels.map((k) => [cut(k.kernel), String(k.calls), ...numbers(k)]),
      ["all", String(c.groups.length), ...total],
    ]),
    columns([["longest", ...heads, "at"], ...slowest.map((g) => [cut(g.kernel), ...numbers(g), g.where])]),
  ].join("\n\n");
}

export const sizeText = (bytes: number): string =>
  bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
