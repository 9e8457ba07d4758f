#include "path/transmit.h"

#include <algorithm>

namespace viaduct::path {
namespace {

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
  for (size_t i = 0; i < tx.size(); ++i) {
    TxPacket& p = tx.packets[i];
    const edge::CipherJob& job = tx.jobs[i];
    Endpoint* receiver = directory_.find(p.to);
    const bool may_send = receiver && receiver->transport.may_send(now);
    if (!may_send || job.verdict != edge::Verdict::Ok) {
      counters_.drop(may_send ? Drop::SealFailed : Drop::NoConsent);
      returning_.push_back(p.io);
      continue;
    }
    p.io.length = job.result_bytes;
    p.io.peer = *receiver->transport.ice.destination();
    counters_.sent[static_cast<size_t>(p.kind)].add(p.io.length);
    if (p.kind == TxKind::Media) grant_resends(*receiver, p.io.length);
    leaving_.push_back(p.io);
  }
  io_.send(leaving_);
  io_.release(returning_);

  const Timestamp sent = time_.now();
  for (size_t i = 0; i < tx.size(); ++i) {
    const TxPacket& p = tx.packets[i];
    if (p.kind == TxKind::Media) counters_.forwarding_latency.observe(to_seconds(sent - p.arrival));
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
  if (p.drop != Drop::None || p.kind != PacketKind::Rtp) return false;
  Endpoint* sender = directory_.find(p.from);
  if (!sender) return false;
  conference::Source& source = sender->sources[p.source];
  if (source.kind != codec::MediaKind::Video || source.receivers.empty()) return false;

  const Packet evicted = source.resend.store({.packet = p.io,
                                              .sequence = p.sequence,
                                              .header = p.header,
                                              .payload_bytes = p.payload_bytes,
                                              .codec = p.codec,
                                              .frame_number = p.frame_number,
                                              .vp8 = p.vp8});
  if (evicted) returning_.push_back(evicted);
  return true;
}

}  // namespace viaduct::path
