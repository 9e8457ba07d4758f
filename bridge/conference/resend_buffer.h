// A source's last packets, decrypted, kept for receivers that ask for them again (RFC 4585 generic
// NACK).
//
// Bounded in number (limits::ResendPacketsPerSource) and in age (limits::ResendMaxAge). It takes
// packets over from the path and hands back what falls out, so that every packet still returns to
// its edge exactly once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/packet.h"
#include "base/time.h"
#include "limits.h"
#include "protocol/codec/codec.h"
#include "protocol/codec/payload_front.h"
#include "protocol/rtp/frame_info.h"
#include "protocol/rtp/packet.h"

namespace viaduct::conference {

// A decrypted packet of a source, with what the path learned about it.
struct StoredPacket {
  Packet packet;         // empty: nothing is stored here
  int64_t sequence = 0;  // unwrapped
  rtp::HeaderView header;
  uint16_t payload_bytes = 0;  // behind the header, without padding
  codec::CodecType codec{};
  rtp::FrameInfo frame;
  std::optional<codec::PayloadFront> front;  // with the numbers of the picture, where it may be read
};

class ResendBuffer {
 public:
  // Stores the packet. Returns what had to make room for it, or an empty Packet.
  [[nodiscard]] Packet store(StoredPacket stored) {
    if (slots_.empty()) slots_.resize(limits::ResendPacketsPerSource);
    StoredPacket& slot = slots_[index(stored.sequence)];
    const Packet evicted = slot.packet;
    slot = std::move(stored);
    return evicted;
  }

  // Null when it was never stored or has fallen out.
  const StoredPacket* find(int64_t sequence) const {
    if (slots_.empty()) return nullptr;
    const StoredPacket& slot = slots_[index(sequence)];
    return slot.packet && slot.sequence == sequence ? &slot : nullptr;
  }

  // Moves packets that arrived before `oldest` to the end of `out`.
  void expire(Timestamp oldest, std::vector<Packet>& out) {
    for (StoredPacket& slot : slots_) {
      if (!slot.packet || slot.packet.arrival >= oldest) continue;
      out.push_back(slot.packet);
      slot.packet = {};
    }
  }

 private:
  static size_t index(int64_t sequence) {
    return static_cast<uint64_t>(sequence) % limits::ResendPacketsPerSource;
  }
  std::vector<StoredPacket> slots_;  // made at the first packet; never grows after that
};

}  // namespace viaduct::conference
