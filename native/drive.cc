// The three ways a row is run. What a task covers depends on the extents alone, so bits do not depend on the threads.
#include <cstring>

#include "args.h"
#include "pool.h"
#include "turn.h"

namespace nabla {
namespace {

// A second thread pays from ~256 KiB touched on: a fork and join costs ~1 us while the workers spin and ~40 us when
// they sleep.
constexpr size_t inline_elements = 32768;

template <class T>
void fill(char* to, f64 value, size_t n) {
  T x = T(value);
  for (size_t i = 0; i < n; i++) reinterpret_cast<T*>(to)[i] = x;
}

void constant(char* to, Type t, f64 value, size_t n) {
  switch (t) {
    case Type::f32:
      return fill<f32>(to, value, n);
    case Type::f64:
      return fill<f64>(to, value, n);
    case Type::i32:
      return fill<i32>(to, value >= -2147483648.0 && value <= 2147483647.0 ? value : 0, n);
    case Type::u8:
      return fill<u8>(to, value >= 0 && value <= 255 ? value : 0, n);
    default:
      std::memset(to, value != 0, n);
  }
}

template <class T>
void move_run(T* to, ptrdiff_t to_step, const T* from, ptrdiff_t from_step, size_t n) {
  if (to_step == 1 && from_step == 1)
    std::memcpy(to, from, n * sizeof(T));
  else if (to_step == 1 && from_step == 0) {
    T x = *from;
    for (size_t i = 0; i < n; i++) to[i] = x;
  } else
    for (size_t i = 0; i < n; i++) to[ptrdiff_t(i) * to_step] = from[ptrdiff_t(i) * from_step];
}

// Between the strided elements [begin, begin + n) of o and a straight tile.
template <class T>
void transfer(const Bound& c, const Operand& o, char* tile, size_t begin, size_t n, bool out) {
  int inner = c.rank - 1;
  size_t at[max_rank];
  ptrdiff_t offset = 0;
  size_t rest = begin;
  for (int i = inner; i >= 0; i--) {
    at[i] = rest % c.extent[i];
    rest /= c.extent[i];
    offset += ptrdiff_t(at[i]) * o.step[i];
  }
  T* t = reinterpret_cast<T*>(tile);
  T* a = reinterpret_cast<T*>(o.p);
  while (n) {
    size_t run = c.extent[inner] - at[inner];
    if (run > n) run = n;
    if (out)
      move_run(a + offset, o.step[inner], t, 1, run);
    else
      move_run(t, 1, a + offset, o.step[inner], run);
    t += run;
    n -= run;
    at[inner] += run;
    offset += ptrdiff_t(run) * o.step[inner];
    for (int i = inner; i > 0 && at[i] == c.extent[i]; i--) {
      offset += o.step[i - 1] - ptrdiff_t(c.extent[i]) * o.step[i];
      at[i] = 0;
      at[i - 1]++;
    }
  }
}

void transfer(const Bound& c, const Operand& o, char* tile, size_t begin, size_t n, bool out) {
  if (o.bytes == 4)
    transfer<u32>(c, o, tile, begin, n, out);
  else if (o.bytes == 8)
    transfer<uint64_t>(c, o, tile, begin, n, out);
  else if (o.bytes == 2)
    transfer<uint16_t>(c, o, tile, begin, n, out);
  else
    transfer<u8>(c, o, tile, begin, n, out);
}

// Element i of the iteration, as an offset into a strided operand.
ptrdiff_t locate(const Bound& c, const Operand& o, size_t i) {
  ptrdiff_t offset = 0;
  for (int d = c.rank - 1; d >= 0; d--) {
    offset += ptrdiff_t(i % c.extent[d]) * o.step[d];
    i /= c.extent[d];
  }
  return offset;
}

// What one operand of a step is given for elements [i, i + n): its own memory where that is straight, else a tile.
char* tile_of(const Bound& c, int a, char* tile, char* tiles, size_t i, size_t n) {
  const Operand& o = c.operand[a];
  if (o.local) return tiles + reinterpret_cast<size_t>(o.p);
  if (c.row->driver == Driver::Rows) return o.p ? o.p + ptrdiff_t(i / c.width) * o.step[0] * o.bytes : nullptr;
  if (o.direct) return o.p + i * o.bytes;
  if (o.number) return tile;
  size_t inner = c.rank ? c.extent[c.rank - 1] : 1;
  if (c.rank && o.step[c.rank - 1] == 1 && inner - i % inner >= n) return o.p + locate(c, o, i) * o.bytes;
  if (c.row->param[a].reads) transfer(c, o, tile, i, n, false);
  return tile;
}

// Runs steps over the elements [begin, end) of their common iteration, `tile` after `tile`.
void tiles_of(const Bound* steps, size_t count, size_t tile, size_t begin, size_t end) {
  size_t strided = 0;
  for (size_t s = 0; s < count; s++)
    for (int a = 0; a < steps[s].row->arrays; a++) strided += !steps[s].operand[a].direct;
  if (strided == 0 && count == 1) {
    char* p[max_arrays];
    for (int a = 0; a < steps->row->arrays; a++) p[a] = steps->operand[a].p + begin * steps->operand[a].bytes;
    return steps->row->invoke(*steps, p, begin, end - begin);
  }
  char* tiles = static_cast<char*>(scratch(tiles_bytes + strided * tile_bytes, 0));
  char* copies = tiles + tiles_bytes;
  size_t longest = end - begin < tile ? end - begin : tile;
  char* copy = copies;
  for (size_t s = 0; s < count; s++)
    for (int a = 0; a < steps[s].row->arrays; a++) {
      const Operand& o = steps[s].operand[a];
      if (o.direct) continue;
      if (o.number) constant(copy, steps[s].row->param[a].type, o.value, longest);
      copy += tile_bytes;
    }
  // Long inner rows are walked in pieces of their own, so that a unit-step operand needs no copy.
  size_t inner = steps->rank ? steps->extent[steps->rank - 1] : 1;
  bool by_rows = count == 1 && inner > tile / 2;
  for (size_t i = begin, n; i < end; i += n) {
    n = end - i < tile ? end - i : tile;
    if (by_rows && n > inner - i % inner) n = inner - i % inner;
    copy = copies;
    for (size_t s = 0; s < count; s++) {
      const Bound& c = steps[s];
      char* p[max_arrays];
      char* own[max_arrays];
      for (int a = 0; a < c.row->arrays; a++) {
        own[a] = copy;
        p[a] = tile_of(c, a, copy, tiles, i, n);
        if (!c.operand[a].direct) copy += tile_bytes;
      }
      c.row->invoke(c, p, i / c.width, n / c.width);
      for (int a = 0; a < c.row->arrays; a++)
        if (c.row->param[a].writes && p[a] == own[a] && !c.operand[a].direct)
          transfer(c, c.operand[a], own[a], i, n, true);
    }
  }
}

void run_rows(const Bound& c) {
  if (c.total == 0) return;
  const RowInfo& r = *c.row;
  size_t each = c.width >= 16384 ? 1 : 16384 / c.width;
  auto block = [&](size_t i) {
    char* p[max_arrays];
    size_t begin = i * each, count = begin + each < c.total ? each : c.total - begin;
    for (int a = 0; a < r.arrays; a++) {
      const Operand& o = c.operand[a];
      p[a] = o.p ? o.p + ptrdiff_t(begin) * o.step[0] * o.bytes : nullptr;
    }
    r.invoke(c, p, begin, count);
  };
  parallel((c.total + each - 1) / each, block);
}

}  // namespace

void run(const Bound& c) {
  switch (c.row->driver) {
    case Driver::Map:
      return run_tiled(&c, 1, tile_elements);
    case Driver::Rows:
      return run_rows(c);
    case Driver::Call: {
      char* p[max_arrays];
      for (int a = 0; a < c.row->arrays; a++) p[a] = c.operand[a].p;
      return c.row->invoke(c, p, 0, 0);
    }
  }
}

void run_tiled(const Bound* steps, size_t count, size_t tile) {
  size_t total = steps->total * (steps->row->driver == Driver::Rows ? steps->width : 1);
  if (total == 0 || (count == 1 && steps->turn && run_turned(*steps))) return;
  if (total * count <= inline_elements) return tiles_of(steps, count, tile, 0, total);
  size_t tasks = (total * count + task_elements - 1) / task_elements;
  // Evenly filled tasks of whole tiles, which are whole rows; alone, multiples of 64 so that two threads never share a
  // cache line.
  size_t unit = count == 1 ? 64 : tile;
  size_t each = ((total + tasks - 1) / tasks + unit - 1) / unit * unit;
  parallel((total + each - 1) / each, [&](size_t i) {
    size_t begin = i * each;
    tiles_of(steps, count, tile, begin, begin + each < total ? begin + each : total);
  });
}

void run_apart(const Bound* steps, size_t count) {
  size_t elements = 0;
  for (size_t i = 0; i < count; i++) elements += steps[i].total;
  auto task = [&](size_t i) { run(steps[i]); };
  if (elements > inline_elements) return parallel(count, task);
  for (size_t i = 0; i < count; i++) task(i);
}

}  // namespace nabla
