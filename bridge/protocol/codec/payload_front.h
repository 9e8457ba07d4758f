// The first bytes of a VP8 or VP9 payload, which hold numbers that must count on over switches and skipped frames:
// picture id and TL0PICIDX (RFC 7741 section 4.2, RFC 9628 section 4.2).
//
// The bytes are as they were read, with the places of the numbers; writing puts other numbers in their place and
// leaves the rest. What reads a payload is vp8.h and vp9.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace viaduct::codec {

struct PictureNumbers {
  uint16_t picture_id = 0;                       // 15 bits
  std::optional<uint8_t> tl0_picture_index;
  friend bool operator==(const PictureNumbers&, const PictureNumbers&) = default;
};

struct PayloadFront {
  std::array<uint8_t, 6> bytes{};
  uint8_t size = 0;           // of `bytes` that are used: up to the last number
  uint8_t picture_id_at = 0;  // two bytes
  uint8_t tl0_at = 0;         // one byte; 0: there is none
  PictureNumbers numbers;     // as they were read
};

// Writes the front with `numbers` in the place of its own. `out` has room for front.size bytes; returns front.size.
size_t write_payload_front(MutableBytes out, const PayloadFront& front, const PictureNumbers& numbers);

}  // namespace viaduct::codec
