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
  Cut(size_t n, size_t most, size_t unit) : n(n), unit(unit), units((n + unit - 1) / unit) {
    const size_t each = most > unit ? most / unit : 1;
    parts = (units + each - 1) / each;
  }
  size_t at(size_t i) const { return units * i / parts * unit < n ? units * i / parts * unit : n; }
  size_t size(size_t i) const { return at(i + 1) - at(i); }
  size_t largest() const { return parts ? (units + parts - 1) / parts * unit : 0; }
};

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

// Panels of B are packed unless the tile can read them in place.
enum class Source { place, packing, packed };

// One column panel of C over all rows of g (one block of A, at most KC deep).
inline void panel(const Product& g, const f32* packed_a, f32* packed_b, Source source, const f32* ahead,
                  ptrdiff_t ahead_k, bool last) {
  const size_t C = (g.n + N - 1) / N;
  const Runs runs(g.m);
  Panel t{g.c, g.c_row, g.a, g.a_row, g.a_k, 0, g.b, g.b_k, packed_b, ahead, ahead_k, g.n, g.k, g.add, last, g.finish};
  auto run = [&](size_t rows, size_t count, bool packing) {
    if (!count) return;
    if (packed_a) {
      t.a_row = 1;
      t.a_k = ptrdiff_t(rows);
      t.a_run = ptrdiff_t(rows * g.k);
    } else {
      t.a_run = ptrdiff_t(rows) * g.a_row;
    }
    tile_of.at[packing][rows - 1][C - 1](t, count);
    t.a += ptrdiff_t(count) * t.a_run;
    t.c += ptrdiff_t(count * rows) * t.c_row;
    t.finish = t.finish.down(count * rows);
  };
  if (packed_a) t.a = packed_a;
  size_t talls = runs.talls;
  if (source == Source::packing) {
    run(runs.tall, 1, true);
    talls--;
  }
  if (source != Source::place) {
    t.b = packed_b;
    t.b_k = ptrdiff_t(C * N);
  }
  run(runs.tall, talls, false);
  run(runs.tall - 1, runs.shorts, false);
}

inline void pack_rows(f32* out, const Product& g) {
  const Runs runs(g.m);
  const f32* a = g.a;
  for (size_t r = 0; r < runs.talls + runs.shorts; r++) {
    size_t rows = r < runs.talls ? runs.tall : runs.tall - 1;
    pack(out, rows, a, g.a_row, g.a_k, rows, g.k);
    out += rows * g.k;
    a += ptrdiff_t(rows) * g.a_row;
  }
}

// A block of A is read once for every column panel: in place when that is seldom or cheap. Steps of whole pages put the
// rows of a tile into one set of the cache and always cost more than the copy.
inline bool worth_packing(ptrdiff_t a_row, ptrdiff_t a_k, size_t n, size_t area) {
  const ptrdiff_t step = a_row == 1 ? a_k : a_row;
  if (n <= size_t(NV) * N) return false;
  return step % 1024 == 0 || (a_row != 1 && a_k != 1) || (n > 224 && area > 24 * 1024);
}

