// Exponentials. Errors are the largest found over every 61st float (ulp = the spacing of floats at the true value).
//
// e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln 2 / 2. n ln 2 is subtracted in two parts: the first is exact
// (both sides are multiples of 2^-24 and the difference is small), so r carries one rounding. Polynomials are minimax
// in relative error with coefficients rounded to floats one after another.
#pragma once
#include "lane.h"

namespace nabla::NABLA_ISA {

struct Reduced {
  V n, r;
};
inline Reduced reduce(V x) {
  V n = round(x * all(0x1.715476p+0f));
  return {n, fma(n, all(0x1.05c610p-29f), fma(n, all(-0x1.62e430p-1f), x))};
}
// e^r, |r| <= 0.3467, relative error of the polynomial 2^-28
inline V exp_reduced(V r) {
  V p = all(0x1.6ac664p-10f);
  p = fma(p, r, all(0x1.123ddcp-7f));
  p = fma(p, r, all(0x1.555858p-5f));
  p = fma(p, r, all(0x1.55548cp-3f));
  p = fma(p, r, all(0x1.fffffcp-2f));
  p = fma(p, r, all(1));
  return fma(p, r, all(1));
}
// e^r - 1 in relative error 2^-28; keeps a denormal r
inline V expm1_reduced(V r) {
  V p = all(0x1.3aec76p-13f);
  p = fma(p, r, all(0x1.6d2e4ap-10f));
  p = fma(p, r, all(0x1.1155a8p-7f));
  p = fma(p, r, all(0x1.555502p-5f));
  p = fma(p, r, all(0x1.55552cp-3f));
  p = fma(p, r, all(0.5f));
  return fma(r * r, p, r);
}
// 2^n for whole n in [-126, 127]
inline V pow2(V n) { return from_bits(shl(to_int(n) + all_i(127), 23)); }

// 0.9 ulp everywhere, denormal results included
inline V exp(V x) {
  x = min(all(89), max(all(-104), x));
  Reduced k = reduce(x);
  return scale(exp_reduced(k.r), k.n);
}

// The same bits for x <= 0, and NaN for a NaN: nothing to bound from above.
inline V exp_below(V x) {
  Reduced k = reduce(max(all(-104), x));
  return scale(exp_reduced(k.r), k.n);
}

// 2^r, |r| <= 1/2
inline V exp2_reduced(V r) {
  V p = all(0x1.1762acp-13f);
  p = fma(p, r, all(0x1.5ef39ep-10f));
  p = fma(p, r, all(0x1.3b6840p-7f));
  p = fma(p, r, all(0x1.c6afa0p-5f));
  p = fma(p, r, all(0x1.ebfb94p-3f));
  p = fma(p, r, all(0x1.62e430p-1f));
  return fma(p, r, all(1));
}
// 0.92 ulp everywhere
inline V exp2(V x) {
  x = min(all(129), max(all(-151), x));
  V n = round(x);
  return scale(exp2_reduced(x - n), n);
}

// 1.5 ulp everywhere: 2^n (e^r - 1) + (2^n - 1), doubled at the end because 2^128 does not fit. n = 0 apart keeps
// denormals, copysign keeps -0.
inline V expm1(V x) {
  V a = min(all(89), max(all(-20), x));
  Reduced k = reduce(a);
  V p = expm1_reduced(k.r), s = pow2(k.n - all(1));
  V y = fma(s, p, s - all(0.5f));
  return copysign(select(k.n == all(0), p, y + y), x);
}

// 2.4 ulp everywhere: 1 / (1 + e^-x) = e^x / (1 + e^x), the one whose exponential cannot overflow. sigmoid(-inf) = 0.
inline V sigmoid(V x) {
  V e = exp(-abs(x));
  return select(x < all(0), e, all(1)) / (all(1) + e);
}

// 1.9 ulp everywhere: (u - 1) / (u + 1) with u = e^(-2|x|), each sum rounded once. tanh(+-inf) = +-1.
inline V tanh(V x) {
  V a = min(all(10), abs(x));
  Reduced k = reduce(all(-2) * a);
  V s = pow2(k.n), p = expm1_reduced(k.r);
  return copysign(fma(s, p, s - all(1)) / fma(s, p, s + all(1)), x);
}

inline Lane<f64> exp(Lane<f64> x) { return {std::exp(x.v)}; }
inline Lane<f64> exp_below(Lane<f64> x) { return exp(x); }
inline Lane<f64> exp2(Lane<f64> x) { return {std::exp2(x.v)}; }
inline Lane<f64> expm1(Lane<f64> x) { return {std::expm1(x.v)}; }
inline Lane<f64> tanh(Lane<f64> x) { return {std::tanh(x.v)}; }
inline Lane<f64> sigmoid(Lane<f64> x) {
  f64 e = std::exp(-std::fabs(x.v));
  return {(x.v < 0 ? e : 1) / (1 + e)};
}

}  // namespace nabla::NABLA_ISA
