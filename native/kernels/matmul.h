// gemm for a result that nothing has been written to yet: c is output only, so whoever plans memory knows that it
// begins here.
#pragma once
#include "gemm.h"

namespace nabla::NABLA_ISA {

template <class T>
void matmul(Strided<Out<T>, 4> c, Strided<In<T>, 4> a, Strided<In<T>, 4> b, In<T> bias, Strided<Out<T>, 4> z,
            Strided<In<T>, 4> slope, u32 act) {
  if constexpr (sizeof(T) == sizeof(f32)) {
    multiply_batch(c, a, b, bias, z, slope, act, false);
  } else {
    Strided<InOut<T>, 4> to{c.p, {}, {}};
    for (int i = 0; i < 4; i++) to.extent[i] = c.extent[i], to.step[i] = c.step[i];
    gemm<T>(to, a, b, bias, z, slope, act, 0);
  }
}

}  // namespace nabla::NABLA_ISA
