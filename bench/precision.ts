// Products of less precision: bf16 against f32, and linear layers with weights of 8 bits, each as a share of what dot products
// of its kind can do: two and four times the fused multiply-adds of f32 where the processor has them.
import {
  autocast,
  conv2d,
  isa,
  Linear,
  noGrad,
  QuantizedLinear,
  randn,
  scaledDotProductAttention,
  type Tensor,
} from "nabla";
import { interleave } from "./clock.ts";
import { type Found, peakOf } from "./kernels.ts";

const shapes: readonly [m: number, n: number, k: number, layout: "NN" | "NT" | "TN"][] = [
  [64, 64, 64, "NN"],
  [128, 128, 128, "NN"],
  [256, 256, 256, "NN"],
  [512, 512, 512, "NN"],
  [1024, 1024, 1024, "NN"],
  [1024, 1024, 1024, "NT"],
  [128, 512, 784, "NN"],
  [784, 512, 128, "TN"],
  [512, 2304, 768, "NN"],
  [512, 2304, 768, "NT"],
  [768, 2304, 512, "TN"],
  [512, 768, 3072, "NT"],
  [8, 3072, 768, "NT"],
  [8, 3072, 768, "NN"],
  [1, 3072, 768, "NN"],
  [64, 50257, 768, "NT"],
];
const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;
const dots = (): boolean => isa() === "avx512dot";

/** bf16 products of f32 operands, and of an f32 and a stored bf16 operand, beside f32. */
export function half(threads: number): Found {
  const peak = peakOf();
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const [m, n, k, layout] of shapes) {
    const a = (layout === "TN" ? randn(k, m).transpose(0, 1) : randn(m, k)) as Tensor;
    const b = (layout === "NT" ? randn(n, k).transpose(0, 1) : randn(k, n)) as Tensor;
    const stored = b.to("bf16") as Tensor;
    const [limit, full, cast, kept] = interleave([
      peak.run,
      () => void a.matmul(b as never),
      () => void autocast("bf16", () => a.matmul(b as never)),
      () => void a.matmul(stored as never),
    ]) as [number, number, number, number];
    const rate = (time: number) => (2 * m * n * k) / time;
    const share = rate(cast) / ((peak.flops / limit) * threads * (dots() ? 2 : 1));
    rows.push([`${layout} ${m}x${n}x${k}`, rate(full), rate(cast), percent(share), full / cast, rate(kept)]);
    figures[`bf16 over f32 ${layout} ${m}x${n}x${k}, ${threads} threads`] = full / cast;
  }
  const columns = ["shape", "f32 GFLOP/s", "bf16 GFLOP/s", "share of peak", "ratio", "b stored as bf16"];
  const title = `Products in bf16, ${threads} thread${threads > 1 ? "s" : ""}, ${isa()}`;
  const others = wider(threads);
  return { tables: [{ title, columns, rows }, ...others.tables], bars: [], figures: { ...figures, ...others.figures } };
}

/** Images, channels in and out, rows and columns, window. */
const layers: readonly (readonly [number, number, number, number, number])[] = [
  [4, 64, 64, 56, 3],
  [4, 128, 128, 28, 3],
  [8, 256, 256, 14, 3],
  [4, 512, 512, 7, 3],
  [8, 256, 256, 14, 1],
  [64, 16, 32, 14, 3],
];
const attentions: readonly (readonly [number, number, number, number])[] = [
  [12, 4, 64, 32],
  [2, 12, 256, 64],
  [1, 12, 1024, 64],
];
/** Convolutions with padding and causal attention, forward and backward, in bf16 beside f32. */
function wider(threads: number): Pick<Found, "tables" | "figures"> {
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  const measure = (name: string, forward: () => Tensor, backward: (y: Tensor) => void) => {
    const [f32, bf16] = [forward(), autocast("bf16", forward)];
    const runs = [
      () => void forward(),
      () => void autocast("bf16", forward),
      () => backward(f32),
      () => backward(bf16),
    ];
    const [full, half, up, down] = interleave(runs) as [number, number, number, number];
    rows.push([name, full / 1e6, half / 1e6, full / half, up / 1e6, down / 1e6, up / down]);
    figures[`bf16 over f32 ${name}, ${threads} threads`] = (full + up) / (half + down);
  };
  const tracked = (...shape: number[]): Tensor => randn(shape, { requiresGrad: true }) as Tensor;
  const back = (inputs: Tensor[], gy: Tensor) => (y: Tensor) => {
    for (const x of inputs) x.grad = null;
    y.backward(gy as never, { retain: true });
  };
  for (const [n, c, o, size, k] of layers) {
    const [x, w] = [tracked(n, c, size, size), tracked(o, c, k, k)] as [Tensor, Tensor];
    const forward = () => conv2d(x as never, w as never, undefined, { padding: k >> 1 }) as Tensor;
    measure(
      `conv ${c}-${o}, ${size}², ${k} x ${k}, batch ${n}`,
      forward,
      back([x, w], randn(n, o, size, size) as Tensor),
    );
  }
  for (const [b, heads, tokens, width] of attentions) {
    const shape = [b, heads, tokens, width] as const;
    const [q, k, v] = [tracked(...shape), tracked(...shape), tracked(...shape)] as [Tensor, Tensor, Tensor];
    const forward = () => scaledDotProductAttention(q, k, v, { causal: true }) as Tensor;
    measure(`attention ${shape.join(", ")}`, forward, back([q, k, v], randn(...shape) as Tensor));
  }
  const columns = ["", "f32 forward, ms", "bf16", "ratio", "f32 backward, ms", "bf16", "ratio"];
  const title = `Convolution and attention in bf16, ${threads} thread${threads > 1 ? "s" : ""}, ${isa()}`;
  return { tables: [{ title, columns, rows }], figures };
}

/** Linear layers with weights of 8 bits, inputs turned into bytes included, beside f32. */
export function integer(threads: number): Found {
  const peak = peakOf();
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const [m, n, k] of shapes.filter(([, , , layout]) => layout === "NN")) {
    const layer = new Linear(k, n, { bias: false });
    const [small, x] = [new QuantizedLinear(layer.weight), randn(m, k) as Tensor];
    const [limit, full, bytes] = noGrad(() =>
      interleave([peak.run, () => void layer.forward(x), () => void small.forward(x)]),
    ) as [number, number, number];
    const rate = (time: number) => (2 * m * n * k) / time;
    const share = rate(bytes) / ((peak.flops / limit) * threads * (dots() ? 4 : 1));
    rows.push([`${m}x${n}x${k}`, rate(full), rate(bytes), percent(share), full / bytes]);
    figures[`i8 over f32 ${m}x${n}x${k}, ${threads} threads`] = full / bytes;
  }
  const columns = ["shape", "f32 GFLOP/s", "i8 GOP/s", "share of peak", "ratio"];
  const title = `Linear layers with weights of 8 bits, ${threads} thread${threads > 1 ? "s" : ""}, ${isa()}`;
  return { tables: [{ title, columns, rows }], bars: [], figures };
}
