#include "edge/packet_pool.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.h"
#include "limits.h"

namespace viaduct::edge {

namespace {
constexpr size_t MaxBuffers = size_t{1} << 24;
}

Result<std::unique_ptr<PacketPool>> PacketPool::open(size_t count) {
  if (count == 0 || count > MaxBuffers) {
    return Error{ErrorCode::InvalidArgument, "a packet pool of " + std::to_string(count) +
                                                 " packets is not possible; use 1 to " + std::to_string(MaxBuffers)};
  }
  const size_t bytes = count * limits::PacketBufferBytes;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Error{ErrorCode::ResourceExhausted, "no memory for a packet pool of " + std::to_string(bytes) +
                                                   " bytes (" + std::strerror(errno) + "); configure fewer packets"};
  }
  madvise(memory, bytes, MADV_DONTDUMP);
  madvise(memory, bytes, MADV_DONTFORK);
  const bool locked = mlock2(memory, bytes, MLOCK_ONFAULT) == 0;  // each page as it is touched
  return std::unique_ptr<PacketPool>(new PacketPool(static_cast<uint8_t*>(memory), count, locked));
}

PacketPool::PacketPool(uint8_t* memory, size_t count, bool locked)
    : memory_(memory), locked_(locked), free_(count), clean_(count), in_use_(count) {
  // The first buffer stands at the back, so that the mapping is touched from its front.
  for (size_t i = 0; i < count; ++i) free_[i] = static_cast<uint32_t>(count - 1 - i);
  ASAN_POISON_MEMORY_REGION(memory_, count * limits::PacketBufferBytes);
}

PacketPool::~PacketPool() {
  ASAN_UNPOISON_MEMORY_REGION(memory_, size() * limits::PacketBufferBytes);
  // The kernel gives nobody a page before it has cleared it.
  munmap(memory_, size() * limits::PacketBufferBytes);
}

size_t PacketPool::allocate(std::span<Packet> out) {
  const size_t count = std::min(out.size(), free_.size());
  for (Packet& packet : out.first(count)) {
    const uint32_t index = free_.back();
    free_.pop_back();
    in_use_[index] = true;
    packet = Packet{};
    packet.buffer = memory_ + index * limits::PacketBufferBytes;
    packet.buffer_bytes = limits::PacketBufferBytes;
    packet.offset = limits::PacketHeadroomBytes;
    packet.owner = index;
    ASAN_UNPOISON_MEMORY_REGION(packet.buffer, limits::PacketBufferBytes);
  }
  clean_ = std::min(clean_, free_.size());
  return count;
}

void PacketPool::release(std::span<const Packet> packets) {
  for (const Packet& packet : packets) {
    const uint64_t index = packet.owner;
    CHECK(index < size());
    CHECK(packet.buffer == memory_ + index * limits::PacketBufferBytes);
    CHECK(in_use_[index]);
    in_use_[index] = false;
    free_.push_back(static_cast<uint32_t>(index));  // never grows beyond its first size
    ASAN_POISON_MEMORY_REGION(packet.buffer, limits::PacketBufferBytes);
  }
}

size_t PacketPool::wipe_released(size_t at_most) {
  const size_t count = std::min(at_most, free_.size() - clean_);
  for (size_t i = 0; i < count; ++i) {
    uint8_t* buffer = memory_ + free_[clean_ + i] * limits::PacketBufferBytes;
    ASAN_UNPOISON_MEMORY_REGION(buffer, limits::PacketBufferBytes);
    explicit_bzero(buffer, limits::PacketBufferBytes);
    ASAN_POISON_MEMORY_REGION(buffer, limits::PacketBufferBytes);
  }
  clean_ += count;
  return count;
}

}  // namespace viaduct::edge
