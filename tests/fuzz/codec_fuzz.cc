// Hostile payload descriptors (test S17): the first byte chooses the codec, the rest is the payload.

#include <array>
#include <optional>
#include <vector>

#include "base/check.h"
#include "protocol/codec/frame_start.h"
#include "protocol/codec/payload_info.h"
#include "protocol/codec/vp8.h"

using namespace viaduct;

namespace {

// The descriptor the bridge would put in place of this one says the same.
void rewrite_vp8(Bytes payload) {
  const auto parsed = codec::parse_vp8(payload);
  if (!parsed) return;
  CHECK(parsed->descriptor_bytes < payload.size());
  std::array<uint8_t, 7> out{};
  const size_t size = codec::write_vp8_descriptor(out, *parsed);
  CHECK(size > 0 && size == codec::vp8_descriptor_bytes(*parsed));
  const auto again = codec::parse_vp8(Bytes(out).first(size + 1));
  CHECK(again && again->descriptor_bytes == size);
  CHECK(again->picture_id == parsed->picture_id && again->tl0_pic_idx == parsed->tl0_pic_idx);
  CHECK(again->temporal_id == parsed->temporal_id && again->key_idx == parsed->key_idx);
  CHECK(again->starts_frame() == parsed->starts_frame());
}

// Other numbers in the front's place are read back, and nothing else has changed.
void rewrite_front(codec::CodecType type, Bytes payload) {
  const codec::PayloadInfo info = codec::parse_payload(type, payload, false);
  CHECK(info.frame.layer.spatial < rtp::SpatialLayers && info.frame.layer.temporal < rtp::TemporalLayers);
  CHECK(!info.frame.key_frame || info.frame.starts_frame);
  if (!info.front) return;
  CHECK(info.front->size < payload.size());
  std::vector<uint8_t> copy(payload.begin(), payload.end());
  codec::PictureNumbers numbers{0x2a5a, std::nullopt};
  if (info.front->numbers.tl0_picture_index) numbers.tl0_picture_index = uint8_t{0xa5};
  CHECK(codec::write_payload_front(copy, *info.front, numbers) == info.front->size);
  const codec::PayloadInfo again = codec::parse_payload(type, copy, false);
  CHECK(again.front && again.front->numbers == numbers && again.frame == info.frame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes payload{data + 1, size - 1};
  const auto type = static_cast<codec::CodecType>(data[0] % codec::CodecTypes);
  const auto hint = codec::hint_of(type, payload);
  CHECK(!hint.key_frame || hint.starts_frame);
  rewrite_front(type, payload);
  rewrite_vp8(payload);
  return 0;
}
