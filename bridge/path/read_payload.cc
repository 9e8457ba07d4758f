#include "path/read_payload.h"

#include "protocol/codec/frame_start.h"
#include "protocol/codec/vp8.h"
#include "protocol/codec/vp9.h"

namespace viaduct::path {
namespace {

// Where the frame ends the marker says, and a VP9 descriptor, too.
void place(RxPacket& p, rtp::FrameInfo frame) {
  frame.ends_frame = frame.ends_frame || p.header.marker;
  p.frame = frame;
}

}  // namespace

void ReadPayload::run(const PacketList& in_clear) {
  for (RxPacket* p : in_clear.all()) {
    Endpoint* sender = directory_.find(p->from);
    if (!sender) continue;
    conference::Encoding& stream = sender->sources[p->source].encodings[p->encoding];
    read(*p, stream);
    if (p->frame.key_frame) stream.key_frame.on_key_frame();
  }
}

// A dependency descriptor has said more than the payload could, but for the numbers of the picture.
void ReadPayload::read(RxPacket& p, conference::Encoding& stream) {
  const Bytes payload = p.body().bytes_;
  const bool is_described = p.frame.number.has_value();
  if (p.codec == codec::CodecType::Vp8) {
    const auto vp8 = codec::parse_vp8(payload);
    if (!vp8) return;
    p.front = codec::front_of(*vp8, payload);
    if (!is_described) place(p, codec::frame_info(*vp8));
    if (vp8->key_frame && vp8->height != 0) stream.sizes.front() = {vp8->width, vp8->height};
  } else if (p.codec == codec::CodecType::Vp9) {
    const auto vp9 = codec::parse_vp9(payload);
    if (!vp9) return;
    p.front = codec::front_of(*vp9, payload);
    if (!is_described) place(p, codec::frame_info(*vp9));
    if (vp9->sizes.front().height != 0) stream.sizes = vp9->sizes;
  } else if (!is_described) {
    const codec::FrameHint hint = codec::hint_of(p.codec, payload);
    p.frame.starts_frame = hint.starts_frame;
    p.frame.key_frame = hint.key_frame;
  }
}

}  // namespace viaduct::path
