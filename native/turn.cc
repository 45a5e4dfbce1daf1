// Copies whose source lies turned: its unit steps run along another axis than the result's. In squares of 16 x 16 each
// line of either is met once; in the order of the result, one number at a time, a line comes in for each number.
#include "turn.h"

#include <cstring>

#include "pool.h"

namespace nabla {
namespace {

constexpr size_t side = 16;
typedef u32 Four __attribute__((vector_size(16), aligned(4)));

// 4 x 4 numbers: element (i, j) from from[i + j * step] to to[i * pitch + j].
inline void quad(u32* to, size_t pitch, const u32* from, ptrdiff_t step) {
  Four a, b, c, d;
  std::memcpy(&a, from, 16), std::memcpy(&b, from + step, 16);
  std::memcpy(&c, from + 2 * step, 16), std::memcpy(&d, from + 3 * step, 16);
  const Four rows[] = {
      {a[0], b[0], c[0], d[0]}, {a[1], b[1], c[1], d[1]}, {a[2], b[2], c[2], d[2]}, {a[3], b[3], c[3], d[3]}};
  for (size_t i = 0; i < 4; i++) std::memcpy(to + i * pitch, &rows[i], 16);
}

void square(u32* to, size_t pitch, const u32* from, ptrdiff_t step, size_t rows, size_t columns) {
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    size_t j = 0;
    for (; j + 4 <= columns; j += 4) quad(to + i * pitch + j, pitch, from + i + ptrdiff_t(j) * step, step);
    for (; j < columns; j++)
      for (size_t k = i; k < i + 4; k++) to[k * pitch + j] = from[ptrdiff_t(k) + ptrdiff_t(j) * step];
  }
  for (; i < rows; i++)
    for (size_t j = 0; j < columns; j++) to[i * pitch + j] = from[ptrdiff_t(i) + ptrdiff_t(j) * step];
}

// Matrices of rows x columns: columns are the result's last axis, rows the axis along which the source has unit steps.
struct Turn {
  int axis = -1;
  size_t rows = 0, columns = 0, pitch = 0, matrices = 1;
  ptrdiff_t step = 0;
};

Turn turn_of(const Bound& c) {
  Turn t;
  const Operand& from = c.operand[1];
  const int inner = c.rank - 1;
  t.columns = c.extent[inner], t.step = from.step[inner];
  size_t pitch = t.columns;
  for (int d = inner - 1; d >= 0; pitch *= c.extent[d--])
    if (t.axis < 0 && from.step[d] == 1 && c.extent[d] >= 4)
      t.axis = d, t.rows = c.extent[d], t.pitch = pitch;
    else
      t.matrices *= c.extent[d];
  return t;
}

// The strip of 16 rows number s of all matrices.
void strip(const Bound& c, const Turn& t, size_t s) {
  const size_t strips = (t.rows + side - 1) / side;
  const size_t row = s % strips * side, rows = t.rows - row < side ? t.rows - row : side;
  u32* to = reinterpret_cast<u32*>(c.operand[0].p) + row * t.pitch;
  const u32* from = reinterpret_cast<const u32*>(c.operand[1].p) + row;
  size_t matrix = s / strips, pitch = t.columns;
  for (int d = c.rank - 2; d >= 0; pitch *= c.extent[d--]) {
    if (d == t.axis) continue;
    const size_t at = matrix % c.extent[d];
    matrix /= c.extent[d];
    to += at * pitch, from += ptrdiff_t(at) * c.operand[1].step[d];
  }
  for (size_t j = 0; j < t.columns; j += side)
    square(to + j, t.pitch, from + ptrdiff_t(j) * t.step, t.step, rows, t.columns - j < side ? t.columns - j : side);
}

}  // namespace

bool run_turned(const Bound& c) {
  const Operand &to = c.operand[0], &from = c.operand[1];
  if (c.rank < 2 || c.row->arrays != 2 || !to.direct || from.direct || from.number || to.bytes != 4) return false;
  if (from.step[c.rank - 1] == 1 || from.step[c.rank - 1] == 0 || std::strcmp(c.row->name, "copy") != 0) return false;
  const Turn t = turn_of(c);
  // Narrow matrices find their lines again in L1 as they lie, and what comes from memory is best written in order:
  // squares took 1.3 times as long there. In L2 they take a quarter, from 512 columns on a seventh.
  if (t.axis < 0 || t.columns < 4 || (t.columns < 512 && c.total * to.bytes > size_t(1) << 20)) return false;
  const size_t strips = (t.rows + side - 1) / side * t.matrices, each = task_elements / (side * t.columns) + 1;
  parallel((strips + each - 1) / each, [&](size_t task) {
    for (size_t s = task * each; s < strips && s < (task + 1) * each; s++) strip(c, t, s);
  });
  return true;
}

}  // namespace nabla
