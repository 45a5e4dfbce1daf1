// Normalisation over the rows of [r, c]: h = (x - mean) rstd, y = h w + b. Layer norm has both, RMS norm neither mean nor b; group
// and batch norm are layer norm over other rows.
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { contiguous } from "./arithmetic.ts";
import { added, minus, over, times } from "./formula.ts";
import { mean, sum } from "./reduce.ts";
import { expand, reshape } from "./view.ts";

const like = (x: Value): Spec => ({ shape: x.shape, dtype: x.dtype });
const perRow = (x: Value): Spec => ({ shape: [x.shape[0]], dtype: x.dtype });
const perColumn = (x: Value): Spec => ({ shape: [x.shape[1]], dtype: x.dtype });
const column = (x: Value): Value => reshape(x, [x.shape[0], 1]);
const average = (x: Value): Value => mean(x, 1, true);
const extents = (x: Value): [number, number] => [x.shape[0], x.shape[1]];
function laid<X extends object>(x: X): X {
  return Object.fromEntries(Object.entries(x).map(([name, v]) => [name, v && contiguous(v)])) as X;
}

interface Rows {
  readonly dy: Value;
  readonly x: Value;
  readonly mean?: Value | undefined;
  readonly rstd: Value;
  readonly weight?: Value | undefined;
}
/** Cotangents of dx, dw and db. */
interface Turned {
  readonly dx?: Value | undefined;
  readonly dw?: Value | undefined;
  readonly db?: Value | undefined;
}
/**
 * The gradients of what the gradient rows compute, mean and rstd being inputs of their own. With s = rstd, g = dy w, b = mean(g h):
 * dx = s (g - mean(g) - h b), dw = sum dy h, db = sum dy. For cotangents u of dx, p of dw, q of db, and m = mean(u h):
 *   of g: a = s (u - mean(u) - h m)          of h: k = p dy - s (b u + m g)
 *   dy: a w + p h + q    w: sum dy a    x: s k    mean: -s sum k    s: (sum u dx + sum k h) / s
 */
function turn({ dx: u, dw: p, db: q }: Turned, { dy, x, mean: centre, rstd, weight }: Rows) {
  const s = column(rstd);
  const h = times(centre ? minus(x, column(centre)) : x, s);
  const g = weight ? times(dy, weight) : dy;
  const b = average(times(g, h));
  const m = u && average(times(u, h));
  const pull = (v: Value, share: Value) => times(s, minus(centre ? minus(v, average(v)) : v, times(h, share)));
  const a = u && m && pull(u, m);
  const k = added(p && times(dy, p), u && m && times(s, minus(times(times(u, b), -1), times(m, g))));
  const alongRow = (v: Value) => sum(v, 1);
  return {
    dy: added(a && weight ? times(a, weight) : a, p && times(h, p), q && expand(q, dy.shape)),
    weight: weight && a && sum(times(dy, a), 0),
    x: k && times(s, k),
    mean: centre && k && times(alongRow(times(s, k)), -1),
    rstd: k && over(added(u && alongRow(times(u, pull(g, b))), alongRow(times(k, h))) as Value, rstd),
  };
}

const gradCase = { dy: [4, 6], x: [4, 6], rstd: { shape: [4], low: 0.5, high: 2 } };

/** dx of layer norm without a weight */
const layerGrad = op({
  name: "layer_norm_grad",
  inputs: ["dy", "x", "mean", "rstd"],
  keep: ["dy", "x", "mean", "rstd"],
  prepare: laid,
  infer: ({ x }) => like(x),
  forward: ({ y }, { dy, x, mean: centre, rstd }) => {
    if (x.size > 0) launch(K.layer_norm_grad, x.dtype, extents(x), [y, null, null, dy, x, centre, rstd, null]);
  },
  grad: (u, kept) => turn({ dx: u }, kept),
  cases: [{ inputs: { ...gradCase, mean: [4] } }],
});
/** dx, dw and db of layer norm */
const layerAffineGrad = op({
  name: "layer_norm_affine_grad",
  inputs: ["dy", "x", "mean", "rstd", "weight"],
  keep: ["dy", "x", "mean", "rstd", "weight"],
  outputs: ["dx", "dw", "db"],
  prepare: laid,
  infer: ({ x }) => [like(x), perColumn(x), perColumn(x)],
  forward: ({ dx, dw, db }, { dy, x, mean: centre, rstd, weight }) =>
    launch(K.layer_norm_grad, x.dtype, extents(x), [dx, dw, db, dy, x, centre, rstd, weight]),
  grad: turn,
  cases: [{ inputs: { ...gradCase, mean: [4], weight: [6] } }],
});
/** dx of RMS norm without a weight */
const rmsGrad = op({
  name: "rms_norm_grad",
  inputs: ["dy", "x", "rstd"],
  keep: ["dy", "x", "rstd"],
  prepare: laid,
  infer: ({ x }) => like(x),
  forward: ({ y }, { dy, x, rstd }) => {
    if (x.size > 0) launch(K.rms_norm_grad, x.dtype, extents(x), [y, null, dy, x, rstd, null]);
  },
  grad: (u, kept) => turn({ dx: u }, kept),
  cases: [{ inputs: gradCase }],
});
/** dx and dw of RMS norm */
const rmsAffineGrad = op({
  name: "rms_norm_affine_grad",
  inputs: ["dy", "x", "rstd", "weight"],
  keep: ["dy", "x", "rstd", "weight"],
  outputs: ["dx", "dw"],
  prepare: laid,
  infer: ({ x }) => [like(x), perColumn(x)],
  forward: ({ dx, dw }, { dy, x, rstd, weight }) =>
    launch(K.rms_norm_grad, x.dtype, extents(x), [dx, dw, dy, x, rstd, weight]),
  grad: turn,
  cases: [{ inputs: { ...gradCase, weight: [6] } }],
});

