#include "path/reports.h"

#include <array>

#include "protocol/srtp/srtcp.h"

namespace viaduct::path {
namespace {

constexpr size_t MaxRtcpBytes = 1200;
constexpr int MaxFeedbackMessages = 4;  // of transport-wide feedback, for one client in one round
constexpr size_t MaxNackedAtOnce =
    64;  // sequence numbers in one NACK; the rest follows in the next turn

// Seconds and the rest apart: a client may make a span of centuries.
int64_t ticks_of(Duration span, int64_t clock_rate) {
  constexpr int64_t Second = Duration(1s).count();
  return span.count() / Second * clock_rate + span.count() % Second * clock_rate / Second;
}

rtcp::ReportBlock report_block_of(conference::Encoding& stream, Timestamp now) {
  rtcp::ReportBlock block{.ssrc = *stream.ssrc,
                          .fraction_lost = stream.stats.take_fraction_lost(),
                          .cumulative_lost = static_cast<int32_t>(stream.stats.cumulative_lost()),
                          .extended_highest_sequence = stream.stats.extended_highest_sequence(),
                          .jitter = stream.stats.jitter()};
  if (stream.sender_clock) {
    block.last_sender_report = stream.sender_clock->ntp.middle();
    block.delay_since_last_sender_report = to_compact_ntp(now - stream.sender_clock->arrival);
  }
  return block;
}

}  // namespace

void Reports::run(Handle<Endpoint> who, Endpoint& endpoint, Timestamp now) {
  if (now >= endpoint.next_report) {
    endpoint.next_report = now + ReportInterval;
    send(who, endpoint, [&](MutableBytes out) { return write_reports(out, endpoint, now); });
  }
  if (endpoint.arrivals.due(now)) {
    const uint32_t media = endpoint.sources.empty() ? 0 : endpoint.sources.front().encodings.front().ssrc.value_or(0);
    for (int messages = 0; endpoint.arrivals.has_pending() && messages < MaxFeedbackMessages;
         ++messages) {
      send(who, endpoint, [&](MutableBytes out) {
        return endpoint.arrivals.write(out, endpoint.feedback_ssrc, media, now);
      });
    }
  }
  send(who, endpoint, [&](MutableBytes out) { return write_requests(out, endpoint, now); });
}

void Reports::say_goodbye(Handle<Endpoint> who, Endpoint& endpoint) {
  send(who, endpoint, [&](MutableBytes out) {
    rtcp::CompoundWriter writer(out);
    writer.receiver_report(endpoint.feedback_ssrc);
    for (const conference::Subscription& slot : endpoint.slots) writer.bye({&slot.ssrc, 1});
    return writer.size();
  });
}

template <typename Write>
void Reports::send(Handle<Endpoint> who, Endpoint& endpoint, Write&& write) {
  const TxQueue::Blank blank = queue_.next(nullptr);
  if (!blank) {
    counters_.drop(blank.missing);
    return;
  }
  Packet& io = blank.packet->io;
  uint8_t* const start = io.buffer + io.offset;
  const size_t bytes = write({start, MaxRtcpBytes});
  if (bytes < srtp::RtcpHeaderBytes) {
    queue_.undo();
    return;
  }
  blank.packet->to = who;
  blank.packet->kind = TxKind::Rtcp;
  uint32_t& index = endpoint.transport.next_srtcp_index;
  *blank.job = {.slot = endpoint.transport.protect_key,
                .rtcp = true,
                .header_bytes = srtp::RtcpHeaderBytes,
                .payload_bytes = static_cast<uint32_t>(bytes - srtp::RtcpHeaderBytes),
                .ssrc = load_be32(start + 4),
                .index = index++,
                .packet = start,
                .payload = start + srtp::RtcpHeaderBytes};
}

// RR for what the client sends, SDES, and SR for each slot that carries something. The next round
// begins with what does not fit.
size_t Reports::write_reports(MutableBytes space, Endpoint& endpoint, Timestamp now) {
  rtcp::CompoundWriter out(space);
  std::array<rtcp::ReportBlock, limits::SourcesPerEndpoint * limits::EncodingsPerSource> blocks;
  size_t count = 0;
  for (conference::Source& source : endpoint.sources) {
    for (conference::Encoding& stream : source.encodings) {
      if (stream.ssrc && stream.stats.started() && count < blocks.size())
        blocks[count++] = report_block_of(stream, now);
    }
  }
  out.receiver_report(endpoint.feedback_ssrc, std::span(blocks).first(count));
  out.sdes_cname(endpoint.feedback_ssrc, endpoint.cname);
  const size_t slots = endpoint.slots.size();
  for (size_t i = 0, at = endpoint.next_slot_reported; i < slots; ++i, at = (at + 1) % slots) {
    if (write_sender_report(out, endpoint, endpoint.slots[at], now)) continue;
    endpoint.next_slot_reported = at;
    break;
  }
  return out.size();
}

// The slot's media time at this moment, on the bridge's clock: the source's last report, moved on
// by what has passed since it was written (RFC 3550 section 6.4.1). All sources of a client share
// one clock difference, so sound and picture stay together.
bool Reports::write_sender_report(rtcp::CompoundWriter& out, const Endpoint& endpoint,
                                  const conference::Subscription& slot, Timestamp now) {
  if (slot.mix) return write_mix_report(out, endpoint, slot, now);
  if (!slot.carries || !slot.projection.started()) return true;
  const Endpoint* sender = directory_.find(slot.carries->endpoint);
  const conference::Source* source = directory_.find(*slot.carries);
  if (!sender || !source || !source->codec || !sender->clock_ahead) return true;
  const auto& clock = source->encodings[slot.encoding()].sender_clock;
  if (!clock) return true;

  const NtpTime here = ntp_.at(now);
  const Duration passed = ntp_difference(here, clock->ntp) - *sender->clock_ahead;
  const auto source_timestamp = static_cast<uint32_t>(
      clock->rtp_timestamp + ticks_of(passed, codec::clock_rate_of(*source->codec)));
  return out.sender_report({.ssrc = slot.ssrc,
                            .ntp = here,
                            .rtp_timestamp = slot.projection.timestamp_of(source_timestamp),
                            .packets = static_cast<uint32_t>(slot.meter.packets()),
                            .octets = static_cast<uint32_t>(slot.payload_octets)}) &&
         out.sdes_cname(slot.ssrc, endpoint.cname);
}

// Of a mix the bridge is the source: its media time is that of the tick it was made at.
bool Reports::write_mix_report(rtcp::CompoundWriter& out, const Endpoint& endpoint,
                               const conference::Subscription& slot, Timestamp now) {
  const auto passed = static_cast<uint32_t>(
      ticks_of(now - slot.mix->made, codec::clock_rate_of(codec::CodecType::Opus)));
  return out.sender_report({.ssrc = slot.ssrc,
                            .ntp = ntp_.at(now),
                            .rtp_timestamp = slot.mix->timestamp + passed,
                            .packets = static_cast<uint32_t>(slot.meter.packets()),
                            .octets = static_cast<uint32_t>(slot.payload_octets)}) &&
         out.sdes_cname(slot.ssrc, endpoint.cname);
}

// What the client should send again or anew: NACKs for gaps, PLI (or FIR for a client without it)
// for key frames.
size_t Reports::write_requests(MutableBytes space, Endpoint& endpoint, Timestamp now) {
  rtcp::CompoundWriter out(space);
  const Duration round_trip = endpoint.transport.round_trip.value_or(0ms);
  std::array<uint16_t, MaxNackedAtOnce> lost;
  for (conference::Source& source : endpoint.sources) {
    if (source.kind != codec::MediaKind::Video || !source.codec) continue;
    for (conference::Encoding& stream : source.encodings) {
      if (!stream.ssrc) continue;
      const size_t count = stream.missing.due(now, round_trip, lost);
      const auto nacked = std::span(lost).first(count);
      if (count > 0 && out.nack(endpoint.feedback_ssrc, *stream.ssrc, nacked))
        counters_.nacks_sent.add(count);
      if (stream.missing.take_overflowed()) stream.key_frame.want();
      if (source.is_received() && stream.key_frame.take(now))
        ask_for_key_frame(out, endpoint, source, stream);
    }
  }
  return out.size();
}

void Reports::ask_for_key_frame(rtcp::CompoundWriter& out, const Endpoint& endpoint,
                                const conference::Source& source, conference::Encoding& stream) {
  counters_.key_frames_asked.add();
  if (endpoint.payloads.takes_pli(*source.codec)) {
    out.pli(endpoint.feedback_ssrc, *stream.ssrc);
  } else {
    out.fir(endpoint.feedback_ssrc, *stream.ssrc, stream.fir_sequence++);
  }
}

}  // namespace viaduct::path
