#include "path/unprotect.h"

#include <algorithm>

#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::path {
namespace {

// How far ahead of the last authenticated packet a silent one may be and still be believed without
// decryption.
constexpr int64_t SilenceReach = 256;

// Which of the client's sources an SSRC is: as negotiated, as learned before, or as the packet's
// MID says.
std::optional<Endpoint::StreamOwner> owner_of(const RxPacket& p, Endpoint& endpoint) {
  if (const auto negotiated = endpoint.owner_of(p.header.ssrc)) return negotiated;
  if (const auto* known = endpoint.transport.find_stream(p.header.ssrc); known && known->source) {
    return Endpoint::StreamOwner{*known->source, known->rtx};
  }
  const uint8_t mid_id = endpoint.extensions.id(rtp::ExtensionType::Mid);
  if (mid_id == 0) return std::nullopt;
  const Bytes mid = rtp::find_extension(p.head(), p.header, mid_id);
  if (mid.empty()) return std::nullopt;
  const auto source = endpoint.source_with_mid(rtp::read_mid(mid));
  if (!source) return std::nullopt;
  const auto meaning = endpoint.payloads.meaning(p.header.payload_type);
  return Endpoint::StreamOwner{*source, meaning && meaning->rtx};
}

// Withholds a silent packet undecrypted, yet counts it as arrived: its sender must not take it for
// lost.
bool skip_silence(const RxPacket& p, Endpoint& endpoint, conference::Source& source) {
  const uint8_t id = endpoint.extensions.id(rtp::ExtensionType::AudioLevel);
  if (source.kind != codec::MediaKind::Audio || id == 0) return false;
  const auto level = rtp::read_audio_level(rtp::find_extension(p.head(), p.header, id));
  if (!level || !source.loudness.may_skip(level->level)) return false;
  const int64_t ahead =
      static_cast<int16_t>(p.header.sequence - static_cast<uint16_t>(source.highest));
  if (source.highest < 0 || ahead <= 0 || ahead > SilenceReach) return false;

  source.loudness.on_skipped();
  source.withheld = std::max(source.withheld, source.highest + ahead);
  source.stats.on_packet(p.header.sequence, p.header.timestamp, p.io.arrival, 0);
  const Bytes transport_sequence = rtp::find_extension(
      p.head(), p.header, endpoint.extensions.id(rtp::ExtensionType::TransportSequence));
  if (const auto number = rtp::read_transport_sequence(transport_sequence))
    endpoint.arrivals.on_packet(*number, p.io.arrival);
  return true;
}

}  // namespace

void Unprotect::run(RxBatch& rx) {
  for (RxPacket& p : rx.all()) {
    if (p.drop != Drop::None || (p.kind != PacketKind::Rtp && p.kind != PacketKind::Rtcp)) continue;
    Endpoint& endpoint = *directory_.find(p.from);
    p.drop = p.kind == PacketKind::Rtp ? prepare_rtp(p, endpoint) : prepare_rtcp(p, endpoint);
    if (p.drop != Drop::None) continue;

    const bool rtcp = p.kind == PacketKind::Rtcp;
    const size_t header_bytes = rtcp ? srtp::RtcpHeaderBytes : p.header.header_bytes;
    edge::CipherJob& job = rx.add_job(p);
    job.slot = endpoint.transport.unprotect_key;
    job.rtcp = rtcp;
    job.header_bytes = static_cast<uint16_t>(header_bytes);
    job.packet = p.io.bytes().data();
    job.payload = job.packet + header_bytes;
    job.payload_bytes = static_cast<uint32_t>(p.io.length - header_bytes);
    job.ssrc = rtcp ? load_be32(job.packet + 4) : p.header.ssrc;
    job.index = p.index;
  }
  cipher_.submit(&rx);
}

Drop Unprotect::prepare_rtp(RxPacket& p, Endpoint& endpoint) const {
  const auto owner = owner_of(p, endpoint);
  if (!owner) return Drop::UnknownSsrc;
  p.source = owner->source;
  p.rtx = owner->rtx;

  p.index = p.header.sequence;
  if (const auto* stream = endpoint.transport.find_stream(p.header.ssrc);
      stream && stream->highest) {
    const auto index = srtp::estimate_index(*stream->highest, p.header.sequence);
    if (!index) return Drop::IndexOutOfRange;
    if (!stream->rtp.is_new(*index)) return Drop::Replayed;
    p.index = *index;
  }
  if (skip_silence(p, endpoint, endpoint.sources[p.source])) return Drop::Silence;
  return Drop::None;
}

Drop Unprotect::prepare_rtcp(RxPacket& p, Endpoint& endpoint) const {
  const auto index = srtp::srtcp_index(p.datagram(), endpoint.transport.profile);
  if (!index) return Drop::RtcpMalformed;
  p.index = *index;
  const auto* stream = endpoint.transport.find_stream(load_be32(p.datagram().data() + 4));
  if (stream && !stream->rtcp.is_new(p.index)) return Drop::Replayed;
  return Drop::None;
}

}  // namespace viaduct::path
