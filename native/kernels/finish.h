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

template <class A>
inline auto at(const Strided<A, 4>& x, size_t p, size_t q, size_t i, size_t j) {
  return x.p +
         (ptrdiff_t(p) * x.step[0] + ptrdiff_t(q) * x.step[1] + ptrdiff_t(i) * x.step[2] + ptrdiff_t(j) * x.step[3]);
}

// How one element ends, in the words of T.
template <class T>
inline Finish<T> finish_of(In<T> bias, const Strided<Out<T>, 4>& z, const Strided<In<T>, 4>& slope, u32 act, size_t p,
                           size_t q) {
  return {bias.p,
          z.p ? at(z, p, q, 0, 0) : nullptr,
          z.p ? z.step[2] : 0,
          z.p ? z.step[3] : 0,
          slope.p ? at(slope, p, q, 0, 0) : nullptr,
          slope.p ? slope.step[2] : 0,
          slope.p ? slope.step[3] : 0,
          act};
}

// f(act(x), v * act'(x)) of the activation numbered act, as two functions. `at` is what the gradient row takes: act's
// argument, or the value of sigmoid and tanh. relu takes either.
template <class X, class F>
inline void with_activation(u32 act, F f) {
  switch (act) {
    case 1:
      return f([](X x) { return relu(x); }, [](X v, X x) { return v * relu_slope(x); });
    case 2:
      return f([](X x) { return gelu_erf(x); }, [](X v, X x) { return v * gelu_erf_slope(x); });
    case 3:
      return f([](X x) { return gelu_tanh(x); }, [](X v, X x) { return v * gelu_tanh_slope(x); });
    case 4:
      return f([](X x) { return silu(x); }, [](X v, X x) { return v * silu_slope(x); });
    case 5:
      return f([](X x) { return sigmoid(x); }, [](X v, X y) { return v * sigmoid_slope(y); });
    case 6:
      return f([](X x) { return tanh(x); }, [](X v, X y) { return v * tanh_slope(y); });
    default:
      return f([](X x) { return x; }, [](X v, X) { return v; });
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
template <class Act, class Slope>
inline void finish_rows(f32* c, ptrdiff_t c_row, size_t rows, size_t n, const Finish<f32>& f, Act act, Slope slope) {
  for (size_t i = 0; i < rows; i++, c += c_row) {
    for (size_t j = 0; j < n; j += N) {
      const size_t w = n - j < size_t(N) ? n - j : size_t(N);
      V v = load(c + j, w);
      if (f.bias) v = v + load(f.bias + j, w);
      if (f.z) store_apart(f.z + ptrdiff_t(i) * f.z_row + ptrdiff_t(j) * f.z_col, f.z_col, v, w);
      if (f.at) {
        v = slope(v, load_apart(f.at + ptrdiff_t(i) * f.at_row + ptrdiff_t(j) * f.at_col, f.at_col, w));
      } else {
        v = act(v);
      }
      store(c + j, v, w);
    }
  }
}
inline __attribute__((noinline)) void finish(f32* c, ptrdiff_t c_row, size_t rows, size_t n, const Finish<f32>& f) {
  with_activation<V>(f.act, [&](auto act, auto slope) { finish_rows(c, c_row, rows, n, f, act, slope); });
}
// Asks for what finish will read of `at`: 2 KiB apart, it would wait for memory once a row. The empty statement is an
// effect, without which compilers drop the call.
inline __attribute__((noinline)) void ask(size_t rows, size_t n, const Finish<f32>& f) {
  constexpr size_t line = 16;
  for (size_t i = 0; i < rows; i++) {
    for (size_t j = 0; f.at_col == 1 && j < n; j += line) prefetch(f.at + ptrdiff_t(i) * f.at_row + ptrdiff_t(j));
  }
  __asm__ volatile("");
}
// One element.
inline void finish(f32* c, const Finish<f32>& f) { finish(c, 1, 1, 1, f); }
inline void finish(f64* c, const Finish<f64>& f) {
  Lane<f64> v{*c};
  if (f.bias) v = v + Lane<f64>{*f.bias};
  if (f.z) *f.z = v.v;
  with_activation<Lane<f64>>(f.act, [&](auto act, auto slope) { *c = (f.at ? slope(v, Lane<f64>{*f.at}) : act(v)).v; });
}

}  // namespace nabla::NABLA_ISA
