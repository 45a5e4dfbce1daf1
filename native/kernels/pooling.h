// Pooling over planes [a, h, w]: the largest or the mean value of each window, and where gradients go. A row of results
// is computed N at a time, tap by tap; what lies outside the plane is no part of a window.
#pragma once
#include "finish.h"
#include "sliding.h"

namespace nabla::NABLA_ISA {

// The larger of what was met before and after, with its position.
struct Best {
  V value;
  I at;
};
inline Best larger(Best a, Best b) {
  const M take = (b.value > a.value) | (b.value != b.value);
  return {select(take, b.value, a.value), select(take, b.at, a.at)};
}
// Windows of `rows` rows of `cols` taps in the plane, both K where that is not 0. x: the first tap of the first, at
// position `at`. Steps of taps and of windows, in memory and in positions. What is below `least` counts as `least`.
struct Span {
  f32* y;
  i32* index;
  const f32* x;
  ptrdiff_t y_step, index_step, x_step, results;
  ptrdiff_t rows, cols, down, right, at, at_step, at_down;
  f32 least;
};
// Of the window that begins in each lane get(p) takes from x; `at` counts from its first tap.
template <int K, class Get>
inline Best best_of(const Span& s, const f32* x, V least, const Get& get) {
  Best best;
#pragma GCC unroll 4
  for (ptrdiff_t k = 0; k < (K ? K : s.rows); k++, x += s.down) {
    const i32 at = i32(k * s.at_down);
    Best row{max(least, get(x)), all_i(at)};
#pragma GCC unroll 4
    for (ptrdiff_t l = 1; l < (K ? K : s.cols); l++)
      row = larger(row, {max(least, get(x + l * s.right)), all_i(at + i32(l * s.right))});
    best = k ? larger(best, row) : row;
  }
  return best;
}
// Word j of every result from `i` on.
template <int S, int K, bool whole>
inline void max_word(const Span& s, ptrdiff_t i, ptrdiff_t j, ptrdiff_t n) {
  const I lanes = iota() * all_i(S);
  const V least = all(s.least);
  f32* y = s.y + i * s.y_step + j;
  i32* index = s.index + i * s.index_step + j;
  const f32* x = s.x + i * s.x_step + j * S;
  i32 from = i32(s.at + i * s.at_step + j * S);
  for (; i < s.results; i++, y += s.y_step, index += s.index_step, x += s.x_step, from += i32(s.at_step)) {
    const Best best = best_of<K>(s, x, least, [n](const f32* p) { return every<S, whole>(p, n); });
    const I at = best.at + (lanes + all_i(from));
    if constexpr (whole) {
      store(y, best.value);
      store(index, at);
    } else {
      store(y, best.value, size_t(n));
      store(index, at, size_t(n));
    }
  }
}
// Results two by two, of n <= N / 2 windows each, 2 columns apart; how many there were.
template <int H>
inline ptrdiff_t max_pairs(const Span& s, ptrdiff_t n) {
  const V least = all(s.least);
  const I lanes = shl(iota(), 1) + select(iota() >= all_i(H), all_i(i32(s.at_step) - 2 * H), all_i(0));
  const size_t span = size_t(2 * n - 1);
  f32* y = s.y;
  i32* index = s.index;
  const f32* x = s.x;
  i32 from = i32(s.at);
  ptrdiff_t i = 0;
  for (; i + 1 < s.results; i += 2, y += s.y_step, index += s.index_step, x += 2 * s.x_step) {
    const Best best =
        best_of<2>(s, x, least, [&](const f32* p) { return evens(load(p, span), load(p + s.x_step, span)); });
    const I at = best.at + (lanes + all_i(from));
    store(y, best.value, size_t(n));
    store(index, at, size_t(n));
    store(y += s.y_step, upper<H>(best.value), size_t(n));
    store(index += s.index_step, upper<H>(at), size_t(n));
    from += 2 * i32(s.at_step);
  }
  return i;
}
template <int S, int K>
inline void max_words(const Span& s, ptrdiff_t n) {
  ptrdiff_t i = 0, j = 0;
  for (; j + N <= n; j += N) max_word<S, K, true>(s, 0, j, N);
  if constexpr (S == 2 && K == 2 && N > 1) {
    if (2 * n <= N) i = max_pairs<N / 2>(s, n);
  }
  if (j < n) max_word<S, K, false>(s, i, j, n - j);
}

// y = the largest value of a window, index its position: the first of equal ones, the last NaN; with `rectify`, of
// relu(x).
template <class T>
void max_pool(Strided<Out<T>, 3> y, Strided<Out<i32>, 3> index, Strided<In<T>, 3> x, u32 kernel_h, u32 kernel_w,
              u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w, u32 rectify) {
  const T least = rectify ? T(0) : -T(__builtin_inf());
  const Pooling p(x, y, {kernel_h, stride_h, pad_h, dilation_h}, {kernel_w, stride_w, pad_w, dilation_w});
  const bool dense = same<T, f32> && x.step[2] == 1 && y.step[2] == 1 && index.step[2] == 1 && stride_w <= 2;
  p.each_plane([&](size_t a) {
    auto one = [&](ptrdiff_t i, ptrdiff_t j, ptrdiff_t top, Taps rows) {
      T best = -T(__builtin_inf());
      ptrdiff_t at = -1;
      each_tap_of(p, x, a, j, top, rows, [&](T value, ptrdiff_t row, ptrdiff_t col) {
        const T v = least > value ? least : value;
        if (v > best || v != v || at < 0) best = v, at = row * p.in_w + col;
      });
      *element(y, a, size_t(i), size_t(j)) = best;
      *element(index, a, size_t(i), size_t(j)) = i32(at);
    };
    each_window(p, dense, one, [&](const Interior& b) {
      if constexpr (same<T, f32>) {
        const ptrdiff_t left = b.first * p.w.stride - p.w.pad;
        const bool square = b.rows == p.w.taps && stride_w == 2;
        (stride_w == 1             ? max_words<1, 0>
         : square && p.w.taps == 2 ? max_words<2, 2>
         : square && p.w.taps == 3
             ? max_words<2, 3>
             : max_words<2, 0>)({element(y, a, size_t(b.i), size_t(b.first)),
                                 element(index, a, size_t(b.i), size_t(b.first)),
                                 element(x, a, size_t(b.top), size_t(left)), y.step[1], index.step[1],
                                 p.h.stride * x.step[1], b.results, b.rows, p.w.taps, p.h.dilation * x.step[1],
                                 p.w.dilation, b.top * p.in_w + left, p.h.stride * p.in_w, p.h.dilation * p.in_w,
                                 least},
                                b.last - b.first);
      }
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
// With y = relu(x[index]) of windows that do not overlap, also through relu: the sum is multiplied by the slope at y.
template <class T>
struct Picked {
  Strided<Out<T>, 3> dx;
  Strided<In<T>, 3> dy;
  Strided<In<i32>, 3> index;
  Strided<In<T>, 3> y;
};
template <class T>
inline void scatter_plane(const Picked<T>& t, size_t a) {
  const auto& [dx, dy, index, y] = t;
  clear_plane(dx, a);
  const size_t size = dx.extent[1] * dx.extent[2], cols = dx.extent[2];
  const bool dense = dx.step[2] == 1 && dx.step[1] == ptrdiff_t(cols);
  T* to = element(dx, a, 0, 0);
  for (size_t i = 0; i < dy.extent[1]; i++) {
    for (size_t j = 0; j < dy.extent[2]; j++) {
      i32 read = *element(index, a, i, j);
      keep(read);
      const size_t at = size_t(ptrdiff_t(read));
      if (at >= size) continue;
      T& sum = *(dense ? to + at : element(dx, a, at / cols, at % cols));
      sum += *element(dy, a, i, j);
      if (y.p) sum *= relu_slope(Lane<T>{*element(y, a, i, j)}).v;
    }
  }
}

// The same where windows of two columns and `rows` rows lie side by side and fill the plane: each value asks its window
// whether it was taken. A word of windows after the other, those of a column together.
inline void pick_plane(const Picked<f32>& t, size_t a, size_t rows) {
  const auto& [dx, dy, index, y] = t;
  const size_t n = dy.extent[2];
  for (size_t j = 0; j < n; j += N) {
    const size_t w = n - j < size_t(N) ? n - j : size_t(N), low_w = 2 * w < size_t(N) ? 2 * w : size_t(N);
    const f32* from = element(dy, a, 0, j);
    const i32* taken = element(index, a, 0, j);
    f32* to = element(dx, a, 0, 2 * j);
    I here = shl(iota(), 1) + all_i(i32(2 * j));
    for (size_t i = dy.extent[1]; i; i--, from += dy.step[1], taken += index.step[1]) {
      V d = load(from, w) + all(0);
      if (y.p) d = d * relu_slope(load(element(y, a, dy.extent[1] - i, j), w));
      const I at = load(taken, w);
      for (size_t k = rows; k; k--, to += dx.step[1], here = here + all_i(i32(dx.extent[2]))) {
        V low = select(at == here, d, all(0)), high = select(at == here + all_i(1), d, all(0));
        zip(low, high);
        store(to, low, low_w);
        if (2 * w > size_t(N)) store(to + N, high, 2 * w - N);
      }
    }
  }
}

// rows, cols: the windows' size where they lie side by side and fill the plane, 0 for any other.
template <class T>
void max_pool_grad(Strided<Out<T>, 3> dx, Strided<In<T>, 3> dy, Strided<In<i32>, 3> index, Strided<In<T>, 3> y,
                   u32 rows, u32 cols) {
  const Picked<T> t{dx, dy, index, y};
  const Pooling p(dx, dy, {1, 1, 0, 1}, {1, 1, 0, 1});
  const bool beside = same<T, f32> && cols == 2 && dy.extent[2] * 2 == dx.extent[2] &&
                      dy.extent[1] * rows == dx.extent[1] && dx.step[2] == 1 && dy.step[2] == 1 && index.step[2] == 1 &&
                      (!y.p || y.step[2] == 1);
  p.each_plane([&](size_t a) {
    if (!beside) return scatter_plane(t, a);
    if constexpr (same<T, f32>) pick_plane(t, a, rows);
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
  const bool dense = same<T, f32> && x.step[2] == 1 && y.step[2] == 1 && stride_w <= 2;
  p.each_plane([&](size_t a) {
    auto one = [&](ptrdiff_t i, ptrdiff_t j, ptrdiff_t top, Taps rows) {
      T sum = 0;
      each_tap_of(p, x, a, j, top, rows, [&](T v, ptrdiff_t, ptrdiff_t) { sum += v; });
      *element(y, a, size_t(i), size_t(j)) = sum / T(by.at(i, j));
    };
    each_window(p, dense, one, [&](const Interior& b) {
      if constexpr (same<T, f32>) {
        for (ptrdiff_t i = 0; i < b.results; i++) {
          const V count = all(f32(by.at(b.i + i, b.first)));
          const f32* from = element(x, a, size_t(b.top + i * p.h.stride), size_t(b.first * p.w.stride - p.w.pad));
          for (ptrdiff_t j = b.first; j < b.last; j += N, from += N * p.w.stride) {
            const ptrdiff_t n = b.last - j < N ? b.last - j : N;
            V sum = all(0);
            for (ptrdiff_t k = 0; k < b.rows; k++) {
              const f32* row = from + k * x.step[1];
              for (ptrdiff_t l = 0; l < p.w.taps; l++)
                sum = sum + (stride_w == 1 ? every<1, false>(row + l, n) : every<2, false>(row + l, n));
            }
            store(element(y, a, size_t(b.i + i), size_t(j)), sum / count, size_t(n));
          }
        }
      }
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
