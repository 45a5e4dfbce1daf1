// The table as types: for every row its signature, its number, and a slot in the table of each instruction set.
#pragma once
#include "types.h"

// How many kernels a row has: X(T, arguments...) once for each dtype.
#define NABLA_F32(X, ...) X(f32, __VA_ARGS__)
#define NABLA_FLOATS(X, ...) X(f32, __VA_ARGS__) X(f64, __VA_ARGS__)
#define NABLA_NUMBERS(X, ...) NABLA_FLOATS(X, __VA_ARGS__) X(i32, __VA_ARGS__)
#define NABLA_BOOL(X, ...) X(b8, __VA_ARGS__)
#define NABLA_ALL(X, ...) NABLA_NUMBERS(X, __VA_ARGS__) X(u8, __VA_ARGS__) X(b8, __VA_ARGS__)
#define NABLA_STORED(X, ...) NABLA_ALL(X, __VA_ARGS__) X(bf16, __VA_ARGS__) X(i8, __VA_ARGS__)
#define NABLA_HALVES(X, ...) X(f32, __VA_ARGS__) X(bf16, __VA_ARGS__)

namespace nabla {

namespace signature {
#define OP(name, types, driver, shapes, params) \
  template <class T>                            \
  using name = void params;
#include "ops.def"
#undef OP
}  // namespace signature

enum Row : unsigned {
#define NABLA_NUMBER(T, name) name##_##T,
#define OP(name, types, driver, shapes, params) NABLA_##types(NABLA_NUMBER, name)
#include "ops.def"
#undef OP
#undef NABLA_NUMBER
  row_count
};

using Kernel = void (*)();  // cast back to signature::name<T>* before the call

struct Table {
  const char* isa;
  Kernel kernel[row_count];
};

// Tables this machine can run, best last; the names tell why one is missing.
extern const Table scalar_table;
#if defined(__x86_64__) || defined(_M_X64)
#define NABLA_X86 1
extern const Table avx2_table;
extern const Table avx512_table;
// Rows that dot products of bf16 and of bytes do better than AVX-512 without them.
struct Dots {
  static constexpr int most = 12;
  struct {
    unsigned row;
    Kernel kernel;
  } kernels[most];
  int count;
};
extern const Dots avx512_dots;
#elif defined(__aarch64__) || defined(_M_ARM64)
#define NABLA_ARM64 1
extern const Table neon_table;
#endif

constexpr int max_tables = 5;
int tables(const Table* out[max_tables]);  // from scalar to best; returns how many

}  // namespace nabla
