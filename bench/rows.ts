// Kernels that work row by row, against the bytes they must move at the speed of copying, and attention against the peak of
// fused multiply-adds and against the products and the softmax it is made of.
import {
  crossEntropy,
  Embedding,
  LayerNorm,
  noGrad,
  ones,
  RMSNorm,
  randint,
  randn,
  scaledDotProductAttention,
  type Tensor,
} from "nabla";
import { interleave } from "./clock.ts";
import { type Found, peakOf } from "./kernels.ts";

/** Batch, heads, tokens, numbers a head. */
const heads: readonly [number, number, number, number][] = [
  [2, 12, 256, 64],
  [12, 4, 64, 32],
  [1, 12, 1024, 64],
];

/** Runs f, and backward from its result to the inputs if their gradients are asked for. */
function pass(f: () => Tensor, inputs: readonly Tensor[] = [], dy?: Tensor): () => void {
  return () => {
    const y = f();
    if (dy) y.backward(dy as never);
    for (const x of inputs) {
      x.grad?.[Symbol.dispose]();
      x.grad = null;
    }
    y[Symbol.dispose]();
  };
}
const tracked = (...shape: number[]): Tensor => {
  const x = randn(...shape) as Tensor;
  x.requiresGrad = true;
  return x;
};

/** Causal attention; multiply-adds of the keys that are seen. */
export function attention(threads: number): Found {
  const peak = peakOf();
  const rows: (string | number)[][] = [];
  const found: Found = { tables: [], bars: [], figures: {} };
  for (const [b, h, t, d] of heads) {
    const make = () => [randn(b, h, t, d), randn(b, h, t, d), randn(b, h, t, d)] as [Tensor, Tensor, Tensor];
    const [still, x, dy] = [make(), make(), randn(b, h, t, d) as Tensor];
    for (const each of x) each.requiresGrad = true;
    const later = (ones(t, t) as Tensor).triu(1).gt(0) as Tensor;
    const composed = ([q, k, v]: [Tensor, Tensor, Tensor]) =>
      q
        .mul(d ** -0.5)
        .matmul(k.mT() as never)
        .maskedFill(later as never, -1e30)
        .softmax(-1)
        .matmul(v as never) as Tensor;
    const fused = (all: [Tensor, Tensor, Tensor]) => scaledDotProductAttention(...all, { causal: true });
    const times = interleave([
      peak.run,
      pass(() => fused(still)),
      pass(() => composed(still)),
      pass(() => fused(x), x, dy),
      pass(() => composed(x), x, dy),
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
  const [norm, root, table] = [new LayerNorm(c), new RMSNorm(c), new Embedding(1000, c)];
  const labels = randint(0, c, [r]) as Tensor;
  const ids = randint(0, 1000, [r]);
  const of = (f: (v: Tensor) => unknown) => pass(() => f(still) as Tensor);
  const back = (f: (v: Tensor) => unknown, ...weights: Tensor[]) => pass(() => f(x) as Tensor, [x, ...weights], dy);
  return [
    ["layer norm", 2, of((v) => v.layerNorm([c]))],
    ["layer norm, forward and backward", 5, back((v) => norm.forward(v), ...norm.parameters())],
    ["RMS norm", 2, of((v) => v.rmsNorm([c]))],
    ["RMS norm, forward and backward", 5, back((v) => root.forward(v), ...root.parameters())],
    ["softmax", 2, of((v) => v.softmax(-1))],
    ["softmax, forward and backward", 5, back((v) => v.softmax(-1))],
    ["log-softmax", 2, of((v) => v.logSoftmax(-1))],
    ["cross-entropy, forward and gradient", 2, pass(() => crossEntropy(x, labels as never) as Tensor)],
    ["embedding", 2, pass(() => noGrad(() => table.forward(ids) as Tensor))],
    ["embedding, forward and backward", 4, pass(() => table.forward(ids) as Tensor, [table.weight], dy)],
    ["cumulative sum of rows", 2, of((v) => v.cumsum(1))],
    ["cumulative sum of columns", 2, of((v) => v.cumsum(0))],
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
