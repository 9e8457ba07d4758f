#include "protocol/congestion/controller.h"

#include <algorithm>

namespace viaduct::congestion {
namespace {

bool reports_arrivals(Reporting reporting) {
  return reporting == Reporting::TransportWide || reporting == Reporting::PerStream;
}

SentHistory::Lookup lookup_of(Reporting reporting) {
  return reporting == Reporting::PerStream ? SentHistory::Lookup::Stream : SentHistory::Lookup::Number;
}

}  // namespace

Controller::Controller(Reporting reporting, const RateLimits& limits)
    : reporting_(reporting),
      limits_(limits),
      estimator_(reports_arrivals(reporting) ? std::make_unique<SendSideEstimator>(lookup_of(reporting), limits)
                                             : nullptr),
      rate_(reporting == Reporting::Remb ? std::clamp(limits.initial, limits.least, limits.most) : limits.most) {}

void Controller::on_sent(const SentPacket& packet) {
  if (estimator_) estimator_->on_sent(packet);
}

void Controller::on_feedback(const rtcp::TransportFeedback& feedback, Timestamp now) {
  if (reporting_ == Reporting::TransportWide) estimator_->on_feedback(feedback, now);
}

void Controller::on_feedback(const rtcp::CongestionFeedback& feedback, Timestamp now) {
  if (reporting_ == Reporting::PerStream) estimator_->on_feedback(feedback, now);
}

// The client has smoothed it, and a lower one is to be obeyed at once.
void Controller::on_remb(DataRate rate, Timestamp) {
  if (reporting_ == Reporting::Remb) rate_ = std::clamp(rate, limits_.least, limits_.most);
}

void Controller::on_round_trip(Duration round_trip, Timestamp) {
  constexpr Duration Longest = 10s;  // beyond it, nobody could hold a conversation
  round_trip_ = std::clamp<Duration>(round_trip, 0s, Longest);
  if (estimator_) estimator_->set_round_trip(round_trip_);
}

void Controller::set_demand(DataRate demand, Timestamp now) {
  if (estimator_) estimator_->set_demand(demand, now);
}

void Controller::run_timers(Timestamp now) {
  if (estimator_) estimator_->run_timers(now);
}

Timestamp Controller::next_deadline() const { return estimator_ ? estimator_->next_deadline() : Never; }

std::optional<ProbeCluster> Controller::poll_probe(Timestamp now) {
  return estimator_ ? estimator_->poll_probe(now) : std::nullopt;
}

}  // namespace viaduct::congestion
