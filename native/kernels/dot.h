// Products of operands that come packed in words of 32 bits: one f32, a pair of bf16, four bytes. A word of A times a
// word of B goes to an accumulator of 32 bits; P says how (half.h, integer.h).
#pragma once
#include "../pool.h"
#include "cut.h"

namespace nabla::NABLA_ISA {

// One panel of at most C vectors of columns, and runs of R rows. Steps are in words.
template <class P>
struct Strip {
  f32* c;  // [rows, n], element step 1
  ptrdiff_t c_row;
  const f32* a;      // runs of [k, PR]
  f32* b;            // [k, C * N] unless P::ready(); null: one run reads B where it lies
  const f32* ahead;  // the next panel of B, asked for line by line while the first runs are computed, or null
  ptrdiff_t ahead_line, ahead_k;  // to its next line, and to the next k
  size_t n, k, from;              // from: the first of k words
  bool add, last;                 // start from C instead of zero; no more k will come
  const P* product;
  size_t i, j;  // of the element at c
};

// packing: B is read where it lies, and packed for the runs that follow.
template <class P, int R, int C, bool packing>
void strips(const Strip<P>& t, size_t runs) {
  const size_t tail = t.n - (C - 1) * N;  // columns of the last vector, 1 .. N
  const f32* a = t.a;
  f32* c = t.c;
  for (size_t run = 0; run < runs; run++, c += R * t.c_row) {
    V acc[R][C];
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) acc[i][j] = all(0);
    }
    if (t.add) {
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = load(c + i * t.c_row + j * N, j < C - 1 ? N : tail);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
      for (int j = 0; j < C * N; j += 16) prefetch_write(c + (R + i) * t.c_row + j);
    }
    f32* b = t.b;
    auto multiply = [&](const V(&x)[C]) {
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        V l = all(a[i]);
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = P::dot(acc[i][j], l, x[j]);
      }
      a += PR;
    };
    if constexpr (packing) {
      t.product->template each_row<C>(t.j, t.from, t.k, tail, [&](const V(&x)[C]) {
        if (b) {
#pragma GCC unroll 8
          for (int j = 0; j < C; j++) store(b + j * N, x[j]);
          b += C * N;
        }
        multiply(x);
      });
    } else {
      const P& product = *t.product;
      const bool asks = t.ahead && run < (C * N + 15) / 16;
      const f32* ahead = asks ? t.ahead + ptrdiff_t(run) * t.ahead_line : b;
      const ptrdiff_t ahead_k = asks ? t.ahead_k : 0;
      for (size_t k = t.k; k; k--, b += P::ready ? P::step : C * N) {
        V x[C];
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) x[j] = load(b + (P::ready ? product.place(j) : j * N));
        prefetch_far(ahead);
        ahead += ahead_k;
        multiply(x);
      }
    }
    if constexpr (P::ready) {
      if (t.last) {
#pragma GCC unroll 16
        for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
          for (int j = 0; j < C; j++)
            acc[i][j] = t.product->finished(acc[i][j], t.i + run * R + i, t.j + j * N, j < C - 1 ? N : tail);
        }
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
      for (int j = 0; j < C - 1; j++) store(c + i * t.c_row + j * N, acc[i][j]);
      store(c + i * t.c_row + (C - 1) * N, acc[i][C - 1], tail);
    }
    if constexpr (!P::ready) {
      if (t.last) t.product->finish(c, t.c_row, R, t.n, t.i + run * R, t.j);
    }
  }
}

// Vectors of columns a tile of R rows can keep in REGISTERS: R * C sums, C of B, one of A, one for what packing needs.
constexpr int vectors(int R) {
  int C = NV;
  while (C < WIDE && (R + 1) * (C + 1) + 2 <= REGISTERS) C++;
  return C;
}

template <class P>
using Strips = void (*)(const Strip<P>&, size_t runs);
template <class P>
struct StripTable {
  Strips<P> at[2][MR][WIDE];  // [packing][rows - 1][vectors - 1]
  template <int R>
  constexpr void fill() {
    if constexpr (R > 0) {
      fill<R, P::ready ? NV : vectors(R)>();
      fill<R - 1>();
    }
  }
  template <int R, int C>
  constexpr void fill() {
    if constexpr (C > 0) {
      at[0][R - 1][C - 1] = &strips<P, R, C, false>;
      if constexpr (!P::ready) at[1][R - 1][C - 1] = &strips<P, R, C, true>;
      fill<R, C - 1>();
    }
  }
  constexpr StripTable() : at{} { fill<MR>(); }
};
template <class P>
constexpr StripTable<P> strips_of{};

