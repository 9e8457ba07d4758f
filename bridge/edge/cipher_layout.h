// What every CPU cipher needs to know of a job before any key is touched: where things stand in the
// packet, checked, and the initialisation vectors of RFC 3711 and RFC 7714.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "edge/batch_cipher.h"
#include "protocol/srtp/key_derivation.h"

namespace viaduct::edge {

inline constexpr size_t GcmIvBytes = 12;
inline constexpr size_t CounterBytes = 16;

constexpr bool is_gcm(srtp::SrtpProfile profile) {
  return profile != srtp::SrtpProfile::Aes128CmHmacSha1_80;
}

// A job with its sizes checked.
struct Layout {
  MutableBytes header;
  MutableBytes prefix;  // empty when unprotecting
  Bytes payload;        // without trailer
  MutableBytes body;    // prefix and payload: where the result goes
  uint8_t* tag = nullptr;
  uint8_t* srtcp_word = nullptr;  // E||index; null for SRTP
  bool encrypted = true;          // false: received SRTCP that is only tagged
  uint16_t result_bytes = 0;      // of the whole packet once it is done
};

// False when the job cannot be a packet of this kind, or its index is beyond the key's life. When
// protecting SRTCP the E||index word is written here; when unprotecting it, job.index is read.
bool lay_out(CipherJob& job, srtp::SrtpProfile profile, Direction direction, Layout* at);

// RFC 7714 section 8.1 (SRTP: 0 || SSRC || ROC || SEQ) and 9.1 (SRTCP: 0 || SSRC || 0 || index),
// XOR salt. With a 48-bit index the two are one formula.
inline std::array<uint8_t, GcmIvBytes> gcm_iv(uint32_t ssrc, uint64_t index, const uint8_t* salt) {
  std::array<uint8_t, GcmIvBytes> iv{};
  store_be32(&iv[2], ssrc);
  store_be16(&iv[6], static_cast<uint16_t>(index >> 32));
  store_be32(&iv[8], static_cast<uint32_t>(index));
  for (size_t i = 0; i < GcmIvBytes; ++i) iv[i] ^= salt[i];
  return iv;
}

// RFC 3711 section 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16.
inline std::array<uint8_t, CounterBytes> initial_counter(uint32_t ssrc, uint64_t index,
                                                         const uint8_t* salt) {
  std::array<uint8_t, CounterBytes> iv{};
  store_be32(&iv[4], ssrc);
  store_be16(&iv[8], static_cast<uint16_t>(index >> 32));
  store_be32(&iv[10], static_cast<uint32_t>(index));
  for (size_t i = 0; i < srtp::MaxSessionSaltBytes; ++i) iv[i] ^= salt[i];
  return iv;
}

}  // namespace viaduct::edge
