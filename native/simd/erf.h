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

// e^-h = p 2^n and erfc(a z) = p q 2^n for h = (a z)^2 = a b and c = 0.376 z, a >= 0. erfc(a) e^(a^2) = q P(q) with
// q = 1 / (1 + 0.376 a) and a relative error of 2^-26 up to a = 10.4, where erfc underflows. Two roundings would cost
// several ulp and join the exponent instead: that of h (e^-100 needs 100 to 2^-30), and that of q, e of it, because
// q P(q) grows about as q^(1 + 2q).
struct Tail {
  V p, q, n;
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
  return {exp_reduced(k.r + rest), p * q, k.n};
}

// 4.2 ulp everywhere, denormal results included
inline V erfc(V x) {
  V a = min(all(10.5f), abs(x));
  Tail t = tail(a, a, all(0x1.810624p-2f));
  V y = scale(t.p * t.q, t.n);
  return select(x < all(0), all(2) - y, y);
}

// 3.7 ulp everywhere: erfinv(x) / x is smooth in w = -log(1 - x^2) below 5 and in sqrt(w) up to 16, the last float
// before 1. erfinv(+-1) = +-inf, NaN beyond.
inline V erfinv(V x) {
  V a = abs(x), w = -log((all(1) - a) * (all(1) + a));
  M near = w < all(5);
  V t = select(near, w - all(2.5f), sqrt(w) - all(3));
  V p = select(near, all(0x1.e99386p-26f), all(-0x1.b19dbep-13f));
  p = fma(p, t, select(near, all(0x1.71685ep-22f), all(0x1.aa4190p-14f)));
  p = fma(p, t, select(near, all(-0x1.d98730p-19f), all(0x1.650b74p-10f)));
  p = fma(p, t, select(near, all(-0x1.275046p-18f), all(-0x1.e18940p-9f)));
  p = fma(p, t, select(near, all(0x1.ca6e36p-13f), all(0x1.779dd0p-8f)));
  p = fma(p, t, select(near, all(-0x1.48a5fap-10f), all(-0x1.f38eb6p-8f)));
  p = fma(p, t, select(near, all(-0x1.11ca12p-8f), all(0x1.355a54p-7f)));
  p = fma(p, t, select(near, all(0x1.f91ec4p-3f), all(0x1.006db8p+0f)));
  p = fma(p, t, select(near, all(0x1.805c5ep+0f), all(0x1.6a9efcp+1f)));
  return x * select(a == all(1), w, p);
}

inline Lane<f64> erf(Lane<f64> x) { return {std::erf(x.v)}; }
inline Lane<f64> erfc(Lane<f64> x) { return {std::erfc(x.v)}; }
// Halley's steps from Winitzki's formula (2e-3), on erfc where erf is flat
inline Lane<f64> erfinv(Lane<f64> x) {
  f64 a = std::fabs(x.v);
  if (!(a < 1)) return {a == 1 ? x.v * __builtin_inf() : __builtin_nan("")};
  f64 l = std::log1p(-a * a), b = 4.330746750799873 + l / 2, y = std::sqrt(std::sqrt(b * b - l / 0.147) - b);
  for (int i = 0; i < 3; i++) {
    f64 e = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    f64 u = e * 0.886226925452758 * std::exp(y * y);
    y -= u / (1 + y * u);
  }
  return {std::copysign(y, x.v)};
}

}  // namespace nabla::NABLA_ISA
