#include "path/unprotect.h"

#include <algorithm>

#include "protocol/srtp/packet_index.h"
#include "protocol/srtp/srtcp.h"

namespace viaduct::path {
namespace {

// How far ahead of the last authenticated packet a silent one may be and still be believed without
// decryption.
constexpr int64_t SilenceReach = 256;

Bytes extension_of(const RxPacket& p, const Endpoint& endpoint, rtp::ExtensionType type) {
  const uint8_t id = endpoint.extensions.id(type);
  return id == 0 ? Bytes() : rtp::find_extension(p.head(), p.header, id);
}

// Which of the client's sources an SSRC is, and which encoding of it: as negotiated, as learned
// before, or as the packet's MID and RID say (RFC 8843 section 9.2, RFC 8852 section 3).
std::optional<Endpoint::StreamOwner> owner_of(const RxPacket& p, Endpoint& endpoint) {
  if (const auto negotiated = endpoint.owner_of(p.header.ssrc)) return negotiated;
  if (const auto* known = endpoint.transport.find_stream(p.header.ssrc); known && known->source) {
    return Endpoint::StreamOwner{*known->source, known->encoding, known->rtx};
  }
  const Bytes mid = extension_of(p, endpoint, rtp::ExtensionType::Mid);
  if (mid.empty()) return std::nullopt;
  const auto source = endpoint.source_with_mid(rtp::read_mid(mid));
  if (!source) return std::nullopt;
  const auto meaning = endpoint.payloads.meaning(p.header.payload_type);
  const bool rtx = meaning && meaning->rtx;
  const Bytes rid = extension_of(
      p, endpoint, rtx ? rtp::ExtensionType::RepairedRid : rtp::ExtensionType::Rid);
  const auto encoding = endpoint.sources[*source].encoding_with_rid(as_text(rid));
  if (!encoding) return std::nullopt;
  return Endpoint::StreamOwner{*source, *encoding, rtx};
}

// Withholds a silent packet undecrypted, yet counts it as arrived: its sender must not take it for
// lost.
bool skip_silence(const RxPacket& p, Endpoint& endpoint, conference::Source& source) {
  conference::Encoding& stream = source.encodings[p.encoding];
  if (source.kind != codec::MediaKind::Audio) return false;
  const auto level =
      rtp::read_audio_level(extension_of(p, endpoint, rtp::ExtensionType::AudioLevel));
  if (!level || !source.loudness.may_skip(level->level)) return false;
  const int64_t ahead =
      static_cast<int16_t>(p.header.sequence - static_cast<uint16_t>(stream.highest));
  if (stream.highest < 0 || ahead <= 0 || ahead > SilenceReach) return false;

  source.loudness.on_skipped();
  stream.withheld = std::max(stream.withheld, stream.highest + ahead);
  stream.stats.on_packet(p.header.sequence, p.header.timestamp, p.io.arrival, 0);
  if (const auto number = rtp::read_transport_sequence(
          extension_of(p, endpoint, rtp::ExtensionType::TransportSequence)))
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
  p.encoding = owner->encoding;
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
