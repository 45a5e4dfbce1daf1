// Copies of operands in the order the tile reads them: for each k a run of values, one panel after another.
// Runs are whole vectors, for a 64-byte store that straddles two lines costs several times an aligned one. Lanes beyond
// the operand's rows or columns hold copies of a neighbour: the tile never stores what it computes from them.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

// out[k * run + i] = x[i * step + k] for i < width <= N, k < depth: N x N blocks turned in registers.
inline void pack_turned(f32* out, size_t run, const f32* x, ptrdiff_t step, size_t width, size_t depth) {
  const f32* row[N];
  for (size_t i = 0; i < size_t(N); i++) row[i] = x + ptrdiff_t(i < width ? i : width - 1) * step;
  size_t k = 0;
  for (; k + N <= depth; k += N, out += N * run) {
    V r[N];
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) r[i] = load(row[i] + k);
    transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) store(out + size_t(i) * run, r[i]);
  }
  for (; k < depth; k++, out += run) {
    for (size_t i = 0; i < size_t(N); i++) out[i] = row[i][k];
  }
}

// out[k * run + i] = x[i * step + k * x_k] for i < width <= N, k < depth, whatever the steps.
inline void pack_apart(f32* out, size_t run, const f32* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  for (size_t k = 0; k < depth; k++) {
    for (size_t i = 0; i < size_t(N); i++)
      out[k * run + i] = x[ptrdiff_t(i < width ? i : width - 1) * step + ptrdiff_t(k) * x_k];
  }
}

// One run of rows of A or one panel of columns of B: out[k][i], i < width, rounded up to whole vectors.
inline void pack(f32* out, const f32* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  const size_t run = (width + N - 1) / N * N;
  for (size_t i = 0; i < width; i += N, x += N * step, out += N) {
    const size_t w = width - i < size_t(N) ? width - i : size_t(N);
    if (step == 1) {
      for (size_t k = 0; k < depth; k++) store(out + k * run, load(x + ptrdiff_t(k) * x_k, w));
    } else if (x_k == 1) {
      pack_turned(out, run, x, step, w, depth);
    } else {
      pack_apart(out, run, x, step, x_k, w, depth);
    }
  }
}

}  // namespace nabla::NABLA_ISA
