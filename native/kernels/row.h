// One or two rows times a B whose columns lie side by side: four rows of B pass by from end to end, where panels of
// columns take a few lines from each row. The sums of a chain wait in L1.
#pragma once
#include "cut.h"
#include "tile.h"

namespace nabla::NABLA_ISA {

constexpr int FEW = 2;            // rows
constexpr size_t WAITING = 4096;  // sums

struct Sweep {
  f32* c;  // [rows, n], element step 1
  ptrdiff_t c_row;
  const f32* a;  // [rows, k]
  ptrdiff_t a_row, a_k;
  const f32* b;  // [k, n], element step 1
  ptrdiff_t b_k;
  size_t n, k;
  bool add;
};

// D terms of R chains for each of s.n columns, to sum [R, WAITING / R], from zero unless the chains have begun. far: no
// cache holds B, so that the rows behind these are asked for.
template <int R, int D, bool far>
inline void add_terms(f32* sum, const Sweep& s, bool begun) {
  V l[R][D];
#pragma GCC unroll 2
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int d = 0; d < D; d++) l[r][d] = all(s.a[r * s.a_row + d * s.a_k]);
  }
  auto word = [&](size_t j, auto... width) {
    V acc[R];
#pragma GCC unroll 2
    for (int r = 0; r < R; r++) acc[r] = begun ? load(sum + r * (WAITING / R) + j) : all(0);
#pragma GCC unroll 4
    for (int d = 0; d < D; d++) {
      const f32* b = s.b + d * s.b_k + ptrdiff_t(j);
      if (far && (N >= LINE || j % LINE == 0)) prefetch(b + D * s.b_k);
      V x = load(b, width...);
#pragma GCC unroll 2
      for (int r = 0; r < R; r++) acc[r] = fma(l[r][d], x, acc[r]);
    }
#pragma GCC unroll 2
    for (int r = 0; r < R; r++) store(sum + r * (WAITING / R) + j, acc[r]);
  };
  size_t j = 0;
  for (; j + N <= s.n; j += N) word(j);
  if (j < s.n) word(j, s.n - j);
}

template <int R, bool far>
void sweep(Sweep s) {
  alignas(64) f32 sum[WAITING];
  for (size_t k = 0; k < s.k;) {
    const size_t end = s.k - k < chain ? s.k : k + chain;
    bool begun = false;
    auto terms = [&]<int D>(Counts<D>) {
      add_terms<R, D, far>(sum, s, begun);
      begun = true;
      s.a += D * s.a_k;
      s.b += D * s.b_k;
      k += D;
    };
    while (k + 4 <= end) terms(Counts<4>{});
    while (k < end) terms(Counts<1>{});
    for (int r = 0; r < R; r++) {
      f32 *c = s.c + r * s.c_row, *from = sum + r * (WAITING / R);
      for (size_t j = 0; j < s.n; j += N) {
        const size_t w = s.n - j < size_t(N) ? s.n - j : size_t(N);
        store(c + j, s.add ? load(c + j, w) + load(from + j) : load(from + j), w);
      }
    }
    s.add = true;
  }
}

// Columns in parts whose sums fit.
inline void multiply_row(const Sweep& s, size_t rows, bool far) {
  constexpr decltype(&sweep<1, false>) of[FEW][2] = {{sweep<1, false>, sweep<1, true>},
                                                     {sweep<2, false>, sweep<2, true>}};
  const Cut cols(s.n, WAITING / rows, LINE);
  for (size_t i = 0; i < cols.parts; i++) {
    Sweep part = s;
    part.c += cols.at(i);
    part.b += cols.at(i);
    part.n = cols.size(i);
    of[rows - 1][far](part);
  }
}

}  // namespace nabla::NABLA_ISA
