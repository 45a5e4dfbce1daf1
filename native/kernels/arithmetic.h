// Copies, casts, the four operations, comparisons and choice.
#pragma once
#include "map.h"

namespace nabla::NABLA_ISA {

template <class T>
void copy(Out<T> y, In<T> x) {
  std::memmove(y.p, x.p, y.n * sizeof(T));
}

// Casts follow C where the value fits; a float that does not fit an i32 (or is NaN) becomes INT_MIN, x86's own answer,
// on every ISA. Floats go to u8 through i32 and wrap, as PyTorch's do. To bool: anything but 0 is true, NaN too.
template <class X>
inline i32 integer(X x) {
  if constexpr (same<X, f32> || same<X, f64>)
    return x > -2147483649.0 && x < 2147483648.0 ? i32(x) : INT32_MIN;
  else
    return i32(x);
}
template <class Y, class X>
inline void cast(Out<Y> y, In<X> x) {
  for (size_t i = 0; i < y.n; i++) {
    if constexpr (same<Y, b8>)
      y.p[i] = b8(x.p[i] != X(0));
    else if constexpr (same<Y, i32> || same<Y, u8>)
      y.p[i] = Y(integer(x.p[i]));
    else if constexpr (same<X, b8>)
      y.p[i] = Y(u8(x.p[i]));
    else
      y.p[i] = Y(x.p[i]);
  }
}
#define NABLA_CAST(name, Y)      \
  template <class T>             \
  void name(Out<Y> y, In<T> x) { \
    cast(y, x);                  \
  }
NABLA_CAST(cast_f32, f32)
NABLA_CAST(cast_f64, f64)
NABLA_CAST(cast_i32, i32)
NABLA_CAST(cast_u8, u8)
NABLA_CAST(cast_bool, b8)
#undef NABLA_CAST

#define NABLA_UNARY(name, formula)             \
  template <class T>                           \
  void name(Out<T> y, In<T> x) {               \
    map([](auto x) { return formula; }, y, x); \
  }
#define NABLA_BINARY(name, formula)                       \
  template <class T>                                      \
  void name(Out<T> y, In<T> a, In<T> b) {                 \
    map([](auto a, auto b) { return formula; }, y, a, b); \
  }
#define NABLA_COMPARE(name, formula)                      \
  template <class T>                                      \
  void name(Out<b8> y, In<T> a, In<T> b) {                \
    map([](auto a, auto b) { return formula; }, y, a, b); \
  }

NABLA_UNARY(neg, -x)
NABLA_UNARY(abs, abs(x))
NABLA_UNARY(sqrt, sqrt(x))
NABLA_BINARY(add, a + b)
NABLA_BINARY(sub, a - b)
NABLA_BINARY(mul, a* b)
NABLA_BINARY(div, a / b)
// A NaN in either operand is the answer: select(a == a, ...) brings back the first, min and max keep the second.
NABLA_BINARY(minimum, select(a == a, min(a, b), a))
NABLA_BINARY(maximum, select(a == a, max(a, b), a))
NABLA_BINARY(logical_and, a& b)
NABLA_BINARY(logical_or, a | b)
NABLA_BINARY(logical_xor, a ^ b)
NABLA_UNARY(logical_not, ~x)
NABLA_COMPARE(eq, a == b)
NABLA_COMPARE(ne, a != b)
NABLA_COMPARE(lt, a < b)
NABLA_COMPARE(le, a <= b)
NABLA_COMPARE(gt, a > b)
NABLA_COMPARE(ge, a >= b)

template <class T>
void where(Out<T> y, In<b8> condition, In<T> a, In<T> b) {
  map([](auto c, auto a, auto b) { return select(c, a, b); }, y, condition, a, b);
}

#undef NABLA_COMPARE

}  // namespace nabla::NABLA_ISA
