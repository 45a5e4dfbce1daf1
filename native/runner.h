// One thread a process that runs programs in the order they came, so that JavaScript's own thread stays free.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "program.h"

namespace nabla {

// A program run on its way. The runner owns it until done() has been called.
struct Job {
  std::shared_ptr<Program> program;
  std::vector<char> staging;  // copies of the inputs
  std::vector<Span> inputs, outputs;
  size_t repeat = 1;
  enum Phase { waiting, started, cancelled };
  std::atomic<int> phase{waiting};  // a job is cancelled only while it waits
  bool move(Phase to) {
    int from = waiting;
    return phase.compare_exchange_strong(from, to);
  }
  bool failed = false;
  void* owner = nullptr;                   // the environment it came from
  void (*done)(Job* job) = nullptr;        // called on the runner thread, the last thing it does with the job
};

void runner_push(Job* job);
// Waits until no job of this owner is queued or running.
void runner_drain(void* owner);
// Takes this owner's queued jobs away (their done() is not called), waits for the one running, and returns those taken.
std::vector<Job*> runner_forget(void* owner);
void runner_acquire();
void runner_release();  // the last one joins the thread

}  // namespace nabla
