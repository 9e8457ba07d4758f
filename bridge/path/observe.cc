#include "path/observe.h"

#include <algorithm>
#include <cstring>

#include "protocol/rtp/dependency_descriptor.h"
#include "protocol/rtp/rtx.h"
#include "protocol/rtp/video_layers_allocation.h"

namespace viaduct::path {
namespace {

Drop verdict_of(const edge::CipherJob& job) {
  return job.verdict == edge::Verdict::Ok ? Drop::None : Drop::AuthFailed;
}

// A descriptor of a structure that is not known or cannot be read still numbers its frame, and says where key frames
// begin: then the stream has one layer.
rtp::FrameInfo read_descriptor(Bytes descriptor, rtp::FrameInfo frame, conference::Encoding& stream) {
  if (const auto whole = stream.dependencies.read(descriptor)) return *whole;
  const auto front = rtp::parse_dependency_descriptor(descriptor);
  if (!front) return frame;
  frame.number = front->frame_number;
  frame.starts_frame = front->start_of_frame;
  frame.ends_frame = front->end_of_frame;
  frame.key_frame = front->begins_key_frame();
  return frame;
}

}  // namespace

void Observe::run(RxBatch& rx, Timestamp now) {
  rx.in_clear.clear();
  for (const edge::CipherJob& job : rx.jobs) {
    RxPacket& p = rx.packet_of(job);
    Endpoint* endpoint = directory_.find(p.from);
    p.drop =
        !endpoint ? Drop::UnknownAddress : verdict_of(job);  // the client may have left meanwhile
    if (p.drop != Drop::None) continue;
    p.io.length = job.result_bytes;
    p.drop = authenticated(p, *endpoint);
    if (p.drop == Drop::None && p.kind == PacketKind::Rtp)
      p.drop = observe_media(rx, p, *endpoint, now);
  }
}

// Only now does anything of the packet's stream change.
Drop Observe::authenticated(RxPacket& p, Endpoint& endpoint) const {
  const bool rtcp = p.kind == PacketKind::Rtcp;
  const uint32_t ssrc = rtcp ? load_be32(p.datagram().data() + 4) : p.header.ssrc;
  conference::InboundStream* stream = endpoint.transport.find_stream(ssrc);
  if (!stream) stream = endpoint.transport.add_stream(ssrc);
  if (!stream) return Drop::TooManySsrcs;
  if (rtcp) return stream->rtcp.commit(p.index) ? Drop::None : Drop::Replayed;

  stream->source = p.source;
  stream->encoding = p.encoding;
  stream->rtx = p.rtx;
  if (!stream->rtp.commit(p.index)) return Drop::Replayed;
  if (!stream->highest || p.index > *stream->highest) stream->highest = p.index;
  return Drop::None;
}

Drop Observe::observe_media(RxBatch& rx, RxPacket& p, Endpoint& endpoint, Timestamp now) {
  conference::Source& source = endpoint.sources[p.source];
  conference::Encoding& stream = source.encodings[p.encoding];
  const Bytes transport_sequence = rtp::find_extension(
      p.head(), p.header, endpoint.extensions.id(rtp::ExtensionType::TransportSequence));
  if (const auto number = rtp::read_transport_sequence(transport_sequence))
    endpoint.arrivals.on_packet(*number, p.io.arrival);

  const auto media = rtp::payload_bytes_without_padding(p.datagram(), p.header);
  if (!media) return Drop::BadPadding;
  p.payload_bytes = static_cast<uint16_t>(*media);

  auto meaning = endpoint.payloads.meaning(p.header.payload_type);
  if (!meaning || codec::kind_of(meaning->codec) != source.kind) return Drop::UnknownPayloadType;
  if (p.rtx && !meaning->rtx) return Drop::UnknownPayloadType;  // its numbers are not the media's
  if (meaning->rtx) {
    if (p.payload_bytes == 0) return Drop::PaddingOnly;
    p.rtx = true;
    if (const Drop why = restore_rtx(p, endpoint, stream); why != Drop::None) return why;
    counters_.packets_recovered.add();
  } else if (!p.rtx && stream.ssrc != p.header.ssrc) {
    // The SSRC was learned from the MID and RID of an authenticated packet: the encoding's first, or
    // one that its client has gone over to.
    directory_.begin_stream(source, p.encoding, p.header.ssrc);
  }
  p.codec = meaning->codec;
  if (meaning->red) p.red_block_type = meaning->media_payload_type;

  // One packet and its resendings count once, whatever came first.
  p.sequence = stream.extend(p.header.sequence);
  if (!stream.delivered.commit(static_cast<uint64_t>(p.sequence))) return Drop::Duplicate;
  stream.highest = std::max(stream.highest, p.sequence);
  stream.stats.on_packet(p.header.sequence, p.header.timestamp, p.io.arrival,
                         p.rtx ? 0 : codec::clock_rate_of(p.codec));
  stream.meter.add(p.io.length, now);
  if (source.kind == codec::MediaKind::Video) stream.missing.on_packet(p.header.sequence, now);
  if (!source.sending || source.codec != p.codec) {
    source.sending = true;
    if (source.codec != p.codec) source.begin_format(p.codec);
    directory_.conference_of(endpoint).on_source_changed();
  }
  if (p.payload_bytes == 0 || source.muted) {
    stream.withheld = std::max(stream.withheld, p.sequence);
    return source.muted ? Drop::Muted : Drop::PaddingOnly;
  }
  if (source.kind == codec::MediaKind::Audio) {
    observe_level(p, endpoint, now);
    if (p.red_block_type && !directory_.conference_of(endpoint).e2ee_policy().sealed()) rx.in_clear.add(p);
  } else {
    observe_frame(rx, p, endpoint);
  }
  return Drop::None;
}

// Moves the header up against the original payload and gives it the original numbers (RFC 4588
// section 4).
Drop Observe::restore_rtx(RxPacket& p, const Endpoint& endpoint,
                          const conference::Encoding& stream) const {
  const auto meaning = endpoint.payloads.meaning(p.header.payload_type);
  if (!stream.ssrc) return Drop::RtxMalformed;
  const size_t front = std::min<size_t>(p.payload_bytes, rtp::OriginalSequenceBytes);
  const auto original = rtp::restore(p.header, p.datagram().subspan(p.header.header_bytes, front),
                                     meaning->media_payload_type, *stream.ssrc);
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
  const auto level = rtp::read_audio_level(rtp::find_extension(p.head(), p.header, id));
  if (!level) return;
  source.loudness.on_level(level->level, now);
  p.in_silence = source.loudness.in_silence();
  if (!p.in_silence) return;
  conference::Encoding& stream = source.encodings[p.encoding];
  stream.withheld = std::max(stream.withheld, p.sequence);
}

// What the sender says of the frame and of its layers beside it. Of conferences in clear the payload
// may be read, too.
void Observe::observe_frame(RxBatch& rx, RxPacket& p, Endpoint& endpoint) const {
  conference::Source& source = endpoint.sources[p.source];
  conference::Encoding& stream = source.encodings[p.encoding];
  const auto find = [&](rtp::ExtensionType type) {
    const uint8_t id = endpoint.extensions.id(type);
    return id == 0 ? Bytes() : rtp::find_extension(p.head(), p.header, id);
  };
  p.frame.ends_frame = p.header.marker;
  if (const Bytes descriptor = find(rtp::ExtensionType::DependencyDescriptor); !descriptor.empty()) {
    p.frame = read_descriptor(descriptor, p.frame, stream);
    if (p.frame.number) stream.describes_frames = true;
    if (p.frame.key_frame) {
      stream.key_frame.on_key_frame();
      std::ranges::copy(stream.dependencies.sizes(), stream.sizes.begin());
    }
  }
  if (const Bytes allocation = find(rtp::ExtensionType::VideoLayersAllocation); !allocation.empty())
    observe_allocation(allocation, source);
  const bool sealed = directory_.conference_of(endpoint).e2ee_policy().sealed();
  p.frame.unmarked = sealed && !stream.describes_frames;
  stream.key_frame.set_answers_visible(!p.frame.unmarked);
  if (!sealed) rx.in_clear.add(p);
}

// How large the pictures of all encodings are.
void Observe::observe_allocation(Bytes element, conference::Source& source) {
  const auto allocation = rtp::parse_video_layers_allocation(element);
  if (!allocation) return;
  for (const auto& layer : allocation->all()) {
    if (layer.encoding >= source.encodings.size() || layer.size == rtp::PictureSize{}) continue;
    source.encodings[layer.encoding].sizes[layer.spatial] = layer.size;
  }
}

}  // namespace viaduct::path
