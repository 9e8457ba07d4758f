// A fixed number of packet buffers in one mapping, for one thread.
//
// Memory: count x limits::PacketBufferBytes (1,792) bytes of address space; the last buffer returned is the next one
// handed out, so only as many pages become resident as were ever in use at once. The mapping stays out of core dumps,
// because it holds decrypted media. A buffer that comes back twice, or from elsewhere, is a bug and aborts; under
// AddressSanitizer so does touching a buffer after it went back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "edge/packet_io.h"

namespace viaduct::edge {

class PacketPool {
 public:
  // Maps `count` buffers, 1 to 2^24. InvalidArgument outside that range, ResourceExhausted when the system has no room.
  static Result<std::unique_ptr<PacketPool>> open(size_t count);
  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // Fills `out` from the front with blank packets (offset = limits::PacketHeadroomBytes, length = 0) and returns how
  // many; fewer than asked for when the pool runs dry.
  size_t allocate(std::span<Packet> out);
  // Takes packets of this pool back.
  void release(std::span<const Packet> packets);

  size_t size() const { return in_use_.size(); }
  size_t free() const { return free_.size(); }

 private:
  PacketPool(uint8_t* memory, size_t count);

  uint8_t* memory_;
  std::vector<uint32_t> free_;  // indexes of buffers, the next one to hand out at the back
  std::vector<bool> in_use_;
};

}  // namespace viaduct::edge
