// The one thread pool of the process. What a task computes depends on its number only, so who runs it cannot change a
// bit.
#pragma once
#include <cstddef>

namespace nabla {

// Runs task(context, i) for i in [0, tasks) and returns when all are done. The caller takes part. Nested and contended
// calls run inline.
void parallel(size_t tasks, void (*task)(void* context, size_t i), void* context);

// 64-byte aligned memory of the calling thread, valid until its next scratch() of the same slot. Slots let a kernel
// that calls another kernel keep its own block: 0 driver, 1 to 3 kernels. Throws std::bad_alloc.
void* scratch(size_t bytes, int slot);

unsigned threads();
void set_threads(unsigned n);  // 1..256, checked by the caller
void pool_acquire();           // one for every environment that loads the addon
void pool_release();           // the last one joins the threads

template <class F>
inline void parallel(size_t tasks, const F& f) {
  if (tasks == 1) return f(size_t(0));
  parallel(tasks, [](void* c, size_t i) { (*static_cast<const F*>(c))(i); }, const_cast<F*>(&f));
}

}  // namespace nabla
