// Retransmission payload format (RFC 4588 section 4): the original sequence number, then the original payload.
//
//    |     original sequence number (16)     |  original RTP payload ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/rtp/packet.h"

namespace viaduct::rtp {

inline constexpr size_t OriginalSequenceBytes = 2;

// The original sequence number of a decrypted RTX payload without padding; nothing when it is too short, as padding
// sent to probe is.
std::optional<uint16_t> read_original_sequence(Bytes rtx_payload);

// The packet that an RTX packet brings back. Marker, timestamp and extensions are those of the RTX packet.
struct RestoredPacket {
  uint8_t payload_type = 0;
  bool marker = false;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  Bytes payload;  // points into the RTX payload
};

// `payload_type` and `ssrc` are those of the stream that the RTX packet repairs: the apt parameter (RFC 4588 section
// 8.6) and the ssrc-group or repaired RID say which. Nothing when the payload has no original sequence number.
std::optional<RestoredPacket> restore(const HeaderView& rtx, Bytes rtx_payload, uint8_t payload_type, uint32_t ssrc);

}  // namespace viaduct::rtp
