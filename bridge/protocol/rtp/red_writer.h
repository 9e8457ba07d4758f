// Writes RED (RFC 2198) with one redundant block: all that stands in front of the primary block. The layout is drawn
// in red.h, which reads it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace viaduct::rtp {

inline constexpr size_t RedBlockHeaderBytes = 4;    // of a redundant block
inline constexpr size_t RedPrimaryHeaderBytes = 1;  // of the primary block
inline constexpr uint32_t MaxRedTimestampOffset = 0x3fff;
inline constexpr size_t MaxRedBlockBytes = 0x3ff;

// Bytes that write_red_front() writes for a redundant block of so many.
constexpr size_t red_front_bytes(size_t block_bytes) {
  return RedBlockHeaderBytes + RedPrimaryHeaderBytes + block_bytes;
}

// Both block headers and the redundant block, which is `timestamp_offset` older than the primary one. Returns the bytes
// written; 0 and nothing written when `to` is too short, or the offset or the block too large for its field.
size_t write_red_front(MutableBytes to, uint8_t block_payload_type, uint32_t timestamp_offset, Bytes block);

}  // namespace viaduct::rtp
