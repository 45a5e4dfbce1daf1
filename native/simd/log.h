// Logarithms. log(0) = -inf, of a negative NaN. Errors as in exp.h.
//
// x = 2^k (1 + f) with 1 + f in [2/3, 4/3), so f is exact and small on both sides of 1; log x = k ln 2 + log(1 + f).
#pragma once
#include "exp.h"

namespace nabla::NABLA_ISA {

struct Split {
  V k, f;
};
// x > 0, denormals too; anything else gives some number
inline Split split(V x) {
  M tiny = x < all(0x1p-126f);
  I i = bits(select(tiny, x * all(0x1p23f), x));
  I e = (i - all_i(0x3f2aaaab)) & all_i(i32(0xff800000));
  return {fma(to_float(e), all(0x1p-23f), select(tiny, all(-23), all(0))), from_bits(i - e) - all(1)};
}
// (log(1 + f) - f) / f^2, |f| <= 1/3, good to 2^-27.5 of log(1 + f)
inline V log_reduced(V f) {
  V p = all(-0x1.ff29dap-4f);
  p = fma(p, f, all(0x1.200cb0p-3f));
  p = fma(p, f, all(-0x1.f6bd1ep-4f));
  p = fma(p, f, all(0x1.1e8080p-3f));
  p = fma(p, f, all(-0x1.557e16p-3f));
  p = fma(p, f, all(0x1.99d594p-3f));
  p = fma(p, f, all(-0x1.ffff94p-3f));
  p = fma(p, f, all(0x1.5554fap-2f));
  return fma(p, f, all(-0.5f));
}
// y where 0 < x < inf; inf and NaN pass
inline V log_edges(V x, V y) {
  y = select(x < all(__builtin_inff()), y, x);
  return select(x > all(0), y, select(x == all(0), all(-__builtin_inff()), all(__builtin_nanf(""))));
}

// 0.92 ulp everywhere
inline V log(V x) {
  Split s = split(x);
  V y = fma(s.f * s.f, log_reduced(s.f), s.f);
  return log_edges(x, fma(s.k, all(0x1.62e430p-1f), y));
}

// 1.5 ulp everywhere. log2 e is taken in two parts where it multiplies f, whose term is the largest.
inline V log2(V x) {
  Split s = split(x);
  V t = s.f * s.f * log_reduced(s.f);
  V y = fma(t, all(0x1.715476p+0f), s.f * all(0x1.4ae0c0p-26f));
  return log_edges(x, fma(s.f, all(0x1.715476p+0f), y) + s.k);
}

// 1.3 ulp everywhere
inline V log10(V x) {
  Split s = split(x);
  V t = s.f * s.f * log_reduced(s.f);
  V y = fma(t, all(0x1.bcb7b2p-2f), s.f * all(-0x1.5b235ep-27f));
  y = fma(s.f, all(0x1.bcb7b2p-2f), y);
  return log_edges(x, fma(s.k, all(0x1.344136p-2f), fma(s.k, all(-0x1.ec10c0p-27f), y)));
}

// 1.5 ulp everywhere: 1 + x is rounded, so it only chooses k; f = x 2^-k + (2^-k - 1). copysign keeps -0.
inline V log1p(V x) {
  I e = (bits(all(1) + x) - all_i(0x3f2aaaab)) & all_i(i32(0xff800000));
  V f = from_bits(bits(x) - e) + fma(from_bits(all_i(0x40800000) - e), all(0.25f), all(-1));
  V y = fma(f * f, log_reduced(f), f);
  y = fma(to_float(e), all(0x1.62e430p-24f), y);
  return copysign(log_edges(all(1) + x, y), x);
}

inline Lane<f64> log(Lane<f64> x) { return {std::log(x.v)}; }
inline Lane<f64> log2(Lane<f64> x) { return {std::log2(x.v)}; }
inline Lane<f64> log10(Lane<f64> x) { return {std::log10(x.v)}; }
inline Lane<f64> log1p(Lane<f64> x) { return {std::log1p(x.v)}; }

}  // namespace nabla::NABLA_ISA
