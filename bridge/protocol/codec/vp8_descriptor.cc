#include "protocol/codec/vp8_descriptor.h"

namespace viaduct::codec {
namespace {

bool has_layer_byte(const Vp8Descriptor& d) { return d.temporal_id || d.key_idx; }
bool is_extended(const Vp8Descriptor& d) { return d.picture_id || d.tl0_pic_idx || has_layer_byte(d); }

}  // namespace

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
