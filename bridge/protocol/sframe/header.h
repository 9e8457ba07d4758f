// The SFrame header (RFC 9605 section 4.3): which key a frame is encrypted under, and the frame's counter.
//
//        |X| K (3) |Y| C (3) | KID, when X: K + 1 bytes | CTR, when Y: C + 1 bytes | ciphertext ...
//
// Without X, K is the KID itself; without Y, C is the CTR. The bridge has no keys: it reads the header only to tell
// what a stream looks like, never to forward by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace viaduct::sframe {

struct Header {
  uint64_t key_id = 0;
  uint64_t counter = 0;
  uint8_t counter_bytes = 0;  // 0: in the configuration byte
  uint8_t header_bytes = 0;   // 1 to 17
  friend bool operator==(const Header&, const Header&) = default;
};

// Nothing when the header is cut short, or a number is written with more bytes than it needs: section 4.3 asks for the
// shortest form. Almost any other bytes are some header: only a row of them says something.
std::optional<Header> parse_header(Bytes frame);

}  // namespace viaduct::sframe
