#include "protocol/codec/vp9.h"

#include <algorithm>

namespace viaduct::codec {
namespace {

// The references of flexible mode (RFC 9628 section 4.2.2): up to three of | P_DIFF (7) | another follows (1) |.
void skip_reference_differences(ByteReader& reader) {
  for (int i = 0; i < 3; ++i) {
    if ((reader.u8() & 0x01) == 0) return;
  }
}

// The scalability structure (section 4.2.1): | N_S (3) | Y | G | - - - |, sizes of N_S + 1 layers, then the picture
// group.
void read_scalability_structure(ByteReader& reader, Vp9Descriptor& descriptor) {
  const uint8_t flags = reader.u8();
  const size_t layers = (flags >> 5) + size_t{1};
  for (size_t i = 0; i < layers && (flags & 0x10) != 0; ++i) {
    const rtp::PictureSize size{reader.be16(), reader.be16()};
    if (i < descriptor.sizes.size()) descriptor.sizes[i] = size;
  }
  if ((flags & 0x08) == 0) return;
  const int pictures = reader.u8();
  for (int i = 0; i < pictures && reader.ok(); ++i) {
    const int references = (reader.u8() >> 2) & 0x03;  // | TID (3) | U | R (2) | - - |
    reader.skip(static_cast<size_t>(references));
  }
}

}  // namespace

std::optional<Vp9Descriptor> parse_vp9(Bytes payload) {
  ByteReader reader(payload);
  Vp9Descriptor descriptor;
  const uint8_t first = reader.u8();
  const bool has_picture_id = (first & 0x80) != 0;
  const bool has_layers = (first & 0x20) != 0;
  descriptor.inter_picture = (first & 0x40) != 0;
  descriptor.flexible_mode = (first & 0x10) != 0;
  descriptor.start_of_frame = (first & 0x08) != 0;
  descriptor.end_of_frame = (first & 0x04) != 0;
  descriptor.scalability_structure = (first & 0x02) != 0;
  descriptor.nothing_above = (first & 0x01) != 0;

  if (has_picture_id) {
    const uint8_t id = reader.u8();
    descriptor.picture_id_15_bit = (id & 0x80) != 0;
    descriptor.picture_id = descriptor.picture_id_15_bit ? static_cast<uint16_t>((id & 0x7f) << 8 | reader.u8()) : id;
  }
  if (has_layers) {
    const uint8_t layers = reader.u8();
    descriptor.temporal_id = static_cast<uint8_t>(layers >> 5);
    descriptor.switching_up = (layers & 0x10) != 0;
    descriptor.spatial_id = (layers >> 1) & 0x07;
    descriptor.inter_layer = (layers & 0x01) != 0;
    if (!descriptor.flexible_mode) descriptor.tl0_pic_idx = reader.u8();
  }
  if (descriptor.flexible_mode && descriptor.inter_picture) skip_reference_differences(reader);
  if (descriptor.scalability_structure) read_scalability_structure(reader, descriptor);
  if (!reader.ok() || reader.remaining() == 0) return std::nullopt;
  descriptor.descriptor_bytes = payload.size() - reader.remaining();
  return descriptor;
}

rtp::FrameInfo frame_info(const Vp9Descriptor& descriptor) {
  using rtp::Indication, rtp::Prediction;
  rtp::FrameInfo frame{.starts_frame = descriptor.start_of_frame,
                       .ends_frame = descriptor.end_of_frame,
                       .key_frame = descriptor.key_frame(),
                       .indications = 0};
  frame.layer.spatial = std::min<uint8_t>(descriptor.spatial_id, rtp::SpatialLayers - 1);
  frame.layer.temporal = std::min<uint8_t>(descriptor.temporal_id.value_or(0), rtp::TemporalLayers - 1);
  const bool layered = descriptor.temporal_id.has_value();
  if (layered) frame.layers = 0xffff;
  if (!descriptor.inter_picture)
    frame.prediction = descriptor.inter_layer ? Prediction::LayerBelow : Prediction::Nothing;

  const auto [s, t] = frame.layer;
  const bool begins_spatial = !descriptor.inter_picture && t == 0;
  for (uint8_t spatial = s; spatial < rtp::SpatialLayers; ++spatial) {
    if (spatial > s && layered && descriptor.nothing_above) break;
    for (uint8_t temporal = t; temporal < rtp::TemporalLayers; ++temporal) {
      // U speaks of pictures of higher temporal layers, and so for those who have this spatial layer already.
      const bool begins = spatial == s && (begins_spatial || (descriptor.switching_up && temporal > t));
      frame.indicate({spatial, temporal}, begins || frame.key_frame ? Indication::Switch : Indication::Required);
    }
  }
  return frame;
}

std::optional<PayloadFront> front_of(const Vp9Descriptor& descriptor, Bytes payload) {
  if (!descriptor.picture_id || !descriptor.picture_id_15_bit) return std::nullopt;
  PayloadFront front{.size = 3, .picture_id_at = 1, .numbers = {*descriptor.picture_id, descriptor.tl0_pic_idx}};
  if (descriptor.tl0_pic_idx) {  // behind the byte of the layers
    front.tl0_at = 4;
    front.size = 5;
  }
  std::copy_n(payload.begin(), front.size, front.bytes.begin());
  return front;
}

}  // namespace viaduct::codec
