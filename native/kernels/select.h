// Elements chosen by position. An axis is the middle of [a, n, b].
//
// The caller has checked every index, but an index may lie in memory another thread writes, so no kernel trusts one: it
// is read once, and outside [0, n) it reads a 0 or writes nothing.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

// One read, which the compiler may not repeat after the comparison.
inline size_t position(const i32* p) {
  i32 x = *p;
  keep(x);
  return size_t(ptrdiff_t(x));  // below 0: far above any n
}

// bad [1] = the first position whose index is neither in [low, high) nor `ignore`, or -1
template <class T>
void check_index(Out<i32> bad, In<i32> index, i32 low, i32 high, i32 ignore) {
  if (bad.n == 0) return;
  bad.p[0] = -1;
  auto wrong = [=](I x) { return ((x < all_i(low)) | (x >= all_i(high))) & (x != all_i(ignore)); };
  size_t i = 0;
  while (i + N <= index.n && !any(wrong(load(index.p + i)))) i += N;
  for (; i < index.n; i++) {
    i32 x = index.p[i];
    if ((x >= low && x < high) || x == ignore) continue;
    bad.p[0] = i32(i);
    return;
  }
}

// y[i, j, l] = x[i, index[i, j, l], l]
template <class T>
void gather(Out<T> y, Strided<In<T>, 3> x, Strided<In<i32>, 3> index) {
  const size_t n = x.extent[1], k = index.extent[1], b = x.extent[2];
  if (b == 1)  // rows of single numbers are runs of j
    return spread_rows(x.extent[0], k, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) {
        const T* from = x.p + ptrdiff_t(i) * x.step[0];
        const i32* at = index.p + ptrdiff_t(i) * index.step[0];
        for (size_t j = 0; j < k; j++, at += index.step[1]) {
          const size_t p = position(at);
          y.p[i * k + j] = p < n ? from[ptrdiff_t(p) * x.step[1]] : T(0);
        }
      }
    });
  spread_rows(x.extent[0] * k, b, [&](size_t begin, size_t end) {
    size_t i = begin / k, j = begin % k;
    for (size_t row = begin; row < end; row++) {
      const T* from = x.p + ptrdiff_t(i) * x.step[0];
      const i32* at = index.p + ptrdiff_t(i) * index.step[0] + ptrdiff_t(j) * index.step[1];
      for (size_t l = 0; l < b; l++, from += x.step[2], at += index.step[2]) {
        size_t p = position(at);
        y.p[row * b + l] = p < n ? from[ptrdiff_t(p) * x.step[1]] : T(0);
      }
      if (++j == k) j = 0, i++;
    }
  });
}

// y[i, j, :] = x[i, index[j], :]: rows of an embedding for a = 1
template <class T>
void index_select(Out<T> y, Strided<In<T>, 3> x, In<i32> index) {
  const size_t n = x.extent[1], k = index.n, b = x.extent[2];
  spread_rows(x.extent[0] * k, b, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      size_t p = position(index.p + row % k);
      T* to = y.p + row * b;
      const T* from = x.p + ptrdiff_t(row / k) * x.step[0] + ptrdiff_t(p < n ? p : 0) * x.step[1];
      if (p >= n)
        std::memset(to, 0, b * sizeof(T));
      else if (x.step[2] == 1)
        std::memcpy(to, from, b * sizeof(T));
      else
        for (size_t l = 0; l < b; l++) to[l] = from[ptrdiff_t(l) * x.step[2]];
    }
  });
}

