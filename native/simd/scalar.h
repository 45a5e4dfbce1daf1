// The vector words with one lane.
#pragma once
#include "lane.h"

namespace nabla::NABLA_ISA {

constexpr int N = 1;
constexpr int MR = 4, NV = 4;            // register tile of gemm: MR rows of NV vectors
constexpr int REGISTERS = 16, WIDE = 4;  // fewer rows take more vectors, up to WIDE
constexpr int SLIVER = 4;                // rows that B is turned for in registers
constexpr int TURN = N;                  // terms of columns that are turned at once
constexpr int KC = 256, NC = 256;        // depth and columns of a block of B, which stays in L3
constexpr int AREA = 16384;              // floats of a block of A, which stays in L2
using V = Lane<f32>;
using I = Lane<i32>;
using M = Lane<b8>;

inline V all(f32 x) { return {x}; }
inline I all_i(i32 x) { return {x}; }
inline V load(const f32* p) { return {*p}; }
inline V load(const f32* p, size_t) { return {*p}; }
inline void store(f32* p, V a) { *p = a.v; }
inline void store(f32* p, V a, size_t) { *p = a.v; }
inline I load(const i32* p) { return {*p}; }
inline I load(const i32* p, size_t) { return {*p}; }
inline void store(i32* p, I a) { *p = a.v; }
inline void store(i32* p, I a, size_t) { *p = a.v; }
inline M load(const b8* p) { return {*p != b8(0)}; }
inline M load(const b8* p, size_t) { return {*p != b8(0)}; }
inline void store(b8* p, M m) { *p = b8(m.v); }
inline void store(b8* p, M m, size_t) { *p = b8(m.v); }
inline I load(const u8* p) { return {*p}; }
inline I load(const u8* p, size_t) { return {*p}; }
inline I iota() { return {0}; }

inline void transpose(V (&)[N]) {}
// Every other lane of a, then of b.
inline V evens(V a, V) { return a; }
inline void keep(V&) {}
inline V permute(V a, I) { return a; }
inline void zip(V&, V&) {}

// Numbers of any size as the bytes they are, in one piece of 16.
constexpr int PIECES = 1;
struct Raw {
  u8 v[16];
};
inline Raw load(const char* p) {
  Raw a;
  std::memcpy(a.v, p, 16);
  return a;
}
inline Raw load(const char* p, ptrdiff_t) { return load(p); }
inline void store(char* p, Raw a) { std::memcpy(p, a.v, 16); }
inline void store_past(char* p, Raw a) { store(p, a); }
inline void settle() {}
// Numbers of `size` bytes of a and b in turns: a has those of the first halves, b of the second.
template <int size>
inline void interleave(Raw& a, Raw& b) {
  u8 both[32];
  for (int i = 0; i < 16; i += size)
    for (int j = 0; j < size; j++) both[2 * i + j] = a.v[i + j], both[2 * i + size + j] = b.v[i + j];
  std::memcpy(a.v, both, 16), std::memcpy(b.v, both + 16, 16);
}

}  // namespace nabla::NABLA_ISA
