// Elementwise functions of one, two and three numbers.
#pragma once
#include "../simd/math.h"
#include "arithmetic.h"

namespace nabla::NABLA_ISA {

NABLA_UNARY(exp, exp(x))
NABLA_UNARY(exp2, exp2(x))
NABLA_UNARY(expm1, expm1(x))
NABLA_UNARY(log, log(x))
NABLA_UNARY(log2, log2(x))
NABLA_UNARY(log10, log10(x))
NABLA_UNARY(log1p, log1p(x))
NABLA_UNARY(rsqrt, splat<decltype(x)>(1) / sqrt(x))
NABLA_UNARY(reciprocal, splat<decltype(x)>(1) / x)
NABLA_UNARY(sin, sin(x))
NABLA_UNARY(cos, cos(x))
NABLA_UNARY(tan, tan(x))
NABLA_UNARY(asin, asin(x))
NABLA_UNARY(acos, acos(x))
NABLA_UNARY(atan, atan(x))
NABLA_UNARY(sinh, sinh(x))
NABLA_UNARY(cosh, cosh(x))
NABLA_UNARY(asinh, asinh(x))
NABLA_UNARY(acosh, acosh(x))
NABLA_UNARY(atanh, atanh(x))
NABLA_UNARY(erf, erf(x))
NABLA_UNARY(erfc, erfc(x))
NABLA_UNARY(erfinv, erfinv(x))
NABLA_UNARY(floor, floor(x))
NABLA_UNARY(ceil, ceil(x))
NABLA_UNARY(round, round(x))
NABLA_UNARY(trunc, trunc(x))
NABLA_UNARY(frac, x - trunc(x))
NABLA_UNARY(logit, log(x / (splat<decltype(x)>(1) - x)))
NABLA_BINARY(pow, pow(a, b))
NABLA_BINARY(atan2, atan2(a, b))

// -1, 0 or 1; PyTorch's sign of NaN is 0
template <class X>
inline X sign(X x) {
  X zero = splat<X>(0), one = splat<X>(1);
  return select(x > zero, one, select(x < zero, -one, zero));
}
NABLA_UNARY(sign, sign(x))

template <class T>
void signbit(Out<b8> y, In<T> x) {
  map([](auto x) { return copysign(splat<decltype(x)>(1), x) < splat<decltype(x)>(0); }, y, x);
}

// sin(pi x) / (pi x), 1 at 0
template <class X>
inline X sinc(X x) {
  X z = x * splat<X>(3.141592653589793);
  return select(x == splat<X>(0), splat<X>(1), sin(z) / z);
}
NABLA_UNARY(sinc, sinc(x))

// sqrt(a^2 + b^2) = m sqrt(1 + (n / m)^2), so that no square overflows; inf beside NaN is inf
template <class X>
inline X hypot(X a, X b) {
  X p = abs(a), q = abs(b), m = max(p, q), t = min(p, q) / m, inf = splat<X>(__builtin_inf());
  X y = m * sqrt(fma(t, t, splat<X>(1)));
  y = select((a == splat<X>(0)) & (b == splat<X>(0)), m, select(a == a, y, a));
  return select((p == inf) | (q == inf), inf, y);
}
NABLA_BINARY(hypot, hypot(a, b))

// log(e^a + e^b) = max + log(1 + e^-|a - b|); equal infinities differ by NaN
template <class X>
inline X logaddexp(X a, X b) {
  X d = select(a == b, splat<X>(0), -abs(a - b));
  return select(a == a, max(a, b), a) + log1p(exp(d));
}
NABLA_BINARY(logaddexp, logaddexp(a, b))

// a log b, 0 where a is 0 and b is a number
template <class X>
inline X xlogy(X a, X b) {
  return select((a == splat<X>(0)) & (b == b), splat<X>(0), a * log(b));
}
NABLA_BINARY(xlogy, xlogy(a, b))

// The rest of a whole division with the sign of b
template <class X>
inline X remainder(X a, X b) {
  X r = fmod(a, b), zero = splat<X>(0);
  return select((r != zero) & ((r < zero) ^ (b < zero)), r + b, r);
}
// floor(a / b) of the exact quotient: (a - rest) / b is whole but for its rounding
template <class X>
inline X floor_divide(X a, X b) {
  X zero = splat<X>(0), r = fmod(a, b), q = (a - r) / b;
  q = round(select((r != zero) & ((r < zero) ^ (b < zero)), q - splat<X>(1), q));
  return select(b == zero, a / b, select(q == zero, copysign(zero, a / b), q));
}
template <class X>
inline X trunc_divide(X a, X b) {
  return trunc(a / b);
}
// Integers: x / 0 is 0 and leaves all of x; INT_MIN / -1 wraps.
inline Lane<i32> trunc_divide(Lane<i32> a, Lane<i32> b) { return b.v == 0 ? b : b.v == -1 ? -a : Lane<i32>{a.v / b.v}; }
inline Lane<i32> fmod(Lane<i32> a, Lane<i32> b) { return a - trunc_divide(a, b) * b; }
inline Lane<i32> remainder(Lane<i32> a, Lane<i32> b) {
  Lane<i32> r = fmod(a, b);
  return b.v != 0 && r.v != 0 && (r.v < 0) != (b.v < 0) ? r + b : r;
}
inline Lane<i32> floor_divide(Lane<i32> a, Lane<i32> b) { return trunc_divide(a - remainder(a, b), b); }

#define NABLA_DIVISION(name)                                                        \
  template <class T>                                                                \
  void name(Out<T> y, In<T> a, In<T> b) {                                           \
    if constexpr (same<T, i32>)                                                     \
      for (size_t i = 0; i < y.n; i++) y.p[i] = name(lane(a.p[i]), lane(b.p[i])).v; \
    else                                                                            \
      map([](auto a, auto b) { return name(a, b); }, y, a, b);                      \
  }
NABLA_DIVISION(fmod)
NABLA_DIVISION(remainder)
NABLA_DIVISION(floor_divide)
NABLA_DIVISION(trunc_divide)
#undef NABLA_DIVISION

// a + w (b - a), from the nearer end, so that w = 1 gives b
template <class T>
void lerp(Out<T> y, In<T> a, In<T> b, In<T> w) {
  map(
      [](auto a, auto b, auto w) {
        using X = decltype(a);
        X one = splat<X>(1), d = b - a;
        return select(abs(w) < splat<X>(0.5), a + w * d, b - d * (one - w));
      },
      y, a, b, w);
}

// low <= x <= high, high where they cross; NaN in any of the three is the answer
template <class T>
void clamp(Out<T> y, In<T> x, In<T> low, In<T> high) {
  map(
      [](auto x, auto low, auto high) {
        auto y = min(max(low, x), high);
        return select(x == x, select(low == low, y, low), x);
      },
      y, x, low, high);
}

template <class T>
void nan_to_num(Out<T> y, In<T> x, T nan, T above, T below) {
  map(
      [=](auto x) {
        using X = decltype(x);
        X inf = splat<X>(__builtin_inf());
        X y = select(x == inf, splat<X>(above), select(x == -inf, splat<X>(below), x));
        return select(x == x, y, splat<X>(nan));
      },
      y, x);
}

#undef NABLA_UNARY
#undef NABLA_BINARY

}  // namespace nabla::NABLA_ISA
