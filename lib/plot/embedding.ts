import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { noGrad } from "../grad.ts";
import { arange, tensor } from "../tensor/create.ts";
import { stack } from "../tensor/functional.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Chart } from "./chart.ts";
import { lines, type ScatterOptions } from "./lines.ts";
import { clean } from "./words.ts";

/** What {@link pca} finds. */
export interface Components {
  /** x in the new axes, [n, count]. */
  readonly points: Tensor<[number, number], "f64">;
  /** The axes, [d, count], of length 1 and at right angles; the largest number of each is positive. */
  readonly axes: Tensor<[number, number], "f64">;
  /** The share of the variance along each. */
  readonly explained: readonly number[];
}

/** Sweeps of the subspace at most, and the change of an axis that ends them. */
const sweeps = 500;
const still = 1e-10;

/** The columns made of length 1 and at right angles, in order (Gram-Schmidt, twice for the rounding). */
function orthonormal(x: Tensor): Tensor {
  const columns: Tensor[] = [];
  for (let i = 0; i < x.shape[1]!; i++) {
    let column: Tensor = x.select(1, i);
    for (const other of [...columns, ...columns]) column = column.sub(other.mul(other.mul(column).sum()));
    const length = column.square().sum().sqrt().item();
    columns.push(length > 0 ? column.div(length) : column);
  }
  return stack(columns, 1) as Tensor;
}
/** Columns of waves: a start that no covariance of measured numbers is at right angles to. */
function start(d: number, count: number): Tensor {
  const from = (n: number): Tensor => arange(1, n + 1, 1, { dtype: "f64" });
  return from(d).reshape(d, 1).mul(from(count).reshape(1, count)).sin();
}

/**
 * Principal components: the directions in which rows x [n, d] differ most, by repeated products with their covariance, in f64. The
 * same x gives the same axes, signs included. Throws ERR_NABLA_SHAPE for what is no matrix of at least 2 rows or has fewer columns than
 * `count`, ERR_NABLA_VALUE for numbers that are not finite.
 *
 * PyTorch: `torch.pca_lowrank`.
 * @example
 * ```ts
 * import { tensor } from "nabla";
 * import { pca } from "nabla/plot";
 * const { explained } = pca(tensor([[0, 0], [1, 1], [2, 2]]), 1);
 * console.log(explained[0].toFixed(3)); // 1.000
 * ```
 */
export function pca(x: Tensor, count = 2): Components {
  const [n = 0, d = 0] = x.shape;
  if (x.ndim !== 2 || n < 2 || !Number.isInteger(count) || count < 1 || count > d)
    fail("ERR_NABLA_SHAPE", "pca", `needs rows [n, d] with n from 2 and d from ${count}, the components asked for`, {
      values: { x },
    });
  return noGrad(() => {
    const data: Tensor = x.detach().to("f64");
    const centered: Tensor = data.sub(data.mean(0, true));
    const covariance: Tensor = centered.t().matmul(centered).div(n);
    const total = centered.square().sum().item() / n;
    if (!Number.isFinite(total)) fail("ERR_NABLA_VALUE", "pca", "x has numbers that are not finite", { values: { x } });
    let axes = orthonormal(start(d, count));
    for (let i = 0; i < sweeps && total > 0; i++) {
      const next = orthonormal(covariance.matmul(axes));
      const change = next.sub(axes).abs().max().item();
      axes = next;
      if (change < still) break;
    }
    axes = axes.mul(signs(axes));
    const points = centered.matmul(axes);
    const along = points.square().sum(0).dataSync();
    const explained = Array.from(along, (sum) => (total > 0 ? Number(sum) / n / total : 0));
    return { points: points as never, axes: axes as never, explained };
  });
}
/** For each column the sign of its largest number; of equally large ones, of the first. */
function signs(axes: Tensor): Tensor {
  const [d = 0, count = 0] = axes.shape;
  const flat = axes.dataSync();
  const found = Array.from({ length: count }, (_, i) => {
    const column = Array.from({ length: d }, (_, row) => Number(flat[row * count + i]));
    return column.reduce((a, b) => (Math.abs(b) > Math.abs(a) + 1e-9 ? b : a), 0) < 0 ? -1 : 1;
  });
  return tensor(Float64Array.from(found));
}

/** Options of {@link embedding}. */
export interface EmbeddingOptions extends ScatterOptions {
  /** What each row is; rows of one name share a colour. */
  labels?: ArrayLike<string | number>;
}
/**
 * Vectors [n, d] in the plane in which they differ most (two components of {@link pca}): word vectors, the last hidden layer of a
 * classifier. Throws as pca does, and ERR_NABLA_SHAPE for labels that are not n.
 * @example
 * ```ts
 * import { randn } from "nabla";
 * import { embedding } from "nabla/plot";
 * console.log(embedding(randn(100, 16), { labels: Array.from({ length: 100 }, (_, i) => i % 3) }).svg().includes("component 1")); // true
 * ```
 */
export function embedding(x: Tensor, given: EmbeddingOptions = {}): Chart {
  const { labels, ...options } = only("embedding", given, ["title", "width", "height", "x", "y", "labels"]);
  const { points, explained } = pca(x, 2);
  const n = x.shape[0]!;
  if (labels !== undefined && labels.length !== n)
    fail("ERR_NABLA_SHAPE", "embedding", `${labels.length} labels for ${n} rows`, {
      expected: n,
      actual: labels.length,
    });
  const flat = points.dataSync();
  const groups = new Map<string, { x: number[]; y: number[]; points: true }>();
  for (let i = 0; i < n; i++) {
    const name = labels === undefined ? "" : clean(labels[i]);
    const group = groups.get(name) ?? { x: [], y: [], points: true };
    group.x.push(flat[2 * i]!);
    group.y.push(flat[2 * i + 1]!);
    groups.set(name, group);
  }
  const order = [...groups].sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1));
  const share = (i: number): string => `component ${i + 1} (${Math.round(100 * explained[i]!)} %)`;
  return lines(order, { height: 480, width: 560, x: share(0), y: share(1), ...options });
}
