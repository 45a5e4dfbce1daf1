// x^y = 2^(y log2 |x|) with the sign and the special cases of C's pow.
#pragma once
#include "log.h"

namespace nabla::NABLA_ISA {

struct Pair {  // hi + lo, |lo| <= ulp(hi)
  V hi, lo;
};
// a + b, |a| >= |b| or a = 0
inline Pair sum(V a, V b) {
  V hi = a + b;
  return {hi, b - (hi - a)};
}
inline Pair product(V a, V b) {
  V hi = a * b;
  return {hi, fma(a, b, -hi)};
}

// log2 x in 2^-33 of its value for 0 < x < inf: y log2 x reaches 128 and its absolute error is the relative error of
// x^y. q = f / (2 + f), log2(1 + f) = q (c0 + s (c1 + s R(s))), s = q^2 <= 0.04; c0 = 2 log2 e and c1 = c0 / 3 are
// pairs.
inline Pair log2_pair(V x) {
  Split k = split(x);
  V d = all(2) + k.f, d_lo = k.f - (d - all(2)), r = all(1) / d;
  V q = k.f * r, q_lo = r * fma(-q, d_lo, fma(-q, d, k.f));
  Pair s = product(q, q);
  s.lo = fma(q + q, q_lo, s.lo);
  V p = all(0x1.60c0eap-2f);
  p = fma(p, s.hi, all(0x1.a5691cp-2f));
  p = fma(p, s.hi, all(0x1.277784p-1f));
  Pair c = sum(all(0x1.ec709ep-1f), p * s.hi);
  c.lo = c.lo + all(-0x1.e2fe02p-28f);
  Pair t = product(s.hi, c.hi);
  t.lo = fma(s.hi, c.lo, fma(s.lo, c.hi, t.lo));
  Pair w = sum(all(0x1.715476p+1f), t.hi);
  w.lo = w.lo + (t.lo + all(0x1.4ae0c0p-25f));
  Pair m = product(q, w.hi);
  m.lo = fma(q, w.lo, fma(q_lo, w.hi, m.lo));
  Pair y = sum(k.k, m.hi);
  y.lo = y.lo + m.lo;
  return y;
}

// 1.1 ulp everywhere. x < 0 needs a whole y, else NaN; x^0 = 1^y = 1 even for NaN; 0^y and inf^y for y < 0 are inf and
// 0.
inline V pow(V x, V y) {
  V a = abs(x), inf = all(__builtin_inff());
  Pair l = log2_pair(a);
  l.hi = select(a < inf, select(a == all(0), -inf, l.hi), a);
  Pair e = product(y, l.hi);
  e.lo = select(abs(e.hi) < all(200), fma(y, l.lo, e.lo), all(0));
  V h = min(all(160), max(all(-160), e.hi));
  V n = round(h), r = (h - n) + e.lo;
  V z = scale(exp2_reduced(r), n);
  z = select((a == all(1)) | (y == all(0)), all(1), z);
  M whole = y == trunc(y), odd = whole & (y * all(0.5f) != trunc(y * all(0.5f)));
  z = select(odd, copysign(z, x), z);
  return select((x < all(0)) & (a < inf) & ~whole, all(__builtin_nanf("")), z);
}

inline Lane<f64> pow(Lane<f64> x, Lane<f64> y) { return {std::pow(x.v, y.v)}; }

}  // namespace nabla::NABLA_ISA
