// Hyperbolic functions and their inverses; tanh is in exp.h. Errors as in exp.h.
#pragma once
#include "log.h"

namespace nabla::NABLA_ISA {

// e^a / 2, a >= 0: finite wherever sinh and cosh are
inline V exp_half(V a) {
  Reduced k = reduce(min(all(90), a));
  return scale(exp_reduced(k.r), k.n - all(1));
}
// 1.7 ulp everywhere; below 1 the odd polynomial
inline V sinh(V x) {
  V a = abs(x), s = a * a;
  V p = all(0x1.756d2ep-19f);
  p = fma(p, s, all(0x1.a022b8p-13f));
  p = fma(p, s, all(0x1.1110e0p-7f));
  p = fma(p, s, all(0x1.555556p-3f));
  V e = exp_half(a);
  return copysign(select(a < all(1), fma(a * s, p, a), e - all(0.25f) / e), x);
}
// 1.4 ulp everywhere
inline V cosh(V x) {
  V e = exp_half(abs(x));
  return e + all(0.25f) / e;
}

// 2 ulp everywhere: log(a + sqrt(a^2 + 1)) = log1p(a + a^2 / (1 + sqrt(1 + a^2))); log 2a before a^2 overflows
inline V asinh(V x) {
  V a = abs(x), s = a * a;
  M big = a > all(0x1p30f);
  V y = log1p(select(big, a, a + s / (all(1) + sqrt(all(1) + s))));
  return copysign(y + select(big, all(0x1.62e430p-1f), all(0)), x);
}
// 2.3 ulp everywhere: log(x + sqrt(x^2 - 1)) = log1p(t + sqrt(t (t + 2))), t = x - 1. NaN below 1.
inline V acosh(V x) {
  V t = x - all(1);
  M big = x > all(0x1p30f);
  V y = log1p(select(big, x, t + sqrt(t * (t + all(2))))) + select(big, all(0x1.62e430p-1f), all(0));
  return select(x < all(1), all(__builtin_nanf("")), y);
}
// 2.3 ulp everywhere: log((1 + a) / (1 - a)) / 2 = log1p(2a / (1 - a)) / 2
inline V atanh(V x) {
  V a = abs(x);
  return copysign(all(0.5f) * log1p((a + a) / (all(1) - a)), x);
}

inline Lane<f64> sinh(Lane<f64> x) { return {std::sinh(x.v)}; }
inline Lane<f64> cosh(Lane<f64> x) { return {std::cosh(x.v)}; }
inline Lane<f64> asinh(Lane<f64> x) { return {std::asinh(x.v)}; }
inline Lane<f64> acosh(Lane<f64> x) { return {std::acosh(x.v)}; }
inline Lane<f64> atanh(Lane<f64> x) { return {std::atanh(x.v)}; }

}  // namespace nabla::NABLA_ISA
