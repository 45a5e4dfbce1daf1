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

// sum (x - m)^2
template <class T>
inline T sum_squares(const T* x, size_t n, T mean) {
  Word<T> m = splat<Word<T>>(mean);
  return fold<Sum>(n,
                   [&](auto at) {
                     prefetch(x + n + at.i);
                     auto d = get(x, at) - m;
                     return d * d;
                   })
      .v;
}
template <class T>
inline T sum_row(const T* x, size_t n) {
  return fold<Sum>(n, [&](auto at) { return get(x, at); }).v;
}
template <class T>
inline T root_inverse(T variance, T eps) {
  return T(1) / sqrt(Lane<T>{variance + eps}).v;
}

// x, y: [r, c]; mean, rstd: [r]; weight, bias: [c]
template <class T>
void layer_norm(Rows<Out<T>> y, Out<T> mean, Out<T> rstd, Rows<In<T>> x, In<T> weight, In<T> bias, f64 eps) {
  size_t c = x.cols;
  for (size_t r = 0; r < x.rows; r++) {
    const T* row = x.p + r * c;
    T m = sum_row(row, c) / T(c), s = root_inverse(sum_squares(row, c, m) / T(c), T(eps));
    affine_row(y.p + r * c, row, c, m, s, weight.p, bias.p);
    if (mean.p) mean.p[r] = m;
    if (rstd.p) rstd.p[r] = s;
  }
}

template <class T>
void rms_norm(Rows<Out<T>> y, Out<T> rstd, Rows<In<T>> x, In<T> weight, f64 eps) {
  size_t c = x.cols;
  for (size_t r = 0; r < x.rows; r++) {
    const T* row = x.p + r * c;
    T s = root_inverse(sum_squares(row, c, T(0)) / T(c), T(eps));
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

// Sums over rows: chunks of 64 rows each add up one after the other, then chunk
// i takes in chunk i + h for h = 1, 2, 4...
constexpr size_t norm_chunk = 64;

template <class T>
inline void add_row(T* y, const T* x, size_t n) {
  each<T>(n, [&](auto at) { put(y, at, get(y, at) + get(x, at)); });
}

template <bool centred, class T>
inline void norm_grad(Rows<Out<T>> dx, Out<T> dw, Out<T> db, Rows<In<T>> dy, Rows<In<T>> x, const T* mean,
                      const T* rstd, const T* w) {
  size_t rows = x.rows, c = x.cols, chunks = (rows + norm_chunk - 1) / norm_chunk;
  size_t span = (dw.p ? c : 0) + (db.p ? c : 0);
  if (dw.p) std::memset(dw.p, 0, c * sizeof(T));
  if (db.p) std::memset(db.p, 0, c * sizeof(T));
  if (rows == 0 || c == 0) return;
  T* part = span ? static_cast<T*>(scratch(chunks * span * sizeof(T), 2)) : nullptr;
  parallel(chunks, [&](size_t k) {
    T *pw = dw.p ? part + k * span : nullptr, *pb = db.p ? part + k * span + (dw.p ? c : 0) : nullptr;
    if (span) std::memset(part + k * span, 0, span * sizeof(T));
    size_t end = (k + 1) * norm_chunk < rows ? (k + 1) * norm_chunk : rows;
    for (size_t r = k * norm_chunk; r < end; r++)
      norm_grad_row<centred>(dx.p ? dx.p + r * c : nullptr, pw, pb, dy.p + r * c, x.p + r * c, w, c,
                             mean ? mean[r] : T(0), rstd[r]);
  });
  for (size_t h = 1; h < chunks; h *= 2)
    for (size_t k = 0; k + h < chunks; k += 2 * h) add_row(part + k * span, part + (k + h) * span, span);
  if (dw.p) add_row(dw.p, part, c);
  if (db.p) add_row(db.p, part + (span - c), c);
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
