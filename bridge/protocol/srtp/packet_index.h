// The 48-bit SRTP packet index behind a 16-bit sequence number (RFC 3711 section 3.3.1 and appendix A).
//
// An estimate is a guess until the packet authenticates: the caller keeps the highest index of authenticated
// packets only.
#pragma once

#include <cstdint>
#include <optional>

namespace viaduct::srtp {

inline constexpr uint64_t MaxPacketIndex = (uint64_t{1} << 48) - 1;

// The index 2^16 * ROC + `seq` that lies nearest to `highest_index`. Nothing when it would be negative (a
// packet from before the first one) or beyond 2^48 - 1, where the key is used up (RFC 3711 section 9.2). The
// first packet of an SSRC has no neighbour: its index is its sequence number.
constexpr std::optional<uint64_t> estimate_index(uint64_t highest_index, uint16_t seq) {
  const uint64_t rollovers = highest_index >> 16;
  const auto highest_seq = static_cast<uint16_t>(highest_index);
  const int ahead = int{seq} - int{highest_seq};
  uint64_t guess = rollovers;
  if (ahead > 32768) {         // far ahead in number: from before the last rollover
    if (rollovers == 0) return std::nullopt;
    guess = rollovers - 1;
  } else if (ahead < -32768) {  // far behind: the sequence number has just rolled over
    guess = rollovers + 1;
  }
  const uint64_t index = (guess << 16) | seq;
  if (index > MaxPacketIndex) return std::nullopt;
  return index;
}

}  // namespace viaduct::srtp
