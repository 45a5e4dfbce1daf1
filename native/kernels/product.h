// One matrix product on one thread: which operands are packed, and the loops around the tile.
#pragma once
#include "../pool.h"
#include "cut.h"
#include "pack.h"
#include "row.h"
#include "sliver.h"
#include "tile.h"

namespace nabla::NABLA_ISA {

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

// One column panel of C over all rows of g (one block of A, at most KC deep). B is read where it lies (`b`, mode plain
// or streaming), or packed by the first run of rows (mode packing), or was packed before (packed, mode plain).
struct Sources {
  const f32* packed_a;  // or null: in place
  f32* packed_b;        // or null: in place
  Mode mode;
  const f32* ahead;  // the panel after this one, or null: asked for while two runs are computed
  ptrdiff_t ahead_k;
  ptrdiff_t far = 0;  // where modes that stream ask ahead: 0 is AHEAD rows below, else so many columns to the right
};
inline void panel(const Product& g, const Runs& runs, const Sources& from, bool last) {
  const size_t C = (g.n + N - 1) / N;
  const ptrdiff_t far = from.far ? from.far : AHEAD * g.b_k;
  Panel t{g.c,        g.c_row,      g.a, g.a_row, g.a_k, 0,     g.b,  g.b_k,   from.packed_b,
          from.ahead, from.ahead_k, far, g.n,     g.k,   g.add, last, g.finish};
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
  if (g.a_row == 1) return pack_beside(out, PR, g.a, g.a_k, g.k, count, runs.tall, runs.talls);
  const f32* a = g.a;
  for (size_t r = 0; r < count; r++) {
    const size_t rows = r < runs.talls ? runs.tall : runs.tall - 1;
    pack(out + r * PR * g.k, PR, a, g.a_row, g.a_k, rows, g.k);
    a += ptrdiff_t(rows) * g.a_row;
  }
}

// B that no cache holds is swept in bands of `chain` rows: a band's rows are read side by side to their ends, where a
// panel of all rows would take a few lines from each of a thousand pages. Rows shorter than a page gain nothing.
constexpr size_t SWEPT = size_t(4) << 20, PAGE = 1024;

constexpr size_t NEAR = 64 * 1024;  // numbers of a B that is found in L2

inline void multiply(const Product& g);

// Few rows wait for L3 whether they ask ahead or not, and lose what asking costs: they ask for what comes from memory.
inline Sliver sliver_of_columns(const Product& g) {
  const bool far = g.n * g.k >= (g.m <= 4 ? SWEPT / 2 : SWEPT / 4);
  return {g.c, g.c_row, g.a, g.a_row, g.a_k, g.b, g.b_col, g.n, g.k, g.add, far};
}

// Few columns leave lanes of a tile idle, rows of A turned fill them: C as the transpose of Bt At, in slivers.
inline bool few_columns(const Product& g) {
  const size_t lanes = (g.n + N - 1) / N * N;
  return 4 * g.n <= 3 * lanes && lanes <= 2 * size_t(N) && g.m >= 2 * size_t(N) && g.k >= 32 && g.a_k == 1 &&
         g.a_row != 1;
}
inline void multiply_columns(const Product& g) {
  const Cut cols(g.n, SLIVER, 1);
  const size_t rows = g.m / N * N;
  f32 copy[SLIVER * N];  // a block of the transpose of C
  for (size_t i = 0; i < rows; i += N) {
    f32* c = g.c + ptrdiff_t(i) * g.c_row;
    for (size_t x = 0; x < cols.parts; x++) {
      const size_t j = cols.at(x), high = cols.size(x);
      if (g.add) turn<false>(copy, N, c + j, g.c_row, N, high);
      const f32 *a = g.a + ptrdiff_t(i) * g.a_row, *b = g.b + ptrdiff_t(j) * g.b_col;
      multiply_sliver({copy, N, b, g.b_col, g.b_k, a, g.a_row, N, g.k, g.add, false}, high, {});
      turn<false>(c + j, size_t(g.c_row), copy, N, high, N);
    }
    if (g.finish.some()) finish(c, g.c_row, N, g.n, g.finish.down(i));
  }
  if (rows < g.m) multiply(g.part(rows, g.m - rows, 0, g.n));
}

inline void multiply_apart(Product g);
inline void multiply_turned(const Product& g);
inline bool worth_turning(const Product& g);

// Where rows of B are whole steps of 2 KiB apart, so that those of a panel share sets of L1, or no cache holds them.
inline bool worth_sweeping(const Product& g) {
  return g.m <= size_t(FEW) && g.n >= 512 && g.b_col == 1 && g.b_k % LINE == 0 && g.n * g.k > NEAR &&
         (g.b_k % 512 == 0 || g.n * g.k >= SWEPT);
}
inline void multiply_swept(const Product& g) {
  multiply_row({g.c, g.c_row, g.a, g.a_row, g.a_k, g.b, g.b_k, g.n, g.k, g.add}, g.m, g.n * g.k >= SWEPT);
  if (g.finish.some()) finish(g.c, g.c_row, g.m, g.n, g.finish);
}

// Nothing packed: for products whose operands stay in L1, and for rows that one run covers.
inline void multiply_in_place(const Product& g) {
  const Runs runs(g.m);
  const size_t width = g.m <= size_t(MR) ? size_t(widest(int(g.m))) * N : size_t(NV) * N;
  const Mode mode = g.n * g.k > NEAR ? Mode::streaming : Mode::plain;
  const bool swept = g.n * g.k >= SWEPT && g.n >= PAGE;
  const size_t k = g.k ? g.k : 1;
  const Cut depth(k, swept ? chain : k, chain);
  Product one = g;
  for (size_t pc = 0; pc < depth.parts; pc++) {
    const size_t from = depth.at(pc);
    one.a = g.a + ptrdiff_t(from) * g.a_k;
    one.k = g.k ? depth.size(pc) : 0;
    one.add = g.add || from;
    for (size_t j = 0; j < g.n; j += width) {
      one.c = g.c + j;
      one.b = g.b + ptrdiff_t(from) * g.b_k + ptrdiff_t(j);
      one.n = g.n - j < width ? g.n - j : width;
      if (g.finish.some()) one.finish = g.finish.right(j);
      panel(one, runs, {nullptr, nullptr, mode, nullptr, 0, swept ? ptrdiff_t(width) : 0}, pc + 1 == depth.parts);
    }
  }
}

// A is read in place wherever one of its steps is 1: packing takes about a cycle an element and saves nothing, except
// that steps of whole pages put all rows of a tile into one set of the cache.
inline bool worth_packing(ptrdiff_t a_row, ptrdiff_t a_k, size_t n) {
  const ptrdiff_t step = a_row == 1 ? a_k : a_row;
  return n > size_t(NV) * N && (step % 1024 == 0 || (a_row != 1 && a_k != 1));
}

// One block of A, in runs of rows, times all panels of a slab of B. Panels lie `kept` one after another in packed_b, or
// each is packed where the last one was; ready: they were packed before.
inline void block_by_panels(const Product& block, const f32* packed_a, f32* packed_b, bool kept, bool ready,
                            bool last) {
  constexpr size_t NR = size_t(NV) * N;
  const Runs runs(block.m);
  for (size_t j = 0; j < block.n; j += NR) {
    const Product one = block.part(0, block.m, j, block.n - j < NR ? block.n - j : NR);
    f32* to = kept ? packed_b + j * block.k : packed_b;
    Sources from{packed_a, to, Mode::plain, to + NR * block.k, NR};
    if (!ready && one.b_col == 1) {
      from.mode = Mode::packing;
      from.ahead = one.b_k % 1024 ? one.b + NR : nullptr;
      from.ahead_k = one.b_k;
    } else if (!ready) {
      pack(to, one.b, one.b_col, one.b_k, one.n, one.k);
      from.ahead = nullptr;
    }
    panel(one, runs, from, last);
  }
}

// The loops around the tile: columns by NC, depth by KC, rows by a block of A, then panels of NV vectors, runs of rows.
struct Loops {
  Cut cols, depth;
  size_t deep;  // the deepest block
  Cut rows;
  bool pack_a;
  explicit Loops(const Product& g)
      : cols(g.n, NC, size_t(NV) * N),
        depth(g.k, KC, chain),
        deep(depth.largest() < g.k ? depth.largest() : g.k),
        rows(g.m, AREA / (deep + 1) / PR * MR, MR),
        pack_a(worth_packing(g.a_row, g.a_k, g.n)) {}
  f32* room_a() const {
    if (!pack_a) return nullptr;
    return static_cast<f32*>(scratch((rows.largest() + MR - 1) / MR * PR * deep * sizeof(f32), 1));
  }
  static f32* room_b(size_t columns, size_t deep) {
    return static_cast<f32*>(scratch(columns * deep * sizeof(f32), 2));
  }
  size_t depths() const { return depth.parts ? depth.parts : 1; }
  Product slab(const Product& g, size_t pc) const { return depth.parts ? g.deep(depth.at(pc), depth.size(pc)) : g; }
};

inline void multiply(const Product& g) {
  if (g.c_col != 1 && g.n > 1) return multiply_apart(g);
  if (g.m <= size_t(SLIVER) && g.n >= size_t(N) && g.b_k == 1 && g.b_col != 1 && !(g.add && g.n % N))
    return multiply_sliver(sliver_of_columns(g), g.m, g.finish);
  if (few_columns(g)) return multiply_columns(g);
  if (worth_turning(g)) return multiply_turned(g);
  if (worth_sweeping(g)) return multiply_swept(g);
  if (g.b_col == 1 && (g.m <= size_t(MR) || g.k * g.n <= 4096)) return multiply_in_place(g);
  const Loops loops(g);
  const Cut &cols = loops.cols, &rows = loops.rows;
  const bool kept = rows.parts > 1;
  f32* pa = loops.room_a();
  f32* pb = Loops::room_b(kept ? cols.largest() : size_t(NV) * N, loops.deep);
  for (size_t jc = 0; jc < cols.parts; jc++) {
    for (size_t pc = 0; pc < loops.depths(); pc++) {
      const Product slab = loops.slab(g, pc);
      for (size_t ic = 0; ic < rows.parts; ic++) {
        const Product block = slab.part(rows.at(ic), rows.size(ic), cols.at(jc), cols.size(jc));
        if (pa) pack_rows(pa, block, Runs(block.m));
        block_by_panels(block, pa, pb, kept, ic > 0, pc + 1 >= loops.depths());
      }
    }
  }
}

// The same by all threads. B is packed once, by all; then every block of A is a task.
inline void multiply_together(const Product& g) {
  constexpr size_t NR = size_t(NV) * N, group = 4;  // panels that one task packs
  const Loops loops(g);
  const Cut& cols = loops.cols;
  const Cut rows(g.m, loops.rows.largest() < 8 * size_t(MR) ? loops.rows.largest() : 8 * size_t(MR), MR);
  f32* pb = Loops::room_b(cols.largest(), loops.deep);
  for (size_t jc = 0; jc < cols.parts; jc++) {
    for (size_t pc = 0; pc < loops.depths(); pc++) {
      const Product slab = loops.slab(g, pc).part(0, g.m, cols.at(jc), cols.size(jc));
      const size_t panels = (slab.n + NR - 1) / NR;
      parallel((panels + group - 1) / group, [&](size_t task) {
        const size_t from = task * group * NR, whole = (slab.n - from) / NR;
        const f32* b = slab.b + ptrdiff_t(from) * slab.b_col;
        if (slab.b_col == 1 && whole >= group)
          return pack_beside(pb + from * slab.k, NR, b, slab.b_k, slab.k, group, NR, group);
        for (size_t j = from; j < slab.n && j < from + group * NR; j += NR) {
          pack(pb + j * slab.k, slab.b + ptrdiff_t(j) * slab.b_col, slab.b_col, slab.b_k,
               slab.n - j < NR ? slab.n - j : NR, slab.k);
        }
      });
      parallel(rows.parts, [&](size_t task) {
        const Product block = slab.part(rows.at(task), rows.size(task), 0, slab.n);
        f32* pa = loops.room_a();
        if (pa) pack_rows(pa, block, Runs(block.m));
        block_by_panels(block, pa, pb, true, true, pc + 1 >= loops.depths());
      });
    }
  }
}

// C as the transpose of Bt At: the vectors run along the rows of C, so that A is turned or read in place instead of B,
// and tiles of the result are turned on their way out. Pays where A is the smaller one, or its rows lie side by side
// and C has few columns.
inline bool worth_turning(const Product& g) {
  if (g.m < size_t(N) || g.k < 64 || g.k > 2048 || (g.b_k == 1 && g.b_col % 1024 == 0)) return false;
  if (g.b_k == 1 && g.b_col != 1) return 2 * g.m <= g.n && (g.a_row == 1 || g.a_k == 1);
  return g.a_row == 1 && g.n <= size_t(MR) && g.n % N != 0;
}

inline void multiply_turned(const Product& g) {
  constexpr size_t wide = size_t(NV) * N, high = 8 * size_t(MR) / N * N;
  f32 copy[high * wide];  // a block of the transpose of C, in L1
  const bool turned = g.a_row != 1;
  f32* packed = turned ? static_cast<f32*>(scratch((g.m + wide - 1) / wide * wide * g.k * sizeof(f32), 2)) : nullptr;
  for (size_t i = 0; turned && i < g.m; i += wide) {
    pack(packed + i * g.k, g.a + ptrdiff_t(i) * g.a_row, g.a_row, g.a_k, g.m - i < wide ? g.m - i : wide, g.k);
  }
  // B comes from memory once: all of A passes by each block of its columns.
  for (size_t j = 0; j < g.n; j += high) {
    for (size_t i = 0; i < g.m; i += wide) {
      const size_t rows = g.m - i < wide ? g.m - i : wide, cols = g.n - j < high ? g.n - j : high;
      const f32* a = g.a + ptrdiff_t(i) * g.a_row;
      f32* c = g.c + ptrdiff_t(i) * g.c_row + ptrdiff_t(j);
      for (size_t r = 0; g.add && r < rows; r += N) {
        turn<false>(copy + r, wide, c + ptrdiff_t(r) * g.c_row, g.c_row, rows - r < size_t(N) ? rows - r : N, cols);
      }
      const Product t{
          copy, ptrdiff_t(wide), 1, g.b + ptrdiff_t(j) * g.b_col, g.b_col, g.b_k, a, g.a_k, g.a_row, cols, rows,
          g.k,  g.add,           {}};
      panel(t, Runs(cols), {nullptr, turned ? packed + i * g.k : nullptr, Mode::plain, nullptr, 0}, false);
      for (size_t s = 0; s < cols; s += N) {
        turn<false>(c + s, size_t(g.c_row), copy + s * wide, wide, cols - s < size_t(N) ? cols - s : N, rows);
      }
      if (g.finish.some()) finish(c, g.c_row, rows, cols, g.finish.down(i).right(j));
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

}  // namespace nabla::NABLA_ISA
