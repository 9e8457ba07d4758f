// RTP and RTCP packets of every shape, from a seed.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace viaduct::testing {

struct RandomPacket {
  std::vector<uint8_t> bytes;
  uint16_t header_bytes = 0;
};

// CSRCs, a header extension and a payload of 0 to `max_payload` bytes, each by chance (RFC 3550 section 5.1).
inline RandomPacket random_rtp(SeededRandom& random, uint32_t ssrc, uint16_t seq, size_t max_payload = 1400) {
  const size_t csrcs = random.chance(0.3) ? random.below(16) : 0;
  const bool extended = random.chance(0.5);
  const size_t extension_words = extended ? random.below(20) : 0;
  const size_t header = 12 + 4 * csrcs + (extended ? 4 + 4 * extension_words : 0);

  std::vector<uint8_t> bytes(header + random.below(max_payload + 1));
  random.fill(bytes);
  bytes[0] = static_cast<uint8_t>(0x80 | (extended ? 0x10 : 0) | csrcs);
  store_be16(&bytes[2], seq);
  store_be32(&bytes[8], ssrc);
  if (extended) {
    store_be16(&bytes[12 + 4 * csrcs], 0xbede);  // one-byte form (RFC 8285 section 4.2)
    store_be16(&bytes[12 + 4 * csrcs + 2], static_cast<uint16_t>(extension_words));
  }
  return {bytes, static_cast<uint16_t>(header)};
}

// A receiver report of random words; whole words, as RTCP is (RFC 3550 section 6.1).
inline RandomPacket random_rtcp(SeededRandom& random, uint32_t ssrc) {
  const size_t words = random.below(300);
  std::vector<uint8_t> bytes(8 + 4 * words);
  random.fill(bytes);
  bytes[0] = 0x80;
  bytes[1] = 201;
  store_be16(&bytes[2], static_cast<uint16_t>(1 + words));
  store_be32(&bytes[4], ssrc);
  return {bytes, 8};
}

}  // namespace viaduct::testing
