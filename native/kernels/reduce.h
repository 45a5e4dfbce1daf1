// Reductions of x: [a, r, b] over r into y: [a, b], for any steps of x.
//
// b = 1: each row is folded as in fold.h, in chunks of 65,536 elements that
// meet in a binary tree. b > 1: lanes are columns; 16 rows are added one after
// the other, then meet in binary trees of 64 and of chunks. So the order is a
// function of the extents; what does not lie side by side is first brought
// together in a tile.
#pragma once
#include "fold.h"
#include "pack.h"

namespace nabla::NABLA_ISA {

// A reducer: take(x, index in r, centre) makes a word to be joined, finish(one
// lane) an element of y.
struct Total : Sum {
  template <class X, class J>
  static X take(X x, J, X) {
    return x;
  }
};
struct Squares : Sum {
  template <class X, class J>
  static X take(X x, J, X) {
    return x * x;
  }
};
struct Deviations : Sum {
  template <class X, class J>
  static Two<X> take(X x, J, X centre) {
    X d = x - centre;
    return {d, d * d};
  }
};
struct Prod : Total {
  template <class X>
  static X identity() {
    return splat<X>(1);
  }
  template <class X>
  static X join(X a, X b) {
    return a * b;
  }
};

// The end of the order that every number is above (sign = 1) or below (sign =
// -1).
template <class X>
inline X edge(int sign) {
  if constexpr (same<X, I> || same<X, Lane<i32>>)
    return splat<X>(sign > 0 ? INT32_MIN : INT32_MAX);
  else
    return splat<X>(-sign * __builtin_inf());
}
// A NaN is the answer.
template <int sign>
struct Extreme : Total {
  template <class X>
  static X identity() {
    return edge<X>(sign);
  }
  template <class X>
  static X join(X a, X b) {
    return select(a == a, sign > 0 ? max(a, b) : min(a, b), a);
  }
};
template <bool empty>
struct Truth : Total {
  template <class X>
  static X identity() {
    if constexpr (same<X, Yes>)
      return Yes{empty};
    else
      return empty ? all_i(0) == all_i(0) : all_i(0) != all_i(0);
  }
  template <class X>
  static X join(X a, X b) {
    return empty ? a & b : a | b;
  }
};

// A value and where it was found.
template <class X, class J>
struct Found {
  X x;
  J i;
};
template <class X, class J>
inline constexpr int lanes_of<Found<X, J>> = lanes_of<X>;
template <int h, class X, class J>
inline Found<X, J> upper(Found<X, J> f) {
  return {upper<h>(f.x), upper<h>(f.i)};
}
template <class X, class J>
inline auto single(Found<X, J> f) {
  return Found<decltype(single(f.x)), Lane<i32>>{single(f.x), single(f.i)};
}
template <class Mask, class X, class J>
inline Found<X, J> select(Mask m, Found<X, J> a, Found<X, J> b) {
  return {select(m, a.x, b.x), select(m, a.i, b.i)};
}
// The first of the extremes; a NaN is beyond every number.
template <int sign>
struct Where {
  template <class F>
  static F identity() {
    return {edge<decltype(F::x)>(sign), splat<decltype(F::i)>(INT32_MAX)};
  }
  template <class F>
  static F join(F a, F b) {
    auto nan_a = a.x != a.x, nan_b = b.x != b.x;
    auto beyond = (sign > 0 ? b.x > a.x : b.x < a.x) | (nan_b & ~nan_a);
    auto tie = (a.x == b.x) | (nan_a & nan_b);
    return select(beyond | (tie & (b.i < a.i)), b, a);
  }
  template <class X, class J>
  static Found<X, J> take(X x, J i, X) {
    return {x, i};
  }
};

// i, i + 1, ... beside the lanes of X, or i in each
template <class X>
inline auto ascending(size_t i) {
  if constexpr (lanes_of<X> == 1)
    return Lane<i32>{i32(i)};
  else
    return iota() + all_i(i32(i));
}
template <class X>
inline auto constant(size_t i) {
  if constexpr (lanes_of<X> == 1)
    return Lane<i32>{i32(i)};
  else
    return all_i(i32(i));
}

// *p in every lane, nothing where there is no centre
template <class T>
inline Word<T> centre_of(const T* p) {
  if constexpr (same<T, b8>)
    return Word<T>{};
  else
    return splat<Word<T>>(p ? f64(*p) : 0);
}

template <class T>
using Cube = Strided<In<T>, 3>;

// to[i * to_row + j] = from[i * row + j * col]. Blocks of 16 by 16 use every line of memory whole, whichever step is 1.
template <class T>
inline void collect(T* to, size_t to_row, const T* from, ptrdiff_t row, ptrdiff_t col, size_t rows, size_t cols) {
  if constexpr (same<T, f32> && N > 1)
    if (row == 1) {
      for (size_t j = 0; j < cols; j += N)
        turn<true>(to + j, to_row, from + ptrdiff_t(j) * col, col, cols - j < N ? cols - j : N, rows);
      return;
    }
  for (size_t i = 0; i < rows; i += 16)
    for (size_t j = 0; j < cols; j += 16)
      for (size_t k = i; k < i + 16 && k < rows; k++)
        for (size_t l = j; l < j + 16 && l < cols; l++)
          to[k * to_row + l] = from[ptrdiff_t(k) * row + ptrdiff_t(l) * col];
}

// What is joined: a word of x, or one with its index.
template <class Op, class T>
using Taken = decltype(Op::take(Word<T>{}, ascending<Word<T>>(0), Word<T>{}));

// What one task does depends on the extents alone. A unit is a strip of 64 columns, one row, or 16 rows to be
// collected.
struct Plan {
  bool columns;
  size_t group, across, units;  // columns or rows of a unit, units along b, units in all
  size_t block, chunk, chunks;  // lengths along r
};
template <class T>
inline Plan plan(const Cube<T>& x) {
  size_t a = x.extent[0], r = x.extent[1], b = x.extent[2];
  Plan p;
  p.columns = b > 1;
  p.group = p.columns ? 64 : x.step[1] == 1 || r <= 1 ? 1 : 16;
  p.across = p.columns ? (b + 63) / 64 : 1;
  p.units = p.columns ? a * p.across : (a + p.group - 1) / p.group;
  p.block = p.columns ? 16 : fold_block_size;
  p.chunk = 64 * p.block;
  p.chunks = r > p.chunk ? (r + p.chunk - 1) / p.chunk : 1;
  return p;
}

// lanes: of elements [i, i + n) of a row that lies at p
template <class Op, class T>
__attribute__((noinline)) void fold_row(Lanes<Taken<Op, T>>* lanes, const T* p, const T* centre, size_t i, size_t n) {
  using X = Word<T>;
  X c = centre_of(centre);
  *lanes = fold_block<Op, Taken<Op, T>>(0, n, [&](auto at) { return Op::take(get(p, at), ascending<X>(i + at.i), c); });
}

// lanes[4]: of rows [i, i + n) of w <= 64 columns, the first row at p; words beyond w are left alone
template <class Op, class T>
__attribute__((noinline)) void fold_strip(Lanes<Taken<Op, T>>* lanes, const T* p, ptrdiff_t step, const T* centre,
                                          size_t i, size_t n, size_t w) {
  using X = Word<T>;
  using Y = Taken<Op, T>;
  constexpr size_t L = lanes_of<Y>, K = Lanes<Y>::words;
  auto take = [&](size_t j, auto at) {
    return Op::take(get(p + ptrdiff_t(j) * step, at), constant<X>(i + j), centre ? get(centre, at) : X{});
  };
  if (w == 64) {
    Lanes<Y> acc[4];
    start<Op>(acc);
    for (size_t j = 0; j < n; j++)
#pragma GCC unroll 4
      for (size_t q = 0; q < 4; q++) {
        prefetch(p + ptrdiff_t(j) * step + 64 + q * 16);  // the next strip: a quarter faster when rows are few
#pragma GCC unroll 2
        for (size_t k = 0; k < K; k++) acc[q].w[k] = Op::join(acc[q].w[k], take(j, Whole{q * 16 + k * L}));
      }
    for (size_t q = 0; q < 4; q++) lanes[q] = acc[q];
    return;
  }
  for (size_t c = 0; c < w; c += L) {
    Y y = Op::template identity<Y>();
    if (w - c >= L)
      for (size_t j = 0; j < n; j++) y = Op::join(y, take(j, Whole{c}));
    else
      for (size_t j = 0; j < n; j++) y = Op::join(y, take(j, Part{c, w - c}));
    lanes[c / 16].w[c % 16 / L] = y;
  }
}

// Where a unit lies: slice or first row a, first column c, `count` rows or columns in `lanes` times sixteen lanes.
struct Unit {
  size_t a, c, count, lanes;
};
template <class T>
inline Unit unit(const Plan& p, const Cube<T>& x, size_t u) {
  size_t a = p.columns ? u / p.across : u * p.group, c = p.columns ? u % p.across * 64 : 0;
  size_t left = p.columns ? x.extent[2] - c : x.extent[0] - a, count = left < p.group ? left : p.group;
  return {a, c, count, p.columns ? (count + 15) / 16 : count};
}

// lanes: of elements [i, i + n) of a unit, n <= the block of the plan
template <class Op, class T>
inline void fold_unit(Lanes<Taken<Op, T>>* lanes, const Plan& p, const Unit& u, const Cube<T>& x, const T* centre,
                      size_t i, size_t n) {
  const T* from = x.p + ptrdiff_t(u.a) * x.step[0] + ptrdiff_t(i) * x.step[1] + ptrdiff_t(u.c) * x.step[2];
  ptrdiff_t step = p.columns ? x.step[1] : x.step[0];
  bool apart = p.columns ? x.step[2] != 1 : p.group > 1;
  if (apart) {
    size_t row = p.columns ? 64 : fold_block_size;
    T* tile = static_cast<T*>(scratch(16 * fold_block_size * sizeof(T), 1));
    if (p.columns)
      collect(tile, row, from, x.step[1], x.step[2], n, u.count);
    else
      collect(tile, row, from, x.step[0], x.step[1], u.count, n);
    from = tile;
    step = ptrdiff_t(row);
  }
  const T* at = centre ? centre + u.a * x.extent[2] + u.c : nullptr;
  if (p.columns) return fold_strip<Op>(lanes, from, step, at, i, n, u.count);
  for (size_t k = 0; k < u.count; k++) fold_row<Op>(lanes + k, from + ptrdiff_t(k) * step, at ? at + k : nullptr, i, n);
}

// lanes: of elements [i, end) of a unit, one chunk at most
template <class Op, class T>
inline void fold_chunk(Lanes<Taken<Op, T>>* lanes, const Plan& p, const Unit& u, const Cube<T>& x, const T* centre,
                       size_t i, size_t end) {
  // Lanes beyond the last column count for nothing, but a bool that was never written must not be read.
  if constexpr (same<T, b8>)
    for (size_t k = 0; k < u.lanes; k++)
      for (auto& w : lanes[k].w) w = Op::template identity<Taken<Op, T>>();
  if (end - i <= p.block) return fold_unit<Op>(lanes, p, u, x, centre, i, end - i);
  Cascade<Op, Taken<Op, T>, 16, 8> blocks;
  for (; i < end; i += p.block) {
    fold_unit<Op>(lanes, p, u, x, centre, i, end - i < p.block ? end - i : p.block);
    blocks.push(lanes, u.lanes);
  }
  blocks.total(lanes, u.lanes);
}

// done(place in y, word) with what the lanes of a unit come to
template <class Op, class Y, class D>
inline void finish(const Lanes<Y>* lanes, const Plan& p, const Unit& u, size_t b, const D& done) {
  constexpr size_t L = lanes_of<Y>;
  if (!p.columns)
    for (size_t k = 0; k < u.count; k++) done(Alone{u.a + k}, tree<Op>(lanes[k]));
  else
    for (size_t j = 0, y = u.a * b + u.c; j < u.count; j += L) {
      const Y& word = lanes[j / 16].w[j % 16 / L];
      if (u.count - j >= L)
        done(Whole{y + j}, word);
      else
        done(Part{y + j, u.count - j}, word);
    }
}

template <class Op, class T, class D>
inline void reduce(const Cube<T>& x, const T* centre, const D& done) {
  using S = Lanes<Taken<Op, T>>;
  if (x.extent[0] == 0 || x.extent[2] == 0) return;
  Plan p = plan(x);
  size_t r = x.extent[1], b = x.extent[2];
  // part[unit][chunk][16]: chunks meet in a binary tree, chunk k with chunk k + 1, then k + 2, k + 4 ...
  S* part = p.chunks > 1 ? static_cast<S*>(scratch(p.units * p.chunks * 16 * sizeof(S), 2)) : nullptr;
  spread_rows(p.units * p.chunks, (p.columns && b < 64 ? b : p.group) * (r < p.chunk ? r : p.chunk),
              [&](size_t begin, size_t end) {
                for (size_t v = begin; v < end; v++) {
                  S lanes[16];
                  Unit u = unit(p, x, v / p.chunks);
                  size_t i = v % p.chunks * p.chunk, stop = r - i < p.chunk ? r : i + p.chunk;
                  fold_chunk<Op>(part ? part + v * 16 : lanes, p, u, x, centre, i, stop);
                  if (!part) finish<Op>(lanes, p, u, b, done);
                }
              });
  for (size_t v = 0; part && v < p.units; v++) {
    Unit u = unit(p, x, v);
    S* first = part + v * p.chunks * 16;
    for (size_t h = 1; h < p.chunks; h *= 2)
      for (size_t k = 0; k + h < p.chunks; k += 2 * h)
        for (size_t q = 0; q < u.lanes; q++) first[k * 16 + q] = join<Op>(first[k * 16 + q], first[(k + h) * 16 + q]);
    finish<Op>(first, p, u, b, done);
  }
}

// s / divisor; integers are not divided
template <class X>
inline X quotient(X s, f64 divisor) {
  if constexpr (same<X, I> || same<X, Lane<i32>>)
    return s;
  else
    return s / splat<X>(divisor);
}
// Indices of an f64 reduction come one at a time.
template <class At, class J>
inline void put_index(i32* y, At at, J i) {
  if constexpr (same<J, Lane<i32>>)
    y[at.i] = i.v;
  else
    put(y, at, i);
}

template <class T>
void sum(Out<T> y, Cube<T> x, f64 divisor) {
  reduce<Total, T>(x, nullptr, [&](auto at, auto s) { put(y.p, at, quotient(s, divisor)); });
}
// y = sum (x - centre)^2 / divisor: a variance when centre is the mean, a squared norm without it. What rounding has
// put into the mean is taken out again, so the variance of equal numbers is 0: with m = mean + e and d = x - m,
// sum (x - mean)^2 = sum d^2 - (sum d)^2 / n.
template <class T>
void sum_squares(Out<T> y, Cube<T> x, In<T> centre, f64 divisor) {
  if (!centre.p) return reduce<Squares, T>(x, nullptr, [&](auto at, auto s) { put(y.p, at, quotient(s, divisor)); });
  const f64 n = f64(x.extent[1]);
  reduce<Deviations, T>(x, centre.p, [&](auto at, auto s) {
    using X = decltype(s.a);
    put(y.p, at, quotient(max(splat<X>(0), s.b - s.a * s.a / splat<X>(n)), divisor));
  });
}
#define NABLA_REDUCE(name, Reducer)                                            \
  template <class T>                                                           \
  void name(Out<T> y, Cube<T> x) {                                             \
    reduce<Reducer, T>(x, nullptr, [&](auto at, auto s) { put(y.p, at, s); }); \
  }
NABLA_REDUCE(prod, Prod)
NABLA_REDUCE(amax, Extreme<1>)
NABLA_REDUCE(amin, Extreme<-1>)
NABLA_REDUCE(any, Truth<false>)
NABLA_REDUCE(all, Truth<true>)
#undef NABLA_REDUCE
#define NABLA_INDEX(name, sign)                                                            \
  template <class T>                                                                       \
  void name(Out<i32> y, Cube<T> x) {                                                       \
    reduce<Where<sign>, T>(x, nullptr, [&](auto at, auto s) { put_index(y.p, at, s.i); }); \
  }
NABLA_INDEX(argmax, 1)
NABLA_INDEX(argmin, -1)
#undef NABLA_INDEX

}  // namespace nabla::NABLA_ISA
