#include "protocol/rtcp/parse.h"

#include <limits>

namespace viaduct::rtcp {
namespace {

constexpr uint32_t RembIdentifier = 0x52454d42;  // "REMB"
constexpr size_t FeedbackHeaderBytes = 8;        // sender and media SSRC (RFC 4585 section 6.1)

Kind payload_feedback_kind(uint8_t format, Bytes body) {
  switch (format) {
    case 1: return Kind::Pli;
    case 4: return Kind::Fir;
    case 15: {  // application layer feedback: the identifier says whose
      const bool remb = body.size() >= 12 && load_be32(&body[8]) == RembIdentifier;
      return remb ? Kind::Remb : Kind::Unknown;
    }
    default: return Kind::Unknown;
  }
}

Kind transport_feedback_kind(uint8_t format) {
  switch (format) {
    case 1: return Kind::Nack;
    case 11: return Kind::CongestionFeedback;
    case 15: return Kind::TransportFeedback;
    default: return Kind::Unknown;
  }
}

Kind kind_of(uint8_t type, uint8_t count, Bytes body) {
  switch (type) {
    case 200: return Kind::SenderReport;
    case 201: return Kind::ReceiverReport;
    case 202: return Kind::Sdes;
    case 203: return Kind::Bye;
    case 205: return transport_feedback_kind(count);
    case 206: return payload_feedback_kind(count, body);
    default: return Kind::Unknown;
  }
}

std::optional<ReportBlocks> read_blocks(const Packet& packet, size_t offset) {
  const size_t bytes = packet.count * ReportBlockBytes;
  if (packet.body.size() < offset + bytes) return std::nullopt;
  return ReportBlocks(packet.body.subspan(offset, bytes));
}

}  // namespace

// RFC 3550 section 6.4.1: |V=2|P| count (5) | PT (8) | length in words, less one (16) | body ... | padding
// Padding of any length is taken, in any packet: feedback writers in the field do not keep to RFC 3550 here.
bool CompoundReader::next(Packet& packet) {
  if (rest_.size() < 4 || rest_[0] >> 6 != 2 || !is_rtcp(rest_)) return false;
  const size_t bytes = 4 * (size_t{1} + load_be16(&rest_[2]));
  if (bytes > rest_.size()) return false;
  Bytes body = rest_.subspan(4, bytes - 4);
  const bool padded = (rest_[0] & 0x20) != 0;
  if (padded) {
    if (body.empty() || body.back() == 0 || body.back() > body.size()) return false;
    body = body.first(body.size() - body.back());
  }
  packet.type = rest_[1];
  packet.count = rest_[0] & 0x1f;
  packet.body = body;
  packet.kind = kind_of(packet.type, packet.count, body);
  rest_ = rest_.subspan(bytes);
  return true;
}

bool is_well_formed(Bytes compound) {
  CompoundReader reader(compound);
  for (Packet packet; reader.next(packet);) {
    if (reader.at_end()) return true;
  }
  return false;
}

ReportBlock ReportBlocks::operator[](size_t i) const {
  const uint8_t* at = bytes_.data() + i * ReportBlockBytes;
  const uint32_t lost = load_be24(at + 5);
  return {
      .ssrc = load_be32(at),
      .fraction_lost = at[4],
      .cumulative_lost = static_cast<int32_t>(lost << 8) >> 8,  // a signed 24-bit number
      .extended_highest_sequence = load_be32(at + 8),
      .jitter = load_be32(at + 12),
      .last_sender_report = load_be32(at + 16),
      .delay_since_last_sender_report = load_be32(at + 20),
  };
}

std::optional<SenderReport> parse_sender_report(const Packet& packet) {
  constexpr size_t SenderInfoBytes = 24;
  if (packet.kind != Kind::SenderReport) return std::nullopt;
  const std::optional<ReportBlocks> blocks = read_blocks(packet, SenderInfoBytes);
  if (!blocks) return std::nullopt;
  ByteReader reader(packet.body);
  return SenderReport{
      .ssrc = reader.be32(),
      .ntp = {reader.be64()},
      .rtp_timestamp = reader.be32(),
      .packets = reader.be32(),
      .octets = reader.be32(),
      .blocks = *blocks,
  };
}

std::optional<ReceiverReport> parse_receiver_report(const Packet& packet) {
  if (packet.kind != Kind::ReceiverReport) return std::nullopt;
  const std::optional<ReportBlocks> blocks = read_blocks(packet, 4);
  if (!blocks) return std::nullopt;
  return ReceiverReport{.ssrc = load_be32(packet.body.data()), .blocks = *blocks};
}

// RFC 3550 section 6.6; the reason that may follow the SSRCs is not read.
std::optional<Bye> parse_bye(const Packet& packet) {
  const size_t bytes = size_t{4} * packet.count;
  if (packet.kind != Kind::Bye || packet.body.size() < bytes) return std::nullopt;
  return Bye{SsrcList(packet.body.first(bytes))};
}

std::optional<Nack> parse_nack(const Packet& packet) {
  const Bytes body = packet.body;
  if (packet.kind != Kind::Nack || body.size() < FeedbackHeaderBytes + 4 || body.size() % 4 != 0) return std::nullopt;
  return Nack{.sender = load_be32(&body[0]), .media = load_be32(&body[4]), .items = body.subspan(FeedbackHeaderBytes)};
}

std::optional<Pli> parse_pli(const Packet& packet) {
  if (packet.kind != Kind::Pli || packet.body.size() < FeedbackHeaderBytes) return std::nullopt;
  return Pli{.sender = load_be32(&packet.body[0]), .media = load_be32(&packet.body[4])};
}

// The media SSRC of the header is unused; each entry has its own (RFC 5104 section 4.3.1.2).
std::optional<Fir> parse_fir(const Packet& packet) {
  const Bytes body = packet.body;
  if (packet.kind != Kind::Fir || body.size() < FeedbackHeaderBytes + 8 || body.size() % 8 != 0) return std::nullopt;
  return Fir{.sender = load_be32(&body[0]), .entries = body.subspan(FeedbackHeaderBytes)};
}

// | sender | media = 0 | 'REMB' | number of SSRCs (8) | exponent (6) | mantissa (18) | SSRCs ...
std::optional<Remb> parse_remb(const Packet& packet) {
  const Bytes body = packet.body;
  if (packet.kind != Kind::Remb || body.size() < 16) return std::nullopt;
  const size_t ssrc_bytes = size_t{4} * body[12];
  if (body.size() < 16 + ssrc_bytes) return std::nullopt;
  const int exponent = body[13] >> 2;
  const int64_t mantissa = load_be24(&body[13]) & 0x3ffff;
  constexpr int64_t Max = std::numeric_limits<int64_t>::max();
  const bool fits = mantissa <= Max >> exponent;
  return Remb{
      .sender = load_be32(&body[0]),
      .bitrate = {fits ? mantissa << exponent : Max},
      .ssrcs = SsrcList(body.subspan(16, ssrc_bytes)),
  };
}

// Each chunk is an SSRC and items of | type | length | text ..., ended by a zero byte and padded to a whole word.
bool is_valid_sdes(const Packet& packet) {
  if (packet.kind != Kind::Sdes) return false;
  ByteReader reader(packet.body);
  for (int chunk = 0; chunk < packet.count && reader.ok(); ++chunk) {
    reader.skip(4);
    while (reader.ok() && reader.u8() != 0) reader.skip(reader.u8());
    const size_t taken = packet.body.size() - reader.remaining();
    reader.skip((4 - taken % 4) % 4);
  }
  return reader.ok();
}

}  // namespace viaduct::rtcp
