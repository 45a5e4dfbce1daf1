// Kernels against the machine: elementwise kernels as a share of the measured speed of copying, and what one eager op costs.
import {
  Adam,
  AdamW,
  cat,
  Dropout,
  type Optimizer,
  ones,
  Parameter,
  rand,
  randint,
  randn,
  SGD,
  type Tensor,
  where,
  zeros,
} from "nabla";
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

/** A kernel over n numbers: its name, the f32 arrays it must read and write, and what runs it. */
export type Streamed = readonly [name: string, arrays: number, f: () => unknown];

/** A step of a rule over n parameters whose gradient stays. */
function stepper(rule: (w: Parameter[]) => Optimizer, n: number): () => void {
  const w = new Parameter(randn(n) as Tensor);
  w.grad = randn(n) as Tensor;
  const by = rule([w]);
  return () => by.step();
}

/** One of each family of kernels that goes over its operands once: the copy first, whose speed the others are held against. */
export function streamed(n: number): Streamed[] {
  const side = Math.sqrt(n);
  const [x, y] = [randn(n), randn(n)];
  const square = x.reshape(side, side) as Tensor;
  const four = x.reshape(16, side / 16, 16, side / 16) as Tensor;
  const drop = new Dropout(0.1);
  const at = randint(0, side, [side]) as Tensor;
  const places = randint(0, side, [side, side]) as Tensor;
  return [
    ["copy", 2, () => x.clone()],
    ["add", 3, () => x.add(y as never)],
    ["add, a row to all", 2, () => square.add(square.select(0, 0) as never)],
    ["relu", 2, () => x.relu()],
    ["exp", 2, () => x.exp()],
    ["gelu", 2, () => x.gelu()],
    ["tanh", 2, () => x.tanh()],
    ["where", 3.25, () => where(x.gt(0) as never, x as never, y as never)],
    ["cast to i32", 2, () => x.to("i32")],
    ["cast to bool", 1.25, () => x.to("bool")],
    ["cast to bf16", 1.5, () => x.to("bf16")],
    ["transposed copy", 2, () => square.mT().contiguous()],
    ["permuted copy", 2, () => four.permute(2, 0, 3, 1).contiguous()],
    ["cat", 4, () => cat([x, y])],
    ["sum", 1, () => x.sum()],
    ["sum of rows", 1, () => square.sum(1)],
    ["sum of columns", 1, () => square.sum(0)],
    ["max of rows", 1, () => square.amax(1)],
    ["argmax of rows", 1, () => square.argmax(1)],
    ["rows by index", 2, () => square.indexSelect(0, at as never)],
    ["gather", 3, () => square.gather(1, places as never)],
    ["scatter, added", 4, () => zeros(side, side).scatterAdd(1, places as never, square as never)],
    ["rand", 1, () => rand(n)],
    ["randn", 1, () => randn(n)],
    ["dropout", 2.25, () => drop.forward(x as never)],
    ["sort of rows", 3, () => square.sort(1).values],
    ["top 8 of rows", 1, () => square.topk(8, 1).values],
    ["SGD", 3, stepper((w) => new SGD(w, { lr: 1e-9 }), n)],
    ["SGD with momentum", 5, stepper((w) => new SGD(w, { lr: 1e-9, momentum: 0.9 }), n)],
    ["Adam", 7, stepper((w) => new Adam(w, { lr: 1e-9 }), n)],
    ["AdamW", 7, stepper((w) => new AdamW(w, { lr: 1e-9 }), n)],
  ];
}

/** Kernels on 1 MiB (L2) and 64 MiB (memory) a pair of f32 arrays; bytes read and written once. */
export function elementwise(): Found {
  const rows: (string | number)[][] = [];
  const bars: Bar[] = [];
  const figures: Record<string, number> = {};
  for (const [where, n] of [
    ["L2", 65_536],
    ["memory", 16 * 2 ** 20],
  ] as const) {
    const list = streamed(n);
    const times = interleave(
      list.map(
        ([, , f]) =>
          () =>
            (f() as Partial<Disposable> | undefined)?.[Symbol.dispose]?.(),
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
