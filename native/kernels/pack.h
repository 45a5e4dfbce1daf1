// Copies of operands in the order the tile reads them: for each k a run of values, one panel after another.
// Runs are whole vectors, for a 64-byte store that straddles two lines costs several times an aligned one. Lanes beyond
// the operand's rows or columns hold copies of a neighbour: the tile never stores what it computes from them.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

// out[k * run + i] = x[i * step + k] for i < width <= N, k < depth: N x N blocks turned in registers. Padded runs are
// written to their whole width, others to `width` only.
template <bool padded>
inline void turn(f32* out, size_t run, const f32* x, ptrdiff_t step, size_t width, size_t depth) {
  const f32* row[N];
  for (size_t i = 0; i < size_t(N); i++) row[i] = x + ptrdiff_t(i < width ? i : width - 1) * step;
  auto put = [&](f32* to, V v) {
    if (padded || width == size_t(N))
      store(to, v);
    else
      store(to, v, width);
  };
  size_t k = 0;
  for (; k + N <= depth; k += N, out += N * run) {
    V r[N];
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) r[i] = load(row[i] + k);
    transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) put(out + size_t(i) * run, r[i]);
  }
  if (k == depth) return;
  const size_t rest = depth - k;
  V r[N];
#pragma GCC unroll 16
  for (int i = 0; i < N; i++) r[i] = load(row[i] + k, rest);
  transpose(r);
#pragma GCC unroll 16
  for (int i = 0; i < N; i++) {
    if (size_t(i) < rest) put(out + size_t(i) * run, r[i]);
  }
}

// out[k * run + i] = x[i * step + k * x_k] for i < width <= N, k < depth, whatever the steps.
inline void pack_apart(f32* out, size_t run, const f32* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  for (size_t k = 0; k < depth; k++) {
    for (size_t i = 0; i < size_t(N); i++)
      out[k * run + i] = x[ptrdiff_t(i < width ? i : width - 1) * step + ptrdiff_t(k) * x_k];
  }
}

// One run of rows of A or one panel of columns of B: out[k * run + i], i < width, filled up to whole vectors.
inline void pack(f32* out, size_t run, const f32* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  for (size_t i = 0; i < width; i += N, x += N * step, out += N) {
    const size_t w = width - i < size_t(N) ? width - i : size_t(N);
    if (step == 1) {
      for (size_t k = 0; k < depth; k++) store(out + k * run, load(x + ptrdiff_t(k) * x_k, w));
    } else if (x_k == 1) {
      turn<true>(out, run, x, step, w, depth);
    } else {
      pack_apart(out, run, x, step, x_k, w, depth);
    }
  }
}

// The same with runs as long as they must be.
inline void pack(f32* out, const f32* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  pack(out, (width + N - 1) / N * N, x, step, x_k, width, depth);
}

// `count` panels that lie side by side, the first `talls` of them `tall` columns and the others one less, each a run of
// `run` values for each k: all panels of one k at once, so that a line is read once and pages follow one another.
inline void pack_beside(f32* out, size_t run, const f32* x, ptrdiff_t x_k, size_t depth, size_t count, size_t tall,
                        size_t talls) {
  constexpr ptrdiff_t ahead = 8;  // rows asked for in advance
  for (size_t k = 0; k < depth; k++, x += x_k) {
    const f32* p = x;
    for (size_t r = 0; r < count; r++) {
      const size_t width = r < talls ? tall : tall - 1;
      for (size_t i = 0; i < width; i += N) {
        prefetch(p + i + ahead * x_k);
        store(out + (r * depth + k) * run + i, load(p + i, width - i < size_t(N) ? width - i : size_t(N)));
      }
      p += width;
    }
  }
}

}  // namespace nabla::NABLA_ISA
