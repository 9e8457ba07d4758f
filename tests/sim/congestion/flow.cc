#include "tests/sim/congestion/flow.h"

#include <algorithm>

#include "base/check.h"
#include "limits.h"

namespace viaduct::testing {

Flow::Flow(const FlowSettings& settings, uint64_t seed)
    : settings_(settings),
      random_(seed),
      controller_(settings.reporting, {.initial = settings.initial}),
      next_frame_(settings.begins + Duration(static_cast<int64_t>(random_.below(FrameInterval.count())))),
      next_sound_(settings.begins),
      next_report_(settings.begins + settings.feedback_interval) {}

void Flow::run(Bottleneck& link, Timestamp now) {
  if (now < settings_.begins) return;
  receive(now);
  write_reports(now);
  take_reports(now);
  controller_.set_demand(demand_at(now), now);
  if (now >= controller_.next_deadline()) controller_.run_timers(now);
  make_media(link, now);
  pacer_.set_rate(controller_.target(), {static_cast<int64_t>(waiting_bytes_)}, now);
  if (!pacer_.probe()) {
    if (const auto probe = controller_.poll_probe(now)) pacer_.start_probe(*probe, now);
  }
  send_paced(link, now);
}

DataRate Flow::demand_at(Timestamp t) const {
  DataRate rate = settings_.demand.front().rate;
  for (const DemandFrom& d : settings_.demand) {
    if (d.at <= t) rate = d.rate;
  }
  return rate;
}

// The best layer that fits; the least one always goes.
DataRate Flow::to_send(Timestamp t) const {
  const DataRate most = std::min(controller_.target(), demand_at(t));
  if (settings_.layers.empty()) return most;
  const auto beyond = std::ranges::upper_bound(settings_.layers, most);
  return beyond == settings_.layers.begin() ? settings_.layers.front() : *std::prev(beyond);
}

void Flow::receive(Timestamp now) {
  while (!on_the_way_.empty() && on_the_way_.front().arrival <= now) {
    const OnTheWay& packet = on_the_way_.front();
    if (settings_.reporting == congestion::Reporting::PerStream) {
      per_stream_.on_packet(packet.ssrc, packet.sequence, packet.arrival);
    } else {
      transport_wide_.on_packet(packet.transport_sequence, packet.arrival);
    }
    round_trip_ = packet.arrival - packet.sent + settings_.feedback_delay;
    on_the_way_.pop_front();
  }
}

void Flow::write_reports(Timestamp now) {
  if (now < next_report_) return;
  next_report_ += settings_.feedback_interval;
  const bool per_stream = settings_.reporting == congestion::Reporting::PerStream;
  while (per_stream ? per_stream_.has_pending() : transport_wide_.has_pending()) {
    std::vector<uint8_t> bytes(limits::MaxPacketBytes);
    bytes.resize(per_stream ? per_stream_.write(bytes, 1, now) : transport_wide_.write(bytes, 1, 2, now));
    CHECK(!bytes.empty());
    if (random_.chance(settings_.feedback_loss)) continue;
    reports_.push_back({.arrival = now + settings_.feedback_delay, .bytes = std::move(bytes)});
  }
}

void Flow::take_reports(Timestamp now) {
  for (; !reports_.empty() && reports_.front().arrival <= now; reports_.pop_front()) {
    controller_.on_round_trip(round_trip_, now);
    rtcp::for_each_packet(reports_.front().bytes, [&](const rtcp::Packet& packet) {
      if (const auto f = rtcp::parse_transport_feedback(packet)) controller_.on_feedback(*f, now);
      if (const auto f = rtcp::parse_congestion_feedback(packet)) controller_.on_feedback(*f, now);
    });
  }
}

void Flow::make_media(Bottleneck& link, Timestamp now) {
  for (; next_sound_ <= now; next_sound_ += SoundInterval) send(link, SoundBytes, Sound, now);
  for (; next_frame_ <= now; next_frame_ += FrameInterval) {
    constexpr DataRate SoundRate = DataRate::kbps(48);
    const int64_t rate = to_send(now).bits_per_second - SoundRate.bits_per_second;
    const int64_t mean = std::max<int64_t>(0, rate) / 8 * FrameInterval.count() / 1'000'000'000;
    const int64_t percent = 80 + static_cast<int64_t>(random_.below(41));
    for (int64_t left = mean * percent / 100; left > 0; left -= LargestPacket) {
      const auto bytes = static_cast<size_t>(std::min<int64_t>(left, LargestPacket));
      waiting_.push_back({.bytes = bytes, .since = now});
      waiting_bytes_ += bytes;
    }
  }
  while (!waiting_.empty() && now - waiting_.front().since > congestion::Pacer::LongestQueue) {
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
  }
}

void Flow::send_paced(Bottleneck& link, Timestamp now) {
  while (pacer_.next_send(now) <= now) {
    if (!waiting_.empty()) {
      const size_t bytes = waiting_.front().bytes;
      waiting_.pop_front();
      waiting_bytes_ -= bytes;
      send(link, bytes, Picture, now);
    } else if (const size_t due = pacer_.padding_due(now); due > 0) {
      send(link, std::clamp(due, SmallestPadding, LargestPacket), Padding, now);
    } else {
      return;
    }
  }
}

void Flow::send(Bottleneck& link, size_t bytes, Ssrc ssrc, Timestamp now) {
  const congestion::SentPacket packet{.transport_sequence = next_transport_sequence_++,
                                      .ssrc = ssrc,
                                      .sequence = next_sequence_[ssrc]++,
                                      .bytes = bytes,
                                      .at = now,
                                      .probe = pacer_.probe()};
  controller_.on_sent(packet);
  pacer_.on_sent(bytes, now);
  const auto crossing = link.send(bytes, now);
  trips_.push_back({.sent = now, .bytes = bytes, .padding = ssrc == Padding, .crossing = crossing});
  if (!crossing) return;
  on_the_way_.push_back({.arrival = crossing->arrival,
                         .sent = now,
                         .transport_sequence = packet.transport_sequence,
                         .ssrc = ssrc,
                         .sequence = packet.sequence});
}

}  // namespace viaduct::testing
