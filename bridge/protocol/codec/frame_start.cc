#include "protocol/codec/frame_start.h"

#include <optional>

#include "protocol/codec/av1.h"
#include "protocol/codec/h264.h"
#include "protocol/codec/vp8.h"
#include "protocol/codec/vp9.h"

namespace viaduct::codec {

FrameHint hint_of(CodecType codec, Bytes payload) {
  switch (codec) {
    case CodecType::Opus: return {.starts_frame = !payload.empty(), .key_frame = !payload.empty()};
    case CodecType::Vp8: {
      const auto vp8 = parse_vp8(payload);
      return vp8 ? FrameHint{.starts_frame = vp8->starts_frame(), .key_frame = vp8->key_frame} : FrameHint{};
    }
    case CodecType::Vp9: {
      const auto vp9 = parse_vp9(payload);
      return vp9 ? FrameHint{.starts_frame = vp9->starts_picture(), .key_frame = vp9->key_frame()} : FrameHint{};
    }
    case CodecType::H264: return parse_h264(payload).value_or(FrameHint{});
    case CodecType::Av1: return parse_av1(payload).value_or(FrameHint{});
  }
  return {};
}

}  // namespace viaduct::codec
