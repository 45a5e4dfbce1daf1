// Windows that slide over planes [a, h, w], as pools have them: which of them lie in the plane, so that words of them
// are computed at once, and which reach over its border.
#pragma once
#include "plane.h"

namespace nabla::NABLA_ISA {

template <class A>
inline auto element(const Strided<A, 3>& x, size_t a, size_t i, size_t j) {
  return x.p + (ptrdiff_t(a) * x.step[0] + ptrdiff_t(i) * x.step[1] + ptrdiff_t(j) * x.step[2]);
}
// Results [first, last) of a row whose windows lie in the plane.
struct Inside {
  ptrdiff_t first = 0, last = 0;
  Inside() {}
  Inside(const Window& w, ptrdiff_t n, ptrdiff_t results)
      : first(within(ceil_div(w.pad, w.stride), 0, results)),
        last(within(floor_div(n - 1 - w.reach() + w.pad, w.stride) + 1, first, results)) {}
};
// Windows of x whose results are y, of sizes that cannot overflow.
struct Pooling {
  Window h, w;
  ptrdiff_t planes, in_h, in_w, out_h, out_w;
  bool sound;
  Inside across, down;
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
    if (sound) across = Inside(w, in_w, out_w), down = Inside(h, in_h, out_h);
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

// Values S apart in lanes 0 .. n - 1, n = N when `whole`.
template <int S, bool whole>
inline V every(const f32* p, ptrdiff_t n) {
  if constexpr (S == 1) return whole ? load(p) : load(p, size_t(n));
  const ptrdiff_t span = whole ? 2 * N - 1 : 2 * n - 1;
  const V low = span < N ? load(p, size_t(span)) : load(p);
  return evens(low, span > N ? load(p + N, size_t(span - N)) : low);
}

// Windows j = 0, 1 ... of results [i, i + results) that lie in the plane from column `first` to `last`; of each, the
// rows of taps that do, the first of them at row `top` for result i.
struct Interior {
  ptrdiff_t i, results, first, last, top, rows;
};
// one(i, j, top, rows) for every window on its own, or where `words` says so many(block) for those whose columns lie in
// the plane; the taps `rows` of a window, of rows from `top`, lie in the plane.
template <class One, class Many>
inline void each_window(const Pooling& p, bool words, const One& one, const Many& many) {
  const Inside across = p.across, down = p.down;
  for (ptrdiff_t i = 0; i < p.out_h;) {
    const ptrdiff_t top = i * p.h.stride - p.h.pad;
    const Taps rows(p.h, top, p.in_h);
    const ptrdiff_t end = i == down.first && down.first < down.last ? down.last : i + 1;
    const bool block = words && rows.first < rows.last && across.first < across.last;
    if (block)
      many(Interior{i, end - i, across.first, across.last, top + rows.first * p.h.dilation, rows.last - rows.first});
    for (; i < end; i++) {
      const ptrdiff_t here = i * p.h.stride - p.h.pad;
      for (ptrdiff_t j = 0; j < (block ? across.first : 0); j++) one(i, j, here, rows);
      for (ptrdiff_t j = block ? across.last : 0; j < p.out_w; j++) one(i, j, here, rows);
    }
  }
}
// f(value, row, column) for every tap of one window, in row-major order.
template <class T, class F>
inline void each_tap_of(const Pooling& p, const Strided<In<T>, 3>& x, size_t a, ptrdiff_t j, ptrdiff_t top, Taps rows,
                        const F& f) {
  const ptrdiff_t left = j * p.w.stride - p.w.pad;
  const Taps cols(p.w, left, p.in_w);
  for (ptrdiff_t k = rows.first; k < rows.last; k++) {
    const ptrdiff_t row = top + k * p.h.dilation;
    for (ptrdiff_t l = cols.first; l < cols.last; l++) {
      const ptrdiff_t col = left + l * p.w.dilation;
      f(*element(x, a, size_t(row), size_t(col)), row, col);
    }
  }
}

}  // namespace nabla::NABLA_ISA
