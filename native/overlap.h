// Whether two strided operands of one array share an element.
#pragma once
#include "args.h"

namespace nabla {

using wide = __int128;

// Elements modulo s that o reaches from its first one on, if its steps are multiples of s or stay within s; else s + 1.
inline wide span_of(const Operand& o, int rank, wide s) {
  wide span = 1;
  for (int i = 0; i < rank && span <= s; i++)
    if (o.extent[i] > 1 && (o.step[i] < 0 || o.step[i] % s != 0 || o.step[i] == 0))
      span = o.step[i] < 0 || o.step[i] > s ? s + 1 : span + wide(o.extent[i] - 1) * o.step[i];
  return span;
}
// Do a and b lie between each other: does some step s of a tell their places apart?
inline bool apart(const Operand& a, int rank_a, const Operand& b, int rank_b) {
  for (int i = 0; i < rank_a && a.bytes == b.bytes && (b.p - a.p) % a.bytes == 0; i++) {
    const wide s = a.extent[i] > 1 && a.step[i] > 0 ? a.step[i] : 1, from = ((b.p - a.p) / a.bytes % s + s) % s;
    if (from >= span_of(a, rank_a, s) && from + span_of(b, rank_b, s) <= s) return true;
  }
  return false;
}

}  // namespace nabla
