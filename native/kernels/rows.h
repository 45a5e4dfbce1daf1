// Softmax, its logarithm and their gradients over the rows of [r, c].
#pragma once
#include "../simd/exp.h"
#include "../simd/log.h"
#include "fold.h"

namespace nabla::NABLA_ISA {

// The largest element of a row in every lane. A NaN may be dropped: the row's
// sum of exponentials is NaN all the same.
template <class T>
inline Word<T> peak(const T* x, size_t n) {
  return splat<Word<T>>(fold<Peak>(n, [&](auto at) { return get(x, at); }).v);
}

// s = sum exp(x - m), m the peak of x. y, if given, receives the exponentials. A row of -inf has m = -inf and s = NaN,
// as in PyTorch.
template <class T>
inline Word<T> sum_exp(T* y, const T* x, size_t n, Word<T> m) {
  auto e = [&](auto at) { return exp_below(get(x, at) - m); };
  auto kept = [&](auto at) {
    auto v = e(at);
    put(y, at, v);
    return v;
  };
  return splat<Word<T>>((y ? fold<Sum>(n, kept) : fold<Sum>(n, e)).v);
}

// y = exp(x - m) / s
template <class T>
void softmax(Rows<Out<T>> y, Rows<In<T>> x) {
  using X = Word<T>;
  for (size_t r = 0; r < x.rows; r++) {
    const T* from = x.p + r * x.cols;
    T* to = y.p + r * x.cols;
    X s = splat<X>(1) / sum_exp(to, from, x.cols, peak(from, x.cols));
    each<T>(x.cols, [&](auto at) { put(to, at, get(to, at) * s); });
  }
}

// in the forward pass: y_i = e_i / s, so dy_i/dx_j = y_i ([i = j] - y_j)
// so now:              dx = y (dy - sum(dy y))
template <class T>
void softmax_grad(Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y) {
  using X = Word<T>;
  for (size_t r = 0; r < y.rows; r++) {
    size_t i = r * y.cols;
    const T *g = dy.p + i, *p = y.p + i;
    X s = splat<X>(fold<Sum>(y.cols, [&](auto at) { return get(g, at) * get(p, at); }).v);
    each<T>(y.cols, [&](auto at) { put(dx.p + i, at, get(p, at) * (get(g, at) - s)); });
  }
}

// y = x - m - log s
template <class T>
void log_softmax(Rows<Out<T>> y, Rows<In<T>> x) {
  using X = Word<T>;
  const size_t c = x.cols;
  together(x.rows, c, [&](size_t first, size_t n) {
    const T* from = x.p + first * c;
    T* to = y.p + first * c;
    X m[most_together], s[most_together];
    const size_t next = n > 1 ? n * c : 0;  // what comes next to a long row would take its place in L1
    for (size_t r = 0; r < n; r++) m[r] = peak(from + r * c, c);
    for (size_t r = 0; r < n; r++) {
      const X top = m[r];
      s[r] = splat<X>(fold<Sum>(c, [&](auto at) {
                        prefetch(from + r * c + next + at.i);
                        prefetch_write(to + r * c + at.i);
                        return exp_below(get(from + r * c, at) - top);
                      }).v);
    }
    for (size_t r = 0; r < n; r++) {
      const X top = m[r], log_s = log(s[r]);
      each<T>(c, [&](auto at) { put(to + r * c, at, get(from + r * c, at) - top - log_s); });
    }
  });
}

// in the forward pass: y_i = x_i - log sum exp x, so dy_i/dx_j = [i = j] - exp
// y_j so now:              dx = dy - exp(y) sum(dy)
template <class T>
void log_softmax_grad(Rows<Out<T>> dx, Rows<In<T>> dy, Rows<In<T>> y) {
  using X = Word<T>;
  for (size_t r = 0; r < y.rows; r++) {
    size_t i = r * y.cols;
    X s = splat<X>(fold<Sum>(y.cols, [&](auto at) { return get(dy.p + i, at); }).v);
    each<T>(y.cols, [&](auto at) { put(dx.p + i, at, get(dy.p + i, at) - exp(get(y.p + i, at)) * s); });
  }
}

// y = m + log sum exp(x - m), with m = 0 when the peak is infinite: then y is
// infinite too
template <class T>
void logsumexp(Out<T> y, Rows<In<T>> x) {
  using X = Word<T>;
  for (size_t r = 0; r < x.rows; r++) {
    const T* from = x.p + r * x.cols;
    X m = peak(from, x.cols);
    m = select(m - m == splat<X>(0), m, splat<X>(0));
    const auto e = fold<Sum>(x.cols, [&](auto at) { return exp(get(from, at) - m); });
    y.p[r] = head(m + log(splat<X>(e.v)));
  }
}

}  // namespace nabla::NABLA_ISA
