// Convolution over [images, channels, rows, columns] and its two gradients. Those of the gradients are these three
// again. Groups are read off the extents: weight [o, f, k, l] with f = channels / groups. What does not fit (channels,
// or more windows than the padded input has room for) leaves zeros; the ops say so before.
#pragma once
#include "correlate.h"

namespace nabla::NABLA_ISA {

// The sizes the three kernels share.
struct Conv {
  size_t images, channels, out, groups, f, rows, cols;
  Window h, w;
  size_t in_h, in_w, out_h, out_w;
  bool fits;  // there is something to multiply, and it lies inside
};
template <class X, class W, class Y>
inline Conv conv_of(const X& x, const W& w, const Y& y, u32 stride_h, u32 stride_w, u32 pad_h, u32 pad_w,
                    u32 dilation_h, u32 dilation_w) {
  Conv c{x.extent[0], x.extent[1], y.extent[1], 1,           w.extent[1], w.extent[2], w.extent[3],
         {},          {},          x.extent[2], x.extent[3], y.extent[2], y.extent[3], false};
  const size_t all[] = {c.images, c.channels, c.out, c.f, c.rows, c.cols, c.in_h, c.in_w, c.out_h, c.out_w};
  for (size_t n : all) {
    if (n == 0 || n > size_t(1) << 33) return c;
  }
  c.groups = c.channels / c.f;
  c.h = {ptrdiff_t(c.rows), stride_h, pad_h, dilation_h};
  c.w = {ptrdiff_t(c.cols), stride_w, pad_w, dilation_w};
  c.fits = c.channels % c.f == 0 && c.out % c.groups == 0 && c.h.fits(c.in_h, c.out_h) && c.w.fits(c.in_w, c.out_w);
  if (!c.fits) return c;
  // A channel's planes for one row of results: a border of 2^24 zeros is a mistake and not a convolution.
  const Planes there(Axis::forward(c.h, c.in_h, c.out_h), Axis::forward(c.w, c.in_w, c.out_w));
  const Planes back(Axis::backward(c.h, c.in_h, c.out_h), Axis::backward(c.w, c.in_w, c.out_w));
  constexpr ptrdiff_t most = ptrdiff_t(1) << 27;
  c.fits = there.rows(1) <= most / (there.pitch * there.phases()) && back.rows(1) <= most / back.pitch;
  return c;
}

template <class T, class F>
inline void fill(const Strided<Out<T>, 4>& y, F value) {
  for (size_t n = 0; n < y.extent[0]; n++) {
    for (size_t o = 0; o < y.extent[1]; o++) {
      for (size_t i = 0; i < y.extent[2]; i++) {
        for (size_t j = 0; j < y.extent[3]; j++) *element(y, n, o, i, j) = value(o);
      }
    }
  }
}
template <class T>
inline bool empty(const Strided<Out<T>, 4>& y) {
  return !y.extent[0] || !y.extent[1] || !y.extent[2] || !y.extent[3];
}

template <class T>
inline void conv_by_definition(const Conv& c, Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w,
                               In<T> bias) {
  const size_t m = c.out / c.groups;
  parallel(c.images * c.out, [&](size_t task) {
    const size_t n = task / c.out, o = task % c.out;
    for (size_t i = 0; i < c.out_h; i++) {
      for (size_t j = 0; j < c.out_w; j++) {
        Lane<T> sum{0};
        for (size_t f = 0; f < c.f; f++) {
          for (size_t k = 0; k < c.rows; k++) {
            for (size_t l = 0; l < c.cols; l++) {
              const ptrdiff_t a = ptrdiff_t(i) * c.h.stride + ptrdiff_t(k) * c.h.dilation - c.h.pad;
              const ptrdiff_t b = ptrdiff_t(j) * c.w.stride + ptrdiff_t(l) * c.w.dilation - c.w.pad;
              if (a < 0 || b < 0 || a >= ptrdiff_t(c.in_h) || b >= ptrdiff_t(c.in_w)) continue;
              const T* from = element(x, n, o / m * c.f + f, size_t(a), size_t(b));
              sum = fma(Lane<T>{*element(w, o, f, k, l)}, Lane<T>{*from}, sum);
            }
          }
        }
        *element(y, n, o, i, j) = sum.v + (bias.p ? bias.p[o] : T(0));
      }
    }
  });
}

// The rest in words of W.
template <class W>
inline void conv_in(const Conv& c, Strided<Out<f32>, 4> y, Strided<In<f32>, 4> x, Strided<In<f32>, 4> w, In<f32> bias) {
  const size_t m = c.out / c.groups;
  correlate<W>({y, x, w.p, ptrdiff_t(m) * w.step[0], w.step[0], w.step[1], w.step[2], w.step[3], bias.p, c.groups, m,
                c.f, Planes(Axis::forward(c.h, c.in_h, c.out_h), Axis::forward(c.w, c.in_w, c.out_w))});
}
template <class W>
inline void conv_input_in(const Conv& c, Strided<Out<f32>, 4> dx, Strided<In<f32>, 4> dy, Strided<In<f32>, 4> w,
                          In<f32> bias) {
  const size_t m = c.out / c.groups;
  correlate<W>({dx, dy, w.p, ptrdiff_t(m) * w.step[0], w.step[1], w.step[0], w.step[2], w.step[3], bias.p, c.groups,
                c.f, m, Planes(Axis::backward(c.h, c.in_h, c.out_h), Axis::backward(c.w, c.in_w, c.out_w))});
}

// y [n, o, p, q] of x [n, c, h, w]
template <class T>
void conv(Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w,
          u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(y)) return;
  const Conv c = conv_of(x, w, y, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  if (!c.fits) return fill(y, [&](size_t o) { return bias.p ? bias.p[o] : T(0); });
  if constexpr (same<T, f32>) {
    conv_in<Singles>(c, y, x, w, bias);
  } else {
    conv_by_definition(c, y, x, w, bias);
  }
}

template <class T>
inline void conv_input_by_definition(const Conv& c, Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w) {
  const size_t m = c.out / c.groups;
  parallel(c.images * c.channels, [&](size_t task) {
    const size_t n = task / c.channels, channel = task % c.channels;
    for (size_t a = 0; a < c.in_h; a++) {
      for (size_t b = 0; b < c.in_w; b++) {
        Lane<T> sum{0};
        for (size_t o = channel / c.f * m; o < (channel / c.f + 1) * m; o++) {
          for (size_t k = 0; k < c.rows; k++) {
            for (size_t l = 0; l < c.cols; l++) {
              const ptrdiff_t i = ptrdiff_t(a) + c.h.pad - ptrdiff_t(k) * c.h.dilation;
              const ptrdiff_t j = ptrdiff_t(b) + c.w.pad - ptrdiff_t(l) * c.w.dilation;
              if (i < 0 || j < 0 || i % c.h.stride || j % c.w.stride) continue;
              if (i / c.h.stride >= ptrdiff_t(c.out_h) || j / c.w.stride >= ptrdiff_t(c.out_w)) continue;
              const T* from = element(dy, n, o, size_t(i / c.h.stride), size_t(j / c.w.stride));
              sum = fma(Lane<T>{*element(w, o, channel % c.f, k, l)}, Lane<T>{*from}, sum);
            }
          }
        }
        *element(dx, n, channel, a, b) = sum.v;
      }
    }
  });
}

// in the forward pass: y[o, i] = sum w[o, c, k] x[c, i stride + k dilation - pad]
// so now:              dx[c, a] = sum w[o, c, k] dy[o, i] over all o, k, i with a = i stride + k dilation - pad
template <class T>
void conv_input(Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w, In<T> bias, u32 stride_h,
                u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(dx)) return;
  const Conv c = conv_of(dx, w, dy, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  auto offset = [&](size_t channel) { return bias.p ? bias.p[channel] : T(0); };
  if (!c.fits) return fill(dx, offset);
  if constexpr (same<T, f32>) {
    conv_input_in<Singles>(c, dx, dy, w, bias);
  } else {
    conv_input_by_definition(c, dx, dy, w);
    if (!bias.p) return;
    for (size_t i = 0; i < c.images * c.channels * c.in_h * c.in_w; i++) {
      const size_t b = i % c.in_w, a = i / c.in_w % c.in_h, channel = i / c.in_w / c.in_h % c.channels;
      *element(dx, i / c.in_w / c.in_h / c.channels, channel, a, b) += offset(channel);
    }
  }
}

template <class T>
inline void conv_weight_by_definition(const Conv& c, Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x) {
  const size_t m = c.out / c.groups;
  parallel(c.out * c.f, [&](size_t task) {
    const size_t o = task / c.f, f = task % c.f;
    for (size_t k = 0; k < c.rows; k++) {
      for (size_t l = 0; l < c.cols; l++) {
        Lane<T> sum{0};
        for (size_t at = 0; at < c.images * c.out_h * c.out_w; at++) {
          const size_t n = at / c.out_w / c.out_h, i = at / c.out_w % c.out_h, j = at % c.out_w;
          const ptrdiff_t a = ptrdiff_t(i) * c.h.stride + ptrdiff_t(k) * c.h.dilation - c.h.pad;
          const ptrdiff_t b = ptrdiff_t(j) * c.w.stride + ptrdiff_t(l) * c.w.dilation - c.w.pad;
          if (a < 0 || b < 0 || a >= ptrdiff_t(c.in_h) || b >= ptrdiff_t(c.in_w)) continue;
          const T* from = element(x, n, o / m * c.f + f, size_t(a), size_t(b));
          sum = fma(Lane<T>{*element(dy, n, o, i, j)}, Lane<T>{*from}, sum);
        }
        *element(dw, o, f, k, l) = sum.v;
      }
    }
  });
}

}  // namespace nabla::NABLA_ISA