// The five loops: columns by NC, depth by KC, rows by MC, then panels of NV vectors and runs of MR rows.
inline void multiply(const Product& g) {
  constexpr size_t NR = size_t(NV) * N;
  const Cut cols(g.n, NC, NR), depth(g.k, KC, 1);
  const size_t deep = depth.largest() + !depth.parts;
  const Cut rows(g.m, AREA / deep, MR);
  const bool pack_a = worth_packing(g.a_row, g.a_k, g.n, rows.largest() * deep);
  const bool place_b = g.b_col == 1 && g.m <= size_t(MR);
  const size_t wide = rows.parts > 1 ? cols.largest() : NR;
  f32* pa = pack_a ? static_cast<f32*>(scratch((rows.largest() * deep + N) * sizeof(f32), 1)) : nullptr;
  f32* pb = place_b ? nullptr : static_cast<f32*>(scratch((wide * deep + N) * sizeof(f32), 2));
  for (size_t jc = 0; jc < cols.parts; jc++) {
    for (size_t pc = 0; pc < (depth.parts ? depth.parts : 1); pc++) {
      const bool last = pc + 1 >= depth.parts;
      const Product slab = depth.parts ? g.deep(depth.at(pc), depth.size(pc)) : g;
      for (size_t ic = 0; ic < rows.parts; ic++) {
        const Product block = slab.part(rows.at(ic), rows.size(ic), cols.at(jc), cols.size(jc));
        if (pack_a) pack_rows(pa, block);
        f32* to = pb;
        for (size_t j = 0; j < block.n; j += NR) {
          const Product one = block.part(0, block.m, j, block.n - j < NR ? block.n - j : NR);
          Source source = place_b ? Source::place : ic > 0 ? Source::packed : Source::packing;
          if (source == Source::packing && one.b_col != 1) {
            pack(to, (one.n + N - 1) / N * N, one.b, one.b_col, one.b_k, one.n, one.k);
            source = Source::packed;
          }
          const bool in_place = ic == 0 && one.b_col == 1;
          panel(one, pa, to, source, in_place ? one.b + NR : to + NR * block.k, in_place ? one.b_k : ptrdiff_t(NR),
                last);
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

// Tasks of about `task` multiply-adds; the grid depends on the extents alone.
struct Grid {
  size_t down = 1, across = 1;
  Grid(size_t m, size_t n, size_t k) {
    constexpr size_t NR = size_t(NV) * N, least = 1u << 17, most = 64;
    size_t work = m * n * k / least, tasks = 1;
    while (tasks < most && tasks * tasks < work) tasks *= 2;
    while (down * across < tasks) {
      bool tall = m / (2 * down) >= size_t(MR), broad = n / (2 * across) >= NR;
      if (!tall && !broad) break;
      if (tall && (!broad || m * across > n * down))
        down *= 2;
      else
        across *= 2;
    }
  }
};

template <class T>
void gemm(Strided<InOut<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z,
          Strided<In<T>, 4> slope, u32 act, u32 accumulate);

template <>
inline void gemm(Strided<InOut<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<f32>, 4> b, In<f32> bias,
                 Strided<Out<f32>, 4> z, Strided<In<f32>, 4> slope, u32 act, u32 accumulate) {
  constexpr size_t NR = size_t(NV) * N;
  const size_t m = c.extent[2], n = c.extent[3], k = a.extent[3], batch = c.extent[0] * c.extent[1];
  if (!m || !n || !batch) return;
  const Grid grid(m, n, k);
  const size_t tasks = grid.down * grid.across, strips = (n + NR - 1) / NR;
  const size_t together = (size_t(1) << 17) / (m * n * (k + 1)) + 1;  // matrices in a task, when they are small
  parallel((batch * tasks + together - 1) / together, [&](size_t task) {
    for (size_t s = task * together; s < (task + 1) * together && s < batch * tasks; s++) {
      const size_t item = s / tasks, part = s % tasks, p = item / c.extent[1], q = item % c.extent[1];
      const Product whole{at(c, p, q, 0, 0),
                          c.step[2],
                          c.step[3],
                          at(a, p, q, 0, 0),
                          a.step[2],
                          a.step[3],
                          at(b, p, q, 0, 0),
                          b.step[2],
                          b.step[3],
                          m,
                          n,
                          k,
                          accumulate != 0,
                          finish_of(bias, z, slope, act, p, q)};
      const size_t y = part / grid.across, x = part % grid.across;
      const size_t top = m * y / grid.down, left = strips * x / grid.across * NR;
      const size_t bottom = m * (y + 1) / grid.down,
                   right = x + 1 == grid.across ? n : strips * (x + 1) / grid.across * NR;
      const Product mine = whole.part(top, bottom - top, left, right - left);
      if (mine.c_col == 1 || mine.n == 1)
        multiply(mine);
      else
        multiply_apart(mine);
    }
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
