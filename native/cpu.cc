// What this processor can run.
#include "kernels.h"

namespace nabla {

#if NABLA_X86
namespace {
// AVX-512 with AVX512-BF16 and AVX512-VNNI.
const Table& avx512dot_table() {
  static const Table table = [] {
    Table t = avx512_table;
    t.isa = "avx512dot";
    for (int i = 0; i < avx512_dots.count; i++) t.kernel[avx512_dots.kernels[i].row] = avx512_dots.kernels[i].kernel;
    return t;
  }();
  return table;
}
}  // namespace
#endif

int tables(const Table* out[max_tables]) {
  int n = 0;
  out[n++] = &scalar_table;
#if NABLA_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
    out[n++] = &avx2_table;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      out[n++] = &avx512_table;
      if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")) out[n++] = &avx512dot_table();
    }
  }
#elif NABLA_ARM64
  out[n++] = &neon_table;
#endif
  return n;
}

}  // namespace nabla
