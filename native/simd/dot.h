// Words of dot products, AVX512-BF16 and AVX512-VNNI: 16 lanes of pairs or fours.
#pragma once
#define NABLA_DOTS 1
#include "avx512.h"

namespace nabla::NABLA_ISA {

// Rounded to bf16: lane i of the first half holds elements 2i and 2i + 1 of low, those of high follow.
inline V narrow(V low, V high) { return {_mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high.v, low.v))}; }
// Rounded to bf16, high above low in every lane.
inline V pair(V low, V high) {
  const __m512i at = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                                      20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(at, _mm512_castps_si512(narrow(low, high).v)))};
}
// fma(high of a, high of b, acc), then the same with the low halves.
inline V dot(V acc, V a, V b) {
  return {_mm512_dpbf16_ps(acc.v, (__m512bh)_mm512_castps_si512(a.v), (__m512bh)_mm512_castps_si512(b.v))};
}
inline I dot4(I acc, I a, I b) { return {_mm512_dpbusd_epi32(acc.v, a.v, b.v)}; }

}  // namespace nabla::NABLA_ISA
