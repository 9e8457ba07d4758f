#include "tests/load/media_receiver.h"

#include <algorithm>

#include "edge/reference_cipher.h"
#include "limits.h"
#include "protocol/codec/vp8.h"
#include "protocol/rtcp/parse.h"
#include "protocol/rtp/packet.h"
#include "protocol/srtp/srtcp.h"
#include "tests/support/client/session_description.h"

namespace viaduct::load {
namespace {

ReceiveStream* stream_of(Participant& p, uint32_t ssrc) {
  const auto found = std::ranges::find(p.receives, ssrc, &ReceiveStream::ssrc);
  return found == p.receives.end() ? nullptr : &*found;
}

bool is_repair(const Participant& p, uint32_t ssrc) {
  return std::ranges::any_of(p.receives, [&](const ReceiveStream& stream) {
    return stream.rtx_ssrc() != 0 && stream.rtx_ssrc() == ssrc;
  });
}

// Extensions are in clear (RFC 3711).
void note_arrival(Participant& p, Bytes datagram, Timestamp now) {
  const auto header = rtp::parse_header(datagram);
  if (!header) return;
  const Bytes element = rtp::find_extension(datagram, *header, client::TransportSequenceId);
  if (const auto number = rtp::read_transport_sequence(element))
    p.arrivals.on_packet(*number, now);
}

}  // namespace

MediaReceiver::MediaReceiver(size_t max_keys, Verify verify, const BodyMaker* bodies)
    : cipher_(std::make_unique<edge::ReferenceCipher>(edge::Direction::Unprotect, max_keys)),
      verify_(verify),
      bodies_(bodies) {}

void MediaReceiver::handle(Participant& p, MutableBytes datagram, Timestamp now) {
  if (rtcp::is_rtcp(datagram)) return handle_rtcp(p, datagram);
  if (datagram.size() < rtp::FixedHeaderBytes) return;
  if (p.next_feedback != Never) note_arrival(p, datagram, now);
  const uint32_t ssrc = load_be32(&datagram[8]);
  ReceiveStream* stream = stream_of(p, ssrc);
  if (stream == nullptr) {
    if (is_repair(p, ssrc)) ++resent_;
    return;
  }
  const uint64_t came_before = stream->counts().packets;
  const auto index =
      stream->on_packet(load_be16(&datagram[2]), load_be32(&datagram[4]), datagram.size(), now);
  if (!index || verify_ == Verify::None) return;
  const bool sampled = !stream->knows_origin() || came_before % SampledEvery == 0;
  if (verify_ == Verify::All || sampled) verify(p, *stream, *index, datagram);
}

void MediaReceiver::handle_impaired(Participant& p, Bytes datagram) {
  if (datagram.size() < rtp::FixedHeaderBytes || rtcp::is_rtcp(datagram)) return;
  if (ReceiveStream* stream = stream_of(p, load_be32(&datagram[8])))
    stream->on_impaired(load_be16(&datagram[2]));
}

void MediaReceiver::verify(Participant& p, ReceiveStream& stream, uint64_t index,
                           MutableBytes packet) {
  const auto header = rtp::parse_header(packet);
  if (!header || packet.size() > limits::MaxPacketBytes)
    return stream.on_verified(index, std::nullopt);
  edge::CipherJob job;
  job.slot = p.unprotect;
  job.header_bytes = header->header_bytes;
  job.ssrc = header->ssrc;
  job.index = index;
  if (!decrypt(job, packet)) return stream.on_verified(index, std::nullopt);
  if (bodies_ == nullptr) return stream.on_authenticated();
  const Bytes clear = packet.first(job.result_bytes);
  const auto bytes = rtp::payload_bytes_without_padding(clear, *header);
  if (!bytes) return stream.on_verified(index, std::nullopt);
  if (*bytes == 0) return;  // padding alone
  const Bytes payload = clear.subspan(header->header_bytes, *bytes);
  if (payload.size() < BodyMaker::StampBytes) return;  // too small to bear a stamp
  stream.on_verified(index, stamp_of(p, stream.kind(), payload));
}

std::optional<Stamp> MediaReceiver::stamp_of(const Participant& p, codec::MediaKind kind,
                                             Bytes payload) const {
  size_t head = 0;
  const BodyShape shape = p.plan->bodies;
  if (kind == codec::MediaKind::Video) {
    const auto vp8 = codec::parse_vp8(payload);
    if (!vp8) return std::nullopt;
    head = vp8->descriptor_bytes;
    if (vp8->starts_frame() && payload.size() > head)
      head += prefix_bytes(shape, kind, (payload[head] & 1) == 0);
  } else {
    head = prefix_bytes(shape, kind, false);
  }
  if (head > payload.size()) return std::nullopt;
  return bodies_->read(payload.subspan(head));
}

bool MediaReceiver::decrypt(edge::CipherJob& job, MutableBytes packet) {
  job.packet = packet.data();
  job.payload = packet.data() + job.header_bytes;
  job.payload_bytes = static_cast<uint32_t>(packet.size() - job.header_bytes);
  edge::CipherBatch batch{{&job, 1}};
  cipher_->submit(&batch);
  while (cipher_->poll() == nullptr) {}
  return job.verdict == edge::Verdict::Ok;
}

void MediaReceiver::handle_rtcp(Participant& p, MutableBytes datagram) {
  if (p.sends.empty() || !srtp::srtcp_index(datagram, p.profile)) return;
  edge::CipherJob job;
  job.slot = p.unprotect;
  job.rtcp = true;
  job.header_bytes = srtp::RtcpHeaderBytes;
  job.ssrc = load_be32(&datagram[4]);
  if (!decrypt(job, datagram)) return;
  const auto asked = [&](uint32_t ssrc) {
    for (SendStream* stream : p.sends) {
      if (stream->ssrc() != ssrc) continue;
      stream->source().ask_for_key_frame();
      ++key_frames_asked_for_;
    }
  };
  rtcp::for_each_packet(datagram.first(job.result_bytes), [&](const rtcp::Packet& packet) {
    if (const auto pli = rtcp::parse_pli(packet)) asked(pli->media);
    if (const auto fir = rtcp::parse_fir(packet))
      fir->for_each([&](uint32_t ssrc, uint8_t) { asked(ssrc); });
  });
}

}  // namespace viaduct::load
