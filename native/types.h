// What a kernel is given: pointers with extents. No methods, no ownership; whoever calls has checked every extent.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

using f32 = float;
using f64 = double;
using i32 = int32_t;
using u32 = uint32_t;
using u8 = uint8_t;
using i8 = int8_t;
using i64 = int64_t;
enum class b8 : uint8_t {};     // a truth value, stored as 0 or 1
enum class bf16 : uint16_t {};  // the upper half of an f32

// A flat run of n elements.
template <class T>
struct In {
  using type = const T;
  const T* p;
  size_t n;
};
template <class T>
struct Out {
  using type = T;
  T* p;
  size_t n;
};
template <class T>
struct InOut {
  using type = T;
  T* p;
  size_t n;
};

// A contiguous row-major [rows, cols] block.
template <class A>
struct Rows {
  using type = typename A::type;
  type* p;
  size_t rows, cols;
};

// Rank strided extents: element (i, j, ...) lies at p[i * step[0] + j * step[1] + ...]. Steps are in elements and may
// be 0 or negative.
template <class A, int R>
struct Strided {
  using type = typename A::type;
  type* p;
  size_t extent[R];
  ptrdiff_t step[R];
};

}  // namespace nabla
