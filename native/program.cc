#include "program.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace nabla {
namespace {

[[noreturn]] void broken(const char* what) { throw Reject("ERR_NABLA_INTERNAL", std::string("program: ") + what); }

// Do steps that run side by side touch nothing that another of them writes?
bool share_nothing(std::vector<Reach> all) {
  std::sort(all.begin(), all.end(), [](const Reach& a, const Reach& b) { return a.begin < b.begin; });
  // Sorted by where they begin, a range meets an earlier one if it begins before the furthest end so far.
  const char *written = nullptr, *touched = nullptr;
  size_t writer = 0, toucher = 0;
  bool several = false;  // more than one step reaches as far as `touched`
  for (const Reach& r : all) {
    if (r.begin == r.end) continue;
    if (r.begin < written && writer != r.step) return false;
    if (r.writes && r.begin < touched && (toucher != r.step || several)) return false;
    if (r.writes && r.end > written) written = r.end, writer = r.step;
    several = r.begin < touched && (several || toucher != r.step);
    if (r.end > touched) touched = r.end, toucher = r.step;
  }
  return true;
}

}  // namespace

size_t Program::bytes(u32 slot) const { return plan_.slots[slot].length * bytes_of[int(plan_.slots[slot].type)]; }

Program::Program(Plan plan, const Table& table) : plan_(std::move(plan)), arena_(nullptr, &std::free) {
  place();
  build(table);
  for (const Check& c : plan_.checks) {
    if (c.slot >= plan_.slots.size() || c.group >= groups_.size()) broken("no such check");
    const Slot& s = plan_.slots[c.slot];
    if (s.home == Slot::tile || s.type != Type::i32 || s.length == 0) broken("a check needs an i32 in memory");
  }
  for (u32 i : plan_.saved) {
    if (i >= plan_.slots.size() || plan_.slots[i].home != Slot::state) broken("only state is saved");
    before_.emplace_back(bytes(i));
  }
}

void Program::place() {
  size_t room = (plan_.arena_bytes + 63) & ~size_t(63);
  if (room) {
    arena_.reset(static_cast<char*>(std::aligned_alloc(64, room)));
    if (!arena_) throw std::bad_alloc();
    std::memset(arena_.get(), 0, room);
  }
  for (u32 i = 0; i < plan_.slots.size(); i++) {
    Slot& s = plan_.slots[i];
    if (s.home == Slot::state) continue;
    if (s.home == Slot::tile) {
      if (s.offset % 64 || s.offset + tile_bytes > tiles_bytes || s.length >= size_t(1) << 36)
        broken("a tile lies outside the tiles");
      s.p = reinterpret_cast<void*>((size_t(i) + 1) << 40);  // never followed: bind() tells slots apart by it
      continue;
    }
    if (s.offset > room || s.length > (room - s.offset) / bytes_of[int(s.type)])
      broken("a slot lies outside the arena");
    s.p = arena_.get() + s.offset;
  }
  for (u32 i : plan_.inputs)
    if (i >= plan_.slots.size() || plan_.slots[i].home != Slot::arena) broken("an input is not in the arena");
  for (u32 i : plan_.outputs)
    if (i >= plan_.slots.size() || plan_.slots[i].home == Slot::tile) broken("no such output");
}

Bound Program::step(size_t i, size_t& word, size_t& operand, const Table& table, std::vector<Reach>& reach) {
  if (plan_.rows[i] >= row_count) broken("no such row");
  const RowInfo& r = row_info(plan_.rows[i]);
  if (operand + size_t(r.arrays) > plan_.operands.size() || word + plan_.word_counts[i] > plan_.words.size())
    broken("a step is cut short");
  const i32* at = plan_.operands.data() + operand;
  Array arrays[max_arrays];
  for (int a = 0; a < r.arrays; a++) {
    Array& x = arrays[a] = no_array;
    if (at[a] == -1) {
      x.absent = true;
    } else if (at[a] < 0) {
      if (size_t(-2 - at[a]) >= plan_.numbers.size()) broken("no such number");
      x.number = true;
      x.value = plan_.numbers[size_t(-2 - at[a])];
    } else {
      if (size_t(at[a]) >= plan_.slots.size()) broken("no such slot");
      const Slot& s = plan_.slots[size_t(at[a])];
      x.p = s.p;
      x.length = s.length;
      x.type = s.type == Type::u8 && r.param[a].type == Type::b8 ? Type::b8 : s.type;
    }
  }
  Reach ranges[max_arrays];
  Bound step = bind(plan_.rows[i], table, arrays, plan_.words.data() + word, plan_.word_counts[i], ranges);
  for (int a = 0; a < r.arrays; a++) {
    if (at[a] < 0) continue;
    ranges[a].step = i;
    ranges[a].writes = r.param[a].writes;
    reach.push_back(ranges[a]);
    const Slot& s = plan_.slots[size_t(at[a])];
    if (s.home != Slot::tile) continue;
    Operand& o = step.operand[a];
    bool whole = r.driver == Driver::Map ? o.direct : r.driver == Driver::Rows && o.step[0] != 0 && o.p == s.p;
    if (!whole) broken("a tile is walked with steps");
    o.local = true;
    o.direct = false;
    o.p = reinterpret_cast<char*>(s.offset);
  }
  operand += size_t(r.arrays);
  word += plan_.word_counts[i];
  return step;
}

