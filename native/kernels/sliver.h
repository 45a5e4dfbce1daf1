// A sliver of C: at most SLIVER rows, B turned (its columns are runs of memory). Blocks of columns are turned in
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
  bool add, far;  // add: to C; far: no cache holds B
};

// Vectors of columns at a time: two where the registers hold them, so that the numbers of A are loaded once for both
// and the chains of few rows, 4 cycles a term, fill the multipliers.
constexpr int abreast(int rows) { return 2 * rows + 2 * TURN + 5 <= REGISTERS ? 2 : 1; }

// R rows by G vectors of columns. From memory the columns behind these are asked for line by line, one run of memory.
template <int R, int G, bool far>
void sliver(const Sliver& s) {
  constexpr int D = G > 1 ? TURN : N;  // terms that are turned at once
  Columns<G> b(s.b, s.b_col);
  Column a(s.a, s.a_row, s.a_k, R);
  const f32* ahead = s.b + ptrdiff_t(G * N) * s.b_col;
  size_t left = s.k;
  bool begun = s.add;
  do {
    V acc[R][G];
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) acc[i][g] = all(0);
    }
    const size_t terms = left < chain ? left : chain;
    left -= terms;
    for (size_t k = terms / D; k; k--) {
      V r[G][D];
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) b.turned(r[g], g);
      b.advance(D);
#pragma GCC unroll 16
      for (int i = 0; i < D; i++) {
        if (far && N > 1 && i * N % LINE == 0) prefetch(ahead + i * N);
        V x[G];
#pragma GCC unroll 2
        for (int g = 0; g < G; g++) x[g] = r[g][i];
        row_of(a, x, acc, typename Count<R>::type{});
        a.template next<R>();
      }
      ahead += N * D;
    }
    if (const size_t rest = terms % D) {
      V r[G][N];
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) b.rest(r[g], g, rest);
#pragma GCC unroll 16
      for (int i = 0; i < D - 1; i++) {
        if (size_t(i) >= rest) break;
        V x[G];
#pragma GCC unroll 2
        for (int g = 0; g < G; g++) x[g] = r[g][i];
        row_of(a, x, acc, typename Count<R>::type{});
        a.template next<R>();
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 2
      for (int g = 0; g < G; g++) {
        f32* c = s.c + ptrdiff_t(i) * s.c_row + g * N;
        store(c, begun ? load(c) + acc[i][g] : acc[i][g]);
      }
    }
    begun = true;
  } while (left);
}

struct SliverTable {
  void (*one[SLIVER])(const Sliver&);  // [rows - 1]
  void (*wide[SLIVER])(const Sliver&);
  void (*far[SLIVER])(const Sliver&);
};
template <int... i>
constexpr SliverTable sliver_table(Counts<i...>) {
  return {{&sliver<i + 1, 1, false>...}, {&sliver<i + 1, abreast(i + 1), false>...}, {&sliver<i + 1, 1, true>...}};
}
constexpr SliverTable sliver_of = sliver_table(Count<SLIVER>::type{});

// The last vector of columns goes back over the one before where they are no whole number of vectors.
inline void multiply_sliver(const Sliver& s, size_t rows, const Finish<f32>& f) {
  const size_t wide = s.far ? N : size_t(abreast(int(rows))) * N;
  for (size_t j = 0; j < s.n;) {
    const bool whole = s.n - j >= wide;
    if (s.n - j < size_t(N)) j = s.n - N;
    Sliver part = s;
    part.b += ptrdiff_t(j) * s.b_col;
    part.c += j;
    (s.far ? sliver_of.far : whole ? sliver_of.wide : sliver_of.one)[rows - 1](part);
    j += whole ? wide : size_t(N);
  }
  if (f.some()) finish(s.c, s.c_row, rows, s.n, f);
}

}  // namespace nabla::NABLA_ISA
