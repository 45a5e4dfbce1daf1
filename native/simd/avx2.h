// The vector words in AVX2 + FMA: 8 lanes. Meanings are those of lane.h.
#pragma once
#include <immintrin.h>

#include "lane.h"

namespace nabla::NABLA_ISA {

constexpr int N = 8;
constexpr int MR = 6, NV = 2;  // 12 accumulators + 2 of B + 1 of A of 16 registers
// Fewer rows take more vectors, up to WIDE. Of 16 registers Clang needs one for the mask of the last columns; GCC has
// one left where it multiplies by B in memory.
#if defined(__clang__)
constexpr int REGISTERS = 15, WIDE = 6;
#else
constexpr int REGISTERS = 16, WIDE = 6;
#endif
constexpr int SLIVER = 6;            // rows that B is turned for in registers
constexpr int TURN = 4;              // terms of columns that are turned at once
constexpr int KC = 1024, NC = 2048;  // depth and columns of a block of B, which stays in L3
constexpr int AREA = 184320;         // floats of a block of A, which stays in L2
struct V {
  __m256 v;
};
struct I {
  __m256i v;
};
struct M {
  __m256 v;  // all ones or all zeros in each lane
};

inline V all(f32 x) { return {_mm256_set1_ps(x)}; }
inline I all_i(i32 x) { return {_mm256_set1_epi32(x)}; }
inline I iota() { return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)}; }
inline __m256i first(size_t n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(i32(n)), iota().v); }

inline V load(const f32* p) { return {_mm256_loadu_ps(p)}; }
inline V load(const f32* p, size_t n) { return {_mm256_maskload_ps(p, first(n))}; }
inline void store(f32* p, V a) { _mm256_storeu_ps(p, a.v); }
inline void store(f32* p, V a, size_t n) { _mm256_maskstore_ps(p, first(n), a.v); }
inline I load(const i32* p) { return {_mm256_loadu_si256((const __m256i*)p)}; }
inline I load(const i32* p, size_t n) { return {_mm256_maskload_epi32(p, first(n))}; }
inline void store(i32* p, I a) { _mm256_storeu_si256((__m256i*)p, a.v); }
inline void store(i32* p, I a, size_t n) { _mm256_maskstore_epi32(p, first(n), a.v); }

inline __m128i bytes(const void* p, size_t n) {
  uint64_t w = 0;
  __builtin_memcpy(&w, p, n);
  return _mm_cvtsi64_si128(i64(w));
}
inline I load(const u8* p) { return {_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p))}; }
inline I load(const u8* p, size_t n) { return {_mm256_cvtepu8_epi32(bytes(p, n))}; }
inline M truth(I a) {
  return {
      _mm256_castsi256_ps(_mm256_xor_si256(_mm256_cmpeq_epi32(a.v, _mm256_setzero_si256()), _mm256_set1_epi32(-1)))};
}
inline M load(const b8* p) { return truth(load((const u8*)p)); }
inline M load(const b8* p, size_t n) { return truth(load((const u8*)p, n)); }
inline uint64_t spread(M m) {  // one byte of 0 or 1 a lane
  __m256i one = _mm256_srli_epi32(_mm256_castps_si256(m.v), 31);
  __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(one), _mm256_extracti128_si256(one, 1));
  return uint64_t(_mm_cvtsi128_si64(_mm_packus_epi16(words, words)));
}
inline void store(b8* p, M m) {
  uint64_t w = spread(m);
  __builtin_memcpy(p, &w, 8);
}
inline void store(b8* p, M m, size_t n) {
  uint64_t w = spread(m);
  __builtin_memcpy(p, &w, n);
}

