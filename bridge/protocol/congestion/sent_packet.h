// A packet that has left to a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace viaduct::congestion {

struct SentPacket {
  uint16_t transport_sequence = 0;  // the low bits of a number that counts on from packet to packet
  uint32_t ssrc = 0;
  uint16_t sequence = 0;            // the RTP sequence number, for RFC 8888
  size_t bytes = 0;                 // on the wire, with UDP and IP headers
  Timestamp at;
  std::optional<int32_t> probe;     // Pacer::probe() when it left
};

}  // namespace viaduct::congestion
