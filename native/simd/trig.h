// Circular functions. Errors as in exp.h.
//
// n = round(x 2/pi), r = x - n pi/2 with pi/2 in three parts (72 bits): the first difference is exact, so r keeps its
// relative accuracy up to |x| = 1e5 even next to a multiple of pi/2. Larger arguments go through f64, lane by lane.
#pragma once
#include "lane.h"

namespace nabla::NABLA_ISA {

constexpr f32 far = 1e5f;

static inline __attribute__((noinline)) V each(V x, f64 (*f)(f64)) {
  f32 p[N];
  store(p, x);
  for (f32& v : p) v = f32(f(v));
  return load(p);
}

struct Angle {
  V r;
  I n;
};
inline Angle angle(V x) {
  V n = round(x * all(0x1.45f306p-1f));
  V r = fma(n, all(0x1.777a5cp-25f), fma(n, all(-0x1.921fb6p+0f), x));
  return {fma(n, all(0x1.ee59dap-50f), r), to_int(n)};
}
// |r| <= pi/4
inline V sin_reduced(V r) {
  V s = r * r;
  V p = all(0x1.7c2c4ep-19f);
  p = fma(p, s, all(-0x1.a05954p-13f));
  p = fma(p, s, all(0x1.111174p-7f));
  p = fma(p, s, all(-0x1.555556p-3f));
  return fma(r * s, p, r);
}
inline V cos_reduced(V r) {
  V s = r * r;
  V p = all(0x1.99e80cp-16f);
  p = fma(p, s, all(-0x1.6c0c28p-10f));
  p = fma(p, s, all(0x1.55554ap-5f));
  return fma(s * s, p, fma(s, all(-0.5f), all(1)));
}
// Quarter n of the circle: sin, cos, -sin, -cos.
inline V quarter(V r, I n) {
  V y = select((n & all_i(1)) == all_i(0), sin_reduced(r), cos_reduced(r));
  return from_bits(bits(y) ^ shl(n & all_i(2), 30));
}

// 1.6 ulp for |x| <= 1e5, 0.5 beyond. sin(+-inf) = NaN, and so for cos and tan.
inline V sin(V x) {
  Angle k = angle(x);
  V y = select(x == all(0), x, quarter(k.r, k.n));  // keeps -0
  M beyond = abs(x) > all(far);
  if (__builtin_expect(any(beyond), 0)) y = select(beyond, each(x, std::sin), y);
  return y;
}
inline V cos(V x) {
  Angle k = angle(x);
  V y = quarter(k.r, k.n + all_i(1));
  M beyond = abs(x) > all(far);
  if (__builtin_expect(any(beyond), 0)) y = select(beyond, each(x, std::cos), y);
  return y;
}
// 2.4 ulp for |x| <= 1e5, 0.5 beyond. In odd quarters -1 / tan: of y + low, where low is what rounding y lost, by one
// Newton step.
inline V tan(V x) {
  Angle k = angle(x);
  V s = k.r * k.r;
  V p = all(0x1.1ec77ap-8f);
  p = fma(p, s, all(0x1.82b716p-14f));
  p = fma(p, s, all(0x1.62efd8p-7f));
  p = fma(p, s, all(0x1.5cba82p-6f));
  p = fma(p, s, all(0x1.bada46p-5f));
  p = fma(p, s, all(0x1.110d9cp-3f));
  p = fma(p, s, all(0x1.555560p-2f));
  p = k.r * s * p;
  V y = k.r + p, low = p - (y - k.r);
  V q = all(-1) / y;
  q = fma(q, fma(q, low, fma(q, y, all(1))), q);
  y = select((k.n & all_i(1)) == all_i(0), y, q);
  y = select(x == all(0), x, y);
  M beyond = abs(x) > all(far);
  if (__builtin_expect(any(beyond), 0)) y = select(beyond, each(x, std::tan), y);
  return y;
}

// asin t = t + rest, 0 <= t <= 1/2, from s = t^2
inline V asin_rest(V t, V s) {
  V p = all(0x1.597016p-5f);
  p = fma(p, s, all(0x1.8c2b24p-6f));
  p = fma(p, s, all(0x1.747d26p-5f));
  p = fma(p, s, all(0x1.3301fcp-4f));
  p = fma(p, s, all(0x1.5555c8p-3f));
  return t * s * p;
}
// 2.1 ulp. Beyond 1/2: asin a = pi/2 - 2 asin sqrt((1 - a) / 2).
inline V asin(V x) {
  V a = abs(x);
  M near = a <= all(0.5f);
  V s = select(near, a * a, fma(a, all(-0.5f), all(0.5f)));
  V t = select(near, a, sqrt(s)), rest = asin_rest(t, s);
  V other = fma(t, all(-2), all(0x1.921fb6p+0f)) + fma(rest, all(-2), all(-0x1.777a5cp-25f));
  return copysign(select(near, t + rest, other), x);
}
// 1.1 ulp: pi/2 - asin x; beyond 1/2, 2 asin sqrt((1 - |x|) / 2), or pi minus that
inline V acos(V x) {
  V a = abs(x);
  M near = a <= all(0.5f);
  V s = select(near, a * a, fma(a, all(-0.5f), all(0.5f)));
  V t = select(near, a, sqrt(s)), y = t + asin_rest(t, s);
  V middle = (all(-0x1.777a5cp-25f) - copysign(y, x)) + all(0x1.921fb6p+0f);
  V left = fma(y, all(-2), all(-0x1.777a5cp-24f)) + all(0x1.921fb6p+1f);
  return select(near, middle, select(x < all(0), left, y + y));
}

// 1.3 ulp. Beyond 1: atan a = pi/2 + atan(-1/a).
inline V atan(V x) {
  V a = abs(x);
  M big = a > all(1);
  V t = select(big, all(-1), a) / select(big, a, all(1)), s = t * t;
  V p = all(-0x1.d32a0cp-10f);
  p = fma(p, s, all(0x1.640f44p-7f));
  p = fma(p, s, all(-0x1.fd6e9ap-6f));
  p = fma(p, s, all(0x1.da2468p-5f));
  p = fma(p, s, all(-0x1.580808p-4f));
  p = fma(p, s, all(0x1.c08c18p-4f));
  p = fma(p, s, all(-0x1.242084p-3f));
  p = fma(p, s, all(0x1.9991e4p-3f));
  p = fma(p, s, all(-0x1.55553ep-2f));
  V y = fma(t * s, p, t);
  V other = (y + all(-0x1.777a5cp-25f)) + all(0x1.921fb6p+0f);
  return copysign(select(big, other, y), x);
}

// 2.3 ulp. The angle of (x, y): atan |y / x|, or pi minus that on the left, where -0 lies too. Points on an axis or a
// diagonal, infinite ones as well, have the angle of that.
inline V atan2(V y, V x) {
  V a = abs(y), b = abs(x), q = select(a == b, select(a == all(0), a, all(1)), a / b), t = atan(q);
  V left = (all(-0x1.777a5cp-24f) - t) + all(0x1.921fb6p+1f);
  return copysign(select((copysign(all(1), x) < all(0)) & (q != all(__builtin_inff())), left, t), y);
}

inline Lane<f64> sin(Lane<f64> x) { return {std::sin(x.v)}; }
inline Lane<f64> cos(Lane<f64> x) { return {std::cos(x.v)}; }
inline Lane<f64> tan(Lane<f64> x) { return {std::tan(x.v)}; }
inline Lane<f64> asin(Lane<f64> x) { return {std::asin(x.v)}; }
inline Lane<f64> acos(Lane<f64> x) { return {std::acos(x.v)}; }
inline Lane<f64> atan(Lane<f64> x) { return {std::atan(x.v)}; }
inline Lane<f64> atan2(Lane<f64> y, Lane<f64> x) { return {std::atan2(y.v, x.v)}; }

}  // namespace nabla::NABLA_ISA
