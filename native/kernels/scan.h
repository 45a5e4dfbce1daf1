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

// N rows of f32 whose numbers lie side by side, `step` apart: turned, a lane each, so that they are carried together.
// s = f(s, x[j]), y[j] = s.
template <class F>
inline void carry_rows(f32* y, const f32* x, ptrdiff_t step, size_t n, f64 start, const F& f) {
  f64 s[N];
  for (f64& each : s) each = start;
  size_t j = 0;
  for (; j + N <= n; j += N) {
    V r[N];
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) r[i] = load(x + i * step + ptrdiff_t(j));
    transpose(r);
#pragma GCC unroll 16
    for (int k = 0; k < N; k++) {
      f32 e[N];
      store(e, r[k]);
      for (int l = 0; l < N; l++) e[l] = f32(s[l] = f(s[l], f64(e[l])));
      r[k] = load(e);
    }
    transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) store(y + size_t(i) * n + j, r[i]);
  }
  for (; j < n; j++)
    for (int l = 0; l < N; l++) y[size_t(l) * n + j] = f32(s[l] = f(s[l], f64(x[l * step + ptrdiff_t(j)])));
}
// y[j] = f(... f(f(start, x[0]), x[1]) ..., x[j])
template <class T, class F>
inline void running(Out<T> y, const Strided<In<T>, 3>& x, Carry<T> start, const F& f) {
  size_t done = 0;
  if constexpr (same<T, f32> && N > 1)
    if (x.extent[2] == 1 && x.step[1] == 1) {
      const size_t n = x.extent[1], groups = x.extent[0] / N;
      done = groups * N;
      spread_rows(groups, n * N, [&](size_t begin, size_t end) {
        for (size_t i = begin * N; i < end * N; i += N)
          carry_rows(y.p + i * n, x.p + ptrdiff_t(i) * x.step[0], x.step[0], n, start, f);
      });
    }
  Strided<In<T>, 3> rest = x;
  rest.extent[0] -= done, rest.p += ptrdiff_t(done) * x.step[0];
  T* to = y.p + done * x.extent[1] * x.extent[2];
  scan(rest, start, [=](Carry<T>& s, T e, size_t at, size_t) { to[at] = T(s = f(s, Carry<T>(e))); });
}

// y[j] = x[0] + ... + x[j]
template <class T>
void cumsum(Out<T> y, Strided<In<T>, 3> x) {
  running(y, x, Carry<T>(0), [](auto s, auto e) { return s + e; });
}
// y[j] = x[0] ... x[j]
template <class T>
void cumprod(Out<T> y, Strided<In<T>, 3> x) {
  running(y, x, Carry<T>(1), [](auto s, auto e) { return s * e; });
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
