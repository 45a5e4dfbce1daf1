// What the machine can do, to hold kernels against: chains of fused multiply-adds that touch no memory.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

// flops[0] = operations done, flops[1] = their result, which keeps the compiler from leaving them out. Twelve chains
// cover the latency of fma (4 cycles at two a cycle) and fit the 16 registers of AVX2.
template <class T>
void peak(Out<f64> flops, u32 rounds) {
  if (flops.n < 2) return;
  V chain[12];
  for (int i = 0; i < 12; i++) chain[i] = all(f32(i));
  const V factor = all(0.999f), term = all(0.001f);
  for (u32 r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; i++) chain[i] = fma(chain[i], factor, term);
  }
  V sum = chain[0];
  for (int i = 1; i < 12; i++) sum = sum + chain[i];
  f32 lanes[16];
  store(lanes, sum);
  flops.p[0] = 2.0 * 12 * N * rounds;
  flops.p[1] = lanes[0];
}

}  // namespace nabla::NABLA_ISA
