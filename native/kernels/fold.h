// fold: one value of n elements, joined in an order that is a function of n
// alone. Sixteen lanes, four times side by side, take a block of 1,024 elements
// (16 joins a lane); blocks meet in a binary tree, then the lanes do. The error
// of a sum so grows with log n. A vector of any instruction set is a part of
// the sixteen lanes, hence the same bits on all of them. An element's lane
// depends on its place alone, so zeros behind n elements do not change their
// sum: a softmax over a text has the bits of one over a longer, masked memory.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

// A body that is given as a lambda belongs into the loop, however large.
#define NABLA_INLINE inline __attribute__((always_inline))

constexpr size_t fold_block_size = 1024;

// Where a word lies in a row: all its lanes, or the first n of them.
struct Whole {
  size_t i;
};
struct Part {
  size_t i, n;
};
template <class T>
inline auto get(const T* p, Whole at) {
  return get<width<T>>(p + at.i);
}
template <class T>
inline auto get(const T* p, Part at) {
  return get<width<T>>(p + at.i, at.n);
}
template <class T, class X>
inline void put(T* p, Whole at, X x) {
  put<width<T>>(p + at.i, x);
}
template <class T, class X>
inline void put(T* p, Part at, X x) {
  put<width<T>>(p + at.i, x, at.n);
}
template <class X>
inline constexpr int lanes_of = same<X, V> || same<X, I> || same<X, M> ? N : 1;

// Two values that are joined each with its like.
template <class X>
struct Two {
  X a, b;
};
template <class X>
inline Two<X> operator+(Two<X> s, Two<X> t) {
  return {s.a + t.a, s.b + t.b};
}
template <class X, class Mask>
inline Two<X> select(Mask m, Two<X> s, Two<X> t) {
  return {select(m, s.a, t.a), select(m, s.b, t.b)};
}
template <class X>
inline constexpr int lanes_of<Two<X>> = lanes_of<X>;

template <int h, class X>
inline Two<X> upper(Two<X> t) {
  return {upper<h>(t.a), upper<h>(t.b)};
}

// The first lane of a word, as a word of one lane.
template <class T>
inline Lane<T> single(Lane<T> x) {
  return x;
}
template <class X>
inline auto single(X x) {
  return lane(head(x));
}
template <class X>
inline auto single(Two<X> t) {
  return Two<decltype(single(t.a))>{single(t.a), single(t.b)};
}
struct Alone {
  size_t i;
};
template <class T, class U>
inline void put(T* p, Alone at, Lane<U> x) {
  p[at.i] = T(x.v);
}

// Sixteen values of X.
template <class X>
struct Lanes {
  static constexpr int words = 16 / lanes_of<X>;
  X w[words];
};

// What folding does: join two values; `identity` joined with x is x.
struct Sum {
  template <class X>
  static X identity() {
    return splat<X>(0);
  }
  template <class X>
  static X join(X a, X b) {
    return a + b;
  }
};
template <>
inline Two<V> splat(f64 c) {
  return {splat<V>(c), splat<V>(c)};
}
template <>
inline Two<Lane<f64>> splat(f64 c) {
  return {{c}, {c}};
}
// Drops NaNs that are not last: for rows whose result is NaN anyway when one of
// them is.
struct Peak {
  template <class X>
  static X identity() {
    return splat<X>(-__builtin_inf());
  }
  template <class X>
  static X join(X a, X b) {
    return max(a, b);
  }
};

template <class Op, class X>
inline Lanes<X> join(Lanes<X> a, const Lanes<X>& b) {
#pragma GCC unroll 2
  for (int w = 0; w < Lanes<X>::words; w++) a.w[w] = Op::join(a.w[w], b.w[w]);
  return a;
}

// A binary counter of what was pushed, n <= width lanes each time: level l holds the join of 2^l of them.
template <class Op, class X, size_t width, int levels>
struct Cascade {
  Lanes<X> level[levels][width];
  size_t count = 0;
  void absorb(Lanes<X>* x, int l, size_t n) const {
    for (size_t q = 0; q < n; q++) x[q] = join<Op>(level[l][q], x[q]);
  }
  __attribute__((noinline)) void push(Lanes<X>* x, size_t n) {
    int l = 0;
    for (size_t c = count++; c & 1; c >>= 1) absorb(x, l++, n);
    for (size_t q = 0; q < n; q++) level[l][q] = x[q];
  }
  __attribute__((noinline)) void total(Lanes<X>* x, size_t n) const {
    int l = __builtin_ctzll(count);
    for (size_t q = 0; q < n; q++) x[q] = level[l][q];
    for (size_t c = count >> l >> 1; c; c >>= 1)
      if (l++, c & 1) absorb(x, l, n);
  }
};