inline V operator+(V a, V b) { return {_mm256_add_ps(a.v, b.v)}; }
inline V operator-(V a, V b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline V operator*(V a, V b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline V operator/(V a, V b) { return {_mm256_div_ps(a.v, b.v)}; }
inline V operator-(V a) { return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))}; }
inline V fma(V a, V b, V c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline V min(V a, V b) { return {_mm256_min_ps(a.v, b.v)}; }
inline V max(V a, V b) { return {_mm256_max_ps(a.v, b.v)}; }
inline V sqrt(V a) { return {_mm256_sqrt_ps(a.v)}; }
inline V abs(V a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline V copysign(V a, V b) {
  __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(sign, a.v), _mm256_and_ps(sign, b.v))};
}
inline V round(V a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline V floor(V a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
inline V ceil(V a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }
inline V trunc(V a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }

inline M operator<(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline M operator<=(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline M operator>(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline M operator>=(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
inline M operator==(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline M operator!=(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)}; }
inline M operator&(M a, M b) { return {_mm256_and_ps(a.v, b.v)}; }
inline M operator|(M a, M b) { return {_mm256_or_ps(a.v, b.v)}; }
inline M operator^(M a, M b) { return {_mm256_xor_ps(a.v, b.v)}; }
inline M operator~(M a) { return {_mm256_xor_ps(a.v, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))}; }
inline V select(M m, V a, V b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
inline M select(M m, M a, M b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
inline bool any(M m) { return _mm256_movemask_ps(m.v) != 0; }

inline I operator+(I a, I b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline I operator-(I a, I b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline I operator*(I a, I b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
inline I operator-(I a) { return all_i(0) - a; }
inline I operator&(I a, I b) { return {_mm256_and_si256(a.v, b.v)}; }
inline I operator|(I a, I b) { return {_mm256_or_si256(a.v, b.v)}; }
inline I operator^(I a, I b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline I shl(I a, int s) { return {_mm256_slli_epi32(a.v, s)}; }
inline I shr(I a, int s) { return {_mm256_srli_epi32(a.v, s)}; }
inline I sar(I a, int s) { return {_mm256_srai_epi32(a.v, s)}; }
// Bytes as 16 bits: the products of bytes themselves saturate when two are added in 16.
inline I dot4(I acc, I a, I b) {
  const __m256i even = _mm256_and_si256(a.v, _mm256_set1_epi16(255)), odd = _mm256_srli_epi16(a.v, 8);
  const __m256i low = _mm256_srai_epi16(_mm256_slli_epi16(b.v, 8), 8), high = _mm256_srai_epi16(b.v, 8);
  return {_mm256_add_epi32(_mm256_add_epi32(acc.v, _mm256_madd_epi16(even, low)), _mm256_madd_epi16(odd, high))};
}
// The 64-bit products of unsigned numbers in halves.
inline void multiply(I a, I b, I& high, I& low) {
  const __m256i even = _mm256_mul_epu32(a.v, b.v);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32));
  high = {_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA)};
  low = {_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA)};
}
inline I min(I a, I b) { return {_mm256_min_epi32(a.v, b.v)}; }
inline I max(I a, I b) { return {_mm256_max_epi32(a.v, b.v)}; }
inline I abs(I a) { return {_mm256_abs_epi32(a.v)}; }
inline M operator==(I a, I b) { return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))}; }
inline M operator>(I a, I b) { return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.v, b.v))}; }
inline M operator<(I a, I b) { return b > a; }
inline M operator!=(I a, I b) { return ~(a == b); }
inline M operator<=(I a, I b) { return ~(a > b); }
inline M operator>=(I a, I b) { return ~(b > a); }
inline I select(M m, I a, I b) { return {_mm256_blendv_epi8(b.v, a.v, _mm256_castps_si256(m.v))}; }
inline I to_int(V a) { return {_mm256_cvtps_epi32(a.v)}; }
inline V to_float(I a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline I bits(V a) { return {_mm256_castps_si256(a.v)}; }
inline V from_bits(I a) { return {_mm256_castsi256_ps(a.v)}; }
inline V scale(V a, V n) {
  I i = to_int(n), h = sar(i, 1);
  return a * from_bits(shl(h + all_i(127), 23)) * from_bits(shl(i - h + all_i(127), 23));
}

// Lanes h .. 2h - 1 moved to lanes 0 .. h - 1; the rest may be anything. The first lane of a word is its head.
template <int h>
inline V upper(V a) {
  if constexpr (h == 4)
    return {_mm256_permute2f128_ps(a.v, a.v, 0x11)};
  else
    return {_mm256_permute_ps(a.v, h == 2 ? 0x0e : 0x01)};
}
template <int h>
inline I upper(I a) {
  return bits(upper<h>(from_bits(a)));
}
template <int h>
inline M upper(M m) {
  return {upper<h>(V{m.v}).v};
}
inline f32 head(V a) { return _mm256_cvtss_f32(a.v); }
inline i32 head(I a) { return _mm256_cvtsi256_si32(a.v); }
inline bool head(M m) { return _mm256_movemask_ps(m.v) & 1; }

// Every other lane of a, then of b.
inline V evens(V a, V b) {
  __m256d pairs = _mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, 0x88));
  return {_mm256_castpd_ps(_mm256_permute4x64_pd(pairs, 0xd8))};
}
// Stays in a register: not loaded again at each use.
inline void keep(V& a) { __asm__("" : "+x"(a.v)); }
// Lane i is lane at[i] of a.
inline V permute(V a, I at) { return {_mm256_permutevar8x32_ps(a.v, at.v)}; }
// Lanes of a and b in turns, in two words.
inline void zip(V& a, V& b) {
  const __m256 low = _mm256_unpacklo_ps(a.v, b.v), high = _mm256_unpackhi_ps(a.v, b.v);
  a = {_mm256_permute2f128_ps(low, high, 0x20)};
  b = {_mm256_permute2f128_ps(low, high, 0x31)};
}

