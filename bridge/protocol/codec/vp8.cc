#include "protocol/codec/vp8.h"

#include <algorithm>

namespace viaduct::codec {
namespace {

// RFC 7741 section 4.3 and RFC 6386 section 9.1: a frame tag of three bytes whose lowest bit is clear in key frames;
// those go on with a start code, then width and height of 14 bits each, least significant byte first.
void read_frame_header(Bytes frame, Vp8Descriptor& descriptor) {
  descriptor.key_frame = (frame[0] & 0x01) == 0;
  if (!descriptor.key_frame || frame.size() < 10) return;
  if (frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a) return;
  descriptor.width = static_cast<uint16_t>((frame[6] | frame[7] << 8) & 0x3fff);
  descriptor.height = static_cast<uint16_t>((frame[8] | frame[9] << 8) & 0x3fff);
}

}  // namespace

std::optional<Vp8Descriptor> parse_vp8(Bytes payload) {
  ByteReader reader(payload);
  Vp8Descriptor descriptor;
  const uint8_t first = reader.u8();
  descriptor.non_reference = (first & 0x20) != 0;
  descriptor.start_of_partition = (first & 0x10) != 0;
  descriptor.partition_id = first & 0x07;

  const uint8_t extension = (first & 0x80) != 0 ? reader.u8() : 0;
  const bool has_temporal_id = (extension & 0x20) != 0;
  const bool has_key_idx = (extension & 0x10) != 0;
  if (extension & 0x80) {
    const uint8_t id = reader.u8();
    descriptor.picture_id_15_bit = (id & 0x80) != 0;
    descriptor.picture_id = descriptor.picture_id_15_bit ? static_cast<uint16_t>((id & 0x7f) << 8 | reader.u8()) : id;
  }
  if (extension & 0x40) descriptor.tl0_pic_idx = reader.u8();
  if (has_temporal_id || has_key_idx) {
    const uint8_t layer = reader.u8();
    if (has_temporal_id) {
      descriptor.temporal_id = static_cast<uint8_t>(layer >> 6);
      descriptor.layer_sync = (layer & 0x20) != 0;
    }
    if (has_key_idx) descriptor.key_idx = layer & 0x1f;
  }
  if (!reader.ok() || reader.remaining() == 0) return std::nullopt;
  descriptor.descriptor_bytes = payload.size() - reader.remaining();
  if (descriptor.starts_frame()) read_frame_header(reader.rest(), descriptor);
  return descriptor;
}

// Frames of the lowest temporal layer are predicted from each other, and so are those that bear Y, by definition.
rtp::FrameInfo frame_info(const Vp8Descriptor& descriptor) {
  using rtp::Indication, rtp::Prediction;
  rtp::FrameInfo frame{.starts_frame = descriptor.starts_frame(), .key_frame = descriptor.key_frame};
  const uint8_t own = descriptor.temporal_id.value_or(0);
  const bool on_lowest = descriptor.temporal_id && (own == 0 || descriptor.layer_sync);
  frame.layer.temporal = own;
  frame.prediction = descriptor.key_frame ? Prediction::Nothing
                     : on_lowest          ? Prediction::LowestFrames
                                          : Prediction::Unknown;
  if (descriptor.temporal_id) frame.layers = (1u << rtp::TemporalLayers) - 1;
  for (uint8_t t = 0; t < rtp::TemporalLayers; ++t) {
    const bool begins_layer = descriptor.key_frame || (t == own && descriptor.layer_sync);
    const Indication part = begins_layer               ? Indication::Switch
                            : descriptor.non_reference ? Indication::Discardable
                                                       : Indication::Required;
    frame.indicate({0, t}, t < own ? Indication::NotPresent : part);
  }
  return frame;
}

std::optional<PayloadFront> front_of(const Vp8Descriptor& descriptor, Bytes payload) {
  if (!descriptor.picture_id || !descriptor.picture_id_15_bit) return std::nullopt;
  PayloadFront front{.size = 4, .picture_id_at = 2, .numbers = {*descriptor.picture_id, descriptor.tl0_pic_idx}};
  if (descriptor.tl0_pic_idx) front.tl0_at = front.size++;
  std::copy_n(payload.begin(), front.size, front.bytes.begin());
  return front;
}

}  // namespace viaduct::codec
