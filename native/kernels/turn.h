// Copies whose source runs along another axis than their result. A tile of both, a few lines of memory wide either way,
// is brought to scratch as it lies, turned there and written row by row: lines are read and written whole and several
// at a time, for rows a power of two apart share a set of each cache, and one line of each in turn waits for the one
// before.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

template <class T>
struct Tile {
  static constexpr int size = sizeof(T);
  static constexpr int square = 16 / size;             // numbers of a piece
  static constexpr int lines = size == 1 ? 2 : 4;      // of 64 bytes, a row of a tile; 4 of bytes would leave L1
  static constexpr int row = 64 * lines;               // its bytes
  static constexpr int side = row / size;              // its numbers
  static constexpr int line = 64 / size;               // those of a line
  static constexpr int word = 16 * PIECES;             // bytes of a word
  static constexpr int bytes = (side + square) * row;  // of scratch: the tile, and as many rows as a square turns
};

// K words, each piece of which is a row of a square: rows become columns. Each round interleaves the first half of the
// words with the second.
template <int size, int K>
inline void turn_squares(Raw (&r)[K]) {
#pragma GCC unroll 4
  for (int round = 1; round < K; round *= 2) {
    Raw s[K];
#pragma GCC unroll 8
    for (int i = 0; i < K / 2; i++) {
      s[2 * i] = r[i], s[2 * i + 1] = r[i + K / 2];
      interleave<size>(s[2 * i], s[2 * i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < K; i++) r[i] = s[i];
  }
}

// n bytes; past: lines, from the beginning of one on
template <bool past>
inline void move(char* to, const char* from, int n) {
  constexpr int W = 16 * PIECES;
  int i = 0;
  for (; i + W <= n; i += W) past ? store_past(to + i, load(from + i)) : store(to + i, load(from + i));
  for (; i + 16 <= n; i += 16) std::memcpy(to + i, from + i, 16);
  if (i == n) return;
  if (n >= 16)
    std::memcpy(to + n - 16, from + n - 16, 16);
  else
    std::memcpy(to + i, from + i, size_t(n - i));
}

// y[r * pitch + c] = x[c * step + r] for r < rows, c < columns, a side of a tile at most; side: both, where it is not
// 0. ahead: how far from x the next tile lies, whose lines are asked for, or 0.
template <class T, bool past, int side>
inline void turn_tile(T* y, ptrdiff_t pitch, const T* x, ptrdiff_t step, int rows, int columns, ptrdiff_t ahead,
                      char* held) {
  using S = Tile<T>;
  if (side) rows = columns = side;
  constexpr int row = side ? side * S::size : S::row;
  for (int c = 0; c < columns; c++)
    move<false>(held + c * row, reinterpret_cast<const char*>(x + c * step), rows * S::size);
  char* const turned = held + S::side * S::row;
  for (int r = 0; r < rows; r += S::square) {
    for (int i = r; ahead && i < r + S::square && i < columns; i++)
      for (int l = 0; l < rows * S::size; l += 64)
        prefetch_far(reinterpret_cast<const char*>(x + ahead + i * step) + l);
    for (int at = 0; at < columns * S::size; at += S::word) {
      Raw w[S::square];
#pragma GCC unroll 16
      for (int i = 0; i < S::square; i++) w[i] = load(held + (at / S::size + i) * row + r * S::size, S::square * row);
      turn_squares<S::size>(w);
#pragma GCC unroll 16
      for (int i = 0; i < S::square; i++) store(turned + i * row + at, w[i]);
    }
    for (int i = 0; i < S::square && r + i < rows; i++)
      move<past>(reinterpret_cast<char*>(y + (r + i) * pitch), turned + i * row, columns * S::size);
  }
}

// A band of rows, a side of a tile at most; next: it has another below it that begins with the same column.
template <class T>
inline void turn_band(T* y, ptrdiff_t pitch, const T* x, ptrdiff_t step, int rows, size_t columns, bool ahead,
                      bool next, bool past) {
  using S = Tile<T>;
  constexpr size_t side = S::side;
  char* held = static_cast<char*>(scratch(S::bytes, 1));
  const size_t off = reinterpret_cast<uintptr_t>(y) % 64;
  // Rows all begin as far from a line as the first does, or else none is written past the caches.
  past = past && (off == 0 || columns >= 4 * side) && off % S::size == 0 && pitch * S::size % 64 == 0;
  const size_t lead = past ? (64 - off) % 64 / S::size : 0;
  for (size_t c = 0, n; c < columns; c += n) {
    n = c == 0 && lead ? lead : columns - c < side ? columns - c : side;
    const bool last = c + n + side > columns;
    const ptrdiff_t further = !ahead || (last && !next) ? 0 : last ? rows - ptrdiff_t(c) * step : ptrdiff_t(n) * step;
    const auto tile = rows == S::line && n == S::line ? turn_tile<T, false, S::line>
                      : rows < S::side || n < side    ? turn_tile<T, false, 0>
                      : past                          ? turn_tile<T, true, S::side>
                                                      : turn_tile<T, false, S::side>;
    tile(y + c, pitch, x + ptrdiff_t(c) * step, step, rows, int(n), further, held);
  }
}

// y = x, [m, n, r, c]: rows of y run along c, those of x along r. past: the result is too large to stay in a cache.
template <class T>
void turn(Strided<Out<T>, 4> y, Strided<In<T>, 4> x, u32 past) {
  const size_t n = x.extent[1], r = x.extent[2], c = x.extent[3];
  if (r == 0 || c == 0) return;
  const auto at = [](const auto& a, size_t i, size_t j) {
    return a.p + ptrdiff_t(i) * a.step[0] + ptrdiff_t(j) * a.step[1];
  };
  if (y.step[3] != 1 || x.step[2] != 1) {
    for (size_t i = 0; i < x.extent[0] * n; i++) {
      T* to = at(y, i / n, i % n);
      const T* from = at(x, i / n, i % n);
      for (size_t j = 0; j < r; j++)
        for (size_t k = 0; k < c; k++)
          to[ptrdiff_t(j) * y.step[2] + ptrdiff_t(k) * y.step[3]] =
              from[ptrdiff_t(j) * x.step[2] + ptrdiff_t(k) * x.step[3]];
    }
    return;
  }
  constexpr size_t side = Tile<T>::side, chunk = 16 * side;
  // Many bands begin where lines of x do.
  const size_t off = (64 - reinterpret_cast<uintptr_t>(x.p) % 64) % 64 / sizeof(T), lead = r < 4 * side ? 0 : off;
  const size_t bands = (r - lead + side - 1) / side + (lead != 0), chunks = (c + chunk - 1) / chunk;
  const bool ahead = x.extent[0] * n * r * c * sizeof(T) > size_t(1) << 19;  // both do not stay in L2
  spread_rows(x.extent[0] * n * bands * chunks, (r < side ? r : side) * (c < chunk ? c : chunk),
              [&](size_t begin, size_t end) {
                for (size_t unit = begin; unit < end; unit++) {
                  const size_t k = unit % chunks * chunk, band = unit / chunks % bands, i = unit / chunks / bands;
                  const size_t j = lead && band ? lead + (band - 1) * side : band * side;
                  const size_t stop = lead && !band ? lead : r - j < side ? r : j + side;
                  turn_band(at(y, i / n, i % n) + ptrdiff_t(j) * y.step[2] + k, y.step[2],
                            at(x, i / n, i % n) + j + ptrdiff_t(k) * x.step[3], x.step[3], int(stop - j),
                            c - k < chunk ? c - k : chunk, ahead, chunks == 1 && band + 1 < bands && stop + side <= r,
                            past != 0);
                }
                if (past) settle();
              });
}

}  // namespace nabla::NABLA_ISA
