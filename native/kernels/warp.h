// Pictures through linear maps: pixel (j, i) of a result shows what lies at (a j + b i + c, d j + e i + f) of the
// picture, the mean of four pixels weighted by distance; what lies beyond the border is `fill`. In f64, one pixel at a
// time: where it lies is known once for all channels.
#pragma once
#include "conv.h"

namespace nabla::NABLA_ISA {

// Between four pixels: the upper left one, which of them are there, and the weights of the right and lower ones.
struct Corner {
  ptrdiff_t at_h, at_w;
  bool above, below, left, right;
  f64 down, across;
};
inline Corner corner_at(f64 y, f64 x, ptrdiff_t h, ptrdiff_t w) {
  const f64 top = __builtin_floor(y), left = __builtin_floor(x);
  const bool near = top >= -1 && top < f64(h) && left >= -1 && left < f64(w);
  const ptrdiff_t i = near ? ptrdiff_t(top) : -2, j = near ? ptrdiff_t(left) : -2;
  return {i, j, i >= 0, near && i < h - 1, j >= 0, near && j < w - 1, y - top, x - left};
}
template <class T>
inline T mean_of_four(const Corner& c, const T* p, ptrdiff_t step_h, ptrdiff_t step_w, f64 fill) {
  const f64 q = c.above && c.left ? *p : fill, r = c.above && c.right ? p[step_w] : fill;
  const f64 s = c.below && c.left ? p[step_h] : fill, t = c.below && c.right ? p[step_h + step_w] : fill;
  return T((1 - c.down) * ((1 - c.across) * q + c.across * r) + c.down * ((1 - c.across) * s + c.across * t));
}

// maps: a, b, c, d, e, f of each picture
template <class T>
void warp(Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Rows<In<f64>> maps, f64 fill) {
  const size_t channels = y.extent[1], rows = y.extent[2], cols = y.extent[3];
  if (maps.cols != 6) return;
  spread_rows(y.extent[0] * rows, 4 * channels * cols, [&](size_t begin, size_t end) {
    for (size_t task = begin; task < end; task++) {
      const size_t n = task / rows, i = task % rows;
      const f64* m = maps.p + 6 * n;
      const f64 right = m[1] * f64(i) + m[2], down = m[4] * f64(i) + m[5];
      T* to = element(y, n, 0, i, 0);
      for (size_t j = 0; j < cols; j++, to += y.step[3]) {
        const Corner c =
            corner_at(m[3] * f64(j) + down, m[0] * f64(j) + right, ptrdiff_t(x.extent[2]), ptrdiff_t(x.extent[3]));
        const T* from = x.p + (ptrdiff_t(n) * x.step[0] + c.at_h * x.step[2] + c.at_w * x.step[3]);
        for (size_t k = 0; k < channels; k++, from += x.step[1])
          to[ptrdiff_t(k) * y.step[1]] = mean_of_four(c, from, x.step[2], x.step[3], fill);
      }
    }
  });
}

}  // namespace nabla::NABLA_ISA
