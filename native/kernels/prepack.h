// Products of few rows with a B that stays the same from call to call, a weight: packed once, its panels follow one
// another in memory, which then gives all it has (35 of 39 GB/s; rows of B apart give 24 to 33).
#pragma once
#include "matmul.h"

namespace nabla::NABLA_ISA {

// Columns of a panel, [k, PANEL], the last one filled up: whole tiles of 16, 8 and 4 lanes, so that all instruction
// sets read the same copy.
constexpr size_t PANEL = 48;
constexpr size_t panels(size_t n) { return (n + PANEL - 1) / PANEL; }

// Vectors of a tile of R rows that divide a panel, and the rows of the tile with the most sums.
constexpr int dividing(int R) {
  int C = widest(R);
  while (int(PANEL) / N % C) C--;
  return C;
}
constexpr int rows_of_most() {
  int best = 1;
  for (int R = 2; R <= MR; R++) {
    if (R * dividing(R) > best * dividing(best)) best = R;
  }
  return best;
}

inline void pack_panels(f32* out, const Product& g) {
  parallel(panels(g.n), [&](size_t p) {
    const size_t j = p * PANEL, width = g.n - j < PANEL ? g.n - j : PANEL;
    pack(out + j * g.k, PANEL, g.b + ptrdiff_t(j) * g.b_col, g.b_col, g.b_k, width, g.k);
  });
}

// g.b is packed: b_k = PANEL, and b_col = k leads to columns that begin a panel.
inline void multiply_panels(const Product& g) {
  constexpr ptrdiff_t far = 64 * PANEL;  // 12 KiB: 8 leave memory waiting, 16 gain nothing
  const Runs runs(g.m, rows_of_most());
  const size_t width = size_t(dividing(int(runs.tall))) * N;
  for (size_t j = 0; j < g.n; j += PANEL) {
    Product one = g.part(0, g.m, j, g.n - j < PANEL ? g.n - j : PANEL);
    one.b_col = 1;
    for (size_t i = 0; i < one.n; i += width) {
      const Product tile = one.part(0, g.m, i, one.n - i < width ? one.n - i : width);
      panel(tile, runs, {nullptr, nullptr, Mode::streaming, nullptr, 0, far}, true);
    }
  }
}

// c = finish(a b) as matmul. how[0]: 1, packed holds b; 2, it is to be written first; otherwise b is read where it
// lies.
template <class T>
void matmul_packed(Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, InOut<T> packed, In<i32> how,
                   In<T> bias, Strided<Out<T>, 4> z, Strided<In<T>, 4> slope, u32 act) {
  const size_t m = c.extent[2], n = c.extent[3], k = a.extent[3];
  const bool fits = packed.n == panels(n) * PANEL * k && c.extent[0] * c.extent[1] == 1 && c.step[3] == 1;
  if (!fits || (how.p[0] != 1 && how.p[0] != 2)) return matmul<T>(c, a, b, bias, z, slope, act);
  if (!m || !n) return;
  Product g{c.p,       c.step[2], 1, a.p, a.step[2], a.step[3], b.p,
            b.step[2], b.step[3], m, n,   k,         false,     finish_of(bias, z, slope, act, 0, 0)};
  if (how.p[0] == 2) pack_panels(packed.p, g);
  g.b = packed.p;
  g.b_k = PANEL;
  g.b_col = ptrdiff_t(k);
  // Cuts between panels cost nothing, so tasks are as small as pays.
  const size_t tasks = 1 + worth(m, n, k) / SHARED;
  const Cut cols(n, PANEL, tasks < 64 ? tasks : 64, 0);
  parallel(cols.parts, [&](size_t x) { multiply_panels(g.part(0, m, cols.at(x), cols.size(x))); });
}

}  // namespace nabla::NABLA_ISA
