// A fixed number of packet buffers in one mapping, for one thread.
//
// Memory: count x limits::PacketBufferBytes (1,792) bytes of address space; the last buffer returned is the next one
// handed out, so only as many pages become resident as were ever in use at once. Because it holds decrypted media the
// mapping stays out of core dumps and forked children, its pages never leave RAM where the system lets it lock them,
// and buffers that came back are wiped by the timer of whoever owns the pool. A buffer that comes back twice, or from
// elsewhere, is a bug and aborts; under AddressSanitizer so does touching a buffer after it went back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "edge/media_memory.h"
#include "edge/packet_io.h"
#include "limits.h"

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

  // Wipes up to `at_most` buffers that came back since they were last wiped, those that have been idle for longest
  // first. Returns how many: fewer only when no others are left. A buffer is reached after at most size() / at_most
  // calls, unless it is in use again by then.
  size_t wipe_released(size_t at_most);

  std::span<uint8_t> memory() const { return {memory_, size() * limits::PacketBufferBytes}; }
  bool is_locked() const { return mapping_->is_locked(); }  // into RAM
  size_t size() const { return in_use_.size(); }
  size_t free() const { return free_.size(); }

 private:
  PacketPool(std::unique_ptr<MediaMemory> memory, size_t count);

  const std::unique_ptr<MediaMemory> mapping_;
  uint8_t* const memory_;
  std::vector<uint32_t> free_;  // indexes of buffers, the next one to hand out at the back
  size_t clean_;                // so many at the front of free_ hold zeros; those behind came back later
  std::vector<bool> in_use_;
};

}  // namespace viaduct::edge
