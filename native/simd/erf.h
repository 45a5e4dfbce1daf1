// The error function and its relatives. Errors as in exp.h.
#pragma once
#include "log.h"

namespace nabla::NABLA_ISA {

// 1.2 ulp everywhere. |x| < 0.85: x + x P(x^2). Beyond: 1 - e^Q(|x|), where Q = log erfc needs absolute accuracy only.
inline V erf(V x) {
  V a = min(all(4), abs(x)), s = a * a;
  V p = all(-0x1.4cd87cp-11f);
  p = fma(p, s, all(0x1.4b7632p-8f));
  p = fma(p, s, all(-0x1.b735eap-6f));
  p = fma(p, s, all(0x1.ce256ap-4f));
  p = fma(p, s, all(-0x1.812726p-2f));
  p = fma(p, s, all(0x1.06eba8p-3f));
  V q = all(0x1.a8b4f8p-13f);
  q = fma(q, a, all(-0x1.974024p-9f));
  q = fma(q, a, all(0x1.704a12p-6f));
  q = fma(q, a, all(-0x1.abd0f4p-4f));
  q = fma(q, a, all(-0x1.45f0c0p-1f));
  q = fma(q, a, all(-0x1.20c598p+0f));
  q = fma(q, a, all(-0x1.e17b16p-14f));
  Reduced k = reduce(q);
  V far = all(1) - exp_reduced(k.r) * pow2(k.n);
  return copysign(select(a < all(0.85f), fma(a, p, a), far), x);
}

// erfc(a z) = p 2^n for h = (a z)^2 = a b and c = 0.376 z, a >= 0. erfc(a) e^(a^2) = q P(q) with q = 1 / (1 + 0.376 a)
// and a relative error of 2^-26 up to a = 10.4, where erfc underflows. Two roundings would cost several ulp and join
// the exponent instead: that of h (e^-100 needs 100 to 2^-30), and that of q, e of it, because q P(q) grows as q^(1 +
// 2q).
struct Tail {
  V p, n;
};
inline Tail tail(V a, V b, V c) {
  V h = a * b, w = a * c, q = all(1) / (all(1) + w);
  V e = fma(-q, w, all(1) - q);
  Reduced k = reduce(-h);
  V rest = fma(e, fma(q, all(2), all(1)), fma(-a, b, h));
  V p = all(0x1.f4f71cp-5f);
  p = fma(p, q, all(-0x1.2196fap-2f));
  p = fma(p, q, all(0x1.ad569ap-2f));
  p = fma(p, q, all(-0x1.baa2cap-3f));
  p = fma(p, q, all(0x1.0f65b2p-2f));
  p = fma(p, q, all(0x1.ffe702p-4f));
  p = fma(p, q, all(0x1.a3dcf8p-3f));
  p = fma(p, q, all(0x1.b0c25ap-3f));
  p = fma(p, q, all(0x1.b2878ep-3f));
  return {exp_reduced(k.r + rest) * (p * q), k.n};
}

// 4.2 ulp everywhere, denormal results included
inline V erfc(V x) {
  V a = min(all(10.5f), abs(x));
  Tail t = tail(a, a, all(0x1.810624p-2f));
  V y = scale(t.p, t.n);
  return select(x < all(0), all(2) - y, y);
}

inline Lane<f64> erf(Lane<f64> x) { return {std::erf(x.v)}; }
inline Lane<f64> erfc(Lane<f64> x) { return {std::erfc(x.v)}; }

}  // namespace nabla::NABLA_ISA
