// The two digests of STUN: HMAC-SHA1 for MESSAGE-INTEGRITY, CRC-32 for FINGERPRINT (RFC 8489 sections 14.5 and 14.7).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"

namespace viaduct::stun {

using Sha1Digest = std::array<uint8_t, 20>;

// HMAC-SHA1 (RFC 2104) of the parts one after the other. Allocates nothing.
Sha1Digest hmac_sha1(Bytes key, std::initializer_list<Bytes> parts);

// Of the parts one after the other, as in ITU V.42 and Ethernet.
uint32_t crc32(std::initializer_list<Bytes> parts);

}  // namespace viaduct::stun
