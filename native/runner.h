// One thread a process that runs programs in the order they came, so that JavaScript's own thread stays free.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "program.h"

namespace nabla {

// A program run on its way, owned by whoever pushed it.
struct Job {
  std::shared_ptr<Program> program;
  std::vector<Span> inputs, outputs;
  size_t repeat = 1;
  enum Phase { waiting, started, cancelled };
  std::atomic<int> phase{waiting};  // a job is cancelled only while it waits
  bool move(Phase to) {
    int from = waiting;
    return phase.compare_exchange_strong(from, to);
  }
  std::atomic<bool> stop{false};  // no more repeats: nobody waits for them
  Outcome outcome;
  bool failed = false;
  void* owner = nullptr;             // the environment it came from
  void (*done)(Job* job) = nullptr;  // called on the runner thread, the last thing it does with the job
};

void runner_push(Job* job);
// Waits until no job of this owner is queued or running.
void runner_drain(void* owner);
// Takes this owner's queued jobs away (their done() is not called) and waits for the step that is running.
void runner_forget(void* owner);
void runner_acquire();
void runner_release();  // the last one joins the thread

}  // namespace nabla
