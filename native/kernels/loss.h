// Cross-entropy of rows of logits, with the gradient of each row's loss beside
// it: backward is then one scale.
//
// Row loss with q the (weighted) target distribution and Q = sum q:  l = -
// sum_j q_j log p_j,  p = e / s,  e = exp(x - m)
//   = Q log s - sum_j q_j (x_j - m);   so  dl/dx = Q p - q.
// Class index t, class weights w, smoothing a:   q_j = w_j ((1 - a) [j = t] + a
// / c) Class probabilities t_j:                       q_j = w_j ((1 - a) t_j +
// a / c)
#pragma once
#include "rows.h"

namespace nabla::NABLA_ISA {

template <class T>
inline void fill_row(T* y, size_t n, T value) {
  if (y)
    for (size_t i = 0; i < n; i++) y[i] = value;
}

// w_j, or 1
template <class T, class At>
inline Word<T> weight_at(const T* w, At at) {
  return w ? get(w, at) : splat<Word<T>>(1);
}

// loss, scale: [r], scale = w_t of the row (0 if ignored), whose sum is the
// denominator of a weighted mean. grad, logits: [r, c], the gradient that of
// share times the loss, share: [r]. An ignored row has loss 0 and gradient 0; an
// index outside [0, c) that is not ignored gives NaNs (see check_index).
template <class T>
void cross_entropy(Out<T> loss, Rows<Out<T>> grad, Out<T> scale, Rows<In<T>> logits, In<i32> target, In<T> weight,
                   In<T> share, i32 ignore, f64 smoothing) {
  using X = Word<T>;
  size_t c = logits.cols;
  T spread_to = T(smoothing / f64(c));
  T all_weight = !weight.p ? T(c) : smoothing == 0 ? T(0) : fold<Sum>(c, [&](auto at) { return get(weight.p, at); }).v;
  for (size_t r = 0; r < logits.rows; r++) {
    const T* x = logits.p + r * c;
    T* g = grad.p ? grad.p + r * c : nullptr;
    i32 t = target.p[r];
    bool ignored = t == ignore, outside = t < 0 || size_t(t) >= c;
    T w = ignored || outside ? T(0) : weight.p ? weight.p[t] : T(1);
    if (scale.p) scale.p[r] = w;
    if (ignored || outside) {
      fill_row(g, c, loss.p[r] = ignored ? T(0) : T(__builtin_nan("")));
      continue;
    }
    T hit = T(1 - smoothing) * w, total = hit + spread_to * all_weight;
    X m = peak(x, c);
    T l = hit * (x[t] - head(m));
    if (smoothing != 0)
      l = l + spread_to * fold<Sum>(c, [&](auto at) { return weight_at(weight.p, at) * (get(x, at) - m); }).v;
    X s = sum_exp(g, x, c, m);
    loss.p[r] = total * head(log(s)) - l;
    if (!g) continue;
    const T part = share.p ? share.p[r] : T(1);
    X p = splat<X>(total * part) / s, each_q = splat<X>(spread_to * part);
    if (smoothing == 0)
      each<T>(c, [&](auto at) { put(g, at, get(g, at) * p); });
    else
      each<T>(c, [&](auto at) { put(g, at, get(g, at) * p - each_q * weight_at(weight.p, at)); });
    g[t] = g[t] - hit * part;
  }
}

// target: [r, c] probabilities. The mean divides by r.
template <class T>
void cross_entropy_soft(Out<T> loss, Rows<Out<T>> grad, Rows<In<T>> logits, Rows<In<T>> target, In<T> weight,
                        f64 smoothing) {
  using X = Word<T>;
  size_t c = logits.cols;
  X keep_share = splat<X>(1 - smoothing), spread_to = splat<X>(smoothing / f64(c));
  for (size_t r = 0; r < logits.rows; r++) {
    const T *x = logits.p + r * c, *t = target.p + r * c;
    T* g = grad.p ? grad.p + r * c : nullptr;
    auto q = [&](auto at) { return weight_at(weight.p, at) * (keep_share * get(t, at) + spread_to); };
    X m = peak(x, c);
    auto sums = fold<Sum>(c, [&](auto at) {
      X v = q(at);
      return Two<X>{v, v * (get(x, at) - m)};
    });
    X s = sum_exp(g, x, c, m);
    loss.p[r] = sums.a.v * head(log(s)) - sums.b.v;
    if (!g) continue;
    X p = splat<X>(sums.a.v) / s;
    each<T>(c, [&](auto at) { put(g, at, get(g, at) * p - q(at)); });
  }
}

}  // namespace nabla::NABLA_ISA
