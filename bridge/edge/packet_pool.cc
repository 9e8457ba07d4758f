#include "edge/packet_pool.h"

#include <sanitizer/asan_interface.h>

#include <algorithm>
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
  auto memory = MediaMemory::map(count * limits::PacketBufferBytes);
  if (!memory) {
    return Error{memory.error().code, "there is no packet pool of " + std::to_string(count) + " packets: " +
                                          memory.error().text + "; configure fewer packets"};
  }
  return std::unique_ptr<PacketPool>(new PacketPool(std::move(*memory), count));
}

PacketPool::PacketPool(std::unique_ptr<MediaMemory> memory, size_t count)
    : mapping_(std::move(memory)), memory_(mapping_->data()), free_(count), clean_(count), in_use_(count) {
  // The first buffer stands at the back, so that the mapping is touched from its front.
  for (size_t i = 0; i < count; ++i) free_[i] = static_cast<uint32_t>(count - 1 - i);
  ASAN_POISON_MEMORY_REGION(memory_, count * limits::PacketBufferBytes);
}

PacketPool::~PacketPool() { ASAN_UNPOISON_MEMORY_REGION(memory_, size() * limits::PacketBufferBytes); }

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
