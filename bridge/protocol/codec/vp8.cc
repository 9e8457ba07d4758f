#include "protocol/codec/vp8.h"

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

bool has_layer_byte(const Vp8Descriptor& d) { return d.temporal_id || d.key_idx; }
bool is_extended(const Vp8Descriptor& d) { return d.picture_id || d.tl0_pic_idx || has_layer_byte(d); }

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

size_t vp8_descriptor_bytes(const Vp8Descriptor& descriptor) {
  if (!is_extended(descriptor)) return 1;
  const size_t picture_id = descriptor.picture_id ? 2 : 0;
  const size_t tl0_pic_idx = descriptor.tl0_pic_idx ? 1 : 0;
  const size_t layer = has_layer_byte(descriptor) ? 1 : 0;
  return 2 + picture_id + tl0_pic_idx + layer;
}

size_t write_vp8_descriptor(MutableBytes out, const Vp8Descriptor& descriptor) {
  if (out.size() < vp8_descriptor_bytes(descriptor)) return 0;
  const auto flag = [](bool set, uint8_t bit) { return set ? bit : uint8_t{0}; };
  ByteWriter writer(out);
  writer.u8(static_cast<uint8_t>(flag(is_extended(descriptor), 0x80) | flag(descriptor.non_reference, 0x20) |
                                 flag(descriptor.start_of_partition, 0x10) | (descriptor.partition_id & 0x07)));
  if (!is_extended(descriptor)) return writer.size();
  writer.u8(static_cast<uint8_t>(flag(descriptor.picture_id.has_value(), 0x80) |
                                 flag(descriptor.tl0_pic_idx.has_value(), 0x40) |
                                 flag(descriptor.temporal_id.has_value(), 0x20) |
                                 flag(descriptor.key_idx.has_value(), 0x10)));
  if (descriptor.picture_id) writer.be16(static_cast<uint16_t>(0x8000 | *descriptor.picture_id));
  if (descriptor.tl0_pic_idx) writer.u8(*descriptor.tl0_pic_idx);
  if (has_layer_byte(descriptor)) {
    const bool sync = descriptor.temporal_id && descriptor.layer_sync;
    writer.u8(static_cast<uint8_t>(descriptor.temporal_id.value_or(0) << 6 | flag(sync, 0x20) |
                                   (descriptor.key_idx.value_or(0) & 0x1f)));
  }
  return writer.size();
}

}  // namespace viaduct::codec
