// How products are cut: columns, depth and rows into blocks, rows of a block into runs of one tile.
#pragma once
#include "../simd/lane.h"

namespace nabla::NABLA_ISA {

// n cut into the fewest parts of at most `most`, nearly equal and whole numbers of `unit` but for the last.
struct Cut {
  size_t n, unit, units, parts;
  Cut(size_t n, size_t unit, size_t parts, int) : n(n), unit(unit), units((n + unit - 1) / unit), parts(parts) {}
  Cut(size_t n, size_t most, size_t unit) : n(n), unit(unit), units((n + unit - 1) / unit) {
    const size_t each = most > unit ? most / unit : 1;
    parts = (units + each - 1) / each;
  }
  size_t at(size_t i) const { return units * i / parts * unit < n ? units * i / parts * unit : n; }
  size_t size(size_t i) const { return at(i + 1) - at(i); }
  size_t largest() const { return parts ? (units + parts - 1) / parts * unit : 0; }
};

// What packed rows of a tile take for each k.
constexpr int PR = (MR + N - 1) / N * N;

// Rows in runs of `tall`, then runs of tall - 1.
struct Runs {
  size_t tall = 1, talls = 0, shorts = 0;
  explicit Runs(size_t m, size_t most = MR) {
    size_t runs = (m + most - 1) / most;
    if (!runs) return;
    tall = (m + runs - 1) / runs;
    talls = m - runs * (tall - 1);
    shorts = runs - talls;
  }
};

}  // namespace nabla::NABLA_ISA
