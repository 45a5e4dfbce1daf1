// The register tile of gemm: R rows by C vectors of C. For each element chains of fused multiply-adds over k = 0, 1, 2
// ..., `chain` terms each, from zero, whose sums are added to C one after the other: cutting m or n anywhere, or k
// between chains, leaves every element's bits.
#pragma once
#include "finish.h"

namespace nabla::NABLA_ISA {

// Terms of one chain of fused multiply-adds. Numerics, not tuning: gemm_naive says what it means. A chain errs more the
// longer it is: 3 to 8 times as much at K = 784 to 4096 with chains of 4096. Adding 28 vectors to C for every 256 terms
// costs 0 to 2 %, for additions and stores have units of their own.
constexpr size_t chain = 256;

// One panel of at most C vectors of columns, and runs of R rows. Steps are in elements.
struct Panel {
  f32* c;  // [rows, n], element step 1
  ptrdiff_t c_row;
  const f32* a;                 // [rows, k]
  ptrdiff_t a_row, a_k, a_run;  // a_run: from one run of R rows to the next
  const f32* b;                 // [k, n], element step 1
  ptrdiff_t b_k;
  f32* packed;       // where a packing tile writes B as [k, C * N], zero padded
  const f32* ahead;  // the next panel of B, asked for line by line while two runs are computed, or null
  ptrdiff_t ahead_k;
  ptrdiff_t far;  // modes that stream: how far ahead of a row of B they ask
  size_t n, k;
  bool add;            // C holds a sum already: add to it
  bool last;           // no more k will come: finish
  Finish<f32> finish;  // of the element at c
};

// What a tile does beside multiplying.
enum class Mode { plain, streaming, packing };  // reads B from cache; asks for B ahead; that, and packs it

constexpr int LINE = 16;  // floats of a cache line
constexpr int AHEAD =
    32;  // rows of B asked for in advance: 32 x 14 cycles hide DRAM, and rows a page apart still fit L1

// Row i of a column of A. Five rows to a base register: x86 addresses {0, 1, 2, 4} steps, and 3 from a second register,
// so 14 rows in any layout take 3 bases and 2 steps instead of 14 pointers.
struct Column {
  const char* base[3];
  ptrdiff_t one, three, k;

