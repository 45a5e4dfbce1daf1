// What happens to an element of C once its sum is complete: + bias, copy to z, activation or the slope of one.
#pragma once
#include "activation.h"

namespace nabla::NABLA_ISA {

// At element (i, j) of c: v = c + bias[j]; z = v; c = at given ? v * act'(at) : act(v). Steps are in elements.
template <class T>
struct Finish {
  const T* bias;  // [n], or null
  T* z;           // [m, n], or null
  ptrdiff_t z_row, z_col;
  const T* at;  // [m, n], or null
  ptrdiff_t at_row, at_col;
  u32 act;

  bool some() const { return bias || z || at || act; }
  Finish down(size_t rows) const {
    Finish f = *this;
    if (z) f.z += ptrdiff_t(rows) * z_row;
    if (at) f.at += ptrdiff_t(rows) * at_row;
    return f;
  }
  Finish right(size_t cols) const {
    Finish f = *this;
    if (bias) f.bias += cols;
    if (z) f.z += ptrdiff_t(cols) * z_col;
    if (at) f.at += ptrdiff_t(cols) * at_col;
    return f;
  }
};

template <class X>
inline X activate(u32 act, X x) {
  switch (act) {
    case 1:
      return relu(x);
    default:
      return x;
  }
}
// v * act'(x)
template <class X>
inline X slope(u32 act, X v, X x) {
  switch (act) {
    case 1:
      return v * relu_slope(x);
    default:
      return v;
  }
}

// n values from p, `step` apart
inline V load_apart(const f32* p, ptrdiff_t step, size_t n) {
  if (step == 1) return load(p, n);
  f32 x[N] = {};
  for (size_t i = 0; i < n; i++) x[i] = p[ptrdiff_t(i) * step];
  return load(x);
}
inline void store_apart(f32* p, ptrdiff_t step, V v, size_t n) {
  if (step == 1) return store(p, v, n);
  f32 x[N];
  store(x, v);
  for (size_t i = 0; i < n; i++) p[ptrdiff_t(i) * step] = x[i];
}

// c: [rows, n], element step 1
inline __attribute__((noinline)) void finish(f32* c, ptrdiff_t c_row, size_t rows, size_t n, const Finish<f32>& f) {
  for (size_t i = 0; i < rows; i++, c += c_row) {
    for (size_t j = 0; j < n; j += N) {
      size_t w = n - j < N ? n - j : N;
      V v = load(c + j, w);
      if (f.bias) v = v + load(f.bias + j, w);
      if (f.z) store_apart(f.z + ptrdiff_t(i) * f.z_row + ptrdiff_t(j) * f.z_col, f.z_col, v, w);
      if (f.at)
        v = slope(f.act, v, load_apart(f.at + ptrdiff_t(i) * f.at_row + ptrdiff_t(j) * f.at_col, f.at_col, w));
      else
        v = activate(f.act, v);
      store(c + j, v, w);
    }
  }
}

}  // namespace nabla::NABLA_ISA
