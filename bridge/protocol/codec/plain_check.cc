#include "protocol/codec/plain_check.h"

#include <algorithm>

#include "protocol/codec/vp8.h"
#include "protocol/codec/vp9.h"

namespace viaduct::codec {
namespace {

// The 10 and 3 bytes that frame encryption outside SFrame leaves in clear of key frames and others.
constexpr size_t ClearOfKeyFrame = 10;
constexpr size_t ClearOfDeltaFrame = 3;

bool take_probe(PlainCheck& check, Bytes frame, size_t at) {
  if (frame.size() < at + check.probe.size()) return false;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), check.probe.size(), check.probe.begin());
  return true;
}

// RFC 6386 section 9.1: | size of the first partition (19) | show (1) | version (3) | not a key frame (1) |, least
// significant byte first; a key frame goes on with a start code.
std::optional<PlainCheck> check_vp8(Bytes payload) {
  const auto descriptor = parse_vp8(payload);
  if (!descriptor || !descriptor->starts_frame()) return std::nullopt;
  const Bytes frame = payload.subspan(descriptor->descriptor_bytes);
  if (frame.size() < ClearOfDeltaFrame) return std::nullopt;
  const uint32_t tag = frame[0] | static_cast<uint32_t>(frame[1]) << 8 | static_cast<uint32_t>(frame[2]) << 16;
  const bool key = (tag & 1) == 0;
  const bool shown = (tag & 0x10) != 0;
  const uint32_t first_partition = tag >> 5;
  const size_t clear = key ? ClearOfKeyFrame : ClearOfDeltaFrame;

  PlainCheck check{.frame_bytes = first_partition + static_cast<uint32_t>(clear), .opaque = frame.subspan(1)};
  if (!take_probe(check, frame, clear)) return std::nullopt;
  const bool start_code = frame[3] == 0x9d && frame[4] == 0x01 && frame[5] == 0x2a;
  check.fits = shown && ((tag >> 1) & 7) <= 3 && first_partition > 0 && (!key || start_code);
  return check;
}

// VP9 bitstream specification section 6.2: | 2 (2) | profile (2) | show existing | not a key frame | show | error
// resilient |, in key frames a sync code.
std::optional<PlainCheck> check_vp9(Bytes payload) {
  const auto descriptor = parse_vp9(payload);
  if (!descriptor || !descriptor->start_of_frame) return std::nullopt;
  const Bytes frame = payload.subspan(descriptor->descriptor_bytes);
  const bool key = (frame[0] & 0x04) == 0;
  PlainCheck check{.opaque = frame};
  if (!take_probe(check, frame, key ? ClearOfKeyFrame : ClearOfDeltaFrame)) return std::nullopt;
  const bool sync_code = frame[1] == 0x49 && frame[2] == 0x83 && frame[3] == 0x42;
  check.fits = (frame[0] & 0xf8) == 0x80 && (!key || sync_code);
  return check;
}

