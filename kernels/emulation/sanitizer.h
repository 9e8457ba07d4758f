// What a sanitizer must be told of fibers and of shared memory. One of sanitizer_none.cc,
// sanitizer_address.cc and sanitizer_thread.cc is built, as the program is.
#pragma once

#include <cstddef>

namespace viaduct::emulation::sanitizer {

// Instrumented code needs more stack.
extern const size_t StackBytes;
// So many blocks in a row run on stacks, and as logical threads, of their own.
extern const size_t FiberSets;

// The sanitizer's own view of a stack.
struct View {
  void* logical_thread = nullptr;
  void* fake_stack = nullptr;
  const void* stack = nullptr;
  size_t size = 0;
};

void create_fiber(View& view, void* stack, size_t size);
void destroy_fiber(View& view);
// The thread that launches.
void adopt_this_thread(View& view);

// Around each switch: the one on the stack that is left, the other on the one that is entered.
void leave(View& from, View& to, bool for_good);
void enter(View& now, View& before);

// Memory becomes visible: from all that have released a token to whoever acquires it.
void release(void* token);
void acquire(void* token);

// Bytes that no kernel may touch.
void forbid(void* bytes, size_t size);
void allow(void* bytes, size_t size);
// Whole pages, empty and as if never used before.
void renew(void* pages, size_t size);

}  // namespace viaduct::emulation::sanitizer
