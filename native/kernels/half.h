// Products of operands rounded to bf16 (8 bits of significand, the range of f32), summed in f32.
//
// An element is, over pairs of terms p = 0, 1, 2 ..., K filled up to an even number with zeros,
//   acc = fma(a[2p + 1], b[2p + 1], acc);  acc = fma(a[2p], b[2p], acc)
// from zero (or from c when it accumulates), numbers below 2^-126 taken and left as zeros. That is what vdpbf16ps does,
// so the instruction and two fused multiply-adds agree in every bit. Twice the multiply-adds of f32 in a cycle with the
// instruction, as many without.
#pragma once
#include "dot.h"
#include "finish.h"

namespace nabla::NABLA_ISA {

// x to the nearest bf16, ties to even; a NaN stays one, and what is below 2^-126 becomes a zero of its sign.
inline V rounded(V x) {
  const I b = bits(x), top = all_i(i32(0xffff0000));
  const I near = (b + all_i(0x7fff) + (shr(b, 16) & all_i(1))) & top;
  const I small = select((b & all_i(0x7f800000)) == all_i(0), b & all_i(i32(0x80000000)), near);
  return select(x == x, from_bits(small), from_bits((b | all_i(0x400000)) & top));
}

template <class T>
constexpr bool is_half = false;  // what is bf16 already needs no rounding
template <>
constexpr bool is_half<bf16> = true;

// While one lives, the processor takes and leaves numbers below 2^-126 as zeros, or as they are.
inline u32 float_mode() {
#if NABLA_X86
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return u32(mode);
#else
  return 0;
#endif
}
inline void set_float_mode([[maybe_unused]] u32 mode) {
#if NABLA_X86
  __builtin_ia32_ldmxcsr(mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(uint64_t(mode)));
#endif
}
#if NABLA_X86
constexpr u32 flush_bits = 0x8040;
#else
constexpr u32 flush_bits = 1u << 24;
#endif
struct Flushed {
  const u32 before = float_mode();
  Flushed() { set_float_mode(before | flush_bits); }
  ~Flushed() { set_float_mode(before); }
};
struct Kept {
  const u32 before = float_mode();
  Kept() { set_float_mode(before & ~flush_bits); }
  ~Kept() { set_float_mode(before); }
};

#if NABLA_DOTS
constexpr int pair_words = 1;
template <class T>
inline void pair_of(V (&out)[pair_words], V low, V high) {
  out[0] = is_half<T> ? from_bits(shr(bits(low), 16) | bits(high)) : pair(low, high);
}
inline V dot_pair(V acc, V a, V b) { return dot(acc, a, b); }
struct Flushing {};
struct Keeping {};
#else
constexpr int pair_words = 2;
template <class T>
inline void pair_of(V (&out)[pair_words], V low, V high) {
  out[0] = is_half<T> ? high : rounded(high);
  out[1] = is_half<T> ? low : rounded(low);
}
inline V dot_pair(V acc, V a, V b) { return fma(a, b, acc); }
using Flushing = Flushed;
using Keeping = Kept;
#endif

template <class T>
inline void put_pair(f32* out, size_t run, V low, V high) {
  V x[pair_words];
  pair_of<T>(x, low, high);
#pragma GCC unroll 2
  for (int i = 0; i < pair_words; i++) store(out + size_t(i) * run, x[i]);
}

// n <= N values as f32.
inline V widen(const f32* p, size_t n) { return load(p, n); }
inline V widen(const bf16* p, size_t n) {
  u32 x[N] = {};
  if (n == size_t(N)) {
    for (int i = 0; i < N; i++) x[i] = u32(p[i]) << 16;
  } else {
    for (size_t i = 0; i < n; i++) x[i] = u32(p[i]) << 16;
  }
  return load((const f32*)x);
}
inline f32 widen(f32 x) { return x; }
inline f32 widen(bf16 x) { return __builtin_bit_cast(f32, u32(x) << 16); }

// The pairs of k = 2p, 2p + 1 at out + p * run, from rows of w <= N columns.
template <class T>
inline void pairs_beside(f32* out, size_t run, const T* x, ptrdiff_t x_k, size_t w, size_t depth) {
  for (size_t k = 0; k + 1 < depth; k += 2, x += 2 * x_k, out += pair_words * run)
    put_pair<T>(out, run, widen(x, w), widen(x + x_k, w));
  if (depth % 2) put_pair<T>(out, run, widen(x, w), all(0));
}
// Panels of `width` columns, one after another, from rows of all of them: a line is read once and pages follow one
// another.
template <class T>
inline void panels_beside(f32* out, const T* x, ptrdiff_t x_k, size_t cols, size_t width, size_t depth) {
  constexpr ptrdiff_t ahead = 16;  // rows asked for in advance
  const size_t words = (depth + 1) / 2 * pair_words;
  for (size_t k = 0; k < depth; k += 2, x += 2 * x_k) {
    for (size_t at = 0; at < cols; at += N) {
      const size_t panel = at / width * width, w = cols - at < size_t(N) ? cols - at : size_t(N);
      const size_t run = cols - panel < width ? (cols - panel + N - 1) / N * N : width;
      prefetch(x + at + ahead * x_k);
      prefetch(x + at + (ahead + 1) * x_k);
      put_pair<T>(out + panel * words + k / 2 * pair_words * run + (at - panel), run, widen(x + at, w),
                  k + 1 < depth ? widen(x + at + x_k, w) : all(0));
    }
  }
}
// From columns: N x N blocks turned in registers.
template <class T>
inline void pairs_turned(f32* out, size_t run, const T* x, ptrdiff_t step, size_t w, size_t depth) {
  const T* row[N];
  for (size_t j = 0; j < size_t(N); j++) row[j] = x + ptrdiff_t(j < w ? j : w - 1) * step;
  size_t k = 0;
#if NABLA_DOTS
  // Half a block at once: rounding puts 16 terms of two columns side by side, as transpose() wants them, and a word of
  // bf16 takes its halves from two columns when it is loaded.
  for (; k + N <= depth; k += N) {
    V r[TURN];
#pragma GCC unroll 8
    for (int i = 0; i < TURN; i++) {
      const T *low = row[i + i / 4 * 4] + k, *high = row[i + i / 4 * 4 + 4] + k;
      if constexpr (is_half<T>)
        r[i] = halves((const f32*)low, (const f32*)high);
      else
        r[i] = narrow(load(low), load(high));
    }
    transpose(r);
#pragma GCC unroll 8
    for (int i = 0; i < TURN; i++, out += run) store(out, r[i]);
  }
#endif
  for (; k + N <= depth; k += N) {
    V r[N];
#pragma GCC unroll 16
    for (int j = 0; j < N; j++) r[j] = widen(row[j] + k, N);
    transpose(r);
#pragma GCC unroll 8
    for (int j = 0; j + 1 < N; j += 2, out += pair_words * run) put_pair<T>(out, run, r[j], r[j + 1]);
  }
  if (k == depth) return;
  V r[N];
  for (int j = 0; j < N; j++) r[j] = widen(row[j] + k, depth - k);
  transpose(r);
  for (size_t j = 0; j < depth - k; j += 2, out += pair_words * run) put_pair<T>(out, run, r[j], r[j + 1]);
}
template <class T>
inline void pairs_scattered(f32* out, size_t run, const T* x, ptrdiff_t step, ptrdiff_t x_k, size_t w, size_t depth) {
  for (size_t k = 0; k < depth; k += 2, x += 2 * x_k, out += pair_words * run) {
    f32 low[N] = {}, high[N] = {};
    for (size_t j = 0; j < w; j++) {
      const T* p = x + ptrdiff_t(j) * step;
      low[j] = widen(*p);
      if (k + 1 < depth) high[j] = widen(p[x_k]);
    }
    put_pair<T>(out, run, load(low), load(high));
  }
}

// out[p * run + i] = the pair x[i * step + k * x_k], k = 2p, 2p + 1, for i < width, filled up to whole vectors.
template <class T>
inline void pack_pairs(f32* out, size_t run, const T* x, ptrdiff_t step, ptrdiff_t x_k, size_t width, size_t depth) {
  for (size_t i = 0; i < width; i += N, x += ptrdiff_t(N) * step, out += N) {
    const size_t w = width - i < size_t(N) ? width - i : size_t(N);
    if (step == 1)
      pairs_beside(out, run, x, x_k, w, depth);
    else if (x_k == 1 && N > 1)
      pairs_turned(out, run, x, step, w, depth);
    else
      pairs_scattered(out, run, x, step, x_k, w, depth);
  }
}

// c = finish(a b), b of f32 or bf16.
template <class T>
struct Halves {
  f32* c;
  ptrdiff_t c_row;
  const f32* a;
  ptrdiff_t a_row, a_k;
  const T* b;
  ptrdiff_t b_k, b_col;
  size_t depth;  // terms
  size_t k;      // words
  bool add;
  Finish<f32> end;
  static constexpr size_t unit = pair_words;
  static constexpr bool ready = false;
  static constexpr ptrdiff_t step = 0;
  ptrdiff_t place(int) const { return 0; }
  using Mode = Flushing;

