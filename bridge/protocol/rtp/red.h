// RED, the payload format for redundant audio (RFC 2198): the blocks of earlier packets in front of the primary one.
//
//    1 | block PT (7) | timestamp offset (14) | block length (10)     for each redundant block, the oldest first
//    0 | block PT (7)                                                 for the primary block
//    redundant blocks ... | primary block
//
// The bridge looks for where the primary block begins, and never into a block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace viaduct::rtp {

struct RedBlock {
  uint16_t timestamp_offset = 0;  // before the packet's timestamp
  Bytes bytes;                    // points into the payload; may be empty
};

struct RedPayload {
  static constexpr size_t MaxRedundant = 8;  // browsers send two at most

  Bytes primary;  // never empty; ends where the payload ends
  size_t redundant_count = 0;
  std::array<RedBlock, MaxRedundant> redundant_storage{};
  std::span<const RedBlock> redundant() const { return std::span(redundant_storage).first(redundant_count); }
};

// `payload` is without RTP padding. Nothing when it is malformed, when a block is of another payload type than
// `block_payload_type`, and when there is no primary block or too many are in front of it.
std::optional<RedPayload> parse_red(Bytes payload, uint8_t block_payload_type);

}  // namespace viaduct::rtp
