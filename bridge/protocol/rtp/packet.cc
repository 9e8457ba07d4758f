#include "protocol/rtp/packet.h"

#include <limits>

namespace viaduct::rtp {

std::optional<HeaderView> parse_header(Bytes packet) {
  if (packet.size() < FixedHeaderBytes || packet[0] >> 6 != 2) return std::nullopt;
  HeaderView header;
  header.padding = (packet[0] & 0x20) != 0;
  header.csrc_count = packet[0] & 0x0f;
  header.marker = (packet[1] & 0x80) != 0;
  header.payload_type = packet[1] & 0x7f;
  header.sequence = load_be16(&packet[2]);
  header.timestamp = load_be32(&packet[4]);
  header.ssrc = load_be32(&packet[8]);

  size_t end = FixedHeaderBytes + size_t{4} * header.csrc_count;
  const bool has_extension = (packet[0] & 0x10) != 0;
  if (has_extension) {
    if (packet.size() < end + 4) return std::nullopt;
    const size_t extension_bytes = size_t{4} * load_be16(&packet[end + 2]);
    header.extension_profile = load_be16(&packet[end]);
    header.extension_offset = static_cast<uint16_t>(end + 4);
    end += 4 + extension_bytes;
    if (end > std::numeric_limits<uint16_t>::max()) return std::nullopt;
    header.extension_bytes = static_cast<uint16_t>(extension_bytes);
  }
  if (packet.size() < end) return std::nullopt;
  header.header_bytes = static_cast<uint16_t>(end);
  return header;
}

ExtensionReader::ExtensionReader(Bytes packet, const HeaderView& header) {
  two_byte_ = (header.extension_profile & TwoByteProfileMask) == TwoByteProfile;
  if (two_byte_ || header.extension_profile == OneByteProfile) {
    rest_ = packet.subspan(header.extension_offset, header.extension_bytes);
  }
}

bool ExtensionReader::next(uint8_t& id, Bytes& data) {
  while (!rest_.empty() && rest_[0] == 0) rest_ = rest_.subspan(1);  // padding
  if (!rest_.empty() && (two_byte_ ? next_two_byte(id, data) : next_one_byte(id, data))) return true;
  rest_ = {};
  return false;
}

// RFC 8285 section 4.2: | ID (4) | length - 1 (4) | data ... Identifier 15, and 0 with a length, end the walk.
bool ExtensionReader::next_one_byte(uint8_t& id, Bytes& data) {
  id = rest_[0] >> 4;
  const size_t bytes = (rest_[0] & 0x0fu) + 1u;
  if (id == 0 || id == 15 || rest_.size() < 1 + bytes) return false;
  data = rest_.subspan(1, bytes);
  rest_ = rest_.subspan(1 + bytes);
  return true;
}

// RFC 8285 section 4.3: | ID (8) | length (8) | data ...
bool ExtensionReader::next_two_byte(uint8_t& id, Bytes& data) {
  if (rest_.size() < 2 || rest_.size() < size_t{2} + rest_[1]) return false;
  id = rest_[0];
  data = rest_.subspan(2, rest_[1]);
  rest_ = rest_.subspan(2 + data.size());
  return true;
}

Bytes find_extension(Bytes packet, const HeaderView& header, uint8_t id) {
  ExtensionReader reader(packet, header);
  uint8_t found = 0;
  for (Bytes data; reader.next(found, data);) {
    if (found == id) return data;
  }
  return {};
}

std::optional<size_t> payload_bytes_without_padding(Bytes packet, const HeaderView& header) {
  const size_t payload_bytes = packet.size() - header.header_bytes;
  if (!header.padding) return payload_bytes;
  if (payload_bytes == 0) return std::nullopt;
  const size_t padding_bytes = packet.back();
  if (padding_bytes == 0 || padding_bytes > payload_bytes) return std::nullopt;
  return payload_bytes - padding_bytes;
}

// One byte, |V| level (7)|. In the two-byte form a second byte may follow, which is padding (RFC 6464 section 3).
std::optional<AudioLevel> read_audio_level(Bytes element) {
  if (element.empty() || element.size() > 2) return std::nullopt;
  return AudioLevel{.level = static_cast<uint8_t>(element[0] & 0x7f), .voice = (element[0] & 0x80) != 0};
}

std::optional<uint16_t> read_transport_sequence(Bytes element) {
  if (element.size() != 2) return std::nullopt;
  return load_be16(element.data());
}

std::string_view read_mid(Bytes element) { return as_text(element); }

}  // namespace viaduct::rtp
