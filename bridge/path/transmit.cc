#include "path/transmit.h"

#include <algorithm>

namespace viaduct::path {
namespace {

constexpr size_t UdpBytes = 8, Ipv4Bytes = 20, Ipv6Bytes = 40;

// NACKs may make a receiver's traffic a fifth larger, with some credit for a loss that comes at
// once.
constexpr int64_t ResendShareOfMedia = 5;
constexpr int64_t MaxResendAllowanceBytes = 256 * 1024;

void grant_resends(Endpoint& receiver, size_t media_bytes) {
  receiver.resend_allowance_bytes = std::min(
      receiver.resend_allowance_bytes + static_cast<int64_t>(media_bytes) / ResendShareOfMedia,
      MaxResendAllowanceBytes);
}

}  // namespace

void Transmit::run(TxBatch& tx, Timestamp now) {
  leaving_.clear();
  returning_.clear();
  leaving_.reserve(limits::TxBatchPackets);
  returning_.reserve(limits::TxBatchPackets);
  const auto packets = std::span(tx.packets).first(tx.size());
  for (size_t i = 0, end; i < packets.size(); i = end) {
    for (end = i + 1; end < packets.size() && packets[end].to == packets[i].to;) ++end;
    send_run(packets.subspan(i, end - i), tx.jobs.subspan(i, end - i), now);
  }
  io_.send(leaving_);
  io_.release(returning_);
  note_latency(packets, time_.now());
}

// What goes to one receiver.
void Transmit::send_run(std::span<const TxPacket> packets, std::span<const edge::CipherJob> jobs,
                        Timestamp now) {
  Endpoint* const receiver = directory_.find(packets.front().to);
  const bool may_send = receiver && receiver->transport.may_send(now);
  const auto peer = may_send ? receiver->transport.ice.destination() : std::nullopt;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (!peer || jobs[i].verdict != edge::Verdict::Ok) {
      counters_.drop(peer ? Drop::SealFailed : Drop::NoConsent);
      returning_.push_back(packets[i].io);
      continue;
    }
    Packet& io = leaving_.emplace_back(packets[i].io);
    io.length = jobs[i].result_bytes;
    io.peer = *peer;
    counters_.sent[static_cast<size_t>(packets[i].kind)].add(io.length);
    if (packets[i].kind == TxKind::Media) grant_resends(*receiver, io.length);
    if (packets[i].transport_sequence) note_departure(*receiver, packets[i], jobs[i], io, now);
  }
}

// What the receiver's reports will speak of.
void Transmit::note_departure(Endpoint& receiver, const TxPacket& packet, const edge::CipherJob& job, const Packet& io,
                              Timestamp now) {
  receiver.congestion.on_sent({.transport_sequence = *packet.transport_sequence,
                               .ssrc = job.ssrc,
                               .sequence = static_cast<uint16_t>(job.index),
                               .bytes = io.length + UdpBytes + (io.peer.ip.is_v6() ? Ipv6Bytes : Ipv4Bytes),
                               .at = now,
                               .probe = packet.probe});
}

// Most of a batch has arrived at one time.
void Transmit::note_latency(std::span<const TxPacket> packets, Timestamp sent) {
  for (size_t i = 0, end; i < packets.size(); i = end) {
    const auto same = [&](const TxPacket& p) {
      return p.kind == packets[i].kind && p.arrival == packets[i].arrival;
    };
    for (end = i + 1; end < packets.size() && same(packets[end]);) ++end;
    if (packets[i].kind == TxKind::Media)
      counters_.forwarding_latency.observe(to_seconds(sent - packets[i].arrival), end - i);
  }
}

void Transmit::retire(RxBatch& rx) {
  returning_.clear();
  for (RxPacket& p : rx.all()) {
    if (p.drop != Drop::None) counters_.drop(p.drop);
    if (!keep_for_resend(p)) returning_.push_back(p.io);
  }
  io_.release(returning_);
  rx.clear();
}

bool Transmit::keep_for_resend(const RxPacket& p) {
  if (p.drop != Drop::None || !p.routed) return false;
  Endpoint* sender = directory_.find(p.from);
  if (!sender) return false;
  conference::Source& source = sender->sources[p.source];
  if (source.kind != codec::MediaKind::Video) return false;

  const Packet evicted = source.encodings[p.encoding].resend.store({.packet = p.io,
                                              .sequence = p.sequence,
                                              .header = p.header,
                                              .payload_bytes = p.payload_bytes,
                                              .codec = p.codec,
                                              .frame = p.frame,
                                              .front = p.front});
  if (evicted) returning_.push_back(evicted);
  return true;
}

}  // namespace viaduct::path