constexpr size_t group = 8;  // panels packed at once where rows of B are pages apart

// Part [i, i + rows) x [j, j + cols) of C, on one thread: columns by NC, depth by KC, rows by a block of A, then panels
// of NV vectors and runs of rows.
//
// A product P has c, c_row; k, its depth in words, of which `unit` belong together; add; dot(acc, a, b);
// pack_a(out, i, rows, from, depth), which writes [depth, PR]; Mode, an object that lives while it is computed. If B is
// `ready`, packed long before: at(j, from), and in it place(j), of vector j, and step, of words; finished(sums, i, j,
// w). If not: finish(c, c_row, rows, cols, i, j); pack_b(out, j, cols, width, from, depth), which writes panels [depth,
// width], the last one as wide as it must be; beside(), whether the tile can read B itself, by each_row(); apart(),
// whether its rows are pages apart.
template <class P>
struct Packed {
  const P& g;
  const size_t NR;      // columns of a panel
  const bool once;      // B is not packed: it is already, or one run reads it where it lies
  const bool together;  // several panels are packed at once
  const Cut cols, depth, rows;
  const bool kept;  // all panels of a block of B stay, for several blocks of A
  f32* pb = nullptr;

  Packed(const P& g, size_t m, size_t n, bool shared = false)
      : g(g),
        NR(size_t(m <= size_t(MR) && !P::ready ? vectors(int(m)) : NV) * N),
        once(P::ready || (m <= size_t(MR) && g.beside())),
        together(!once && (shared || g.apart())),
        cols(n, NC, NR),
        depth(g.k, KC, P::unit),
        rows(blocks(m, size_t(AREA) / (depth.largest() + 1) / PR * MR, shared)),
        kept(shared || rows.parts > 1) {
    if (!once) pb = room((kept ? cols.largest() : together ? group * NR : NR) * depth.largest(), 2);
  }
  // Of blocks of A that are tasks, an even number, each a few runs.
  static Cut blocks(size_t m, size_t most, bool shared) {
    if (!shared) return Cut(m, most, MR);
    const Cut few(m, most < 8 * size_t(MR) ? most : 8 * size_t(MR), MR);
    return Cut(m, MR, (few.parts + 1) / 2 * 2, 0);
  }
  static f32* room(size_t words, int slot) { return static_cast<f32*>(scratch(words * sizeof(f32) + 64, slot)); }

  void pack_rows(f32* pa, const Runs& runs, size_t i, size_t from, size_t k) const {
    for (size_t r = 0; r < runs.talls + runs.shorts; r++) {
      const size_t high = r < runs.talls ? runs.tall : runs.tall - 1;
      g.pack_a(pa + r * PR * k, i, high, from, k);
      i += high;
    }
  }
  // The runs of a block of A times columns [at, at + n) of a block of B that begins at column j; first: of A's blocks.
  void panel(Strip<P> t, const Runs& runs, size_t j, size_t at, size_t all, bool first) const {
    t.n = all - at < NR ? all - at : NR;
    t.j = j + at;
    t.c += ptrdiff_t(t.j);
    bool packing = false;
    const bool several = runs.talls + runs.shorts > 1;
    if constexpr (P::ready) {
      t.b = g.at(t.j, t.from);
      if (several && at + NR < all)
        t.ahead = g.at(t.j + NR, t.from), t.ahead_line = ptrdiff_t(g.k) * P::step, t.ahead_k = P::step;
    } else {
      const size_t place = kept ? at : together ? at % (group * NR) : 0;
      t.b = once ? nullptr : pb + place * t.k;
      packing = first && g.beside() && !together;
      if (first && !packing && (!together || at % (group * NR) == 0)) pack(t.b, t.j, all - at, t.from, t.k);
      if (several && at + NR < all && (together || !first))
        t.ahead = t.b + NR * t.k, t.ahead_line = 16, t.ahead_k = ptrdiff_t(NR);
    }
    auto run = [&](size_t high, size_t count, bool packing) {
      if (!count) return;
      strips_of<P>.at[packing][high - 1][(t.n + N - 1) / N - 1](t, count);
      t.a += count * PR * t.k;
      t.c += ptrdiff_t(count * high) * t.c_row;
      t.i += count * high;
    };
    run(runs.tall, packing, true);
    run(runs.tall, runs.talls - packing, false);
    run(runs.tall - 1, runs.shorts, false);
  }
  // Panels of at most `left` columns from column j on: one, or a group of them.
  void pack(f32* to, size_t j, size_t left, size_t from, size_t k) const {
    const size_t most = together ? group * NR : NR;
    g.pack_b(to, j, left < most ? left : most, NR, from, k);
  }
  size_t depths() const { return depth.parts ? depth.parts : 1; }
  // Block ic of A times the columns of block jc of B.
  void block(size_t i0, size_t j0, size_t jc, size_t pc, size_t ic, bool first) const {
    const size_t from = depth.parts ? depth.at(pc) : 0, k = depth.parts ? depth.size(pc) : 0, i = i0 + rows.at(ic);
    const Runs runs(rows.size(ic));
    f32* pa = room((rows.largest() + MR - 1) / MR * PR * depth.largest(), 1);
    pack_rows(pa, runs, i, from, k);
    const bool add = g.add || pc > 0, last = pc + 1 >= depths();
    const Strip<P> t{g.c + ptrdiff_t(i) * g.c_row, g.c_row, pa, pb, nullptr, 0, 0, 0, k, from, add, last, &g, i, 0};
    for (size_t at = 0; at < cols.size(jc); at += NR) panel(t, runs, j0 + cols.at(jc), at, cols.size(jc), first);
  }
  void multiply(size_t i0, size_t j0) const {
    [[maybe_unused]] const typename P::Mode mode;
    for (size_t jc = 0; jc < cols.parts; jc++) {
      for (size_t pc = 0; pc < depths(); pc++) {
        for (size_t ic = 0; ic < rows.parts; ic++) block(i0, j0, jc, pc, ic, ic == 0);
      }
    }
  }
  // By all threads: B is packed once, by all; then every block of A is a task.
  void multiply_together() const {
    for (size_t jc = 0; jc < cols.parts; jc++) {
      for (size_t pc = 0; pc < depths(); pc++) {
        const size_t n = cols.size(jc), from = depth.parts ? depth.at(pc) : 0, k = depth.parts ? depth.size(pc) : 0;
        parallel((n + group * NR - 1) / (group * NR), [&](size_t task) {
          [[maybe_unused]] const typename P::Mode mode;
          const size_t at = task * group * NR;
          pack(pb + at * k, cols.at(jc) + at, n - at, from, k);
        });
        parallel(rows.parts, [&](size_t task) {
          [[maybe_unused]] const typename P::Mode mode;
          block(0, 0, jc, pc, task, false);
        });
      }
    }
  }
};

