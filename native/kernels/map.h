// map: y[i] = f(x[i]...) for a flat run. The tail of the run is the same f under a mask.
// f is written with `auto` parameters and sees V for f32, I for i32, M for bool; one Lane<T> each when an f64 takes
// part.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

template <class A, class B>
inline constexpr bool same = false;
template <class A>
inline constexpr bool same<A, A> = true;
template <class T>
inline constexpr bool vectored = same<T, f32> || same<T, i32> || same<T, b8>;

// Lanes in one go of a map over these dtypes.
template <class... T>
inline constexpr int width = (vectored<T> && ...) ? N : 1;

template <int W, class T>
inline auto get(const T* p) {
  if constexpr (W > 1)
    return load(p);
  else if constexpr (same<T, b8>)
    return Yes{*p != b8(0)};
  else
    return Lane<T>{*p};
}
template <int W, class T>
inline auto get(const T* p, size_t n) {
  if constexpr (W > 1)
    return load(p, n);
  else
    return get<1>(p);
}
template <int W, class T, class X>
inline void put(T* p, X x) {
  if constexpr (W > 1)
    store(p, x);
  else
    *p = T(x.v);
}
template <int W, class T, class X>
inline void put(T* p, X x, size_t n) {
  if constexpr (W > 1)
    store(p, x, n);
  else
    put<1>(p, x);
}

template <class F, class Y, class... X>
inline void map(F f, Out<Y> y, In<X>... x) {
  constexpr int W = width<Y, X...>;
  size_t i = 0;
  for (; i + W <= y.n; i += W) put<W>(y.p + i, f(get<W>(x.p + i)...));
  if (i < y.n) put<W>(y.p + i, f(get<W>(x.p + i, y.n - i)...), y.n - i);
}

// A constant in every lane of X.
template <class X>
inline X splat(f64 c) {
  if constexpr (same<X, V>)
    return all(f32(c));
  else if constexpr (same<X, I>)
    return all_i(i32(c));
  else
    return X{decltype(X::v)(c)};
}

}  // namespace nabla::NABLA_ISA