size_t read_leb128(ByteReader& reader) {
  size_t value = 0;
  for (unsigned shift = 0; shift < 56; shift += 7) {
    const uint8_t byte = reader.u8();
    value |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

// AV1 bitstream specification sections 5.3 to 5.9: | 0 | type (4) | extension | has size | 0 |, then of a sequence
// header | profile (3) | still | reduced | ..., of a frame | show existing | frame type (2) | show | ...
std::optional<PlainCheck> check_av1(Bytes payload) {
  constexpr uint8_t SequenceHeader = 1, FrameHeader = 3, Frame = 6;
  constexpr size_t VaryingFront = 2;
  ByteReader reader(payload);
  const uint8_t aggregation = reader.u8();
  if ((aggregation & 0x80) != 0) return std::nullopt;
  if (((aggregation >> 4) & 3) != 1) {  // only a lone element goes without its length
    const size_t length = read_leb128(reader);
    reader = ByteReader(reader.rest().first(std::min(length, reader.remaining())));
  }
  const uint8_t header = reader.u8();
  const uint8_t type = (header >> 3) & 15;
  PlainCheck check{.opaque = reader.rest()};
  if ((header & 0x04) != 0) reader.skip(1);
  if ((header & 0x02) != 0) read_leb128(reader);
  const Bytes obu = reader.rest();
  if (!reader.ok() || !take_probe(check, obu, VaryingFront)) return std::nullopt;
  const uint8_t front = obu[0] >> 4;
  const bool frame = (type == Frame || type == FrameHeader) && (front == 1 || front == 3);
  const bool sequence = type == SequenceHeader && (obu[0] & 0xf8) == 0;
  check.fits = (header & 0x81) == 0 && (frame || sequence);
  return check;
}

// Exp-Golomb codes (H.264 section 9.1) from the front of four bytes.
class GolombReader {
 public:
  explicit GolombReader(uint32_t bits) : bits_(bits) {}
  uint32_t next() {
    unsigned zeros = 0;
    while (zeros < 15 && (bits_ & 0x80000000u) == 0) {
      bits_ <<= 1;
      ++zeros;
    }
    const uint32_t value = (bits_ >> (31 - zeros)) - 1;
    bits_ <<= zeros + 1;
    return value;
  }

 private:
  uint32_t bits_;
};

// H.264 section 7.3.3: a slice begins with first_mb_in_slice, slice_type and the parameter set it uses.
bool fits_slice(Bytes unit) {
  GolombReader reader(load_be32(unit.data()));
  const uint32_t first_macroblock = reader.next(), slice_type = reader.next(), parameter_set = reader.next();
  const bool intra_or_predicted = slice_type == 0 || slice_type == 2 || slice_type == 5 || slice_type == 7;
  return first_macroblock == 0 && intra_or_predicted && parameter_set == 0;
}

// RFC 6184 section 5: a single NAL unit, the first of an aggregate, or the first fragment of one.
std::optional<PlainCheck> check_h264(Bytes payload) {
  constexpr uint8_t StapA = 24, FuA = 28, SequenceParameterSet = 7, Idr = 5, Slice = 1;
  ByteReader reader(payload);
  uint8_t header = reader.u8();
  if ((header & 0x1f) == StapA) {
    reader.skip(2);
    header = reader.u8();
  } else if ((header & 0x1f) == FuA) {
    header = reader.u8();
    if ((header & 0x80) == 0) return std::nullopt;
    header &= 0x1f;
  }
  const uint8_t type = header & 0x1f;
  PlainCheck check{.opaque = reader.rest()};
  if (!reader.ok() || !take_probe(check, reader.rest(), 0)) return std::nullopt;
  if (type == SequenceParameterSet) {
    constexpr uint8_t Profiles[] = {66, 77, 88, 100, 110, 122, 244};
    check.fits = std::ranges::find(Profiles, check.probe[0]) != std::end(Profiles);
  } else if (type == Slice || type == Idr) {
    check.fits = fits_slice(check.probe);
  } else {
    return std::nullopt;  // delimiters and enhancement information say little
  }
  check.fits = check.fits && (header & 0x80) == 0;
  return check;
}

// RFC 6716 section 3.1, in ticks of 48 kHz.
uint32_t opus_frame_duration(uint8_t configuration) {
  constexpr uint32_t Silk[] = {480, 960, 1920, 2880}, Hybrid[] = {480, 960}, Celt[] = {120, 240, 480, 960};
  if (configuration < 12) return Silk[configuration & 3];
  return configuration < 16 ? Hybrid[configuration & 1] : Celt[configuration & 3];
}

// Section 3.2: how many frames the packet holds; 0 when its length contradicts what it says.
uint32_t opus_frames(Bytes packet) {
  switch (packet[0] & 3) {
    case 0: return 1;
    case 1: return packet.size() % 2 == 1 ? 2 : 0;
    case 2: return packet[1] < 252 && packet[1] + size_t{2} <= packet.size() ? 2 : 0;
    default: return packet[1] & 63u;
  }
}

// | configuration (5) | stereo | code (2) |
std::optional<PlainCheck> check_opus(Bytes packet) {
  constexpr uint32_t LongestPacket = 5760;  // 120 ms
  PlainCheck check{.opaque = packet};
  if (!take_probe(check, packet, 1)) return std::nullopt;  // too short to carry sound
  check.shape = packet[0] >> 2;
  check.duration = opus_frame_duration(packet[0] >> 3) * opus_frames(packet);
  check.fits = check.duration > 0 && check.duration <= LongestPacket;
  return check;
}

}  // namespace

std::optional<PlainCheck> check_plain(CodecType codec, Bytes payload) {
  switch (codec) {
    case CodecType::Opus: return check_opus(payload);
    case CodecType::Vp8: return check_vp8(payload);
    case CodecType::Vp9: return check_vp9(payload);
    case CodecType::H264: return check_h264(payload);
    case CodecType::Av1: return check_av1(payload);
  }
  return std::nullopt;
}

}  // namespace viaduct::codec
