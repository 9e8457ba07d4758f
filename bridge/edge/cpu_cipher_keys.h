// Keys as libipsec-mb wants them: expanded once, when a key is added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "edge/cpu_cipher_library.h"
#include "protocol/srtp/key_derivation.h"
#include "secrecy/in_secret_memory.h"

namespace viaduct::edge {

// AES-128 in counter mode and HMAC-SHA1: the round keys, and the states of SHA-1 after the first
// block of the inner and outer hash (RFC 2104), in the CPU's byte order.
struct Sha1Key {
  static constexpr size_t RoundKeyBytes = 11 * 16;

  alignas(16) uint8_t round_keys[RoundKeyBytes];
  uint8_t inner[IMB_SHA1_DIGEST_SIZE_IN_BYTES];
  uint8_t outer[IMB_SHA1_DIGEST_SIZE_IN_BYTES];
};

// One direction of one master key for SRTP, or for SRTCP.
struct alignas(64) StreamKey {
  union {
    gcm_key_data gcm;  // round keys and the powers of the hash key
    Sha1Key sha1;
  };
  uint8_t salt[srtp::MaxSessionSaltBytes];
  srtp::SrtpProfile profile;
};
static_assert(sizeof(StreamKey) == 1024, "the memory of a key is stated in cpu_cipher.h");

struct CpuKey : secrecy::AlignedInSecretMemory<alignof(StreamKey)> {
  StreamKey rtp;
  StreamKey rtcp;
};

// Expands the session keys of one direction for `manager`.
std::unique_ptr<CpuKey> expand_key(const IpsecManager& manager, srtp::SrtpProfile profile,
                                   const srtp::SessionKeys& keys);

}  // namespace viaduct::edge
