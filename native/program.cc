#include "program.h"

#include <chrono>
#include <cstring>

namespace nabla {
namespace {

constexpr size_t bytes_of[] = {4, 8, 4, 1, 1};

[[noreturn]] void broken(const char* what) { throw Reject("ERR_NABLA_INTERNAL", std::string("program: ") + what); }

}  // namespace

size_t Program::bytes(u32 slot) const { return plan_.slots[slot].length * bytes_of[int(plan_.slots[slot].type)]; }

Program::Program(Plan plan, const Table& table) : plan_(std::move(plan)), arena_(nullptr, &std::free) {
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
      if (s.offset % 64 || s.offset + tile_bytes > tiles_bytes || s.length >= size_t(1) << 36) broken("a tile lies outside the tiles");
      s.p = reinterpret_cast<void*>((size_t(i) + 1) << 40);  // never followed: bind() tells slots apart by it
      continue;
    }
    if (s.offset > room || s.length > (room - s.offset) / bytes_of[int(s.type)]) broken("a slot lies outside the arena");
    s.p = arena_.get() + s.offset;
  }
  for (u32 i : plan_.inputs)
    if (i >= plan_.slots.size() || plan_.slots[i].home != Slot::arena) broken("an input is not in the arena");
  for (u32 i : plan_.outputs)
    if (i >= plan_.slots.size() || plan_.slots[i].home == Slot::tile) broken("no such output");
  build(table);
}

void Program::build(const Table& table) {
  size_t word = 0, operand = 0;
  steps_.reserve(plan_.rows.size());
  for (size_t i = 0; i < plan_.rows.size(); i++) {
    if (plan_.rows[i] >= row_count) broken("no such row");
    const RowInfo& r = row_info(plan_.rows[i]);
    if (operand + size_t(r.arrays) > plan_.operands.size() || word + plan_.word_counts[i] > plan_.words.size()) broken("a step is cut short");
    Array arrays[max_arrays];
    for (int a = 0; a < r.arrays; a++) {
      i32 at = plan_.operands[operand++];
      Array& x = arrays[a];
      if (at == -1) {
        x.absent = true;
      } else if (at < 0) {
        if (size_t(-2 - at) >= plan_.numbers.size()) broken("no such number");
        x.number = true;
        x.value = plan_.numbers[size_t(-2 - at)];
      } else {
        if (size_t(at) >= plan_.slots.size()) broken("no such slot");
        const Slot& s = plan_.slots[size_t(at)];
        x.p = s.p;
        x.length = s.length;
        x.type = s.type == Type::u8 && r.param[a].type == Type::b8 ? Type::b8 : s.type;
      }
    }
    Bound step = bind(plan_.rows[i], table, arrays, plan_.words.data() + word, plan_.word_counts[i]);
    for (int a = 0; a < r.arrays; a++) {
      i32 at = plan_.operands[operand - size_t(r.arrays) + size_t(a)];
      if (at < 0 || plan_.slots[size_t(at)].home != Slot::tile) continue;
      if (!step.operand[a].direct) broken("a tile is walked with steps");
      step.operand[a].local = true;
      step.operand[a].direct = false;
      step.operand[a].p = reinterpret_cast<char*>(plan_.slots[size_t(at)].offset);
    }
    steps_.push_back(step);
    word += plan_.word_counts[i];
  }
  size_t first = 0;
  for (u32 count : plan_.groups) {
    if (count == 0 || first + count > steps_.size()) broken("groups do not cover the steps");
    for (size_t i = first; i < first + count; i++)
      for (int a = 0; a < steps_[i].row->arrays; a++)
        if (steps_[i].operand[a].local && count == 1) broken("a tile is used outside its group");
    for (size_t i = first; count > 1 && i < first + count; i++)
      if (steps_[i].row->driver != Driver::Map || steps_[i].total != steps_[first].total) broken("a group mixes iterations");
    groups_.push_back({first, count});
    first += count;
  }
  if (first != steps_.size()) broken("groups do not cover the steps");
}

void Program::once() {
  if (!timed_) {
    for (const Group& g : groups_) {
      if (g.count == 1) nabla::run(steps_[g.first]);
      else run_fused(&steps_[g.first], g.count);
    }
    return;
  }
  for (size_t i = 0; i < groups_.size(); i++) {
    auto start = std::chrono::steady_clock::now();
    const Group& g = groups_[i];
    if (g.count == 1) nabla::run(steps_[g.first]);
    else run_fused(&steps_[g.first], g.count);
    times_[i] += std::chrono::duration<f64, std::nano>(std::chrono::steady_clock::now() - start).count();
  }
}

void Program::run(const Span* inputs, const Span* outputs, size_t n) {
  for (size_t j = 0; j < n; j++) {
    for (size_t i = 0; i < plan_.inputs.size(); i++) {
      size_t size = bytes(plan_.inputs[i]);
      if (size) std::memcpy(plan_.slots[plan_.inputs[i]].p, static_cast<const char*>(inputs[i].p) + j * size, size);
    }
    once();
    for (size_t i = 0; i < plan_.outputs.size(); i++) {
      size_t size = bytes(plan_.outputs[i]);
      if (size) std::memcpy(static_cast<char*>(outputs[i].p) + j * size, plan_.slots[plan_.outputs[i]].p, size);
    }
  }
}

}  // namespace nabla