/** What cotangents of mean and rstd add to dx: d mean / dx = 1 / c, d rstd / dx = -rstd^2 h / c. */
function statistics(
  gy: { mean?: Value; rstd?: Value },
  { x, mean: centre, rstd }: Omit<Rows, "dy">,
): Value | undefined {
  const c = x.shape[1];
  const s = column(rstd);
  const h = gy.rstd && times(centre ? minus(x, column(centre)) : x, s);
  return added(
    gy.mean && expand(column(over(gy.mean, c)), x.shape),
    gy.rstd && h && times(times(h, column(times(gy.rstd, -1 / c))), times(s, s)),
  );
}

interface Epsilon {
  readonly eps: number;
}
/** y = h w + b over rows: mean and rstd [r] are kept for backward */
export const layerNormRows = op({
  name: "layer_norm",
  inputs: ["x", "weight?", "bias?"],
  outputs: ["y", "mean", "rstd"],
  keep: ["x", "weight", "mean", "rstd"],
  prepare: laid,
  infer: ({ x }, _: Epsilon) => [like(x), perRow(x), perRow(x)],
  forward: ({ y, mean: centre, rstd }, { x, weight, bias }, { eps }) =>
    launch(K.layer_norm, x.dtype, extents(x), [y, centre, rstd, x, weight ?? null, bias ?? null], [eps]),
  grad: (gy, { x, weight, mean: centre, rstd }) => {
    const given = { x, mean: centre, rstd };
    const more = statistics(gy, given);
    if (!gy.y) return { x: more };
    if (!weight) return { x: added(layerGrad({ dy: gy.y, ...given }), more), bias: sum(gy.y, 0) };
    const { dx, dw, db } = layerAffineGrad({ dy: gy.y, ...given, weight });
    return { x: added(dx, more), weight: dw, bias: db };
  },
  cases: [
    { inputs: { x: [4, 6], weight: [6], bias: [6] }, attrs: { eps: 1e-5 } },
    { inputs: { x: [3, 17] }, attrs: { eps: 1e-2 } },
    { inputs: { x: [3, 5], bias: [5] }, attrs: { eps: 1e-5 } },
  ],
});
/** y = x rstd w over rows, rstd = 1 / sqrt(mean x^2 + eps) */
export const rmsNormRows = op({
  name: "rms_norm",
  inputs: ["x", "weight?"],
  outputs: ["y", "rstd"],
  keep: ["x", "weight", "rstd"],
  prepare: laid,
  infer: ({ x }, _: Epsilon) => [like(x), perRow(x)],
  forward: ({ y, rstd }, { x, weight }, { eps }) =>
    launch(K.rms_norm, x.dtype, extents(x), [y, rstd, x, weight ?? null], [eps]),
  grad: (gy, { x, weight, rstd }) => {
    const more = statistics(gy, { x, rstd });
    if (!gy.y) return { x: more };
    if (!weight) return { x: added(rmsGrad({ dy: gy.y, x, rstd }), more) };
    const { dx, dw } = rmsAffineGrad({ dy: gy.y, x, rstd, weight });
    return { x: added(dx, more), weight: dw };
  },
  cases: [
    { inputs: { x: [4, 6], weight: [6] }, attrs: { eps: 1e-5 } },
    { inputs: { x: [3, 17] }, attrs: { eps: 1e-2 } },
  ],
});
