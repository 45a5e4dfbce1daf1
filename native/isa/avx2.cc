// AVX2 + FMA. Every std and intrinsic header is included before the region opens, so no library code is compiled for
// it.
#include "../kernels.h"
#if NABLA_X86
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../pool.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target "avx2,fma,f16c,bmi,bmi2"
#endif
#define NABLA_ISA avx2
#include "../simd/avx2.h"
#include "table.h"
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif
#endif
