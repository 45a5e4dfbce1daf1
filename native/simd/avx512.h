// The vector words in AVX-512 F/BW/DQ/VL: 16 lanes. Meanings are those of lane.h.
#pragma once
#include <immintrin.h>

#include "lane.h"

namespace nabla::NABLA_ISA {

constexpr int N = 16;
constexpr int MR = 14, NV = 2;           // 28 accumulators + 2 of B + 1 of A of 32 registers
constexpr int REGISTERS = 32, WIDE = 6;  // fewer rows take more vectors, up to WIDE
constexpr int SLIVER = 14;               // rows that B is turned for in registers
constexpr int TURN = 8;                  // terms of columns that are turned at once
constexpr int KC = 1024, NC = 2048;      // depth and columns of a block of B, which stays in L3
constexpr int AREA = 184320;             // floats of a block of A, which stays in L2
struct V {
  __m512 v;
};
struct I {
  __m512i v;
};
struct M {
  __mmask16 v;
};

inline V all(f32 x) { return {_mm512_set1_ps(x)}; }
inline I all_i(i32 x) { return {_mm512_set1_epi32(x)}; }
inline I iota() { return {_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)}; }
inline __mmask16 first(size_t n) { return __mmask16((1u << n) - 1); }

inline V load(const f32* p) { return {_mm512_loadu_ps(p)}; }
inline V load(const f32* p, size_t n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
inline void store(f32* p, V a) { _mm512_storeu_ps(p, a.v); }
inline void store(f32* p, V a, size_t n) { _mm512_mask_storeu_ps(p, first(n), a.v); }
inline I load(const i32* p) { return {_mm512_loadu_si512(p)}; }
inline I load(const i32* p, size_t n) { return {_mm512_maskz_loadu_epi32(first(n), p)}; }
inline void store(i32* p, I a) { _mm512_storeu_si512(p, a.v); }
inline void store(i32* p, I a, size_t n) { _mm512_mask_storeu_epi32(p, first(n), a.v); }
inline I load(const u8* p) { return {_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p))}; }
inline I load(const u8* p, size_t n) { return {_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first(n), p))}; }
inline M load(const b8* p) { return {_mm_test_epi8_mask(_mm_loadu_si128((const __m128i*)p), _mm_set1_epi8(-1))}; }
inline M load(const b8* p, size_t n) {
  return {_mm_test_epi8_mask(_mm_maskz_loadu_epi8(first(n), p), _mm_set1_epi8(-1))};
}
inline void store(b8* p, M m) { _mm_storeu_si128((__m128i*)p, _mm_maskz_set1_epi8(m.v, 1)); }
inline void store(b8* p, M m, size_t n) { _mm_mask_storeu_epi8(p, first(n), _mm_maskz_set1_epi8(m.v, 1)); }