Program::Group Program::group(size_t first, size_t count, const std::vector<Reach>& reach) const {
  auto local = [&](const Bound& s) {
    for (int a = 0; a < s.row->arrays; a++)
      if (s.operand[a].local) return true;
    return false;
  };
  if (count == 1) {
    if (local(steps_[first])) broken("a tile is used outside its group");
    return {Group::single, first, count, 0};
  }
  if (steps_[first].row->driver == Driver::Call) {
    std::vector<Reach> of;
    for (const Reach& r : reach)
      if (r.step >= first && r.step < first + count) of.push_back(r);
    for (size_t i = first; i < first + count; i++)
      if (steps_[i].row->driver != Driver::Call) broken("a group mixes drivers");
    if (!share_nothing(std::move(of))) broken("steps side by side share memory");
    return {Group::apart, first, count, 0};
  }
  size_t elements = 0, width = 1;
  for (size_t i = first; i < first + count; i++) {
    const Bound& s = steps_[i];
    if (s.row->driver == Driver::Call) broken("a group mixes drivers");
    if (s.row->driver == Driver::Rows) {
      if (width != 1 && width != s.width) broken("a group mixes rows");
      width = s.width;
    }
    size_t n = s.row->driver == Driver::Rows ? s.total * s.width : s.total;
    if (elements && n != elements) broken("a group mixes iterations");
    elements = n;
  }
  if (width == 0 || width > tile_elements || elements % width) broken("a group's rows do not fit a tile");
  return {Group::tiled, first, count, tile_elements / width * width};
}

void Program::build(const Table& table) {
  size_t word = 0, operand = 0, first = 0;
  std::vector<Reach> reach;
  steps_.reserve(plan_.rows.size());
  for (size_t i = 0; i < plan_.rows.size(); i++) steps_.push_back(step(i, word, operand, table, reach));
  for (u32 count : plan_.groups) {
    if (count == 0 || first + count > steps_.size()) broken("groups do not cover the steps");
    groups_.push_back(group(first, count, reach));
    first += count;
  }
  if (first != steps_.size()) broken("groups do not cover the steps");
}

void Program::run_group(const Group& g) {
  switch (g.kind) {
    case Group::single:
      return nabla::run(steps_[g.first]);
    case Group::tiled:
      return run_tiled(&steps_[g.first], g.count, g.tile);
    case Group::apart:
      return run_apart(&steps_[g.first], g.count);
  }
}

Outcome Program::once() {
  size_t next = 0;
  for (size_t i = 0; i < groups_.size(); i++) {
    if (!timed_) {
      run_group(groups_[i]);
    } else {
      auto start = std::chrono::steady_clock::now();
      run_group(groups_[i]);
      times_[i] += std::chrono::duration<f64, std::nano>(std::chrono::steady_clock::now() - start).count();
    }
    for (; next < plan_.checks.size() && plan_.checks[next].group == i; next++) {
      i32 found = *static_cast<const i32*>(plan_.slots[plan_.checks[next].slot].p);
      if (found >= 0) return {int(next), found};
    }
  }
  return {};
}

Outcome Program::run(const Span* inputs, const Span* outputs, size_t n, const std::atomic<bool>& stop) {
  for (size_t j = 0; j < n && !stop.load(std::memory_order_relaxed); j++) {
    for (size_t i = 0; i < plan_.inputs.size(); i++) {
      size_t size = bytes(plan_.inputs[i]);
      if (size) std::memcpy(plan_.slots[plan_.inputs[i]].p, static_cast<const char*>(inputs[i].p) + j * size, size);
    }
    for (size_t i = 0; i < plan_.saved.size(); i++)
      std::memcpy(before_[i].data(), plan_.slots[plan_.saved[i]].p, before_[i].size());
    Outcome end = once();
    if (end.check >= 0) {
      for (size_t i = 0; i < plan_.saved.size(); i++)
        std::memcpy(plan_.slots[plan_.saved[i]].p, before_[i].data(), before_[i].size());
      return end;
    }
    for (size_t i = 0; i < plan_.outputs.size(); i++) {
      size_t size = bytes(plan_.outputs[i]);
      if (size) std::memcpy(static_cast<char*>(outputs[i].p) + j * size, plan_.slots[plan_.outputs[i]].p, size);
    }
  }
  return {};
}

}  // namespace nabla
