#include "protocol/rtcp/write.h"

#include <algorithm>

namespace viaduct::rtcp {
namespace {

constexpr size_t MaxCount = 31;  // five bits

void write_block(ByteWriter& out, const ReportBlock& block) {
  constexpr int32_t MaxLost = 0x7fffff;
  const int32_t lost = std::clamp(block.cumulative_lost, -MaxLost - 1, MaxLost);
  out.be32(block.ssrc);
  out.u8(block.fraction_lost);
  out.be24(static_cast<uint32_t>(lost) & 0xffffff);
  out.be32(block.extended_highest_sequence);
  out.be32(block.jitter);
  out.be32(block.last_sender_report);
  out.be32(block.delay_since_last_sender_report);
}

}  // namespace

bool CompoundWriter::sender_report(const SenderInfo& sender, std::span<const ReportBlock> blocks) {
  if (blocks.size() > MaxReportBlocks) return false;
  ByteWriter packet = begin(static_cast<uint8_t>(blocks.size()), 200);
  packet.be32(sender.ssrc);
  packet.be64(sender.ntp.value);
  packet.be32(sender.rtp_timestamp);
  packet.be32(sender.packets);
  packet.be32(sender.octets);
  for (const ReportBlock& block : blocks) write_block(packet, block);
  return finish(packet);
}

bool CompoundWriter::receiver_report(uint32_t ssrc, std::span<const ReportBlock> blocks) {
  if (blocks.size() > MaxReportBlocks) return false;
  ByteWriter packet = begin(static_cast<uint8_t>(blocks.size()), 201);
  packet.be32(ssrc);
  for (const ReportBlock& block : blocks) write_block(packet, block);
  return finish(packet);
}

// RFC 3550 section 6.5: one chunk of one item, at least one zero byte behind it, up to a whole word.
bool CompoundWriter::sdes_cname(uint32_t ssrc, std::string_view cname) {
  constexpr uint8_t Cname = 1;
  if (cname.size() > 255) return false;
  ByteWriter packet = begin(1, 202);
  packet.be32(ssrc);
  packet.u8(Cname);
  packet.u8(static_cast<uint8_t>(cname.size()));
  packet.bytes(as_bytes(cname));
  packet.zeros(4 - packet.size() % 4);
  return finish(packet);
}

bool CompoundWriter::bye(std::span<const uint32_t> ssrcs) {
  if (ssrcs.size() > MaxCount) return false;
  ByteWriter packet = begin(static_cast<uint8_t>(ssrcs.size()), 203);
  for (const uint32_t ssrc : ssrcs) packet.be32(ssrc);
  return finish(packet);
}

bool CompoundWriter::pli(uint32_t sender, uint32_t media) {
  ByteWriter packet = begin(1, 206);
  packet.be32(sender);
  packet.be32(media);
  return finish(packet);
}

bool CompoundWriter::fir(uint32_t sender, uint32_t media, uint8_t command_sequence) {
  ByteWriter packet = begin(4, 206);
  packet.be32(sender);
  packet.be32(0);
  packet.be32(media);
  packet.u8(command_sequence);
  packet.zeros(3);
  return finish(packet);
}

bool CompoundWriter::nack(uint32_t sender, uint32_t media, std::span<const uint16_t> sequences) {
  if (sequences.empty()) return false;
  ByteWriter packet = begin(1, 205);
  packet.be32(sender);
  packet.be32(media);
  for (size_t i = 0; i < sequences.size() && packet.ok();) {
    const uint16_t first = sequences[i++];
    uint16_t mask = 0;
    for (; i < sequences.size(); ++i) {
      const auto behind = static_cast<uint16_t>(sequences[i] - first - 1);
      if (behind >= 16) break;
      mask = static_cast<uint16_t>(mask | (1u << behind));
    }
    packet.be16(first);
    packet.be16(mask);
  }
  return finish(packet);
}

// The header's length is zero until finish() knows it.
ByteWriter CompoundWriter::begin(uint8_t count, uint8_t type) {
  ByteWriter packet(out_.subspan(size_));
  packet.u8(static_cast<uint8_t>(0x80 | count));
  packet.u8(type);
  packet.be16(0);
  return packet;
}

bool CompoundWriter::finish(const ByteWriter& packet) {
  const size_t words = packet.size() / 4;
  if (!packet.ok() || words > 0x10000) return false;
  store_be16(&out_[size_ + 2], static_cast<uint16_t>(words - 1));
  size_ += packet.size();
  return true;
}

}  // namespace viaduct::rtcp
