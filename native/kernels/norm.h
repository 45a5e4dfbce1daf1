// Layer norm and RMS norm over the rows of [r, c].
//
// Forward: xhat = (x - mean) rstd, y = xhat w + b, with mean and variance in
// two passes over a row that stays in cache; rstd = 1 / sqrt(var + eps). RMS
// norm has no mean and no bias: rstd = 1 / sqrt(mean(x^2) + eps).
#pragma once
#include "fold.h"

namespace nabla::NABLA_ISA {

// y = (x - mean) rstd w + b; mean, w and b may be absent
template <class T>
inline void affine_row(T* y, const T* x, size_t n, T mean, T rstd, const T* w, const T* b) {
  using X = Word<T>;
  X m = splat<X>(mean), s = splat<X>(rstd);
  if (w && b) return each<T>(n, [&](auto at) { put(y, at, fma((get(x, at) - m) * s, get(w, at), get(b, at))); });
  if (w) return each<T>(n, [&](auto at) { put(y, at, (get(x, at) - m) * s * get(w, at)); });
  if (b) return each<T>(n, [&](auto at) { put(y, at, (get(x, at) - m) * s + get(b, at)); });
  each<T>(n, [&](auto at) { put(y, at, (get(x, at) - m) * s); });
}

// Mean and variance of a row, in two passes. What rounding has put into the mean m is taken out again: with d = x - m,
// mean = m + sum d / n and n var = sum d^2 - (sum d)^2 / n, so a row of equal numbers has variance 0.
template <class T>
struct Moments {
  T mean, var;
};
template <class T>
inline Moments<T> corrected(T mean, Two<Lane<T>> d, T n) {
  T off = d.a.v / n, var = d.b.v / n - off * off;
  return {mean + off, var < 0 ? T(0) : var};
}
template <class T>
inline T mean_row(const T* x, size_t n) {
  return fold<Sum>(n, [&](auto at) { return get(x, at); }).v / T(n);
}
template <class T>
inline Moments<T> moments_row(const T* x, size_t n, T mean, size_t ahead) {
  using X = Word<T>;
  X m = splat<X>(mean);
  auto sums = fold<Sum>(n, [&](auto at) {
    prefetch(x + ahead + at.i);
    X d = get(x, at) - m;
    return Two<X>{d, d * d};
  });
  return corrected(mean, sums, T(n));
}
template <class T>
inline T root_inverse(T variance, T eps) {
  return T(1) / sqrt(Lane<T>{variance + eps}).v;
}

// x, y: [r, c]; mean, rstd: [r]; weight, bias: [c]
template <class T>
void layer_norm(Rows<Out<T>> y, Out<T> mean, Out<T> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps) {
  size_t c = x.cols;
  together(x.rows, c, [&](size_t first, size_t n) {
    const T* rows = x.p + first * c;
    Moments<T> m[most_together];
    T root[most_together];
    for (size_t r = 0; r < n; r++) m[r].mean = mean_row(rows + r * c, c);
    for (size_t r = 0; r < n; r++) m[r] = moments_row(rows + r * c, c, m[r].mean, n * c);
    for (size_t r = 0; r < n; r++) root[r] = root_inverse(m[r].var, T(eps));
    for (size_t r = 0; r < n; r++) {
      affine_row(y.p + (first + r) * c, rows + r * c, c, m[r].mean, root[r], weight.p, bias.p);
      if (mean.p) mean.p[first + r] = m[r].mean;
      if (rstd.p) rstd.p[first + r] = root[r];
    }
  });
}

template <class T>
void rms_norm(Rows<Out<T>> y, Out<T> rstd, Rows<In<T>> x, In<T> weight, f64 eps) {
  size_t c = x.cols;
  for (size_t r = 0; r < x.rows; r++) {
    const T* row = x.p + r * c;
    T squares = fold<Sum>(c, [&](auto at) { return get(row, at) * get(row, at); }).v;
    T s = root_inverse(squares / T(c), T(eps));
    affine_row<T>(y.p + r * c, row, c, 0, s, weight.p, nullptr);
    if (rstd.p) rstd.p[r] = s;
  }
}

// One row of the gradient. With g = dy w and means over the row:
//   dx = rstd (g - mean(g) - xhat mean(g xhat));  without centring the term
//   mean(g) falls away. dw += dy xhat, db += dy
template <bool centred, class T>
inline void norm_grad_row(T* dx, T* dw, T* db, const T* dy, const T* x, const T* w, size_t n, T mean, T rstd) {
  using X = Word<T>;
  X m = splat<X>(mean), s = splat<X>(rstd);
  auto sums = fold<Sum>(n, [&](auto at) {
    X g = w ? get(dy, at) * get(w, at) : get(dy, at);
    return Two<X>{g, g * ((get(x, at) - m) * s)};
  });
  X a = splat<X>(centred ? sums.a.v / T(n) : T(0)), b = splat<X>(sums.b.v / T(n));
  each<T>(n, [&](auto at) {
    prefetch(dy + n + at.i);
    prefetch(x + n + at.i);
    X d = get(dy, at), h = (get(x, at) - m) * s;
    X g = w ? d * get(w, at) : d;
    if (dx) put(dx, at, s * (centred ? g - a - h * b : g - h * b));
    if (dw) put(dw, at, get(dw, at) + d * h);
    if (db) put(db, at, get(db, at) + d);
  });
}

// Row 0 of x: [rows, n] becomes the sum of all: row i takes in row i + h for h = 1, 2, 4, ...
template <class T>
inline void add_rows(T* x, size_t rows, size_t n) {
  if (rows == 0) std::memset(x, 0, n * sizeof(T));
  for (size_t h = 1; h < rows; h *= 2)
    for (size_t i = 0; i + h < rows; i += 2 * h) {
      T *to = x + i * n, *from = x + (i + h) * n;
      each<T>(n, [&](auto at) { put(to, at, get(to, at) + get(from, at)); });
    }
}

// dw and db are sums over rows: chunks of 64 rows each add up one after the other, then add_rows.
constexpr size_t norm_chunk = 64;

template <bool centred, class T>
inline void norm_grad(Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, const T* mean,
                      const T* rstd, const T* w) {
  size_t rows = x.rows, c = x.cols, chunks = (rows + norm_chunk - 1) / norm_chunk;
  size_t span = (dw.p ? c : 0) + (db.p ? c : 0);
  T* part = static_cast<T*>(scratch((chunks + 1) * span * sizeof(T), 2));
  parallel(chunks, [&](size_t k) {
    T *pw = dw.p ? part + k * span : nullptr, *pb = db.p ? part + k * span + (dw.p ? c : 0) : nullptr;
    std::memset(part + k * span, 0, span * sizeof(T));
    size_t end = (k + 1) * norm_chunk < rows ? (k + 1) * norm_chunk : rows;
    for (size_t r = k * norm_chunk; r < end; r++)
      norm_grad_row<centred>(dx.p ? dx.p + r * c : nullptr, pw, pb, dy.p + r * c, x.p + r * c, w, c,
                             mean ? mean[r] : T(0), rstd[r]);
  });
  add_rows(part, chunks, span);
  if (dw.p) std::memcpy(dw.p, part, c * sizeof(T));
  if (db.p) std::memcpy(db.p, part + (span - c), c * sizeof(T));
}

template <class T>
void layer_norm_grad(Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, In<T> mean, In<T> rstd,
                     In<T> weight) {
  norm_grad<true>(dx, dw, db, dy, x, mean.p, rstd.p, weight.p);
}
template <class T>
void rms_norm_grad(Rows<Out<T>> dx, Out<T> dw, Rows<In<T>> dy, Rows<In<T>> x, In<T> rstd, In<T> weight) {
  norm_grad<false>(dx, dw, Out<T>{}, dy, x, static_cast<const T*>(nullptr), rstd.p, weight.p);
}

}  // namespace nabla::NABLA_ISA
