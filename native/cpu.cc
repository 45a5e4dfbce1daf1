// What this processor can run.
#include "kernels.h"

namespace nabla {

int tables(const Table* out[max_tables]) {
  int n = 0;
  out[n++] = &scalar_table;
#if NABLA_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
    out[n++] = &avx2_table;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      out[n++] = &avx512_table;
  }
#endif
  return n;
}

}  // namespace nabla
