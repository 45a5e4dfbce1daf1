// The register tiles of convolution. Like the tile of gemm, each element is one chain of fused multiply-adds from
// zero, or from what was there; the rows of one operand begin wherever a list of places says.
#pragma once
#include "tile.h"

namespace nabla::NABLA_ISA {

// Which lanes of a vector are results: n of them, where they lie and where the first goes.
struct Sift {
  i32 at[N];
  ptrdiff_t n, to;
};
// out[i][j] = sum over k of a[k][i] b[place[k] + j]: R rows, C vectors; with `sift`, a list for each vector, the
// results among them + bias[i], rows `step` apart.
struct Reach {
  const f32* a;  // [k, run]
  size_t run;
  const f32* b;
  const ptrdiff_t* place;
  size_t k;
  f32* out;  // [R, C * N]
  const Sift* sift;
  ptrdiff_t step;
  const f32* bias;  // [R], or null
};
template <int R, int C>
void reach(const Reach& t) {
  V acc[R][C];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) acc[i][j] = all(0);
  }
  const f32* a = t.a;
  const ptrdiff_t* place = t.place;
  for (size_t k = t.k; k; k--, a += t.run, place++) {
    const f32* b = t.b + *place;
    V x[C];
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) x[j] = load(b + j * N);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const V s = all(a[i]);
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) acc[i][j] = fma(s, x[j], acc[i][j]);
    }
    keep(a);
  }
  if (t.sift) {
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) {
      const Sift& s = t.sift[j];
      const I at = load(s.at);
      f32* to = t.out + s.to;
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        const V v = permute(acc[i][j] + (t.bias ? all(t.bias[i]) : all(0)), at);
        if (s.n == N)
          store(to + i * t.step, v);
        else
          store(to + i * t.step, v, size_t(s.n));
      }
    }
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) store(t.out + (i * C + j) * N, acc[i][j]);
  }
}

// The same turned: out[i][j] = bias[j] + sum over k of b[place[k] + i] a[k][j], R positions, NV vectors of a.
template <int R>
void reach_across(const Reach& t) {
  constexpr int C = NV;
  V acc[R][C];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) acc[i][j] = all(0);
  }
  const f32* a = t.a;
  const ptrdiff_t* place = t.place;
  for (size_t k = t.k; k; k--, a += t.run, place++) {
    const f32* b = t.b + *place;
    V w[C];
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) w[j] = load(a + j * N);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const V x = all(b[i]);
#pragma GCC unroll 8
      for (int j = 0; j < C; j++) acc[i][j] = fma(x, w[j], acc[i][j]);
    }
    keep(a);
  }
#pragma GCC unroll 8
  for (int j = 0; j < C; j++) {
    const V bias = t.bias ? load(t.bias + j * N) : all(0);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) store(t.out + (i * C + j) * N, acc[i][j] + bias);
  }
}

// sum[i][j] += sum over images n, rows y and columns x of a[place[i] + n image + y pitch + x] b[n, y, x][j]: R rows, C
// vectors.
struct Gather {
  const f32* a;
  const ptrdiff_t* place;
  ptrdiff_t image, pitch;
  const f32* b;  // [images, rows, cols, C * N]
  size_t images, rows, cols;
  f32* sum;  // [R, step]
  size_t step;
};
template <int R, int C>
void gather_sum(const Gather& t) {
  V acc[R][C];
  const f32* a[R];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
    a[i] = t.a + t.place[i];
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) acc[i][j] = load(t.sum + size_t(i) * t.step + size_t(j * N));
  }
  const f32* b = t.b;
  const ptrdiff_t next = t.image - ptrdiff_t(t.rows) * t.pitch;
  for (size_t n = 0; n < t.images; n++) {
    for (size_t y = 0; y < t.rows; y++) {
      for (size_t x = 0; x < t.cols; x++, b += C * N) {
        V v[C];
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) v[j] = load(b + j * N);
#pragma GCC unroll 16
        for (int i = 0; i < R; i++) {
          const V s = all(a[i][x]);
#pragma GCC unroll 8
          for (int j = 0; j < C; j++) acc[i][j] = fma(s, v[j], acc[i][j]);
        }
      }
      for (int i = 0; i < R; i++) a[i] += t.pitch;
    }
    for (int i = 0; i < R; i++) a[i] += next;
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < C; j++) store(t.sum + size_t(i) * t.step + size_t(j * N), acc[i][j]);
  }
}

struct ReachTable {
  void (*at[MR][WIDE])(const Reach&);
  void (*across[MR])(const Reach&);
  void (*sum[MR][NV])(const Gather&);
};
template <int R, int... j>
constexpr void reach_wide(ReachTable& t, Counts<j...>) {
  ((t.at[R - 1][j] = &reach<R, j + 1>), ...);
}
template <int R, int... j>
constexpr void sum_wide(ReachTable& t, Counts<j...>) {
  ((t.sum[R - 1][j] = &gather_sum<R, j + 1>), ...);
}
template <int... i>
constexpr ReachTable reach_table(Counts<i...>) {
  ReachTable t{};
  (reach_wide<i + 1>(t, typename Count<widest(i + 1)>::type{}), ...);
  ((t.across[i] = &reach_across<i + 1>), ...);
  (sum_wide<i + 1>(t, typename Count<NV>::type{}), ...);
  return t;
}
constexpr ReachTable reach_of = reach_table(Count<MR>::type{});

}  // namespace nabla::NABLA_ISA