  static V dot(V acc, V x, V y) { return dot_pair(acc, x, y); }
  size_t terms(size_t from, size_t words) const {
    const size_t first = from / unit * 2, count = words / unit * 2;
    return depth - first < count ? depth - first : count;
  }
  void pack_a(f32* out, size_t i, size_t rows, size_t from, size_t words) const {
    const f32* x = a + ptrdiff_t(i) * a_row + ptrdiff_t(from / unit * 2) * a_k;
    pack_pairs(out, PR, x, a_row, a_k, rows, terms(from, words));
  }
  void pack_b(f32* out, size_t j, size_t cols, size_t width, size_t from, size_t words) const {
    const size_t depth = terms(from, words);
    if (beside()) return panels_beside(out, row_b(j, from), b_k, cols, width, depth);
    for (size_t at = 0; at < cols; at += width, out += width * words) {
      const size_t w = cols - at < width ? cols - at : width;
      pack_pairs(out, (w + N - 1) / N * N, row_b(j + at, from), b_col, b_k, w, depth);
    }
  }
  // Rows of b side by side: the tile rounds them itself.
  bool beside() const { return b_col == 1; }
  bool apart() const { return beside() && b_k * ptrdiff_t(sizeof(T)) >= 3000; }
  const T* row_b(size_t j, size_t from) const { return b + ptrdiff_t(j) * b_col + ptrdiff_t(from / unit * 2) * b_k; }
  // f(words) for each of k words of C vectors of columns, the last `tail` wide.
  template <int C, class F>
  void each_row(size_t j, size_t from, size_t k, size_t tail, F f) const {
    constexpr ptrdiff_t ahead = 24;  // rows asked for in advance
    const T* p = row_b(j, from);
    auto pairs = [&](const T* high) {
      V x[unit][C], both[unit];
#pragma GCC unroll 8
      for (int c = 0; c < C; c++) {
        const size_t w = c < C - 1 ? N : tail;
        pair_of<T>(both, widen(p + c * N, w), high ? widen(high + c * N, w) : all(0));
#pragma GCC unroll 2
        for (int u = 0; u < int(unit); u++) x[u][c] = both[u];
      }
#pragma GCC unroll 2
      for (int u = 0; u < int(unit); u++) f(x[u]);
    };
    size_t count = terms(from, k);
    for (; count > 1; count -= 2, p += 2 * b_k) {
#pragma GCC unroll 8
      for (int c = 0; c < C * N; c += 64 / sizeof(T)) {
        prefetch(p + ahead * b_k + c);
        prefetch(p + (ahead + 1) * b_k + c);
      }
      pairs(p + b_k);
    }
    if (count) pairs(nullptr);
  }
  void finish(f32* to, ptrdiff_t row, size_t rows, size_t cols, size_t i, size_t j) const {
    if (!end.some()) return;
    [[maybe_unused]] const Keeping keeping;
    nabla::NABLA_ISA::finish(to, row, rows, cols, end.down(i).right(j));
  }
};

template <class T>
void gemm_bf16(Strided<InOut<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<T>, 4> b, In<f32> bias,
               Strided<Out<f32>, 4> z, Strided<In<f32>, 4> slope, u32 act, u32 accumulate) {
  const size_t m = c.extent[2], n = c.extent[3], depth = a.extent[3], q = c.extent[1], batch = c.extent[0] * q;
  if (!m || !n || !batch) return;
  const size_t words = (depth + 1) / 2 * pair_words;
  auto product = [&](size_t i) {
    const size_t x = i / q, y = i % q;
    return Halves<T>{at(c, x, y, 0, 0),
                     c.step[2],
                     at(a, x, y, 0, 0),
                     a.step[2],
                     a.step[3],
                     at(b, x, y, 0, 0),
                     b.step[2],
                     b.step[3],
                     depth,
                     words,
                     accumulate != 0,
                     finish_of(bias, z, slope, act, x, y)};
  };
  if (c.step[3] == 1 || n == 1) return multiply_all(batch, m, n, words, product);
  // Columns of c apart: computed in a copy.
  f32* copy = static_cast<f32*>(scratch(m * n * sizeof(f32), 3));
  auto each = [&](size_t i, auto f) {
    for (size_t y = 0; y < m; y++) {
      for (size_t x = 0; x < n; x++) f(*at(c, i / q, i % q, y, x), copy[y * n + x]);
    }
  };
  for (size_t i = 0; i < batch; i++) {
    if (accumulate) each(i, [](f32& out, f32& in) { in = out; });
    multiply_all(1, m, n, words, [&](size_t) {
      Halves<T> one = product(i);
      one.c = copy;
      one.c_row = ptrdiff_t(n);
      return one;
    });
    each(i, [](f32& out, f32& in) { out = in; });
  }
}

template <class T>
void matmul_bf16(Strided<Out<f32>, 4> c, Strided<In<f32>, 4> a, Strided<In<T>, 4> b, In<f32> bias,
                 Strided<Out<f32>, 4> z, Strided<In<f32>, 4> slope, u32 act) {
  Strided<InOut<f32>, 4> to{c.p, {}, {}};
  for (int i = 0; i < 4; i++) to.extent[i] = c.extent[i], to.step[i] = c.step[i];
  gemm_bf16<T>(to, a, b, bias, z, slope, act, 0);
}

// The nearest bf16, ties to even, small numbers as they are; a NaN stays one.
template <class T>
void to_bf16(Out<bf16> y, In<T> x) {
  for (size_t i = 0; i < y.n; i++) {
    const u32 b = __builtin_bit_cast(u32, x.p[i]), near = b + 0x7fff + (b >> 16 & 1);
    y.p[i] = bf16((b & 0x7fffffff) > 0x7f800000 ? (b | 0x400000) >> 16 : near >> 16);
  }
}
template <class T>
void from_bf16(Out<T> y, In<bf16> x) {
  for (size_t i = 0; i < y.n; i++) y.p[i] = widen(x.p[i]);
}

}  // namespace nabla::NABLA_ISA
