#include "path/feedback.h"

#include <algorithm>

namespace viaduct::path {
namespace {

// What NACKs may still make the bridge send: where the network is measured, no more than it takes in half a second.
// What a network has lost because it was full is not to fill it again.
int64_t resend_allowance_of(const conference::Endpoint& receiver) {
  if (!receiver.available) return receiver.resend_allowance_bytes;
  return std::min(receiver.resend_allowance_bytes, receiver.available->bits_per_second / 8 / 2);
}

// With the queues of now, where reports of arrivals tell of them: a resent packet waits there as others do.
Duration round_trip_of(const conference::Endpoint& receiver) {
  return std::max(receiver.transport.round_trip.value_or(20ms), receiver.congestion.newest_round_trip());
}

}  // namespace

void Feedback::run(RxBatch& rx, Timestamp now) {
  for (RxPacket& p : rx.all()) {
    if (p.drop != Drop::None || p.kind != PacketKind::Rtcp) continue;
    Endpoint* endpoint = directory_.find(p.from);
    if (!endpoint) continue;
    const bool well_formed = rtcp::for_each_packet(
        p.datagram(), [&](const rtcp::Packet& packet) { handle(packet, p.from, *endpoint, now); });
    if (!well_formed) p.drop = Drop::RtcpMalformed;
  }
}

void Feedback::handle(const rtcp::Packet& packet, Handle<Endpoint> from, Endpoint& endpoint,
                      Timestamp now) {
  switch (packet.kind) {
    case rtcp::Kind::SenderReport:
      if (const auto sr = rtcp::parse_sender_report(packet)) {
        handle_sender_report(*sr, endpoint, now);
        handle_report_blocks(sr->blocks, endpoint, now);
      }
      break;
    case rtcp::Kind::ReceiverReport:
      if (const auto rr = rtcp::parse_receiver_report(packet))
        handle_report_blocks(rr->blocks, endpoint, now);
      break;
    case rtcp::Kind::Nack:
      if (const auto nack = rtcp::parse_nack(packet)) handle_nack(*nack, from, endpoint, now);
      break;
    case rtcp::Kind::Pli:
      if (const auto pli = rtcp::parse_pli(packet)) want_key_frame(pli->media, endpoint);
      break;
    case rtcp::Kind::Fir:
      if (const auto fir = rtcp::parse_fir(packet))
        fir->for_each([&](uint32_t ssrc, uint8_t) { want_key_frame(ssrc, endpoint); });
      break;
    case rtcp::Kind::Bye:
      if (const auto bye = rtcp::parse_bye(packet)) handle_bye(*bye, endpoint);
      break;
    case rtcp::Kind::TransportFeedback:
      if (const auto feedback = rtcp::parse_transport_feedback(packet)) handle_arrivals(*feedback, endpoint, now);
      break;
    case rtcp::Kind::CongestionFeedback:
      if (const auto feedback = rtcp::parse_congestion_feedback(packet)) handle_arrivals(*feedback, endpoint, now);
      break;
    case rtcp::Kind::Remb:
      if (const auto remb = rtcp::parse_remb(packet)) endpoint.congestion.on_remb(remb->bitrate, now);
      break;
    case rtcp::Kind::Sdes:  // names are known from signalling
    case rtcp::Kind::Unknown:
      break;
  }
}

template <typename ArrivalReport>
void Feedback::handle_arrivals(const ArrivalReport& report, Endpoint& endpoint, Timestamp now) {
  endpoint.congestion.on_feedback(report, now);
  endpoint.redundancy.on_network(endpoint.congestion.fraction_lost(), now);
}

// The smallest difference is that of the report that waited least in queues; it may grow slowly, as
// clocks drift. A leap is a clock that was set: what it said before means nothing any more.
void Feedback::handle_sender_report(const rtcp::SenderReport& sr, Endpoint& endpoint,
                                    Timestamp now) {
  constexpr Duration DriftPerReport = 100us;
  constexpr Duration ClockLeap = 5s;
  const Duration ahead = ntp_difference(ntp_.at(now), sr.ntp);
  if (endpoint.clock_ahead && std::chrono::abs(ahead - *endpoint.clock_ahead) > ClockLeap) {
    endpoint.clock_ahead.reset();
    for (conference::Source& source : endpoint.sources) {
      for (conference::Encoding& encoding : source.encodings) encoding.sender_clock.reset();
    }
  }
  endpoint.clock_ahead = std::min(ahead, endpoint.clock_ahead.value_or(ahead) + DriftPerReport);
  const auto owner = endpoint.owner_of(sr.ssrc);
  if (!owner || owner->rtx) return;
  endpoint.sources[owner->source].encodings[owner->encoding].sender_clock =
      conference::SenderClock{sr.ntp, sr.rtp_timestamp, now};
}

void Feedback::handle_report_blocks(const rtcp::ReportBlocks& blocks, Endpoint& endpoint,
                                    Timestamp now) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    const rtcp::ReportBlock block = blocks[i];
    const auto slot = endpoint.slot_with_ssrc(block.ssrc);
    if (!slot || endpoint.slots[*slot].ssrc != block.ssrc) continue;
    endpoint.slots[*slot].fraction_lost = block.fraction_lost / 256.0;
    endpoint.slots[*slot].redundancy.on_report(endpoint.slots[*slot].fraction_lost, now);
    if (block.last_sender_report == 0) continue;
    // RFC 3550 section 6.4.1: A - LSR - DLSR, modulo 2^32 in 1/65536 s. What comes out negative is
    // a lie or a clock's drift.
    const uint32_t units =
        ntp_.at(now).middle() - block.last_sender_report - block.delay_since_last_sender_report;
    if (units >= 0x80000000u) continue;
    endpoint.transport.round_trip = from_compact_ntp(units);
    endpoint.congestion.on_round_trip(*endpoint.transport.round_trip, now);
  }
}

