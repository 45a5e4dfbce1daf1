import { bytesOf } from "../core/dtype.ts";
import { print, type Step, totalOf, touched } from "./graph.ts";
import type { Plan } from "./plan.ts";

/** One kind of kernel in a compiled step. */
export interface KernelCost {
  readonly kernel: string;
  readonly calls: number;
  readonly flops: number;
  readonly bytes: number;
  /** Nanoseconds of one run, measured while profile was on; undefined before. */
  readonly nanoseconds: number | undefined;
}
export interface PlanCost {
  readonly steps: number;
  /** Groups of elementwise steps that run tile by tile. */
  readonly fusedGroups: number;
  readonly arenaBytes: number;
  readonly stateBytes: number;
  /** All that the step takes at its fullest: state, arena, results, copies on their way. */
  readonly peakBytes: number;
  readonly flops: number;
  readonly bytes: number;
  readonly kernels: readonly KernelCost[];
  readonly listing: string;
}
export interface Explanation {
  readonly plans: readonly PlanCost[];
  toString(): string;
}

/** Multiply-adds count two. Elementwise and row kernels count one operation an element. */
function flopsOf(s: Step): number {
  if (s.kernel.name === "matmul" || s.kernel.name === "gemm")
    return 2 * s.words[0] * s.words[1] * s.words[2] * s.words[3] * s.words[4];
  if (s.kernel.driver === "Map") return totalOf(s);
  return Math.max(0, ...[...touched(s)].map(({ slot }) => slot.length));
}

/** Every slot once, twice where it is updated. */
function bytesOfStep(s: Step): number {
  let n = 0;
  for (const { slot, reads, writes } of touched(s)) n += slot.length * bytesOf(slot.dtype) * (reads && writes ? 2 : 1);
  return n;
}

function costOf(plan: Plan, runs: number): PlanCost {
  const { steps, group = [] } = plan.graph;
  const times = runs > 0 ? plan.program.times() : undefined;
  const ids = [...new Set(group)];
  const kinds = new Map<string, { calls: number; flops: number; bytes: number; nanoseconds: number }>();
  ids.forEach((id, k) => {
    const members = steps.filter((_, i) => group[i] === id);
    const name =
      members.length > 1
        ? `fused ${[...new Set(members.map((s) => s.kernel.name))].join("+")}`
        : members[0].kernel.name;
    const sum = kinds.get(name) ?? { calls: 0, flops: 0, bytes: 0, nanoseconds: 0 };
    sum.calls++;
    for (const s of members) {
      sum.flops += flopsOf(s);
      sum.bytes += bytesOfStep(s);
    }
    sum.nanoseconds += times ? times[k] / runs : 0;
    kinds.set(name, sum);
  });
  const kernels = [...kinds]
    .map(([kernel, c]) => ({ kernel, ...c, nanoseconds: times ? c.nanoseconds : undefined }))
    .sort((a, b) => (b.nanoseconds ?? b.flops) - (a.nanoseconds ?? a.flops));
  return {
    steps: steps.length,
    fusedGroups: ids.filter((id) => group.filter((x) => x === id).length > 1).length,
    arenaBytes: plan.peak.arena,
    stateBytes: plan.peak.state,
    peakBytes: plan.peak.total,
    flops: kernels.reduce((n, k) => n + k.flops, 0),
    bytes: kernels.reduce((n, k) => n + k.bytes, 0),
    kernels,
    listing: print(plan.graph),
  };
}

export function explain(plans: readonly Plan[]): Explanation {
  const costs = plans.map((p) => costOf(p, p.timed));
  return {
    plans: costs,
    toString: () => costs.map(table).join("\n\n") || "not compiled yet: the first two calls are recorded",
  };
}

function table(c: PlanCost): string {
  const head = `${c.steps} steps, ${c.fusedGroups} fused groups, arena ${sizeText(c.arenaBytes)}, state ${sizeText(c.stateBytes)}, ${(c.flops / 1e6).toFixed(2)} MFLOP, ${sizeText(c.bytes)} touched`;
  const rows = c.kernels.map((k) => [
    k.kernel.length > 40 ? `${k.kernel.slice(0, 39)}…` : k.kernel,
    String(k.calls),
    (k.flops / 1e6).toFixed(3),
    (k.bytes / 1024).toFixed(1),
    k.nanoseconds === undefined ? "" : (k.nanoseconds / 1000).toFixed(2),
  ]);
  const all = [["kernel", "calls", "MFLOP", "KiB", "µs"], ...rows];
  const wide = all[0].map((_, i) => Math.max(...all.map((r) => r[i].length)));
  return [
    head,
    ...all.map((r) => r.map((x, i) => (i === 0 ? x.padEnd(wide[i]) : x.padStart(wide[i]))).join("  ")),
  ].join("\n");
}

export const sizeText = (bytes: number): string =>
  bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
