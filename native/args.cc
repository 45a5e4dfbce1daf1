// Words to operands, and every check there is.
#include "args.h"

#include <type_traits>

#include "overlap.h"

namespace nabla {
namespace {

[[noreturn]] void shape_error(const RowInfo& r, const Param* p, const std::string& what) {
  throw Reject("ERR_NABLA_SHAPE", std::string(r.name) + ": " + (p ? std::string(p->name) + " " : "") + what);
}

struct Cursor {
  const RowInfo& row;
  const f64* p;
  const f64* end;
  f64 next() {
    if (p == end) shape_error(row, nullptr, "the call has too few words");
    return *p++;
  }
  size_t extent() {
    f64 x = next();
    if (!(x >= 0 && x <= 9007199254740992.0) || x != f64(i64(x)))
      shape_error(row, nullptr, "an extent is not a whole number from 0 to 2^53");
    return size_t(x);
  }
  ptrdiff_t step() {
    f64 x = next();
    if (!(x >= -9007199254740992.0 && x <= 9007199254740992.0) || x != f64(i64(x)))
      shape_error(row, nullptr, "a step is not a whole number");
    return ptrdiff_t(x);
  }
};

// The bytes an operand can touch; refuses what lies outside the array.
Reach reach_of(const RowInfo& r, const Param& p, const Array& a, const Operand& o, int rank, wide offset) {
  wide low = offset, high = offset;
  bool empty = false;
  for (int i = 0; i < rank; i++) {
    if (o.extent[i] == 0) empty = true;
    wide span = wide(o.extent[i] ? o.extent[i] - 1 : 0) * o.step[i];
    (span < 0 ? low : high) += span;
    if (high > (wide(1) << 62) || low < -(wide(1) << 62)) shape_error(r, &p, "reaches past the end of its array");
  }
  if (empty) return {};
  if (low < 0 || high >= wide(a.length)) {
    if (a.length == 0)
      throw Reject("ERR_NABLA_DETACHED",
                   std::string(r.name) + ": " + p.name + " has lost its memory: its array buffer was detached");
    shape_error(r, &p, "reaches past the end of its array");
  }
  const char* base = static_cast<const char*>(a.p);
  return {base + size_t(low) * o.bytes, base + size_t(high + 1) * o.bytes, 0, p.writes};
}

bool same_walk(const Operand& a, const Operand& b, int rank) {
  if (a.p != b.p || a.bytes != b.bytes) return false;
  for (int i = 0; i < rank; i++)
    if (a.extent[i] != b.extent[i] || a.step[i] != b.step[i]) return false;
  return true;
}

// A row may write where it reads only element for element (Map, Rows) and never where it writes already.
void check_overlap(const RowInfo& r, const Bound& call, const Reach* range, const int* rank) {
  for (int i = 0; i < r.arrays; i++) {
    if (!r.param[i].writes) continue;
    for (int j = 0; j < r.arrays; j++) {
      if (i == j || !range[i].begin || !range[j].begin) continue;
      if (range[i].end <= range[j].begin || range[j].end <= range[i].begin) continue;
      const bool strided = r.param[i].form == Form::strided && r.param[j].form == Form::strided;
      if (strided && apart(call.operand[i], rank[i], call.operand[j], rank[j])) continue;
      bool inplace = r.driver != Driver::Call && !r.param[j].writes && rank[i] == rank[j] &&
                     same_walk(call.operand[i], call.operand[j], rank[i]);
      if (!inplace)
        throw Reject("ERR_NABLA_OVERLAP",
                     std::string(r.name) + ": " + r.param[i].name + " and " + r.param[j].name + " overlap in memory");
    }
  }
}

// Contiguous in the order of the iteration.
bool walks_straight(const Operand& o, int rank) {
  wide expected = 1;
  for (int i = rank; i-- > 0;) {
    if (o.extent[i] != 1 && wide(o.step[i]) != expected) return false;
    expected *= o.extent[i];
  }
  return true;
}

size_t product(const RowInfo& r, const Param* p, const size_t* extent, int rank) {
  wide n = 1;
  for (int i = 0; i < rank; i++) {
    n *= extent[i];
    if (n > (wide(1) << 53)) shape_error(r, p, "has more than 2^53 elements");
  }
  return size_t(n);
}

void bind_map(const RowInfo& r, Bound& c, const Array* arrays, Cursor& w, Reach* range, int* rank) {
  f64 k = w.next();
  if (!(k >= 0 && k <= max_rank) || k != int(k)) shape_error(r, nullptr, "the iteration has a bad rank");
  c.rank = int(k);
  for (int i = 0; i < c.rank; i++) c.extent[i] = w.extent();
  c.total = product(r, nullptr, c.extent, c.rank);
  for (int a = 0; a < r.arrays; a++) {
    Operand& o = c.operand[a];
    if (arrays[a].number) {
      o.p = nullptr;
      o.bytes = bytes_of[int(r.param[a].type)];
      o.direct = o.local = false;
      o.number = true;
      o.value = arrays[a].value;
      for (int i = 0; i < c.rank; i++) o.extent[i] = 0, o.step[i] = 0;
      continue;
    }
    size_t offset = w.extent();
    o.number = o.local = false;
    o.bytes = bytes_of[int(r.param[a].type)];
    for (int i = 0; i < c.rank; i++) o.extent[i] = c.extent[i], o.step[i] = w.step();
    range[a] = reach_of(r, r.param[a], arrays[a], o, c.rank, wide(offset));
    rank[a] = c.rank;
    o.p = static_cast<char*>(arrays[a].p) + offset * o.bytes;
    o.direct = walks_straight(o, c.rank);
    if (r.param[a].writes)
      for (int i = 0; i < c.rank; i++)
        if (o.step[i] == 0 && o.extent[i] > 1)
          throw Reject("ERR_NABLA_OVERLAP",
                       std::string(r.name) + ": " + r.param[a].name + " is a broadcast view and cannot be written");
  }
}

// Rows: step[0] says whether the operand moves with the rows, extent[1] how much; the rank of what is checked is
// separate.
void bind_letters(const RowInfo& r, Bound& c, const Array* arrays, Cursor& w, Reach* range, int* rank) {
  size_t letter[max_rank * 2];
  for (int i = 0; i < r.letters; i++) letter[i] = w.extent();
  c.rank = 0;
  c.total = r.letters ? letter[0] : 0;
  for (int a = 0; a < r.arrays; a++) {
    const Param& p = r.param[a];
    Operand& o = c.operand[a];
    o.p = nullptr;
    o.bytes = bytes_of[int(p.type)];
    o.direct = true;
    o.number = o.local = false;
    // No more than is read: to clear all axes of all arrays cost a third of a small call.
    for (int i = 0; i < p.rank || i < 2; i++) o.extent[i] = 0, o.step[i] = 0;
    if (arrays[a].absent) continue;
    size_t offset = w.extent();
    for (int i = 0; i < p.rank; i++) o.extent[i] = letter[p.letter[i]];
    ptrdiff_t run = 1;
    size_t all = product(r, &p, o.extent, p.rank);
    for (int i = p.rank; i-- > 0;) {
      o.step[i] = p.form == Form::strided ? 0 : run;
      run *= ptrdiff_t(o.extent[i]);
    }
    if (p.form == Form::strided)
      for (int i = 0; i < p.rank; i++) o.step[i] = w.step();
    range[a] = reach_of(r, p, arrays[a], o, p.rank, wide(offset));
    rank[a] = p.rank;
    o.p = static_cast<char*>(arrays[a].p) + offset * o.bytes;
    if (p.form == Form::strided) continue;
    bool moves = r.driver == Driver::Rows && p.rank > 0 && p.letter[0] == 0;
    if (p.form == Form::flat) {
      size_t rest = 1;
      for (int i = 1; i < p.rank; i++) rest *= o.extent[i];
      o.extent[0] = all;
      o.extent[1] = rest;
    } else if (p.rank > 2) {
      for (int i = 2; i < p.rank; i++) o.extent[1] *= o.extent[i];
    }
    o.step[0] = moves ? ptrdiff_t(o.extent[1]) : 0;
    if (moves && o.extent[1] > c.width) c.width = o.extent[1];
  }
}

}  // namespace

Bound bind(unsigned row, const Table& table, const Array* arrays, const f64* words, size_t count, Reach* range) {
  const RowInfo& r = row_info(row);
  for (int a = 0; a < r.arrays; a++) {
    const Param& p = r.param[a];
    const Array& x = arrays[a];
    range[a] = {};
    if (x.number && r.driver == Driver::Map && !p.writes) continue;
    if (x.absent && p.optional) continue;
    if (x.number || x.absent || x.type != p.type)
      throw Reject("ERR_NABLA_TYPE", std::string(r.name) + ": " + p.name + " must be an array of " + type_name(p.type) +
                                         (x.number   ? ", got a number"
                                          : x.absent ? ", got nothing"
                                                     : std::string(", got ") + type_name(x.type)));
  }
  Bound c;
  c.row = &r;
  c.kernel = table.kernel[row];
  c.turn = row >= copy_f32 && row <= copy_i8 ? table.kernel[turn_f32 + (row - copy_f32)] : nullptr;
  c.width = 1;
  int rank[max_arrays] = {};
  Cursor w{r, words, words + count};
  if (r.driver == Driver::Map)
    bind_map(r, c, arrays, w, range, rank);
  else
    bind_letters(r, c, arrays, w, range, rank);
  for (int i = 0; i < r.scalars; i++) {
    f64 x = c.scalar[i] = w.next();
    const Param& p = r.param[r.arrays + i];
    if (p.whole && (!(x >= -2147483648.0 && x <= 4294967295.0) || x != f64(i64(x))))
      throw Reject("ERR_NABLA_VALUE", std::string(r.name) + ": " + p.name + " must be a whole number of 32 bits");
  }
  if (w.p != w.end) shape_error(r, nullptr, "the call has too many words");
  check_overlap(r, c, range, rank);
  return c;
}

}  // namespace nabla
