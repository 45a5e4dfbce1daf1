// Running results along the middle axis of [a, n, b]: y[i, j, l] is made of x[i, 0, l] ... x[i, j, l], one after the
// other, so neither the threads nor the instruction set change a bit. Floats are carried in f64 and rounded once each.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

// f(state of the column, x, position in y, j) for j = 0, 1, ...: 64 columns at a time side by side, or 8 rows where a
// column has nothing beside it, for one row waits for each sum before the next.
template <class S, class T, class F>
inline void scan(const Strided<In<T>, 3>& x, S start, const F& f) {
  constexpr size_t strip = 64, group = 8;
  const size_t n = x.extent[1], b = x.extent[2], strips = (b + strip - 1) / strip;
  auto rows = [&](size_t i, size_t count) {
    S s[group];
    for (S& each : s) each = start;
    const T* from = x.p + ptrdiff_t(i) * x.step[0];
    const auto at = [&](size_t r, size_t j) { return from[ptrdiff_t(r) * x.step[0] + ptrdiff_t(j) * x.step[1]]; };
    for (size_t j = 0; j < n && count == group; j++) {
      T e[group];  // all before the first result: rows a page apart meet in the addresses of x and y
#pragma GCC unroll 8
      for (size_t r = 0; r < group; r++) e[r] = at(r, j);
#pragma GCC unroll 8
      for (size_t r = 0; r < group; r++) f(s[r], e[r], (i + r) * n + j, j);
    }
    for (size_t r = 0; r < count && count < group; r++)
      for (size_t j = 0; j < n; j++) f(s[r], at(r, j), (i + r) * n + j, j);
  };
  auto columns = [&](size_t i, size_t c, size_t w) {
    S s[strip];
    for (S& each : s) each = start;
    const T* from = x.p + ptrdiff_t(i) * x.step[0] + ptrdiff_t(c) * x.step[2];
    for (size_t j = 0; j < n; j++, from += x.step[1])
      for (size_t l = 0; l < w; l++) f(s[l], from[ptrdiff_t(l) * x.step[2]], (i * n + j) * b + c + l, j);
  };
  if (b == 1) {
    const size_t all = x.extent[0];
    return spread_rows((all + group - 1) / group, n * group, [&](size_t begin, size_t end) {
      for (size_t i = begin * group; i < end * group && i < all; i += group) rows(i, all - i < group ? all - i : group);
    });
  }
  spread_rows(x.extent[0] * strips, n * (b < strip ? b : strip), [&](size_t begin, size_t end) {
    for (size_t unit = begin; unit < end; unit++) {
      const size_t c = unit % strips * strip;
      columns(unit / strips, c, b - c < strip ? b - c : strip);
    }
  });
}

template <class T>
struct CarryOf {
  using type = f64;
};
template <>
struct CarryOf<i32> {
  using type = u32;  // wraps
};
template <class T>
using Carry = typename CarryOf<T>::type;

// y[j] = x[0] + ... + x[j]
template <class T>
void cumsum(Out<T> y, Strided<In<T>, 3> x) {
  scan(x, Carry<T>(0), [=](Carry<T>& s, T e, size_t to, size_t) { y.p[to] = T(s += Carry<T>(e)); });
}
// y[j] = x[0] ... x[j]
template <class T>
void cumprod(Out<T> y, Strided<In<T>, 3> x) {
  scan(x, Carry<T>(1), [=](Carry<T>& s, T e, size_t to, size_t) { y.p[to] = T(s *= Carry<T>(e)); });
}
// y[j] = a[j] y[j - 1] + x[j], from y[-1] = 0
template <class T>
void recurrence(Out<T> y, In<T> a, Strided<In<T>, 3> x) {
  scan(x, f64(0), [=](f64& s, T e, size_t to, size_t j) {
    s = (j == 0 ? 0 : f64(a.p[to]) * s) + f64(e);
    y.p[to] = T(s);
  });
}

// log(exp x[0] + ... + exp x[j]) = peak + log s, with s = the sum of exp(x - peak)
struct Exponentials {
  f64 peak, s;
};
template <class T>
void logcumsumexp(Out<T> y, Strided<In<T>, 3> x) {
  scan(x, Exponentials{-__builtin_inf(), 0}, [=](Exponentials& e, T value, size_t to, size_t) {
    const f64 v = f64(value);
    if (v > e.peak)
      e = {v, e.s * std::exp(e.peak - v) + 1};
    else
      e.s += v == e.peak ? 1 : std::exp(v - e.peak);
    y.p[to] = T(e.peak + std::log(e.s));
  });
}

// The largest (smallest) so far and where it was last seen; NaN is beyond every number.
template <class T, class F>
inline void extreme_so_far(Out<T> values, Out<i32> indices, const Strided<In<T>, 3>& x, const F& beyond) {
  struct Seen {
    T value;
    i32 at;
  };
  scan(x, Seen{T(0), 0}, [=](Seen& s, T e, size_t to, size_t j) {
    if (j == 0 || e != e || (s.value == s.value && beyond(e, s.value))) s = {e, i32(j)};
    values.p[to] = s.value;
    indices.p[to] = s.at;
  });
}
template <class T>
void cummax(Out<T> values, Out<i32> indices, Strided<In<T>, 3> x) {
  extreme_so_far(values, indices, x, [](T a, T b) { return a >= b; });
}
template <class T>
void cummin(Out<T> values, Out<i32> indices, Strided<In<T>, 3> x) {
  extreme_so_far(values, indices, x, [](T a, T b) { return a <= b; });
}

}  // namespace nabla::NABLA_ISA
