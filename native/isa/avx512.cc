// AVX-512 F, BW, DQ, VL. Every std and intrinsic header is included before the region opens, so no library code is
// compiled for it.
#include "../kernels.h"
#if NABLA_X86
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../pool.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512cd"))), \
    apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target "avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512cd"
#endif
#define NABLA_ISA avx512
#include "../simd/avx512.h"
#include "table.h"
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#endif
