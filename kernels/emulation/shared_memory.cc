#include "kernels/emulation/shared_memory.h"

#include <algorithm>

#include "kernels/emulation/sanitizer.h"

namespace viaduct::emulation {

void SharedMemory::begin_block() {
  // Blocks share nothing, so that one never races with the next.
  sanitizer::renew(pages_.bytes().data(), AreaBytes);
  sanitizer::forbid(pages_.bytes().data(), AreaBytes);
  count_ = 0;
  asked_bytes_ = 0;
  end_ = 0;
}

void* SharedMemory::object(const void* identity, size_t size, size_t alignment) {
  constexpr unsigned char Junk = 0xA5;
  for (size_t i = 0; i < count_; ++i) {
    if (objects_[i].identity == identity) return objects_[i].bytes;
  }
  asked_bytes_ += size;
  const size_t start = (end_ + Gap + alignment - 1) / alignment * alignment;
  if (asked_bytes_ > Limit || start + size + Gap > AreaBytes || count_ == MaxObjects) {
    return nullptr;
  }
  end_ = start + size;
  highest_end_ = std::max(highest_end_, end_);
  std::byte* bytes = pages_.bytes().data() + start;
  sanitizer::allow(bytes, size);
  for (size_t i = 0; i < size; ++i) bytes[i] = std::byte{Junk};
  objects_[count_++] = {identity, bytes};
  return bytes;
}

void SharedMemory::wipe_used() {
  constexpr size_t Word = sizeof(uint64_t);
  sanitizer::allow(pages_.bytes().data(), AreaBytes);
  wipe(pages_.bytes().first((highest_end_ + Word - 1) / Word * Word));
  highest_end_ = 0;
}

}  // namespace viaduct::emulation
