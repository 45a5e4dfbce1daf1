// Convolution with operands rounded to bf16, by the definition of half.h. Terms that share a pair are channels 2i and
// 2i + 1 of a group, in the gradient by the input outputs, in that by the weight images; what is left over meets zeros.
// So planes are planes of pairs, and the tiles and all loops around them those of f32.
//
// Biases are added where numbers below 2^-126 are zeros, too.
#pragma once
#include "half.h"
#include "weight.h"

namespace nabla::NABLA_ISA {

// n <= N values of x, `step` apart.
inline V gathered(const f32* x, ptrdiff_t step, size_t n) {
  if (step == 1) return n == size_t(N) ? load(x) : load(x, n);
  if (step == 2) {  // nothing behind the last is read
    const size_t reach = 2 * n - 1;
    return evens(load(x, reach < size_t(N) ? reach : N), reach > size_t(N) ? load(x + N, reach - N) : all(0));
  }
  f32 values[N] = {};
  for (size_t i = 0; i < n; i++) values[i] = x[ptrdiff_t(i) * step];
  return load(values);
}

struct Pairs {
  static constexpr size_t terms = 2, words = pair_words;
  using Mode = Flushed;
#if NABLA_DOTS
  struct Product {
    static V dot(V acc, V a, V b) { return dot_pair(acc, a, b); }
  };
#else
  using Product = Fused;  // the same tiles as those of f32
#endif

  template <int u>
  static V word(V low, V high) {
    V both[words];
    pair_of<f32>(both, low, high);
    return both[u];
  }
  template <int u>
  static void copy(f32* out, const f32* x, const f32* other, ptrdiff_t step, ptrdiff_t n) {
    auto at = [&](const f32* p, ptrdiff_t i, ptrdiff_t w) {
      return p ? gathered(p + i * step, step, size_t(w)) : all(0);
    };
    ptrdiff_t i = 0;
    for (; i + N <= n; i += N) store(out + i, word<u>(at(x, i, N), at(other, i, N)));
    if (i >= n) return;
    if (n >= N)
      store(out + n - N, word<u>(at(x, n - N, N), at(other, n - N, N)));
    else
      store(out, word<u>(at(x, 0, n), at(other, 0, n)), size_t(n));
  }
  // Words of `run` values each.
  static void join(f32* out, size_t run, const f32* x, const f32* other) {
    for (size_t i = 0; i < run; i += N) put_pair<f32>(out + i, run, load(x + i), other ? load(other + i) : all(0));
  }
  template <int u = 0>
  static void turn(f32* out, size_t run, const f32* x, const f32* other, ptrdiff_t step, size_t width, size_t depth) {
    for (size_t k = 0; k < depth; k += N) {
      const size_t left = depth - k < size_t(N) ? depth - k : size_t(N);
      V r[N];
#pragma GCC unroll 16
      for (int i = 0; i < N; i++) {
        const ptrdiff_t at = ptrdiff_t(size_t(i) < width ? i : width - 1) * step + ptrdiff_t(k);
        r[i] = word<u>(load(x + at, left), other ? load(other + at, left) : all(0));
      }
      transpose(r);
#pragma GCC unroll 16
      for (int i = 0; i < N; i++) {
        if (size_t(i) < left) store(out + ((k + size_t(i)) * words + u) * run, r[i]);
      }
    }
    if constexpr (u + 1 < int(words)) turn<u + 1>(out, run, x, other, step, width, depth);
  }
};

template <class T>
void conv_bf16(Strided<Out<T>, 4> y, Strided<In<T>, 4> x, Strided<In<T>, 4> w, In<T> bias, u32 stride_h, u32 stride_w,
               u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(y)) return;
  const Conv c = conv_of(x, w, y, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  if (!c.fits) return fill(y, [&](size_t o) { return bias.p ? bias.p[o] : T(0); });
  conv_in<Pairs>(c, y, x, w, bias);
}

template <class T>
void conv_input_bf16(Strided<Out<T>, 4> dx, Strided<In<T>, 4> dy, Strided<In<T>, 4> w, In<T> bias, u32 stride_h,
                     u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(dx)) return;
  const Conv c = conv_of(dx, w, dy, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  if (!c.fits) return fill(dx, [&](size_t channel) { return bias.p ? bias.p[channel] : T(0); });
  conv_input_in<Pairs>(c, dx, dy, w, bias);
}

template <class T>
void conv_weight_bf16(Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x, u32 stride_h, u32 stride_w,
                      u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(dw)) return;
  const Conv c = conv_of(x, dw, dy, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  if (!c.fits) return fill(dw, [](size_t) { return T(0); });
  const Planes p(Axis::forward(c.h, c.in_h, c.out_h), Axis::forward(c.w, c.in_w, c.out_w));
  gather_images<Pairs>(c, p, dw, rows_of_memory(dy), x);
}

}  // namespace nabla::NABLA_ISA
