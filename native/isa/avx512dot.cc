// AVX-512 with dot products of bf16 pairs and of four bytes: the rows that use them, in place of those of avx512.cc.
#include "../kernels.h"
#if NABLA_X86
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../pool.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                                 \
    __attribute__((                                                                                           \
        target("avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512bf16,avx512vnni"))), \
    apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target "avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512bf16,avx512vnni"
#endif
#define NABLA_ISA avx512dot
#include "../simd/dot.h"

#include "../kernels/half.h"
#include "../kernels/integer.h"
#include "../kernels/narrow.h"
#include "../kernels/pairs.h"
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#define NABLA_DOT(T, name) {name##_##T, reinterpret_cast<Kernel>(static_cast<signature::name<T>*>(&NABLA_ISA::name<T>))}

namespace nabla {
extern const Dots avx512_dots = {
    {NABLA_DOT(f32, gemm_bf16), NABLA_DOT(bf16, gemm_bf16), NABLA_DOT(f32, matmul_bf16), NABLA_DOT(bf16, matmul_bf16),
     NABLA_DOT(f32, linear_i8), NABLA_DOT(f32, conv_bf16), NABLA_DOT(f32, conv_input_bf16),
     NABLA_DOT(f32, conv_weight_bf16), NABLA_DOT(f32, attention_bf16), NABLA_DOT(f32, attention_grad_bf16)},
    10};
}  // namespace nabla
#endif
