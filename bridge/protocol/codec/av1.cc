#include "protocol/codec/av1.h"

namespace viaduct::codec {
namespace {

// OBU types (AV1 bitstream specification section 6.2.2).
constexpr uint8_t SequenceHeader = 1;
constexpr uint8_t TemporalDelimiter = 2;
constexpr uint8_t FrameHeader = 3;
constexpr uint8_t Metadata = 5;
constexpr uint8_t Frame = 6;

constexpr bool can_begin_frame(uint8_t type) {
  return type == SequenceHeader || type == TemporalDelimiter || type == FrameHeader || type == Metadata ||
         type == Frame;
}

// An element's length as leb128 (section 4.10.5): seven bits a byte, least significant first.
size_t read_leb128(ByteReader& reader) {
  size_t value = 0;
  for (unsigned shift = 0; shift < 56; shift += 7) {
    const uint8_t byte = reader.u8();
    value |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

}  // namespace

std::optional<FrameHint> parse_av1(Bytes payload) {
  ByteReader reader(payload);
  const uint8_t aggregation = reader.u8();
  const bool continues = (aggregation & 0x80) != 0;
  const int elements = (aggregation >> 4) & 0x03;
  const bool new_sequence = (aggregation & 0x08) != 0;
  if (continues && new_sequence) return std::nullopt;

  // Only a lone element, W = 1, goes without its length.
  const Bytes element = elements == 1 ? reader.rest() : reader.bytes(read_leb128(reader));
  if (!reader.ok() || element.empty()) return std::nullopt;
  if (continues) return FrameHint{};
  const bool starts_frame = new_sequence || can_begin_frame((element[0] >> 3) & 0x0f);
  return FrameHint{.starts_frame = starts_frame, .key_frame = new_sequence};
}

}  // namespace viaduct::codec