// Where a task of a scatter writes: slices [a0, a1), places [n0, n1) of the axis, columns [b0, b1). It walks all k
// sources in order, so a place receives its sources in order whatever the boxes are, and no two boxes write to the same
// element.
struct Box {
  size_t a0, a1, n0, n1, b0, b1;
};
// At most 16 boxes of 16 Ki sources or more; slices first, then places, then columns of at least 256. A place's rows
// stay in cache while all sources pass, and a row is read in one go. Every box looks at every index, and a branch that
// may go either way costs 5 ns or so: only rows of 16 and more are worth a split by places.
template <class F>
inline void boxes(size_t a, size_t n, size_t b, size_t k, const F& f) {
  size_t wanted = a * k * b / piece;
  wanted = wanted < 1 ? 1 : wanted > 16 ? 16 : wanted;
  const size_t as = a < wanted ? a : wanted;
  size_t ns = b < 16 ? 1 : wanted / as;
  if (ns > 4) ns = 4;
  size_t bs = wanted / (as * ns) < b / 256 ? wanted / (as * ns) : b / 256;
  if (bs == 0) bs = 1;
  parallel(as * bs * ns, [&](size_t task) {
    size_t i = task / (bs * ns), l = task / ns % bs, p = task % ns;
    f(Box{a * i / as, a * (i + 1) / as, n * p / ns, n * (p + 1) / ns, b * l / bs, b * (l + 1) / bs});
  });
}

// x[i, index[i, j, l], l] becomes f(its value, y[i, j, l]) for j = 0, 1, ..., k - 1
template <class T, class F>
inline void scatter_with(InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index, const F& f) {
  const size_t a = y.extent[0], k = y.extent[1], b = y.extent[2];
  if (a * k * b == 0) return;
  const size_t n = x.n / (a * b);
  boxes(a, n, b, k, [&](const Box& box) {
    for (size_t i = box.a0; i < box.a1 && b == 1; i++) {  // rows of single numbers are runs of j
      const i32* at = index.p + ptrdiff_t(i) * index.step[0];
      const T* from = y.p + ptrdiff_t(i) * y.step[0];
      for (size_t j = 0; j < k; j++, at += index.step[1], from += y.step[1]) {
        const size_t p = position(at);
        if (p < n) x.p[i * n + p] = f(x.p[i * n + p], *from);
      }
    }
    for (size_t i = box.a0; i < box.a1 && b > 1; i++)
      for (size_t j = 0; j < k; j++) {
        const i32* at = index.p + ptrdiff_t(i) * index.step[0] + ptrdiff_t(j) * index.step[1];
        const T* from = y.p + ptrdiff_t(i) * y.step[0] + ptrdiff_t(j) * y.step[1];
        for (size_t l = box.b0; l < box.b1; l++) {
          size_t p = position(at + ptrdiff_t(l) * index.step[2]);
          if (p < box.n0 || p >= box.n1) continue;
          T& to = x.p[(i * n + p) * b + l];
          to = f(to, from[ptrdiff_t(l) * y.step[2]]);
        }
      }
  });
}
// The same for whole rows: x[i, index[j], :] becomes f(x, y[i, j, :]); an index equal to `skip` is passed over.
template <class T, class F>
inline void scatter_rows(InOut<T> x, Strided<In<T>, 3> y, In<i32> index, i32 skip, const F& f) {
  const size_t a = y.extent[0], k = index.n, b = y.extent[2];
  if (a * k * b == 0) return;
  const size_t n = x.n / (a * b), skipped = size_t(ptrdiff_t(skip));
  boxes(a, n, b, k, [&](const Box& box) {
    for (size_t i = box.a0; i < box.a1; i++)
      for (size_t j = 0; j < k; j++) {
        size_t p = position(index.p + j);
        if (p < box.n0 || p >= box.n1 || p == skipped) continue;
        T* to = x.p + (i * n + p) * b;
        const T* from = y.p + ptrdiff_t(i) * y.step[0] + ptrdiff_t(j) * y.step[1];
        f(to + box.b0, from + ptrdiff_t(box.b0) * y.step[2], y.step[2], box.b1 - box.b0);
      }
  });
}

