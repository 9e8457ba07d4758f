#include "protocol/congestion/delay_controller.h"

#include <algorithm>

#include "protocol/congestion/rates.h"

namespace viaduct::congestion {

void DelayController::on_arrival(const PacketResult& packet) {
  queue_.add(packet.took());
  if (packet.probe) return;  // a probe makes a queue of its own, for a moment
  const std::optional<GroupDelta> delta = groups_.add(packet.sent, *packet.arrival);
  if (!delta) return;
  trendline_.add(*delta);
  detector_.update(trendline_.slope(), trendline_.deltas(), delta->sent, delta->at);
}

void DelayController::restart() {
  groups_.reset();
  trendline_.reset();
  detector_ = OverUseDetector();
  queue_.reset();
}

void DelayController::update(const Seen& seen, Timestamp now) {
  queue_.end_report(now);
  if (seen.probed && usage() != Usage::Over && take_probe(*seen.probed, seen.throughput, now)) return;
  const Usage judged = judge(seen.throughput, now);
  rate_.update(judged, seen.throughput, seen.limited_by_application || drains(), now);
}

// Less than the rate while a queue is long, so that it is gone soon. The rate itself is what the link takes, and is
// there again as soon as the queue is not.
DataRate DelayController::target() const {
  if (!drains()) return rate();
  const double part = to_seconds(queue_.length() - DrainedQueue) / to_seconds(DrainTime);
  return rate() * (1 - std::min(part, MostDrain));
}

// A slope without a queue is the doing of others' bursts; and the slope of the last packets lags behind a queue that
// shrinks already.
Usage DelayController::judge(std::optional<DataRate> throughput, Timestamp now) {
  const Usage usage = usage_with_queue(now);
  if (usage != Usage::Over) return usage;
  if (queue_.length() < LeastQueue) return Usage::Normal;
  if (rate_.over_used_within(EffectTime, now) && queue_.length() < reduced_at_) return Usage::Under;
  if (rate_.may_reduce(throughput, now)) reduced_at_ = queue_.length();
  return Usage::Over;
}

// A queue that stays as long as it is has no slope. It is seen by how much longer packets take than they once did.
Usage DelayController::usage_with_queue(Timestamp now) {
  if (!has_long_queue()) {
    drain_step_at_.reset();
    drain_steps_ = 0;
    return usage();
  }
  if (!drain_step_at_ || usage() == Usage::Over) drain_step_at_ = now;
  if (usage() != Usage::Normal || drain_steps_ == MostDrainSteps || now - *drain_step_at_ < DrainStep) return usage();
  drain_step_at_ = now;
  ++drain_steps_;
  return Usage::Over;
}

// Where the last packet of a probe did not wait, the network took what was sent; its arrivals alone say less, as a
// large packet at the beginning is followed by a pause.
DataRate DelayController::found_by(const ProbeResult& probe) const {
  constexpr Duration Tolerance = 3ms;
  const std::optional<Duration> waited = queue_.wait_of(probe.last_took);
  const bool did_not_wait = waited && *waited <= DataSize{probe.last_bytes} / probe.sent + Tolerance;
  return did_not_wait ? probe.sent : probe.rate;
}

// A probe that found less, or hardly more, has only met other traffic, or pushed it aside: a large flow would stay
// large by it. One that found far less says that the rate was a mistake; but what arrives can be sent.
bool DelayController::take_probe(const ProbeResult& probe, std::optional<DataRate> throughput, Timestamp now) {
  DataRate found = found_by(probe);
  const bool is_far_less = found <= rate() * FarLess;
  if (found < rate() * LeastGain && !is_far_less) return false;
  if (throughput) found = std::max(found, std::min(rate(), *throughput * RateControl::BackOff));
  const std::optional<DataRate> ceiling = rate_.over_used_within(Lately, now);
  if (ceiling && !is_far_less) {
    if (found < *ceiling * NewRegime) return return_to(std::min(found, *ceiling * RateControl::BackOff), now);
    if (!probe.thorough) {
      doubted_ = found;
      return false;
    }
    found = std::min(found, rate() * MostGainLately);
  }
  rate_.set_measured(found, now);
  return true;
}

// To where an over-use has led the rate, from where several in a row have.
bool DelayController::return_to(DataRate rate_before, Timestamp now) {
  if (rate_before <= rate()) return false;
  rate_.raise_to(rate_before, now);
  return true;
}

}  // namespace viaduct::congestion