template <class Op, class X>
NABLA_INLINE void start(Lanes<X> (&acc)[4]) {
#pragma GCC unroll 4
  for (int q = 0; q < 4; q++)
#pragma GCC unroll 2
    for (int w = 0; w < Lanes<X>::words; w++) acc[q].w[w] = Op::template identity<X>();
}

// Elements [i, end) of sixteen at most, and the identity in lanes behind them.
template <class Op, class X, class F>
NABLA_INLINE Lanes<X> fold_rest(size_t i, size_t end, const F& f) {
  constexpr int L = lanes_of<X>, K = Lanes<X>::words;
  Lanes<X> rest;
#pragma GCC unroll 2
  for (int w = 0; w < K; w++, i += L) {
    rest.w[w] = Op::template identity<X>();
    if (i + L <= end)
      rest.w[w] = f(Whole{i});
    else if constexpr (L > 1)
      if (i < end) rest.w[w] = select(iota() < all_i(i32(end - i)), f(Part{i, end - i}), rest.w[w]);
  }
  return rest;
}
// Elements [i, end) of a block; f(Whole or Part) gives a word of them.
template <class Op, class X, class F>
NABLA_INLINE Lanes<X> fold_block(size_t i, size_t end, const F& f) {
  constexpr int L = lanes_of<X>, K = Lanes<X>::words;
  Lanes<X> acc[4];
  start<Op>(acc);
  for (; i + 64 <= end; i += 64)
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++)
#pragma GCC unroll 2
      for (int w = 0; w < K; w++) acc[q].w[w] = Op::join(acc[q].w[w], f(Whole{i + size_t(q * 16 + w * L)}));
  for (int q = 0; i < end; q++, i += 16) {
    Lanes<X> rest = fold_rest<Op, X>(i, end, f);
#pragma GCC unroll 4
    for (int p = 0; p < 4; p++)
      if (p == q) acc[p] = join<Op>(acc[p], rest);
  }
  return join<Op>(join<Op>(acc[0], acc[1]), join<Op>(acc[2], acc[3]));
}

// Lanes j and j + 8, then + 4, + 2, + 1.
template <class Op, int h, class X>
inline X tree(X x) {
  if constexpr (h == 0)
    return x;
  else
    return tree<Op, h / 2>(Op::join(x, upper<h>(x)));
}
template <class Op, class X>
inline auto tree(Lanes<X> x) {
#pragma GCC unroll 4
  for (int h = Lanes<X>::words / 2; h; h /= 2)
    for (int w = 0; w < h; w++) x.w[w] = Op::join(x.w[w], x.w[w + h]);
  return single(tree<Op, lanes_of<X> / 2>(x.w[0]));
}

template <class Op, class F>
NABLA_INLINE auto fold(size_t n, const F& f) {
  using X = decltype(f(Whole{0}));
  Cascade<Op, X, 1, 44> blocks;
  for (size_t i = 0;;) {
    size_t end = n - i < fold_block_size ? n : i + fold_block_size;
    Lanes<X> x = fold_block<Op, X>(i, end, f);
    if (n <= fold_block_size) return tree<Op>(x);
    Lanes<X> spent = x;
    blocks.push(&spent, 1);
    if ((i = end) == n) {
      blocks.total(&spent, 1);
      return tree<Op>(spent);
    }
  }
}

// Rows whose sums are taken before the first of them is written: a row's tree and what follows from it take their time
// while the next row passes. All of them stay in L1, with what is written and what comes next.
constexpr size_t most_together = 8;
// f(first row, how many) for all rows of c elements.
template <class F>
NABLA_INLINE void together(size_t rows, size_t c, const F& f) {
  const size_t fit = 1 + 2048 / (c + 1), n = fit < most_together ? fit : most_together;
  for (size_t first = 0; first < rows; first += n) f(first, rows - first < n ? rows - first : n);
}

// f(Whole or Part) for every word of n elements of T.
template <class T, class F>
NABLA_INLINE void each(size_t n, const F& f) {
  constexpr size_t W = width<T>;
  size_t i = 0;
  for (; i + W <= n; i += W) f(Whole{i});
  if (i < n) f(Part{i, n - i});
}

}  // namespace nabla::NABLA_ISA