  Column(const f32* a, ptrdiff_t row, ptrdiff_t k, int rows)
      : one(row * ptrdiff_t(sizeof(f32))), three(3 * one), k(k * ptrdiff_t(sizeof(f32))) {
    const char* p = (const char*)a;
    base[0] = p;
    base[1] = rows > 5 ? p + 5 * one : p;
    base[2] = rows > 10 ? p + 10 * one : p;
  }
  template <int R>
  void next() {
    base[0] += k;
    if constexpr (R > 5) base[1] += k;
    if constexpr (R > 10) base[2] += k;
    keep(base[0]);
    keep(base[1]);
    keep(base[2]);
  }
};
template <int i>
inline V at(const Column& a) {
  constexpr int r = i % 5;
  const char* p = a.base[i / 5];
  return all(*(const f32*)(r == 0   ? p
                           : r == 1 ? p + a.one
                           : r == 2 ? p + 2 * a.one
                           : r == 3 ? p + a.three
                                    : p + 4 * a.one));
}

// Every number below R as a type: the rows of a tile are unrolled by it.
template <int... i>
struct Counts {};
template <int R, int... i>
struct Count : Count<R - 1, R - 1, i...> {};
template <int... i>
struct Count<0, i...> {
  using type = Counts<i...>;
};

template <int C, int... i>
inline void row_of(const Column& a, const V (&b)[C], V (&acc)[sizeof...(i)][C], Counts<i...>) {
  (
      [&] {
        V x = at<i>(a);
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = fma(x, b[j], acc[i][j]);
      }(),
      ...);
}

// `runs` tiles below one another.
template <int R, int C, Mode mode>
void tiles(const Panel& t, size_t runs) {
  const size_t tail = t.n - (C - 1) * N;  // columns of the last vector, 1 .. N
  const f32* a = t.a;
  f32* c = t.c;
  for (size_t run = 0; run < runs; run++, a += t.a_run, c += R * t.c_row) {
    // The next tile of C comes while this one is computed: its loads would wait a whole k loop's latency for L3.
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
      for (int j = 0; j < C * N; j += LINE) prefetch_write(c + (R + i) * t.c_row + j);
    }
    if (t.last && t.finish.at) ask(R, t.n, t.finish.down(run * R));
    Column column(a, t.a_row, t.a_k, R);
    const f32* b = t.b;
    f32* packed = t.packed;
    const f32* ahead = t.ahead && run < C * N / LINE ? t.ahead + run * LINE : b;
    const ptrdiff_t ahead_k = t.ahead && run < C * N / LINE ? t.ahead_k : 0;
    size_t left = t.k;
    bool begun = t.add;
    do {
      V acc[R][C];
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < C; j++) acc[i][j] = all(0);
      }
      size_t k = left < chain ? left : chain;
      left -= k;
      for (; k; k--) {
        V x[C];
#pragma GCC unroll 8
        for (int j = 0; j < C - 1; j++) x[j] = load(b + j * N);
        x[C - 1] = load(b + (C - 1) * N, tail);
        if constexpr (mode == Mode::plain) {
          prefetch_far(ahead);
          ahead += ahead_k;
        } else {
#pragma GCC unroll 8
          for (int j = 0; j < C * N; j += LINE) prefetch(b + t.far + j);
          prefetch(b + t.far + C * N - 1);  // rows need not begin on a line
        }
        if constexpr (mode == Mode::packing) {
#pragma GCC unroll 8
          for (int j = 0; j < C; j++) store(packed + j * N, x[j]);
          packed += C * N;
        }
        row_of(column, x, acc, typename Count<R>::type{});
        b += t.b_k;
        column.next<R>();
      }
      if (begun) {
#pragma GCC unroll 16
        for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
          for (int j = 0; j < C - 1; j++) acc[i][j] = load(c + i * t.c_row + j * N) + acc[i][j];
          acc[i][C - 1] = load(c + i * t.c_row + (C - 1) * N, tail) + acc[i][C - 1];
        }
      }
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < C - 1; j++) store(c + i * t.c_row + j * N, acc[i][j]);
        store(c + i * t.c_row + (C - 1) * N, acc[i][C - 1], tail);
      }
      begun = true;
    } while (left);
    if (t.last && t.finish.some()) finish(c, t.c_row, R, t.n, t.finish.down(run * R));
  }
}

// Vectors of columns a tile of R rows can keep in REGISTERS: R * C sums, C of B, one of A.
constexpr int widest(int R) {
  int C = NV;
  while (C < WIDE && R * (C + 1) + (C + 1) + 1 <= REGISTERS) C++;
  return C;
}

using Tiles = void (*)(const Panel&, size_t runs);
struct TileTable {
  Tiles at[3][MR][WIDE];  // [mode][rows - 1][vectors - 1]
};
template <int R, int... j>
constexpr void tiles_wide(TileTable& t, Counts<j...>) {
  ((t.at[0][R - 1][j] = &tiles<R, j + 1, Mode::plain>), ...);
  ((t.at[1][R - 1][j] = &tiles<R, j + 1, Mode::streaming>), ...);
}
template <int R, int... j>
constexpr void tiles_packing(TileTable& t, Counts<j...>) {
  if constexpr (2 * R >= MR) ((t.at[2][R - 1][j] = &tiles<R, j + 1, Mode::packing>), ...);
}
template <int... i>
constexpr TileTable tile_table(Counts<i...>) {
  TileTable t{};
  (tiles_wide<i + 1>(t, typename Count<widest(i + 1)>::type{}), ...);
  (tiles_packing<i + 1>(t, typename Count<NV>::type{}), ...);
  return t;
}
constexpr TileTable tile_of = tile_table(Count<MR>::type{});

}  // namespace nabla::NABLA_ISA
