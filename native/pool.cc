// A caller publishes a batch of tasks; workers and the caller claim task numbers with one atomic until none is left.
// Workers spin for a while after a batch before they sleep: waking a sleeper costs its caller 8 us, a spinning one 0.3
// us.
#include "pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define NABLA_PAUSE() _mm_pause()
#elif defined(__aarch64__)
#define NABLA_PAUSE() __asm__ __volatile__("yield")
#else
#define NABLA_PAUSE() ((void)0)
#endif
#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace nabla {
namespace {

struct Pool {
  std::vector<std::thread> workers;
  std::mutex gate;   // held by the caller of a batch; a second caller runs inline
  std::mutex mutex;  // guards sleeping
  std::condition_variable wake;
  // Tasks of the batch in the high half, the next free one in the low half: equal halves are no work. Whoever raises
  // the low half owns that task, and task and context are those of its batch until it says that it is done. They lie in
  // one line: a worker that sees a batch has all of it.
  alignas(64) std::atomic<uint64_t> claim{0};
  void (*task)(void*, size_t) = nullptr;
  void* context = nullptr;
  alignas(64) std::atomic<size_t> done{0};  // tasks that workers have finished
  alignas(64) std::atomic<unsigned> sleeping{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> starved{false};  // a task found no memory for its scratch; the caller throws once all are done
  std::atomic<unsigned> size{1};     // also read by callers that do not hold the gate
  unsigned environments = 0;
  int home = -1;  // the core that workers keep off
};

// Lives until the process ends: a worker thread may outlive static destruction otherwise.
Pool& pool() {
  static Pool* p = new Pool;
  return *p;
}

thread_local bool busy = false;

using clock = std::chrono::steady_clock;
constexpr auto linger = std::chrono::microseconds(50);  // how long a worker spins before it sleeps

unsigned cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int n = CPU_COUNT(&set);
    if (n > 0) return unsigned(n);
  }
#endif
  unsigned n = std::thread::hardware_concurrency();
  return n ? n : 1;
}

constexpr uint64_t low = 0xffffffffu;
bool left(uint64_t claim) { return (claim & low) < claim >> 32; }

void run(Pool& p, uint64_t task) {
  try {
    p.task(p.context, size_t(task));
  } catch (...) {
    p.starved = true;
  }
}
// Claims and runs tasks until none is left; returns how many.
size_t work(Pool& p) {
  size_t finished = 0;
  for (uint64_t at = p.claim.load(std::memory_order_acquire); left(at);) {
    if (!p.claim.compare_exchange_weak(at, at + 1, std::memory_order_acq_rel)) continue;
    run(p, at & low);
    finished++;
    at = p.claim.load(std::memory_order_acquire);
  }
  return finished;
}

void worker(Pool& p) {
  busy = true;
  for (;;) {
    auto rest = clock::now() + linger;
    int spins = 0;
    while (!left(p.claim.load(std::memory_order_acquire))) {
      if (p.stop.load(std::memory_order_acquire)) return;
      // A pause lasts 10 to 40 ns, so the clock is read at every 32nd.
      if (++spins % 32 != 0 || clock::now() < rest) {
        NABLA_PAUSE();
        continue;
      }
      std::unique_lock lock(p.mutex);
      p.sleeping++;
      p.wake.wait(lock, [&] { return p.stop.load() || left(p.claim.load()); });
      p.sleeping--;
      rest = clock::now() + linger;
    }
    if (size_t finished = work(p)) p.done.fetch_add(finished, std::memory_order_release);
  }
}

// Workers keep off the caller's core. Left alone, the scheduler wakes a worker where its caller runs and leaves both
// there for long stretches, at the speed of one thread.
void settle(Pool& p) {
#if defined(__linux__)
  const int core = sched_getcpu();
  if (core == p.home || core < 0) return;
  p.home = core;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0 || size_t(CPU_COUNT(&set)) <= p.workers.size()) return;
  CPU_CLR(core, &set);
  for (auto& t : p.workers) pthread_setaffinity_np(t.native_handle(), sizeof set, &set);
#else
  (void)p;
#endif
}

void start(Pool& p) {
  if (p.workers.size() + 1 < p.size) p.home = -1;
  while (p.workers.size() + 1 < p.size) p.workers.emplace_back([&p] { worker(p); });
  settle(p);
}

void join(Pool& p) {
  {
    std::lock_guard lock(p.mutex);
    p.stop = true;
  }
  p.wake.notify_all();
  for (auto& t : p.workers) t.join();
  p.workers.clear();
  p.stop = false;
}

}  // namespace

void parallel(size_t tasks, void (*task)(void*, size_t), void* context) {
  Pool& p = pool();
  if (tasks <= 1 || tasks >= low || busy || p.size == 1 || !p.gate.try_lock()) {
    for (size_t i = 0; i < tasks; i++) task(context, i);
    return;
  }
  std::lock_guard hold(p.gate, std::adopt_lock);
  busy = true;
  try {
    start(p);
  } catch (...) {
    // Fewer threads than asked for: the caller still finishes every task.
  }
  p.task = task;
  p.context = context;
  p.done.store(0, std::memory_order_relaxed);
  p.claim.store(uint64_t(tasks) << 32 | 1, std::memory_order_seq_cst);  // task 0 is the caller's
  if (p.sleeping.load(std::memory_order_seq_cst)) {
    {
      std::lock_guard lock(p.mutex);
    }
    p.wake.notify_all();
  }
  run(p, 0);
  const size_t others = tasks - 1 - work(p);
  for (int spins = 0; p.done.load(std::memory_order_acquire) < others; spins++) {
    if (spins < 2000)
      NABLA_PAUSE();
    else
      std::this_thread::yield();
  }
  busy = false;
  if (p.starved.load(std::memory_order_relaxed) && p.starved.exchange(false)) throw std::bad_alloc();
}

namespace {
constexpr auto page = std::align_val_t(4096);

struct Block {
  void* p = nullptr;
  size_t bytes = 0;
  ~Block() { ::operator delete(p, page); }
};
}  // namespace

void* scratch(size_t bytes, int slot) {
  static thread_local Block blocks[4];
  Block& b = blocks[slot];
  if (b.bytes < bytes) {
    ::operator delete(b.p, page);
    b = {};
    size_t rounded = (bytes + 4095) & ~size_t(4095);
    b.p = ::operator new(rounded, page);
    b.bytes = rounded;
  }
  return b.p;
}

unsigned threads() { return pool().size; }

void set_threads(unsigned n) {
  Pool& p = pool();
  std::lock_guard hold(p.gate);
  if (n < p.size) join(p);
  p.size = n;
}

void pool_acquire() {
  Pool& p = pool();
  std::lock_guard hold(p.gate);
  if (p.environments++ == 0 && p.size == 1) p.size = cores();
}

void pool_release() {
  Pool& p = pool();
  std::lock_guard hold(p.gate);
  if (--p.environments == 0) join(p);
}

}  // namespace nabla
