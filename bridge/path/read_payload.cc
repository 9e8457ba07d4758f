#include "path/read_payload.h"

#include "protocol/codec/payload_info.h"
#include "protocol/rtp/red.h"

namespace viaduct::path {

// Of RED it is where the primary block begins.
// A dependency descriptor has said more than the payload could, but for the numbers of the picture.
void ReadPayload::run(const PacketList& in_clear) {
  for (RxPacket* p : in_clear.all()) {
    if (p->red_block_type) {
      const Bytes payload = p->body().bytes_;
      const auto red = rtp::parse_red(payload, *p->red_block_type);
      if (red) p->red_front = static_cast<uint16_t>(payload.size() - red->primary.size());
      continue;
    }
    Endpoint* sender = directory_.find(p->from);
    if (!sender) continue;
    conference::Encoding& stream = sender->sources[p->source].encodings[p->encoding];
    const codec::PayloadInfo info = codec::parse_payload(p->codec, p->body().bytes_, p->header.marker);
    p->front = info.front;
    if (info.sizes.front().height != 0) stream.sizes = info.sizes;
    if (p->frame.number) continue;
    p->frame = info.frame;
    if (p->frame.key_frame) stream.key_frame.on_key_frame();
  }
}

}  // namespace viaduct::path
