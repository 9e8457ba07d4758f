// Stacks that run in turn on one thread. fiber_x86_64.cc switches by a few instructions,
// fiber_ucontext.cc by the C library, for other processors.
#pragma once

#include <cstddef>
#include <span>

namespace viaduct::emulation {

// A stack that is not running: where it goes on.
struct FiberContext {
  void* saved = nullptr;
};

// Makes `context` start `entry`, which must not return, at the top of an empty stack.
void prepare_fiber(FiberContext& context, std::span<std::byte> stack, void (*entry)());
// Leaves the running stack in `from` and goes on with `to`.
void switch_fiber(FiberContext& from, FiberContext& to);

}  // namespace viaduct::emulation
