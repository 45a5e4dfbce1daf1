// Products of matrices as a share of the measured peak of fused multiply-adds, beside other libraries, in one run and in
// turns.
import { randn, type Tensor } from "nabla";
import { native } from "../lib/core/native.ts";
import { K } from "../lib/native.gen.ts";
import { Blas, type Shape } from "./blas.ts";
import { median, slice, turns } from "./clock.ts";
import { type Found, peakOf } from "./kernels.ts";

const shapes: readonly Shape[] = [
  ...[16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048].map((n): Shape => [n, n, n, "NN"]),
  [1024, 1024, 1024, "NT"],
  [1024, 1024, 1024, "TN"],
  [32, 128, 784, "NN"],
  [784, 128, 32, "TN"],
  [128, 512, 784, "NN"],
  [128, 512, 784, "NT"],
  [784, 512, 128, "TN"],
  [128, 10, 512, "NN"],
  [128, 10, 512, "NT"],
  [512, 10, 128, "TN"],
  [128, 512, 10, "NT"],
  [1, 512, 784, "NN"],
  [1, 512, 784, "NT"],
  [8, 3072, 768, "NN"],
  [8, 3072, 768, "NT"],
  [512, 2304, 768, "NN"],
  [512, 2304, 768, "NT"],
  [512, 768, 3072, "NN"],
  [512, 768, 3072, "NT"],
  [768, 2304, 512, "TN"],
  [64, 50257, 768, "NN"],
  [64, 50257, 768, "NT"],
  ...[128, 512].flatMap((n) => [
    [768, n, 128, "NN"] as Shape,
    [768, n, 128, "NT"] as Shape,
    [128, n, 768, "TN"] as Shape,
  ]),
];

/** The product as a tensor gives it: its result goes back to the free list, or is left to the collector. */
function candidates([m, n, k, layout]: Shape): (() => void)[] {
  const a = (layout === "TN" ? randn(k, m).transpose(0, 1) : randn(m, k)) as Tensor;
  const b = (layout === "NT" ? randn(n, k).transpose(0, 1) : randn(k, n)) as Tensor;
  const y = a.matmul(b as never) as Tensor;
  const words = [1, 1, m, n, k];
  for (const x of [y, a, b]) words.push(x.offset, 0, 0, x.strides[0]!, x.strides[1]!);
  words.push(0);
  const [to, from, by] = [y, a, b].map((x) => x.storage.array) as [Float32Array, Float32Array, Float32Array];
  const kernel = () => {
    for (let i = 0; i < words.length; i++) native.words[i] = words[i]!;
    native.run(K.matmul.id.f32, words.length, to, from, by, null, null, null);
  };
  return [kernel, () => a.matmul(b as never)[Symbol.dispose](), () => void a.matmul(b as never)];
}

/** Medians of slices in turns: the peak, the candidates, the libraries. In nanoseconds of a call. */
async function measure(shape: Shape, own: readonly (() => void)[], peers: readonly Blas[]): Promise<number[]> {
  const ms = 15;
  const slices = [...own.map((f) => slice(f, ms)), ...peers.map((peer) => () => peer.time(shape, ms))];
  return (await turns(slices, 9)).map(median);
}

export async function gemm(threads: number): Promise<Found> {
  const peak = peakOf();
  const { peers, absent } = await Blas.all(threads);
  for (const sentence of absent) console.log(sentence);
  const rows: (string | number)[][] = [];
  const bars: Found["bars"] = [];
  const figures: Record<string, number> = {};
  for (const shape of shapes) {
    const [m, n, k, layout] = shape;
    const [peakTime, ...times] = await measure(shape, [peak.run, ...candidates(shape)], peers);
    const limit = (peak.flops / peakTime!) * threads;
    const [kernel, reused, fresh, ...others] = times.map((t) => (2 * m * n * k) / t!) as [number, number, number];
    const share = (rate: number): string => `${((100 * rate) / limit).toFixed(0)} %`;
    const name = `${layout} ${m}x${n}x${k}`;
    const beside = others.flatMap((rate) => [share(rate), (reused / rate).toFixed(2)]);
    rows.push([name, share(kernel), share(reused), share(fresh), times[1]! / 1000, reused, ...beside]);
    bars.push({ label: `gemm ${name}`, share: reused / limit, text: `${reused.toFixed(0)} GFLOP/s` });
    figures[`gemm ${name}, ${threads} threads`] = reused / limit;
    for (const [i, peer] of peers.entries()) {
      figures[`gemm ${name}, ${threads} threads, over ${peer.name}`] = reused / others[i]!;
    }
  }
  for (const peer of peers) peer.stop();
  const mean = peers.map((_, i) => rows.reduce((sum, row) => sum + Math.log(Number(row[7 + 2 * i])), 0) / rows.length);
  rows.push(["geometric mean", "", "", "", "", "", ...mean.flatMap((log) => ["", Math.exp(log).toFixed(2)])]);
  const title = `GEMM, f32, ${threads} thread${threads > 1 ? "s" : ""}: share of the peak of fused multiply-adds`;
  const columns = ["shape", "kernel", "result reused", "result fresh", "µs, reused", "GFLOP/s, reused"];
  for (const { name } of peers) columns.push(name, `over ${name}`);
  return { tables: [{ title, columns, rows, notes: absent }], bars, figures };
}
