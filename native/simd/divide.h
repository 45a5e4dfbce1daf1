// The rest of a division.
#pragma once
#include "lane.h"

namespace nabla::NABLA_ISA {

static inline __attribute__((noinline)) V each(V x, V y, f64 (*f)(f64, f64)) {
  f32 p[N], q[N];
  store(p, x);
  store(q, y);
  for (int i = 0; i < N; i++) p[i] = f32(f(p[i], q[i]));
  return load(p);
}

// a - q b with q = trunc(a / b), exact. Below 2^24 the rounded quotient is q or q + 1; a - q b is a multiple of b's
// last bit and shorter than b, so fma gives it exactly, and one |b| makes up for q + 1. Beyond, lane by lane.
inline V fmod(V a, V b) {
  V t = a / b, q = trunc(t), r = fma(-q, b, a);
  r = select((r != all(0)) & ((r < all(0)) ^ (a < all(0))), r + copysign(b, a), r);
  r = select(q == all(0), a, copysign(r, a));
  M beyond = abs(t) >= all(0x1p24f);
  if (__builtin_expect(any(beyond), 0)) r = select(beyond, each(a, b, [](f64 x, f64 y) { return std::fmod(x, y); }), r);
  return r;
}
inline Lane<f64> fmod(Lane<f64> a, Lane<f64> b) { return {std::fmod(a.v, b.v)}; }

}  // namespace nabla::NABLA_ISA
