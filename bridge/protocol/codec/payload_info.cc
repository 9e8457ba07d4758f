#include "protocol/codec/payload_info.h"

#include "protocol/codec/frame_start.h"
#include "protocol/codec/vp8.h"
#include "protocol/codec/vp9.h"

namespace viaduct::codec {
namespace {

PayloadInfo of_vp8(Bytes payload) {
  const auto vp8 = parse_vp8(payload);
  if (!vp8) return {};
  PayloadInfo info{.frame = frame_info(*vp8), .front = front_of(*vp8, payload)};
  info.sizes[0] = {vp8->width, vp8->height};
  return info;
}

PayloadInfo of_vp9(Bytes payload) {
  const auto vp9 = parse_vp9(payload);
  if (!vp9) return {};
  return {.frame = frame_info(*vp9), .front = front_of(*vp9, payload), .sizes = vp9->sizes};
}

PayloadInfo of_one_layer(FrameHint hint) {
  PayloadInfo info;
  info.frame.starts_frame = hint.starts_frame;
  info.frame.key_frame = hint.key_frame;
  if (hint.key_frame) info.frame.prediction = rtp::Prediction::Nothing;
  return info;
}

}  // namespace

PayloadInfo parse_payload(CodecType codec, Bytes payload, bool marker) {
  if (codec == CodecType::Vp9) return of_vp9(payload);
  PayloadInfo info = codec == CodecType::Vp8 ? of_vp8(payload) : of_one_layer(hint_of(codec, payload));
  info.frame.ends_frame = marker;
  return info;
}

}  // namespace viaduct::codec
