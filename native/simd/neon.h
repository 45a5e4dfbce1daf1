// The vector words in NEON for arm64: 4 lanes. Meanings are those of lane.h.
#pragma once
#include <arm_neon.h>

#include "lane.h"

namespace nabla::NABLA_ISA {

constexpr int N = 4;
constexpr int MR = 6, NV = 4;            // 24 accumulators + 4 of B + 1 of A of 32 registers
constexpr int REGISTERS = 32, WIDE = 8;  // fewer rows take more vectors, up to WIDE
constexpr int SLIVER = 8;                // rows that B is turned for in registers
constexpr int TURN = N;                  // terms of columns that are turned at once
constexpr int KC = 1024, NC = 2048;      // depth and columns of a block of B
constexpr int AREA = 65536;              // floats of a block of A: half of an L2 of 512 KiB
struct V {
  float32x4_t v;
};
struct I {
  int32x4_t v;
};
struct M {
  uint32x4_t v;  // all ones or all zeros in each lane
};

inline V all(f32 x) { return {vdupq_n_f32(x)}; }
inline I all_i(i32 x) { return {vdupq_n_s32(x)}; }
inline I iota() { return {vcombine_s32(vcreate_s32(uint64_t(1) << 32), vcreate_s32(uint64_t(3) << 32 | 2))}; }

// The first n lanes; the others are zero, and their memory is not touched.
inline V load(const f32* p) { return {vld1q_f32(p)}; }
inline V load(const f32* p, size_t n) {
  if (n >= 4) return load(p);
  float32x4_t v = vdupq_n_f32(0);
  if (n > 0) v = vld1q_lane_f32(p, v, 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return {v};
}
inline void store(f32* p, V a) { vst1q_f32(p, a.v); }
inline void store(f32* p, V a, size_t n) {
  if (n >= 4) return store(p, a);
  if (n > 0) vst1q_lane_f32(p, a.v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, a.v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, a.v, 2);
}
inline I load(const i32* p) { return {vld1q_s32(p)}; }
inline I load(const i32* p, size_t n) {
  if (n >= 4) return load(p);
  int32x4_t v = vdupq_n_s32(0);
  if (n > 0) v = vld1q_lane_s32(p, v, 0);
  if (n > 1) v = vld1q_lane_s32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_s32(p + 2, v, 2);
  return {v};
}
inline void store(i32* p, I a) { vst1q_s32(p, a.v); }
inline void store(i32* p, I a, size_t n) {
  if (n >= 4) return store(p, a);
  if (n > 0) vst1q_lane_s32(p, a.v, 0);
  if (n > 1) vst1q_lane_s32(p + 1, a.v, 1);
  if (n > 2) vst1q_lane_s32(p + 2, a.v, 2);
}
inline I load(const u8* p, size_t n) {
  u32 w = 0;
  __builtin_memcpy(&w, p, n);
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(w)))))};
}
inline I load(const u8* p) { return load(p, 4); }
inline M load(const b8* p, size_t n) { return {vtstq_s32(load((const u8*)p, n).v, vdupq_n_s32(-1))}; }
inline M load(const b8* p) { return load(p, 4); }
inline void store(b8* p, M m, size_t n) {
  uint16x4_t ones = vshr_n_u16(vmovn_u32(m.v), 15);
  u32 w = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(ones, ones))), 0);
  __builtin_memcpy(p, &w, n);
}
inline void store(b8* p, M m) { store(p, m, 4); }

