// gemm: c = finish(a b). Every element is fma(a[k], b[k], acc) for k = 0 .. K - 1 from zero (or from c when it
// accumulates), whatever the tile, block, task or instruction set: gemm_naive says the same in three loops.
#pragma once
#include "../pool.h"
#include "pack.h"
#include "tile.h"

namespace nabla::NABLA_ISA {

template <class A>
inline auto at(const Strided<A, 4>& x, size_t p, size_t q, size_t i, size_t j) {
  return x.p +
         (ptrdiff_t(p) * x.step[0] + ptrdiff_t(q) * x.step[1] + ptrdiff_t(i) * x.step[2] + ptrdiff_t(j) * x.step[3]);
}

// How one element ends, in the words of T.
template <class T>
inline Finish<T> finish_of(In<T> bias, const Strided<Out<T>, 4>& z, const Strided<In<T>, 4>& slope, u32 act, size_t p,
                           size_t q) {
  return {bias.p,
          z.p ? at(z, p, q, 0, 0) : nullptr,
          z.p ? z.step[2] : 0,
          z.p ? z.step[3] : 0,
          slope.p ? at(slope, p, q, 0, 0) : nullptr,
          slope.p ? slope.step[2] : 0,
          slope.p ? slope.step[3] : 0,
          act};
}
inline void finish_one(f32* c, const Finish<f32>& f) { finish(c, 1, 1, 1, f); }
inline void finish_one(f64* c, const Finish<f64>& f) {
  Lane<f64> v{*c};
  if (f.bias) v = v + Lane<f64>{*f.bias};
  if (f.z) *f.z = v.v;
  *c = (f.at ? slope(f.act, v, Lane<f64>{*f.at}) : activate(f.act, v)).v;
}

// The spec: three loops, one fma chain per element.
template <class T>
void gemm_naive(Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z,
                Strided<In<T>, 4> slope, u32 act, u32 accumulate) {
  for (size_t p = 0; p < c.extent[0]; p++) {
    for (size_t q = 0; q < c.extent[1]; q++) {
      Finish<T> f = finish_of(bias, z, slope, act, p, q);
      for (size_t i = 0; i < c.extent[2]; i++) {
        for (size_t j = 0; j < c.extent[3]; j++) {
          T* to = at(c, p, q, i, j);
          Lane<T> acc{accumulate ? *to : T(0)};
          for (size_t k = 0; k < a.extent[3]; k++) {
            acc = fma(Lane<T>{*at(a, p, q, i, k)}, Lane<T>{*at(b, p, q, k, j)}, acc);
          }
          *to = acc.v;
          finish_one(to, f.down(i).right(j));
        }
      }
    }
  }
}

// Multiply-adds that are worth a second thread: about 3 us of one.
constexpr size_t SHARED = size_t(1) << 18;

// One matrix product, or the part of one that a task computes.
struct Product {
  f32* c;  // [m, n]
  ptrdiff_t c_row, c_col;
  const f32* a;  // [m, k]
  ptrdiff_t a_row, a_k;
  const f32* b;  // [k, n]
  ptrdiff_t b_k, b_col;
  size_t m, n, k;
  bool add;
  Finish<f32> finish;

