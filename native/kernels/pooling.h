// Pooling over planes [a, h, w]: the largest or the mean value of each window, and where gradients go. A row of results
// is computed N at a time, tap by tap; what lies outside the plane is no part of a window.
#pragma once
#include "finish.h"
#include "plane.h"

namespace nabla::NABLA_ISA {

template <class A>
inline auto element(const Strided<A, 3>& x, size_t a, size_t i, size_t j) {
  return x.p + (ptrdiff_t(a) * x.step[0] + ptrdiff_t(i) * x.step[1] + ptrdiff_t(j) * x.step[2]);
}
// Positions in a plane beside the lanes of Word<T>.
template <class T>
using Index = decltype(get<width<T>>(static_cast<const i32*>(nullptr)));

// Windows of x whose results are y, of sizes that cannot overflow.
struct Pooling {
  Window h, w;
  ptrdiff_t planes, in_h, in_w, out_h, out_w;
  bool sound;
  template <class X, class Y>
  Pooling(const X& x, const Y& y, Window h, Window w)
      : h(h),
        w(w),
        planes(ptrdiff_t(x.extent[0])),
        in_h(ptrdiff_t(x.extent[1])),
        in_w(ptrdiff_t(x.extent[2])),
        out_h(ptrdiff_t(y.extent[1])),
        out_w(ptrdiff_t(y.extent[2])) {
    constexpr ptrdiff_t small = ptrdiff_t(1) << 24, large = ptrdiff_t(1) << 31;
    sound = in_h < large && in_w < large && in_h * in_w < large && out_h < large && out_w < large;
    const ptrdiff_t all[] = {h.taps, h.stride, h.dilation, h.pad + 1, w.taps, w.stride, w.dilation, w.pad + 1};
    for (ptrdiff_t n : all) sound = sound && n >= 1 && n <= small;
  }
  // f(plane) for all planes, in tasks of about 16 Ki taps.
  template <class F>
  void each_plane(const F& f) const {
    if (!sound || !planes) return;
    spread_rows(size_t(planes), size_t(out_h * out_w) * size_t(h.taps * w.taps) + size_t(in_h * in_w) / 4,
                [&](size_t begin, size_t end) {
                  for (size_t a = begin; a < end; a++) f(a);
                });
  }
};
// Taps [first, last) of a window that begins at `start` and lie in [0, n).
struct Taps {
  ptrdiff_t first, last;
  Taps(const Window& w, ptrdiff_t start, ptrdiff_t n)
      : first(within(ceil_div(-start, w.dilation), 0, w.taps)),
        last(within(ceil_div(n - start, w.dilation), 0, w.taps)) {}
};

// What one tap meets in n windows: values, and their positions in the plane, -1 outside.
template <class T>
struct Met {
  Word<T> value;
  Index<T> at;
};
// x: a row of `cols` values, `step` apart, that begins at position `base`; lane i sees first + i stride.
template <class T>
inline Met<T> meet(const T* x, ptrdiff_t step, ptrdiff_t cols, ptrdiff_t base, ptrdiff_t first, ptrdiff_t stride,
                   ptrdiff_t n, f64 outside) {
  if constexpr (same<T, f32>) {
    if (step == 1 && stride <= 2 && first >= 0 && first + (n - 1) * stride < cols) {
      const f32* p = x + first;
      const I at = all_i(i32(base + first)) + iota() * all_i(i32(stride));
      if (stride == 1) return {load(p, size_t(n)), at};
      const ptrdiff_t all_of = 2 * n - 1;
      const V low = load(p, size_t(all_of < N ? all_of : N));
      return {evens(low, all_of > N ? load(p + N, size_t(all_of - N)) : low), at};
    }
  }
  constexpr int W = width<T>;
  T value[W];
  i32 at[W];
  for (ptrdiff_t i = 0; i < W; i++) {
    const ptrdiff_t j = first + i * stride;
    const bool inside = i < n && j >= 0 && j < cols;
    value[i] = inside ? x[j * step] : T(outside);
    at[i] = inside ? i32(base + j) : -1;
  }
  return {get<W>(value), get<W>(at)};
}

// W lanes of x to p, `step` apart
template <int W, class T, class X>
inline void put_apart(T* p, ptrdiff_t step, X x, ptrdiff_t n) {
  if (step == 1) return put<W>(p, x, size_t(n));
  T copy[W];
  put<W>(copy, x);
  for (ptrdiff_t i = 0; i < n; i++) p[i * step] = copy[i];
}

// f(i, j, n, top, rows): windows j .. j + n - 1 of row i of the results, whose taps `rows` lie in the plane.
template <class T, class F>
inline void each_windows(const Pooling& p, F f) {
  constexpr ptrdiff_t W = width<T>;
  for (ptrdiff_t i = 0; i < p.out_h; i++) {
    const ptrdiff_t top = i * p.h.stride - p.h.pad;
    const Taps rows(p.h, top, p.in_h);
    for (ptrdiff_t j = 0; j < p.out_w; j += W) f(i, j, p.out_w - j < W ? p.out_w - j : W, top, rows);
  }
}
// f(met) for every tap of windows j .. j + n - 1, in row-major order.
template <class T, class F>
inline void each_meeting(const Pooling& p, const Strided<In<T>, 3>& x, size_t a, ptrdiff_t j, ptrdiff_t n,
                         ptrdiff_t top, Taps rows, f64 outside, F f) {
  const ptrdiff_t left = j * p.w.stride - p.w.pad;
  for (ptrdiff_t k = rows.first; k < rows.last; k++) {
    const ptrdiff_t row = top + k * p.h.dilation;
    const T* from = element(x, a, size_t(row), 0);
    for (ptrdiff_t l = 0; l < p.w.taps; l++)
      f(meet<T>(from, x.step[2], p.in_w, row * p.in_w, left + l * p.w.dilation, p.w.stride, n, outside));
  }
}

// y = the largest value of a window, index its position: the first of equal ones, the last NaN.
template <class T>
void max_pool(Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w,
              u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  const Pooling p(x, y, {kernel_h, stride_h, pad_h, dilation_h}, {kernel_w, stride_w, pad_w, dilation_w});
  p.each_plane([&](size_t a) {
    each_windows<T>(p, [&](ptrdiff_t i, ptrdiff_t j, ptrdiff_t n, ptrdiff_t top, Taps rows) {
      const Index<T> none = splat<Index<T>>(-1), zero = splat<Index<T>>(0);
      Word<T> best = splat<Word<T>>(-__builtin_inf());
      Index<T> at = none;
      each_meeting<T>(p, x, a, j, n, top, rows, -__builtin_inf(), [&](Met<T> m) {
        const auto take = (m.value > best) | (m.value != m.value) | (at < zero);
        best = select(take, m.value, best);
        at = select(take, m.at, at);
      });
      put_apart<width<T>>(element(y, a, size_t(i), size_t(j)), y.step[2], best, n);
      put_apart<width<T>>(element(index, a, size_t(i), size_t(j)), index.step[2], at, n);
    });
  });
}

// The same over windows from floor(i h / p) to ceil((i + 1) h / p).
template <class T>
void adaptive_max_pool(Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x) {
  const Pooling p(x, y, {1, 1, 0, 1}, {1, 1, 0, 1});
  auto begin = [](ptrdiff_t i, ptrdiff_t in, ptrdiff_t out) { return i * in / out; };
  auto end = [](ptrdiff_t i, ptrdiff_t in, ptrdiff_t out) { return ((i + 1) * in + out - 1) / out; };
  p.each_plane([&](size_t a) {
    for (ptrdiff_t i = 0; i < p.out_h; i++) {
      for (ptrdiff_t j = 0; j < p.out_w; j++) {
        T best = -T(__builtin_inf());
        ptrdiff_t at = -1;
        for (ptrdiff_t r = begin(i, p.in_h, p.out_h); r < end(i, p.in_h, p.out_h); r++) {
          for (ptrdiff_t c = begin(j, p.in_w, p.out_w); c < end(j, p.in_w, p.out_w); c++) {
            const T v = *element(x, a, size_t(r), size_t(c));
            if (v > best || v != v || at < 0) best = v, at = r * p.in_w + c;
          }
        }
        *element(y, a, size_t(i), size_t(j)) = best;
        *element(index, a, size_t(i), size_t(j)) = i32(at);
      }
    }
  });
}

template <class T>
inline void clear_plane(const Strided<Out<T>, 3>& x, size_t a) {
  for (size_t i = 0; i < x.extent[1]; i++) {
    if (x.step[2] == 1)
      std::memset(element(x, a, i, 0), 0, x.extent[2] * sizeof(T));
    else
      for (size_t j = 0; j < x.extent[2]; j++) *element(x, a, i, j) = 0;
  }
}

// in the forward pass: y[i] = x[index[i]]
// so now:              dx[index[i]] += dy[i], window after window. No index is trusted.
template <class T>
void max_pool_grad(Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, Strided<In<i32>, 3> index) {
  const Pooling p(dx, dy, {1, 1, 0, 1}, {1, 1, 0, 1});
  p.each_plane([&](size_t a) {
    clear_plane(dx, a);
    const size_t size = dx.extent[1] * dx.extent[2], cols = dx.extent[2];
    const bool dense = dx.step[2] == 1 && dx.step[1] == ptrdiff_t(cols);
    T* to = element(dx, a, 0, 0);
    for (size_t i = 0; i < dy.extent[1]; i++) {
      for (size_t j = 0; j < dy.extent[2]; j++) {
        i32 read = *element(index, a, i, j);
        keep(read);
        const size_t at = size_t(ptrdiff_t(read));
        if (at < size) *(dense ? to + at : element(dx, a, at / cols, at % cols)) += *element(dy, a, i, j);
      }
    }
  });
}

// What the sum of a window is divided by: the divisor given, else its taps; those in the plane or, with `include`, in
// the plane and its border.
struct Divisor {
  const Pooling& p;
  bool include;
  f64 given;
  ptrdiff_t span(const Window& w, ptrdiff_t start, ptrdiff_t n) const {
    const ptrdiff_t border = include ? w.pad : 0;
    const ptrdiff_t from = start > -border ? start : -border,
                    to = start + w.taps < n + border ? start + w.taps : n + border;
    return to > from ? to - from : 1;
  }
  f64 at(ptrdiff_t i, ptrdiff_t j) const {
    if (given != 0) return given;
    return f64(span(p.h, i * p.h.stride - p.h.pad, p.in_h)) * f64(span(p.w, j * p.w.stride - p.w.pad, p.in_w));
  }
};

// y = the sum of a window / its divisor
template <class T>
void avg_pool(Strided<Out<T>, 3> y, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w,
              u32 pad_h, u32 pad_w, u32 include, f64 divisor) {
  const Pooling p(x, y, {kernel_h, stride_h, pad_h, 1}, {kernel_w, stride_w, pad_w, 1});
  const Divisor by{p, include != 0, divisor};
  constexpr int W = width<T>;
  p.each_plane([&](size_t a) {
    each_windows<T>(p, [&](ptrdiff_t i, ptrdiff_t j, ptrdiff_t n, ptrdiff_t top, Taps rows) {
      Word<T> sum = splat<Word<T>>(0);
      each_meeting<T>(p, x, a, j, n, top, rows, 0, [&](Met<T> m) { sum = sum + m.value; });
      T d[W];
      for (ptrdiff_t l = 0; l < W; l++) d[l] = T(by.at(i, l < n ? j + l : j));
      put_apart<width<T>>(element(y, a, size_t(i), size_t(j)), y.step[2], sum / get<W>(d), n);
    });
  });
}

// so now: every value of a window gets dy / divisor, window after window
template <class T>
void avg_pool_grad(Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, u32 kernel_h, u32 kernel_w, u32 stride_h, u32 stride_w,
                   u32 pad_h, u32 pad_w, u32 include, f64 divisor) {
  const Pooling p(dx, dy, {kernel_h, stride_h, pad_h, 1}, {kernel_w, stride_w, pad_w, 1});
  const Divisor by{p, include != 0, divisor};
  p.each_plane([&](size_t a) {
    clear_plane(dx, a);
    for (ptrdiff_t i = 0; i < p.out_h; i++) {
      const ptrdiff_t top = i * p.h.stride - p.h.pad;
      const Taps rows(p.h, top, p.in_h);
      for (ptrdiff_t j = 0; j < p.out_w; j++) {
        const ptrdiff_t left = j * p.w.stride - p.w.pad;
        const Taps cols(p.w, left, p.in_w);
        const T share = *element(dy, a, size_t(i), size_t(j)) / T(by.at(i, j));
        for (ptrdiff_t k = rows.first; k < rows.last; k++) {
          for (ptrdiff_t l = cols.first; l < cols.last; l++)
            *element(dx, a, size_t(top + k), size_t(left + l)) += share;
        }
      }
    }
  });
}

}  // namespace nabla::NABLA_ISA
