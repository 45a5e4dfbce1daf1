// One lane: the definition of every vector word. The scalar table is made of it and it is the oracle for the others;
// f64 and the small integer types use it on every ISA.
//
// NaN: max(a, b) = a > b ? a : b and min(a, b) = a < b ? a : b, so the second operand survives a NaN in either.
// round is to nearest, ties to even. Every word is IEEE-exact; fma happens only where it is written.
#pragma once
#include "../types.h"

namespace nabla::NABLA_ISA {

template <class T>
struct Lane {
  T v;
};
template <>
struct Lane<b8> {
  bool v;
};
using Yes = Lane<b8>;

template <class T>
inline Lane<T> lane(T x) {
  return {x};
}

template <class T>
inline Lane<T> operator+(Lane<T> a, Lane<T> b) {
  return {T(a.v + b.v)};
}
template <class T>
inline Lane<T> operator-(Lane<T> a, Lane<T> b) {
  return {T(a.v - b.v)};
}
template <class T>
inline Lane<T> operator*(Lane<T> a, Lane<T> b) {
  return {T(a.v * b.v)};
}
template <class T>
inline Lane<T> operator/(Lane<T> a, Lane<T> b) {
  return {T(a.v / b.v)};
}
// Two's complement wraps: signed overflow is defined here as it is in the vector words.
inline Lane<i32> operator+(Lane<i32> a, Lane<i32> b) { return {i32(u32(a.v) + u32(b.v))}; }
inline Lane<i32> operator-(Lane<i32> a, Lane<i32> b) { return {i32(u32(a.v) - u32(b.v))}; }
inline Lane<i32> operator*(Lane<i32> a, Lane<i32> b) { return {i32(u32(a.v) * u32(b.v))}; }
template <class T>
inline Lane<T> operator-(Lane<T> a) {
  return {-a.v};
}
inline Lane<i32> operator-(Lane<i32> a) { return {i32(0u - u32(a.v))}; }

template <class T>
inline Yes operator<(Lane<T> a, Lane<T> b) {
  return {a.v < b.v};
}
template <class T>
inline Yes operator<=(Lane<T> a, Lane<T> b) {
  return {a.v <= b.v};
}
template <class T>
inline Yes operator>(Lane<T> a, Lane<T> b) {
  return {a.v > b.v};
}
template <class T>
inline Yes operator>=(Lane<T> a, Lane<T> b) {
  return {a.v >= b.v};
}
template <class T>
inline Yes operator==(Lane<T> a, Lane<T> b) {
  return {a.v == b.v};
}
template <class T>
inline Yes operator!=(Lane<T> a, Lane<T> b) {
  return {a.v != b.v};
}
inline Yes operator&(Yes a, Yes b) { return {a.v && b.v}; }
inline Yes operator|(Yes a, Yes b) { return {a.v || b.v}; }
inline Yes operator^(Yes a, Yes b) { return {a.v != b.v}; }
inline Yes operator~(Yes a) { return {!a.v}; }
template <class T>
inline Lane<T> select(Yes m, Lane<T> a, Lane<T> b) {
  return m.v ? a : b;
}
inline Yes select(Yes m, Yes a, Yes b) { return m.v ? a : b; }
inline bool any(Yes m) { return m.v; }

template <class T>
inline T head(Lane<T> a) {
  return a.v;
}
inline bool head(Yes a) { return a.v; }

// Clang for arm64 makes fmin and fmax of a comparison with 0 and a selection, which order the zeros, wherever it sees
// both.
inline bool unseen(bool m) {
#if defined(__clang__) && defined(__aarch64__)
  asm("" : "+r"(m));
#endif
  return m;
}
template <class T>
inline Lane<T> min(Lane<T> a, Lane<T> b) {
  return unseen(a.v < b.v) ? a : b;
}
template <class T>
inline Lane<T> max(Lane<T> a, Lane<T> b) {
  return unseen(a.v > b.v) ? a : b;
}

inline Lane<f32> fma(Lane<f32> a, Lane<f32> b, Lane<f32> c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
inline Lane<f64> fma(Lane<f64> a, Lane<f64> b, Lane<f64> c) { return {__builtin_fma(a.v, b.v, c.v)}; }
inline Lane<f32> sqrt(Lane<f32> a) { return {__builtin_sqrtf(a.v)}; }
inline Lane<f64> sqrt(Lane<f64> a) { return {__builtin_sqrt(a.v)}; }
inline Lane<f32> abs(Lane<f32> a) { return {__builtin_fabsf(a.v)}; }
inline Lane<f64> abs(Lane<f64> a) { return {__builtin_fabs(a.v)}; }
inline Lane<i32> abs(Lane<i32> a) { return {a.v < 0 ? i32(0u - u32(a.v)) : a.v}; }
inline Lane<f32> round(Lane<f32> a) { return {__builtin_rintf(a.v)}; }
inline Lane<f64> round(Lane<f64> a) { return {__builtin_rint(a.v)}; }
inline Lane<f32> floor(Lane<f32> a) { return {__builtin_floorf(a.v)}; }
inline Lane<f64> floor(Lane<f64> a) { return {__builtin_floor(a.v)}; }
inline Lane<f32> ceil(Lane<f32> a) { return {__builtin_ceilf(a.v)}; }
inline Lane<f64> ceil(Lane<f64> a) { return {__builtin_ceil(a.v)}; }
inline Lane<f32> trunc(Lane<f32> a) { return {__builtin_truncf(a.v)}; }
inline Lane<f64> trunc(Lane<f64> a) { return {__builtin_trunc(a.v)}; }
// magnitude of a, sign of b
inline Lane<f32> copysign(Lane<f32> a, Lane<f32> b) { return {__builtin_copysignf(a.v, b.v)}; }
inline Lane<f64> copysign(Lane<f64> a, Lane<f64> b) { return {__builtin_copysign(a.v, b.v)}; }

// Integer words. Shifts count 0..31; right shift is logical (shr) or arithmetic (sar).
inline Lane<i32> operator&(Lane<i32> a, Lane<i32> b) { return {a.v & b.v}; }
inline Lane<i32> operator|(Lane<i32> a, Lane<i32> b) { return {a.v | b.v}; }
inline Lane<i32> operator^(Lane<i32> a, Lane<i32> b) { return {a.v ^ b.v}; }
inline Lane<i32> shl(Lane<i32> a, int s) { return {i32(u32(a.v) << s)}; }
inline Lane<i32> shr(Lane<i32> a, int s) { return {i32(u32(a.v) >> s)}; }
inline Lane<i32> sar(Lane<i32> a, int s) { return {a.v >> s}; }
// high half of the unsigned 32 x 32 bit product
inline Lane<i32> mulhi(Lane<i32> a, Lane<i32> b) { return {i32((uint64_t(u32(a.v)) * u32(b.v)) >> 32)}; }
// The 64-bit products of unsigned numbers in halves.
template <class W>
inline void multiply(W a, W b, W& high, W& low) {
  high = mulhi(a, b), low = a * b;
}
// acc + the products of four bytes of a, unsigned, with four of b, signed. Wraps.
template <class W>
inline W dot4(W acc, W a, W b) {
  acc = acc + shr(shl(a, 24), 24) * sar(shl(b, 24), 24) + shr(shl(a, 16), 24) * sar(shl(b, 16), 24);
  return acc + shr(shl(a, 8), 24) * sar(shl(b, 8), 24) + shr(a, 24) * sar(b, 24);
}
// x86's rule for what does not fit: NaN and anything outside give INT_MIN.
inline Lane<i32> to_int(Lane<f32> a) {
  f32 r = __builtin_rintf(a.v);
  return {r >= -2147483648.0f && r < 2147483648.0f ? i32(r) : INT32_MIN};
}
inline Lane<f32> to_float(Lane<i32> a) { return {f32(a.v)}; }
inline Lane<i32> bits(Lane<f32> a) { return {__builtin_bit_cast(i32, a.v)}; }
inline Lane<f32> from_bits(Lane<i32> a) { return {__builtin_bit_cast(f32, a.v)}; }
// a * 2^n, rounded once, for whole n in [-170, 254] and |a| in [2^-40, 4], and any a for n = 0: two powers of two,
// since one may not fit, of which the first is exact.
inline Lane<f32> scale(Lane<f32> a, Lane<f32> n) {
  Lane<i32> i = to_int(n), h = sar(i, 1);
  return a * from_bits(shl(h + Lane<i32>{127}, 23)) * from_bits(shl(i - h + Lane<i32>{127}, 23));
}

// Asks for the cache line of p before it is read; never faults.
inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 3); }
inline void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }  // no nearer than L2
inline void prefetch_write(const void* p) { __builtin_prefetch(p, 1); }
// The compiler may not look behind x: a running pointer stays one pointer instead of one per row it reaches.
template <class T>
inline void keep(T& x) {
  __asm__("" : "+r"(x));
}

}  // namespace nabla::NABLA_ISA
