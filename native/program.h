// A compiled step: rows bound once to their memory, then run as one call. Nothing is allocated, decoded or checked while it runs.
#pragma once
#include <cstdlib>
#include <memory>
#include <vector>

#include "args.h"

namespace nabla {

// Where an operand of a step lives.
struct Slot {
  enum Home : u8 { arena, state, tile } home;  // tile: lives only while its group runs, a tile at a time
  Type type;
  size_t offset;  // bytes into the arena, or into the tiles of a thread
  size_t length;  // elements
  void* p;        // resolved
};

// How a program is described; all spans belong to the caller and are only read.
struct Plan {
  std::vector<Slot> slots;
  size_t arena_bytes;
  std::vector<u32> rows;         // one a step
  std::vector<u32> word_counts;  // one a step
  std::vector<f64> words;        // of all steps, one after another
  std::vector<i32> operands;     // of all steps: slot, -1 absent, -2 - i the constant numbers[i]
  std::vector<f64> numbers;
  std::vector<u32> groups;  // steps of each group; a group longer than 1 is run tile by tile
  std::vector<u32> inputs, outputs;  // slots
};

struct Span {
  void* p;
  size_t bytes;
};

class Program {
 public:
  Program(Plan plan, const Table& table);
  // Runs n times. Input i of run j is inputs[i].p + j * its slot's bytes; outputs alike.
  void run(const Span* inputs, const Span* outputs, size_t n);
  // Nanoseconds of each group, summed over the runs since profile(true).
  void profile(bool on) { timed_ = on, times_.assign(groups_.size(), 0); }
  const std::vector<f64>& times() const { return times_; }

  const Plan& plan() const { return plan_; }
  size_t bytes(u32 slot) const;
  std::vector<Slot>& slots() { return plan_.slots; }

 private:
  struct Group {
    size_t first, count;
  };
  void once();
  void build(const Table& table);

  Plan plan_;
  std::unique_ptr<char, decltype(&std::free)> arena_;
  std::vector<Bound> steps_;
  std::vector<Group> groups_;
  std::vector<f64> times_;
  bool timed_ = false;
};

}  // namespace nabla
