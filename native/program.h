// A compiled step: rows bound once to their memory, then run as one call. Nothing is allocated, decoded or checked
// while it runs.
#pragma once
#include <atomic>
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

// A promise the step depends on: once `group` has run, the i32 in `slot` is negative, or the run ends there.
struct Check {
  u32 slot, group;
};

// How a program is described.
struct Plan {
  std::vector<Slot> slots;
  size_t arena_bytes;
  std::vector<u32> rows;         // one a step
  std::vector<u32> word_counts;  // one a step
  std::vector<f64> words;        // of all steps, one after another
  std::vector<i32> operands;     // of all steps: slot, -1 absent, -2 - i the constant numbers[i]
  std::vector<f64> numbers;
  std::vector<u32> groups;           // steps of each group
  std::vector<u32> inputs, outputs;  // slots
  std::vector<Check> checks;         // by group
  std::vector<u32> saved;            // state written before the last check: given back when one fails
};

struct Span {
  void* p;
  size_t bytes;
};

// How a run ended: check < 0, or the check that failed, with what was in its slot.
struct Outcome {
  int check = -1;
  i32 found = -1;
};

class Program {
 public:
  Program(Plan plan, const Table& table);
  // Runs n times, or until `stop`. Input i of run j is inputs[i].p + j * its slot's bytes; outputs alike. A failed
  // check leaves state as it was before that run.
  Outcome run(const Span* inputs, const Span* outputs, size_t n, const std::atomic<bool>& stop);
  // Nanoseconds of each group, summed over the runs since profile(true).
  void profile(bool on) { timed_ = on, times_.assign(groups_.size(), 0); }
  const std::vector<f64>& times() const { return times_; }

  const Plan& plan() const { return plan_; }
  size_t bytes(u32 slot) const;

 private:
  // Steps that run as one: alone, tile after tile (elementwise and row kernels), or side by side (kernels that share
  // nothing).
  struct Group {
    enum Kind : u8 { single, tiled, apart } kind;
    size_t first, count, tile;  // tile: elements that run together
  };
  void place();
  void build(const Table& table);
  Bound step(size_t i, size_t& word, size_t& operand, const Table& table, std::vector<Reach>& reach);
  Group group(size_t first, size_t count, const std::vector<Reach>& reach) const;
  void run_group(const Group& g);
  Outcome once();

  Plan plan_;
  std::unique_ptr<char, decltype(&std::free)> arena_;
  std::vector<Bound> steps_;
  std::vector<Group> groups_;
  std::vector<std::vector<char>> before_;  // of saved
  std::vector<f64> times_;
  bool timed_ = false;
};

}  // namespace nabla
