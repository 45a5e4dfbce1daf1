// Attention whose products are of operands rounded to bf16, by the definition of half.h: pairs of numbers of a query
// and a key, of keys for y and dq, of queries for dk and dv; q is scaled before it is rounded. Softmax, its slope and
// all results are f32. Pairs of keys end with an even key: where a group of queries sees an odd number, a zero meets
// the next value.
#pragma once
#include "attention.h"
#include "half.h"

namespace nabla::NABLA_ISA {

template <int C, int... i>
inline void dots_of(const Column& a, const V (&b)[C], V (&acc)[sizeof...(i)][C], Counts<i...>) {
  (
      [&] {
        V x = at<i>(a);
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = dot_pair(acc[i][j], x, b[j]);
      }(),
      ...);
}
// The plain tile of gemm in words of pairs, one chain for each element, from zero or from C. Rows of b are whole
// vectors.
template <int R, int C>
void pair_tiles(const Panel& t, size_t runs) {
  const size_t tail = t.n - (C - 1) * N;  // columns of the last vector, 1 .. N
  const f32* a = t.a;
  f32* c = t.c;
  for (size_t run = 0; run < runs; run++, a += t.a_run, c += R * t.c_row) {
    V acc[R][C];
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) acc[i][j] = all(0);
    }
    if (t.add) {
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = load(c + i * t.c_row + j * N, j < C - 1 ? size_t(N) : tail);
      }
    }
    Column column(a, t.a_row, t.a_k, R);
    const f32* b = t.b;
    for (size_t k = t.k; k; k--, b += t.b_k) {
      V x[C];
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) x[j] = load(b + j * N);
      dots_of(column, x, acc, typename Count<R>::type{});
      column.next<R>();
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) store(c + i * t.c_row + j * N, acc[i][j], j < C - 1 ? size_t(N) : tail);
    }
  }
}
struct PairTable {
  Tiles at[MR][NV];  // [rows - 1][vectors - 1]
};
template <int R, int... j>
constexpr void pair_wide(PairTable& t, Counts<j...>) {
  ((t.at[R - 1][j] = &pair_tiles<R, j + 1>), ...);
}
template <int... i>
constexpr PairTable pair_table(Counts<i...>) {
  PairTable t{};
  (pair_wide<i + 1>(t, typename Count<NV>::type{}), ...);
  return t;
}
constexpr PairTable pair_of_rows = pair_table(Count<MR>::type{});

// Words of pairs, as W of scores.h; without dot products a word is two numbers, the later one first.
struct Narrow {
  static constexpr size_t words(size_t n) { return (n + 1) / 2 * pair_words; }
  static constexpr size_t run(size_t n) { return (n + N - 1) / N * N; }
  static constexpr size_t room(size_t n) { return n; }

  static void turn(f32* out, const f32* x, Steps step, size_t rows, size_t depth) {
    for (size_t j = 0; j < rows; j += strip) {
      const size_t width = rows - j < strip ? rows - j : strip;
      pack_pairs(out + j * words(depth), run(width), x + ptrdiff_t(j) * step.row, step.row, step.col, width, depth);
    }
  }
  static const f32* rows(f32* out, const f32* x, size_t x_row, size_t count, size_t depth) {
    for (size_t i = 0; i < count; i++) write_pairs(out + i * words(x_row), x + i * x_row, depth);
    return out;
  }
  static const f32* below(f32* out, const f32* x, Steps step, size_t rows, size_t width) {
    pack_pairs(out, run(width), x, step.col, step.row, width, rows);
    return out;
  }
  static const f32* pairs(f32* out, const f32* x, size_t x_row, size_t rows, size_t width) {
    for (size_t i = 0; i < rows; i += 2, x += 2 * x_row, out += pair_words * x_row) {
      for (size_t j = 0; j < width; j += N)
        put_pair<f32>(out + j, x_row, load(x + j), i + 1 < rows ? load(x + x_row + j) : all(0));
    }
    return out - (rows + 1) / 2 * pair_words * x_row;
  }
  static void multiply(f32* c, size_t c_row, const f32* a, Steps step, const f32* b, size_t b_row, size_t m, size_t n,
                       size_t k, bool add) {
    [[maybe_unused]] const Flushing mode;
    const Runs runs(m);
    for (size_t j = 0; m && j < n; j += strip) {
      const size_t width = n - j < strip ? n - j : strip;
      Panel t{c + j,   ptrdiff_t(c_row), a, step.row, step.col, 0, b + j, ptrdiff_t(b_row),
              nullptr, nullptr,          0, 0,        width,    k, add,   true,
              {}};
      auto run = [&](size_t high, size_t count) {
        if (!count) return;
        t.a_run = ptrdiff_t(high) * step.row;
        pair_of_rows.at[high - 1][(width + N - 1) / N - 1](t, count);
        t.a += ptrdiff_t(count) * t.a_run;
        t.c += ptrdiff_t(count * high * c_row);
      };
      run(runs.tall, runs.talls);
      run(runs.tall - 1, runs.shorts);
    }
  }

 private:
  // n numbers side by side, and zeros behind them.
  static V some(const f32* x, size_t i, size_t n) {
    return i + N <= n ? load(x + i) : i < n ? load(x + i, n - i) : all(0);
  }
  static void write_pairs(f32* out, const f32* x, size_t n) {
    const size_t count = words(n);
#if NABLA_DOTS
    for (size_t i = 0; i < count; i += N) {
      const V both = narrow(some(x, 2 * i, n), some(x, 2 * i + N, n));
      if (i + N <= count)
        store(out + i, both);
      else
        store(out + i, both, count - i);
    }
#else
    // Word i is number i ^ 1.
    if constexpr (N == 1) {
      for (size_t i = 0; i < count; i++) store(out + i, rounded(some(x, i ^ 1, n)));
    } else {
      i32 other[N];
      for (i32 i = 0; i < N; i++) other[i] = i ^ 1;
      for (size_t i = 0; i < count; i += N) {
        const V both = permute(rounded(some(x, i, n)), load(other));
        if (i + N <= count)
          store(out + i, both);
        else
          store(out + i, both, count - i);
      }
    }
#endif
  }
};

template <class T>
void attention_bf16(Strided<Out<T>, 4> y, Out<T> log, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v,
                    Strided<In<b8>, 4> mask, u32 causal, f64 scale) {
  attend_all<Narrow>(y, log, q, k, v, mask, causal, scale);
}
template <class T>
void attention_grad_bf16(Strided<Out<T>, 4> dq, Strided<Out<T>, 4> dk, Strided<Out<T>, 4> dv, Strided<In<T>, 4> dy,
                         Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, In<T> log,
                         Strided<In<b8>, 4> mask, u32 causal, f64 scale) {
  attend_all_back<Narrow>(Slopes<T>{dq, dk, dv}, dy, q, k, v, log, mask, causal, scale);
}

}  // namespace nabla::NABLA_ISA
