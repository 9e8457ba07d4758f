#include <ucontext.h>

#include <new>

#include "base/check.h"
#include "kernels/emulation/fiber.h"

namespace viaduct::emulation {

// The C library's context of a new fiber lies at the far end of its stack.
void prepare_fiber(FiberContext& context, std::span<std::byte> stack, void (*entry)()) {
  auto* start = new (stack.data()) ucontext_t;
  CHECK(getcontext(start) == 0);
  start->uc_stack.ss_sp = stack.data() + sizeof(ucontext_t);
  start->uc_stack.ss_size = stack.size() - sizeof(ucontext_t);
  start->uc_link = nullptr;
  makecontext(start, entry, 0);
  context.saved = start;
}

void switch_fiber(FiberContext& from, FiberContext& to) {
  ucontext_t here;
  from.saved = &here;
  CHECK(swapcontext(&here, static_cast<ucontext_t*>(to.saved)) == 0);
}

}  // namespace viaduct::emulation
