// grid: a kernel that splits its own work. The pieces depend on the extent alone, never on the threads.
#pragma once
#include "map.h"

namespace nabla::NABLA_ISA {

// A task of 16 Ki elements takes some microseconds, more than a fork and join costs.
constexpr size_t piece = 16384;

// f(begin, end) over [0, n): evenly filled pieces of about `each`, multiples of 64 so that two never share a cache
// line.
template <class F>
inline void spread(size_t n, size_t each, const F& f) {
  if (n == 0) return;
  size_t pieces = (n + each - 1) / each;
  size_t size = pieces == 1 ? n : ((n + pieces - 1) / pieces + 63) & ~size_t(63);
  parallel((n + size - 1) / size, [&](size_t i) { f(i * size, i * size + size < n ? i * size + size : n); });
}
// The same over rows of `width` elements.
template <class F>
inline void spread_rows(size_t rows, size_t width, const F& f) {
  if (rows == 0) return;
  size_t each = width >= piece ? 1 : piece / (width ? width : 1);
  parallel((rows + each - 1) / each, [&](size_t i) { f(i * each, i * each + each < rows ? i * each + each : rows); });
}

// What get() gives for a T, and a constant in it.
template <class T>
using Word = decltype(get<width<T>>(static_cast<const T*>(nullptr)));
template <class X>
inline X word(f64 c) {
  if constexpr (same<X, Lane<f64>>)
    return {c};
  else
    return all(f32(c));
}

}  // namespace nabla::NABLA_ISA
