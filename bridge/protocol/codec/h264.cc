#include "protocol/codec/h264.h"

namespace viaduct::codec {
namespace {

// NAL unit types (ITU-T H.264 table 7-1, RFC 6184 table 1).
constexpr uint8_t NonIdrSlice = 1;
constexpr uint8_t DataPartitionA = 2;
constexpr uint8_t IdrSlice = 5;
constexpr uint8_t EnhancementInformation = 6;
constexpr uint8_t SequenceParameterSet = 7;
constexpr uint8_t PictureParameterSet = 8;
constexpr uint8_t AccessUnitDelimiter = 9;
constexpr uint8_t LastSingleUnit = 23;
constexpr uint8_t StapA = 24;
constexpr uint8_t FuA = 28;

constexpr uint8_t type_of(uint8_t header) { return header & 0x1f; }

// A slice begins with first_mb_in_slice as an Exp-Golomb code (H.264 sections 7.3.3 and 9.1): a leading 1 is the number
// 0.
bool is_first_slice(Bytes slice) { return !slice.empty() && (slice[0] & 0x80) != 0; }

// `unit` is what follows the NAL unit's header.
FrameHint hint_of_unit(uint8_t type, Bytes unit) {
  switch (type) {
    case SequenceParameterSet: return {.starts_frame = true, .key_frame = true};
    case IdrSlice: return {.starts_frame = is_first_slice(unit), .key_frame = is_first_slice(unit)};
    case NonIdrSlice:
    case DataPartitionA: return {.starts_frame = is_first_slice(unit)};
    case EnhancementInformation:
    case PictureParameterSet:
    case AccessUnitDelimiter: return {.starts_frame = true};
    default: return {};
  }
}

// RFC 6184 section 5.7.1: | header | size (16) | NAL unit ... | size (16) | NAL unit ...
std::optional<FrameHint> parse_aggregate(Bytes units) {
  ByteReader reader(units);
  FrameHint hint;
  while (reader.remaining() > 0) {
    const Bytes unit = reader.bytes(reader.be16());
    if (!reader.ok() || unit.empty()) return std::nullopt;
    const FrameHint of_unit = hint_of_unit(type_of(unit[0]), unit.subspan(1));
    hint.starts_frame |= of_unit.starts_frame;
    hint.key_frame |= of_unit.key_frame;
  }
  return hint;
}

// RFC 6184 section 5.8: | indicator | S E R type (5) | fragment ...
std::optional<FrameHint> parse_fragment(Bytes payload) {
  if (payload.size() < 3) return std::nullopt;
  const bool start = (payload[1] & 0x80) != 0;
  return start ? hint_of_unit(type_of(payload[1]), payload.subspan(2)) : FrameHint{};
}

}  // namespace

std::optional<FrameHint> parse_h264(Bytes payload) {
  if (payload.size() < 2) return std::nullopt;
  const uint8_t type = type_of(payload[0]);
  if (type == StapA) return parse_aggregate(payload.subspan(1));
  if (type == FuA) return parse_fragment(payload);
  if (type == 0 || type > LastSingleUnit) return std::nullopt;
  return hint_of_unit(type, payload.subspan(1));
}

}  // namespace viaduct::codec
