// To ThreadSanitizer every CUDA thread is a thread of its own. This folder itself is not
// instrumented, so the order in which the emulator happens to run them orders nothing.
#include <sys/mman.h>

#include "base/check.h"
#include "kernels/emulation/sanitizer.h"

// GCC ships no header with these.
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace viaduct::emulation::sanitizer {

const size_t StackBytes = 64 * 1024;
// One block after the other is not an order to rely on: neighbours must not be the same threads.
const size_t FiberSets = 2;

void create_fiber(View& view, void*, size_t) { view.logical_thread = __tsan_create_fiber(0); }
void destroy_fiber(View& view) { __tsan_destroy_fiber(view.logical_thread); }
void adopt_this_thread(View& view) { view.logical_thread = __tsan_get_current_fiber(); }

void leave(View&, View& to, bool) {
  constexpr unsigned WithoutOrder = 1;
  __tsan_switch_to_fiber(to.logical_thread, WithoutOrder);
}

void enter(View&, View&) {}
void release(void* token) { __tsan_release(token); }
void acquire(void* token) { __tsan_acquire(token); }
void forbid(void*, size_t) {}
void allow(void*, size_t) {}

void renew(void* pages, size_t size) {
  void* renewed =
      mmap(pages, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(renewed == pages);
}

}  // namespace viaduct::emulation::sanitizer
