#include "runner.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace nabla {
namespace {

struct Runner {
  std::mutex mutex;
  std::condition_variable wake, idle;
  std::deque<Job*> queue;
  Job* current = nullptr;
  void* owner = nullptr;  // of current, which may be gone once it is done
  std::thread thread;
  bool stop = false;
  unsigned environments = 0;
};

// Lives until the process ends, like the pool.
Runner& runner() {
  static Runner* r = new Runner;
  return *r;
}

void loop(Runner& r) {
  std::unique_lock lock(r.mutex);
  for (;;) {
    r.wake.wait(lock, [&] { return r.stop || !r.queue.empty(); });
    if (r.queue.empty()) return;
    Job* job = r.queue.front();
    r.queue.pop_front();
    r.current = job;
    r.owner = job->owner;
    lock.unlock();
    if (job->move(Job::started)) {
      try {
        job->outcome = job->program->run(job->inputs.data(), job->outputs.data(), job->repeat, job->stop);
      } catch (...) {
        job->failed = true;
      }
    }
    lock.lock();
    r.current = nullptr;
    lock.unlock();
    job->done(job);
    lock.lock();
    r.owner = nullptr;
    r.idle.notify_all();
  }
}

bool works_for(const Runner& r, void* owner) {
  if (r.owner == owner) return true;
  for (Job* j : r.queue)
    if (j->owner == owner) return true;
  return false;
}

}  // namespace

void runner_push(Job* job) {
  Runner& r = runner();
  std::unique_lock lock(r.mutex);
  r.idle.wait(lock, [&] { return !r.stop; });  // a thread that is being joined takes no more jobs
  if (!r.thread.joinable()) r.thread = std::thread([&r] { loop(r); });
  r.queue.push_back(job);
  r.wake.notify_one();
}

void runner_drain(void* owner) {
  Runner& r = runner();
  std::unique_lock lock(r.mutex);
  r.idle.wait(lock, [&] { return !works_for(r, owner); });
}

void runner_forget(void* owner) {
  Runner& r = runner();
  std::unique_lock lock(r.mutex);
  std::erase_if(r.queue, [&](Job* j) { return j->owner == owner; });
  if (r.current && r.owner == owner) r.current->stop = true;
  r.idle.wait(lock, [&] { return r.owner != owner; });
}

void runner_acquire() {
  Runner& r = runner();
  std::lock_guard lock(r.mutex);
  r.environments++;
}

void runner_release() {
  Runner& r = runner();
  std::unique_lock lock(r.mutex);
  if (--r.environments > 0 || !r.thread.joinable()) return;
  r.stop = true;
  r.wake.notify_all();
  lock.unlock();
  r.thread.join();
  lock.lock();
  r.thread = {};
  r.stop = false;
  r.idle.notify_all();
}

}  // namespace nabla
