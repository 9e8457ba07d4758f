#include "protocol/rtcp/congestion_feedback.h"

namespace viaduct::rtcp {
namespace {

constexpr size_t SenderBytes = 4;
constexpr size_t TimestampBytes = 4;

// RFC 8888 section 3.1: the two largest offsets are no times.
constexpr uint16_t OffsetMask = 0x1fff;
constexpr uint16_t OffsetUnknown = 0x1fff;  // arrived after the report was written, or nobody knows when
constexpr uint16_t OffsetTooOld = 0x1ffe;   // longer ago than can be said

bool blocks_fill(Bytes blocks) {
  size_t at = 0;
  while (blocks.size() - at >= StreamBlockHeaderBytes) {
    const size_t bytes = stream_block_bytes(load_be16(&blocks[at + 6]));
    if (bytes > blocks.size() - at) return false;
    at += bytes;
  }
  return at == blocks.size();
}

}  // namespace

std::optional<CongestionFeedback> parse_congestion_feedback(const Packet& packet) {
  const Bytes body = packet.body;
  if (packet.kind != Kind::CongestionFeedback || body.size() < SenderBytes + TimestampBytes) return std::nullopt;
  const Bytes blocks = body.subspan(SenderBytes, body.size() - SenderBytes - TimestampBytes);
  if (!blocks_fill(blocks)) return std::nullopt;
  return CongestionFeedback{
      .sender = load_be32(body.data()),
      .timestamp = load_be32(&body[body.size() - TimestampBytes]),
      .blocks = blocks,
  };
}

PacketReport read_packet_report(uint32_t ssrc, uint16_t sequence, uint16_t bits) {
  PacketReport report{.ssrc = ssrc, .sequence = sequence};
  if ((bits & 0x8000) == 0) return report;
  report.received = true;
  report.ecn = static_cast<uint8_t>((bits >> 13) & 3);
  const uint16_t offset = bits & OffsetMask;
  if (offset != OffsetUnknown && offset != OffsetTooOld) report.arrival = Duration(1s) * offset / 1024;
  return report;
}

}  // namespace viaduct::rtcp