// Bands of rows by bands of columns, by shape alone: each task packs its own operands, so few of them, and the cut that
// packs least; A costs twice what B costs, for runs of rows are turned.
struct Shares {
  size_t down = 1, across = 1;
  Shares(size_t m, size_t n, size_t words) {
    const size_t work = m * n * words, least_work = size_t(1) << 18;
    const size_t panels = (n + size_t(NV) * N - 1) / (size_t(NV) * N), runs = (m + MR - 1) / MR;
    size_t tasks = work < least_work ? 1 : 2;
    for (size_t w = 256 * least_work; w <= work && tasks < 256; w *= 8) tasks *= 2;
    size_t least = ~size_t(0);
    for (size_t x = 1; x <= tasks && x <= panels; x *= 2) {
      const size_t y = tasks / x < runs ? tasks / x : runs;
      if (x * y < tasks && x * 2 <= panels) continue;
      const size_t cost = 2 * m * x + n * y;
      if (cost < least) least = cost, down = y, across = x;
    }
  }
};

// `batch` products, each of them m x n; product(i) makes one. Where bands of rows would each pack a large B again, all
// threads pack it once.
template <class F>
void multiply_all(size_t batch, size_t m, size_t n, size_t words, F product) {
  using P = decltype(product(0));
  if constexpr (!P::ready) {
    if (m >= 256 && n * words >= (size_t(1) << 17)) {
      for (size_t i = 0; i < batch; i++) {
        const P g = product(i);
        Packed<P>(g, m, n, true).multiply_together();
      }
      return;
    }
  }
  const Shares shares(m, n, words);
  const Cut rows(m, 1, shares.down, 0), cols(n, size_t(NV) * N, shares.across, 0);
  const size_t tasks = shares.down * shares.across;
  // Small products of a batch share a task.
  const size_t work = m * n * (words + 1), least_work = size_t(1) << 17;
  const size_t each = tasks > 1 || work >= least_work ? 1 : least_work / work + 1;
  parallel((batch + each - 1) / each * tasks, [&](size_t task) {
    const size_t part = task % tasks, y = part / shares.across, x = part % shares.across;
    for (size_t i = task / tasks * each; i < batch && i < (task / tasks + 1) * each; i++) {
      const P g = product(i);
      Packed<P>(g, rows.size(y), cols.size(x)).multiply(rows.at(y), cols.at(x));
    }
  });
}

}  // namespace nabla::NABLA_ISA