inline V operator+(V a, V b) { return {_mm512_add_ps(a.v, b.v)}; }
inline V operator-(V a, V b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline V operator*(V a, V b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline V operator/(V a, V b) { return {_mm512_div_ps(a.v, b.v)}; }
inline V operator-(V a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))}; }
inline V fma(V a, V b, V c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline V min(V a, V b) { return {_mm512_min_ps(a.v, b.v)}; }
inline V max(V a, V b) { return {_mm512_max_ps(a.v, b.v)}; }
inline V sqrt(V a) { return {_mm512_sqrt_ps(a.v)}; }
inline V abs(V a) { return {_mm512_andnot_ps(_mm512_set1_ps(-0.0f), a.v)}; }
inline V copysign(V a, V b) {
  __m512 sign = _mm512_set1_ps(-0.0f);
  return {_mm512_or_ps(_mm512_andnot_ps(sign, a.v), _mm512_and_ps(sign, b.v))};
}
inline V round(V a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline V floor(V a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
inline V ceil(V a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }
inline V trunc(V a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }

inline M operator<(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline M operator<=(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline M operator>(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline M operator>=(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline M operator==(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline M operator!=(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
inline M operator&(M a, M b) { return {__mmask16(a.v & b.v)}; }
inline M operator|(M a, M b) { return {__mmask16(a.v | b.v)}; }
inline M operator^(M a, M b) { return {__mmask16(a.v ^ b.v)}; }
inline M operator~(M a) { return {__mmask16(~a.v)}; }
inline V select(M m, V a, V b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }
inline M select(M m, M a, M b) { return {__mmask16((m.v & a.v) | (~m.v & b.v))}; }
inline bool any(M m) { return m.v != 0; }

inline I operator+(I a, I b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline I operator-(I a, I b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline I operator*(I a, I b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
inline I operator-(I a) { return all_i(0) - a; }
inline I operator&(I a, I b) { return {_mm512_and_si512(a.v, b.v)}; }
inline I operator|(I a, I b) { return {_mm512_or_si512(a.v, b.v)}; }
inline I operator^(I a, I b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline I shl(I a, int s) { return {_mm512_sll_epi32(a.v, _mm_cvtsi32_si128(s))}; }
inline I shr(I a, int s) { return {_mm512_srl_epi32(a.v, _mm_cvtsi32_si128(s))}; }
inline I sar(I a, int s) { return {_mm512_sra_epi32(a.v, _mm_cvtsi32_si128(s))}; }
#if !NABLA_DOTS
// Bytes as 16 bits: the products of bytes themselves saturate when two are added in 16.
inline I dot4(I acc, I a, I b) {
  const __m512i even = _mm512_and_si512(a.v, _mm512_set1_epi16(255)), odd = _mm512_srli_epi16(a.v, 8);
  const __m512i low = _mm512_srai_epi16(_mm512_slli_epi16(b.v, 8), 8), high = _mm512_srai_epi16(b.v, 8);
  return {_mm512_add_epi32(_mm512_add_epi32(acc.v, _mm512_madd_epi16(even, low)), _mm512_madd_epi16(odd, high))};
}
#endif
// The 64-bit products of unsigned numbers in halves.
inline void multiply(I a, I b, I& high, I& low) {
  const __m512i even = _mm512_mul_epu32(a.v, b.v);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
  high = {_mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_CDAB)};
  low = {_mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CDAB)};
}
inline I min(I a, I b) { return {_mm512_min_epi32(a.v, b.v)}; }
inline I max(I a, I b) { return {_mm512_max_epi32(a.v, b.v)}; }
inline I abs(I a) { return {_mm512_abs_epi32(a.v)}; }
inline M operator==(I a, I b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
inline M operator>(I a, I b) { return {_mm512_cmpgt_epi32_mask(a.v, b.v)}; }
inline M operator<(I a, I b) { return {_mm512_cmplt_epi32_mask(a.v, b.v)}; }
inline M operator!=(I a, I b) { return {_mm512_cmpneq_epi32_mask(a.v, b.v)}; }
inline M operator<=(I a, I b) { return {_mm512_cmple_epi32_mask(a.v, b.v)}; }
inline M operator>=(I a, I b) { return {_mm512_cmpge_epi32_mask(a.v, b.v)}; }
inline I select(M m, I a, I b) { return {_mm512_mask_blend_epi32(m.v, b.v, a.v)}; }
inline I to_int(V a) { return {_mm512_cvtps_epi32(a.v)}; }
inline V to_float(I a) { return {_mm512_cvtepi32_ps(a.v)}; }
inline I bits(V a) { return {_mm512_castps_si512(a.v)}; }
inline V from_bits(I a) { return {_mm512_castsi512_ps(a.v)}; }
inline V scale(V a, V n) { return {_mm512_scalef_ps(a.v, n.v)}; }

// Lanes h .. 2h - 1 moved to lanes 0 .. h - 1; the rest may be anything. The first lane of a word is its head.
template <int h>
inline V upper(V a) {
  if constexpr (h >= 4)
    return {_mm512_shuffle_f32x4(a.v, a.v, h == 8 ? 0x0e : 0x01)};
  else
    return {_mm512_permute_ps(a.v, h == 2 ? 0x0e : 0x01)};
}
template <int h>
inline I upper(I a) {
  return bits(upper<h>(from_bits(a)));
}
template <int h>
inline M upper(M m) {
  return {__mmask16(m.v >> h)};
}
inline f32 head(V a) { return _mm512_cvtss_f32(a.v); }
inline i32 head(I a) { return _mm512_cvtsi512_si32(a.v); }
inline bool head(M m) { return m.v & 1; }

// Every other lane of a, then of b.
inline V evens(V a, V b) {
  __m512i at = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return {_mm512_permutex2var_ps(a.v, at, b.v)};
}
// Stays in a register: not loaded again at each use.
inline void keep(V& a) { __asm__("" : "+v"(a.v)); }
// Lane i is lane at[i] of a.
inline V permute(V a, I at) { return {_mm512_permutexvar_ps(at.v, a.v)}; }
// Lanes of a and b in turns, in two words.
inline void zip(V& a, V& b) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512 x = _mm512_permutex2var_ps(a.v, low, b.v);
  b = {_mm512_permutex2var_ps(a.v, _mm512_add_epi32(low, _mm512_set1_epi32(8)), b.v)};
  a = {x};
}

// Row i of the 16 x 16 block becomes column i.
inline void transpose(V (&r)[N]) {
  __m512 s[16], t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {  // pairs of 32 bits: s[i] of rows i, i + 1
    s[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    s[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 4) {  // fours: t[i + c] holds columns c, c + 4, c + 8, c + 12 of rows i .. i + 3
    t[i] = _mm512_shuffle_ps(s[i], s[i + 2], 0x44);
    t[i + 1] = _mm512_shuffle_ps(s[i], s[i + 2], 0xee);
    t[i + 2] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0x44);
    t[i + 3] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0xee);
  }
#pragma GCC unroll 8
  for (int c = 0; c < 4; c++) {  // quarters of 128 bits
    __m512 x = _mm512_shuffle_f32x4(t[c], t[c + 4], 0x88), y = _mm512_shuffle_f32x4(t[c + 8], t[c + 12], 0x88);
    __m512 u = _mm512_shuffle_f32x4(t[c], t[c + 4], 0xdd), w = _mm512_shuffle_f32x4(t[c + 8], t[c + 12], 0xdd);
    r[c] = {_mm512_shuffle_f32x4(x, y, 0x88)};
    r[c + 8] = {_mm512_shuffle_f32x4(x, y, 0xdd)};
    r[c + 4] = {_mm512_shuffle_f32x4(u, w, 0x88)};
    r[c + 12] = {_mm512_shuffle_f32x4(u, w, 0xdd)};
  }
}
// Eight terms of two columns: put together by the load, they save one of four rounds of shuffles.
inline V halves(const f32* low, const f32* high) {
  return {_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high), 1)};
}
// r[i], halves of columns lower(i) and lower(i) + 4, becomes term i of 16 columns.
inline void transpose(V (&r)[TURN]) {
  __m512 s[8], t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    s[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    s[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    t[i] = _mm512_shuffle_ps(s[i], s[i + 2], 0x44);
    t[i + 1] = _mm512_shuffle_ps(s[i], s[i + 2], 0xee);
    t[i + 2] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0x44);
    t[i + 3] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    r[c] = {_mm512_shuffle_f32x4(t[c], t[c + 4], 0x88)};
    r[c + 4] = {_mm512_shuffle_f32x4(t[c], t[c + 4], 0xdd)};
  }
}

// Numbers of any size as the bytes they are, in pieces of 16.
constexpr int PIECES = 4;
struct Raw {
  __m512i v;
};
inline Raw load(const char* p) { return {_mm512_loadu_si512(p)}; }
// 16 bytes from p, from p + step, ...
inline Raw load(const char* p, ptrdiff_t step) {
  const auto piece = [=](int i) { return _mm_loadu_si128((const __m128i*)(p + i * step)); };
  const __m512i low = _mm512_inserti32x4(_mm512_castsi128_si512(piece(0)), piece(1), 1);
  return {_mm512_inserti32x4(_mm512_inserti32x4(low, piece(2), 2), piece(3), 3)};
}
inline void store(char* p, Raw a) { _mm512_storeu_si512(p, a.v); }
// Past the caches, to a whole number of words; what follows waits for it by settle().
inline void store_past(char* p, Raw a) { _mm512_stream_si512((__m512i*)p, a.v); }
inline void settle() { _mm_sfence(); }
// Numbers of `size` bytes of a and b in turns: a has those of the first halves of all pieces, b of the second.
template <int size>
inline void interleave(Raw& a, Raw& b) {
  const __m512i x = a.v, y = b.v;
  if constexpr (size == 1)
    a = {_mm512_unpacklo_epi8(x, y)}, b = {_mm512_unpackhi_epi8(x, y)};
  else if constexpr (size == 2)
    a = {_mm512_unpacklo_epi16(x, y)}, b = {_mm512_unpackhi_epi16(x, y)};
  else if constexpr (size == 4)
    a = {_mm512_unpacklo_epi32(x, y)}, b = {_mm512_unpackhi_epi32(x, y)};
  else
    a = {_mm512_unpacklo_epi64(x, y)}, b = {_mm512_unpackhi_epi64(x, y)};
}

}  // namespace nabla::NABLA_ISA
