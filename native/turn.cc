// Copies whose source lies turned: its unit steps run along another axis than the result's. In the order of the result,
// one number at a time, a line of memory comes in for each of them.
#include "turn.h"

#include <utility>

namespace nabla {
namespace {

// The axis along which steps are 1, or -1.
int unit_axis(const Bound& c, const Operand& o) {
  for (int d = c.rank - 1; d >= 0; d--)
    if (o.step[d] == 1 && c.extent[d] > 1) return d;
  return -1;
}

// Results that leave the caches before they are read again: written past them, lines need not come in first.
constexpr size_t large = size_t(1) << 24;

}  // namespace

bool run_turned(const Bound& c) {
  const Operand &to = c.operand[0], &from = c.operand[1];
  if (c.rank < 2 || from.number || (to.direct && from.direct)) return false;
  const int column = unit_axis(c, to), row = unit_axis(c, from);
  if (column < 0 || row < 0 || row == column || from.step[column] == 0) return false;
  if (c.extent[row] < 4 || c.extent[column] < 4) return false;
  Bound t;
  t.row = &row_info(turn_f32 + unsigned(c.row - &row_info(copy_f32)));
  t.kernel = c.turn;
  t.scalar[0] = c.total * to.bytes >= large;
  int axis[4] = {-1, -1, row, column}, left[max_rank], count = 0;
  for (int d = c.rank - 1, next = 1; d >= 0; d--)
    if (d != row && d != column) next >= 0 ? axis[next--] = d : left[count++] = d;
  for (int a = 0; a < 2; a++) {
    t.operand[a] = c.operand[a];
    for (int i = 0; i < 4; i++) {
      t.operand[a].extent[i] = axis[i] < 0 ? 1 : c.extent[axis[i]];
      t.operand[a].step[i] = axis[i] < 0 ? 0 : c.operand[a].step[axis[i]];
    }
  }
  size_t calls = 1;
  for (int i = 0; i < count; i++) calls *= c.extent[left[i]];
  for (size_t n = 0; n < calls; n++) {
    ptrdiff_t at[2] = {};
    for (size_t i = 0, rest = n; i < size_t(count); rest /= c.extent[left[i++]])
      for (int a = 0; a < 2; a++) at[a] += ptrdiff_t(rest % c.extent[left[i]]) * c.operand[a].step[left[i]];
    char* p[] = {to.p + at[0] * to.bytes, from.p + at[1] * from.bytes};
    t.row->invoke(t, p, 0, 0);
  }
  return true;
}

}  // namespace nabla
