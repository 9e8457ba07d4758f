// The SRTP protection profiles that browsers offer (RFC 5764 section 4.1.2, RFC 7714 section 14.2) and their sizes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace viaduct::srtp {

// The values are the DTLS-SRTP protection profile identifiers of the IANA registry.
enum class SrtpProfile : uint16_t {
  Aes128CmHmacSha1_80 = 0x0001,
  AeadAes128Gcm = 0x0007,
  AeadAes256Gcm = 0x0008,
};

constexpr size_t master_key_bytes(SrtpProfile p) { return p == SrtpProfile::AeadAes256Gcm ? 32 : 16; }
constexpr size_t master_salt_bytes(SrtpProfile p) { return p == SrtpProfile::Aes128CmHmacSha1_80 ? 14 : 12; }
constexpr size_t tag_bytes(SrtpProfile p) { return p == SrtpProfile::Aes128CmHmacSha1_80 ? 10 : 16; }
inline constexpr size_t SrtcpIndexBytes = 4;             // E flag and 31-bit index (RFC 3711 section 3.4)
inline constexpr size_t MaxTrailerBytes = 16 + SrtcpIndexBytes;

// The name of RFC 5764 and RFC 7714, for logs, metrics and the API.
constexpr const char* to_string(SrtpProfile p) {
  switch (p) {
    case SrtpProfile::Aes128CmHmacSha1_80: return "AES128_CM_HMAC_SHA1_80";
    case SrtpProfile::AeadAes128Gcm: return "AEAD_AES_128_GCM";
    case SrtpProfile::AeadAes256Gcm: return "AEAD_AES_256_GCM";
  }
  return "unknown";
}

// One direction's master key and salt. A view: whoever holds the bytes wipes them.
struct SrtpKeys {
  SrtpProfile profile = SrtpProfile::AeadAes128Gcm;
  Bytes master_key;   // master_key_bytes(profile)
  Bytes master_salt;  // master_salt_bytes(profile)
};

// Names a key that a BatchCipher keeps (edge/batch_cipher.h). Never reused while a batch that names it is in flight.
struct KeySlot {
  uint32_t value = 0xffffffffu;
  explicit operator bool() const { return value != 0xffffffffu; }
  friend bool operator==(KeySlot, KeySlot) = default;
};

}  // namespace viaduct::srtp
