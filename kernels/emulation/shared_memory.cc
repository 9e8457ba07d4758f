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
  constexpr std::byte Junk{0xA5};
  constexpr size_t LeastAlignment = 16;
  for (size_t i = 0; i < count_; ++i) {
    if (objects_[i].identity == identity) return objects_[i].bytes;
  }
  asked_bytes_ += size;
  const size_t aligned = std::max(alignment, LeastAlignment);
  const size_t start = (end_ + Gap + aligned - 1) / aligned * aligned;
  if (asked_bytes_ > Limit || start + size + Gap > AreaBytes || count_ == MaxObjects) {
    return nullptr;
  }
  end_ = start + size;
  highest_end_ = std::max(highest_end_, end_);
  const std::span<std::byte> bytes = pages_.bytes().subspan(start, size);
  sanitizer::allow(bytes.data(), size);
  fill(bytes, Junk);
  objects_[count_++] = {identity, bytes.data()};
  return bytes.data();
}

void SharedMemory::wipe_used() {
  sanitizer::allow(pages_.bytes().data(), AreaBytes);
  wipe(pages_.bytes().first(highest_end_));
  highest_end_ = 0;
}

}  // namespace viaduct::emulation
