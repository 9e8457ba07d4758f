// What an SRTCP packet carries behind its RTCP packet: E flag, 31-bit index and authentication tag.
//
//   AES128_CM_HMAC_SHA1_80 (RFC 3711 section 3.4):  | RTCP | E||index: 4 | tag: 10 |
//   AEAD_AES_*_GCM (RFC 7714 section 9.2, 9.3):     | RTCP | tag: 16 | E||index: 4 |
// Nothing read here is authenticated yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/srtp/srtp_profile.h"

namespace viaduct::srtp {

inline constexpr size_t RtcpHeaderBytes = 8;               // the part of a compound packet that stays in clear
inline constexpr uint32_t SrtcpEncryptedFlag = 0x80000000u;  // E
inline constexpr uint32_t MaxSrtcpIndex = 0x7fffffffu;

constexpr size_t srtcp_trailer_bytes(SrtpProfile p) { return tag_bytes(p) + SrtcpIndexBytes; }
constexpr size_t srtp_trailer_bytes(SrtpProfile p) { return tag_bytes(p); }

struct SrtcpTrailer {
  uint32_t index = 0;      // 31 bits
  bool encrypted = false;  // E: the RTCP packet behind its first 8 bytes is ciphertext
  size_t rtcp_bytes = 0;   // length of the RTCP packet in front of the trailer
};

// Reads the trailer of a received SRTCP packet. Nothing when the packet is too short for an RTCP header and a
// trailer.
constexpr std::optional<SrtcpTrailer> parse_srtcp_trailer(Bytes packet, SrtpProfile profile) {
  const size_t trailer = srtcp_trailer_bytes(profile);
  if (packet.size() < RtcpHeaderBytes + trailer) return std::nullopt;
  const size_t rtcp = packet.size() - trailer;
  const bool index_first = profile == SrtpProfile::Aes128CmHmacSha1_80;
  const uint32_t word = load_be32(packet.data() + rtcp + (index_first ? 0 : tag_bytes(profile)));
  return SrtcpTrailer{word & MaxSrtcpIndex, (word & SrtcpEncryptedFlag) != 0, rtcp};
}

// The SRTCP index alone, for the replay check before decryption.
constexpr std::optional<uint32_t> srtcp_index(Bytes packet, SrtpProfile profile) {
  const auto trailer = parse_srtcp_trailer(packet, profile);
  if (!trailer) return std::nullopt;
  return trailer->index;
}

}  // namespace viaduct::srtp
