// Copies of operands in the order the tile reads them: for each k a run of values, one panel after another.
// Runs are whole vectors, for a 64-byte store that straddles two lines costs several times an aligned one. Lanes beyond
// the operand's rows or columns hold copies of a neighbour: the tile never stores what it computes from them.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

// Eight columns to a base: x86 addresses {0, 1, 2, 4} steps and as many of 3, so they take 1 base and 4 steps instead
// of 8 pointers.
constexpr int EIGHT = N < 8 ? N : 8;
template <int G>
struct Columns {  // G vectors of columns, `step` apart, whose terms lie side by side
  const char* base[G][N / EIGHT];
  ptrdiff_t one, three, five, seven;

  Columns(const f32* x, ptrdiff_t step)
      : one(step * ptrdiff_t(sizeof(f32))), three(3 * one), five(5 * one), seven(7 * one) {
    each([&](int g, int e) { base[g][e] = (const char*)x + (g * N + e * EIGHT) * one; });
  }
  template <class F>
  static void each(F f) {
#pragma GCC unroll 2
    for (int g = 0; g < G; g++) {
#pragma GCC unroll 2
      for (int e = 0; e < N / EIGHT; e++) f(g, e);
    }
  }
  const f32* at(int g, int j) const {
    const char* p = base[g][j / EIGHT];
    const int r = j % EIGHT;
    return (const f32*)(r == 0   ? p
                        : r == 1 ? p + one
                        : r == 2 ? p + 2 * one
                        : r == 3 ? p + three
                        : r == 4 ? p + 4 * one
                        : r == 5 ? p + five
                        : r == 6 ? p + 2 * three
                                 : p + seven);
  }
  void advance(int terms) {
    each([&](int g, int e) {
      base[g][e] += terms * int(sizeof(f32));
      keep(base[g][e]);
    });
  }
  // r[k] is term k of vector g. Half as many terms as columns: a word takes its halves from two columns when it is
  // loaded, which saves a round of shuffles and costs loads.
  template <int D>
  void turned(V (&r)[D], int g) const {
#pragma GCC unroll 16
    for (int i = 0; i < D; i++) {
      const int j = i + i / 4 * 4;  // see transpose() of simd/
      if constexpr (D == N)
        r[i] = load(at(g, i));
      else
        r[i] = halves(at(g, j), at(g, j + 4));
    }
    transpose(r);
  }
  // All of the last `depth` < N terms of vector g.
  void rest(V (&r)[N], int g, size_t depth) const {
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) r[i] = load(at(g, i), depth);
    transpose(r);
  }
};

// out[k * run + i] = x[i * step + k] for i < width <= N, k < depth: N x N blocks turned in registers. Padded runs are
// written to their whole width, others to `width` only.
template <bool padded>
inline void turn(f32* out, size_t run, const f32* x, ptrdiff_t step, size_t width, size_t depth) {
  const f32* row[N];
  const size_t last = width > 0 ? width - 1 : 0;
  for (size_t i = 0; i < size_t(N); i++) row[i] = x + ptrdiff_t(i < last ? i : last) * step;
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