inline V operator+(V a, V b) { return {vaddq_f32(a.v, b.v)}; }
inline V operator-(V a, V b) { return {vsubq_f32(a.v, b.v)}; }
inline V operator*(V a, V b) { return {vmulq_f32(a.v, b.v)}; }
inline V operator/(V a, V b) { return {vdivq_f32(a.v, b.v)}; }
inline V operator-(V a) { return {vnegq_f32(a.v)}; }
inline V fma(V a, V b, V c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline V sqrt(V a) { return {vsqrtq_f32(a.v)}; }
inline V abs(V a) { return {vabsq_f32(a.v)}; }
inline V copysign(V a, V b) { return {vbslq_f32(vdupq_n_u32(0x80000000u), b.v, a.v)}; }
inline V round(V a) { return {vrndnq_f32(a.v)}; }
inline V floor(V a) { return {vrndmq_f32(a.v)}; }
inline V ceil(V a) { return {vrndpq_f32(a.v)}; }
inline V trunc(V a) { return {vrndq_f32(a.v)}; }

inline M operator<(V a, V b) { return {vcltq_f32(a.v, b.v)}; }
inline M operator<=(V a, V b) { return {vcleq_f32(a.v, b.v)}; }
inline M operator>(V a, V b) { return {vcgtq_f32(a.v, b.v)}; }
inline M operator>=(V a, V b) { return {vcgeq_f32(a.v, b.v)}; }
inline M operator==(V a, V b) { return {vceqq_f32(a.v, b.v)}; }
inline M operator!=(V a, V b) { return {vmvnq_u32(vceqq_f32(a.v, b.v))}; }
inline M operator&(M a, M b) { return {vandq_u32(a.v, b.v)}; }
inline M operator|(M a, M b) { return {vorrq_u32(a.v, b.v)}; }
inline M operator^(M a, M b) { return {veorq_u32(a.v, b.v)}; }
inline M operator~(M a) { return {vmvnq_u32(a.v)}; }
inline V select(M m, V a, V b) { return {vbslq_f32(m.v, a.v, b.v)}; }
// vminq and vmaxq would keep a NaN of the first operand and order the zeros, and Clang makes them of a comparison with
// 0 and a selection wherever it sees both.
inline M unseen(M m) {
  asm("" : "+w"(m.v));
  return m;
}
inline V min(V a, V b) { return select(unseen(a < b), a, b); }
inline V max(V a, V b) { return select(unseen(a > b), a, b); }
inline M select(M m, M a, M b) { return {vbslq_u32(m.v, a.v, b.v)}; }
inline bool any(M m) { return vmaxvq_u32(m.v) != 0; }

inline I operator+(I a, I b) { return {vaddq_s32(a.v, b.v)}; }
inline I operator-(I a, I b) { return {vsubq_s32(a.v, b.v)}; }
inline I operator*(I a, I b) { return {vmulq_s32(a.v, b.v)}; }
inline I operator-(I a) { return {vnegq_s32(a.v)}; }
inline I operator&(I a, I b) { return {vandq_s32(a.v, b.v)}; }
inline I operator|(I a, I b) { return {vorrq_s32(a.v, b.v)}; }
inline I operator^(I a, I b) { return {veorq_s32(a.v, b.v)}; }
// A negative count shifts to the right.
inline I shl(I a, int s) { return {vshlq_s32(a.v, vdupq_n_s32(s))}; }
inline I shr(I a, int s) { return {vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v), vdupq_n_s32(-s)))}; }
inline I sar(I a, int s) { return {vshlq_s32(a.v, vdupq_n_s32(-s))}; }
inline I mulhi(I a, I b) {
  uint32x4_t x = vreinterpretq_u32_s32(a.v), y = vreinterpretq_u32_s32(b.v);
  uint32x4_t lower = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(x), vget_low_u32(y)));
  return {vreinterpretq_s32_u32(vuzp2q_u32(lower, vreinterpretq_u32_u64(vmull_high_u32(x, y))))};
}
inline I min(I a, I b) { return {vminq_s32(a.v, b.v)}; }
inline I max(I a, I b) { return {vmaxq_s32(a.v, b.v)}; }
inline I abs(I a) { return {vabsq_s32(a.v)}; }
inline M operator==(I a, I b) { return {vceqq_s32(a.v, b.v)}; }
inline M operator>(I a, I b) { return {vcgtq_s32(a.v, b.v)}; }
inline M operator<(I a, I b) { return {vcltq_s32(a.v, b.v)}; }
inline M operator!=(I a, I b) { return {vmvnq_u32(vceqq_s32(a.v, b.v))}; }
inline M operator<=(I a, I b) { return {vcleq_s32(a.v, b.v)}; }
inline M operator>=(I a, I b) { return {vcgeq_s32(a.v, b.v)}; }
inline I select(M m, I a, I b) { return {vbslq_s32(m.v, a.v, b.v)}; }
// vcvtnq saturates and makes 0 of NaN; the rule of lane.h is INT_MIN for whatever does not fit.
inline I to_int(V a) {
  M fits = M{vcgeq_f32(a.v, vdupq_n_f32(-2147483648.0f))} & M{vcltq_f32(a.v, vdupq_n_f32(2147483648.0f))};
  return select(fits, I{vcvtnq_s32_f32(a.v)}, all_i(INT32_MIN));
}
inline V to_float(I a) { return {vcvtq_f32_s32(a.v)}; }
inline I bits(V a) { return {vreinterpretq_s32_f32(a.v)}; }
inline V from_bits(I a) { return {vreinterpretq_f32_s32(a.v)}; }
inline V scale(V a, V n) {
  I i = to_int(n), h = sar(i, 1);
  return a * from_bits(shl(h + all_i(127), 23)) * from_bits(shl(i - h + all_i(127), 23));
}

