// Kernels against the machine: elementwise kernels as a share of the measured speed of copying, and what one eager op costs.
import { cat, ones, randn, type Tensor, zeros } from "nabla";
import { native } from "../lib/core/native.ts";
import { K } from "../lib/native.gen.ts";
import { interleave } from "./clock.ts";
import type { Bar, Table } from "./report.ts";

/** GFLOP/s of register-only fused multiply-adds on one thread. */
export function peakOf(): { run: () => void; flops: number } {
  const out = new Float64Array(2);
  const rounds = 20_000;
  const run = () => {
    native.words[0] = 2;
    native.words[1] = 0;
    native.words[2] = rounds;
    native.run(K.peak.id.f32, 3, out);
  };
  run();
  return { run, flops: out[0]! };
}

export interface Found {
  tables: Table[];
  bars: Bar[];
  figures: Record<string, number>;
}

/** Elementwise kernels on 1 MiB (L2) and 64 MiB (memory) of f32; bytes read and written once. */
export function elementwise(): Found {
  const rows: (string | number)[][] = [];
  const bars: Bar[] = [];
  const figures: Record<string, number> = {};
  for (const [where, n] of [
    ["L2", 65_536],
    ["memory", 16 * 2 ** 20],
  ] as const) {
    const x = randn(n);
    const y = randn(n);
    const list: [name: string, arrays: number, f: () => Tensor][] = [
      ["copy", 2, () => x.clone()],
      ["add", 3, () => x.add(y as never)],
      ["relu", 2, () => x.relu()],
      ["exp", 2, () => x.exp()],
      ["gelu", 2, () => x.gelu()],
      ["tanh", 2, () => x.tanh()],
      ["sum", 1, () => x.sum() as Tensor],
    ];
    const times = interleave(
      list.map(
        ([, , f]) =>
          () =>
            f()[Symbol.dispose](),
      ),
      { ms: where === "L2" ? 10 : 60 },
    );
    const copy = (2 * 4 * n) / times[0]!;
    list.forEach(([name, arrays], i) => {
      const rate = (arrays * 4 * n) / times[i]!;
      rows.push([`${name}, ${where}`, rate, `${((100 * rate) / copy).toFixed(0)} %`, times[i]! / n]);
      bars.push({ label: `${name}, ${where}`, share: rate / copy, text: `${rate.toFixed(0)} GB/s` });
      figures[`${name} ${where}`] = rate;
    });
  }
  return {
    tables: [{ title: "Elementwise, f32", columns: ["kernel", "GB/s", "of copy", "ns per element"], rows }],
    bars,
    figures,
  };
}

/** What an eager op costs beside its arithmetic: tensors of 16 elements. */
export function overhead(): Found {
  const x = randn(4, 4);
  const row = randn(4);
  const w = randn(4, 4);
  w.requiresGrad = true;
  const list: [string, () => unknown][] = [
    ["add", () => x.add(x)],
    ["add, broadcast", () => x.add(row)],
    ["mul by a number", () => x.mul(2)],
    ["relu", () => x.relu()],
    ["sum", () => x.sum()],
    ["matmul", () => x.matmul(x)],
    ["matmul, on the tape", () => x.matmul(w)],
    ["transpose (a view)", () => x.transpose(0, 1)],
    ["cat of two", () => cat([x, x])],
    ["zeros", () => zeros(4, 4)],
    [
      "matmul, sum, backward",
      () => {
        w.grad = null;
        x.matmul(w).sum().backward();
      },
    ],
  ];
  ones(1);
  const times = interleave(
    list.map(
      ([, f]) =>
        () =>
          void f(),
    ),
    { ms: 15 },
  );
  const rows = list.map(([name], i) => [name, times[i]!]);
  return {
    tables: [{ title: "One eager op on 16 elements", columns: ["op", "ns"], rows }],
    bars: [],
    figures: Object.fromEntries(rows.map(([n, t]) => [`ns ${n}`, t as number])),
  };
}
