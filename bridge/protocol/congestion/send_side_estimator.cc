#include "protocol/congestion/send_side_estimator.h"

#include <algorithm>
#include <array>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {
namespace {

// 24 bits of 64 ms, and 32 bits of 1/65536 s.
constexpr Duration TransportWideWrap = rtcp::FeedbackReferenceTick * (1 << 24);
constexpr Duration PerStreamWrap = 65536s;

Duration from_report_timestamp(uint32_t timestamp) { return from_compact_ntp(timestamp); }

}  // namespace

// Results of a report, as many as are put in the order of arrival at a time.
class SendSideEstimator::Portion {
 public:
  void add(const PacketResult& result) { results_[size_++] = result; }
  bool is_full() const { return size_ == results_.size(); }
  std::span<const PacketResult> in_order_of_arrival() {
    const auto used = std::span(results_).first(size_);
    std::ranges::sort(used, [](const PacketResult& a, const PacketResult& b) {
      return std::pair(a.arrival, a.number) < std::pair(b.arrival, b.number);
    });
    return used;
  }
  void clear() { size_ = 0; }

 private:
  std::array<PacketResult, 128> results_;
  size_t size_ = 0;
};

SendSideEstimator::SendSideEstimator(SentHistory::Lookup lookup, const RateLimits& limits)
    : limits_(limits),
      history_(lookup),
      line_(lookup == SentHistory::Lookup::Stream ? PerStreamWrap : TransportWideWrap),
      delay_(limits),
      loss_(limits),
      planner_(limits),
      target_(std::clamp(limits.initial, limits.least, limits.most)) {}

void SendSideEstimator::on_sent(const SentPacket& packet) {
  history_.add(packet);
  application_limit_.on_sent(packet.bytes, target_, packet.at);
  if (!unanswered_since_) unanswered_since_ = packet.at;
}

void SendSideEstimator::on_feedback(const rtcp::TransportFeedback& feedback, Timestamp now) {
  const Duration base = feedback.reference_time * rtcp::FeedbackReferenceTick;
  advance_line(base, now);
  Portion portion;
  feedback.for_each([&](const rtcp::PacketStatus& status) {
    std::optional<PacketResult> result = history_.report(status.sequence, status.arrival.has_value());
    if (!result) return;
    if (status.arrival) result->arrival = line_.place() + (*status.arrival - base);
    portion.add(*result);
    if (portion.is_full()) take(portion);
  });
  take(portion);
  finish_report(now);
}

void SendSideEstimator::on_feedback(const rtcp::CongestionFeedback& feedback, Timestamp now) {
  advance_line(from_report_timestamp(feedback.timestamp), now);
  Portion portion;
  feedback.for_each([&](const rtcp::PacketReport& report) {
    std::optional<PacketResult> result = history_.report(report.ssrc, report.sequence, report.received);
    if (!result) return;
    if (report.arrival) result->arrival = line_.place() - *report.arrival;
    portion.add(*result);
    if (portion.is_full()) take(portion);
  });
  take(portion);
  finish_report(now);
}

void SendSideEstimator::advance_line(Duration reported, Timestamp now) {
  if (line_.advance(reported, now)) return;
  delay_.restart();
  throughput_.reset();
  probes_.reset();
}

void SendSideEstimator::take(Portion& portion) {
  for (const PacketResult& result : portion.in_order_of_arrival()) {
    learnt_ = true;
    loss_.on_packet(result);
    if (!result.arrival) continue;
    newest_sent_ = std::max(newest_sent_, result.sent);
    throughput_.add(result);
    delay_.on_arrival(result);
    if (!result.probe) continue;
    if (const auto measured = probes_.add(result)) probed_ = measured;
  }
  portion.clear();
}

// A report without news is no report: a client that repeats an old one is as silent as before.
void SendSideEstimator::finish_report(Timestamp now) {
  constexpr Duration LongestRoundTrip = 1s;
  if (!learnt_) return;
  learnt_ = false;
  if (newest_sent_ != Timestamp{}) newest_round_trip_ = std::clamp<Duration>(now - newest_sent_, 0s, LongestRoundTrip);
  unanswered_since_.reset();
  silence_step_.reset();
  const std::optional<DataRate> throughput = throughput_.rate();
  const bool limited = application_limit_.is_limited();
  delay_.update({.throughput = throughput, .probed = probed_, .limited_by_application = limited}, now);
  probed_.reset();
  loss_.update({.throughput = throughput, .delay_based = delay_.rate(), .limited_by_application = limited});
  set_target(now);
  if (const auto doubted = delay_.poll_doubted()) planner_.plan_thorough(*doubted, now);
}

void SendSideEstimator::set_target(Timestamp now) {
  constexpr Duration Lately = 3s;
  const DataRate estimate = std::clamp(std::min(delay_.rate(), loss_.rate()), limits_.least, limits_.most);
  target_ = std::clamp(delay_.target(), limits_.least, estimate);
  planner_.update({.estimate = estimate,
                   .usage = delay_.usage(),
                   .loss = loss_.state(),
                   .has_long_queue = delay_.has_long_queue(),
                   .lately_limited_by_application = application_limit_.was_limited_within(Lately, now)},
                  now);
}

void SendSideEstimator::run_timers(Timestamp now) {
  planner_.run_timers(now);
  if (!unanswered_since_ || now - *unanswered_since_ < Silence) return;
  if (silence_step_ && now - *silence_step_ < SilenceStep) return;
  silence_step_ = now;
  delay_.rate_control().reduce_to(std::min(target_, delay_.rate()) * SilenceFactor, now);
  target_ = std::min(target_, delay_.rate());
}

Timestamp SendSideEstimator::next_deadline() const {
  Timestamp next = planner_.next_deadline();
  if (unanswered_since_) {
    next = std::min(next, silence_step_ ? *silence_step_ + SilenceStep : *unanswered_since_ + Silence);
  }
  return next;
}

std::optional<ProbeCluster> SendSideEstimator::poll_probe(Timestamp now) {
  const std::optional<ProbeCluster> probe = planner_.poll(now);
  if (probe) probes_.begin(*probe);
  return probe;
}

}  // namespace viaduct::congestion
