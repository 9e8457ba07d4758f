#include "protocol/rtp/rtx.h"

namespace viaduct::rtp {

std::optional<uint16_t> read_original_sequence(Bytes rtx_payload) {
  if (rtx_payload.size() < OriginalSequenceBytes) return std::nullopt;
  return load_be16(rtx_payload.data());
}

std::optional<RestoredPacket> restore(const HeaderView& rtx, Bytes rtx_payload, uint8_t payload_type, uint32_t ssrc) {
  const std::optional<uint16_t> sequence = read_original_sequence(rtx_payload);
  if (!sequence) return std::nullopt;
  return RestoredPacket{
      .payload_type = payload_type,
      .marker = rtx.marker,
      .sequence = *sequence,
      .timestamp = rtx.timestamp,
      .ssrc = ssrc,
      .payload = rtx_payload.subspan(OriginalSequenceBytes),
  };
}

}  // namespace viaduct::rtp