// Row i of the 8 x 8 block becomes column i.
inline void transpose(V (&r)[N]) {
  __m256 s[8], t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {  // pairs of 32 bits: s[i] of rows i, i+1
    s[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
    s[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 4) {  // fours: t[i + c] holds columns c, c + 4 of rows i .. i + 3
    t[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
    t[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
    t[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
    t[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    r[c] = {_mm256_permute2f128_ps(t[c], t[c + 4], 0x20)};
    r[c + 4] = {_mm256_permute2f128_ps(t[c], t[c + 4], 0x31)};
  }
}
// Four terms of two columns: put together by the load, they save one of three rounds of shuffles.
inline V halves(const f32* low, const f32* high) {
  return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1)};
}
// r[i], halves of columns i and i + 4, becomes term i of 8 columns.
inline void transpose(V (&r)[TURN]) {
  const __m256 a = _mm256_unpacklo_ps(r[0].v, r[1].v), b = _mm256_unpackhi_ps(r[0].v, r[1].v);
  const __m256 c = _mm256_unpacklo_ps(r[2].v, r[3].v), d = _mm256_unpackhi_ps(r[2].v, r[3].v);
  r[0] = {_mm256_shuffle_ps(a, c, 0x44)};
  r[1] = {_mm256_shuffle_ps(a, c, 0xee)};
  r[2] = {_mm256_shuffle_ps(b, d, 0x44)};
  r[3] = {_mm256_shuffle_ps(b, d, 0xee)};
}

// Numbers of any size as the bytes they are, in pieces of 16.
constexpr int PIECES = 2;
struct Raw {
  __m256i v;
};
inline Raw load(const char* p) { return {_mm256_loadu_si256((const __m256i*)p)}; }
// 16 bytes from p and from p + step
inline Raw load(const char* p, ptrdiff_t step) {
  const __m128i low = _mm_loadu_si128((const __m128i*)p), high = _mm_loadu_si128((const __m128i*)(p + step));
  return {_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1)};
}
inline void store(char* p, Raw a) { _mm256_storeu_si256((__m256i*)p, a.v); }
// Past the caches, to a whole number of words; what follows waits for it by settle().
inline void store_past(char* p, Raw a) { _mm256_stream_si256((__m256i*)p, a.v); }
inline void settle() { _mm_sfence(); }
// Numbers of `size` bytes of a and b in turns: a has those of the first halves of all pieces, b of the second.
template <int size>
inline void interleave(Raw& a, Raw& b) {
  const __m256i x = a.v, y = b.v;
  if constexpr (size == 1)
    a = {_mm256_unpacklo_epi8(x, y)}, b = {_mm256_unpackhi_epi8(x, y)};
  else if constexpr (size == 2)
    a = {_mm256_unpacklo_epi16(x, y)}, b = {_mm256_unpackhi_epi16(x, y)};
  else if constexpr (size == 4)
    a = {_mm256_unpacklo_epi32(x, y)}, b = {_mm256_unpackhi_epi32(x, y)};
  else
    a = {_mm256_unpacklo_epi64(x, y)}, b = {_mm256_unpackhi_epi64(x, y)};
}

}  // namespace nabla::NABLA_ISA
