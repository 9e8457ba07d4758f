// AddressSanitizer must know which stack runs, and is told the bounds of each shared object.
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include "kernels/emulation/sanitizer.h"

namespace viaduct::emulation::sanitizer {

const size_t StackBytes = 64 * 1024;
const size_t FiberSets = 1;

void create_fiber(View& view, void* stack, size_t size) {
  view.stack = stack;
  view.size = size;
}

void destroy_fiber(View&) {}
void adopt_this_thread(View&) {}

void leave(View& from, View& to, bool for_good) {
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fake_stack, to.stack, to.size);
}

void enter(View& now, View& before) {
  __sanitizer_finish_switch_fiber(now.fake_stack, &before.stack, &before.size);
  now.fake_stack = nullptr;
}

void release(void*) {}
void acquire(void*) {}
void forbid(void* bytes, size_t size) { __asan_poison_memory_region(bytes, size); }
void allow(void* bytes, size_t size) { __asan_unpoison_memory_region(bytes, size); }
void renew(void*, size_t) {}

}  // namespace viaduct::emulation::sanitizer
