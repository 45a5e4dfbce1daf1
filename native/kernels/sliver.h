// A sliver of C: at most SLIVER rows, B turned (its columns are runs of memory). Blocks of N x N are turned in
// registers and used at once: packing B would write and read again what is used only once or a few times.
#pragma once
#include "pack.h"
#include "tile.h"

namespace nabla::NABLA_ISA {

// Rows of A, in place; columns of B, `b_col` apart, their terms side by side; C: [rows, n], n >= N.
struct Sliver {
  f32* c;
  ptrdiff_t c_row;
  const f32* a;
  ptrdiff_t a_row, a_k;
  const f32* b;
  ptrdiff_t b_col;
  size_t n, k;
  bool add;
};

// Eight columns to a base: x86 addresses {0, 1, 2, 4} steps and as many of 3, so they take 1 base and 4 steps instead
// of 8 pointers.
constexpr int EIGHT = N < 8 ? N : 8;
struct OddSteps {
  ptrdiff_t one, three, five, seven;
};
template <int j>
inline const f32* column(const char* const (&base)[N / EIGHT], const OddSteps& s) {
  constexpr int r = j % EIGHT;
  const char* p = base[j / EIGHT];
  return (const f32*)(r == 0   ? p
                      : r == 1 ? p + s.one
                      : r == 2 ? p + 2 * s.one
                      : r == 3 ? p + s.three
                      : r == 4 ? p + 4 * s.one
                      : r == 5 ? p + s.five
                      : r == 6 ? p + 2 * s.three
                               : p + s.seven);
}
// N columns by `depth` <= N terms, turned: r[k] is term k of each column.
template <bool whole, int... j>
inline void turned(V (&r)[N], const char* const (&base)[N / EIGHT], const OddSteps& s, size_t depth, Counts<j...>) {
  ((r[j] = whole ? load(column<j>(base, s)) : load(column<j>(base, s), depth)), ...);
  transpose(r);
}

template <bool yes>
struct Full {
  static constexpr bool value = yes;
};

// R rows by G vectors of columns. Vectors take turns, since a chain waits 4 cycles a term. The columns behind these are
// one run of memory and are asked for line by line, as memory likes it best.
template <int R, int G>
void sliver(const Sliver& s) {
  V acc[R][G];
  const char* base[G][N / EIGHT];
#pragma GCC unroll 8
  for (int g = 0; g < G; g++) {
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) acc[i][g] = s.add ? load(s.c + ptrdiff_t(i) * s.c_row + g * N) : all(0);
#pragma GCC unroll 8
    for (int e = 0; e < N / EIGHT; e++) base[g][e] = (const char*)(s.b + ptrdiff_t(g * N + e * EIGHT) * s.b_col);
  }
  const ptrdiff_t one = s.b_col * ptrdiff_t(sizeof(f32));
  const OddSteps steps{one, 3 * one, 5 * one, 7 * one};
  const f32* ahead = s.b + ptrdiff_t(G * N) * s.b_col;
  const f32* a = s.a;
  auto terms = [&](auto whole, size_t depth) {
#pragma GCC unroll 8
    for (int g = 0; g < G; g++) {
      V r[N];
      turned<decltype(whole)::value>(r, base[g], steps, depth, typename Count<N>::type{});
      const f32* x = a;
#pragma GCC unroll 16
      for (int k = 0; k < N; k++, x += s.a_k) {
        if (!whole.value && size_t(k) >= depth) break;
        if (N > 1 && k * N % LINE == 0) prefetch(ahead), ahead += LINE;
#pragma GCC unroll 8
        for (int i = 0; i < R; i++) acc[i][g] = fma(all(x[ptrdiff_t(i) * s.a_row]), r[k], acc[i][g]);
      }
#pragma GCC unroll 8
      for (int e = 0; e < N / EIGHT; e++) {
        base[g][e] += N * sizeof(f32);
        keep(base[g][e]);
      }
    }
    a += ptrdiff_t(N) * s.a_k;
  };
  for (size_t k = s.k / N; k; k--) terms(Full<true>{}, N);
  if (s.k % N) terms(Full<false>{}, s.k % N);
#pragma GCC unroll 8
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int g = 0; g < G; g++) store(s.c + ptrdiff_t(i) * s.c_row + g * N, acc[i][g]);
  }
}

// Vectors at a time. One row's chain leaves the multipliers idle while it waits; a second vector fills the gap, and
// more of them gain nothing from L3 and lose a quarter from memory.
constexpr int abreast(int rows) { return rows == 1 ? 2 : 1; }

struct SliverTable {
  void (*at[SLIVER][2])(const Sliver&);  // [rows - 1][one vector of columns, abreast]
};
template <int... i>
constexpr SliverTable sliver_table(Counts<i...>) {
  SliverTable t{};
  ((t.at[i][0] = &sliver<i + 1, 1>, t.at[i][1] = &sliver<i + 1, abreast(i + 1)>), ...);
  return t;
}
constexpr SliverTable sliver_of = sliver_table(Count<SLIVER>::type{});

// The last vector of columns goes back over the one before where they are no whole number of vectors.
inline void multiply_sliver(const Sliver& s, size_t rows, const Finish<f32>& f) {
  const size_t wide = size_t(abreast(int(rows))) * N;
  for (size_t j = 0; j < s.n;) {
    const bool whole = s.n - j >= wide;
    if (s.n - j < size_t(N)) j = s.n - N;
    Sliver part = s;
    part.b += ptrdiff_t(j) * s.b_col;
    part.c += j;
    sliver_of.at[rows - 1][whole](part);
    j += whole ? wide : size_t(N);
  }
  if (f.some()) finish(s.c, s.c_row, rows, s.n, f);
}

}  // namespace nabla::NABLA_ISA
