// Hostile payload descriptors (test S17): the first byte chooses the codec, the rest is the payload.

#include <array>

#include "base/check.h"
#include "protocol/codec/frame_start.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes payload{data + 1, size - 1};
  const auto hint = codec::hint_of(static_cast<codec::CodecType>(data[0] % codec::CodecTypes), payload);
  CHECK(!hint.key_frame || hint.starts_frame);
  rewrite_vp8(payload);
  return 0;
}
