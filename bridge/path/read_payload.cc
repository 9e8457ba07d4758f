#include "path/read_payload.h"

#include "protocol/codec/frame_start.h"
#include "protocol/codec/vp8.h"

namespace viaduct::path {

void ReadPayload::run(const PacketList& in_clear) {
  for (RxPacket* p : in_clear.all()) {
    const Bytes payload = p->body().bytes_;
    if (p->codec == codec::CodecType::Vp8) p->vp8 = codec::parse_vp8(payload);
    if (p->frame_number) continue;  // its descriptor has said it all
    p->key_frame = codec::hint_of(p->codec, payload).key_frame;
    if (!p->key_frame) continue;
    if (Endpoint* sender = directory_.find(p->from))
      sender->sources[p->source].encodings[p->encoding].key_frame.on_key_frame();
  }
}

}  // namespace viaduct::path
