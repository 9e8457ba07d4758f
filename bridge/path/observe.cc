#include "path/observe.h"

#include <algorithm>
#include <cstring>

#include "protocol/codec/frame_start.h"
#include "protocol/rtp/rtx.h"

namespace viaduct::path {
namespace {

Drop verdict_of(const edge::CipherJob& job) {
  return job.verdict == edge::Verdict::Ok ? Drop::None : Drop::AuthFailed;
}

}  // namespace

void Observe::run(RxBatch& rx, Timestamp now) {
  for (const edge::CipherJob& job : rx.jobs) {
    RxPacket& p = rx.packet_of(job);
    Endpoint* endpoint = directory_.find(p.from);
    p.drop =
        !endpoint ? Drop::UnknownAddress : verdict_of(job);  // the client may have left meanwhile
    if (p.drop != Drop::None) continue;
    p.io.length = job.result_bytes;
    p.drop = authenticated(p, *endpoint);
    if (p.drop == Drop::None && p.kind == PacketKind::Rtp)
      p.drop = observe_media(p, *endpoint, now);
  }
}

// Only now does anything of the packet's stream change.
Drop Observe::authenticated(RxPacket& p, Endpoint& endpoint) const {
  const bool rtcp = p.kind == PacketKind::Rtcp;
  const uint32_t ssrc = rtcp ? load_be32(p.bytes().data() + 4) : p.header.ssrc;
  conference::InboundStream* stream = endpoint.transport.find_stream(ssrc);
  if (!stream) stream = endpoint.transport.add_stream(ssrc);
  if (!stream) return Drop::TooManySsrcs;
  if (rtcp) return stream->rtcp.commit(p.index) ? Drop::None : Drop::Replayed;

  stream->source = p.source;
  stream->rtx = p.rtx;
  if (!stream->rtp.commit(p.index)) return Drop::Replayed;
  if (!stream->highest || p.index > *stream->highest) stream->highest = p.index;
  return Drop::None;
}

Drop Observe::observe_media(RxPacket& p, Endpoint& endpoint, Timestamp now) {
  conference::Source& source = endpoint.sources[p.source];
  const Bytes transport_sequence = rtp::find_extension(
      p.bytes(), p.header, endpoint.extensions.id(rtp::ExtensionType::TransportSequence));
  if (const auto number = rtp::read_transport_sequence(transport_sequence))
    endpoint.arrivals.on_packet(*number, p.io.arrival);

  const auto media = rtp::payload_bytes_without_padding(p.bytes(), p.header);
  if (!media) return Drop::BadPadding;
  p.payload_bytes = static_cast<uint16_t>(*media);

  auto meaning = endpoint.payloads.meaning(p.header.payload_type);
  if (!meaning || codec::kind_of(meaning->codec) != source.kind) return Drop::UnknownPayloadType;
  if (p.rtx && !meaning->rtx) return Drop::UnknownPayloadType;  // its numbers are not the media's
  if (meaning->rtx) {
    if (p.payload_bytes == 0) return Drop::PaddingOnly;
    p.rtx = true;
    if (const Drop why = restore_rtx(p, endpoint, source); why != Drop::None) return why;
    counters_.packets_recovered.add();
  } else if (!p.rtx && source.ssrc != p.header.ssrc) {
    begin_stream(source, p.header.ssrc);
  }
  p.codec = meaning->codec;

  // One packet and its resendings count once, whatever came first.
  p.sequence = source.extend(p.header.sequence);
  if (!source.delivered.commit(static_cast<uint64_t>(p.sequence))) return Drop::Duplicate;
  source.highest = std::max(source.highest, p.sequence);
  source.stats.on_packet(p.header.sequence, p.header.timestamp, p.io.arrival,
                         p.rtx ? 0 : codec::clock_rate_of(p.codec));
  source.meter.add(p.io.length, now);
  if (source.kind == codec::MediaKind::Video) source.missing.on_packet(p.header.sequence, now);
  if (!source.sending || source.codec != p.codec) {
    source.sending = true;
    source.codec = p.codec;
    directory_.conference_of(endpoint).on_source_changed();
  }
  if (p.payload_bytes == 0 || source.muted) {
    source.withheld = std::max(source.withheld, p.sequence);
    return source.muted ? Drop::Muted : Drop::PaddingOnly;
  }
  if (source.kind == codec::MediaKind::Audio) {
    observe_level(p, endpoint, now);
  } else {
    p.key_frame = codec::hint_of(p.codec, p.payload()).key_frame;
    if (p.codec == codec::CodecType::Vp8) p.vp8 = codec::parse_vp8(p.payload());
    if (p.key_frame) source.key_frame.on_key_frame();
  }
  return Drop::None;
}

// The SSRC was learned from the MID of an authenticated packet: the source's first, or one that its
// client has gone over to.
void Observe::begin_stream(conference::Source& source, uint32_t ssrc) const {
  source.begin_stream(ssrc);
  for (const conference::SlotRef& ref : source.receivers) {
    conference::Subscription& slot = *directory_.find(ref);
    slot.carry(slot.carries);  // the same source, whose numbers start anew
  }
  if (source.kind == codec::MediaKind::Video) source.key_frame.want();
}

// Moves the header up against the original payload and gives it the original numbers (RFC 4588
// section 4).
Drop Observe::restore_rtx(RxPacket& p, const Endpoint& endpoint,
                          const conference::Source& source) const {
  const auto meaning = endpoint.payloads.meaning(p.header.payload_type);
  if (!source.ssrc) return Drop::RtxMalformed;
  const auto original =
      rtp::restore(p.header, p.payload(), meaning->media_payload_type, *source.ssrc);
  if (!original) return Drop::RtxMalformed;

  uint8_t* from = p.io.bytes().data();
  std::memmove(from + rtp::OriginalSequenceBytes, from, p.header.header_bytes);
  p.io.offset += static_cast<uint32_t>(rtp::OriginalSequenceBytes);
  p.io.length -= static_cast<uint32_t>(rtp::OriginalSequenceBytes);
  p.payload_bytes = static_cast<uint16_t>(p.payload_bytes - rtp::OriginalSequenceBytes);
  p.header.payload_type = original->payload_type;
  p.header.sequence = original->sequence;
  p.header.ssrc = original->ssrc;
  return Drop::None;
}

void Observe::observe_level(RxPacket& p, Endpoint& endpoint, Timestamp now) {
  conference::Source& source = endpoint.sources[p.source];
  source.loudness.on_authenticated();
  const uint8_t id = endpoint.extensions.id(rtp::ExtensionType::AudioLevel);
  if (id == 0) return;
  const auto level = rtp::read_audio_level(rtp::find_extension(p.bytes(), p.header, id));
  if (!level) return;
  source.loudness.on_level(level->level, now);
  p.in_silence = source.loudness.in_silence();
  if (p.in_silence) source.withheld = std::max(source.withheld, p.sequence);
}

}  // namespace viaduct::path
