// Kernels that work row by row, against the bytes they must move at the speed of copying, and attention against the peak of
// fused multiply-adds and against the products and the softmax it is made of.
import { crossEntropy, randint, randn, type Tensor } from "nabla";
import type { Value } from "../lib/core/value.ts";
import { walk } from "../lib/engine/tape.ts";
import { attentionWeights, selfAttention } from "../lib/ops/attention.ts";
import { fromHeads, splitQkv } from "../lib/ops/heads.ts";
import { cumsum, embedding, layerNorm, logSoftmax, matmul, rmsNorm, softmax } from "../lib/ops/index.ts";
import { interleave } from "./clock.ts";
import { type Found, peakOf } from "./kernels.ts";

/** Batch, heads, tokens, numbers a head. */
const heads: readonly [number, number, number, number][] = [
  [2, 12, 256, 64],
  [12, 4, 64, 32],
  [1, 12, 1024, 64],
];

/** Runs f forward and, given a gradient of its result, backward to the inputs. */
function pass(f: () => Value, inputs: readonly Tensor[], grad?: Tensor): () => void {
  return () => {
    const y = f();
    const grads = grad ? walk([{ value: y, grad: grad as Value }], inputs as readonly Value[], {}) : [];
    for (const g of grads) (g as Tensor)[Symbol.dispose]();
    (y as Tensor)[Symbol.dispose]();
  };
}
const tracked = (...shape: number[]): Tensor => {
  const x = randn(...shape) as Tensor;
  x.requiresGrad = true;
  return x;
};

/** Causal self-attention among rows [q | k | v]; multiply-adds of the keys that are seen. */
export function attention(threads: number): Found {
  const peak = peakOf();
  const rows: (string | number)[][] = [];
  const found: Found = { tables: [], bars: [], figures: {} };
  for (const [b, h, t, d] of heads) {
    const [x, still, dy] = [tracked(b, t, 3 * h * d), randn(b, t, 3 * h * d) as Tensor, randn(b, t, h * d) as Tensor];
    const composed = (rows: Tensor) => {
      const { q, k, v } = splitQkv(rows, h);
      return fromHeads(matmul(attentionWeights(q, k, { causal: true }), v));
    };
    const fused = (rows: Tensor) => selfAttention(rows, h, { causal: true });
    const times = interleave([
      peak.run,
      pass(() => fused(still), []),
      pass(() => composed(still), []),
      pass(() => fused(x), [x], dy),
      pass(() => composed(x), [x], dy),
    ]) as [number, number, number, number, number];
    const limit = (peak.flops / times[0]) * threads;
    [4, 14].forEach((perPair, i) => {
      const [time, other] = [times[1 + 2 * i]!, times[2 + 2 * i]!];
      const rate = (perPair * d * b * h * ((t * (t + 1)) / 2)) / time;
      const name = `${b}x${h}x${t}x${d}, ${i ? "forward and backward" : "forward"}`;
      rows.push([name, time / 1000, rate, `${((100 * rate) / limit).toFixed(0)} %`, other / time]);
      found.bars.push({ label: `attention ${name}`, share: rate / limit, text: `${rate.toFixed(0)} GFLOP/s` });
      found.figures[`attention ${name}, ${threads}`] = rate / limit;
    });
  }
  const title = `Causal attention, f32, ${threads} thread${threads > 1 ? "s" : ""}`;
  const columns = ["batch, heads, tokens, width", "µs", "GFLOP/s", "of peak", "times as fast as composed"];
  found.tables.push({ title, columns, rows });
  return found;
}

type Job = readonly [name: string, arrays: number, run: () => void];
/** Norms, softmax, losses, gathers and scans of [r, c]; `arrays` of r c numbers have to be read or written. */
function jobs(r: number, c: number): Job[] {
  const [x, still, dy] = [tracked(r, c), randn(r, c) as Tensor, randn(r, c) as Tensor];
  const [weight, bias, table] = [tracked(c), tracked(c), tracked(1000, c)];
  const labels = randint(0, c, [r]) as Tensor;
  const ids = randint(0, 1000, [r]) as Tensor;
  const norm = (v: Tensor) => layerNorm(v, [c], { weight, bias });
  const root = (v: Tensor) => rmsNorm(v, [c], { weight });
  const back = (f: (v: Tensor) => Value) => pass(() => f(x), [x], dy);
  return [
    ["layer norm", 2, pass(() => layerNorm(still, [c]), [])],
    ["layer norm, forward and backward", 5, pass(() => norm(x), [x, weight, bias], dy)],
    ["RMS norm", 2, pass(() => rmsNorm(still, [c]), [])],
    ["RMS norm, forward and backward", 5, pass(() => root(x), [x, weight], dy)],
    ["softmax", 2, pass(() => softmax(still), [])],
    ["softmax, forward and backward", 5, back(softmax)],
    ["log-softmax", 2, pass(() => logSoftmax(still), [])],
    ["cross-entropy, forward and gradient", 2, pass(() => crossEntropy(x, labels as never) as Value, [])],
    ["embedding", 2, pass(() => embedding(table, ids), [])],
    ["embedding, forward and backward", 4, pass(() => embedding(table, ids), [table], dy)],
    ["cumulative sum of rows", 2, pass(() => cumsum(still, 1), [])],
    ["cumulative sum of columns", 2, pass(() => cumsum(still, 0), [])],
  ];
}

export function rows(): Found {
  const found: Found = { tables: [], bars: [], figures: {} };
  for (const [r, c] of [
    [512, 768],
    [768, 128],
    [512, 1024],
    [8192, 768],
  ] as const) {
    const x = randn(r, c) as Tensor;
    const list: readonly Job[] = [["copy", 2, () => x.clone()[Symbol.dispose]()], ...jobs(r, c)];
    const times = interleave(
      list.map(([, , f]) => f),
      { ms: 10 },
    );
    const table = list.map(([name, arrays], i) => {
      const share = (times[0]! * arrays) / 2 / times[i]!;
      found.figures[`${name} ${r}x${c}`] = share;
      found.bars.push({ label: `${name}, ${r}x${c}`, share, text: `${(times[i]! / 1000).toFixed(0)} µs` });
      return [name, times[i]! / 1000, (arrays * 4 * r * c) / times[i]!, `${(100 * share).toFixed(0)} %`];
    });
    found.tables.push({
      title: `Rows of [${r}, ${c}], f32`,
      columns: ["kernel", "µs", "GB/s", "of copy"],
      rows: table,
    });
  }
  return found;
}
