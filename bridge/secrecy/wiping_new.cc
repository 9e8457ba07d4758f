// The program's ordinary heap, wiped as it is freed: texts that carry a secret on its way (SDP,
// JSON, a message of the signalling socket) leave nothing behind.
//
// Linked into the program alone. What stands in secret memory does not come here, and neither does
// a packet: the packet path allocates nothing. Arrays, sized and nothrow forms of the library all
// call these.
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

void* operator new(size_t bytes) {
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}

void* operator new(size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<size_t>(alignment);
  if (void* block = std::aligned_alloc(step, (bytes + step - 1) / step * step)) return block;
  throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

void operator delete(void* block, std::align_val_t) noexcept { operator delete(block); }

// The library's own forms of these would do; GCC wants to see each that a translation unit calls.
void operator delete(void* block, size_t) noexcept { operator delete(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { operator delete(block); }