void Feedback::handle_nack(const rtcp::Nack& nack, Handle<Endpoint> from, Endpoint& endpoint,
                           Timestamp now) {
  const auto slot = endpoint.slot_with_ssrc(nack.media);
  if (!slot || endpoint.slots[*slot].ssrc != nack.media || !endpoint.transport.may_send(now))
    return;
  endpoint.slots[*slot].asked_again = now;
  nack.for_each_lost([&](uint16_t sequence) {
    counters_.nacks_received.add();
    const Drop why = resend(sequence, *slot, from, endpoint, now);
    if (why != Drop::None) counters_.drop(why);
  });
}

Drop Feedback::resend(uint16_t sequence, uint16_t slot_index, Handle<Endpoint> from,
                      Endpoint& endpoint, Timestamp now) {
  conference::Subscription& slot = endpoint.slots[slot_index];
  conference::Source* source = slot.carries ? directory_.find(*slot.carries) : nullptr;
  const auto wanted = slot.projection.origin_of(sequence);
  if (!source || !wanted || wanted->encoding >= source->encodings.size()) return Drop::ResendUnknown;
  const conference::StoredPacket* stored =
      source->encodings[wanted->encoding].resend.find(wanted->sequence);
  if (!stored) return Drop::ResendUnknown;
  using Remedy = conference::LayerSelector::Remedy;
  const Remedy remedy = slot.selector.remedy_of(wanted->encoding, wanted->sequence, stored->frame);
  if (remedy == Remedy::KeyFrame) source->encodings[wanted->encoding].key_frame.want();
  if (remedy != Remedy::Resend) return Drop::ResendUnneeded;
  const int64_t allowance = resend_allowance_of(endpoint);
  if (allowance < stored->packet.length) return Drop::ResendBudget;
  const Duration patience = round_trip_of(endpoint) * 9 / 10;
  if (!slot.recently_resent.may_resend(sequence, now, patience)) return Drop::ResendTooSoon;

  const Drop why = rewrite_.resend({from, slot_index}, wanted->encoding, *stored, now);
  if (why != Drop::None) return why;
  endpoint.resend_allowance_bytes = allowance - stored->packet.length;
  slot.recently_resent.note(sequence, now);
  ++slot.resent;
  return Drop::None;
}

void Feedback::want_key_frame(uint32_t slot_ssrc, Endpoint& endpoint) {
  const auto index = endpoint.slot_with_ssrc(slot_ssrc);
  if (!index || !endpoint.slots[*index].carries) return;
  const conference::Subscription& slot = endpoint.slots[*index];
  conference::Source* source = directory_.find(*slot.carries);
  if (!source || source->kind != codec::MediaKind::Video) return;
  counters_.key_frames_asked_of_us.add();
  source->encodings[slot.encoding()].key_frame.want();
}

void Feedback::handle_bye(const rtcp::Bye& bye, Endpoint& endpoint) {
  for (size_t i = 0; i < bye.ssrcs.size(); ++i) {
    const auto owner = endpoint.owner_of(bye.ssrcs[i]);
    if (!owner || owner->rtx) continue;
    endpoint.sources[owner->source].sending = false;  // until its next packet
    directory_.conference_of(endpoint).on_source_changed();
  }
}

}  // namespace viaduct::path
