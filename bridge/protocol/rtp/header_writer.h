// Writes an RTP header with its extensions (RFC 3550 section 5.1, RFC 8285), for the packets the bridge sends.
//
// Runs once per packet and receiver: it allocates nothing and writes each byte once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace viaduct::rtp {

struct HeaderFields {
  bool padding = false;
  bool marker = false;
  uint8_t payload_type = 0;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
};

struct ExtensionElement {
  uint8_t id = 0;  // 1 to 255
  Bytes data;      // at most 255 bytes
};

// The size write_header() will return for these elements, multiple of 4; 0 when one of them cannot be written.
size_t header_bytes(std::span<const ExtensionElement> elements);

// Writes the header to the front of `out` and returns its size; 0, with `out` untouched, when it does not fit or an
// element has identifier 0 or more than 255 bytes. One-byte elements when every identifier is at most 14 and every size
// 1 to 16, else two-byte ones. No CSRCs. The elements' data must not lie where the header is written.
size_t write_header(MutableBytes out, const HeaderFields& fields, std::span<const ExtensionElement> elements);

}  // namespace viaduct::rtp
