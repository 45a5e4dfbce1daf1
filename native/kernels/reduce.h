// Reductions of x: [a, r, b] over r into y: [a, b], for any steps of x.
//
// b = 1: each row is folded as in fold.h, in chunks of 65,536 elements that
// meet in a binary tree. b > 1: lanes are columns; 16 rows are added one after
// the other, then meet in binary trees of 64 and of chunks. So the order is a
// function of the extents; what does not lie side by side is first brought
// together in a tile.
#pragma once
#include "fold.h"

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
  static X take(X x, J, X centre) {
    return (x - centre) * (x - centre);
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
  if constexpr (same<One<X>, Lane<i32>>)
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
template <class X, class J>
auto lane_type(Found<X, J>) -> Found<One<X>, Lane<i32>>;
template <class X, class J>
inline void unpack(Found<X, J> f, Found<One<X>, Lane<i32>>* to) {
  One<X> x[lanes_of<X>];
  Lane<i32> i[lanes_of<X>];
  unpack(f.x, x);
  unpack(f.i, i);
  for (int j = 0; j < lanes_of<X>; j++) to[j] = {x[j], i[j]};
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

// p[i] in every lane, nothing where there is no centre
template <class T>
inline Word<T> centre_of(const T* p, size_t i) {
  if constexpr (same<T, b8>)
    return Word<T>{};
  else
    return splat<Word<T>>(p ? f64(p[i]) : 0);
}

template <class T>
using Cube = Strided<In<T>, 3>;
constexpr size_t row_chunk = 65536, column_chunk = 1024, strip = 64;

// to: [rows, cols] with `to_row` between rows. Blocks of 16 by 16 use every
// line of memory whole, whichever step is 1.
template <class T>
inline void collect(T* to, size_t to_row, const T* from, ptrdiff_t row, ptrdiff_t col, size_t rows, size_t cols) {
  for (size_t i = 0; i < rows; i += 16)
    for (size_t j = 0; j < cols; j += 16)
      for (size_t k = i; k < i + 16 && k < rows; k++)
        for (size_t l = j; l < j + 16 && l < cols; l++)
          to[k * to_row + l] = from[ptrdiff_t(k) * row + ptrdiff_t(l) * col];
}

// What is joined: a word of x, or one with its index.
template <class Op, class T>
using Taken = decltype(Op::take(Word<T>{}, ascending<Word<T>>(0), Word<T>{}));

// n times sixteen lanes: of rows, or n = 4 of the 64 columns of a strip
template <class X, int n>
struct Bundle {
  Lanes<X> q[n];
};
template <class Op, class X, int n>
inline Bundle<X, n> join(Bundle<X, n> a, const Bundle<X, n>& b) {
#pragma GCC unroll 4
  for (int q = 0; q < n; q++) a.q[q] = join<Op>(a.q[q], b.q[q]);
  return a;
}

// finish(u, tree of fold(u, 0 .. chunks - 1)) for every unit; a fold reads about `cost` elements
template <class Op, class F, class D>
inline void fold_units(size_t units, size_t chunks, size_t cost, const F& fold, const D& finish) {
  using S = decltype(fold(0, 0));
  S* part = chunks > 1 ? static_cast<S*>(scratch(units * chunks * sizeof(S), 2)) : nullptr;
  spread_rows(units * chunks, cost, [&](size_t begin, size_t end) {
    for (size_t v = begin; v < end; v++)
      if (part)
        part[v] = fold(v / chunks, v % chunks);
      else
        finish(v, fold(v, 0));
  });
  if (!part) return;
  for (size_t u = 0; u < units; u++) {
    Cascade<Op, S> c;
    for (size_t k = 0; k < chunks; k++) c.push(part[u * chunks + k]);
    finish(u, c.total());
  }
}

// Elements [i, end) of rows [a, a + n), n <= group. Rows whose elements do not lie side by side come in groups of 16.
template <class Op, int group, class T>
inline Bundle<Taken<Op, T>, group> fold_rows(const Cube<T>& x, const T* centre, size_t a, size_t n, size_t i,
                                             size_t end) {
  using X = Word<T>;
  T* tile = group == 1 ? nullptr : static_cast<T*>(scratch(group * fold_block_size * sizeof(T), 1));
  Cascade<Op, Bundle<Taken<Op, T>, group>, 8> blocks;
  do {
    size_t stop = end - i < fold_block_size ? end : i + fold_block_size;
    const T* p = x.p + ptrdiff_t(a) * x.step[0] + ptrdiff_t(i) * x.step[1];
    if (tile) collect(tile, fold_block_size, p, x.step[0], x.step[1], n, stop - i);
    Bundle<Taken<Op, T>, group> s;
    for (size_t k = 0; k < group; k++) {
      const T* row = tile ? tile + k * fold_block_size : p;
      X c = centre_of(centre, k < n ? a + k : a);
      s.q[k] = fold_block<Op, Taken<Op, T>>(0, k < n ? stop - i : 0,
                                            [&](auto at) { return Op::take(get(row, at), ascending<X>(i + at.i), c); });
    }
    blocks.push(s);
    i = stop;
  } while (i < end);
  return blocks.total();
}

// done(index in y, one lane)
template <class Op, int group, class T, class D>
inline void reduce_rows(const Cube<T>& x, const T* centre, const D& done) {
  size_t rows = x.extent[0], n = x.extent[1], chunks = n > row_chunk ? (n + row_chunk - 1) / row_chunk : 1;
  auto count = [&](size_t u) { return rows - u * group < group ? rows - u * group : group; };
  auto fold = [&](size_t u, size_t k) {
    return fold_rows<Op, group>(x, centre, u * group, count(u), k * row_chunk,
                                k + 1 < chunks ? (k + 1) * row_chunk : n);
  };
  auto finish = [&](size_t u, const auto& s) {
    for (size_t k = 0; k < count(u); k++) done(u * group + k, tree<Op>(s.q[k]));
  };
  fold_units<Op>((rows + group - 1) / group, chunks, group * (chunks > 1 ? row_chunk : n), fold, finish);
}

template <class Op, class X>
inline Bundle<X, 4> empty_strip() {
  Bundle<X, 4> s;
#pragma GCC unroll 4
  for (int q = 0; q < 4; q++)
#pragma GCC unroll 2
    for (int k = 0; k < Lanes<X>::words; k++) s.q[q].w[k] = Op::template identity<X>();
  return s;
}
// n rows of 64 columns; f(row, Whole or Part of the columns) gives a word of them
template <class Op, class X, class F>
inline Bundle<X, 4> fold_strip(size_t n, const F& f) {
  constexpr int L = lanes_of<X>, K = Lanes<X>::words;
  Bundle<X, 4> acc = empty_strip<Op, X>();
  for (size_t j = 0; j < n; j++)
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++)
#pragma GCC unroll 2
      for (int k = 0; k < K; k++) acc.q[q].w[k] = Op::join(acc.q[q].w[k], f(j, Whole{size_t(q * 16 + k * L)}));
  return acc;
}
// the same of w < 64 columns
template <class Op, class X, class F>
inline Bundle<X, 4> fold_strip(size_t n, size_t w, const F& f) {
  constexpr size_t L = lanes_of<X>;
  Bundle<X, 4> acc = empty_strip<Op, X>();
  for (size_t c = 0; c < w; c += L) {
    X s = Op::template identity<X>();
    if (w - c >= L)
      for (size_t j = 0; j < n; j++) s = Op::join(s, f(j, Whole{c}));
    else
      for (size_t j = 0; j < n; j++) s = Op::join(s, f(j, Part{c, w - c}));
    acc.q[c / 16].w[c % 16 / L] = s;
  }
  return acc;
}

// Rows [i, end) of columns [c, c + w) of x[a].
template <class Op, class T>
inline Bundle<Taken<Op, T>, 4> fold_columns(const Cube<T>& x, const T* centre, size_t a, size_t c, size_t w, size_t i,
                                            size_t end) {
  using X = Word<T>;
  bool direct = x.step[2] == 1;
  T* tile = direct ? nullptr : static_cast<T*>(scratch(16 * strip * sizeof(T), 1));
  Cascade<Op, Bundle<Taken<Op, T>, 4>, 8> blocks;
  const T* middle = centre ? centre + a * x.extent[2] + c : nullptr;
  do {
    size_t n = end - i < 16 ? end - i : 16;
    const T* p = x.p + ptrdiff_t(a) * x.step[0] + ptrdiff_t(i) * x.step[1] + ptrdiff_t(c) * x.step[2];
    if (!direct) collect(tile, strip, p, x.step[1], x.step[2], n, w);
    const T* from = direct ? p : tile;
    ptrdiff_t row = direct ? x.step[1] : ptrdiff_t(strip);
    auto f = [&](size_t j, auto at) {
      X m = middle ? get(middle, at) : X{};
      return Op::take(get(from + ptrdiff_t(j) * row, at), constant<X>(i + j), m);
    };
    blocks.push(w == strip ? fold_strip<Op, Taken<Op, T>>(n, f) : fold_strip<Op, Taken<Op, T>>(n, w, f));
    i += n;
  } while (i < end);
  return blocks.total();
}

template <class Op, class T, class D>
inline void reduce_columns(const Cube<T>& x, const T* centre, const D& done) {
  using Y = Taken<Op, T>;
  size_t n = x.extent[1], b = x.extent[2], strips = (b + strip - 1) / strip;
  size_t chunks = n > column_chunk ? (n + column_chunk - 1) / column_chunk : 1;
  auto fold = [&](size_t u, size_t k) {
    size_t c = u % strips * strip;
    return fold_columns<Op>(x, centre, u / strips, c, b - c < strip ? b - c : strip, k * column_chunk,
                            k + 1 < chunks ? (k + 1) * column_chunk : n);
  };
  auto finish = [&](size_t u, const Bundle<Y, 4>& s) {
    size_t c = u % strips * strip;
    One<Y> lane[strip];
    constexpr int K = Lanes<Y>::words;
    for (int k = 0; k < 4 * K; k++) unpack(s.q[k / K].w[k % K], lane + k * lanes_of<Y>);
    for (size_t j = 0; j < strip && c + j < b; j++) done(u / strips * b + c + j, lane[j]);
  };
  fold_units<Op>(x.extent[0] * strips, chunks, (b < strip ? b : strip) * (chunks > 1 ? column_chunk : n), fold, finish);
}

template <class Op, class T, class D>
inline void reduce(const Cube<T>& x, const T* centre, const D& done) {
  if (x.extent[0] == 0 || x.extent[2] == 0) return;
  if (x.extent[2] > 1) return reduce_columns<Op>(x, centre, done);
  if (x.step[1] == 1 || x.extent[1] <= 1) return reduce_rows<Op, 1>(x, centre, done);
  reduce_rows<Op, 16>(x, centre, done);
}

// s / divisor in f64, rounded once. Integers are not divided.
template <class T>
inline T quotient(T s, f64 divisor) {
  if constexpr (same<T, i32>)
    return s;
  else
    return divisor == 1 ? s : T(f64(s) / divisor);
}

template <class T>
void sum(Out<T> y, Cube<T> x, f64 divisor) {
  reduce<Total, T>(x, nullptr, [&](size_t i, auto s) { y.p[i] = quotient(s.v, divisor); });
}
// y = sum (x - centre)^2 / divisor: a variance when centre is the mean, a
// squared norm without it
template <class T>
void sum_squares(Out<T> y, Cube<T> x, In<T> centre, f64 divisor) {
  reduce<Squares, T>(x, centre.p, [&](size_t i, auto s) { y.p[i] = quotient(s.v, divisor); });
}
#define NABLA_REDUCE(name, Reducer)                                             \
  template <class T>                                                            \
  void name(Out<T> y, Cube<T> x) {                                              \
    reduce<Reducer, T>(x, nullptr, [&](size_t i, auto s) { y.p[i] = T(s.v); }); \
  }
NABLA_REDUCE(prod, Prod)
NABLA_REDUCE(amax, Extreme<1>)
NABLA_REDUCE(amin, Extreme<-1>)
NABLA_REDUCE(any, Truth<false>)
NABLA_REDUCE(all, Truth<true>)
#undef NABLA_REDUCE
#define NABLA_INDEX(name, sign)                                                    \
  template <class T>                                                               \
  void name(Out<i32> y, Cube<T> x) {                                               \
    reduce<Where<sign>, T>(x, nullptr, [&](size_t i, auto s) { y.p[i] = s.i.v; }); \
  }
NABLA_INDEX(argmax, 1)
NABLA_INDEX(argmin, -1)
#undef NABLA_INDEX

}  // namespace nabla::NABLA_ISA
