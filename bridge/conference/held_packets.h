// Pictures' packets that wait until their receiver's network can take them: which they are and what numbers they have.
// They themselves lie in the resend buffers of their sources.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "conference/projection.h"
#include "conference/source.h"
#include "limits.h"
#include "protocol/rtp/active_targets.h"

namespace viaduct::conference {

struct HeldPacket {
  SourceRef source;
  uint16_t slot = 0;  // index in Endpoint::slots
  uint8_t encoding = 0;
  bool marker = false;
  uint16_t bytes = 0;      // about what it will have on the wire
  int64_t sequence = 0;    // in its encoding
  Projection::Out numbers;
  std::optional<rtp::TargetMask> active_targets;
  Timestamp since;
};

// First in, first out, and bounded; its memory is taken once, when the first packet waits.
class HeldPackets {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  DataSize bytes() const { return bytes_; }
  const HeldPacket& front() const { return ring_[first_]; }

  // False when it is full.
  bool push(const HeldPacket& packet) {
    if (ring_.empty()) ring_.resize(limits::HeldPacketsPerEndpoint);
    if (size_ == ring_.size()) return false;
    ring_[(first_ + size_++) % ring_.size()] = packet;
    bytes_.bytes += packet.bytes;
    return true;
  }
  void pop() {
    bytes_.bytes -= front().bytes;
    first_ = (first_ + 1) % ring_.size();
    --size_;
  }

 private:
  std::vector<HeldPacket> ring_;
  size_t first_ = 0;
  size_t size_ = 0;
  DataSize bytes_;
};

}  // namespace viaduct::conference
