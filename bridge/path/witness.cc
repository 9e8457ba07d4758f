#include "path/witness.h"

#include <algorithm>

#include "protocol/codec/plain_check.h"
#include "protocol/rtp/red.h"
#include "protocol/sframe/header.h"

namespace viaduct::path {

void Witness::run(const RxBatch& rx, Timestamp now) {
  for (size_t i = 0; i < rx.size; ++i) {
    const RxPacket& p = rx.packets[i];
    if (p.drop != Drop::None || p.kind != PacketKind::Rtp || p.rtx) continue;
    Endpoint* sender = directory_.find(p.from);
    if (!sender || sender->is_relayed()) continue;
    if (sender->sources[p.source].encodings[p.encoding].bodies.looking(now)) look_at(p, *sender, now);
  }
}

// A frame begins where the timestamp changes from one packet to the next; how long it is shows with
// its last packet, which has the marker. A frame with a hole in it is passed over.
void Witness::look_at(const RxPacket& p, Endpoint& sender, Timestamp now) {
  conference::Source& source = sender.sources[p.source];
  conference::BodyEvidence& bodies = source.encodings[p.encoding].bodies;
  conference::BodyEvidence::Frame& frame = bodies.frame;
  const bool follows = p.sequence == frame.sequence + 1;
  const uint32_t step = p.header.timestamp - frame.timestamp;
  if (!follows || step != 0) {
    Bytes body = p.body().bytes_;
    if (p.red_block_type) {  // encrypted as a whole, or sound that can be told behind it
      if (const auto red = rtp::parse_red(body, *p.red_block_type)) body = red->primary;
    }
    frame.sample = follows ? sample_front(p.codec, body, step) : std::nullopt;
    frame.bytes = 0;
  }
  frame.sequence = p.sequence;
  frame.timestamp = p.header.timestamp;
  frame.bytes += p.payload_bytes;
  const bool ends = p.header.marker || source.kind == codec::MediaKind::Audio;
  if (!ends || !frame.sample) return;

  conference::BodySample complete = *frame.sample;
  frame.sample.reset();
  complete.fits = complete.fits && complete.frame_bytes <= frame.bytes;
  const conference::ObservedBodies before = source.observed();
  if (!bodies.add(complete, now) || source.observed() == before) return;
  directory_.reports.push_back(
      conference::BodiesObserved{sender.id, source.mid, source.kind, source.observed()});
  conference::Conference& conference = directory_.conference_of(sender);
  if (conference.e2ee_policy().required || conference.mixes()) conference.on_source_changed();
}

std::optional<conference::BodySample> sample_front(codec::CodecType codec, Bytes payload,
                                                   uint32_t timestamp_step) {
  const auto check = codec::check_plain(codec, payload);
  if (!check) return std::nullopt;
  conference::BodySample out{.fits = check->fits,
                             .shape = check->shape,
                             .frame_bytes = check->frame_bytes,
                             .probe = check->probe};
  if (check->duration != 0 && check->duration != timestamp_step) out.fits = false;
  const auto header = sframe::parse_header(check->opaque);
  if (!header || check->opaque.size() < header->header_bytes + out.probe.size()) return out;
  out.sframe = {
      .key_id = header->key_id, .counter = header->counter, .counter_bytes = header->counter_bytes};
  std::copy_n(check->opaque.begin() + header->header_bytes, out.probe.size(),
              out.sframe->probe.begin());
  return out;
}

}  // namespace viaduct::path