  Product part(size_t i, size_t rows, size_t j, size_t cols) const {
    Product p = *this;
    p.c += ptrdiff_t(i) * c_row + ptrdiff_t(j) * c_col;
    p.a += ptrdiff_t(i) * a_row;
    p.b += ptrdiff_t(j) * b_col;
    p.m = rows;
    p.n = cols;
    p.finish = finish.down(i).right(j);
    return p;
  }
  Product deep(size_t from, size_t depth) const {
    Product p = *this;
    p.a += ptrdiff_t(from) * a_k;
    p.b += ptrdiff_t(from) * b_k;
    p.k = depth;
    p.add = add || from > 0;
    return p;
  }
};

// n cut into the fewest parts of at most `most`, nearly equal and whole numbers of `unit` but for the last.
struct Cut {
  size_t n, unit, units, parts;
  Cut(size_t n, size_t unit, size_t parts, int) : n(n), unit(unit), units((n + unit - 1) / unit), parts(parts) {}
  Cut(size_t n, size_t most, size_t unit) : n(n), unit(unit), units((n + unit - 1) / unit) {
    const size_t each = most > unit ? most / unit : 1;
    parts = (units + each - 1) / each;
  }
  size_t at(size_t i) const { return units * i / parts * unit < n ? units * i / parts * unit : n; }
  size_t size(size_t i) const { return at(i + 1) - at(i); }
  size_t largest() const { return parts ? (units + parts - 1) / parts * unit : 0; }
};

// What packed rows of a tile take for each k.
constexpr int PR = (MR + N - 1) / N * N;

// Rows in runs of `tall`, then runs of tall - 1.
struct Runs {
  size_t tall = 1, talls = 0, shorts = 0;
  explicit Runs(size_t m) {
    size_t runs = (m + MR - 1) / MR;
    if (!runs) return;
    tall = (m + runs - 1) / runs;
    talls = m - runs * (tall - 1);
    shorts = runs - talls;
  }
};

// One column panel of C over all rows of g (one block of A, at most KC deep). B is read where it lies (`b`, mode plain
// or streaming), or packed by the first run of rows (mode packing), or was packed before (packed, mode plain).
struct Sources {
  const f32* packed_a;  // or null: in place
  f32* packed_b;        // or null: in place
  Mode mode;
  const f32* ahead;  // the panel after this one, if it is packed already
};
inline void panel(const Product& g, const Runs& runs, const Sources& from, bool last) {
  const size_t C = (g.n + N - 1) / N;
  Panel t{g.c, g.c_row, g.a, g.a_row, g.a_k, 0, g.b, g.b_k, from.packed_b, from.ahead, g.n, g.k, g.add, last, g.finish};
  if (from.packed_a) {
    t.a = from.packed_a;
    t.a_row = 1;
    t.a_k = PR;
  }
  auto run = [&](size_t rows, size_t count, Mode mode) {
    if (!count) return;
    t.a_run = from.packed_a ? ptrdiff_t(PR * g.k) : ptrdiff_t(rows) * g.a_row;
    tile_of.at[int(mode)][rows - 1][C - 1](t, count);
    t.a += ptrdiff_t(count) * t.a_run;
    t.c += ptrdiff_t(count * rows) * t.c_row;
    t.finish = t.finish.down(count * rows);
  };
  size_t talls = runs.talls;
  Mode mode = from.mode;
  if (mode == Mode::packing) {
    run(runs.tall, 1, mode);
    talls--;
    mode = Mode::plain;
  }
  if (from.packed_b) {
    t.b = from.packed_b;
    t.b_k = ptrdiff_t(C * N);
  }
  run(runs.tall, talls, mode);
  run(runs.tall - 1, runs.shorts, mode);
}

inline void pack_rows(f32* out, const Product& g, const Runs& runs) {
  const size_t count = runs.talls + runs.shorts;
  const f32* a = g.a;
  if (g.a_row != 1) {
    for (size_t r = 0; r < count; r++) {
      const size_t rows = r < runs.talls ? runs.tall : runs.tall - 1;
      pack(out + r * PR * g.k, a, g.a_row, g.a_k, rows, g.k);
      a += ptrdiff_t(rows) * g.a_row;
    }
    return;
  }
  // Rows lie side by side: all runs of one k at once, so that a line is read once and pages follow one another.
  for (size_t k = 0; k < g.k; k++, a += g.a_k) {
    const f32* p = a;
    for (size_t r = 0; r < count; r++) {
      const size_t rows = r < runs.talls ? runs.tall : runs.tall - 1;
      prefetch(p + 8 * g.a_k);
      store(out + (r * g.k + k) * PR, load(p, rows));
      p += rows;
    }
  }
}

inline void multiply_apart(Product g);

// Nothing packed: for products whose operands stay in L1, and for rows that one run covers.
inline void multiply_in_place(const Product& g) {
  const Runs runs(g.m);
  const size_t width = g.m <= size_t(MR) ? size_t(widest(int(g.m))) * N : size_t(NV) * N;
  const Mode mode = g.n * g.k > 64 * 1024 ? Mode::streaming : Mode::plain;
  for (size_t j = 0; j < g.n; j += width) {
    panel(g.part(0, g.m, j, g.n - j < width ? g.n - j : width), runs, {nullptr, nullptr, mode, nullptr}, true);
  }
}

// A is read in place wherever one of its steps is 1: packing takes about a cycle an element and saves nothing, except
// that steps of whole pages put all rows of a tile into one set of the cache.
inline bool worth_packing(ptrdiff_t a_row, ptrdiff_t a_k, size_t n) {
  const ptrdiff_t step = a_row == 1 ? a_k : a_row;
  return n > size_t(NV) * N && (step % 1024 == 0 || (a_row != 1 && a_k != 1));
}

// The five loops: columns by NC, depth by KC, rows by a block of A, then panels of NV vectors and runs of MR rows.
inline void multiply(const Product& g) {
  constexpr size_t NR = size_t(NV) * N;
  if (g.c_col != 1 && g.n > 1) return multiply_apart(g);
  if (g.b_col == 1 && (g.m <= size_t(MR) || g.k * g.n <= 4096)) return multiply_in_place(g);
  const Cut cols(g.n, NC, NR), depth(g.k, KC, 1);
  const size_t deep = depth.largest() + !depth.parts;
  const Cut rows(g.m, AREA / deep / PR * MR, MR);
  const bool pack_a = worth_packing(g.a_row, g.a_k, g.n);
  const size_t wide = rows.parts > 1 ? cols.largest() : NR;
  f32* pa = pack_a ? static_cast<f32*>(scratch((rows.largest() + MR - 1) / MR * PR * deep * sizeof(f32), 1)) : nullptr;
  f32* pb = static_cast<f32*>(scratch(wide * deep * sizeof(f32), 2));
  for (size_t jc = 0; jc < cols.parts; jc++) {
    for (size_t pc = 0; pc < (depth.parts ? depth.parts : 1); pc++) {
      const bool last = pc + 1 >= depth.parts;
      const Product slab = depth.parts ? g.deep(depth.at(pc), depth.size(pc)) : g;
      for (size_t ic = 0; ic < rows.parts; ic++) {
        const Product block = slab.part(rows.at(ic), rows.size(ic), cols.at(jc), cols.size(jc));
        const Runs runs(block.m);
        if (pack_a) pack_rows(pa, block, runs);
        f32* to = pb;
        for (size_t j = 0; j < block.n; j += NR) {
          const Product one = block.part(0, block.m, j, block.n - j < NR ? block.n - j : NR);
          Mode mode = ic > 0 ? Mode::plain : Mode::packing;
          if (ic == 0 && one.b_col != 1) {
            pack(to, one.b, one.b_col, one.b_k, one.n, one.k);
            mode = Mode::plain;
          }
          panel(one, runs, {pa, to, mode, ic > 0 ? to + NR * block.k : nullptr}, last);
          if (rows.parts > 1) to += NR * block.k;
        }
      }
    }
  }
}

// C with columns apart is computed in a row-major copy.
inline void multiply_apart(Product g) {
  f32* c = g.c;
  const ptrdiff_t row = g.c_row, col = g.c_col;
  f32 copy[size_t(MR) * NV * N];
  for (size_t i = 0; i < g.m; i += MR) {
    for (size_t j = 0; j < g.n; j += size_t(NV) * N) {
      Product one =
          g.part(i, g.m - i < size_t(MR) ? g.m - i : MR, j, g.n - j < size_t(NV) * N ? g.n - j : size_t(NV) * N);
      one.c = copy;
      one.c_row = NV * N;
      one.c_col = 1;
      f32* to = c + ptrdiff_t(i) * row + ptrdiff_t(j) * col;
      auto each = [&](auto f) {
        for (size_t y = 0; y < one.m; y++) {
          for (size_t x = 0; x < one.n; x++) f(to[ptrdiff_t(y) * row + ptrdiff_t(x) * col], copy[y * NV * N + x]);
        }
      };
      if (g.add) each([](f32& out, f32& in) { in = out; });
      multiply(one);
      each([](f32& out, f32& in) { out = in; });
    }
  }
}

// The tasks of a product: `down` bands of rows by `across` bands of columns. A finer grid packs operands more often,
// each time by the cost of a packed element; rows are the cheaper cut as long as B is packed by the tiles that read it.
struct Grid {
  size_t down = 1, across = 1;
  explicit Grid(const Product& g) {
    const size_t work = g.m * g.n * g.k, strips = (g.n + size_t(NV) * N - 1) / (size_t(NV) * N);
    size_t tasks = work < SHARED ? 1 : 2;
    for (size_t w = 256 * SHARED; w <= work && tasks < 256; w *= 8) tasks *= 2;
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

template <>
inline void gemm(Strided<InOut<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<f32>, 4> b, In<f32> bias,
                 Strided<Out<f32>, 4> z, Strided<In<f32>, 4> slope, u32 act, u32 accumulate) {
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
                   accumulate != 0,
                   finish_of(bias, z, slope, act, i, j)};
  };
  const size_t work = m * n * (k + 1);
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
      f64 acc[W];
      for (size_t x = 0; x < w; x++) acc[x] = accumulate ? *at(c, p, q, i, j + x) : 0;
      for (size_t s = 0; s < k; s++) {
        const Lane<f64> l{*at(a, p, q, i, s)};
        const f64* r = at(b, p, q, s, j);
        for (size_t x = 0; x < w; x++) acc[x] = fma(l, Lane<f64>{r[ptrdiff_t(x) * b.step[3]]}, Lane<f64>{acc[x]}).v;
      }
      for (size_t x = 0; x < w; x++) {
        finish_one(&acc[x], f.right(j + x));
        *at(c, p, q, i, j + x) = acc[x];
      }
    }
  });
}

}  // namespace nabla::NABLA_ISA
