// gemm: c = finish(a b). Every element is the sum of chains of fma(a[k], b[k], acc) from zero, 256 terms each, added
// one after the other (to c when it accumulates). That holds whatever the tile, block, task or instruction set:
// gemm_naive says the same in loops.
#pragma once
#include "product.h"

namespace nabla::NABLA_ISA {

// The spec: ((chain 0 + chain 1) + chain 2) + ... for each element, `chain` terms each but for the last; no terms are
// one chain, zero. c + chain 0 + ... when it accumulates.
template <class T>
void gemm_naive(Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z,
                Strided<In<T>, 4> slope, u32 act, u32 accumulate) {
  for (size_t p = 0; p < c.extent[0]; p++) {
    for (size_t q = 0; q < c.extent[1]; q++) {
      Finish<T> f = finish_of(bias, z, slope, act, p, q);
      for (size_t i = 0; i < c.extent[2]; i++) {
        for (size_t j = 0; j < c.extent[3]; j++) {
          T* to = at(c, p, q, i, j);
          for (size_t from = 0; from == 0 || from < a.extent[3]; from += chain) {
            Lane<T> acc{0};
            for (size_t k = from; k < a.extent[3] && k < from + chain; k++) {
              acc = fma(Lane<T>{*at(a, p, q, i, k)}, Lane<T>{*at(b, p, q, k, j)}, acc);
            }
            *to = accumulate || from ? (Lane<T>{*to} + acc).v : acc.v;
          }
          finish(to, f.down(i).right(j));
        }
      }
    }
  }
}

// Multiply-adds that are worth a second thread: about 5 us of one. 64 x 64 x 64, half of that, gained 15 % with the
// other core free and lost up to a task's time with it busy.
constexpr size_t SHARED = size_t(1) << 19;
// What a product of m rows is worth: a number of B takes as long to come from L3 as five multiply-adds.
inline size_t worth(size_t m, size_t n, size_t k) { return (m < 5 ? 5 : m) * n * k; }

// The tasks of a product: `down` bands of rows by `across` bands of columns. A finer grid packs operands more often,
// each time by the cost of a packed element; rows are the cheaper cut as long as B is packed by the tiles that read it.
struct Grid {
  size_t down = 1, across = 1;
  explicit Grid(const Product& g) {
    const size_t work = worth(g.m, g.n, g.k), strips = (g.n + size_t(NV) * N - 1) / (size_t(NV) * N);
    size_t tasks = work < SHARED ? 1 : 2;
    for (size_t w = 128 * SHARED; w <= work && tasks < 256; w *= 8) tasks *= 2;
    const size_t pack_a = worth_packing(g.a_row, g.a_k, g.n) ? 8 : 1, pack_b = g.b_col == 1 ? 2 : 4;
    size_t least = ~size_t(0);
    for (size_t x = 1; x <= tasks && x <= strips; x *= 2) {
      const size_t y = tasks / x;
      if (y > 1 && g.m < 2 * y * size_t(MR) && x * 2 <= strips) continue;
      const size_t cost = g.m * x * pack_a + g.n * y * pack_b;
      if (cost < least) least = cost, down = y, across = x;
    }
    if (down > g.m) down = g.m;
  }
};

template <class T>
void gemm(Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z,
          Strided<In<T>, 4> slope, u32 act, u32 accumulate);

// The part of g that task (y, x) of its grid computes.
inline void multiply_part(const Product& g, const Grid& grid, size_t y, size_t x) {
  const Cut rows(g.m, 1, grid.down, 0), cols(g.n, size_t(NV) * N, grid.across, 0);
  multiply(g.part(rows.at(y), rows.size(y), cols.at(x), cols.size(x)));
}

// Arguments stay where they are: a copy of words that were just written one by one waits until they are in L1.
template <class C>
inline void multiply_batch(const Strided<C, 4>& c, const Strided<In<f32>, 4>& a, const Strided<In<f32>, 4>& b,
                           In<f32> bias, const Strided<Out<f32>, 4>& z, const Strided<In<f32>, 4>& slope, u32 act,
                           bool accumulate) {
  const size_t m = c.extent[2], n = c.extent[3], k = a.extent[3], batch = c.extent[0] * c.extent[1], q = c.extent[1];
  if (!m || !n || !batch) return;
  auto product = [&](size_t i, size_t j) {
    return Product{at(c, i, j, 0, 0),
                   c.step[2],
                   c.step[3],
                   at(a, i, j, 0, 0),
                   a.step[2],
                   a.step[3],
                   at(b, i, j, 0, 0),
                   b.step[2],
                   b.step[3],
                   m,
                   n,
                   k,
                   accumulate,
                   finish_of(bias, z, slope, act, i, j)};
  };
  const size_t work = worth(m, n, k + 1);
  // B turned, or rows pages apart: packed once for all, for a tile cannot pack it on the way; and where A is packed
  // too, bands of rows are the tasks and each would read all of B.
  const bool apart = b.step[3] != 1 || b.step[2] % 1024 == 0 || worth_packing(a.step[2], a.step[3], n);
  if (m >= 256 && n * k >= (size_t(1) << 19) && apart && c.step[3] == 1) {
    for (size_t i = 0; i < batch; i++) multiply_together(product(i / q, i % q));
    return;
  }
  if (work >= SHARED / 2) {
    const Grid grid(product(0, 0));
    const size_t tasks = grid.down * grid.across;
    return parallel(batch * tasks, [&](size_t task) {
      const size_t item = task / tasks, part = task % tasks;
      multiply_part(product(item / q, item % q), grid, part / grid.across, part % grid.across);
    });
  }
  if (batch * work < SHARED) {
    for (size_t i = 0; i < c.extent[0]; i++) {
      for (size_t j = 0; j < q; j++) multiply(product(i, j));
    }
    return;
  }
  const size_t each = SHARED / 2 / work + 1;  // matrices of a task
  parallel((batch + each - 1) / each, [&](size_t task) {
    for (size_t i = task * each; i < batch && i < (task + 1) * each; i++) multiply(product(i / q, i % q));
  });
}

template <>
inline void gemm(Strided<InOut<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<f32>, 4> b, In<f32> bias,
                 Strided<Out<f32>, 4> z, Strided<In<f32>, 4> slope, u32 act, u32 accumulate) {
  multiply_batch(c, a, b, bias, z, slope, act, accumulate != 0);
}

// Gradient checks only: rows of C as lanes of plain code.
template <>
inline void gemm(Strided<InOut<f64>, 4> c, Strided<In<f64>, 4> a, Strided<In<f64>, 4> b, In<f64> bias,
                 Strided<Out<f64>, 4> z, Strided<In<f64>, 4> slope, u32 act, u32 accumulate) {
  constexpr size_t W = 64;
  const size_t m = c.extent[2], n = c.extent[3], k = a.extent[3];
  parallel(c.extent[0] * c.extent[1] * m, [&](size_t task) {
    const size_t p = task / m / c.extent[1], q = task / m % c.extent[1], i = task % m;
    const Finish<f64> f = finish_of(bias, z, slope, act, p, q).down(i);
    for (size_t j = 0; j < n; j += W) {
      const size_t w = n - j < W ? n - j : W;
      f64 sum[W], acc[W];
      for (size_t x = 0; x < w; x++) sum[x] = accumulate ? *at(c, p, q, i, j + x) : 0;
      for (size_t from = 0; from == 0 || from < k; from += chain) {
        for (size_t x = 0; x < w; x++) acc[x] = 0;
        for (size_t s = from; s < k && s < from + chain; s++) {
          const Lane<f64> l{*at(a, p, q, i, s)};
          const f64* r = at(b, p, q, s, j);
          for (size_t x = 0; x < w; x++) acc[x] = fma(l, Lane<f64>{r[ptrdiff_t(x) * b.step[3]]}, Lane<f64>{acc[x]}).v;
        }
        for (size_t x = 0; x < w; x++) sum[x] = accumulate || from ? sum[x] + acc[x] : acc[x];
      }
      for (size_t x = 0; x < w; x++) {
        finish(&sum[x], f.right(j + x));
        *at(c, p, q, i, j + x) = sum[x];
      }
    }
  });
}

}  // namespace nabla::NABLA_ISA
