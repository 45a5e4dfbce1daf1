// Batch norm and group norm over x: [n, c, s], contiguous; c channels, s places. Statistics are taken in two passes.
#pragma once
#include "norm.h"

namespace nabla::NABLA_ISA {

template <class T, class X>
inline void put_sum(T* p, size_t, auto at, X x) {
  put(p, at, x);
}
template <class T, class X>
inline void put_sum(T* p, size_t c, auto at, Two<X> x) {
  put(p, at, x.a);
  put(p + c, at, x.b);
}

// f(offset, place, channel words) for every word of [n, c, s]; p: [c], given to f at the word's channel: one channel's
// value in every lane, or for s = 1 the channels themselves.
template <class T, class F, class... P>
inline void each_channel(size_t n, size_t c, size_t s, const F& f, const P*... p) {
  if (s == 1)
    spread_rows(n, c, [&](size_t begin, size_t end) {
      for (size_t k = begin; k < end; k++) each<T>(c, [&](auto at) { f(k * c, at, get(p, at)...); });
    });
  else
    spread_rows(n * c, s, [&](size_t begin, size_t end) {
      for (size_t k = begin; k < end; k++) each<T>(s, [&](auto at) { f(k * s, at, splat<Word<T>>(p[k % c])...); });
    });
}

// Sums of f over n and s: [c], or [2, c] where f gives Two. First over s, or over 16 rows when s = 1, then over n as a
// tree.
template <class T, int planes, class F, class... P>
inline T* channel_sums(size_t n, size_t c, size_t s, const F& f, const P*... p) {
  size_t rows = s == 1 ? (n + 15) / 16 : n, span = planes * c;
  T* part = static_cast<T*>(scratch((rows + 1) * span * sizeof(T), 2));
  if (s == 1)
    spread_rows(rows, 16 * c, [&](size_t begin, size_t end) {
      for (size_t k = begin; k < end; k++)
        each<T>(c, [&](auto at) {
          auto sum = f(k * 16 * c, at, get(p, at)...);
          for (size_t r = k * 16 + 1; r < k * 16 + 16 && r < n; r++) sum = sum + f(r * c, at, get(p, at)...);
          put_sum(part + k * span, c, at, sum);
        });
    });
  else
    spread_rows(n * c, s, [&](size_t begin, size_t end) {
      for (size_t k = begin; k < end; k++) {
        auto sum = fold<Sum>(s, [&](auto at) { return f(k * s, at, splat<Word<T>>(p[k % c])...); });
        put_sum(part + k / c * span, c, Alone{k % c}, sum);
      }
    });
  add_rows(part, rows, span);
  return part;
}

// mean, var: [c] over n and s; var divides by n s
template <class T>
void moments(Out<T> mean, Out<T> var, Rows<In<T>> x) {
  size_t c = mean.n;
  if (c == 0) return;
  size_t n = x.rows, s = x.cols / c;
  T count = T(n * s);
  const T* sums = channel_sums<T, 1>(n, c, s, [&](size_t i, auto at) { return get(x.p + i, at); });
  for (size_t j = 0; j < c; j++) mean.p[j] = sums[j] / count;
  auto deviations = [&](size_t i, auto at, auto m) {
    auto d = get(x.p + i, at) - m;
    return Two<Word<T>>{d, d * d};
  };
  sums = channel_sums<T, 2>(n, c, s, deviations, mean.p);
  for (size_t j = 0; j < c; j++) {
    Moments<T> m = corrected(mean.p[j], {{sums[j]}, {sums[c + j]}}, count);
    mean.p[j] = m.mean;
    var.p[j] = m.var;
  }
}

// y = (x - mean) rstd w + b with the statistics of this batch (from moments) or running ones
template <class T>
void batch_norm(Rows<Out<T>> y, Rows<In<T>> x, In<T> mean, In<T> var, In<T> weight, In<T> bias, f64 eps) {
  size_t c = mean.n;
  if (c == 0) return;
  T* r = static_cast<T*>(scratch(3 * c * sizeof(T), 1));
  T *w = r + c, *b = w + c;
  for (size_t j = 0; j < c; j++) {
    r[j] = root_inverse(var.p[j], T(eps));
    w[j] = weight.p ? weight.p[j] : T(1);
    b[j] = bias.p ? bias.p[j] : T(0);
  }
  each_channel<T>(
      x.rows, c, x.cols / c,
      [&](size_t i, auto at, auto m, auto r, auto w, auto b) {
        put(y.p + i, at, fma((get(x.p + i, at) - m) * r, w, b));
      },
      mean.p, r, w, b);
}

// in the forward pass: y = xhat w + b, xhat = (x - mean) rstd
// so now:              db = sum dy, dw = sum dy xhat, dx = w rstd (dy - db / count - xhat dw / count);
// with running statistics, which do not depend on x, dx = w rstd dy.
template <class T>
void batch_norm_grad(Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> var,
                     In<T> weight, f64 eps, u32 training) {
  using X = Word<T>;
  size_t c = mean.n;
  if (c == 0) return;
  size_t n = x.rows, s = x.cols / c;
  T* r = static_cast<T*>(scratch(4 * c * sizeof(T), 1));
  T *slope = r + c, *level = slope + c, *tilt = level + c;
  for (size_t j = 0; j < c; j++) r[j] = root_inverse(var.p[j], T(eps));
  const T* sums = channel_sums<T, 2>(
      n, c, s,
      [&](size_t i, auto at, auto m, auto r) {
        X d = get(dy.p + i, at);
        return Two<X>{d, d * ((get(x.p + i, at) - m) * r)};
      },
      mean.p, r);
  T count = T(n * s);
  for (size_t j = 0; j < c; j++) {
    if (db.p) db.p[j] = sums[j];
    if (dw.p) dw.p[j] = sums[c + j];
    slope[j] = weight.p ? weight.p[j] * r[j] : r[j];
    level[j] = training ? sums[j] / count : T(0);
    tilt[j] = training ? r[j] * (sums[c + j] / count) : T(0);
  }
  if (!dx.p) return;
  each_channel<T>(
      n, c, s,
      [&](size_t i, auto at, auto m, auto slope, auto level, auto tilt) {
        put(dx.p + i, at, slope * (get(dy.p + i, at) - level - (get(x.p + i, at) - m) * tilt));
      },
      mean.p, slope, level, tilt);
}

// f(offset in the group, place, w or 1) for the d channels of a group, s places each
template <class T, class F>
inline void each_of_group(size_t d, size_t s, const T* w, const F& f) {
  using X = Word<T>;
  if (s == 1) return each<T>(d, [&](auto at) { f(size_t(0), at, w ? get(w, at) : splat<X>(1)); });
  for (size_t j = 0; j < d; j++) {
    X v = splat<X>(w ? w[j] : T(1));
    each<T>(s, [&](auto at) { f(j * s, at, v); });
  }
}

// y = (x - mean) rstd w + b in one group
template <class T>
inline void affine_group(T* y, const T* x, size_t d, size_t s, T mean, T rstd, const T* w, const T* b) {
  if (s == 1) return affine_row(y, x, d, mean, rstd, w, b);
  using X = Word<T>;
  X m = splat<X>(mean), r = splat<X>(rstd);
  for (size_t j = 0; j < d; j++, x += s, y += s) {
    X v = splat<X>(w ? w[j] : T(1)), u = splat<X>(b ? b[j] : T(0));
    each<T>(s, [&](auto at) { put(y, at, fma((get(x, at) - m) * r, v, u)); });
  }
}

// x, y: [n, g, d, s], mean, rstd: [n, g] over the d channels of a group and s, weight, bias: [g, d]. d = 1 is instance
// norm.
template <class T>
void group_norm(Rows<Out<T>> y, Rows<Out<T>> mean, Rows<Out<T>> rstd, Rows<In<T>> x, In<T> weight, In<T> bias,
                f64 eps) {
  size_t g = mean.cols;
  if (g == 0) return;
  size_t span = x.cols / g, d = (weight.p ? weight.n : bias.p ? bias.n : g) / g;
  spread_rows(x.rows * g, span, [&](size_t begin, size_t end) {
    for (size_t k = begin; k < end; k++) {
      const T* from = x.p + k * span;
      Moments<T> m = moments_row(from, span, mean_row(from, span), span);
      T r = rstd.p[k] = root_inverse(m.var, T(eps));
      mean.p[k] = m.mean;
      const T *w = weight.p ? weight.p + k % g * d : nullptr, *b = bias.p ? bias.p + k % g * d : nullptr;
      affine_group(y.p + k * span, from, d, d ? span / d : 0, m.mean, r, w, b);
    }
  });
}

// One group: with A = sum dy, B = sum dy xhat of each channel (kept for db and dw) and means over the group,
//   dx = rstd (dy w - mean(w A) - xhat mean(w B))
template <class T>
inline void group_norm_grad_row(T* dx, T* a, T* b, const T* dy, const T* x, const T* w, size_t d, size_t s, T mean,
                                T rstd) {
  using X = Word<T>;
  X m = splat<X>(mean), r = splat<X>(rstd);
  auto pair = [&](size_t i, auto at) {
    X g = get(dy + i, at);
    return Two<X>{g, g * ((get(x + i, at) - m) * r)};
  };
  if (s == 1)
    each<T>(d, [&](auto at) { put_sum(a, size_t(b - a), at, pair(0, at)); });
  else
    for (size_t j = 0; j < d; j++)
      put_sum(a, size_t(b - a), Alone{j}, fold<Sum>(s, [&](auto at) { return pair(j * s, at); }));
  if (!dx) return;
  auto sums = fold<Sum>(d, [&](auto at) {
    X v = w ? get(w, at) : splat<X>(1);
    return Two<X>{v * get(a, at), v * get(b, at)};
  });
  X p = splat<X>(sums.a.v / T(d * s)), q = splat<X>(sums.b.v / T(d * s));
  each_of_group(d, s, w, [&](size_t i, auto at, X v) {
    put(dx + i, at, r * (get(dy + i, at) * v - p - (get(x + i, at) - m) * r * q));
  });
}
template <class T>
void group_norm_grad(Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, Rows<In<T>> mean,
                     Rows<In<T>> rstd, In<T> weight) {
  size_t g = mean.cols, n = x.rows;
  if (g == 0) return;
  size_t span = x.cols / g, c = dw.n, d = c / g;
  T* part = static_cast<T*>(scratch((n + 1) * 2 * c * sizeof(T), 2));
  spread_rows(n * g, span, [&](size_t begin, size_t end) {
    for (size_t k = begin; k < end; k++) {
      T* a = part + k / g * 2 * c + k % g * d;
      group_norm_grad_row(dx.p ? dx.p + k * span : nullptr, a, a + c, dy.p + k * span, x.p + k * span,
                          weight.p ? weight.p + k % g * d : nullptr, d, d ? span / d : 0, mean.p[k], rstd.p[k]);
    }
  });
  add_rows(part, n, 2 * c);
  std::memcpy(db.p, part, c * sizeof(T));
  std::memcpy(dw.p, part + c, c * sizeof(T));
}

}  // namespace nabla::NABLA_ISA
