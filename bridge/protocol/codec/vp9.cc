#include "protocol/codec/vp9.h"

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
void skip_scalability_structure(ByteReader& reader) {
  const uint8_t flags = reader.u8();
  const size_t layers = (flags >> 5) + size_t{1};
  if (flags & 0x10) reader.skip(4 * layers);
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

  if (has_picture_id) {
    const uint8_t id = reader.u8();
    descriptor.picture_id = (id & 0x80) != 0 ? static_cast<uint16_t>((id & 0x7f) << 8 | reader.u8()) : id;
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
  if (descriptor.scalability_structure) skip_scalability_structure(reader);
  if (!reader.ok() || reader.remaining() == 0) return std::nullopt;
  descriptor.descriptor_bytes = payload.size() - reader.remaining();
  return descriptor;
}

}  // namespace viaduct::codec
