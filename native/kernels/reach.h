// The register tiles of convolution. Each element is one chain of fused multiply-adds from zero, or from what was
// there; the rows of one operand begin wherever a list of places says. Operands are words that P::dot() multiplies: a
// number each, or (pairs.h) a pair of bf16.
#pragma once
#include "tile.h"

namespace nabla::NABLA_ISA {

struct Fused {
  static V dot(V acc, V a, V b) { return fma(a, b, acc); }
};

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
template <int R, int C, class P>
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
      for (int j = 0; j < C; j++) acc[i][j] = P::dot(acc[i][j], s, x[j]);
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
template <int R, class P>
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
      for (int j = 0; j < C; j++) acc[i][j] = P::dot(acc[i][j], x, w[j]);
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

// sum[i][j] += sum over images n, rows y, columns x and words u of a[place[i] + n image + y pitch + x + u apart]
// b[n, y, x, u][j]: R rows, C vectors.
struct Gather {
  const f32* a;
  const ptrdiff_t* place;
  ptrdiff_t image, pitch, apart;
  const f32* b;  // [images, rows, cols, words, C * N]
  size_t images, rows, cols;
  f32* sum;  // [R, step]
  size_t step;
};
template <int R, int C, class P, size_t words>
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
      for (size_t x = 0; x < t.cols; x++) {
#pragma GCC unroll 2
        for (size_t u = 0; u < words; u++, b += C * N) {
          V v[C];
#pragma GCC unroll 8
          for (int j = 0; j < C; j++) v[j] = load(b + j * N);
#pragma GCC unroll 16
          for (int i = 0; i < R; i++) {
            const V s = all(a[i][x + u * size_t(t.apart)]);
#pragma GCC unroll 8
            for (int j = 0; j < C; j++) acc[i][j] = P::dot(acc[i][j], s, v[j]);
          }
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
};
template <class P, int R, int... j>
constexpr void reach_wide(ReachTable& t, Counts<j...>) {
  ((t.at[R - 1][j] = &reach<R, j + 1, P>), ...);
}
template <class P, int... i>
constexpr ReachTable reach_table(Counts<i...>) {
  ReachTable t{};
  (reach_wide<P, i + 1>(t, typename Count<widest(i + 1)>::type{}), ...);
  ((t.across[i] = &reach_across<i + 1, P>), ...);
  return t;
}
template <class P>
constexpr ReachTable reach_of = reach_table<P>(Count<MR>::type{});

struct GatherTable {
  void (*at[MR][NV])(const Gather&);
};
template <class P, size_t words, int R, int... j>
constexpr void gather_wide(GatherTable& t, Counts<j...>) {
  ((t.at[R - 1][j] = &gather_sum<R, j + 1, P, words>), ...);
}
template <class P, size_t words, int... i>
constexpr GatherTable gather_table(Counts<i...>) {
  GatherTable t{};
  (gather_wide<P, words, i + 1>(t, typename Count<NV>::type{}), ...);
  return t;
}
template <class P, size_t words>
constexpr GatherTable gather_of = gather_table<P, words>(Count<MR>::type{});

}  // namespace nabla::NABLA_ISA
