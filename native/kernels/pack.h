// Copies of operands in the order the tile reads them: for each k a run of `width` values, one panel after another.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

// out[k][i] = x[i * step + k * x_k] for i < width (zero from `width` to `padded`), k < depth. Vectors are stored whole
// and overlap the next run: padded is a multiple of N or less than N, and `out` has N - 1 values to spare behind its
// end. Serves rows of A (padded = width = rows of a tile) and columns of B (padded = C * N).
inline void pack(f32* out, size_t padded, const f32* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  for (size_t i = 0; i < padded; i += N) {
    const f32* p = x + ptrdiff_t(i) * step;
    f32* o = out + i;
    size_t w = i < width ? (width - i < N ? width - i : N) : 0;
    size_t k = 0;
    if (w && step == 1) {
      for (; k < depth; k++) store(o + k * padded, load(p + ptrdiff_t(k) * x_k, w));
    } else if (w && x_k == 1) {
      for (; k + N <= depth; k += N) {
        V r[N];
        for (size_t s = 0; s < N; s++) r[s] = s < w ? load(p + ptrdiff_t(s) * step + k) : all(0);
        transpose(r);
        for (size_t s = 0; s < N; s++) store(o + (k + s) * padded, r[s]);
      }
    }
    for (; k < depth; k++) {
      f32 r[N] = {};
      for (size_t s = 0; s < w; s++) r[s] = p[ptrdiff_t(s) * step + ptrdiff_t(k) * x_k];
      store(o + k * padded, load(r));
    }
  }
}

}  // namespace nabla::NABLA_ISA
