#include "protocol/rtp/red.h"

#include "protocol/rtp/red_writer.h"

namespace viaduct::rtp {

std::optional<RedPayload> parse_red(Bytes payload, uint8_t block_payload_type) {
  RedPayload out;
  std::array<size_t, RedPayload::MaxRedundant> lengths{};
  size_t at = 0;
  for (;; at += RedBlockHeaderBytes) {
    if (at >= payload.size() || (payload[at] & 0x7f) != block_payload_type) return std::nullopt;
    const bool is_primary = (payload[at] & 0x80) == 0;
    if (is_primary) break;
    if (out.redundant_count == RedPayload::MaxRedundant || payload.size() - at < RedBlockHeaderBytes)
      return std::nullopt;
    const uint32_t header = load_be32(payload.data() + at);
    lengths[out.redundant_count] = header & MaxRedBlockBytes;
    out.redundant_storage[out.redundant_count++].timestamp_offset =
        static_cast<uint16_t>(header >> 10 & MaxRedTimestampOffset);
  }
  Bytes rest = payload.subspan(at + RedPrimaryHeaderBytes);
  for (size_t i = 0; i < out.redundant_count; ++i) {
    if (rest.size() < lengths[i]) return std::nullopt;
    out.redundant_storage[i].bytes = rest.first(lengths[i]);
    rest = rest.subspan(lengths[i]);
  }
  if (rest.empty()) return std::nullopt;
  out.primary = rest;
  return out;
}

}  // namespace viaduct::rtp
