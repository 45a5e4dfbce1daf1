// What the kernels of attention share: which keys a query looks at, and products of a block of queries with panels of
// keys. A matrix of all queries by all keys never exists.
//
// Queries go in groups of 12, keys of a group as far as the furthest of it looks; beyond its own end a row holds zeros.
// The 12 is numerics, not tuning: a zero times an infinite value is not a number on every instruction set alike.
#pragma once
#include "gemm.h"
#include "rows.h"

namespace nabla::NABLA_ISA {

constexpr size_t group_rows = 12;              // two tiles of 6 rows, three of 4, or one of 12
constexpr size_t block_rows = 4 * group_rows;  // their scores stay in L2, and a panel of keys in L1
constexpr size_t strip = size_t(NV) * N;

// q [b, heads, queries, e], k [b, shared, keys, e], v [b, shared, keys, w]: query heads h with h shared / heads = g
// look at head g of the keys. A query looks where mask is true, and at the keys up to its own number alone if causal.
template <class T>
struct Heads {
  Strided<In<T>, 4> q, k, v;
  Strided<In<b8>, 4> mask;
  bool causal;
  T scale;

  size_t queries() const { return q.extent[2]; }
  size_t keys() const { return k.extent[2]; }
  size_t first_of(size_t g) const {
    const size_t h = (g * q.extent[1] + k.extent[1] - 1) / k.extent[1];
    return h < q.extent[1] ? h : q.extent[1];
  }
  // Row i looks at some of the keys 0 .. far - 1.
  size_t far(size_t b, size_t h, size_t i) const {
    size_t n = causal && i < keys() ? i + 1 : keys();
    if (!mask.p) return n;
    const b8* m = at(mask, b, h, i, 0);
    while (mask.step[3] == 1 && n >= size_t(N) && !any(load(m + n - N))) n -= N;
    while (n && m[ptrdiff_t(n - 1) * mask.step[3]] == b8(0)) n--;
    return n;
  }
  // Scores of row i that mask takes out become -inf.
  void hide(T* s, size_t n, size_t b, size_t h, size_t i) const {
    if (!mask.p) return;
    const b8* m = at(mask, b, h, i, 0);
    const T none = -T(__builtin_inf());
    for (size_t j = 0; j < n; j++) s[j] = m[ptrdiff_t(j) * mask.step[3]] == b8(0) ? none : s[j];
  }
};

// Nothing is computed where sizes overflow: memory for it does not exist.
inline void refuse_overflow(const Strided<In<f32>, 4>& q, const Strided<In<f32>, 4>& k, size_t w) {
  f64 work = f64(w + q.extent[3] + 64) * f64(q.extent[2] + 64) * f64(k.extent[2] + 64);
  if (work * f64(q.extent[0] + 1) * f64(q.extent[1] + 1) * f64(k.extent[1] + 1) > 1e18) scratch(size_t(1) << 62, 1);
}

// Rows first .. first + rows - 1 of a head, and how far they, their groups and all of them look.
struct Block {
  size_t b, h, first, rows, groups, most = 0;
  size_t far[block_rows], reach[block_rows / group_rows] = {};
  Block(const Heads<f32>& x, size_t b, size_t h, size_t first)
      : b(b),
        h(h),
        first(first),
        rows(x.queries() - first < block_rows ? x.queries() - first : block_rows),
        groups((rows + group_rows - 1) / group_rows) {
    for (size_t r = 0; r < rows; r++) {
      far[r] = x.far(b, h, first + r);
      size_t& group = reach[r / group_rows];
      group = far[r] > group ? far[r] : group;
      most = far[r] > most ? far[r] : most;
    }
  }
  size_t end_of(size_t group) const { return group * group_rows < rows ? group * group_rows : rows; }
};

// Steps of rows and columns of a matrix.
struct Steps {
  ptrdiff_t row, col;
};

// c [m, n] (+)= a [m, k] b [k, n]: c and b with rows c_row and b_row apart.
inline void multiply(f32* c, size_t c_row, const f32* a, Steps step, const f32* b, size_t b_row, size_t m, size_t n,
                     size_t k, bool add) {
  const Runs runs(m);
  for (size_t j = 0; m && j < n; j += strip) {
    const Product g{c + j,
                    ptrdiff_t(c_row),
                    1,
                    a,
                    step.row,
                    step.col,
                    b + j,
                    ptrdiff_t(b_row),
                    1,
                    m,
                    n - j < strip ? n - j : strip,
                    k,
                    add,
                    {}};
    panel(g, runs, {nullptr, nullptr, Mode::plain, nullptr, 0}, true);
  }
}

// x [rows, depth] turned: strips of rows, each [depth, strip], the last as wide as whole vectors make it.
inline void turn_strips(f32* out, const f32* x, Steps step, size_t rows, size_t depth) {
  for (size_t j = 0; j < rows; j += strip) {
    pack(out + j * depth, x + ptrdiff_t(j) * step.row, step.row, step.col, rows - j < strip ? rows - j : strip, depth);
  }
}
inline size_t turned_size(size_t rows, size_t depth) { return (rows + strip - 1) / strip * strip * depth; }

// out [rows, depth] = x scale; x itself where it lies so already and scale is 1.
inline const f32* straight(f32* out, const f32* x, Steps step, size_t rows, size_t depth, f32 scale = 1) {
  if (scale == 1 && step.col == 1 && step.row == ptrdiff_t(depth)) return x;
  const V s = all(scale);
  for (size_t i = 0; i < rows; i++, x += step.row) {
    f32* to = out + i * depth;
    if (step.col == 1)
      each<f32>(depth, [&](auto at) { put(to, at, get(x, at) * s); });
    else
      for (size_t j = 0; j < depth; j++) to[j] = x[ptrdiff_t(j) * step.col] * scale;
  }
  return out;
}

// What products of attention multiply: numbers, or (narrow.h) pairs of bf16. words(n) of them hold n terms; run(n) of
// them a row of n that stand below one another; rows(), below() and pairs() write operands as words, each where it lies
// if it is words already.
struct Wide {
  static constexpr size_t words(size_t n) { return n; }
  static constexpr size_t run(size_t n) { return n; }
  static constexpr size_t room(size_t) { return 0; }  // for n words beside the numbers
  static void turn(f32* out, const f32* x, Steps step, size_t rows, size_t depth) {
    turn_strips(out, x, step, rows, depth);
  }
  // x [rows, depth], rows x_row apart, as [rows, words(x_row)]
  static const f32* rows(f32*, const f32* x, size_t, size_t, size_t) { return x; }
  // x [rows, width] as [words(rows), run(width)]: terms of a word below one another
  static const f32* below(f32* out, const f32* x, Steps step, size_t rows, size_t width) {
    return straight(out, x, step, rows, width);
  }
  // The same of rows x_row apart.
  static const f32* pairs(f32*, const f32* x, size_t, size_t, size_t) { return x; }
  static void multiply(f32* c, size_t c_row, const f32* a, Steps step, const f32* b, size_t b_row, size_t m, size_t n,
                       size_t k, bool add) {
    NABLA_ISA::multiply(c, c_row, a, step, b, b_row, m, n, k, add);
  }
};

// s [rows, keys] = a [rows, depth] times turned strips of keys, as far as each group of rows looks; depth in words.
template <class W>
inline void scores(const Block& x, f32* s, size_t s_row, const f32* a, const f32* strips, size_t depth, size_t keys) {
  for (size_t j = 0; j < x.most; j += strip) {
    const size_t width = keys - j < strip ? keys - j : strip, run = (width + N - 1) / N * N;
    for (size_t g = 0, end; g < x.groups; g = end) {
      const size_t n = x.reach[g] <= j ? 0 : x.reach[g] - j < width ? x.reach[g] - j : width;
      end = g + 1;
      while (end < x.groups && n == width && x.reach[end] >= j + width) end++;
      const size_t top = x.end_of(g);
      W::multiply(s + top * s_row + j, s_row, a + top * depth, {ptrdiff_t(depth), 1}, strips + j * depth, run,
                  x.end_of(end) - top, n, depth, false);
    }
  }
}

// Rows of scores are an odd number of lines apart: columns of them meet all sets of the cache.
inline size_t score_row(size_t keys) { return ((keys + 15) / 16 | 1) * 16; }

}  // namespace nabla::NABLA_ISA