// Sums of i32 wrap.
template <class T>
inline T plus(T a, T b) {
  return (lane(a) + lane(b)).v;
}
template <class T>
void scatter_add(InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index) {
  scatter_with(x, y, index, [](T a, T b) { return plus(a, b); });
}
template <class T>
void scatter(InOut<T> x, Strided<In<T>, 3> y, Strided<In<i32>, 3> index) {
  scatter_with(x, y, index, [](T, T b) { return b; });
}

// x[i, index[j], :] += y[i, j, :]: the gradient of index_select, and of an embedding with `skip` its padding row (-1:
// none).
template <class T>
void index_add(InOut<T> x, Strided<In<T>, 3> y, In<i32> index, i32 skip) {
  scatter_rows(x, y, index, skip, [](T* to, const T* from, ptrdiff_t step, size_t n) {
    if (step == 1)
      map([](auto a, auto b) { return a + b; }, Out<T>{to, n}, In<T>{to, n}, In<T>{from, n});
    else
      for (size_t l = 0; l < n; l++) to[l] = plus(to[l], from[ptrdiff_t(l) * step]);
  });
}
// x[i, index[j], :] = y[i, j, :]
template <class T>
void index_copy(InOut<T> x, Strided<In<T>, 3> y, In<i32> index) {
  scatter_rows(x, y, index, -1, [](T* to, const T* from, ptrdiff_t step, size_t n) {
    if (step == 1)
      std::memcpy(to, from, n * sizeof(T));
    else
      for (size_t l = 0; l < n; l++) to[l] = from[ptrdiff_t(l) * step];
  });
}

// y[r, c] = 1 where c = index[r], else 0
template <class T>
void one_hot(Rows<Out<T>> y, In<i32> index) {
  std::memset(y.p, 0, y.rows * y.cols * sizeof(T));
  for (size_t r = 0; r < y.rows; r++) {
    size_t p = position(index.p + r);
    if (p < y.cols) y.p[r * y.cols + p] = T(1);
  }
}

// y = x at and below (tril) or at and above (triu) the diagonal of each [rows, cols], else 0; the diagonal is c = r +
// diagonal
template <bool lower, class T>
inline void triangle(Out<T> y, const Strided<In<T>, 3>& x, i32 diagonal) {
  const size_t rows = x.extent[1], cols = x.extent[2];
  spread_rows(x.extent[0] * rows, cols, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      ptrdiff_t cut = ptrdiff_t(row % rows) + diagonal + (lower ? 1 : 0);
      size_t edge = cut < 0 ? 0 : size_t(cut) < cols ? size_t(cut) : cols;
      size_t c0 = lower ? 0 : edge, c1 = lower ? edge : cols;
      T* to = y.p + row * cols;
      const T* from = x.p + ptrdiff_t(row / rows) * x.step[0] + ptrdiff_t(row % rows) * x.step[1];
      std::memset(to, 0, cols * sizeof(T));
      for (size_t c = c0; c < c1; c++) to[c] = from[ptrdiff_t(c) * x.step[2]];
    }
  });
}
template <class T>
void tril(Out<T> y, Strided<In<T>, 3> x, i32 diagonal) {
  triangle<true>(y, x, diagonal);
}
template <class T>
void triu(Out<T> y, Strided<In<T>, 3> x, i32 diagonal) {
  triangle<false>(y, x, diagonal);
}

// count [1] = how many elements of x are not 0
template <class T>
void nonzero_count(Out<i32> count, In<T> x) {
  if (count.n == 0) return;
  size_t c = 0;
  for (size_t i = 0; i < x.n; i++) c += x.p[i] != T(0);
  count.p[0] = i32(c);
}
// y [m] = the positions of the elements of x that are not 0, in order. Should x have changed since it was counted, what
// is too much is left out and what is missing is 0.
template <class T>
void nonzero(Out<i32> y, In<T> x) {
  size_t m = 0;
  for (size_t i = 0; i < x.n && m < y.n; i++)
    if (x.p[i] != T(0)) y.p[m++] = i32(i);
  while (m < y.n) y.p[m++] = 0;
}

}  // namespace nabla::NABLA_ISA