// Lanes h .. 2h - 1 moved to lanes 0 .. h - 1; the rest may be anything. The first lane of a word is its head.
template <int h>
inline V upper(V a) {
  return {vextq_f32(a.v, a.v, h)};
}
template <int h>
inline I upper(I a) {
  return {vextq_s32(a.v, a.v, h)};
}
template <int h>
inline M upper(M m) {
  return {vextq_u32(m.v, m.v, h)};
}
inline f32 head(V a) { return vgetq_lane_f32(a.v, 0); }
inline i32 head(I a) { return vgetq_lane_s32(a.v, 0); }
inline bool head(M m) { return vgetq_lane_u32(m.v, 0) != 0; }

// Every other lane of a, then of b.
inline V evens(V a, V b) { return {vuzp1q_f32(a.v, b.v)}; }
// Stays in a register: not loaded again at each use.
inline void keep(V& a) { __asm__("" : "+w"(a.v)); }
// Lane i is lane at[i] of a.
inline V permute(V a, I at) {
  const uint32x4_t bytes = vmlaq_n_u32(vdupq_n_u32(0x03020100), vreinterpretq_u32_s32(at.v), 0x04040404);
  return {vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(a.v), vreinterpretq_u8_u32(bytes)))};
}
// Lanes of a and b in turns, in two words.
inline void zip(V& a, V& b) {
  const float32x4_t low = vzip1q_f32(a.v, b.v);
  b = {vzip2q_f32(a.v, b.v)};
  a = {low};
}

// Row i of the 4 x 4 block becomes column i.
inline void transpose(V (&r)[N]) {
  float32x4x2_t s = vtrnq_f32(r[0].v, r[1].v), t = vtrnq_f32(r[2].v, r[3].v);
  r[0] = {vcombine_f32(vget_low_f32(s.val[0]), vget_low_f32(t.val[0]))};
  r[1] = {vcombine_f32(vget_low_f32(s.val[1]), vget_low_f32(t.val[1]))};
  r[2] = {vcombine_f32(vget_high_f32(s.val[0]), vget_high_f32(t.val[0]))};
  r[3] = {vcombine_f32(vget_high_f32(s.val[1]), vget_high_f32(t.val[1]))};
}

// Numbers of any size as the bytes they are, in one piece of 16.
constexpr int PIECES = 1;
struct Raw {
  uint8x16_t v;
};
inline Raw load(const char* p) { return {vld1q_u8((const u8*)p)}; }
inline Raw load(const char* p, ptrdiff_t) { return load(p); }
inline void store(char* p, Raw a) { vst1q_u8((u8*)p, a.v); }
inline void store_past(char* p, Raw a) { store(p, a); }
inline void settle() {}
// Numbers of `size` bytes of a and b in turns: a has those of the first halves, b of the second.
template <int size>
inline void interleave(Raw& a, Raw& b) {
  const uint8x16_t x = a.v, y = b.v;
  const uint16x8_t x2 = vreinterpretq_u16_u8(x), y2 = vreinterpretq_u16_u8(y);
  const uint32x4_t x4 = vreinterpretq_u32_u8(x), y4 = vreinterpretq_u32_u8(y);
  const uint64x2_t x8 = vreinterpretq_u64_u8(x), y8 = vreinterpretq_u64_u8(y);
  if constexpr (size == 1)
    a = {vzip1q_u8(x, y)}, b = {vzip2q_u8(x, y)};
  else if constexpr (size == 2)
    a = {vreinterpretq_u8_u16(vzip1q_u16(x2, y2))}, b = {vreinterpretq_u8_u16(vzip2q_u16(x2, y2))};
  else if constexpr (size == 4)
    a = {vreinterpretq_u8_u32(vzip1q_u32(x4, y4))}, b = {vreinterpretq_u8_u32(vzip2q_u32(x4, y4))};
  else
    a = {vreinterpretq_u8_u64(vzip1q_u64(x8, y8))}, b = {vreinterpretq_u8_u64(vzip2q_u64(x8, y8))};
}

}  // namespace nabla::NABLA_ISA
