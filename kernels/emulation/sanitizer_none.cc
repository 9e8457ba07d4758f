#include "kernels/emulation/sanitizer.h"

namespace viaduct::emulation::sanitizer {

const size_t StackBytes = 16 * 1024;
const size_t FiberSets = 1;

void create_fiber(View&, void*, size_t) {}
void destroy_fiber(View&) {}
void adopt_this_thread(View&) {}
void leave(View&, View&, bool) {}
void enter(View&, View&) {}
void release(void*) {}
void acquire(void*) {}
void forbid(void*, size_t) {}
void allow(void*, size_t) {}
void renew(void*, size_t) {}

}  // namespace viaduct::emulation::sanitizer
